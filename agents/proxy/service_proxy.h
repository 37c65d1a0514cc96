// ServiceProxy: keeps the machine's service rules in step with Services and Endpoints. Changes that come together become
// one atomic replacement of the table; only one is under way at a time, the newest state wins, a failure is tried again.
// Threads: the strand given.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agents/proxy/rules.h"
#include "engine/base/executor.h"
#include "engine/client/reflector.h"

namespace ph::agents::proxy {

class ServiceProxy : public std::enable_shared_from_this<ServiceProxy> {
  struct Private {};

 public:
  // Loads a script (`nft -f -`) and calls back on any thread.
  using Apply = std::function<void(std::string script, std::function<void(Result<>)> done)>;
  struct Options {
    NodeNetwork network;
    Duration gather = std::chrono::milliseconds(30);   // changes within it share one replacement
    Duration retry = std::chrono::seconds(2);
  };
  static std::shared_ptr<ServiceProxy> make(std::shared_ptr<Executor> strand, Apply apply, Options options);
  ServiceProxy(Private, std::shared_ptr<Executor> strand, Apply apply, Options options);

  void onServices(const std::vector<client::Change>& changes);
  void onEndpoints(const std::vector<client::Change>& changes);
  // Nothing is loaded before both kinds are known: half a table would refuse what works.
  void onSynced() { ++synced_, soon(options_.gather); }
  void setNetwork(NodeNetwork network);
  // Ports of the machine that lead into a pod (hostPort); empty when it has none (any more).
  void setHostPorts(const std::string& pod, std::vector<ServicePort> ports);
  const std::string& lastError() const { return error_; }

 private:
  struct Entry { api::ObjectPtr service, endpoints; std::vector<ServicePort> ports; };
  void update(const std::string& key);
  void soon(Duration delay);
  void load();

  const std::shared_ptr<Executor> strand_;
  const Apply apply_;
  Options options_;
  std::map<std::string, Entry> entries_;  // by "NS/NAME", so that the script's order is stable
  std::map<std::string, std::vector<ServicePort>> hostPorts_;  // by pod
  std::string loaded_;                    // the script in force; empty: none of ours
  std::string error_;
  Timer timer_;
  int synced_ = 0;
  bool loading_ = false, dirty_ = false;
};

}  // namespace ph::agents::proxy
