#include "engine/runtime/usage_kinds.h"

#include <fmt/format.h>

#include "engine/api/types/core.h"
#include "engine/server/virtual_sources.h"

namespace ph::runtime {
namespace {

using api::Json;
using api::JsonArray;
using api::JsonObject;
using server::VirtualSource;

constexpr const char *kNodes = "metrics.k8s.io/NodeMetrics", *kPods = "metrics.k8s.io/PodMetrics";

JsonObject usageOf(const client::Use& use) {
  return JsonObject{{"cpu", fmt::format("{}n", use.cpuNanoCores)}, {"memory", fmt::format("{}Ki", use.memoryBytes / 1024)}};
}

JsonObject frame(const api::Object& of, WallTime at, Duration window) {
  JsonObject meta{{"name", of.name()}, {"creationTimestamp", formatTime(at)}};
  if (!of.ns().empty()) meta["namespace"] = of.ns();
  JsonObject labels;
  for (auto& [k, v] : of.meta().labels) labels[k] = v;
  if (!labels.empty()) meta["labels"] = std::move(labels);
  double seconds = double(std::chrono::duration_cast<std::chrono::milliseconds>(window).count()) / 1000;
  return JsonObject{{"metadata", std::move(meta)}, {"timestamp", formatTime(at)}, {"window", fmt::format("{}s", seconds)}};
}

std::optional<JsonObject> metricsOf(const client::UsageSource& usage, const api::Object& object, bool isNode) {
  if (isNode) {
    auto use = usage.node(object.name());
    if (!use) return std::nullopt;
    auto json = frame(object, use->at, use->window);
    json["usage"] = usageOf(use->use);
    return json;
  }
  auto& phase = object.as<api::core::Pod>().status.phase;
  if (phase == "Succeeded" || phase == "Failed") return std::nullopt;
  auto use = usage.pod(object.uid());
  if (!use || use->containers.empty()) return std::nullopt;  // nothing of it runs
  auto json = frame(object, use->at, use->window);
  JsonArray containers;
  for (auto& c : use->containers) containers.push_back(JsonObject{{"name", c.name}, {"usage", usageOf(c.use)}});
  json["containers"] = std::move(containers);
  return json;
}

VirtualSource sourceOf(const std::shared_ptr<server::Core>& core, std::shared_ptr<client::UsageSource> usage, bool isNode) {
  VirtualSource source;
  source.read = [weak = std::weak_ptr(core), usage = std::move(usage), isNode](std::string ns, std::string name,
                                                                               std::function<void(Result<VirtualSource::Trees>)> done) {
    auto core = weak.lock();
    if (!core) return done(Status::unavailable("the engine stops"));
    auto* kind = isNode ? core->nodes : core->pods;
    VirtualSource::Trees out;
    auto take = [&](const api::ObjectPtr& object) {
      if (!object || (!ns.empty() && object->ns() != ns)) return;
      if (auto json = metricsOf(*usage, *object, isNode)) out.emplace_back(std::move(*json));
    };
    if (!name.empty()) {
      take(core->cache->get(*kind, ns.empty() ? name : ns + "/" + name));
    } else {
      for (auto& [key, object] : core->cache->snapshot(*kind).objects) take(object);
    }
    done(std::move(out));
  };
  return source;
}

}  // namespace

void serveUsage(const std::shared_ptr<server::Core>& core, std::shared_ptr<client::UsageSource> usage) {
  core->sources->set(kNodes, sourceOf(core, usage, true));
  core->sources->set(kPods, sourceOf(core, usage, false));
}

void stopServingUsage(server::Core& core) {
  core.sources->remove(kNodes);
  core.sources->remove(kPods);
}

}  // namespace ph::runtime
