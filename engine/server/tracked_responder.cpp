#include "engine/server/tracked_responder.h"

namespace ph::server {

void TrackedResponder::hold(Seat seat) {
  std::lock_guard lock(mutex_);
  if (!finished_) seat_ = std::move(seat);
}

void TrackedResponder::limit(std::shared_ptr<Deadlines> deadlines, Duration within) {
  std::lock_guard lock(mutex_);
  if (finished_ || place_) return;
  deadlines_ = std::move(deadlines);
  place_ = deadlines_->add(within, weak_from_this());
}

void TrackedResponder::head(int code, net::Headers& headers) {
  if (auto listener = listener_.lock()) listener->onHead(code, headers);
}

void TrackedResponder::send(net::Response response) {
  auto open = State::Open;
  if (!state_.compare_exchange_strong(open, State::Over, std::memory_order_acq_rel)) return;
  head(response.status, response.headers);
  to_->send(std::move(response));
  finish();
}

void TrackedResponder::begin(int status, net::Headers headers) {
  auto open = State::Open;
  if (!state_.compare_exchange_strong(open, State::Begun, std::memory_order_acq_rel)) return;
  head(status, headers);
  to_->begin(status, std::move(headers));
}

void TrackedResponder::write(net::Buffer chunk) {
  if (state_.load(std::memory_order_acquire) != State::Begun) return;
  writes_.fetch_add(1, std::memory_order_relaxed);
  to_->write(std::move(chunk));
}

void TrackedResponder::endWith(net::Headers* trailers) {
  auto begun = State::Begun;
  if (!state_.compare_exchange_strong(begun, State::Over, std::memory_order_acq_rel)) return;
  if (trailers)
    to_->endWithTrailers(std::move(*trailers));
  else
    to_->end();
  finish();
}

void TrackedResponder::abort() {
  auto begun = State::Begun;
  if (!state_.compare_exchange_strong(begun, State::Over, std::memory_order_acq_rel)) return;
  to_->abort();
  finish();
}

void TrackedResponder::onClose(std::function<void()> callback) {
  to_->onClose([self = shared_from_this(), callback = std::move(callback)] {
    callback();
    self->finish();
  });
}

void TrackedResponder::onDrain(std::function<void()> callback) { to_->onDrain(std::move(callback)); }

// The seat is held for as long as the handler keeps this: the answer goes on as messages.
void TrackedResponder::upgrade(std::string subprotocol,
                               std::function<void(Result<std::shared_ptr<net::WebSocket>>)> done) {
  if (state_.load(std::memory_order_acquire) != State::Open) return done(Status::badRequest("the request was answered already"));
  auto self = shared_from_this();
  to_->upgrade(std::move(subprotocol), [self, done = std::move(done)](Result<std::shared_ptr<net::WebSocket>> socket) {
    auto open = State::Open;
    net::Headers none;
    if (socket.ok() && self->state_.compare_exchange_strong(open, State::Over, std::memory_order_acq_rel))
      self->head(101, none);
    done(std::move(socket));  // when it failed the handler says so
  });
}

void TrackedResponder::late() {
  auto state = state_.load(std::memory_order_acquire);
  if (state == State::Open) {
    if (auto listener = listener_.lock()) listener->onLate();
  } else if (state == State::Begun) {
    auto writes = writes_.load(std::memory_order_relaxed);
    if (writes == seenWrites_) return abort();  // a list that ended well here would look whole
    seenWrites_ = writes;
  }
}

void TrackedResponder::finish() {
  Seat seat;
  std::lock_guard lock(mutex_);
  if (finished_) return;
  finished_ = true;
  seat = std::move(seat_);
  if (place_) deadlines_->remove(*place_);
  place_.reset();
}

}  // namespace ph::server
