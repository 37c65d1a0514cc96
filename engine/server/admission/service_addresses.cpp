// Cluster addresses and node ports of services.
#include "engine/server/admission/steps.h"
#include "engine/server/json_util.h"

namespace ph::server {
namespace {

bool wantsAddress(std::string_view type) { return type != "ExternalName"; }
bool wantsPorts(std::string_view type) { return type == "NodePort" || type == "LoadBalancer"; }

std::string_view typeOf(const JsonObject* spec) {
  auto type = textAt(spec, "type");
  return type.empty() ? "ClusterIP" : type;
}

std::string_view protocolOf(const JsonObject& port) {
  auto protocol = textAt(&port, "protocol");
  return protocol.empty() ? "TCP" : protocol;
}

Status fieldError(Admission& a, std::string field, std::string value, const Status& why) {
  if (why.code == 500) return why;
  api::ErrorList errors;
  errors.invalid(std::move(field), std::move(value), why.message);
  auto* metadata = objectAt(a.object, "metadata");
  return errors.toStatus(a.info, textAt(metadata, "name"));
}

// Values that the old object holds and the new one leaves out stay, where both types have them.
void carryOver(JsonObject& spec, const JsonObject& old) {
  auto type = typeOf(&spec), oldType = typeOf(&old);
  if (wantsAddress(type) && wantsAddress(oldType) && textAt(&spec, "clusterIP").empty()) {
    copyMember(spec, &old, "clusterIP");
    copyMember(spec, &old, "clusterIPs");
  }
  if (!wantsPorts(type) || !wantsPorts(oldType)) return;
  auto* ports = spec.if_contains("ports");
  auto* oldPorts = old.if_contains("ports");
  if (!ports || !ports->is_array() || !oldPorts || !oldPorts->is_array()) return;
  for (auto& p : ports->get_array()) {
    if (!p.is_object() || intAt(p.if_object(), "nodePort") != 0) continue;
    for (auto& o : oldPorts->get_array()) {
      auto* was = o.if_object();
      if (!was || intAt(was, "port") != intAt(p.if_object(), "port")) continue;
      if (protocolOf(*was) == protocolOf(p.get_object())) copyMember(p.get_object(), was, "nodePort");
    }
  }
}

void setFamilies(JsonObject& spec, std::string_view address) {
  spec["clusterIP"] = address;
  spec["clusterIPs"] = JsonArray{Json(address)};
  if (!spec.contains("ipFamilies")) spec["ipFamilies"] = JsonArray{"IPv4"};
  if (!spec.contains("ipFamilyPolicy")) spec["ipFamilyPolicy"] = "SingleStack";
  if (!spec.contains("internalTrafficPolicy")) spec["internalTrafficPolicy"] = "Cluster";
}

Result<> settleAddress(Admission& a, JsonObject& spec, std::string_view held) {
  auto asked = std::string(textAt(&spec, "clusterIP"));
  if (asked.empty()) {
    auto* list = spec.if_contains("clusterIPs");
    if (list && list->is_array() && !list->get_array().empty() && list->get_array()[0].is_string())
      asked = list->get_array()[0].get_string();
  }
  if (!wantsAddress(typeOf(&spec))) {
    for (auto key : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"})
      spec.erase(key);
    return {};
  }
  if (asked == "None" || (!asked.empty() && asked == held)) {
    setFamilies(spec, asked);
    return {};
  }
  if (asked.empty()) {
    PH_ASSIGN(asked, a.core.addresses.takeAddress(a.core.executor->random()));
  } else if (auto taken = a.core.addresses.takeAddress(asked); !taken.ok()) {
    return fieldError(a, "spec.clusterIPs", asked, taken.status());
  }
  uint32_t address = 0;
  if (parseIpv4(asked, address)) a.taken.addresses.push_back(address);
  setFamilies(spec, asked);
  return {};
}

bool holds(const ServiceClaim& claim, uint16_t port, std::string_view protocol) {
  for (auto& [p, proto] : claim.ports)
    if (p == port && proto == protocol) return true;
  return false;
}

Result<> settlePort(Admission& a, JsonObject& port, const ServiceClaim& held, size_t index) {
  auto protocol = std::string(protocolOf(port));
  int64_t asked = intAt(&port, "nodePort");
  if (asked != 0 && holds(held, uint16_t(asked), protocol)) return {};
  if (asked == 0) {
    PH_ASSIGN(asked, a.core.addresses.takePort(a.core.executor->random(), protocol));
  } else if (asked < 0 || asked > 65535 || !a.core.addresses.takePort(uint16_t(asked), protocol).ok()) {
    bool inRange = asked >= kFirstNodePort && asked <= kLastNodePort;
    return fieldError(a, "spec.ports[" + std::to_string(index) + "].nodePort", std::to_string(asked),
                      Status::invalid(inRange ? "provided port is already allocated"
                                              : "provided port is not in the valid range. The range of valid ports "
                                                "is 30000-32767"));
  }
  a.taken.ports.emplace_back(uint16_t(asked), protocol);
  port["nodePort"] = asked;
  return {};
}

}  // namespace

Result<> steps::serviceAddresses(Admission& a) {
  if (&a.info != a.core.services || !a.request.subresource.empty()) return {};
  auto& spec = makeObject(a.object, "spec");
  const JsonObject* old = a.old ? objectAt(*a.old, "spec") : nullptr;
  if (old) carryOver(spec, *old);
  ServiceClaim held = a.old ? claimOf(*a.old) : ServiceClaim{};
  PH_TRY(settleAddress(a, spec, textAt(old, "clusterIP")));
  auto* ports = spec.if_contains("ports");
  if (!ports || !ports->is_array()) return {};
  size_t index = 0;
  for (auto& port : ports->get_array()) {
    if (!port.is_object()) continue;
    if (wantsPorts(typeOf(&spec)))
      PH_TRY(settlePort(a, port.get_object(), held, index));
    else if (old && wantsPorts(typeOf(old)) && holds(held, uint16_t(intAt(port.if_object(), "nodePort")), std::string(protocolOf(port.get_object()))))
      port.get_object().erase("nodePort");
    ++index;
  }
  return {};
}

}  // namespace ph::server
