#include "engine/server/stream_list.h"

#include <atomic>

namespace ph::server {
namespace {

constexpr size_t kWhole = 512 * 1024;   // bytes up to which a list is sent at once
constexpr size_t kWindow = 512 * 1024;  // bytes on their way at a time

class ListStream : public std::enable_shared_from_this<ListStream> {
 public:
  ListStream(std::shared_ptr<Core> core, const ResourceInfo& info, Listing listing, CallPtr call)
      : core_(std::move(core)), renderer_(*core_, info, std::move(listing), call->media), call_(std::move(call)) {}

  void start() {
    auto self = shared_from_this();
    call_->responder->onDrain([self] { self->pump(); });
    net::Headers headers;
    headers.add("content-type", "application/json");
    headers.add("cache-control", "no-cache, private");
    call_->responder->begin(200, std::move(headers));
    pump();
  }

 private:
  // One pumps; calls that meet it only make it look again.
  void pump() {
    if (pumping_.fetch_add(1, std::memory_order_acq_rel) != 0) return;
    int turns = 1;
    do {
      while (!ended_ && call_->responder->buffered() < kWindow) step();
      turns = pumping_.fetch_sub(turns, std::memory_order_acq_rel) - turns;
    } while (turns > 0);
  }
  void step() {
    if (auto chunk = renderer_.next()) return call_->responder->write(std::move(chunk));
    ended_ = true;
    call_->count(200);
    call_->responder->end();
  }

  std::shared_ptr<Core> core_;
  ListRenderer renderer_;
  CallPtr call_;
  std::atomic<int> pumping_{0};
  bool ended_ = false;
};

}  // namespace

void sendList(const std::shared_ptr<Core>& core, const ResourceInfo& info, Listing listing, const CallPtr& call) {
  size_t bytes = 0;
  for (auto& object : listing.items) bytes += object->stored().size();
  bool rewritten = call->media.yaml || call->media.pretty;
  if (bytes > kWhole && !rewritten)
    return std::make_shared<ListStream>(core, info, std::move(listing), call)->start();
  auto chunks = renderList(*core, info, listing, call->media);
  if (rewritten) {
    std::string all;
    for (auto& chunk : chunks) all += *chunk;
    return call->sendJson(200, std::move(all));
  }
  net::Response response;
  response.headers.add("content-type", "application/json");
  response.headers.add("cache-control", "no-cache, private");
  response.body = std::move(chunks);
  call->count(200);
  call->responder->send(std::move(response));
}

}  // namespace ph::server
