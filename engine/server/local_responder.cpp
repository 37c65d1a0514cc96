#include "engine/server/local_responder.h"

#include "engine/api/codec.h"
#include "engine/server/json_util.h"

namespace ph::server {
namespace {

Status toStatus(int code, const std::string& body) {
  auto tree = api::parseJson(body);
  Status status = Status::internal(body);
  status.code = code;
  if (!tree.ok()) return status;
  auto* object = tree->if_object();
  status.message = textAt(object, "message");
  if (auto reason = textAt(object, "reason"); !reason.empty()) status.reason = reason;
  if (auto* details = objectAt(*tree, "details")) {
    status.name = textAt(details, "name");
    status.kind = textAt(details, "kind");
    status.group = textAt(details, "group");
    status.retryAfterSeconds = int(intAt(details, "retryAfterSeconds"));
    auto* causes = details->if_contains("causes");
    for (auto& c : causes && causes->is_array() ? causes->get_array() : JsonArray()) {
      auto* cause = c.if_object();
      status.causes.push_back({std::string(textAt(cause, "reason")), std::string(textAt(cause, "message")), std::string(textAt(cause, "field"))});
    }
  }
  return status;
}

}  // namespace

LocalResponder::LocalResponder(std::shared_ptr<Executor> strand, std::function<void(std::string_view)> onData,
                               std::function<void(Result<std::string>)> done)
    : strand_(std::move(strand)), onData_(std::move(onData)), done_(std::move(done)) {}

void LocalResponder::send(net::Response response) {
  status_ = response.status;
  for (auto& chunk : response.body) write(std::move(chunk));
  end();
}

void LocalResponder::begin(int status, net::Headers) { status_ = status; }

void LocalResponder::write(net::Buffer chunk) {
  if (!chunk || over_) return;
  waiting_.fetch_add(chunk->size(), std::memory_order_acq_rel);
  strand_->post([self = shared_from_this(), chunk = std::move(chunk)] { self->take(chunk); });
}

void LocalResponder::take(const net::Buffer& chunk) {
  if (!over_) {
    if (onData_ && status_ < 400)
      onData_(*chunk);
    else if (whole_.size() + chunk->size() <= kMaxWhole)
      whole_ += *chunk;
    else
      fail(Status::tooLarge("the answer is too large"));
  }
  if (waiting_.fetch_sub(chunk->size(), std::memory_order_acq_rel) != chunk->size()) return;
  std::function<void()> drain;
  {
    std::lock_guard lock(mutex_);
    drain = onDrain_;
  }
  if (drain && !over_) drain();
}

void LocalResponder::end() {
  strand_->post([self = shared_from_this()] { self->finish(); });
}

void LocalResponder::finish() {
  if (over_.exchange(true)) return;
  auto done = std::move(done_);
  if (done) done(status_ >= 400 ? Result<std::string>(toStatus(status_, whole_)) : Result<std::string>(std::move(whole_)));
  cancel();
}

void LocalResponder::fail(Status status) {
  strand_->post([self = shared_from_this(), status = std::move(status)] {
    if (self->over_.exchange(true)) return;
    auto done = std::move(self->done_);
    if (done) done(status);
    self->cancel();
  });
}

void LocalResponder::onClose(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    if (!over_) {
      onClose_ = std::move(callback);
      return;
    }
  }
  callback();
}

void LocalResponder::onDrain(std::function<void()> callback) {
  std::lock_guard lock(mutex_);
  if (!over_) onDrain_ = std::move(callback);
}

void LocalResponder::upgrade(std::string, std::function<void(Result<std::shared_ptr<net::WebSocket>>)> done) {
  done(Status::badRequest("a local request can't be upgraded"));
}

void LocalResponder::cancel() {
  over_ = true;
  std::function<void()> close, drain;
  {
    std::lock_guard lock(mutex_);
    close = std::move(onClose_);
    drain = std::move(onDrain_);
    onClose_ = onDrain_ = nullptr;
  }
  if (close) close();
}

}  // namespace ph::server
