// ClientExchange: one request of HttpClient's user: the body goes in from any thread, events come out on the
// lane.
#pragma once

#include <mutex>

#include "engine/net/lane.h"

namespace ph::net {

class ClientExchange;

// Who works on exchanges.
class ClientExchangeOwner {
 public:
  virtual ~ClientExchangeOwner() = default;
  virtual void hasNews(std::shared_ptr<ClientExchange> exchange) = 0;  // any thread
};

class ClientExchange : public std::enable_shared_from_this<ClientExchange> {
 public:
  ClientExchange(std::weak_ptr<ClientExchangeOwner> owner, std::shared_ptr<const std::atomic<bool>> ownerGone,
                 Request request, StreamCallbacks callbacks, bool openBody, MonoTime deadline)
      : request(std::move(request)),
        openBody(openBody),
        deadline(deadline),
        owner_(std::move(owner)),
        ownerGone_(std::move(ownerGone)),
        callbacks_(std::move(callbacks)),
        buffered_(openBody ? this->request.body.size() : 0) {}

  // Lane only.
  Request request;
  const bool openBody;
  const MonoTime deadline;  // max: none
  bool started = false;     // has been given to a connection or waits for one
  int32_t streamId = 0;     // HTTP/2

  // The user's side, any thread.
  void write(Buffer chunk);
  void endBody();
  void cancel();
  void pause(bool paused);
  size_t buffered() const { return buffered_.load(std::memory_order_relaxed); }

  // The lane's side.
  struct News {
    std::vector<Buffer> chunks;
    bool ended = false;
  };
  News take();
  void pulled(size_t bytes) { buffered_.fetch_sub(bytes, std::memory_order_relaxed); }
  bool cancelled() const {
    return cancelled_.load(std::memory_order_acquire) || ownerGone_->load(std::memory_order_acquire);
  }
  bool paused() const { return paused_.load(std::memory_order_acquire); }
  bool ended() const { return ended_; }
  void deliverHead(int status, const Headers& headers);
  void deliverData(std::string_view data);
  void deliverEnd(Result<Headers> trailers);  // the first counts

 private:
  void notify(std::unique_lock<std::mutex>& lock);

  const std::weak_ptr<ClientExchangeOwner> owner_;
  const std::shared_ptr<const std::atomic<bool>> ownerGone_;
  StreamCallbacks callbacks_;
  bool ended_ = false;
  std::atomic<bool> cancelled_{false}, paused_{false};
  std::atomic<size_t> buffered_{0};
  std::mutex mutex_;  // guards the next two
  News news_;
  bool noticed_ = false;
};

}  // namespace ph::net
