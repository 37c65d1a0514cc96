// DnsServer: answers for the cluster's names from the Zone, and asks the machine's own resolvers for all others.
// Threads: any; everything happens on `strand`.
#pragma once

#include <functional>
#include <memory>

#include "agents/dns/zone.h"
#include "engine/client/reflector.h"
#include "engine/net/messages.h"

namespace ph::agents::dns {

class DnsServer : public std::enable_shared_from_this<DnsServer> {
  struct Private {};

 public:
  struct Options {
    std::string domain = "cluster.local";
    std::vector<std::string> upstreams;  // "10.0.0.1:53", asked in turn
    Duration upstreamTimeout = std::chrono::seconds(2);
    size_t maxForwarded = 1000;          // questions under way upstream; more are refused (SERVFAIL)
  };
  static std::shared_ptr<DnsServer> make(std::shared_ptr<net::Io> io, std::shared_ptr<Executor> strand, Options options);
  DnsServer(Private, std::shared_ptr<net::Io> io, std::shared_ptr<Executor> strand, Options options);

  // Begins to answer at "ADDR:PORT"; the address must be one of this machine's. May be tried again after a failure.
  Result<> listen(const std::string& address);
  std::string address() const { return server_ ? server_->address() : std::string(); }
  // From reflectors of Services and Endpoints (on the strand).
  void onServices(const std::vector<client::Change>& changes);
  void onEndpoints(const std::vector<client::Change>& changes);

  // "nameserver" lines of a resolv.conf, with ":53"; `except` (our own address) is left out.
  static std::vector<std::string> upstreamsIn(const std::string& resolvConf, const std::string& except);

 private:
  void onMessage(std::string message, bool stream, net::MessageServer::Reply reply);
  void forward(Query query, std::string message, bool stream, size_t upstream, net::MessageServer::Reply reply);
  static void refuse(const Query& query, const std::string& message, Rcode rcode, const net::MessageServer::Reply& reply);

  const std::shared_ptr<net::Io> io_;
  const std::shared_ptr<Executor> strand_;
  const Options options_;
  Zone zone_;
  size_t forwarded_ = 0;
  std::unique_ptr<net::MessageServer> server_;
};

}  // namespace ph::agents::dns
