#include <algorithm>

#include "engine/api/strategies/containers.h"

namespace ph::api::strategies {
namespace {

bool isExternalName(const Json& s) { return str(s, "spec.type") == "ExternalName"; }
bool opensNodePorts(const Json& s) { return str(s, "spec.type") == "NodePort" || str(s, "spec.type") == "LoadBalancer"; }

void defaultPorts(Json& service, JsonObject& spec) {
  auto* ports = spec.if_contains("ports");
  if (!ports || !ports->is_array()) return;
  for (auto& p : ports->get_array()) {
    if (!p.is_object()) continue;
    auto* target = p.get_object().if_contains("targetPort");
    bool unset = !target || (target->is_int64() && target->get_int64() == 0) || (target->is_string() && target->get_string().empty());
    if (unset && num(p, "port")) p.get_object()["targetPort"] = num(p, "port");
    if (!opensNodePorts(service)) continue;
    if (auto* n = p.get_object().if_contains("nodePort"); n && n->is_int64() && n->get_int64() == 0) p.get_object().erase("nodePort");
  }
}

void defaults(Json& service) {
  auto& spec = ensureObject(service, "spec");
  defaultPorts(service, spec);
  if (str(service, "spec.sessionAffinity") == "ClientIP") {
    auto& clientIp = ensureObject(ensureObject(spec, "sessionAffinityConfig"), "clientIP");
    setDefault(clientIp, "timeoutSeconds", 10800);
  } else {
    spec.erase("sessionAffinityConfig");
  }
  if (isExternalName(service)) return;
  setDefault(spec, "internalTrafficPolicy", "Cluster");
  setDefault(spec, "ipFamilyPolicy", "SingleStack");
  setDefault(spec, "ipFamilies", JsonArray{"IPv4"});
  if (opensNodePorts(service)) setDefault(spec, "externalTrafficPolicy", "Cluster");
  if (str(service, "spec.type") == "LoadBalancer") setDefault(spec, "allocateLoadBalancerNodePorts", true);
}

void prepareCreate(Json& service, const WriteContext&) {
  defaults(service);
  service.get_object()["status"] = JsonObject{{"loadBalancer", JsonObject()}};
}

// What was given out stays, when a whole new object doesn't mention it.
void keepAllocated(Json& service, const Json& old) {
  auto& spec = ensureObject(service, "spec");
  if (isExternalName(service)) {
    if (!isExternalName(old) && str(service, "spec.clusterIP") == str(old, "spec.clusterIP"))
      for (auto* field : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}) spec.erase(field);
    return;
  }
  if (!isExternalName(old) && str(service, "spec.clusterIP").empty())
    for (auto* field : {"clusterIP", "clusterIPs"})
      if (auto* v = at(old, std::string("spec.") + field)) spec[field] = *v;
  auto* ports = spec.if_contains("ports");
  if (!ports || !ports->is_array()) return;
  for (auto& p : ports->get_array()) {
    if (!p.is_object()) continue;
    if (!opensNodePorts(service)) {
      // A port that came with the old type goes with it.
      for (auto& was : list(old, "spec.ports"))
        if (opensNodePorts(old) && num(was, "port") == num(p, "port") && num(was, "nodePort") == num(p, "nodePort")) p.get_object().erase("nodePort");
      continue;
    }
    if (num(p, "nodePort")) continue;
    for (auto& was : list(old, "spec.ports"))
      if (num(was, "port") == num(p, "port") && str(was, "protocol") == str(p, "protocol") && num(was, "nodePort")) p.get_object()["nodePort"] = num(was, "nodePort");
  }
  if (!opensNodePorts(service) && opensNodePorts(old))
    for (auto* field : {"externalTrafficPolicy", "allocateLoadBalancerNodePorts", "healthCheckNodePort"}) spec.erase(field);
}

void prepareUpdate(Json& service, const Json& old, const WriteContext& context) {
  if (!context.subresource.empty()) return;
  keepAllocated(service, old);
  defaults(service);
}

void validatePorts(const Json& service, ErrorList& errors) {
  auto& ports = list(service, "spec.ports");
  bool headless = str(service, "spec.clusterIP") == "None";
  if (ports.empty() && !headless && !isExternalName(service)) errors.required("spec.ports");
  Names names, pairs, nodePorts;
  for (size_t i = 0; i < ports.size(); ++i) {
    auto& p = ports[i];
    auto at = indexed("spec.ports", i);
    auto name = text(str(p, "name")), protocol = text(str(p, "protocol"));
    if (name.empty()) {
      if (ports.size() > 1) errors.required(at + ".name");
    } else if (auto why = checkDnsLabel(name); !why.empty()) {
      errors.invalid(at + ".name", name, why);
    } else if (!names.insert(name).second) {
      errors.duplicate(at + ".name", name);
    }
    auto port = num(p, "port"), nodePort = num(p, "nodePort");
    checkPort(port, at + ".port", errors);
    checkPortValue(api::at(p, "targetPort"), at + ".targetPort", errors);
    if (!pairs.insert(protocol + "/" + std::to_string(port)).second) errors.duplicate(at, protocol + "/" + std::to_string(port));
    if (!nodePort) continue;
    if (!opensNodePorts(service)) errors.forbidden(at + ".nodePort", "may not be used when `type` is '" + text(str(service, "spec.type")) + "'");
    else if (!nodePorts.insert(protocol + "/" + std::to_string(nodePort)).second) errors.duplicate(at + ".nodePort", std::to_string(nodePort));
    checkPort(nodePort, at + ".nodePort", errors);
  }
}

void validate(const Json& service, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  validatePorts(service, errors);
  validateLabels(object(service, "spec.selector"), "spec.selector", errors);
  auto ip = text(str(service, "spec.clusterIP"));
  if (isExternalName(service)) {
    auto name = text(str(service, "spec.externalName"));
    if (!name.empty() && name.back() == '.') name.pop_back();
    if (name.empty()) errors.required("spec.externalName");
    else if (auto why = checkDnsSubdomain(name); !why.empty()) errors.invalid("spec.externalName", name, why);
    if (!ip.empty()) errors.forbidden("spec.clusterIPs[0]", "may not be set when `type` is 'ExternalName'");
  } else {
    if (ip == "None" && opensNodePorts(service)) errors.invalid("spec.clusterIPs[0]", ip, "may not be set to 'None' for " + text(str(service, "spec.type")) + " services");
    if (!ip.empty() && ip != "None")
      if (auto why = checkIp(ip); !why.empty()) errors.invalid("spec.clusterIPs[0]", ip, why);
  }
  auto& external = list(service, "spec.externalIPs");
  for (size_t i = 0; i < external.size(); ++i)
    if (external[i].is_string()) {
      auto address = text(view(external[i].get_string()));
      if (auto why = checkIp(address); !why.empty()) errors.invalid(indexed("spec.externalIPs", i), address, why);
    }
  auto policy = text(str(service, "spec.externalTrafficPolicy"));
  if (!policy.empty() && !opensNodePorts(service))
    errors.invalid("spec.externalTrafficPolicy", policy, "may only be set when `type` is 'NodePort' or 'LoadBalancer'");
  if (has(service, "spec.sessionAffinityConfig")) {
    auto seconds = num(service, "spec.sessionAffinityConfig.clientIP.timeoutSeconds");
    if (seconds <= 0 || seconds > 86400)
      errors.invalidRaw("spec.sessionAffinityConfig.clientIP.timeoutSeconds", std::to_string(seconds), "must be greater than 0 and less than or equal to 86400");
  }
}

void validateUpdate(const Json& service, const Json& old, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status" || isExternalName(service) || isExternalName(old)) return;
  auto before = str(old, "spec.clusterIP"), now = str(service, "spec.clusterIP");
  if (!before.empty() && before != now) errors.invalidRaw("spec.clusterIPs[0]", toText(JsonArray{boosted(now)}), "may not change once set");
}

std::string joined(const JsonArray& all) {
  std::string out;
  for (auto& v : all)
    if (v.is_string()) out.append(out.empty() ? "" : ",").append(view(v.get_string()));
  return out;
}

std::string externalAddress(const Json& s) {
  auto type = str(s, "spec.type");
  auto own = joined(list(s, "spec.externalIPs"));
  if (type == "ExternalName") return text(str(s, "spec.externalName"));
  if (type != "LoadBalancer") return own.empty() ? "<none>" : own;
  std::string given;
  for (auto& i : list(s, "status.loadBalancer.ingress")) {
    auto place = str(i, "ip").empty() ? str(i, "hostname") : str(i, "ip");
    given.append(given.empty() || place.empty() ? "" : ",").append(place);
  }
  if (!own.empty()) given += (given.empty() ? "" : ",") + own;
  return given.empty() ? "<pending>" : given;
}

void cells(const Json& s, WallTime, std::vector<Json>& out) {
  out.push_back(orNone(str(s, "spec.clusterIP")));
  out.emplace_back(externalAddress(s));
  std::string ports;
  for (auto& p : list(s, "spec.ports")) {
    ports += (ports.empty() ? "" : ",") + std::to_string(num(p, "port"));
    if (num(p, "nodePort") > 0) ports += ":" + std::to_string(num(p, "nodePort"));
    ports += "/" + text(str(p, "protocol"));
  }
  out.push_back(orNone(ports));
  out.emplace_back(labelsText(object(s, "spec.selector")));
}

constexpr std::string_view kSelectable[] = {"spec.clusterIP", "spec.type", ""};

}  // namespace

const Strategy serviceStrategy{.prepareCreate = prepareCreate,
                               .prepareUpdate = prepareUpdate,
                               .validate = validate,
                               .validateUpdate = validateUpdate,
                               .checkName = checkDns1035Label,
                               .cells = cells,
                               .selectableFields = kSelectable};

}  // namespace ph::api::strategies
