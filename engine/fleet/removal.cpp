// The controller's way from a deleted Machine to a machine without a trace of us: its pods end in order, the agent cleans up,
// what we put there goes, then the Node and its Lease, and last the finalizer. Each step may be repeated after a restart.
#include <fmt/format.h>

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/node_match.h"
#include "engine/api/types/core.h"
#include "engine/base/log.h"
#include "engine/fleet/controller.h"
#include "engine/fleet/problem.h"
#include "engine/fleet/scripts.h"
#include "engine/fleet/status_words.h"

namespace ph::fleet {
namespace {

using namespace std::chrono_literals;

// On a machine that is being removed: daemon sets make no pods there any more.
const api::core::Taint kLeaving{.key = "fleet.pilothouse.io/removing", .value = {}, .effect = "NoExecute"};

// A daemon's pod that is made again whatever the taints: it ends with the machine.
bool staysToTheEnd(const api::ObjectPtr& pod) {
  auto* owner = pod->meta().controller();
  return owner && owner->kind == "DaemonSet" && api::tolerates(pod->as<api::core::Pod>().spec.tolerations, kLeaving);
}

client::Write deletion(const api::ResourceInfo* info, std::string ns, std::string name) {
  client::Write w;
  w.verb = client::Verb::Delete;
  w.info = info;
  w.ns = std::move(ns);
  w.name = std::move(name);
  return w;
}

}  // namespace

void Controller::beginRemoval(const Record& r) {
  const bool linked = r->doing == Doing::Linked;
  if (!linked) abandon(r);
  r->doing = Doing::Removing;
  r->timer.cancel();
  const uint64_t epoch = ++r->epoch;
  r->began = executor_->monoNow();
  // Nothing of ours was ever put there.
  if (r->status.nodeName.empty() && !linked) return dropFinalizer(r, epoch);
  setPhase(r, "Removing", "its pods are ending");
  setProgress(r, "Ending pods", 0);
  event(r, false, "Removing", "the machine is being taken out of the cluster");
  flush(r);
  // No new pods from here on.
  client::Write w;
  w.verb = client::Verb::Patch;
  w.info = nodes_;
  w.name = r->name;
  w.patchType = client::PatchType::Strategic;  // other taints stay
  w.body = fmt::format(R"({{"spec":{{"unschedulable":true,"taints":[{{"key":"{}","effect":"{}"}}]}}}})", kLeaving.key, kLeaving.effect);
  write(std::move(w), [r, epoch, linked](Controller& self, const Result<api::ObjectPtr>& result) {
    if (!self.current(r, epoch)) return;
    // Without a Node no pod is on it; without a connection none can end in order.
    if (!result.ok() || !linked) return self.cleanMachine(r, epoch, r->began + self.options_.removalTimeout);
    self.emptyNode(r, epoch);
  });
}

// Asks until none is left: a pod that was on its way here when the node was closed comes after the first look.
void Controller::emptyNode(const Record& r, uint64_t epoch) {
  client::ListOptions options;
  options.fieldSelector = "spec.nodeName=" + r->name;
  client_.list(*pods_, std::move(options), [weak = weak_from_this(), r, epoch](Result<client::ListResult> result) {
    auto self = weak.lock();
    if (!self) return;
    self->post([r, epoch, result = std::make_shared<Result<client::ListResult>>(std::move(result))](Controller& c) {
      if (!c.current(r, epoch)) return;
      if (result->ok()) std::erase_if(result->value().items, staysToTheEnd);
      const bool gone = result->ok() && result->value().items.empty();
      const bool late = c.executor_->monoNow() > r->began + c.options_.podsGoneTimeout;
      if (gone || late) {
        if (!gone) c.event(r, true, "PodsRemain", "some pods did not end in time; they are ended with the machine");
        return c.cleanMachine(r, epoch, c.executor_->monoNow() + c.options_.removalTimeout);
      }
      if (result->ok()) c.endPods(result->value().items);
      r->timer = c.strand_->after(200ms, [weak = c.weak_from_this(), r, epoch] {
        if (auto self = weak.lock(); self && self->current(r, epoch)) self->emptyNode(r, epoch);
      });
    });
  });
}

void Controller::endPods(const std::vector<api::ObjectPtr>& pods) {
  std::vector<client::Write> writes;
  for (auto& pod : pods) {
    if (pod->meta().deleting) continue;
    writes.push_back(deletion(pods_, pod->ns(), pod->name()));
    writes.back().uid = pod->uid();
  }
  if (!writes.empty()) client_.writeAll(std::move(writes), [](std::vector<Result<api::ObjectPtr>>) {});
}

void Controller::cleanMachine(const Record& r, uint64_t epoch, MonoTime deadline) {
  // The agent is stopped over a connection of its own: with the bridges gone it can write nothing any more.
  if (SshPoller::Id id = r->link->exchange(0)) poller_->remove(id);
  setPhase(r, "Removing", "the machine is being cleaned");
  setProgress(r, "Cleaning the machine", 50);
  flush(r);
  r->cancel = newCancel();
  auto notes = r->object->tree();
  const auto* wish = api::at(notes, "metadata.annotations");
  const bool packages = wish && wish->is_object() && wish->as_object().contains(kRemovePackages) &&
                        wish->as_object().at(kRemovePackages) == api::Json("true");
  std::weak_ptr<Controller> weak = weak_from_this();
  pool_->post([weak, r, epoch, deadline, packages, access = accessOf(r), name = r->name, cancel = r->cancel, credentials = options_.credentials] {
    auto result = std::make_shared<Result<Removed>>(removeFrom(access, name, packages, credentials, cancel, [](const JoinProgress&) {}));
    auto self = weak.lock();
    if (!self) return;
    self->drop(cancel);
    self->post([r, epoch, deadline, result](Controller& c) {
      if (!c.current(r, epoch)) return;
      r->cancel.reset();
      if (result->ok()) {
        for (auto& left : result->value().left) c.event(r, true, "LeftBehind", fmt::format("on the machine stays {}", left));
        if (result->value().left.empty()) c.event(r, false, "Cleaned", "nothing of Pilothouse is left on the machine");
        return c.forget(r, epoch);
      }
      const Status& why = result->status();
      if (whenAgain(why) != Again::Soon || c.executor_->monoNow() >= deadline) {
        c.event(r, true, "LeftBehind", fmt::format("the machine could not be cleaned ({}). On it stay {}, {} and the agent's pods; to remove them run there: {} cleanup; rm -rf {} {} {}",
                                                   why.message, place::kBinDir, place::kStateDir, place::kAgent, place::kBinDir, place::kStateDir, place::kLog));
        return c.forget(r, epoch);
      }
      c.setPhase(r, "Removing", "the machine can't be reached to clean it: " + why.message);
      c.flush(r);
      r->timer = c.strand_->after(1s, [weak = c.weak_from_this(), r, epoch, deadline] {
        if (auto self = weak.lock(); self && self->current(r, epoch)) self->cleanMachine(r, epoch, deadline);
      });
    });
  });
}

// The Node, its Lease, and pods that nobody is left to end.
void Controller::forget(const Record& r, uint64_t epoch) {
  client::ListOptions options;
  options.fieldSelector = "spec.nodeName=" + r->name;
  client_.list(*pods_, std::move(options), [weak = weak_from_this(), r, epoch](Result<client::ListResult> result) {
    auto self = weak.lock();
    if (!self) return;
    std::vector<client::Write> writes;
    if (result.ok())
      for (auto& pod : result.value().items) {
        writes.push_back(deletion(self->pods_, pod->ns(), pod->name()));
        writes.back().uid = pod->uid();
        writes.back().gracePeriodSeconds = 0;
      }
    writes.push_back(deletion(self->nodes_, "", r->name));
    writes.push_back(deletion(self->leases_, "kube-node-lease", r->name));
    self->client_.writeAll(std::move(writes), [weak, r, epoch](std::vector<Result<api::ObjectPtr>> results) {
      auto c = weak.lock();
      if (!c) return;
      bool failed = false;
      for (auto& one : results) failed = failed || (!one.ok() && !one.status().isNotFound() && !one.status().isConflict());
      c->post([r, epoch, failed](Controller& self) {
        if (!self.current(r, epoch)) return;
        if (!failed) return self.dropFinalizer(r, epoch);
        r->timer = self.strand_->after(1s, [weak = self.weak_from_this(), r, epoch] {
          if (auto c = weak.lock(); c && c->current(r, epoch)) c->forget(r, epoch);
        });
      });
    });
  });
}

void Controller::dropFinalizer(const Record& r, uint64_t epoch) {
  api::JsonArray list;
  for (auto& f : r->object->meta().finalizers)
    if (f != kFinalizer) list.emplace_back(f);
  client::Write w;
  w.verb = client::Verb::Patch;
  w.info = machines_;
  w.name = r->name;
  w.uid = r->object->uid();
  w.revision = r->object->revision();
  w.body = api::toText(api::Json(api::JsonObject{{"metadata", api::JsonObject{{"finalizers", std::move(list)}}}}));
  write(std::move(w), [r, epoch](Controller& self, const Result<api::ObjectPtr>& result) {
    if (!self.current(r, epoch) || result.ok() || result.status().isNotFound()) return;
    // Most likely our own last status write: try with the version that has come since.
    r->timer = self.strand_->after(100ms, [weak = self.weak_from_this(), r, epoch] {
      if (auto c = weak.lock(); c && c->current(r, epoch)) c->dropFinalizer(r, epoch);
    });
  });
}

}  // namespace ph::fleet
