// PodManager: the pods of one node: those the API wants (a watch), those the disk remembers, those the runtime has. One worker each.
// Threads: the node's strand.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agents/pods/pod_store.h"
#include "agents/pods/pod_worker.h"
#include "engine/client/reflector.h"

namespace ph::agents {

struct PodManagerOptions {
  std::string stateFolder;   // empty: nothing is kept on the disk
  Duration relist{};         // how often the runtime is looked at even without its events; zero: never
};

class PodManager : public std::enable_shared_from_this<PodManager> {
 public:
  PodManager(client::Client& client, std::shared_ptr<NodeContext> node, PodManagerOptions options);
  ~PodManager();
  // Lists the runtime, adopts what runs, then follows the API.
  void start();
  void stop();

  bool synced() const { return synced_; }
  bool connected() const { return pods_ && pods_->connected(); }
  const std::map<std::string, std::shared_ptr<PodWorker>>& workers() const { return workers_; }
  std::shared_ptr<PodWorker> find(const std::string& ns, const std::string& name) const;

 private:
  void listed(Result<std::vector<Sandbox>> sandboxes);
  void fetchStatuses(std::shared_ptr<std::vector<Container>> containers, size_t next);
  void adoptAll(const std::vector<Container>& containers);
  void follow();
  void apply(const client::Change& change);
  void onSynced();
  void removeOrphans();
  void removeOrphan(const std::string& uid, std::vector<std::string> sandboxes);
  std::shared_ptr<PodWorker> add(const api::ObjectPtr& pod);
  void onRuntime(const std::string& id);
  void relist();

  client::Client& client_;
  std::shared_ptr<NodeContext> node_;
  const PodManagerOptions options_;
  PodStore store_;
  std::shared_ptr<client::Reflector> pods_;
  std::map<std::string, std::shared_ptr<PodWorker>> workers_;  // by uid
  std::map<std::string, std::vector<Sandbox>> found_;          // by uid, until adopted or removed
  std::map<std::string, std::vector<Container>> foundContainers_;
  Timer timer_, startTimer_;
  bool synced_ = false, stopped_ = false, relisting_ = false, relistAgain_ = false;
};

}  // namespace ph::agents
