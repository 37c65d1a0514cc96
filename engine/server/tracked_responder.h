// TrackedResponder: passes an answer on and knows how it ended: it gives the request's seat back, tells the audit log, and answers
// for a handler that takes too long (what that one says later is dropped).
// Threads: as net::Responder.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

#include "engine/net/http.h"
#include "engine/server/fairness/deadlines.h"
#include "engine/server/fairness/limits.h"

namespace ph::server {

// Who hears of an answer. Not called after it has gone.
class AnswerListener {
 public:
  virtual ~AnswerListener() = default;
  // The code is known, and nothing was sent yet; may add headers. Once, on whatever thread answers.
  virtual void onHead(int code, net::Headers& headers) = 0;
  // Nothing was answered in time.
  virtual void onLate() = 0;
};

class TrackedResponder final : public net::Responder,
                               public Timed,
                               public std::enable_shared_from_this<TrackedResponder> {
 public:
  TrackedResponder(std::shared_ptr<net::Responder> to, std::weak_ptr<AnswerListener> listener)
      : to_(std::move(to)), listener_(std::move(listener)) {}
  ~TrackedResponder() override { finish(); }

  // Held until the answer is complete or the client is gone.
  void hold(Seat seat);
  // From here on an answer must come in time. One that is under way may go on as long as its bytes are taken.
  void limit(std::shared_ptr<Deadlines> deadlines, Duration within);

  void send(net::Response response) override;
  void begin(int status, net::Headers headers) override;
  void write(net::Buffer chunk) override;
  void end() override { endWith(nullptr); }
  void abort() override;
  void endWithTrailers(net::Headers trailers) override { endWith(&trailers); }
  size_t buffered() const override { return to_->buffered(); }
  void onClose(std::function<void()> callback) override;
  void onDrain(std::function<void()> callback) override;
  void upgrade(std::string subprotocol, std::function<void(Result<std::shared_ptr<net::WebSocket>>)> done) override;

 private:
  enum class State : uint8_t { Open, Begun, Over };
  void late() override;
  void endWith(net::Headers* trailers);
  void finish();
  void head(int code, net::Headers& headers);

  const std::shared_ptr<net::Responder> to_;
  const std::weak_ptr<AnswerListener> listener_;
  std::atomic<State> state_{State::Open};
  std::atomic<uint32_t> writes_{0};
  uint32_t seenWrites_ = 0;  // by the one late() at a time

  std::mutex mutex_;
  bool finished_ = false;
  Seat seat_;
  std::shared_ptr<Deadlines> deadlines_;
  std::optional<Deadlines::Place> place_;
};

}  // namespace ph::server
