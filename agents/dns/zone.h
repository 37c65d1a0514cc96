// Zone: the cluster's names, from Services and Endpoints.
// Source: Kubernetes DNS-Based Service Discovery specification 1.1.0.
// Threads: none of its own; one strand.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "agents/dns/message.h"
#include "engine/api/object.h"

namespace ph::agents::dns {

class Zone {
 public:
  explicit Zone(std::string domain = "cluster.local") : domain_(std::move(domain)) {}

  // Null removes. Both are keyed by "NS/NAME"; a service is answered for only once it is known.
  void setService(const std::string& key, const api::ObjectPtr& service);
  void setEndpoints(const std::string& key, const api::ObjectPtr& endpoints);

  // True when the question is ours to answer (in the domain, or the reverse of an address we serve).
  bool answers(const Query& query) const;
  Answer answer(const Query& query) const;

 private:
  struct Owned { api::ObjectPtr service, endpoints; std::vector<std::string> names; };
  void rebuild(Owned& owned);
  void add(Owned& owned, const std::string& name, uint16_t type, std::string data);
  void addHeadless(Owned& owned, const std::string& base);
  Answer negative(Rcode rcode) const;

  std::string domain_;
  std::unordered_map<std::string, Owned> services_;
  std::unordered_map<std::string, std::vector<Record>> records_;  // by name
};

}  // namespace ph::agents::dns
