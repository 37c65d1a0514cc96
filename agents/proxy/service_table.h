// ServiceTable: the cluster's Services and Endpoints, followed by watches, and kept on the disk for the time when the engine is
// away and the agent starts anew. The proxy and DNS of the node both live from it.
// Threads: the node's strand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/client/reflector.h"

namespace ph::agents::proxy {

class ServiceTable : public std::enable_shared_from_this<ServiceTable> {
 public:
  // `file`: where they are kept; empty: nowhere.
  ServiceTable(client::Client& client, std::shared_ptr<Executor> strand, std::string file);
  ~ServiceTable();
  void start();
  void stop();

  // Something is known: from the API, or from the disk until the API has spoken.
  bool known() const { return loaded_ || synced_; }
  const std::map<std::string, api::ObjectPtr>& services() const { return services_; }
  const std::map<std::string, api::ObjectPtr>& endpoints() const { return endpoints_; }
  // Before start(); several may listen. Changes of Services, of Endpoints; and once, when known() becomes true.
  using Listener = std::function<void(const std::vector<client::Change>&)>;
  void listen(Listener services, Listener endpoints, std::function<void()> onKnown);

 private:
  void load();
  void saveSoon();
  void save();
  void apply(bool services, const std::vector<client::Change>& changes);
  void prune(bool services, client::Reflector& reflector);
  void synced();
  std::shared_ptr<client::Reflector> follow(bool services);

  client::Client& client_;
  std::shared_ptr<Executor> strand_;
  const std::string file_;
  std::map<std::string, api::ObjectPtr> services_, endpoints_;
  std::shared_ptr<client::Reflector> serviceReflector_, endpointsReflector_;
  struct Listening { Listener services, endpoints; std::function<void()> onKnown; };
  std::vector<Listening> listeners_;
  bool loaded_ = false, synced_ = false;
  Timer saveTimer_;
};

}  // namespace ph::agents::proxy
