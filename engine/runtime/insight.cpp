#include "engine/runtime/insight.h"

#include "engine/api/codec.h"
#include "engine/scheduler/answers.h"
#include "engine/server/json_util.h"
#include "engine/server/virtual_sources.h"

namespace ph::runtime {
namespace {

using api::Json;
using api::JsonObject;
using server::VirtualSource;

constexpr const char *kTimeline = "pilothouse.io/PodTimeline", *kDecision = "pilothouse.io/SchedulingDecision",
                     *kPreview = "pilothouse.io/SchedulingPreview", *kDrain = "pilothouse.io/DrainPreview";

VirtualSource decisions(scheduler::Scheduler* scheduler) {
  VirtualSource source;
  source.read = [scheduler](std::string ns, std::string name, std::function<void(Result<VirtualSource::Trees>)> done) {
    scheduler->explain(ns + "/" + name, scheduler::kDecisionRows, [done = std::move(done)](Result<scheduler::Explanation> e) {
      if (!e.ok() && e.status().isNotFound()) return done(VirtualSource::Trees{});
      if (!e.ok()) return done(std::move(e).status());
      done(VirtualSource::Trees{scheduler::decisionTree(*e)});
    });
  };
  return source;
}

// The pod that a preview takes as its model: an existing one, or one made of the template.
Result<api::ObjectPtr> modelOf(server::Core& core, const std::string& ns, const JsonObject& spec) {
  auto* tmpl = spec.if_contains("template");
  std::string name(server::textAt(&spec, "pod"));
  if ((tmpl != nullptr) == !name.empty()) return Status::badRequest("spec needs one of pod and template");
  if (!tmpl) {
    auto pod = core.cache->get(*core.pods, ns + "/" + name);
    if (!pod) return Status::notFound("pods \"" + name + "\" not found");
    return pod;
  }
  Json tree = JsonObject{{"metadata", JsonObject{{"name", "preview"}, {"namespace", ns}}}};
  if (auto* metadata = server::objectAt(*tmpl, "metadata"))
    for (auto key : {"labels", "annotations"}) server::copyMember(server::makeObject(tree, "metadata"), metadata, key);
  server::copyMember(tree.get_object(), tmpl->if_object(), "spec");
  return api::Object::make(core.pods, tree, 0);
}

VirtualSource previews(std::weak_ptr<server::Core> weak, scheduler::Scheduler* scheduler) {
  VirtualSource source;
  source.create = [weak, scheduler](std::string ns, Json body, std::function<void(Result<Json>)> done) {
    auto core = weak.lock();
    if (!core) return done(Status::unavailable("the engine is stopping"));
    auto& spec = server::makeObject(body, "spec");
    auto copies = int(server::intAt(&spec, "copies", 1));
    auto model = modelOf(*core, ns, spec);
    if (!model.ok()) return done(std::move(model).status());
    scheduler->whatIf(*model, copies, [body = std::move(body), done = std::move(done)](std::vector<std::string> places) {
      Json answer = body;
      answer.get_object()["status"] = scheduler::previewStatus(places);
      done(std::move(answer));
    });
  };
  return source;
}

VirtualSource drains(scheduler::Scheduler* scheduler) {
  VirtualSource source;
  source.create = [scheduler](std::string, Json body, std::function<void(Result<Json>)> done) {
    std::string node(server::textAt(&server::makeObject(body, "spec"), "node"));
    scheduler->without(node, [body = std::move(body), done = std::move(done)](Result<std::vector<scheduler::Move>> moves) {
      if (!moves.ok()) return done(std::move(moves).status());
      Json answer = body;
      answer.get_object()["status"] = scheduler::drainStatus(*moves);
      done(std::move(answer));
    });
  };
  return source;
}

}  // namespace

void offerInsight(const std::shared_ptr<server::Core>& core, scheduler::Scheduler* scheduler, timeline::PodTimelines* timelines) {
  auto& sources = *core->sources;
  if (scheduler) {
    sources.set(kDecision, decisions(scheduler));
    sources.set(kPreview, previews(core, scheduler));
    sources.set(kDrain, drains(scheduler));
  }
  if (!timelines) return;
  VirtualSource source;
  source.read = [timelines](std::string ns, std::string name, std::function<void(Result<VirtualSource::Trees>)> done) {
    timelines->read(std::move(ns), std::move(name), std::move(done));
  };
  sources.set(kTimeline, std::move(source));
}

void withdrawInsight(server::Core& core) {
  for (auto kind : {kTimeline, kDecision, kPreview, kDrain}) core.sources->remove(kind);
}

}  // namespace ph::runtime
