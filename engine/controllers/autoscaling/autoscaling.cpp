#include "engine/controllers/autoscaling/autoscaling.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/api/conditions.h"
#include "engine/controllers/autoscaling/look.h"

namespace ph::controllers {

namespace autoscaling {

namespace v2 = api::autoscaling_v2;

void Look::tell(std::string type, std::string reason, std::string message) {
  plan.notes.push_back({client::ObjectReference::to(*object), std::move(type), std::move(reason), std::move(message), true});
}

void Look::setCondition(std::string type, bool holds, std::string reason, std::string message) {
  auto* c = api::findCondition(status.conditions, type);
  if (!c) {
    c = &status.conditions.emplace_back();
    c->type = std::move(type);
  }
  std::string state = holds ? "True" : "False";
  if (c->status != state) c->lastTransitionTime = now.wall;
  c->status = std::move(state);
  c->reason = std::move(reason);
  c->message = std::move(message);
}

namespace {

constexpr Duration kInterval = std::chrono::seconds(15);
// So soon after a start the agents may not have been asked yet what their pods use.
constexpr Duration kSettle = std::chrono::seconds(60);
// Until a custom kind that came just now is there.
constexpr Duration kSoon = std::chrono::seconds(1);

struct Choice {
  int32_t replicas = 0;
  std::string why;
};

void writeStatus(Look& l) {
  if (auto generation = l.object->meta().generation) l.status.observedGeneration = generation;
  l.plan.patchStatus(*l.object, l.hpa.status, l.status);
}

// What became of the change that the last look sent. False: it met another one, so that all is to be thought of anew.
bool concluded(Look& l) {
  Order order = std::move(*l.mine.order);
  l.mine.order.reset();
  if (l.key.failures > 0 && l.key.lastError.empty()) return false;
  l.status = std::move(order.status);
  if (l.key.failures > 0) {
    l.setCondition("AbleToScale", false, "FailedUpdateScale", "the target's scale could not be updated: " + l.key.lastError);
  } else {
    l.mine.history.scaled(order.at.mono, order.to - order.from);
    l.setCondition("AbleToScale", true, "SucceededRescale", fmt::format("the target's scale was updated to {}", order.to));
    l.status.desiredReplicas = order.to;
    l.status.lastScaleTime = order.at.wall;
  }
  writeStatus(l);
  l.plan.lookAgain(order.at.mono + kInterval - l.now.mono);
  return true;
}

// The change goes alone: what the status says of it depends on how it ends.
void rescale(Look& l, const ScaleTarget& target, const Choice& choice) {
  Step& s = l.plan.patch(*target.object, JsonObject{{"spec", JsonObject{{"replicas", choice.replicas}}}}, "scale");
  s.write.info = target.kind;
  auto about = client::ObjectReference::to(*l.object);
  auto text = fmt::format("New size: {}; reason: {}", choice.replicas, choice.why);
  s.ok = Note{about, "Normal", "SuccessfulRescale", text, true};
  s.failed = Note{about, "Warning", "FailedRescale", text + "; error: "};
  l.mine.order = Order{target.replicas, choice.replicas, l.now, l.status};
  l.plan.lookAgain(Duration::zero());
}

std::optional<Choice> byMetrics(Look& l, const ScaleTarget& target, int32_t least, int32_t most) {
  auto before = l.status;
  auto wanted = wantedByMetrics(l, target);
  if (!wanted) {
    if (l.now.mono < l.snapshot.steadySince() + kSettle) {
      l.status = std::move(before);
      l.plan.notes.clear();
    }
    return std::nullopt;
  }
  Behavior behavior = behaviorOf(l.hpa.spec);
  auto held = stabilize(behavior, l.mine.history, target.replicas, wanted->replicas, l.now.mono);
  l.setCondition("AbleToScale", true, std::string(held.reason), std::string(held.message));
  auto end = limit(behavior, l.mine.history, target.replicas, held.replicas, least, most, l.now.mono);
  l.setCondition("ScalingLimited", end.replicas != held.replicas, std::string(end.reason), std::string(end.message));
  return Choice{end.replicas,
                wanted->replicas > target.replicas ? wanted->metric + " above target" : "All metrics below target"};
}

std::optional<Choice> choose(Look& l, const ScaleTarget& target) {
  int32_t least = l.hpa.spec.minReplicas.value_or(1), most = l.hpa.spec.maxReplicas;
  if (target.replicas > most) return Choice{most, "Current number of replicas above Spec.MaxReplicas"};
  if (target.replicas < least) return Choice{least, "Current number of replicas below Spec.MinReplicas"};
  return byMetrics(l, target, least, most);
}

void lookAtTarget(Look& l) {
  auto target = findTarget(l.snapshot, l.hpa.spec.scaleTargetRef, l.object->ns());
  if (!target.ok()) {
    if (target.status().code == 503) return l.plan.lookAgain(kSoon);
    l.mine.selector.reset();
    l.tell("Warning", "FailedGetScale", target.status().message);
    l.setCondition("AbleToScale", false, "FailedGetScale", "the target's scale can't be read: " + target.status().message);
    return writeStatus(l);
  }
  l.mine.selector = target->selector.ok() ? std::optional(*target->selector) : std::nullopt;
  l.setCondition("AbleToScale", true, "SucceededGetScale", "the target's scale was read");
  // What there is now counts as wanted: a new memory must not let everything go at once.
  if (l.mine.history.empty()) l.mine.history.wanted(l.now.mono, target->replicas);
  l.status.currentReplicas = target->replicas;
  if (target->replicas == 0) {
    l.setCondition("ScalingActive", false, "ScalingDisabled", "scaling is off while the target wants no replicas");
    l.status.desiredReplicas = 0;
    return writeStatus(l);
  }
  auto choice = choose(l, *target);
  if (choice && choice->replicas != target->replicas) return rescale(l, *target, *choice);
  if (choice) l.status.desiredReplicas = target->replicas;
  writeStatus(l);
}

}  // namespace
}  // namespace autoscaling

Plan reconcileAutoscaler(const Snapshot& snapshot, const Key& key, Moment now, const client::UsageSource* usage,
                         autoscaling::Memory& memory) {
  using namespace autoscaling;
  ObjectPtr object = snapshot.get(snapshot.kinds().autoscalers, key.text);
  if (!object || object->meta().deleting) {
    memory.erase(key.text);
    return {};
  }
  auto& mine = memory[key.text];
  if (mine.uid != object->uid()) {
    mine = {};
    mine.uid = object->uid();
  }
  auto& hpa = object->as<api::autoscaling_v2::HorizontalPodAutoscaler>();
  Look look{snapshot, key, now, usage, memory, mine, object, hpa, hpa.status, {}};
  if (mine.order && concluded(look)) return std::move(look.plan);
  look.plan.lookAgain(kInterval);
  lookAtTarget(look);
  return std::move(look.plan);
}

namespace {

using api::autoscaling_v2::HorizontalPodAutoscaler;

// Our own writes of its status are no reason to look again.
void keysOfAutoscaler(const Snapshot&, const client::Change& change, Keys& keys) {
  if (change.old && change.now && change.old->uid() == change.now->uid() && change.old->meta().deleting == change.now->meta().deleting &&
      api::toJson(change.old->as<HorizontalPodAutoscaler>().spec) == api::toJson(change.now->as<HorizontalPodAutoscaler>().spec))
    return;
  keys.push_back(change.any()->key());
}

// A target that comes or goes.
void keysOfTarget(const Snapshot& snapshot, const client::Change& change, Keys& keys) {
  if (change.old && change.now) return;
  auto& target = *change.any();
  if (target.info().scale.specReplicas.empty()) return;
  std::string prefix = target.ns() + "/";
  for (auto& [key, object] : snapshot.all(snapshot.kinds().autoscalers).prefix(prefix))
    if (autoscaling::names(object->as<HorizontalPodAutoscaler>().spec.scaleTargetRef, target)) keys.push_back(key);
}

}  // namespace

ControllerSpec autoscalingController(const Kinds& kinds, std::shared_ptr<const client::UsageSource> usage) {
  ControllerSpec spec;
  spec.name = "horizontal-pod-autoscaler";
  spec.watches = {{kinds.autoscalers, keysOfAutoscaler}, {nullptr, keysOfTarget}};
  spec.reconcile = [usage = std::move(usage), memory = std::make_shared<autoscaling::Memory>()](
                       const Snapshot& snapshot, const Key& key, Moment now) {
    return reconcileAutoscaler(snapshot, key, now, usage.get(), *memory);
  };
  return spec;
}

}  // namespace ph::controllers
