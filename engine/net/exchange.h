// Exchange: the Responder of one request. The handler's side puts the answer in, from any thread; the
// connection's session takes it out, on the lane.
#pragma once

#include <mutex>
#include <optional>

#include "engine/net/lane.h"

namespace ph::net {

class Exchange;

// Who carries an exchange's answer to the peer.
class ExchangeOwner {
 public:
  virtual ~ExchangeOwner() = default;
  // Any thread: the exchange has news to take.
  virtual void hasNews(std::shared_ptr<Exchange> exchange) = 0;
};

using UpgradeDone = std::function<void(Result<std::shared_ptr<WebSocket>>)>;

class Exchange final : public Responder, public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(std::shared_ptr<Lane> lane, std::shared_ptr<ExchangeOwner> owner, int32_t streamId)
      : streamId(streamId), lane_(std::move(lane)), owner_(std::move(owner)) {}

  const int32_t streamId;  // HTTP/2; 0 on HTTP/1.1
  // Set before the handler sees the exchange, when the request asks for a WebSocket.
  std::unique_ptr<Request> upgradeRequest;

  // The handler's side.
  void send(Response response) override;
  void begin(int status, Headers headers) override;
  void write(Buffer chunk) override;
  void end() override;
  void abort() override;
  void endWithTrailers(Headers trailers) override;
  size_t buffered() const override { return buffered_.load(std::memory_order_relaxed); }
  void onClose(std::function<void()> callback) override;
  void onDrain(std::function<void()> callback) override;
  void upgrade(std::string subprotocol, UpgradeDone done) override;

  // The session's side: what came since the last take().
  struct News {
    bool head = false;   // status and headers are set
    bool whole = false;  // the body is complete with this head
    bool ended = false;
    bool aborted = false;  // give up what came before, too
    int status = 0;
    Headers headers;
    std::vector<Buffer> chunks;
    std::optional<Headers> trailers;
    UpgradeDone upgraded;  // set when the handler took the upgrade
    std::string subprotocol;
  };
  News take();
  // Bytes went on to the socket; true when that were all there are.
  bool pulled(size_t bytes);
  void runDrain();
  // Nothing more can be answered, or all is; runs the onClose callback. Once.
  void close();

 private:
  enum class State { Open, Begun, Ended };
  void notify(std::unique_lock<std::mutex>& lock);

  const std::shared_ptr<Lane> lane_;
  std::mutex mutex_;
  std::shared_ptr<ExchangeOwner> owner_;  // null after close()
  State state_ = State::Open;
  bool closed_ = false, noticed_ = false;
  News news_;
  std::atomic<size_t> buffered_{0};
  std::function<void()> onClose_;
  std::shared_ptr<const std::function<void()>> onDrain_;
};

}  // namespace ph::net
