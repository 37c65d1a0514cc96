// The Machine controller's decisions: watch Machines and Nodes, keep one piece of work per machine under way, write what is so.
// Threads: everything on `strand_` unless a member says otherwise.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

#include "engine/client/event_recorder.h"
#include "engine/client/reflector.h"
#include "engine/fleet/fleet.h"
#include "engine/fleet/join.h"
#include "engine/fleet/machine_record.h"

namespace ph::fleet {

inline constexpr const char* kFinalizer = "fleet.pilothouse.io/machine";
// On a Machine: "true" removes, with the machine, the packages that were installed for it.
inline constexpr const char* kRemovePackages = "fleet.pilothouse.io/remove-packages";

class Controller : public std::enable_shared_from_this<Controller> {
 public:
  Controller(client::Client& client, std::shared_ptr<Executor> executor, Options options);

  void start();                                                    // any thread
  void stop();                                                     // any thread but the strand's; waits
  std::shared_ptr<net::HttpClient> agent(const std::string& node);  // any thread

 private:
  using Record = std::shared_ptr<MachineRecord>;
  using Doing = MachineRecord::Doing;

  // What comes in.
  void onMachines(const std::vector<client::Change>& changes);
  void onNodes(const std::vector<client::Change>& changes);
  void reconcile(const Record& r);
  void post(std::function<void(Controller&)> task);  // any thread

  // Join (join_flow.cpp).
  void beginJoin(const Record& r);
  void onProgress(const Record& r, uint64_t epoch, const JoinProgress& p);
  void onJoined(const Record& r, uint64_t epoch, std::shared_ptr<Result<Joined>> result);
  void onLost(const Record& r, uint64_t epoch, const std::string& reason);
  void lookAtNode(const Record& r);
  void failed(const Record& r, const Status& why);
  void tryAgain(const Record& r, Duration delay);
  void abandon(const Record& r);  // whatever is under way, the link too
  void link(const Record& r, std::unique_ptr<SshSession> session);
  JoinPlan planFor(const Record& r) const;
  Access accessOf(const Record& r) const;

  // The Node's labels, taints and schedulability follow the Machine (node_sync.cpp).
  void syncNode(const Record& r);

  // Removal (removal.cpp).
  void beginRemoval(const Record& r);
  void emptyNode(const Record& r, uint64_t epoch);
  void endPods(const std::vector<api::ObjectPtr>& pods);
  void cleanMachine(const Record& r, uint64_t epoch, MonoTime deadline);
  void forget(const Record& r, uint64_t epoch);
  void dropFinalizer(const Record& r, uint64_t epoch);

  // What goes out (controller.cpp).
  void flush(const Record& r);
  void addFinalizer(const Record& r);
  void event(const Record& r, bool warning, const std::string& reason, const std::string& message);
  void write(client::Write w, std::function<void(Controller&, const Result<api::ObjectPtr>&)> then);
  void setPhase(const Record& r, const std::string& phase, const std::string& message);
  void setProgress(const Record& r, const std::string& step, int percent);
  std::shared_ptr<Cancel> newCancel();
  void drop(const std::shared_ptr<Cancel>& cancel);
  WallTime now() const { return executor_->wallNow(); }
  bool current(const Record& r, uint64_t epoch) const { return !stopped_ && r->epoch == epoch && r->object; }

  client::Client& client_;
  const std::shared_ptr<Executor> executor_, strand_;
  const Options options_;
  const api::ResourceInfo *machines_, *nodes_, *pods_, *leases_;
  std::shared_ptr<client::EventRecorder> events_;
  std::shared_ptr<client::Reflector> machineCache_, nodeCache_;
  std::map<std::string, Record> records_;
  std::atomic<bool> stopped_{false};

  std::shared_ptr<Executor> pool_;     // blocking work
  std::shared_ptr<SshPoller> poller_;

  std::mutex mutex_;                   // what follows
  std::set<std::shared_ptr<Cancel>> cancels_;
  struct Way {
    std::shared_ptr<net::HttpClient> client;
    std::shared_ptr<std::atomic<SshPoller::Id>> link;
  };
  std::unordered_map<std::string, Way> ways_;  // by node
};

}  // namespace ph::fleet
