#include "agents/hollow.h"

#include <fmt/format.h>

#include <algorithm>

namespace ph::agents {
namespace {

class Hollow : public HollowNode {
 public:
  Hollow(client::Client& client, std::shared_ptr<Executor> executor, HollowOptions options) : name_(options.name) {
    auto strand = executor->strand();
    auto context = std::make_shared<NodeContext>();
    context->strand = strand;
    context->hostIp = fmt::format("10.{}.{}.{}", 128 + (options.number >> 16 & 63), options.number >> 8 & 255, options.number & 255);
    context->runtimeName = "fake";
    context->config.nodeName = options.name;
    context->config.memoryCapacity = options.memoryBytes;
    FakeOptions fake;
    fake.startDelay = options.startDelay;
    fake.stopDelay = options.stopDelay;
    // Addresses repeat every 64 nodes' worth of space; nothing routes to them.
    fake.ipPrefix = fmt::format("10.{}.", 64 + options.number % 64);
    fake.firstIp = 2 + options.number / 64 * 128 % 60000;
    runtime_ = std::make_shared<FakeRuntime>(strand, fake);
    context->runtime = runtime_;
    context->images = std::make_shared<ImageManager>(strand, runtime_, nullptr);
    context->status = std::make_shared<StatusWriter>(client, strand);
    if (options.events) context->events = client::EventRecorder::make(client, strand, {"kubelet", options.name});
    events_ = context->events;
    NodeOptions node;
    node.name = options.name;
    node.ip = context->hostIp;
    node.labels = options.labels;
    node.labels["pilothouse.io/hollow"] = "true";
    node.taints = options.taints;
    node.runtimeVersion = "fake://1.0";
    node.leaseDuration = options.leaseDuration;
    node.statusInterval = options.statusInterval;
    auto& m = node.machine;
    m.hostname = options.name;
    m.machineId = m.systemUuid = m.bootId = fmt::format("{:032x}", options.number);
    m.kernel = "0.0.0";
    m.osImage = "hollow";
    m.arch = "amd64";
    m.cpuMilli = options.cpuMilli;
    m.memoryBytes = options.memoryBytes;
    m.diskBytes = int64_t(1) << 40;
    m.maxPods = options.maxPods;
    agent_ = std::make_shared<NodeAgent>(client, context, std::move(node));
    strand->post([weak = std::weak_ptr(agent_)] {
      if (auto agent = weak.lock()) agent->start();
    });
    strand_ = strand;
  }
  ~Hollow() override {
    // Ends on its strand: a callback may be running there now.
    strand_->post([agent = std::move(agent_), events = std::move(events_)] {
      agent->stop();
      if (events) events->stop();
    });
  }
  const std::string& name() const override { return name_; }
  bool registered() const override { return agent_->registered(); }
  size_t podCount() const override { return agent_->pods().workers().size(); }
  size_t runningContainers() const override {
    auto& all = runtime_->containers();
    return size_t(std::count_if(all.begin(), all.end(), [](auto& e) { return e.second.container.state == ContainerState::Running; }));
  }
  FakeRuntime& runtime() override { return *runtime_; }
  PodManager& pods() override { return agent_->pods(); }

 private:
  std::string name_;
  std::shared_ptr<Executor> strand_;
  std::shared_ptr<FakeRuntime> runtime_;
  std::shared_ptr<client::EventRecorder> events_;
  std::shared_ptr<NodeAgent> agent_;
};

}  // namespace

std::unique_ptr<HollowNode> makeHollowNode(client::Client& client, std::shared_ptr<Executor> executor, HollowOptions options) {
  return std::make_unique<Hollow>(client, std::move(executor), std::move(options));
}

}  // namespace ph::agents
