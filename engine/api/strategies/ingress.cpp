#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void resetStatus(Json& ingress, const WriteContext&) { ingress.get_object()["status"] = JsonObject{{"loadBalancer", JsonObject()}}; }

void validateBackend(const Json& backend, const std::string& path, ErrorList& errors) {
  bool service = has(backend, "service"), resource = has(backend, "resource");
  if (service && resource) return errors.invalid(path, "", "cannot set both resource and service backends");
  if (!service && !resource) return errors.required(path, "cannot have empty backend, must set service or resource");
  if (resource) return;
  auto name = text(str(backend, "service.name"));
  if (!name.empty())
    if (auto why = checkDns1035Label(name); !why.empty()) errors.invalid(path + ".service.name", name, why);
  auto port = text(str(backend, "service.port.name"));
  bool numbered = num(backend, "service.port.number") != 0;
  if (!port.empty() && numbered) errors.invalid(path, "", "cannot set both port name & port number");
  else if (port.empty() && !numbered) errors.required(path, "port name or number is required");
  else if (numbered) checkPort(num(backend, "service.port.number"), path + ".service.port.number", errors);
  else if (auto why = checkPortName(port); !why.empty()) errors.invalid(path + ".service.port.name", port, why);
}

void validatePath(const Json& p, const std::string& path, ErrorList& errors) {
  auto type = str(p, "pathType"), value = str(p, "path");
  if (type == "Exact" || type == "Prefix") {
    if (!value.starts_with('/')) errors.invalid(path + ".path", text(value), "must be an absolute path");
    for (auto* bad : {"//", "/./", "/../", "%2f", "%2F"})
      if (value.find(bad) != std::string_view::npos) errors.invalid(path + ".path", text(value), std::string("must not contain '") + bad + "'");
  } else if (!value.empty() && !value.starts_with('/')) {
    errors.invalid(path + ".path", text(value), "must be an absolute path");
  }
  if (auto* backend = at(p, "backend")) validateBackend(*backend, path + ".backend", errors);
}

void validate(const Json& ingress, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  auto& rules = list(ingress, "spec.rules");
  auto* fallback = at(ingress, "spec.defaultBackend");
  if (rules.empty() && !fallback) errors.invalid("spec", "", "either `defaultBackend` or `rules` must be specified");
  if (fallback) validateBackend(*fallback, "spec.defaultBackend", errors);
  for (size_t i = 0; i < rules.size(); ++i) {
    auto at = indexed("spec.rules", i);
    auto host = text(str(rules[i], "host"));
    auto plain = host.starts_with("*.") ? host.substr(2) : host;
    if (!host.empty() && checkIp(host).empty()) errors.invalid(at + ".host", host, "must be a DNS name, not an IP address");
    else if (!plain.empty())
      if (auto why = checkDnsSubdomain(plain); !why.empty()) errors.invalid(at + ".host", host, why);
    auto& paths = list(rules[i], "http.paths");
    for (size_t j = 0; j < paths.size(); ++j) validatePath(paths[j], indexed(at + ".http.paths", j), errors);
  }
  if (auto name = text(str(ingress, "spec.ingressClassName")); !name.empty())
    if (auto why = checkDnsSubdomain(name); !why.empty()) errors.invalid("spec.ingressClassName", name, why);
}

void cells(const Json& ingress, WallTime, std::vector<Json>& out) {
  auto cls = str(ingress, "spec.ingressClassName");
  if (cls.empty())  // how it was said before there were classes
    if (auto* old = object(ingress, "metadata.annotations").if_contains("kubernetes.io/ingress.class"); old && old->is_string())
      cls = view(old->get_string());
  out.push_back(orNone(cls));
  std::vector<std::string> hosts, addresses;
  for (auto& r : list(ingress, "spec.rules"))
    if (auto host = str(r, "host"); !host.empty()) hosts.push_back(text(host));
  for (auto& a : list(ingress, "status.loadBalancer.ingress")) addresses.push_back(text(str(a, "ip").empty() ? str(a, "hostname") : str(a, "ip")));
  out.emplace_back(hosts.empty() ? "*" : firstFew(hosts, 3, " more..."));
  out.emplace_back(firstFew(addresses, 16, " more..."));
  out.emplace_back(list(ingress, "spec.tls").empty() ? "80" : "80, 443");
}

void validateClass(const Json& c, const WriteContext&, ErrorList& errors) {
  auto controller = text(str(c, "spec.controller"));
  if (controller.empty()) return errors.required("spec.controller");
  size_t slash = controller.find('/');
  if (slash == std::string::npos || slash + 1 == controller.size() || !checkDnsSubdomain(controller.substr(0, slash)).empty())
    errors.invalid("spec.controller", controller, "must be a domain-prefixed path (such as \"acme.io/foo\")");
  bool inNamespace = str(c, "spec.parameters.scope") == "Namespace";
  if (inNamespace && str(c, "spec.parameters.namespace").empty()) errors.required("spec.parameters.namespace", "`parameters.scope` is set to 'Namespace'");
  if (!inNamespace && has(c, "spec.parameters.namespace")) errors.forbidden("spec.parameters.namespace", "`parameters.scope` is set to 'Cluster'");
}

