// Runner: drives all controllers. It watches each kind once, turns changes into keys, and calls the pure
// reconcile function of each key; the plans of many keys go out as one asynchronous batch of writes. A key
// has one plan in flight. It is looked at again only once the reflectors have seen every revision that its
// last plan wrote, so a plan is never made on a picture that lacks the plan before it (no double pods, no
// counting of expectations). A plan with a failed step comes again with back-off; Plan::again brings a key
// back by itself. Threads: start() and stop() from any thread; all else on `strand`. Nothing here blocks or
// makes threads.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/client/event_recorder.h"
#include "engine/client/reflector.h"
#include "engine/client/work_queue.h"
#include "engine/controllers/plan.h"
#include "engine/controllers/snapshot.h"

namespace ph::controllers {

// Where a change sends its keys ("NS/NAME" or "NAME").
using Keys = std::vector<std::string>;

struct WatchSpec {
  const ResourceInfo* kind = nullptr;  // null: every kind of the registry, those added later too
  // On the strand, after the snapshot holds the change. Appends the keys to look at.
  std::function<void(const Snapshot&, const client::Change&, Keys&)> keys;
};

struct ControllerSpec {
  std::string name;  // "replicaset-controller": also the events' source
  std::vector<WatchSpec> watches;
  std::function<Plan(const Snapshot&, const Key&, Moment)> reconcile;
  std::vector<std::string> initialKeys;     // looked at once all kinds are synced (singletons)
  Duration minInterval = Duration::zero();  // at least this long between two plans of one key
};

// The key of the changed object itself.
void keySelf(const Snapshot& snapshot, const client::Change& change, Keys& keys);

struct Flight;  // one key's plan on its way

class Runner : public std::enable_shared_from_this<Runner> {
  struct Private {};

 public:
  struct Options {
    size_t maxBatchWrites = 1000;  // a batch goes out when it holds as many
    size_t maxInFlight = 8;        // batches not yet answered
    size_t maxVerifying = 1000;    // plans that ask for absences
    int maxKeysPerTurn = 256;      // keys reconciled before others on the strand get their turn
    Duration settleLimit = std::chrono::seconds(30);  // a revision not seen after this long is given up on
    Duration tick = std::chrono::seconds(1);          // how often the clocks are compared
    Duration tickSlack =
        std::chrono::milliseconds(1500);  // a tick later than this, or clocks apart by it: a jump
    client::Reflector::Options reflector;
    std::string host;  // of events
  };
  struct Stats {
    uint64_t reconciles = 0, writes = 0, conflicts = 0, failures = 0, clockJumps = 0;
  };

  // `client` must outlive the runner's last task: destroy it after stop() has run and its executor is idle.
  static std::shared_ptr<Runner> make(client::Client& client, std::shared_ptr<Executor> executor,
                                      Options options);
  Runner(Private, client::Client& client, std::shared_ptr<Executor> strand, Options options);
  ~Runner();

  void add(ControllerSpec spec);  // before start()
  void start();
  void stop();

  const Snapshot& snapshot() const { return snapshot_; }  // on the strand
  bool synced() const { return synced_; }                 // any thread
  Stats stats() const;                                    // any thread

 private:
  struct Controller;
  struct KindState {
    std::shared_ptr<client::Reflector> reflector;
    std::vector<std::pair<Controller*, const WatchSpec*>> watchers;
    // Keys that wait for a revision of this kind to be seen.
    std::multimap<int64_t, std::shared_ptr<Flight>> waiting;
    bool everConnected = false;
  };

  void startKinds();
  void scanRegistry();
  void startKind(const ResourceInfo* kind);
  void onChanges(const ResourceInfo* kind, const std::vector<client::Change>& changes);
  void onSynced(const ResourceInfo* kind);
  void onConnected(const ResourceInfo* kind, bool up);
  void schedulePump();
  void pump();
  bool pumpOne(Controller& controller, std::vector<Write>& batch,
               std::vector<std::shared_ptr<Flight>>& flights);
  void verify(std::shared_ptr<Flight> flight, size_t at);
  void verified(const std::shared_ptr<Flight>& flight, size_t at, Result<> gone);
  void send(std::vector<Write> batch, std::vector<std::shared_ptr<Flight>> flights);
  void answered(std::vector<std::shared_ptr<Flight>> flights, std::vector<Result<ObjectPtr>> results);
  bool stepDone(Flight& flight, const Step& step, const Result<ObjectPtr>& result);
  void settle(const std::shared_ptr<Flight>& flight);
  void land(Flight& flight);
  void seen(KindState& kind);
  void tick();
  bool full() const { return inFlight_ >= options_.maxInFlight || verifying_ >= options_.maxVerifying; }
  Moment now() const { return {strand_->wallNow(), strand_->monoNow()}; }

  client::Client& client_;
  const std::shared_ptr<Executor> strand_;
  const Options options_;
  Snapshot snapshot_;
  std::shared_ptr<client::EventRecorder> recorder_;
  std::vector<std::unique_ptr<Controller>> controllers_;
  std::map<std::string, KindState> kinds_;  // by keyPrefix: in an order that does not depend on addresses
  size_t nextController_ = 0;
  size_t inFlight_ = 0, verifying_ = 0;
  bool pumpPosted_ = false, stopped_ = false;
  std::atomic<bool> synced_{false};
  Timer ticker_;
  Moment lastTick_;
  int ticks_ = 0;
  struct Counters;
  std::unique_ptr<Counters> counters_;
};

}  // namespace ph::controllers
