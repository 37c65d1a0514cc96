// Validation of a pod spec as a whole, in pods and in templates.
#include <algorithm>

#include "engine/api/selector.h"
#include "engine/api/strategies/containers.h"

namespace ph::api::strategies {
namespace {

void checkWith(std::string (*rule)(std::string_view), const Json& spec, const char* field, const std::string& path, ErrorList& errors) {
  auto value = text(str(spec, field));
  if (value.empty()) return;
  if (auto why = rule(value); !why.empty()) errors.invalid(path + "." + field, value, why);
}

void validateDns(const Json& spec, const std::string& path, ErrorList& errors) {
  auto& servers = list(spec, "dnsConfig.nameservers");
  if (str(spec, "dnsPolicy") == "None" && servers.empty())
    errors.required(path + (has(spec, "dnsConfig") ? ".dnsConfig.nameservers" : ".dnsConfig"), "must provide at least one DNS nameserver when `dnsPolicy` is None");
  for (size_t i = 0; i < servers.size(); ++i)
    if (servers[i].is_string()) {
      auto ip = text(view(servers[i].get_string()));
      if (auto why = checkIp(ip); !why.empty()) errors.invalid(indexed(path + ".dnsConfig.nameservers", i), ip, why);
    }
}

void validateHostAliases(const Json& spec, const std::string& path, ErrorList& errors) {
  auto& aliases = list(spec, "hostAliases");
  for (size_t i = 0; i < aliases.size(); ++i) {
    auto at = indexed(path + ".hostAliases", i);
    auto ip = text(str(aliases[i], "ip"));
    if (auto why = checkIp(ip); !why.empty()) errors.invalid(at + ".ip", ip, why);
    for (auto& name : list(aliases[i], "hostnames"))
      if (name.is_string())
        if (auto why = checkDnsSubdomain(view(name.get_string())); !why.empty()) errors.invalid(at + ".hostnames", text(view(name.get_string())), why);
  }
}

}  // namespace

void validatePodSpec(const Json& spec, const std::string& path, ErrorList& errors) {
  auto volumes = validateVolumes(spec, path, errors);
  validateContainers(spec, path, volumes, errors);
  validateLabels(object(spec, "nodeSelector"), path + ".nodeSelector", errors);
  if (auto* affinity = at(spec, "affinity")) validateAffinity(*affinity, path + ".affinity", errors);
  validateTolerations(list(spec, "tolerations"), path + ".tolerations", errors);
  validateSpread(list(spec, "topologySpreadConstraints"), path + ".topologySpreadConstraints", errors);
  validateDns(spec, path, errors);
  validateHostAliases(spec, path, errors);
  checkWith(checkDnsSubdomain, spec, "serviceAccountName", path, errors);
  checkWith(checkDnsSubdomain, spec, "nodeName", path, errors);
  checkWith(checkDnsLabel, spec, "hostname", path, errors);
  checkWith(checkDnsLabel, spec, "subdomain", path, errors);
  checkWith(checkDnsSubdomain, spec, "priorityClassName", path, errors);
  checkWith(checkDnsSubdomain, spec, "runtimeClassName", path, errors);
  if (num(spec, "terminationGracePeriodSeconds") < 0)
    errors.invalidRaw(path + ".terminationGracePeriodSeconds", std::to_string(num(spec, "terminationGracePeriodSeconds")),
                      "must be greater than or equal to 0");
  if (flag(spec, "shareProcessNamespace") && flag(spec, "hostPID"))
    errors.invalidRaw(path + ".shareProcessNamespace", "true", "ShareProcessNamespace and HostPID cannot both be enabled");
  for (auto* field : {"runAsUser", "runAsGroup", "fsGroup"}) {
    auto id = num(spec, std::string("securityContext.") + field);
    if (id < 0 || id > INT32_MAX)
      errors.invalidRaw(path + ".securityContext." + field, std::to_string(id), "must be between 0 and 2147483647, inclusive");
  }
}

void checkSelects(const Json& workload, std::string_view selectorPath, std::string_view labelsPath, ErrorList& errors) {
  auto& labels = object(workload, labelsPath);
  Labels sorted;
  for (auto& kv : labels)
    if (kv.value().is_string()) sorted.emplace_back(view(kv.key()), view(kv.value().get_string()));
  std::sort(sorted.begin(), sorted.end());
  auto parsed = LabelSelector::fromJson(at(workload, selectorPath));
  if (parsed.ok() && !parsed->empty() && !parsed->matches(sorted))
    errors.invalidRaw(text(labelsPath), toText(Json(labels)), "`selector` does not match template `labels`");
}

void validatePodTemplate(const Json& tmpl, const std::string& path, const std::vector<std::string>& policies, ErrorList& errors) {
  validateLabels(object(tmpl, "metadata.labels"), path + ".labels", errors);
  for (auto& kv : object(tmpl, "metadata.annotations")) {
    auto key = text(view(kv.key()));
    for (char& c : key) c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
    if (auto why = checkQualifiedName(key); !why.empty()) errors.invalid(path + ".annotations", text(view(kv.key())), why);
  }
  auto* spec = at(tmpl, "spec");
  if (!spec) return;
  validatePodSpec(*spec, path + ".spec", errors);
  auto policy = text(str(*spec, "restartPolicy"));
  if (!policy.empty() && std::find(policies.begin(), policies.end(), policy) == policies.end())
    errors.notSupported(path + ".spec.restartPolicy", policy, policies);
}

void validateTemplate(const Json& workload, const char* kind, ErrorList& errors) {
  auto* selector = at(workload, "spec.selector");
  if (selector && selector->is_object()) {
    checkLabelSelector(*selector, "spec.selector", errors);
    if (object(*selector, "matchLabels").empty() && list(*selector, "matchExpressions").empty())
      errors.invalidRaw("spec.selector", toText(*selector), std::string("empty selector is invalid for ") + kind);
    checkSelects(workload, "spec.selector", "spec.template.metadata.labels", errors);
  }
  auto* tmpl = at(workload, "spec.template");
  if (!tmpl) return;
  validatePodTemplate(*tmpl, "spec.template", {"Always"}, errors);
  if (has(*tmpl, "spec.activeDeadlineSeconds"))
    errors.forbidden("spec.template.spec.activeDeadlineSeconds", std::string("activeDeadlineSeconds in ") + kind + " is not supported");
}

}  // namespace ph::api::strategies
