#include "agents/runtime/fake_runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace ph::agents {

FakeRuntime::FakeRuntime(std::shared_ptr<Executor> strand, FakeOptions options)
    : strand_(std::move(strand)), options_(std::move(options)), ips_(options_.firstIp) {}

void FakeRuntime::later(Duration delay, Task task) {
  std::weak_ptr<FakeRuntime> weak = weak_from_this();
  auto guarded = [weak, task = std::move(task)] {
    if (auto self = weak.lock()) task();
  };
  if (delay <= Duration::zero())
    strand_->post(std::move(guarded));
  else
    strand_->after(delay, std::move(guarded)).detach();
}

bool FakeRuntime::note(const char* call, Status* failure) {
  if (record_ && calls_.size() < 100000) calls_.push_back(call);
  if (failNext_.empty() || !failure) return false;
  auto it = failNext_.find(call);
  if (it == failNext_.end()) return false;
  *failure = it->second;
  failNext_.erase(it);
  return true;
}

template <class T> void FakeRuntime::answer(Duration delay, Done<T> done, Result<T> result) {
  later(delay, [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void FakeRuntime::notify(const std::string& id) {
  later({}, [this, id] {
    if (onChange_) onChange_(id);
  });
}

std::string FakeRuntime::nextId() { return fmt::format("{:016x}", ++ids_); }

std::string FakeRuntime::nextIp() {
  // A pod's address is free again when its sandbox is removed, as with host-local IPAM; the search goes round.
  for (int tries = 0; tries < 65000; ++tries) {
    uint32_t n = ips_++;
    if (ips_ > 65000) ips_ = 2;
    if (usedIps_.insert(n).second) return fmt::format("{}{}.{}", options_.ipPrefix, n >> 8 & 255, n & 255);
  }
  return {};
}

void FakeRuntime::version(Done<RuntimeVersion> done) { answer<RuntimeVersion>({}, std::move(done), RuntimeVersion{"fake", "1.0"}); }
void FakeRuntime::health(Done<RuntimeHealth> done) { answer<RuntimeHealth>({}, std::move(done), RuntimeHealth{true, true, ""}); }

void FakeRuntime::runSandbox(SandboxSpec spec, Done<Sandbox> done) {
  Status failure;
  if (note("runSandbox", &failure)) return answer<Sandbox>({}, std::move(done), std::move(failure));
  Box box;
  box.sandbox = {nextId(), spec.ns, spec.name, spec.uid, spec.attempt, true, strand_->wallNow(), {}};
  if (!spec.hostNetwork) box.sandbox.ips = {nextIp()};
  box.spec = std::move(spec);
  auto sandbox = box.sandbox;
  sandboxes_[sandbox.id] = std::move(box);
  answer<Sandbox>(options_.sandboxDelay, std::move(done), std::move(sandbox));
}

void FakeRuntime::sandboxStatus(std::string id, Done<Sandbox> done) {
  auto it = sandboxes_.find(id);
  if (it == sandboxes_.end()) return answer<Sandbox>({}, std::move(done), Status::notFound("no sandbox " + id));
  answer<Sandbox>({}, std::move(done), it->second.sandbox);
}

void FakeRuntime::stopSandbox(std::string id, Done<void> done) {
  Status failure;
  if (note("stopSandbox", &failure)) return answer<void>({}, std::move(done), std::move(failure));
  killSandbox(id);
  answer<void>({}, std::move(done), {});
}

void FakeRuntime::killSandbox(const std::string& id) {
  auto it = sandboxes_.find(id);
  if (it == sandboxes_.end()) return;
  it->second.sandbox.ready = false;
  for (auto& [cid, item] : containers_)
    if (item.container.sandboxId == id && item.container.state == ContainerState::Running) exitContainer(cid, 137);
  notify(id);
}

void FakeRuntime::removeSandbox(std::string id, Done<void> done) {
  note("removeSandbox", nullptr);
  killSandbox(id);
  std::erase_if(containers_, [&](auto& entry) { return entry.second.container.sandboxId == id; });
  if (auto it = sandboxes_.find(id); it != sandboxes_.end()) {
    for (auto& ip : it->second.sandbox.ips) {
      unsigned high = 0, low = 0;
      if (ip.size() > options_.ipPrefix.size() && std::sscanf(ip.c_str() + options_.ipPrefix.size(), "%u.%u", &high, &low) == 2)
        usedIps_.erase(high << 8 | low);
    }
    sandboxes_.erase(it);
  }
  answer<void>({}, std::move(done), {});
}

void FakeRuntime::listSandboxes(Done<std::vector<Sandbox>> done) {
  std::vector<Sandbox> all;
  for (auto& [id, box] : sandboxes_) all.push_back(box.sandbox);
  answer<std::vector<Sandbox>>({}, std::move(done), std::move(all));
}

void FakeRuntime::createContainer(std::string sandboxId, ContainerSpec spec, SandboxSpec sandbox, Done<std::string> done) {
  Status failure;
  if (note("createContainer", &failure)) return answer<std::string>({}, std::move(done), std::move(failure));
  auto box = sandboxes_.find(sandboxId);
  if (box == sandboxes_.end() || !box->second.sandbox.ready)
    return answer<std::string>({}, std::move(done), Status::notFound("no sandbox " + sandboxId));
  Item item;
  auto& c = item.container;
  c.id = nextId();
  c.sandboxId = sandboxId;
  c.podUid = sandbox.uid;
  c.name = spec.name;
  c.image = spec.image;
  c.imageRef = spec.imageRef;
  c.attempt = spec.attempt;
  c.state = ContainerState::Created;
  c.created = strand_->wallNow();
  c.annotations = spec.annotations;
  item.spec = std::move(spec);
  auto id = c.id;
  containers_[id] = std::move(item);
  answer<std::string>({}, std::move(done), std::move(id));
}

void FakeRuntime::startContainer(std::string id, Done<void> done) {
  Status failure;
  if (note("startContainer", &failure)) return answer<void>({}, std::move(done), std::move(failure));
  later(options_.startDelay, [this, id, done = std::move(done)] {
    auto it = containers_.find(id);
    if (it == containers_.end()) return done(Status::notFound("no container " + id));
    it->second.container.state = ContainerState::Running;
    it->second.container.started = strand_->wallNow();
    done({});
  });
}

void FakeRuntime::stopContainer(std::string id, Duration grace, Done<void> done) {
  Status failure;
  if (note("stopContainer", &failure)) return answer<void>({}, std::move(done), std::move(failure));
  later(ignoreTerm ? grace : std::min(grace, options_.stopDelay), [this, id, done = std::move(done)] {
    exitContainer(id, ignoreTerm ? 137 : 143);
    done({});
  });
}

void FakeRuntime::exitContainer(const std::string& id, int exitCode, std::string reason) {
  auto it = containers_.find(id);
  if (it == containers_.end() || it->second.container.state == ContainerState::Exited) return;
  auto& c = it->second.container;
  c.state = ContainerState::Exited;
  c.finished = strand_->wallNow();
  c.exitCode = exitCode;
  c.reason = !reason.empty() ? reason : exitCode == 0 ? "Completed" : "Error";
  notify(id);
}

void FakeRuntime::removeContainer(std::string id, Done<void> done) {
  note("removeContainer", nullptr);
  containers_.erase(id);
  answer<void>({}, std::move(done), {});
}

void FakeRuntime::containerStatus(std::string id, Done<Container> done) {
  auto it = containers_.find(id);
  if (it == containers_.end()) return answer<Container>({}, std::move(done), Status::notFound("no container " + id));
  answer<Container>({}, std::move(done), it->second.container);
}

void FakeRuntime::listContainers(Done<std::vector<Container>> done) {
  std::vector<Container> all;
  for (auto& [id, item] : containers_) all.push_back(item.container);
  answer<std::vector<Container>>({}, std::move(done), std::move(all));
}

void FakeRuntime::exec(std::string id, std::vector<std::string> command, Duration, Done<ExecResult> done) {
  Result<ExecResult> result = ExecResult{};
  if (onExec) result = onExec(id, command);
  answer<ExecResult>({}, std::move(done), std::move(result));
}

void FakeRuntime::stream(StreamSpec, Done<std::string> done) {
  answer<std::string>({}, std::move(done), Status{501, "NotImplemented", "this node is hollow: its containers have no processes"});
}

void FakeRuntime::networkNamespace(std::string, Done<std::string> done) {
  answer<std::string>({}, std::move(done), Status{501, "NotImplemented", "this node is hollow: its pods have no network"});
}

void FakeRuntime::reopenLog(std::string, Done<void> done) { answer<void>({}, std::move(done), {}); }

void FakeRuntime::imageStatus(std::string image, Done<std::optional<ImageInfo>> done) {
  std::optional<ImageInfo> info;
  if (!absent_.count(image) && !badImages_.count(image)) info = ImageInfo{"sha256:" + image, {image}, {}, 1, {}, {}};
  answer<std::optional<ImageInfo>>({}, std::move(done), std::move(info));
}

void FakeRuntime::pullImage(std::string image, ImageAuth, Done<std::string> done) {
  Status failure;
  if (note("pullImage", &failure)) return answer<std::string>({}, std::move(done), std::move(failure));
  if (auto bad = badImages_.find(image); bad != badImages_.end()) return answer<std::string>({}, std::move(done), bad->second);
  absent_.erase(image);
  answer<std::string>({}, std::move(done), "sha256:" + image);
}

void FakeRuntime::importImage(std::string, Done<void> done) {
  Status failure;
  if (note("importImage", &failure)) return answer<void>({}, std::move(done), std::move(failure));
  absent_.clear();
  answer<void>({}, std::move(done), {});
}

void FakeRuntime::usage(Done<std::vector<ContainerUsage>> done) {
  std::vector<ContainerUsage> all;
  for (auto& [id, item] : containers_)
    if (item.container.state == ContainerState::Running)
      all.push_back({id, item.container.podUid, item.container.name, 1000000, 10 << 20, 10 << 20, 0});
  answer<std::vector<ContainerUsage>>({}, std::move(done), std::move(all));
}

}  // namespace ph::agents
