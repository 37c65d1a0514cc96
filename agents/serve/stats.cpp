#include "agents/serve/stats.h"

#include <chrono>

#include "agents/os/files.h"
#include "agents/os/machine.h"
#include "engine/api/types/core.h"

namespace ph::agents {

using api::Json;
using api::JsonArray;
using api::JsonObject;
using std::chrono::milliseconds;
using std::chrono::seconds;

Stats::Stats(std::shared_ptr<NodeContext> node, std::shared_ptr<PodManager> pods, std::string diskFolder)
    : node_(std::move(node)), pods_(pods), diskFolder_(std::move(diskFolder)) {}

void Stats::take(std::function<void(Result<Sample>)> done) {
  std::weak_ptr<Stats> weak = weak_from_this();
  node_->runtime->usage([weak, done = std::move(done)](Result<std::vector<ContainerUsage>> usage) {
    auto self = weak.lock();
    if (!self) return;
    if (!usage.ok()) return done(std::move(usage).status());
    Sample sample;
    sample.at = self->node_->strand->monoNow();
    sample.wall = self->node_->strand->wallNow();
    sample.nodeCpu = cpuNanosecondsUsed();
    for (auto& u : *usage) sample.containers[u.id] = u;
    done(std::move(sample));
  });
}

void Stats::summary(std::function<void(Result<Json>)> done) {
  std::weak_ptr<Stats> weak = weak_from_this();
  auto age = node_->strand->monoNow() - last_.at;
  bool usable = last_.at != MonoTime{} && age >= milliseconds(400) && age <= seconds(120);
  take([weak, usable, done = std::move(done)](Result<Sample> sample) {
    auto self = weak.lock();
    if (!self) return;
    if (!sample.ok()) return done(std::move(sample).status());
    if (usable) {
      auto answer = self->build(self->last_, *sample);
      self->last_ = std::move(*sample);
      return done(std::move(answer));
    }
    self->last_ = std::move(*sample);
    self->node_->strand->after(milliseconds(500), [weak, done] {
      if (auto self = weak.lock()) self->summary(done);
    }).detach();
  });
}

Json Stats::build(const Sample& before, const Sample& now) const {
  auto time = formatTime(now.wall);
  double span = double((now.at - before.at).count()) / 1e9;
  auto rate = [&](double earlier, double later) { return uint64_t(later > earlier && span > 0 ? (later - earlier) / span : 0); };
  auto memory = readMemory();
  auto disk = totalBytes(diskFolder_), freeDisk = freeBytes(diskFolder_);
  JsonObject node{{"nodeName", node_->config.nodeName},
                  {"cpu", JsonObject{{"time", time}, {"usageNanoCores", rate(double(before.nodeCpu), double(now.nodeCpu))}, {"usageCoreNanoSeconds", now.nodeCpu}}},
                  {"memory", JsonObject{{"time", time}, {"availableBytes", memory.available}, {"usageBytes", memory.total - memory.available}, {"workingSetBytes", memory.total - memory.available}}},
                  {"fs", JsonObject{{"time", time}, {"availableBytes", freeDisk}, {"capacityBytes", disk}, {"usedBytes", disk - freeDisk}}}};
  JsonArray list;
  if (auto pods = pods_.lock()) {
    for (auto& [uid, worker] : pods->workers()) {
      JsonArray containers;
      uint64_t cores = 0, seconds = 0, bytes = 0, working = 0;
      for (auto& [id, u] : now.containers) {
        if (u.podUid != uid) continue;
        auto old = before.containers.find(id);
        auto nano = old == before.containers.end() ? 0 : rate(double(old->second.cpuNanoseconds), double(u.cpuNanoseconds));
        containers.push_back(JsonObject{{"name", u.name},
                                        {"cpu", JsonObject{{"time", time}, {"usageNanoCores", nano}, {"usageCoreNanoSeconds", u.cpuNanoseconds}}},
                                        {"memory", JsonObject{{"time", time}, {"usageBytes", u.memoryBytes}, {"workingSetBytes", u.workingSetBytes}}},
                                        {"rootfs", JsonObject{{"time", time}, {"usedBytes", u.diskBytes}}}});
        cores += nano;
        seconds += u.cpuNanoseconds;
        bytes += u.memoryBytes;
        working += u.workingSetBytes;
      }
      auto& pod = *worker->pod();
      list.push_back(JsonObject{{"podRef", JsonObject{{"name", pod.name()}, {"namespace", pod.ns()}, {"uid", uid}}},
                                {"startTime", formatTime(worker->view().startTime)},
                                {"containers", std::move(containers)},
                                {"cpu", JsonObject{{"time", time}, {"usageNanoCores", cores}, {"usageCoreNanoSeconds", seconds}}},
                                {"memory", JsonObject{{"time", time}, {"usageBytes", bytes}, {"workingSetBytes", working}}}});
    }
  }
  return JsonObject{{"node", std::move(node)}, {"pods", std::move(list)}};
}

}  // namespace ph::agents