void prepareClass(Json& c, const WriteContext&) {
  if (has(c, "spec.parameters")) setDefault(ensureObject(ensureObject(c, "spec"), "parameters"), "scope", "Cluster");
}
void updateClass(Json& c, const Json&, const WriteContext& context) { prepareClass(c, context); }

void sameController(const Json& c, const Json& old, const WriteContext&, ErrorList& errors) { immutable(c, old, "spec.controller", errors); }

void cellsOfClass(const Json& c, WallTime, std::vector<Json>& out) {
  if (!has(c, "spec.parameters")) return out.emplace_back("<none>"), void();
  auto group = str(c, "spec.parameters.apiGroup");
  out.emplace_back(text(str(c, "spec.parameters.kind")) + (group.empty() ? "" : "." + text(group)) + "/" + text(str(c, "spec.parameters.name")));
}

void preparePolicy(Json& p, const WriteContext&) {
  auto& spec = ensureObject(p, "spec");
  ensureObject(spec, "podSelector");
  if (!list(p, "spec.policyTypes").empty()) return;
  JsonArray types{"Ingress"};
  if (!list(p, "spec.egress").empty()) types.emplace_back("Egress");
  spec["policyTypes"] = std::move(types);
}
void updatePolicy(Json& p, const Json&, const WriteContext& context) { preparePolicy(p, context); }

void validatePeers(const Json& rule, const char* peers, const std::string& path, ErrorList& errors) {
  auto& ports = list(rule, "ports");
  for (size_t i = 0; i < ports.size(); ++i) {
    auto where = indexed(path + ".ports", i);
    checkPortValue(at(ports[i], "port"), where + ".port", errors);
    if (!has(ports[i], "endPort")) continue;
    auto* port = at(ports[i], "port");
    if (!port) errors.required(where + ".port", "must be specified when `endPort` is specified");
    else if (port->is_string()) errors.invalid(where + ".endPort", std::to_string(num(ports[i], "endPort")), "may not be specified when `port` is non-numeric");
    else if (num(ports[i], "endPort") < num(ports[i], "port"))
      errors.invalidRaw(where + ".endPort", std::to_string(num(ports[i], "endPort")), "must be greater than or equal to `port`");
  }
  auto& all = list(rule, peers);
  for (size_t i = 0; i < all.size(); ++i) {
    auto where = indexed(path + "." + peers, i);
    bool block = has(all[i], "ipBlock"), pods = has(all[i], "podSelector"), namespaces = has(all[i], "namespaceSelector");
    if (!block && !pods && !namespaces) errors.required(where, "must specify a peer");
    if (block && (pods || namespaces)) errors.forbidden(where, "may not specify both ipBlock and another peer");
    if (auto* s = at(all[i], "podSelector")) checkLabelSelector(*s, where + ".podSelector", errors);
    if (auto* s = at(all[i], "namespaceSelector")) checkLabelSelector(*s, where + ".namespaceSelector", errors);
    auto cidr = text(str(all[i], "ipBlock.cidr"));
    size_t slash = cidr.find('/');
    if (block && !cidr.empty() && (slash == std::string::npos || !checkIp(cidr.substr(0, slash)).empty()))
      errors.invalid(where + ".ipBlock.cidr", cidr, "not a valid CIDR");
  }
}

void validatePolicy(const Json& p, const WriteContext&, ErrorList& errors) {
  if (auto* s = at(p, "spec.podSelector")) checkLabelSelector(*s, "spec.podSelector", errors);
  auto &in = list(p, "spec.ingress"), &outs = list(p, "spec.egress"), &types = list(p, "spec.policyTypes");
  for (size_t i = 0; i < in.size(); ++i) validatePeers(in[i], "from", indexed("spec.ingress", i), errors);
  for (size_t i = 0; i < outs.size(); ++i) validatePeers(outs[i], "to", indexed("spec.egress", i), errors);
  for (size_t i = 0; i < types.size(); ++i)
    if (types[i] != "Ingress" && types[i] != "Egress")
      errors.notSupported(indexed("spec.policyTypes", i), types[i].is_string() ? text(view(types[i].get_string())) : toText(types[i]), {"Egress", "Ingress"});
}

void cellsOfPolicy(const Json& p, WallTime, std::vector<Json>& out) { out.emplace_back(selectorText(p, "spec.podSelector")); }

}  // namespace

const Strategy ingressStrategy{.prepareCreate = resetStatus, .validate = validate, .cells = cells};
const Strategy ingressClassStrategy{
    .prepareCreate = prepareClass, .prepareUpdate = updateClass, .validate = validateClass, .validateUpdate = sameController, .cells = cellsOfClass};
const Strategy networkPolicyStrategy{.prepareCreate = preparePolicy, .prepareUpdate = updatePolicy, .validate = validatePolicy, .cells = cellsOfPolicy};

}  // namespace ph::api::strategies
