#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void validateAddresses(const Json& subset, const char* group, const std::string& path, ErrorList& errors) {
  auto& all = list(subset, group);
  for (size_t i = 0; i < all.size(); ++i) {
    auto at = indexed(path + "." + group, i);
    auto ip = text(str(all[i], "ip"));
    if (ip.empty()) continue;  // the schema has said so
    if (auto why = checkIp(ip); !why.empty()) errors.invalid(at + ".ip", ip, why);
    else if (ip.starts_with("127.") || ip == "::1") errors.invalid(at + ".ip", ip, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
    else if (ip.starts_with("169.254.")) errors.invalid(at + ".ip", ip, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    else if (ip == "0.0.0.0" || ip == "::") errors.invalid(at + ".ip", ip, "may not be unspecified (" + ip + ")");
    auto node = text(str(all[i], "nodeName"));
    if (node.empty()) continue;
    if (auto why = checkDnsSubdomain(node); !why.empty()) errors.invalid(at + ".nodeName", node, why);
  }
}

void validate(const Json& e, const WriteContext&, ErrorList& errors) {
  auto& subsets = list(e, "subsets");
  for (size_t i = 0; i < subsets.size(); ++i) {
    auto at = indexed("subsets", i);
    if (list(subsets[i], "addresses").empty() && list(subsets[i], "notReadyAddresses").empty())
      errors.required(at, "must specify `addresses` or `notReadyAddresses`");
    validateAddresses(subsets[i], "addresses", at, errors);
    validateAddresses(subsets[i], "notReadyAddresses", at, errors);
    auto& ports = list(subsets[i], "ports");
    for (size_t j = 0; j < ports.size(); ++j) {
      auto port = indexed(at + ".ports", j);
      auto name = text(str(ports[j], "name"));
      if (name.empty() && ports.size() > 1) errors.required(port + ".name");
      if (!name.empty())
        if (auto why = checkDnsLabel(name); !why.empty()) errors.invalid(port + ".name", name, why);
      checkPort(num(ports[j], "port"), port + ".port", errors);
    }
  }
}

void cells(const Json& e, WallTime, std::vector<Json>& out) {
  constexpr size_t shown = 3;
  std::string all;
  size_t count = 0;
  auto add = [&](const std::string& place) {
    if (count++ < shown) all += (all.empty() ? "" : ",") + place;
  };
  for (auto& subset : list(e, "subsets")) {
    auto& ports = list(subset, "ports");
    for (auto& address : list(subset, "addresses")) {
      auto ip = text(str(address, "ip"));
      auto host = ip.find(':') == std::string::npos ? ip : "[" + ip + "]";
      if (ports.empty()) add(ip);
      for (auto& p : ports) add(host + ":" + std::to_string(num(p, "port")));
    }
  }
  if (count > shown) all += " + " + std::to_string(count - shown) + " more...";
  out.push_back(orNone(all));
}

}  // namespace

const Strategy endpointsStrategy{.validate = validate, .cells = cells};

}  // namespace ph::api::strategies
