#include "engine/net/exchange.h"

namespace ph::net {

void Exchange::notify(std::unique_lock<std::mutex>& lock) {
  if (noticed_) return;
  noticed_ = true;
  auto owner = owner_;
  lock.unlock();
  if (owner) owner->hasNews(shared_from_this());
}

void Exchange::send(Response response) {
  std::unique_lock lock(mutex_);
  if (closed_ || state_ != State::Open) return;
  state_ = State::Ended;
  size_t size = 0;
  for (auto& part : response.body) size += part->size();
  buffered_.fetch_add(size, std::memory_order_relaxed);
  news_.head = news_.whole = news_.ended = true;
  news_.status = response.status;
  news_.headers = std::move(response.headers);
  news_.chunks = std::move(response.body);
  notify(lock);
}

void Exchange::begin(int status, Headers headers) {
  std::unique_lock lock(mutex_);
  if (closed_ || state_ != State::Open) return;
  state_ = State::Begun;
  news_.head = true;
  news_.status = status;
  news_.headers = std::move(headers);
  notify(lock);
}

void Exchange::write(Buffer chunk) {
  std::unique_lock lock(mutex_);
  if (closed_ || state_ != State::Begun || !chunk || chunk->empty()) return;
  buffered_.fetch_add(chunk->size(), std::memory_order_relaxed);
  news_.chunks.push_back(std::move(chunk));
  notify(lock);
}

void Exchange::end() {
  std::unique_lock lock(mutex_);
  if (closed_ || state_ != State::Begun) return;
  state_ = State::Ended;
  news_.ended = true;
  notify(lock);
}

void Exchange::abort() {
  std::vector<Buffer> dropped;
  std::unique_lock lock(mutex_);
  if (closed_ || state_ != State::Begun) return;
  state_ = State::Ended;
  news_.ended = news_.aborted = true;
  dropped.swap(news_.chunks);
  notify(lock);
}

void Exchange::endWithTrailers(Headers trailers) {
  std::unique_lock lock(mutex_);
  if (closed_ || state_ != State::Begun) return;
  state_ = State::Ended;
  news_.ended = true;
  news_.trailers = std::move(trailers);
  notify(lock);
}

void Exchange::onClose(std::function<void()> callback) {
  std::unique_lock lock(mutex_);
  if (!closed_) {
    onClose_ = std::move(callback);
    return;
  }
  lock.unlock();
  lane_->post(std::move(callback));
}

void Exchange::onDrain(std::function<void()> callback) {
  std::lock_guard lock(mutex_);
  if (!closed_) onDrain_ = std::make_shared<const std::function<void()>>(std::move(callback));
}

void Exchange::upgrade(std::string subprotocol, UpgradeDone done) {
  std::unique_lock lock(mutex_);
  if (!closed_ && state_ == State::Open && upgradeRequest) {
    state_ = State::Ended;
    news_.subprotocol = std::move(subprotocol);
    news_.upgraded = std::move(done);
    notify(lock);
    return;
  }
  Status why = closed_           ? Status::unavailable("the client is gone")
               : !upgradeRequest ? Status::badRequest("the request is not a WebSocket upgrade")
                                 : Status::internal("the request is already answered");
  lock.unlock();
  lane_->post([done = std::move(done), why = std::move(why)] { done(why); });
}

Exchange::News Exchange::take() {
  std::lock_guard lock(mutex_);
  noticed_ = false;
  News taken = std::move(news_);
  news_ = News();
  return taken;
}

bool Exchange::pulled(size_t bytes) {
  return bytes > 0 && buffered_.fetch_sub(bytes, std::memory_order_relaxed) == bytes;
}

void Exchange::runDrain() {
  std::shared_ptr<const std::function<void()>> callback;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    callback = onDrain_;
  }
  if (callback) (*callback)();
}

void Exchange::close() {
  std::function<void()> callback;
  std::shared_ptr<const std::function<void()>> drain;
  std::shared_ptr<ExchangeOwner> owner;
  UpgradeDone upgraded;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    callback = std::move(onClose_);
    onClose_ = nullptr;
    drain = std::move(onDrain_);
    owner = std::move(owner_);
    upgraded = std::move(news_.upgraded);
    news_ = News();
    buffered_.store(0, std::memory_order_relaxed);
  }
  if (upgraded) upgraded(Status::unavailable("the client is gone"));
  if (callback) callback();
}

}  // namespace ph::net
