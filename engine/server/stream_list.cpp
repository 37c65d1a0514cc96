#include "engine/server/stream_list.h"

#include <atomic>

#include "engine/server/list_renderer.h"

namespace ph::server {
namespace {

constexpr size_t kWhole = 512 * 1024;   // bytes up to which a list is sent at once
constexpr size_t kWindow = 512 * 1024;  // bytes on their way at a time
constexpr size_t kMeasured = 256;       // items measured in one task, so that others get their turn

net::Headers headersOf(const Call& call) {
  net::Headers headers;
  headers.add("content-type", std::string(call.media.contentType()));
  headers.add("cache-control", "no-cache, private");
  for (auto& w : call.warnings) headers.add("warning", warningValue(w));
  return headers;
}

class ListStream : public std::enable_shared_from_this<ListStream> {
 public:
  ListStream(std::shared_ptr<Core> core, const ResourceInfo& info, Listing listing, CallPtr call)
      : core_(std::move(core)), renderer_(*core_, info, std::move(listing), call->media), call_(std::move(call)) {}

  void start() {
    auto self = shared_from_this();
    call_->responder->onClose([self] { self->gone_.store(true, std::memory_order_release); });
    call_->responder->onDrain([self] { self->pump(); });
    measure();
  }

 private:
  void measure() {
    if (gone_.load(std::memory_order_acquire)) return;
    if (!renderer_.measure(kMeasured)) return core_->executor->post([self = shared_from_this()] { self->measure(); });
    call_->responder->begin(200, headersOf(*call_));
    begun_.store(true, std::memory_order_release);
    pump();
  }
  // One pumps; calls that meet it only make it look again.
  void pump() {
    if (!begun_.load(std::memory_order_acquire)) return;
    if (pumping_.fetch_add(1, std::memory_order_acq_rel) != 0) return;
    int turns = 1;
    do {
      while (!ended_ && call_->responder->buffered() < kWindow) step();
      turns = pumping_.fetch_sub(turns, std::memory_order_acq_rel) - turns;
    } while (turns > 0);
  }
  void step() {
    if (gone_.load(std::memory_order_acquire)) {
      ended_ = true;
      return;
    }
    if (auto chunk = renderer_.next()) return call_->responder->write(std::move(chunk));
    ended_ = true;
    call_->count(200);
    call_->responder->end();
  }

  std::shared_ptr<Core> core_;
  ListRenderer renderer_;
  CallPtr call_;
  std::atomic<int> pumping_{0};
  std::atomic<bool> begun_{false}, gone_{false};
  bool ended_ = false;
};

}  // namespace

void sendList(const std::shared_ptr<Core>& core, const ResourceInfo& info, Listing listing, const CallPtr& call) {
  size_t bytes = 0;
  for (auto& object : listing.items) bytes += object->stored().size();
  if (bytes > kWhole) return std::make_shared<ListStream>(core, info, std::move(listing), call)->start();
  net::Response response;
  response.headers = headersOf(*call);
  response.body = renderList(*core, info, listing, call->media);
  call->count(200);
  call->responder->send(std::move(response));
}

}  // namespace ph::server
