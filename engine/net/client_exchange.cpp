#include "engine/net/client_exchange.h"

namespace ph::net {

void ClientExchange::notify(std::unique_lock<std::mutex>& lock) {
  if (noticed_) return;
  noticed_ = true;
  lock.unlock();
  if (auto owner = owner_.lock()) owner->hasNews(shared_from_this());
}

void ClientExchange::write(Buffer chunk) {
  if (!chunk || chunk->empty()) return;
  std::unique_lock lock(mutex_);
  if (!openBody || news_.ended || cancelled()) return;
  buffered_.fetch_add(chunk->size(), std::memory_order_relaxed);
  news_.chunks.push_back(std::move(chunk));
  notify(lock);
}

void ClientExchange::endBody() {
  std::unique_lock lock(mutex_);
  if (!openBody || news_.ended || cancelled()) return;
  news_.ended = true;
  notify(lock);
}

void ClientExchange::pause(bool paused) {
  if (paused_.exchange(paused, std::memory_order_acq_rel) == paused || paused) return;
  std::unique_lock lock(mutex_);
  notify(lock);
}

void ClientExchange::cancel() {
  cancelled_.store(true, std::memory_order_release);
  std::unique_lock lock(mutex_);
  notify(lock);
}

ClientExchange::News ClientExchange::take() {
  std::lock_guard lock(mutex_);
  noticed_ = false;
  News taken;
  taken.chunks.swap(news_.chunks);
  taken.ended = news_.ended;
  return taken;
}

void ClientExchange::deliverHead(int status, const Headers& headers) {
  if (!ended_ && !cancelled() && callbacks_.onHeaders) callbacks_.onHeaders(status, headers);
}

void ClientExchange::deliverData(std::string_view data) {
  if (!ended_ && !cancelled() && callbacks_.onData) callbacks_.onData(data);
}

void ClientExchange::deliverEnd(Result<Headers> trailers) {
  if (ended_) return;
  ended_ = true;
  auto callbacks = std::move(callbacks_);
  callbacks_ = StreamCallbacks();
  if (!cancelled() && callbacks.onEnd) callbacks.onEnd(std::move(trailers));
}

}  // namespace ph::net
