#include "agents/dns/server.h"

#include <sstream>

namespace ph::agents::dns {

std::shared_ptr<DnsServer> DnsServer::make(std::shared_ptr<net::Io> io, std::shared_ptr<Executor> strand, Options options) {
  return std::make_shared<DnsServer>(Private{}, std::move(io), std::move(strand), std::move(options));
}

DnsServer::DnsServer(Private, std::shared_ptr<net::Io> io, std::shared_ptr<Executor> strand, Options options)
    : io_(std::move(io)), strand_(std::move(strand)), options_(std::move(options)), zone_(options_.domain) {}

Result<> DnsServer::listen(const std::string& address) {
  PH_ASSIGN(server_, net::MessageServer::listen(
                         io_, address,
                         [weak = weak_from_this(), strand = strand_](std::string message, bool stream, auto reply) {
                           strand->post([weak, message = std::move(message), stream, reply = std::move(reply)] {
                             if (auto self = weak.lock()) self->onMessage(message, stream, reply);
                           });
                         }));
  return {};
}

void DnsServer::onServices(const std::vector<client::Change>& changes) {
  for (auto& c : changes) zone_.setService(c.any()->key(), c.now);
}

void DnsServer::onEndpoints(const std::vector<client::Change>& changes) {
  for (auto& c : changes) zone_.setEndpoints(c.any()->key(), c.now);
}

void DnsServer::refuse(const Query& query, const std::string& message, Rcode rcode,
                       const net::MessageServer::Reply& reply) {
  reply(encodeAnswer(query, {.rcode = rcode, .authoritative = false}, message, query.maxAnswer));
}

void DnsServer::onMessage(std::string message, bool stream, net::MessageServer::Reply reply) {
  auto query = parseQuery(message);
  if (!query.ok()) return;  // not even an id to answer to
  if (query->opcode != 0) return refuse(*query, message, kNotImp, reply);
  if (zone_.answers(*query))
    return reply(encodeAnswer(*query, zone_.answer(*query), message, stream ? 65535 : query->maxAnswer));
  forward(*query, std::move(message), stream, 0, std::move(reply));
}

void DnsServer::forward(Query query, std::string message, bool stream, size_t upstream,
                        net::MessageServer::Reply reply) {
  if (upstream >= options_.upstreams.size() || forwarded_ >= options_.maxForwarded)
    return refuse(query, message, kServFail, reply);
  ++forwarded_;
  net::exchangeMessage(
      io_, options_.upstreams[upstream], message, stream, options_.upstreamTimeout,
      [weak = weak_from_this(), strand = strand_, query, message, stream, upstream, reply](Result<std::string> answer) {
        strand->post([weak, query, message, stream, upstream, reply, answer = std::move(answer)] {
          auto self = weak.lock();
          if (!self) return;
          --self->forwarded_;
          if (answer.ok()) reply(*answer);
          else self->forward(query, message, stream, upstream + 1, reply);
        });
      });
}

std::vector<std::string> DnsServer::upstreamsIn(const std::string& resolvConf, const std::string& except) {
  std::vector<std::string> out;
  std::istringstream lines(resolvConf);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string word, address;
    if (!(words >> word >> address) || word != "nameserver" || address == except) continue;
    out.push_back(address.find(':') == std::string::npos ? address + ":53" : "[" + address + "]:53");
  }
  return out;
}

}  // namespace ph::agents::dns
