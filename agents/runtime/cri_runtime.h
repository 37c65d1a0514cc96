// CriRuntime: a container runtime behind a CRI socket (containerd, CRI-O).
// Threads: the node's strand.
#pragma once

#include <memory>
#include <string>

#include "agents/runtime/grpc.h"
#include "agents/runtime/runtime.h"

namespace ph::agents {

struct CriOptions {
  std::string socket;                         // path of the runtime's unix socket
  // Imports an archive; null: archives can't be imported into this runtime.
  std::function<void(const std::string& path, Done<void> done)> import;
  bool containerdEvents = true;               // subscribe to containerd's events; else poll
};

class CriRuntime : public Runtime, public std::enable_shared_from_this<CriRuntime> {
 public:
  CriRuntime(std::shared_ptr<net::Io> io, std::shared_ptr<Executor> strand, CriOptions options);
  // Begins to follow the runtime's events; when it can't, onChange("") comes every second.
  void start();
  bool eventsConnected() const { return eventsUp_; }

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
  template <class Response, class Request>
  void call(const char* service, const char* method, const Request& request, Duration timeout, std::function<void(Result<Response>)> done);
  void follow();
  void onEvent(const std::string& message);

  std::shared_ptr<net::HttpClient> http_;
  std::shared_ptr<Executor> strand_;
  const CriOptions options_;
  std::shared_ptr<GrpcChannel> channel_;
  std::shared_ptr<void> events_;
  bool eventsUp_ = false, refused_ = false;
  Timer timer_;
  std::function<void(std::string)> onChange_;
};

}  // namespace ph::agents
