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
  // Called with "NS/NAME" of what changed, service or endpoints. Several may listen.
  void onChange(std::function<void(const std::string& key)> callback) { listeners_.push_back(std::move(callback)); }
  // Called once when known() becomes true.
  void onKnown(std::function<void()> callback) { onKnown_.push_back(std::move(callback)); }

 private:
  void load();
  void saveSoon();
  void save();
  void apply(std::map<std::string, api::ObjectPtr>& to, const std::vector<client::Change>& changes);
  void synced();
  std::shared_ptr<client::Reflector> follow(const char* plural, std::map<std::string, api::ObjectPtr>& to);

  client::Client& client_;
  std::shared_ptr<Executor> strand_;
  const std::string file_;
  std::map<std::string, api::ObjectPtr> services_, endpoints_;
  std::shared_ptr<client::Reflector> serviceReflector_, endpointsReflector_;
  std::vector<std::function<void(const std::string&)>> listeners_;
  std::vector<std::function<void()>> onKnown_;
  bool loaded_ = false, synced_ = false;
  Timer saveTimer_;
};

}  // namespace ph::agents::proxy
