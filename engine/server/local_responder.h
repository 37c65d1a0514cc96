// LocalResponder: the answer to a request made inside the process. Threads: as net::Responder; its callbacks come on a strand.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "engine/base/executor.h"
#include "engine/net/http.h"

namespace ph::server {

class LocalResponder : public net::Responder, public std::enable_shared_from_this<LocalResponder> {
 public:
  // `onData` may be null: then the whole answer comes with `done` (up to maxWhole bytes). Answers of 400 and more
  // become a Status.
  LocalResponder(std::shared_ptr<Executor> strand, std::function<void(std::string_view)> onData,
                 std::function<void(Result<std::string>)> done);

  void send(net::Response response) override;
  void begin(int status, net::Headers headers) override;
  void write(net::Buffer chunk) override;
  void end() override;
  size_t buffered() const override { return waiting_.load(std::memory_order_acquire); }
  void onClose(std::function<void()> callback) override;
  void onDrain(std::function<void()> callback) override;
  void upgrade(std::string subprotocol,
               std::function<void(Result<std::shared_ptr<net::WebSocket>>)> done) override;

  void cancel();
  void fail(Status status);

 private:
  static constexpr size_t kMaxWhole = 64 * 1024 * 1024;
  void take(const net::Buffer& chunk);
  void finish();

  std::shared_ptr<Executor> strand_;
  std::function<void(std::string_view)> onData_;
  std::function<void(Result<std::string>)> done_;  // used on the strand only
  std::atomic<size_t> waiting_{0};
  std::atomic<bool> over_{false};
  std::atomic<int> status_{200};
  std::string whole_;  // on the strand
  std::mutex mutex_;   // of the two callbacks
  std::function<void()> onClose_, onDrain_;
};

}  // namespace ph::server
