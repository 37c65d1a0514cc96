#include "engine/api/strategies/containers.h"

#include <algorithm>

#include "engine/api/quantity.h"

namespace ph::api::strategies {
namespace {

const char* const kFieldPaths[] = {"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
                                   "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"};

void validatePorts(const Json& container, const std::string& path, bool hostNetwork, Names& hostPorts, ErrorList& errors) {
  Names names;
  auto& ports = list(container, "ports");
  for (size_t i = 0; i < ports.size(); ++i) {
    auto at = indexed(path + ".ports", i);
    auto& p = ports[i];
    auto name = text(str(p, "name"));
    if (!name.empty()) {
      if (auto why = checkPortName(name); !why.empty()) errors.invalid(at + ".name", name, why);
      else if (!names.insert(name).second) errors.duplicate(at + ".name", name);
    }
    auto port = num(p, "containerPort"), hostPort = num(p, "hostPort");
    if (port == 0) errors.required(at + ".containerPort");
    else checkPort(port, at + ".containerPort", errors);
    if (hostPort != 0) {
      checkPort(hostPort, at + ".hostPort", errors);
      if (hostNetwork && hostPort != port)
        errors.invalidRaw(at + ".containerPort", std::to_string(port), "must match `hostPort` when `hostNetwork` is true");
      auto key = text(str(p, "protocol")) + "/" + text(str(p, "hostIP")) + "/" + std::to_string(hostPort);
      if (!hostPorts.insert(key).second) errors.duplicate(at + ".hostPort", key);
    }
    auto ip = text(str(p, "hostIP"));
    if (!ip.empty())
      if (auto why = checkIp(ip); !why.empty()) errors.invalid(at + ".hostIP", ip, why);
  }
}

void validateFieldPath(const std::string& fieldPath, const std::string& at, ErrorList& errors) {
  for (auto* known : kFieldPaths)
    if (fieldPath == known) return;
  for (std::string_view map : {"metadata.labels['", "metadata.annotations['"})
    if (fieldPath.starts_with(map) && fieldPath.ends_with("']")) return;
  if (fieldPath.empty()) return;  // the schema has said so
  std::vector<std::string> supported(std::begin(kFieldPaths), std::end(kFieldPaths));
  errors.notSupported(at, fieldPath, supported);
}

void validateEnv(const Json& container, const std::string& path, ErrorList& errors) {
  auto& env = list(container, "env");
  for (size_t i = 0; i < env.size(); ++i) {
    auto at = indexed(path + ".env", i);
    auto name = text(str(env[i], "name"));
    if (!name.empty())
      if (auto why = checkEnvName(name); !why.empty()) errors.invalid(at + ".name", name, why);
    if (!has(env[i], "valueFrom")) continue;
    auto& from = object(env[i], "valueFrom");
    if (from.empty()) errors.invalid(at + ".valueFrom", "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
    else if (!str(env[i], "value").empty()) errors.invalid(at + ".valueFrom", "", "may not be specified when `value` is not empty");
    else if (from.size() > 1) errors.invalid(at + ".valueFrom", "", "may not have more than one field specified at a time");
    if (has(env[i], "valueFrom.fieldRef")) validateFieldPath(text(str(env[i], "valueFrom.fieldRef.fieldPath")), at + ".valueFrom.fieldRef.fieldPath", errors);
    for (auto* ref : {"configMapKeyRef", "secretKeyRef"}) {
      auto base = std::string("valueFrom.") + ref;
      if (!has(env[i], base)) continue;
      if (str(env[i], base + ".name").empty()) errors.required(at + "." + base + ".name");
      auto key = text(str(env[i], base + ".key"));
      if (key.empty()) continue;
      if (auto why = checkConfigKey(key); !why.empty()) errors.invalid(at + "." + base + ".key", key, why);
    }
  }
  auto& from = list(container, "envFrom");
  for (size_t i = 0; i < from.size(); ++i) {
    auto at = indexed(path + ".envFrom", i);
    auto prefix = text(str(from[i], "prefix"));
    if (!prefix.empty())
      if (auto why = checkEnvName(prefix); !why.empty()) errors.invalid(at + ".prefix", prefix, why);
    int sources = has(from[i], "configMapRef") + has(from[i], "secretRef");
    if (sources == 0) errors.invalid(at, "", "must specify one of: `configMapRef` or `secretRef`");
    if (sources > 1) errors.invalid(at, "", "may not have more than one field specified at a time");
  }
}

void validateMounts(const Json& container, const std::string& path, const Names& volumes, ErrorList& errors) {
  Names places;
  auto& mounts = list(container, "volumeMounts");
  for (size_t i = 0; i < mounts.size(); ++i) {
    auto at = indexed(path + ".volumeMounts", i);
    auto name = text(str(mounts[i], "name")), place = text(str(mounts[i], "mountPath"));
    if (!name.empty() && !volumes.contains(name)) errors.notFound(at + ".name", name);
    if (!place.empty() && !places.insert(place).second) errors.invalid(at + ".mountPath", place, "must be unique");
    auto sub = text(str(mounts[i], "subPath"));
    if (!sub.empty()) checkRelativePath(sub, at + ".subPath", errors);
    auto expression = text(str(mounts[i], "subPathExpr"));
    if (!expression.empty()) {
      if (!sub.empty()) errors.invalid(at + ".subPathExpr", expression, "subPathExpr and subPath are mutually exclusive");
      checkRelativePath(expression, at + ".subPathExpr", errors);
    }
  }
}

// What a probe or a hook does: exactly one thing.
void validateHandler(const Json& handler, const std::string& path, ErrorList& errors) {
  int kinds = 0;
  for (auto* kind : {"exec", "httpGet", "tcpSocket", "grpc", "sleep"}) {
    if (!has(handler, kind)) continue;
    auto at = path + "." + kind;
    if (++kinds > 1) {
      errors.forbidden(at, "may not specify more than 1 handler type");
      continue;
    }
    if (std::string_view(kind) == "exec" && list(handler, "exec.command").empty()) errors.required(at + ".command");
    if (std::string_view(kind) == "httpGet") checkPortValue(api::at(handler, "httpGet.port"), at + ".port", errors);
    if (std::string_view(kind) == "tcpSocket") checkPortValue(api::at(handler, "tcpSocket.port"), at + ".port", errors);
    if (std::string_view(kind) == "grpc") checkPort(num(handler, "grpc.port"), at + ".port", errors);
    if (std::string_view(kind) == "sleep" && num(handler, "sleep.seconds") < 0)
      errors.invalidRaw(at + ".seconds", std::to_string(num(handler, "sleep.seconds")), "must be greater than or equal to 0");
  }
  if (kinds == 0) errors.required(path, "must specify a handler type");
}

void validateProbe(const Json& container, const char* which, const std::string& path, ErrorList& errors) {
  auto* probe = at(container, which);
  if (!probe || !probe->is_object()) return;
  auto base = path + "." + which;
  validateHandler(*probe, base, errors);
  for (auto* field : {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"})
    if (num(*probe, field) < 0) errors.invalidRaw(base + "." + field, std::to_string(num(*probe, field)), "must be greater than or equal to 0");
  if (std::string_view(which) != "readinessProbe" && num(*probe, "successThreshold", 1) != 1)
    errors.invalidRaw(base + ".successThreshold", std::to_string(num(*probe, "successThreshold")), "must be 1");
}

void validateSecurity(const Json& container, const std::string& path, ErrorList& errors) {
  auto* context = at(container, "securityContext");
  if (!context) return;
  auto base = path + ".securityContext";
  for (auto* field : {"runAsUser", "runAsGroup"}) {
    auto id = num(*context, field);
    if (id < 0 || id > INT32_MAX) errors.invalidRaw(base + "." + field, std::to_string(id), "must be between 0 and 2147483647, inclusive");
  }
  if (has(*context, "allowPrivilegeEscalation") && !flag(*context, "allowPrivilegeEscalation") && flag(*context, "privileged"))
    errors.invalidRaw(base, toText(*context), "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
}

void validateContainer(const Json& c, const std::string& path, const Names& volumes, bool hostNetwork, Names& hostPorts, ErrorList& errors) {
  auto image = str(c, "image");
  if (image.empty()) errors.required(path + ".image");
  else if (isspace(static_cast<unsigned char>(image.front())) || isspace(static_cast<unsigned char>(image.back())))
    errors.invalid(path + ".image", text(image), "must not have leading or trailing whitespace");
  validatePorts(c, path, hostNetwork, hostPorts, errors);
  validateEnv(c, path, errors);
  validateMounts(c, path, volumes, errors);
  validateResources(c, path, errors);
  validateSecurity(c, path, errors);
  for (auto* hook : {"postStart", "preStop"})
    if (auto* handler = at(c, std::string("lifecycle.") + hook)) validateHandler(*handler, path + ".lifecycle." + hook, errors);
  for (auto* probe : {"livenessProbe", "readinessProbe", "startupProbe"}) validateProbe(c, probe, path, errors);
}

}  // namespace

void checkRelativePath(const std::string& value, const std::string& path, ErrorList& errors) {
  if (value.starts_with('/')) errors.invalid(path, value, "must be a relative path");
  std::string_view rest = value;
  while (true) {
    size_t slash = rest.find('/');
    if (rest.substr(0, slash) == "..") {
      errors.invalid(path, value, "must not contain '..'");
      return;
    }
    if (slash == std::string_view::npos) return;
    rest.remove_prefix(slash + 1);
  }
}

void validateResources(const Json& container, const std::string& path, ErrorList& errors) {
  auto &limits = object(container, "resources.limits"), &requests = object(container, "resources.requests");
  auto quantity = [](const Json& v) { return v.is_string() ? Quantity::parse(view(v.get_string())) : std::nullopt; };
  auto check = [&](const JsonObject& amounts, const char* which) {
    for (auto& kv : amounts) {
      auto name = text(view(kv.key()));
      auto at = path + ".resources." + which + "[" + name + "]";
      if (auto why = checkQualifiedName(name); !why.empty()) errors.invalid(at, name, why);
      else if (name.find('/') == std::string::npos && name != "cpu" && name != "memory" && name != "ephemeral-storage" && !name.starts_with("hugepages-"))
        errors.invalid(at, name, "must be a standard resource for containers");
      if (auto q = quantity(kv.value()); q && q->negative()) errors.invalid(at, q->text(), "must be greater than or equal to 0");
    }
  };
  check(limits, "limits");
  check(requests, "requests");
  for (auto& kv : requests) {
    auto* limit = limits.if_contains(kv.key());
    auto wanted = quantity(kv.value());
    auto most = limit ? quantity(*limit) : std::nullopt;
    if (wanted && most && *most < *wanted)
      errors.invalid(path + ".resources.requests", wanted->text(), "must be less than or equal to " + text(view(kv.key())) + " limit");
  }
}

void validateContainers(const Json& spec, const std::string& path, const Names& volumes, ErrorList& errors) {
  Names names, hostPorts;
  bool hostNetwork = flag(spec, "hostNetwork");
  for (auto* group : {"initContainers", "containers"}) {
    auto& all = list(spec, group);
    bool init = std::string_view(group) == "initContainers";
    Names none;
    for (size_t i = 0; i < all.size(); ++i) {
      auto at = indexed(path + "." + group, i);
      auto name = text(str(all[i], "name"));
      if (!name.empty()) {
        if (auto why = checkDnsLabel(name); !why.empty()) errors.invalid(at + ".name", name, why);
        else if (!names.insert(name).second) errors.duplicate(at + ".name", name);
      }
      bool sidecar = init && str(all[i], "restartPolicy") == "Always";
      validateContainer(all[i], at, volumes, hostNetwork, init ? none : hostPorts, errors);
      if (!init || sidecar) continue;
      for (auto* field : {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"})
        if (has(all[i], field)) errors.forbidden(at + "." + field, "may not be set for init containers without restartPolicy=Always");
    }
  }
}

}  // namespace ph::api::strategies
