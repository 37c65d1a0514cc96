#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void defaults(Json& slice, const WriteContext&) {
  if (auto* ports = member(slice, "ports"); ports && ports->is_array())
    for (auto& port : ports->get_array()) {
      if (!port.is_object()) continue;
      setDefault(port.get_object(), "name", "");
      setDefault(port.get_object(), "protocol", "TCP");
    }
}
void defaultsAgain(Json& slice, const Json&, const WriteContext& context) { defaults(slice, context); }

void validate(const Json& slice, const WriteContext&, ErrorList& errors) {
  auto type = str(slice, "addressType");
  auto &endpoints = list(slice, "endpoints"), &ports = list(slice, "ports");
  if (endpoints.size() > 1000) errors.tooMany("endpoints", endpoints.size(), 1000);
  if (ports.size() > 20000) errors.tooMany("ports", ports.size(), 20000);
  for (size_t i = 0; i < endpoints.size(); ++i) {
    auto& addresses = list(endpoints[i], "addresses");
    auto path = indexed("endpoints", i) + ".addresses";
    if (addresses.size() > 100) errors.tooMany(path, addresses.size(), 100);
    for (size_t j = 0; j < addresses.size(); ++j) {
      auto address = addresses[j].is_string() ? text(view(addresses[j].get_string())) : std::string();
      auto where = indexed(path, j);
      bool six = address.find(':') != std::string::npos;
      if (type == "FQDN") {
        if (auto why = checkDnsSubdomain(address); !why.empty()) errors.invalid(where, address, why);
      } else if (auto why = checkIp(address); !why.empty()) {
        errors.invalid(where, address, why);
      } else if (six != (type == "IPv6")) {
        errors.invalid(where, address, six ? "must be an IPv4 address" : "must be an IPv6 address");
      }
    }
  }
  std::vector<std::string> seen;
  for (size_t i = 0; i < ports.size(); ++i) {
    auto name = text(str(ports[i], "name"));
    for (auto& s : seen)
      if (s == name) errors.duplicate(indexed("ports", i) + ".name", name);
    seen.push_back(name);
    if (has(ports[i], "port")) checkPort(num(ports[i], "port"), indexed("ports", i) + ".port", errors);
  }
}

void validateUpdate(const Json& slice, const Json& old, const WriteContext&, ErrorList& errors) { immutable(slice, old, "addressType", errors); }

void cells(const Json& slice, WallTime, std::vector<Json>& out) {
  std::vector<std::string> ports, addresses;
  for (auto& p : list(slice, "ports")) ports.push_back(has(p, "port") ? std::to_string(num(p, "port")) : "*");
  for (auto& e : list(slice, "endpoints"))
    for (auto& a : list(e, "addresses"))
      if (a.is_string()) addresses.push_back(text(view(a.get_string())));
  out.emplace_back(ports.empty() ? "<unset>" : firstFew(ports, 3, " more..."));
  out.emplace_back(addresses.empty() ? "<unset>" : firstFew(addresses, 3, " more..."));
}

}  // namespace

const Strategy endpointSliceStrategy{
    .prepareCreate = defaults, .prepareUpdate = defaultsAgain, .validate = validate, .validateUpdate = validateUpdate, .cells = cells};

}  // namespace ph::api::strategies
