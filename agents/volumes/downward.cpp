#include "agents/volumes/downward.h"

#include <fmt/format.h>

#include "engine/api/codec.h"

namespace ph::agents {

namespace core = api::core;

namespace {

// KEY="value" lines, with quotes and line ends escaped.
template <class M> std::string lines(const M& map) {
  std::string out;
  for (auto& [key, value] : map) {
    out += key + "=\"";
    for (char c : value) {
      if (c == '"' || c == '\\') out += '\\';
      if (c == '\n') out += "\\n";
      else out += c;
    }
    out += "\"\n";
  }
  if (!out.empty()) out.pop_back();
  return out;
}

// The key in metadata.labels['KEY']; empty when the path has another form.
std::string subscript(const std::string& path, const std::string& of) {
  auto head = of + "['";
  if (path.size() < head.size() + 2 || path.compare(0, head.size(), head) != 0 || path.compare(path.size() - 2, 2, "']") != 0) return {};
  return path.substr(head.size(), path.size() - head.size() - 2);
}

template <class M> std::string valueAt(const M& map, const std::string& key) {
  for (auto& [k, v] : map)
    if (k == key) return v;
  return {};
}

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (auto& s : list) out += (out.empty() ? "" : ",") + s;
  return out;
}

const api::Quantity* find(const std::map<std::string, api::Quantity, std::less<>>& list, const std::string& name) {
  auto it = list.find(name);
  return it == list.end() ? nullptr : &it->second;
}

}  // namespace

Result<std::string> fieldValue(const api::Object& object, const std::string& path, const DownwardContext& context) {
  auto& pod = object.as<core::Pod>();
  if (path == "metadata.name") return object.name();
  if (path == "metadata.namespace") return object.ns();
  if (path == "metadata.uid") return object.uid();
  if (path == "metadata.labels") return lines(pod.metadata.labels);
  if (path == "metadata.annotations") return lines(pod.metadata.annotations);
  if (auto key = subscript(path, "metadata.labels"); !key.empty()) return valueAt(pod.metadata.labels, key);
  if (auto key = subscript(path, "metadata.annotations"); !key.empty()) return valueAt(pod.metadata.annotations, key);
  if (path == "spec.nodeName") return context.nodeName;
  if (path == "spec.serviceAccountName") return pod.spec.serviceAccountName;
  if (path == "status.hostIP" || path == "status.hostIPs") return context.addresses.hostIp;
  if (path == "status.podIP") return context.addresses.podIps.empty() ? std::string() : context.addresses.podIps.front();
  if (path == "status.podIPs") return joined(context.addresses.podIps);
  return Status::invalid(fmt::format("unsupported fieldPath: {}", path));
}

Result<std::string> resourceValue(const core::PodSpec& spec, const std::string& container, const core::ResourceFieldSelector& selector,
                                  const DownwardContext& context) {
  auto& wanted = selector.containerName.empty() ? container : selector.containerName;
  const core::Container* found = nullptr;
  for (auto* list : {&spec.containers, &spec.initContainers})
    for (auto& c : *list)
      if (c.name == wanted) found = &c;
  if (!found) return Status::invalid(fmt::format("container {} not found", wanted));
  auto dot = selector.resource.find('.');
  auto kind = selector.resource.substr(0, dot), name = dot == std::string::npos ? std::string() : selector.resource.substr(dot + 1);
  if ((kind != "limits" && kind != "requests") || (name != "cpu" && name != "memory" && name != "ephemeral-storage"))
    return Status::invalid(fmt::format("unsupported container resource: {}", selector.resource));
  auto* q = find(kind == "limits" ? found->resources.limits : found->resources.requests, name);
  if (!q && kind == "requests") q = find(found->resources.limits, name);
  int64_t milli = 0, divisor = 0;
  if (name == "cpu") {
    milli = q ? q->milli() : kind == "limits" ? context.cpuMilli : 0;
    divisor = selector.divisor.isZero() ? 1000 : std::max<int64_t>(1, selector.divisor.milli());
  } else {
    milli = q ? q->units() : kind == "limits" ? (name == "memory" ? context.memoryBytes : context.diskBytes) : 0;
    divisor = selector.divisor.isZero() ? 1 : std::max<int64_t>(1, selector.divisor.units());
  }
  return std::to_string((milli + divisor - 1) / divisor);
}

}  // namespace ph::agents
