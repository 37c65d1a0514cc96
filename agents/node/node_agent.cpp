#include "agents/node/node_agent.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/quantity.h"
#include "engine/api/types/core.h"
#include "engine/base/log.h"

namespace ph::agents {

using api::Json;
using api::JsonArray;
using api::JsonObject;
using api::Quantity;
namespace core = api::core;

namespace {

// Resources that others put into the node's capacity (devices, licences) are pods' to take, as a kubelet has it: what has to
// change in allocatable for that; null: it goes.
JsonObject extendedChanges(const core::NodeStatus& status) {
  auto own = [](std::string_view name) { return name == "cpu" || name == "memory" || name == "ephemeral-storage" || name == "pods"; };
  JsonObject out;
  for (auto& [name, amount] : status.capacity) {
    auto it = status.allocatable.find(name);
    if (!own(name) && (it == status.allocatable.end() || it->second.text() != amount.text())) out[name] = amount.text();
  }
  for (auto& [name, amount] : status.allocatable)
    if (!own(name) && !status.capacity.count(name)) out[name] = nullptr;
  return out;
}

}  // namespace

NodeAgent::NodeAgent(client::Client& client, std::shared_ptr<NodeContext> node, NodeOptions options)
    : client_(client), node_(std::move(node)), options_(std::move(options)), info_(client.registry().find("", "v1", "nodes")),
      lease_(std::make_shared<LeaseKeeper>(client, node_->strand, options_.name, options_.leaseDuration)),
      pods_(std::make_shared<PodManager>(client, node_, options_.pods)), runtimeVersion_(options_.runtimeVersion) {}

NodeAgent::~NodeAgent() { stop(); }

void NodeAgent::start() {
  std::weak_ptr<NodeAgent> weak = weak_from_this();
  lease_->onBack([weak] {
    auto self = weak.lock();
    if (!self) return;
    self->reportSoon();
    self->node_->status->retryNow();
  });
  // What ran goes on at once, whether the engine is there or not.
  if (!podsStarted_) {
    podsStarted_ = true;
    pods_->start();
  }
  registerNode();
}

void NodeAgent::stop() {
  stopped_ = true;
  timer_.cancel();
  lease_->stop();
  pods_->stop();
}

void NodeAgent::registerNode() {
  std::weak_ptr<NodeAgent> weak = weak_from_this();
  client_.get(*info_, "", options_.name, [weak, strand = node_->strand](Result<client::ObjectPtr> result) {
    strand->post([weak, result = std::move(result)] {
      auto self = weak.lock();
      if (!self || self->stopped_) return;
      if (result.ok()) return self->seen(*result);
      if (result.status().isNotFound()) return self->create();
      self->retryRegistration(result.status());
    });
  });
}

StringMap NodeAgent::ownLabels() const {
  StringMap labels = options_.labels;
  labels["kubernetes.io/hostname"] = options_.machine.hostname.empty() ? options_.name : options_.machine.hostname;
  labels["kubernetes.io/os"] = options_.machine.os;
  labels["kubernetes.io/arch"] = options_.machine.arch;
  return labels;
}

void NodeAgent::create() {
  JsonObject labels;
  for (auto& [key, value] : ownLabels()) labels[key] = value;
  JsonArray taints;
  for (auto& t : options_.taints) taints.push_back(JsonObject{{"key", t.key}, {"value", t.value}, {"effect", t.effect}});
  JsonObject spec;
  if (!taints.empty()) spec["taints"] = std::move(taints);
  client::Write write;
  write.verb = client::Verb::Create;
  write.info = info_;
  JsonObject body{{"apiVersion", "v1"}, {"kind", "Node"},
                  {"metadata", JsonObject{{"name", options_.name}, {"labels", std::move(labels)}}}, {"spec", std::move(spec)}};
  write.body = api::toText(Json(std::move(body)));
  std::weak_ptr<NodeAgent> weak = weak_from_this();
  client_.write(std::move(write), [weak, strand = node_->strand](Result<client::ObjectPtr> result) {
    strand->post([weak, result = std::move(result)] {
      auto self = weak.lock();
      if (!self || self->stopped_) return;
      if (result.ok()) return self->seen(*result);
      if (result.status().isAlreadyExists()) return self->registerNode();
      self->retryRegistration(result.status());
    });
  });
}

void NodeAgent::retryRegistration(const Status& why) {
  PH_LOG(Warn, "node", "{}: can't register yet: {}", options_.name, why.message);
  auto wait = std::chrono::milliseconds(200) * (1 << std::min(failures_++, 5));
  std::weak_ptr<NodeAgent> weak = weak_from_this();
  timer_ = node_->strand->after(wait, [weak] {
    if (auto self = weak.lock()) self->registerNode();
  });
}

void NodeAgent::seen(const api::ObjectPtr& node) {
  bool fresh = uid_ != node->uid();
  object_ = node;
  uid_ = node->uid();
  failures_ = 0;
  if (onNode_) onNode_(node);
  if (!extendedChanges(node->as<core::Node>().status).empty()) force_ = true;
  if (!fresh) return;
  lease_->start(uid_);
  force_ = true;
  look();
}

void NodeAgent::reportSoon() {
  force_ = true;
  look();
}

void NodeAgent::again(Duration delay) {
  std::weak_ptr<NodeAgent> weak = weak_from_this();
  auto jitter = Duration(int64_t(double(delay.count()) * 0.1 * node_->strand->random().unit()));
  timer_ = node_->strand->after(delay - jitter, [weak] {
    if (auto self = weak.lock()) self->look();
  });
}

void NodeAgent::look() {
  if (stopped_ || uid_.empty()) return;
  if (looking_) {
    lookAgain_ = true;
    return;
  }
  looking_ = true;
  std::weak_ptr<NodeAgent> weak = weak_from_this();
  node_->runtime->health([weak](Result<RuntimeHealth> health) {
    auto self = weak.lock();
    if (!self || self->stopped_) return;
    self->report(health.ok() ? *health : RuntimeHealth{false, false, health.status().message});
  });
}

JsonObject NodeAgent::condition(const char* type, bool value, const char* reason, const std::string& message) const {
  WallTime now = node_->strand->wallNow(), since = now;
  if (object_)
    for (auto& c : object_->as<core::Node>().status.conditions)
      if (c.type == type && c.status == (value ? "True" : "False") && c.lastTransitionTime) since = *c.lastTransitionTime;
  return {{"type", type}, {"status", value ? "True" : "False"}, {"reason", reason}, {"message", message},
          {"lastHeartbeatTime", formatTime(now)}, {"lastTransitionTime", formatTime(since)}};
}

JsonObject NodeAgent::statusOf(const RuntimeHealth& health) const {
  auto& m = options_.machine;
  auto amounts = [&](int64_t cpu, int64_t memory, int64_t disk) {
    return JsonObject{{"cpu", Quantity::fromMilli(cpu).text()},
                      {"memory", Quantity::fromUnits(memory / 1024 * 1024, Quantity::Format::BinarySi).text()},
                      {"ephemeral-storage", Quantity::fromUnits(disk / 1024 * 1024, Quantity::Format::BinarySi).text()},
                      {"pods", std::to_string(m.maxPods)}};
  };
  MachinePressure pressure = pressure_ ? pressure_() : MachinePressure{};
  bool ready = health.ready && health.networkReady;
  JsonArray conditions;
  conditions.push_back(condition("MemoryPressure", pressure.memory, pressure.memory ? "AgentHasInsufficientMemory" : "AgentHasSufficientMemory",
                                 pressure.memory ? "little memory is left on the machine" : "enough memory is left"));
  conditions.push_back(condition("DiskPressure", pressure.disk, pressure.disk ? "AgentHasDiskPressure" : "AgentHasNoDiskPressure",
                                 pressure.disk ? "little disk space is left on the machine" : "enough disk space is left"));
  conditions.push_back(condition("PIDPressure", pressure.pids, pressure.pids ? "AgentHasInsufficientPID" : "AgentHasSufficientPID",
                                 pressure.pids ? "few process ids are left on the machine" : "enough process ids are left"));
  conditions.push_back(condition("Ready", ready, ready ? "AgentReady" : "AgentNotReady",
                                 ready ? "the agent is ready" : health.message.empty() ? "the container runtime is not ready" : health.message));
  if (object_)
    for (auto& c : object_->as<core::Node>().status.conditions)
      if (c.type != "MemoryPressure" && c.type != "DiskPressure" && c.type != "PIDPressure" && c.type != "Ready") conditions.push_back(api::toJson(c));
  JsonArray addresses;
  if (!options_.ip.empty()) addresses.push_back(JsonObject{{"type", "InternalIP"}, {"address", options_.ip}});
  addresses.push_back(JsonObject{{"type", "Hostname"}, {"address", m.hostname.empty() ? options_.name : m.hostname}});
  JsonObject info{{"machineID", m.machineId}, {"systemUUID", m.systemUuid}, {"bootID", m.bootId}, {"kernelVersion", m.kernel},
                  {"osImage", m.osImage}, {"containerRuntimeVersion", runtimeVersion_}, {"kubeletVersion", "v1.32.0+pilothouse-" PH_VERSION},
                  {"kubeProxyVersion", "v1.32.0+pilothouse-" PH_VERSION}, {"operatingSystem", m.os}, {"architecture", m.arch}};
  // A tenth of the memory, at most half a gigabyte, is kept for the machine itself.
  int64_t kept = std::min<int64_t>(m.memoryBytes / 10, int64_t(512) << 20);
  auto allocatable = amounts(m.cpuMilli, m.memoryBytes - kept, m.diskBytes / 10 * 9);
  if (object_)
    for (auto& change : extendedChanges(object_->as<core::Node>().status)) allocatable[change.key()] = change.value();
  return {{"capacity", amounts(m.cpuMilli, m.memoryBytes, m.diskBytes)},
          {"allocatable", std::move(allocatable)},
          {"conditions", std::move(conditions)},
          {"addresses", std::move(addresses)},
          {"daemonEndpoints", JsonObject{{"kubeletEndpoint", JsonObject{{"Port", options_.agentPort}}}}},
          {"nodeInfo", std::move(info)}};
}

// Reads the Node, and writes its status when it differs from what is told, or was judged by others meanwhile.
void NodeAgent::report(RuntimeHealth health) {
  auto status = statusOf(health);
  JsonObject bare = status;
  for (auto& c : bare["conditions"].as_array()) {
    c.as_object().erase("lastHeartbeatTime");
    c.as_object().erase("lastTransitionTime");
  }
  std::string shape = api::toText(Json(std::move(bare)));
  ready_ = health.ready && health.networkReady;
  auto now = node_->strand->monoNow();
  bool due = force_ || shape != reported_ || now - reportedAt_ >= options_.statusReport;
  force_ = false;
  std::weak_ptr<NodeAgent> weak = weak_from_this();
  auto finish = [weak, strand = node_->strand, shape, now, due](Result<client::ObjectPtr> result) {
    strand->post([weak, shape, now, due, result = std::move(result)] {
      auto self = weak.lock();
      if (!self || self->stopped_) return;
      self->looking_ = false;
      if (result.ok() && *result) {
        if (due) {
          self->reported_ = shape;
          self->reportedAt_ = now;
        }
        self->seen(*result);
        for (auto& c : (*result)->as<core::Node>().status.conditions)
          if (!due && c.type == "Ready" && c.status == "Unknown") self->force_ = true;  // the engine gave us up: say that we live
      } else if (!result.ok() && result.status().isNotFound()) {
        self->uid_.clear();
        self->object_.reset();
        return self->registerNode();
      } else if (due) {
        self->force_ = true;
      }
      bool soon = self->force_ || self->lookAgain_;
      self->lookAgain_ = false;
      // A node on its way to being ready looks often: its runtime and its network come within moments.
      Duration wait = self->ready_ ? self->options_.statusInterval : std::min<Duration>(self->options_.statusInterval, std::chrono::milliseconds(300));
      self->again(soon ? Duration(std::chrono::milliseconds(result.ok() ? 50 : 1000)) : wait);
    });
  };
  if (!due) return client_.get(*info_, "", options_.name, std::move(finish));
  client::Write write;
  write.verb = client::Verb::Patch;
  write.info = info_;
  write.name = options_.name;
  write.subresource = "status";
  write.body = api::toText(Json(JsonObject{{"status", std::move(status)}}));
  client_.write(std::move(write), std::move(finish));
}

}  // namespace ph::agents
