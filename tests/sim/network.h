// Network: between the engine and everyone else. Messages take time, may be lost, and a link may be cut; who
// waits for an answer that can't come is told so after a while, as over TCP. When the engine dies, all that
// was open with it breaks. Threads: the simulation's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/executor.h"
#include "engine/client/client.h"

namespace ph::sim {

class Link;

class Network {
 public:
  explicit Network(std::shared_ptr<SimExecutor> sim, const api::Registry& registry)
      : sim(std::move(sim)), registry(registry) {}
  const std::shared_ptr<SimExecutor> sim;
  const api::Registry& registry;
  Duration maxDelay = std::chrono::milliseconds(20);
  double loss = 0;  // of a message; breaks a stream

  // The engine's side: makes a client for a user, or null while no engine runs.
  std::function<std::shared_ptr<client::Client>(const std::string& user)> connect;
  // A new life of the engine began, or the old one ended.
  void engineChanged();
  uint64_t life() const { return life_; }

 private:
  friend class Link;
  Duration delay() {
    return maxDelay.count() > 0 ? Duration(int64_t(sim->random().below(uint64_t(maxDelay.count()))))
                                : Duration(0);
  }
  // How long it takes to notice that no answer comes.
  Duration patience() { return std::chrono::milliseconds(500 + sim->random().below(3000)); }
  bool lost() { return loss > 0 && sim->random().unit() < loss; }
  uint64_t life_ = 0;
  std::vector<Link*> links_;  // in the order of their making
};

// One party's way to the engine.
class Link : public client::Client {
 public:
  Link(Network& network, std::string user);
  ~Link() override;
  void cut(bool yes);
  bool isCut() const { return cut_; }

  const api::Registry& registry() const override { return network_.registry; }
  void get(const api::ResourceInfo& info, std::string ns, std::string name,
           client::Callback<api::ObjectPtr> done) override;
  void list(const api::ResourceInfo& info, client::ListOptions options,
            client::Callback<client::ListResult> done) override;
  void write(client::Write write, client::Callback<api::ObjectPtr> done) override;
  void writeAll(std::vector<client::Write> writes,
                std::function<void(std::vector<Result<api::ObjectPtr>>)> done) override;
  std::unique_ptr<client::Watch> watch(const api::ResourceInfo& info, client::WatchOptions options,
                                       std::function<void(std::vector<client::WatchEvent>)> onEvents,
                                       std::function<void(Status)> onEnd) override;
  std::shared_ptr<void> raw(std::string, std::string, std::string, std::string,
                            std::function<void(std::string_view)>,
                            client::Callback<std::string> done) override;

 private:
  friend class Network;
  struct Stream;
  template <class T>
  void call(std::function<void(client::Client&, client::Callback<T>)> ask, client::Callback<T> done);
  void breakAll();
  std::shared_ptr<client::Client> engine();

  Network& network_;
  const std::string user_;
  bool cut_ = false;
  std::shared_ptr<client::Client> client_;
  uint64_t clientLife_ = 0;
  uint64_t next_ = 0;
  std::map<uint64_t, std::function<void()>> waiting_;  // calls not yet answered: how to fail them
  std::map<uint64_t, std::shared_ptr<Stream>> streams_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ph::sim
