// ServerConnection: one accepted connection: handshake, choice of the HTTP version, reading, writing,
// time-outs. Threads: hasNews() from any; the rest on the connection's lane.
#pragma once

#include <atomic>

#include "engine/net/session.h"
#include "engine/net/stream.h"
#include "engine/net/tls.h"

namespace ph::net {

class ServerConnection;
class WebSocketConnection;

// What all connections of one server share.
struct ServerShared {
  Handler handler;
  ServerLimits limits;
  std::atomic<size_t> receiving{0};  // bytes of bodies that are arriving
  std::atomic<bool> stopping{false};  // set before the connections are told, so that no answer after it promises more
  // A connection is gone. Any lane.
  std::function<void(const std::shared_ptr<ServerConnection>&)> onGone;
};

class ServerConnection final : public Wakeable,
                               public ExchangeOwner,
                               public SessionHost,
                               public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(std::shared_ptr<ServerShared> server, std::shared_ptr<Lane> lane, Peer peer)
      : server_(std::move(server)), lane_(std::move(lane)), peer_(std::move(peer)) {}
  ~ServerConnection() override;

  const std::shared_ptr<Lane>& laneRef() const { return lane_; }
  void start(int fd, const std::shared_ptr<TlsContext>& tls);
  void beginStop();
  void close();

  void onWake() override;
  void hasNews(std::shared_ptr<Exchange> exchange) override;

  const ServerLimits& limits() const override { return server_->limits; }
  bool stopping() const override { return server_->stopping.load(std::memory_order_acquire); }
  Lane& lane() override { return *lane_; }
  bool takeBodyBytes(size_t bytes) override {
    return server_->receiving.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limits().maxReceiving;
  }
  void giveBodyBytes(size_t bytes) override { server_->receiving.fetch_sub(bytes, std::memory_order_relaxed); }
  std::shared_ptr<Exchange> newExchange(int32_t streamId) override;
  void dispatch(Request request, std::shared_ptr<Exchange> exchange) override;
  void closeSoon(std::shared_ptr<Exchange> exchange) override { closing_.push_back(std::move(exchange)); }
  void drainSoon(std::shared_ptr<Exchange> exchange) override { draining_.push_back(std::move(exchange)); }
  void upgradeSoon(std::shared_ptr<Exchange> exchange, Exchange::News news, std::string received) override;

 private:
  void waitReadable();
  void wake();
  void handleRequests();
  void onReadable();
  bool shakeHands();
  void readAvailable();
  void accept(std::string_view bytes);
  void detect(std::string_view bytes);
  void flush();
  bool writeOut();
  void runCallbacks();
  void waitWritable();
  void linger();
  void upgrade();
  void setDeadline();
  void onDeadline();

  const std::shared_ptr<ServerShared> server_;
  const std::shared_ptr<Lane> lane_;
  Peer peer_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Session> session_;
  std::optional<Deadline> deadline_;
  std::shared_ptr<WebSocketConnection> webSocket_;
  std::vector<std::pair<Request, std::shared_ptr<Exchange>>> requests_;  // read, and to be handled at the next wake
  std::string prefix_;  // first bytes, until they tell the version
  bool handshaking_ = false, waitingRead_ = false, waitingWrite_ = false;
  bool inputEnded_ = false, lingering_ = false, stopping_ = false, closed_ = false;
  bool inReadable_ = false;
  bool flushFollows_ = false;  // news that come now need no wake
  size_t discarded_ = 0;
  MonoTime started_{}, stalledSince_{}, lingerUntil_{};
  std::vector<std::shared_ptr<Exchange>> closing_, draining_;
  struct Upgrade {
    std::shared_ptr<Exchange> exchange;
    Exchange::News news;
    std::string received;
  };
  std::optional<Upgrade> upgrade_;

  std::mutex mutex_;  // guards the next two
  std::vector<std::shared_ptr<Exchange>> news_;
  bool woken_ = false;
};

}  // namespace ph::net
