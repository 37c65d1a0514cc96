// Rebalancer: moves pods to where the scheduler would put them today, in the namespaces that ask for it by the label
// pilothouse.io/rebalance=enabled; pods say no for themselves with =disabled. After a machine came (or came back), it takes
// its share. It evicts one pod at a time, by the API's eviction, so disruption budgets hold; only copies of applications that
// have others (two and more, all ready, none on its way), and none with data of its own on the machine (emptyDir, hostPath).
// Threads: none of its own; everything on the scheduler's strand.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "engine/base/executor.h"
#include "engine/client/client.h"
#include "engine/client/event_recorder.h"
#include "engine/client/reflector.h"
#include "engine/scheduler/framework/rebalance.h"

namespace ph::scheduler {

inline constexpr const char* kRebalanceLabel = "pilothouse.io/rebalance";

class Rebalancer : public std::enable_shared_from_this<Rebalancer> {
 public:
  // `quiet`: no pod is about to get a place, or waits for its binding. `cluster`, `chooser` and `client` are used until stop().
  Rebalancer(client::Client& client, std::shared_ptr<Executor> strand, std::shared_ptr<client::EventRecorder> events, Cluster& cluster,
             Chooser& chooser, std::function<bool()> quiet);
  void start();
  void stop();

 private:
  struct Group {  // the pods of one owner
    int pods = 0;
    bool whole = true;
  };

  void onNamespaces(const std::vector<client::Change>& changes);
  void arm();
  void look();
  std::unordered_map<std::string, Group> groups() const;
  bool movable(const PodInfo& pod, const std::unordered_map<std::string, Group>& groups) const;
  void evict(Relocation r);

  client::Client& client_;
  const std::shared_ptr<Executor> strand_;
  const std::shared_ptr<client::EventRecorder> events_;
  Cluster& cluster_;
  Chooser& chooser_;
  const std::function<bool()> quiet_;
  const client::ResourceInfo *pods_, *namespaces_;
  std::shared_ptr<client::Reflector> reflector_;
  std::set<std::string, std::less<>> enabled_;          // namespaces
  std::unordered_map<std::string, MonoTime> resting_;   // by owner: not before this
  size_t skip_ = 0;
  Timer timer_;
  bool armed_ = false, evicting_ = false, stopped_ = false;
};

}  // namespace ph::scheduler
