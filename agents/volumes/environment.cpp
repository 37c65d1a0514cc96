#include "agents/volumes/environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "engine/api/codec.h"
#include "engine/api/validation.h"

namespace ph::agents {

namespace core = api::core;

std::string expand(const std::string& text, const std::map<std::string, std::string>& values) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 >= text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      out += '$';
      ++i;
      continue;
    }
    auto close = text[i + 1] == '(' ? text.find(')', i + 2) : std::string::npos;
    if (close == std::string::npos) {
      out += '$';
      continue;
    }
    auto it = values.find(text.substr(i + 2, close - i - 2));
    out += it == values.end() ? text.substr(i, close - i + 1) : it->second;
    i = close;
  }
  return out;
}

std::map<std::string, std::string> contents(const api::Object& object, bool secret) {
  std::map<std::string, std::string> out;
  if (secret) {
    for (auto& [k, v] : object.as<core::Secret>().data) out[k] = v;
  } else {
    auto& map = object.as<core::ConfigMap>();
    for (auto& [k, v] : map.data) out[k] = v;
    for (auto& [k, v] : map.binaryData) out[k] = v;
  }
  return out;
}

void addServiceVariables(const api::Object& object, Environment& out) {
  auto& spec = object.as<core::Service>().spec;
  if (spec.clusterIP.empty() || spec.clusterIP == "None" || spec.ports.empty()) return;
  std::string name = object.name();
  auto upper = [](std::string s) {
    std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return c == '-' ? '_' : char(std::toupper(c)); });
    return s;
  };
  name = upper(name);
  out.emplace_back(name + "_SERVICE_HOST", spec.clusterIP);
  out.emplace_back(name + "_SERVICE_PORT", std::to_string(spec.ports.front().port));
  for (auto& p : spec.ports)
    if (!p.name.empty()) out.emplace_back(name + "_SERVICE_PORT_" + upper(p.name), std::to_string(p.port));
  for (size_t i = 0; i < spec.ports.size(); ++i) {
    auto& p = spec.ports[i];
    std::string protocol = p.protocol.empty() ? "TCP" : p.protocol, lower = protocol;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    auto url = fmt::format("{}://{}:{}", lower, spec.clusterIP, p.port);
    auto base = fmt::format("{}_PORT_{}_{}", name, p.port, protocol);
    if (i == 0) out.emplace_back(name + "_PORT", url);
    out.emplace_back(base, url);
    out.emplace_back(base + "_PROTO", lower);
    out.emplace_back(base + "_PORT", std::to_string(p.port));
    out.emplace_back(base + "_ADDR", spec.clusterIP);
  }
}

namespace {

// Where a value comes from; nullopt: optional and not there.
Result<std::optional<std::string>> valueFrom(const api::Object& pod, const core::Container& container, const core::EnvVarSource& source,
                                             const ObjectGetter& get, const DownwardContext& context) {
  auto fromKey = [&](bool secret, const auto& selector) -> Result<std::optional<std::string>> {
    bool optional = selector.optional && *selector.optional;
    auto ref = ObjectRef::keys(secret, pod.ns(), selector.name);
    auto object = get(ref);
    if (!object) {
      if (optional) return std::optional<std::string>();
      return Status::notFound(ref.text() + " not found");
    }
    auto all = contents(*object, secret);
    auto it = all.find(selector.key);
    if (it != all.end()) return std::optional<std::string>(it->second);
    if (optional) return std::optional<std::string>();
    return Status::notFound(fmt::format("couldn't find key {} in {} {}/{}", selector.key, secret ? "Secret" : "ConfigMap", pod.ns(), selector.name));
  };
  if (source.configMapKeyRef) return fromKey(false, *source.configMapKeyRef);
  if (source.secretKeyRef) return fromKey(true, *source.secretKeyRef);
  if (source.fieldRef) {
    PH_ASSIGN(auto value, fieldValue(pod, source.fieldRef->fieldPath, context));
    return std::optional<std::string>(std::move(value));
  }
  if (source.resourceFieldRef) {
    PH_ASSIGN(auto value, resourceValue(pod.as<core::Pod>().spec, container.name, *source.resourceFieldRef, context));
    return std::optional<std::string>(std::move(value));
  }
  return std::optional<std::string>();
}

}  // namespace

Result<Environment> makeEnvironment(const api::Object& pod, const core::Container& container, const ObjectGetter& get,
                                    const Environment& services, const DownwardContext& context) {
  std::vector<std::string> order;
  std::map<std::string, std::string> own, visible;
  auto set = [&](const std::string& name, std::string value) {
    if (!own.count(name)) order.push_back(name);
    visible[name] = value;
    own[name] = std::move(value);
  };
  for (auto& [k, v] : services) visible[k] = v;
  for (auto& from : container.envFrom) {
    bool secret = bool(from.secretRef);
    if (!secret && !from.configMapRef) continue;
    auto& name = secret ? from.secretRef->name : from.configMapRef->name;
    auto& optional = secret ? from.secretRef->optional : from.configMapRef->optional;
    auto ref = ObjectRef::keys(secret, pod.ns(), name);
    auto object = get(ref);
    if (!object) {
      if (optional && *optional) continue;
      return Status::notFound(ref.text() + " not found");
    }
    for (auto& [k, v] : contents(*object, secret)) {
      auto full = from.prefix + k;
      if (api::checkEnvName(full).empty()) set(full, v);  // keys that can't be names are left out
    }
  }
  for (auto& e : container.env) {
    if (!e.valueFrom) {
      set(e.name, expand(e.value, visible));
      continue;
    }
    PH_ASSIGN(auto value, valueFrom(pod, container, *e.valueFrom, get, context));
    if (value) set(e.name, std::move(*value));
  }
  Environment out;
  for (auto& [k, v] : services)
    if (!own.count(k)) out.emplace_back(k, v);
  for (auto& name : order) out.emplace_back(name, own[name]);
  return out;
}

}  // namespace ph::agents
