// FakeRuntime: containers that exist only in memory, for hollow nodes and tests. Deterministic on a SimExecutor.
// Threads: the strand it was made with.
#pragma once

#include <map>
#include <set>

#include "agents/runtime/runtime.h"
#include "engine/base/executor.h"

namespace ph::agents {

struct FakeOptions {
  Duration sandboxDelay{}, startDelay{}, stopDelay{};
  std::string ipPrefix = "10.200.";  // of pod addresses; the third and fourth octet count up
  uint32_t firstIp = 2;
};

class FakeRuntime : public Runtime, public std::enable_shared_from_this<FakeRuntime> {
 public:
  FakeRuntime(std::shared_ptr<Executor> strand, FakeOptions options = {});

  // What tests turn.
  void exitContainer(const std::string& id, int exitCode, std::string reason = "");  // as if its process had ended
  void failImage(std::string image, Status status) { badImages_[std::move(image)] = std::move(status); }
  void healImage(const std::string& image) { badImages_.erase(image); }
  void absentImage(std::string image) { absent_.insert(std::move(image)); }  // until pulled or imported
  void failNext(std::string call, Status status) { failNext_[std::move(call)] = std::move(status); }
  void killSandbox(const std::string& id);
  std::function<Result<ExecResult>(const std::string& containerId, const std::vector<std::string>&)> onExec;
  bool ignoreTerm = false;  // containers end only at the end of their grace
  struct Box { Sandbox sandbox; SandboxSpec spec; };
  struct Item { Container container; ContainerSpec spec; };
  const std::map<std::string, Box>& sandboxes() const { return sandboxes_; }
  const std::map<std::string, Item>& containers() const { return containers_; }
  const std::vector<std::string>& calls() const { return calls_; }  // names of calls, in order (tests; bounded)
  void recordCalls() { record_ = true; }

  void version(Done<RuntimeVersion> done) override;
  void health(Done<RuntimeHealth> done) override;
  void runSandbox(SandboxSpec spec, Done<Sandbox> done) override;
  void sandboxStatus(std::string id, Done<Sandbox> done) override;
  void stopSandbox(std::string id, Done<void> done) override;
  void removeSandbox(std::string id, Done<void> done) override;
  void listSandboxes(Done<std::vector<Sandbox>> done) override;
  void createContainer(std::string sandboxId, ContainerSpec spec, SandboxSpec sandbox, Done<std::string> done) override;
  void startContainer(std::string id, Done<void> done) override;
  void stopContainer(std::string id, Duration grace, Done<void> done) override;
  void removeContainer(std::string id, Done<void> done) override;
  void containerStatus(std::string id, Done<Container> done) override;
  void listContainers(Done<std::vector<Container>> done) override;
  void exec(std::string id, std::vector<std::string> command, Duration timeout, Done<ExecResult> done) override;
  void stream(StreamSpec spec, Done<std::string> done) override;
  void networkNamespace(std::string sandboxId, Done<std::string> done) override;
  void reopenLog(std::string id, Done<void> done) override;
  void imageStatus(std::string image, Done<std::optional<ImageInfo>> done) override;
  void pullImage(std::string image, ImageAuth auth, Done<std::string> done) override;
  void importImage(std::string archivePath, Done<void> done) override;
  void usage(Done<std::vector<ContainerUsage>> done) override;
  void onChange(std::function<void(std::string id)> callback) override { onChange_ = std::move(callback); }

 private:
  void later(Duration delay, Task task);
  bool note(const char* call, Status* failure);
  template <class T> void answer(Duration delay, Done<T> done, Result<T> result);
  void notify(const std::string& id);
  std::string nextId();
  std::string nextIp();

  std::shared_ptr<Executor> strand_;
  FakeOptions options_;
  std::map<std::string, Box> sandboxes_;
  std::map<std::string, Item> containers_;
  std::map<std::string, Status> badImages_, failNext_;
  std::set<std::string> absent_;
  std::vector<std::string> calls_;
  bool record_ = false;
  uint64_t ids_ = 0;
  uint32_t ips_;
  std::set<uint32_t> usedIps_;
  std::function<void(std::string)> onChange_;
};

}  // namespace ph::agents
