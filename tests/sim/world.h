// World: a whole cluster in one process on a virtual clock, from one seed: the engine with its store, its
// server's verbs, controllers and scheduler; hollow nodes; users; a network between them; and what goes
// wrong. run() lives through a stretch of faults, then heals everything, and says what was not as it must be.
// Threads: one; several worlds may run on threads of their own.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agents/hollow.h"
#include "engine/controllers/controllers.h"
#include "engine/scheduler/scheduler.h"
#include "engine/server/core.h"
#include "tests/sim/disk.h"
#include "tests/sim/network.h"
#include "tests/sim/watcher.h"

namespace ph::sim {

struct Options {
  int nodes = 10;
  int pods = 100;  // about as many are wanted
  Duration trouble = std::chrono::seconds(45);
  Duration healing = std::chrono::seconds(240);  // at most
  std::string tell;                              // prints each change of keys that contain this
};

struct Report {
  std::string broken;  // empty: all as it must be
  int podsMade = 0, bindings = 0, crashes = 0, nodesLost = 0, cuts = 0, acknowledged = 0;
  int64_t revisions = 0;
  Duration settled{};  // from the end of the faults until all was as wanted
  std::vector<std::pair<uint64_t, std::string>> trace;
  std::string text() const;
};

class World {
 public:
  World(uint64_t seed, Options options);
  ~World();
  Report run();

 private:
  struct Engine;
  struct Machine {
    std::string name;
    uint32_t number = 0;
    std::unique_ptr<Link> link;
    std::unique_ptr<agents::HollowNode> node;  // null: powered off
  };
  struct App {
    int replicas = 0, image = 1, cpu = 100;
    bool wanted = true;
    bool everywhere = false;  // a DaemonSet: one pod on each machine
    bool surge = false;       // how it rolls out
  };
  // A key that a user writes: what was acknowledged last, and what was asked for since (either may hold).
  struct Promise {
    std::string acknowledged;
    std::set<std::string> asked;
    bool busy = false;
  };

  void startEngine();
  void crashEngine();
  void powerOn(Machine& machine);
  void powerOff(Machine& machine);
  void userMakesApps();
  void askToRebalance();
  void userWrites();
  void asUser(client::Write write, std::function<void(Result<client::ObjectPtr>)> done);
  void applyApp(const std::string& name);
  void deleteApp(const std::string& name);
  std::string manifest(const std::string& name, const App& app) const;
  const api::ResourceInfo* kindOf(const App& app) const {
    return kind("apps", app.everywhere ? "daemonsets" : "deployments");
  }
  static bool saysSo(const api::Object& object, const App& app);  // its status: that all is as wanted
  void trouble();
  void heal();
  std::string unsettled();    // why it is not yet as wanted; empty: it is
  std::string restless();     // why rebalancing has not come to rest
  std::string lostPromise();  // what was acknowledged and is not there; empty: none
  const api::ResourceInfo* kind(std::string_view group, std::string_view plural) const;
  uint64_t below(uint64_t n) { return sim_->random().below(n); }
  Duration ms(uint64_t from, uint64_t to) { return std::chrono::milliseconds(from + below(to - from)); }

  const Options options_;
  std::shared_ptr<SimExecutor> sim_;
  std::shared_ptr<api::Registry> registry_;
  Watcher watcher_;
  Disk disk_;
  Network network_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::unique_ptr<Engine>> past_;  // tasks of dead engines may still hold on to them
  std::vector<Machine> machines_;
  std::unique_ptr<Link> user_;
  std::map<std::string, App> apps_;
  std::map<std::string, Promise> promises_;
  int writes_ = 0;
  bool troubled_ = false, rebalances_ = false;
  Report report_;
};

}  // namespace ph::sim
