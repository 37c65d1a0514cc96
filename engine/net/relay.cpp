#include "engine/net/relay.h"

#include <algorithm>
#include <mutex>

#include "engine/net/status_body.h"

namespace ph::net {
namespace {

constexpr size_t kMaxBehind = 1024 * 1024;  // bytes that wait for one side before the other is paused

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = char(c + 32);
  return out;
}

class Relay : public std::enable_shared_from_this<Relay> {
 public:
  Relay(std::shared_ptr<HttpClient> via, std::shared_ptr<Responder> to, RelayHooks hooks)
      : via_(std::move(via)), to_(std::move(to)), hooks_(std::move(hooks)) {}

  void start(Request request) {
    auto self = shared_from_this();
    to_->onClose([self] { self->stop(); });
    to_->onDrain([self] { self->pause(false); });
    StreamCallbacks callbacks;
    callbacks.onHeaders = [self](int status, const Headers& headers) { self->head(status, headers); };
    callbacks.onData = [self](std::string_view data) { self->data(data); };
    callbacks.onEnd = [self](Result<Headers> trailers) { self->ended(std::move(trailers)); };
    auto stream = via_->stream(std::move(request), std::move(callbacks));
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    stream_ = std::move(stream);
    stream_->pause(paused_);
  }

 private:
  void head(int status, const Headers& headers) {
    Headers out = endToEnd(headers);
    if (hooks_.onHead) hooks_.onHead(status, out);
    begun_ = true;
    to_->begin(status, std::move(out));
  }
  void data(std::string_view data) {
    to_->write(makeBuffer(std::string(data)));
    if (to_->buffered() <= kMaxBehind) return;
    pause(true);
    if (to_->buffered() == 0) pause(false);  // drained just before
  }
  void ended(Result<Headers> trailers) {
    if (begun_) {
      to_->end();
    } else {
      fail(trailers.ok() ? Status::unavailable("no answer") : trailers.status());
    }
    stop();
  }
  void fail(Status why) {
    if (hooks_.onFailure) return hooks_.onFailure(std::move(why));
    to_->send(statusResponse(why));
  }
  void pause(bool paused) {
    std::lock_guard lock(mutex_);
    paused_ = paused;
    if (stream_) stream_->pause(paused);
  }
  void stop() {
    std::shared_ptr<StreamHandle> stream;
    std::shared_ptr<HttpClient> via;
    std::lock_guard lock(mutex_);
    stopped_ = true;
    stream.swap(stream_);
    via.swap(via_);
  }

  std::shared_ptr<HttpClient> via_;
  const std::shared_ptr<Responder> to_;
  const RelayHooks hooks_;
  bool begun_ = false;
  std::mutex mutex_;  // guards the rest, and via_ after start()
  std::shared_ptr<StreamHandle> stream_;
  bool stopped_ = false, paused_ = false;
};

void join(const std::shared_ptr<WebSocket>& from, const std::shared_ptr<WebSocket>& to) {
  std::weak_ptr<WebSocket> back = from;
  to->onDrain([back] {
    if (auto socket = back.lock()) socket->pause(false);
  });
}

void carry(const std::shared_ptr<WebSocket>& from, const std::shared_ptr<WebSocket>& to, std::shared_ptr<void> kept) {
  std::weak_ptr<WebSocket> back = from;
  from->start(
      [to, back](std::string message, bool binary) {
        auto buffer = makeBuffer(std::move(message));
        if (binary) to->sendBinary(std::move(buffer));
        else to->sendText(std::move(buffer));
        if (to->buffered() <= kMaxBehind) return;
        auto socket = back.lock();
        if (!socket) return;
        socket->pause(true);
        if (to->buffered() == 0) socket->pause(false);
      },
      [to, kept = std::move(kept)] { to->close(1000, ""); });
}

}  // namespace

Headers endToEnd(const Headers& headers) {
  static constexpr std::string_view own[] = {"connection",        "keep-alive", "proxy-authenticate", "proxy-authorization",
                                             "proxy-connection",  "te",         "trailer",            "transfer-encoding",
                                             "upgrade",           "host"};
  auto named = "," + lowered(headers.get("connection")) + ",";
  std::erase(named, ' ');
  Headers out;
  for (auto& [name, value] : headers.all()) {
    auto key = lowered(name);
    if (std::find(std::begin(own), std::end(own), key) != std::end(own) || key.starts_with("sec-websocket-")) continue;
    if (named.find("," + key + ",") != std::string::npos) continue;
    out.add(name, value);
  }
  return out;
}

void relay(std::shared_ptr<HttpClient> via, Request request, std::shared_ptr<Responder> to, RelayHooks hooks) {
  request.headers = endToEnd(request.headers);
  std::make_shared<Relay>(std::move(via), std::move(to), std::move(hooks))->start(std::move(request));
}

void relayWebSocket(std::shared_ptr<HttpClient> via, Request request, std::shared_ptr<Responder> to, RelayHooks hooks) {
  std::string offered(request.headers.get("sec-websocket-protocol"));
  request.headers = endToEnd(request.headers);
  auto* client = via.get();
  client->webSocket(std::move(request), std::move(offered), [via, to, hooks](Result<std::shared_ptr<WebSocket>> there) {
    if (!there.ok()) {
      if (hooks.onFailure) return hooks.onFailure(there.status());
      return to->send(statusResponse(there.status()));
    }
    Headers none;
    if (hooks.onHead) hooks.onHead(101, none);
    to->upgrade((*there)->subprotocol(), [via, there = *there](Result<std::shared_ptr<WebSocket>> here) {
      if (!here.ok()) return there->close(1001, "the client left");
      joinSockets(there, *here, via);
    });
  });
}

void joinSockets(const std::shared_ptr<WebSocket>& a, const std::shared_ptr<WebSocket>& b, std::shared_ptr<void> kept) {
  join(a, b);
  join(b, a);
  carry(a, b, kept);
  carry(b, a, kept);
}

}  // namespace ph::net
