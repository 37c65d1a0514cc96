#include "agents/serve/port_forward.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>

#include "agents/os/net_namespace.h"

namespace ph::agents {
namespace {

using End = net::ByteStream::End;
using std::chrono::seconds;

constexpr size_t kMaxBehind = 512 * 1024;  // bytes that wait for one side before the other is paused
constexpr Duration kPairTimeout = std::chrono::seconds(30);

std::optional<uint16_t> toPort(std::string_view text) {
  uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::string failure(uint16_t port, const std::string& pod, const Status& why) {
  return fmt::format("error forwarding port {} to pod {}: {}", port, pod, why.message);
}

// One connection through the tunnel: an error stream, a data stream, a socket in the pod.
struct Pair : std::enable_shared_from_this<Pair> {
  std::shared_ptr<net::SpdyStream> error, data;
  std::unique_ptr<net::ByteStream> pod;
  MonoTime since{};
  bool fromClient = false, fromPod = false;  // have ended

  bool over() const { return fromClient && fromPod; }
};

class Tunnel : public std::enable_shared_from_this<Tunnel> {
 public:
  Tunnel(std::shared_ptr<net::Lane> lane, std::string pod, PodDial dial)
      : lane_(std::move(lane)), pod_(std::move(pod)), dial_(std::move(dial)) {}

  void start(std::shared_ptr<net::WebSocket> socket) {
    session_ = std::make_shared<net::SpdySession>(net::makeByteStream(lane_, std::move(socket)), net::SpdySession::Role::Server);
    net::SpdySession::Events events;
    auto self = shared_from_this();  // the session holds us, until it ends
    events.onStream = [self](std::shared_ptr<net::SpdyStream> stream) { self->opened(std::move(stream)); };
    events.onDrain = [self] { self->settle(); };
    events.onEnd = [self](std::string) { self->ended(); };
    session_->start(std::move(events));
  }

 private:
  void opened(std::shared_ptr<net::SpdyStream> stream) {
    auto type = net::spdyHeader(stream->headers(), "streamtype");
    auto port = toPort(net::spdyHeader(stream->headers(), "port"));
    std::string id(net::spdyHeader(stream->headers(), "requestid"));
    bool isError = type == "error";
    if (!port || (!isError && type != "data")) return stream->reset(net::kSpdyProtocolError);
    // Old clients give no number: their data stream follows its error stream.
    if (id.empty()) id = std::to_string(stream->id() - (isError ? 0 : 2));
    auto now = systemClock().monoNow();
    std::erase_if(waiting_, [&](auto& entry) {
      bool late = now - entry.second->since > kPairTimeout;
      if (late)
        for (auto& s : {entry.second->error, entry.second->data})
          if (s) s->reset(net::kSpdyCancel);
      return late;
    });
    auto& pair = waiting_[id];
    if (!pair) {
      pair = std::make_shared<Pair>();
      pair->since = now;
    }
    auto& place = isError ? pair->error : pair->data;
    if (place) return stream->reset(net::kSpdyProtocolError);
    place = std::move(stream);
    if (!pair->error || !pair->data) return;
    auto ready = pair;
    waiting_.erase(id);
    pairs_.push_back(ready);
    connect(ready, *port);
  }

  void connect(const std::shared_ptr<Pair>& pair, uint16_t port) {
    std::weak_ptr<Tunnel> weak = weak_from_this();
    pair->error->listen([](std::string_view) {}, [](End) {});
    dial_(port, [weak, pair, port, lane = lane_](Result<int> fd) {
      auto self = weak.lock();
      if (!self || pair->data->over()) {
        if (fd.ok()) ::close(*fd);
        if (self) self->drop(pair);
        return;
      }
      if (!fd.ok()) {
        pair->error->write(failure(port, self->pod_, fd.status()));
        pair->error->finish();
        pair->data->reset(net::kSpdyCancel);
        return self->drop(pair);
      }
      self->join(pair, *fd);
    });
  }

  void join(const std::shared_ptr<Pair>& pair, int fd) {
    pair->pod = net::makeByteStream(lane_, fd);
    std::weak_ptr<Tunnel> weak = weak_from_this();
    std::weak_ptr<Pair> weakPair = pair;
    auto with = [weak, weakPair](auto act) {
      return [weak, weakPair, act](auto... argument) {
        auto self = weak.lock();
        auto pair = weakPair.lock();
        if (self && pair) act(*self, pair, argument...);
      };
    };
    net::ByteStream::Events events;
    events.onData = with([](Tunnel& self, const std::shared_ptr<Pair>& pair, std::string_view bytes) {
      pair->data->write(bytes);
      self.settle();
    });
    events.onEnd = with([](Tunnel& self, const std::shared_ptr<Pair>& pair, End how) { self.podEnded(pair, how); });
    events.onDrain = with([](Tunnel& self, const std::shared_ptr<Pair>& pair) {
      pair->data->pause(false);
      self.settlePair(pair);
    });
    pair->pod->start(std::move(events));
    pair->data->listen(with([](Tunnel&, const std::shared_ptr<Pair>& pair, std::string_view bytes) {
                         if (!pair->pod) return;
                         pair->pod->write(bytes);
                         if (pair->pod->buffered() > kMaxBehind) pair->data->pause(true);
                       }),
                       with([](Tunnel& self, const std::shared_ptr<Pair>& pair, End how) { self.clientEnded(pair, how); }));
  }

  void podEnded(const std::shared_ptr<Pair>& pair, End how) {
    pair->fromPod = true;
    if (how == End::Broken) {
      pair->data->reset(net::kSpdyCancel);
      return drop(pair);
    }
    pair->data->finish();
    settlePair(pair);
  }
  void clientEnded(const std::shared_ptr<Pair>& pair, End how) {
    pair->fromClient = true;
    if (how == End::Broken) return drop(pair);
    if (pair->pod) pair->pod->finish();
    settlePair(pair);
  }
  // What both sides have ended, and what is sent, is through.
  void settlePair(const std::shared_ptr<Pair>& pair) {
    if (pair->over() && (!pair->pod || pair->pod->buffered() == 0)) drop(pair);
  }
  void drop(const std::shared_ptr<Pair>& pair) {
    if (pair->error) pair->error->finish();
    // Not here and now: this may be one of its callbacks.
    if (pair->pod) lane_->post([pod = std::shared_ptr<net::ByteStream>(std::move(pair->pod))] {});
    std::erase(pairs_, pair);
  }
  void settle() {
    bool behind = session_->buffered() > kMaxBehind;
    if (behind == behind_) return;
    behind_ = behind;
    for (auto& pair : std::vector(pairs_))
      if (pair->pod) pair->pod->pause(behind);
  }
  void ended() {
    waiting_.clear();
    auto pairs = std::exchange(pairs_, {});
    for (auto& pair : pairs) drop(pair);
    lane_->post([self = shared_from_this()] { self->session_.reset(); });
  }

  const std::shared_ptr<net::Lane> lane_;
  const std::string pod_;
  const PodDial dial_;
  std::shared_ptr<net::SpdySession> session_;
  std::map<std::string, std::shared_ptr<Pair>> waiting_;
  std::vector<std::shared_ptr<Pair>> pairs_;
  bool behind_ = false;
};

class Channels : public std::enable_shared_from_this<Channels> {
 public:
  Channels(std::shared_ptr<net::Lane> lane, std::shared_ptr<net::WebSocket> socket, std::string pod, std::vector<uint16_t> ports)
      : lane_(std::move(lane)), socket_(std::move(socket)), pod_(std::move(pod)), ports_(std::move(ports)), ways_(ports_.size()) {}

  void start(const PodDial& dial) {
    self_ = shared_from_this();
    std::weak_ptr<Channels> weak = self_;
    inbox_ = std::make_shared<net::MessageInbox>(lane_, socket_);
    socket_->onDrain([weak, lane = lane_] {
      lane->post([weak] {
        if (auto self = weak.lock()) self->settle();
      });
    });
    inbox_->start(
        [weak](std::string message, bool) {
          if (auto self = weak.lock()) self->toPod(message);
        },
        [weak] {
          if (auto self = weak.lock()) self->stop();
        });
    for (size_t i = 0; i < ports_.size(); ++i) {
      // Each channel begins with its port, the low byte first.
      for (size_t channel : {2 * i, 2 * i + 1}) send(channel, std::string{char(ports_[i] & 255), char(ports_[i] >> 8)});
      dial(ports_[i], [weak, i](Result<int> fd) {
        auto self = weak.lock();
        if (self && !self->over_) return self->connected(i, std::move(fd));
        if (fd.ok()) ::close(*fd);
      });
    }
  }

 private:
  struct Way {
    std::unique_ptr<net::ByteStream> pod;
    std::string early;  // came before the connection was made
    bool ended = false;
  };
  void send(size_t channel, std::string_view bytes) {
    std::string message(1, char(channel));
    message += bytes;
    socket_->sendBinary(net::makeBuffer(std::move(message)));
  }
  void connected(size_t i, Result<int> fd) {
    if (!fd.ok()) {
      send(2 * i + 1, failure(ports_[i], pod_, fd.status()));
      return ended(i);
    }
    auto& way = ways_[i];
    way.pod = net::makeByteStream(lane_, *fd);
    std::weak_ptr<Channels> weak = weak_from_this();
    net::ByteStream::Events events;
    events.onData = [weak, i](std::string_view bytes) {
      auto self = weak.lock();
      if (!self || self->over_) return;
      self->send(2 * i, bytes);
      self->settle();
    };
    events.onDrain = [weak] {
      if (auto self = weak.lock()) self->settle();
    };
    events.onEnd = [weak, i](End) {
      if (auto self = weak.lock()) self->ended(i);
    };
    way.pod->start(std::move(events));
    way.pod->write(std::exchange(way.early, {}));
    settle();
  }
  void toPod(const std::string& message) {
    if (over_ || message.empty()) return;
    size_t channel = uint8_t(message[0]);
    if (channel % 2 == 1 || channel / 2 >= ways_.size()) return;
    auto& way = ways_[channel / 2];
    if (way.ended) return;
    auto bytes = std::string_view(message).substr(1);
    if (way.pod) way.pod->write(bytes);
    else way.early += bytes;
    settle();
  }
  void settle() {
    if (over_) return;
    bool podBehind = false, clientBehind = socket_->buffered() > kMaxBehind;
    for (auto& way : ways_) {
      podBehind = podBehind || way.early.size() > kMaxBehind || (way.pod && way.pod->buffered() > kMaxBehind);
      if (way.pod) way.pod->pause(clientBehind);
    }
    inbox_->pause(podBehind);
  }
  // This protocol has no half closes: what the pod ended is over, and with the last one all is.
  void ended(size_t i) {
    if (over_) return;
    auto& way = ways_[i];
    way.ended = true;
    if (way.pod) lane_->post([pod = std::shared_ptr<net::ByteStream>(std::move(way.pod))] {});
    for (auto& w : ways_)
      if (!w.ended) return;
    stop();
  }
  void stop() {
    if (std::exchange(over_, true)) return;
    auto self = shared_from_this();
    inbox_->stop();
    socket_->close(1000, "");
    lane_->post([self] { self->ways_.clear(); });
    self_.reset();
  }

  const std::shared_ptr<net::Lane> lane_;
  const std::shared_ptr<net::WebSocket> socket_;
  const std::string pod_;
  const std::vector<uint16_t> ports_;
  std::vector<Way> ways_;
  std::shared_ptr<net::MessageInbox> inbox_;
  bool over_ = false;
  std::shared_ptr<Channels> self_;  // while it goes on
};

void dialIn(const std::shared_ptr<net::Lane>& lane, const std::shared_ptr<Executor>& blocking, const std::string& file, uint16_t port, bool v6,
            std::function<void(Result<int>)> done) {
  blocking->post([lane, file, port, v6, done = std::move(done)] {
    auto made = tcpSocketIn(file, v6);
    lane->post([lane, made = std::move(made), port, v6, done] {
      if (!made.ok()) return done(made);
      net::dialTcp(lane, *made, v6 ? "::1" : "127.0.0.1", port, seconds(10), done);
    });
  });
}

}  // namespace

PodDial podDial(std::shared_ptr<net::Lane> lane, std::shared_ptr<Executor> blocking, std::string namespaceFile) {
  return [lane, blocking, file = std::move(namespaceFile)](uint16_t port, std::function<void(Result<int>)> done) {
    dialIn(lane, blocking, file, port, false, [=](Result<int> first) {
      if (first.ok()) return done(std::move(first));
      dialIn(lane, blocking, file, port, true, [done, first](Result<int> second) { done(second.ok() ? std::move(second) : first); });
    });
  };
}

void forwardTunnel(std::shared_ptr<net::Lane> lane, std::shared_ptr<net::WebSocket> socket, std::string pod, PodDial dial) {
  lane->post([lane, socket = std::move(socket), pod = std::move(pod), dial = std::move(dial)] {
    std::make_shared<Tunnel>(lane, pod, dial)->start(socket);
  });
}

void forwardChannels(std::shared_ptr<net::Lane> lane, std::shared_ptr<net::WebSocket> socket, std::string pod, std::vector<uint16_t> ports, PodDial dial) {
  lane->post([lane, socket = std::move(socket), pod = std::move(pod), ports = std::move(ports), dial = std::move(dial)] {
    std::make_shared<Channels>(lane, socket, pod, ports)->start(dial);
  });
}

Result<std::vector<uint16_t>> forwardPorts(const std::vector<std::pair<std::string, std::string>>& query) {
  std::vector<uint16_t> out;
  for (auto& [name, value] : query) {
    if (name != "ports" && name != "port") continue;
    for (size_t at = 0; at <= value.size();) {
      auto end = std::min(value.find(',', at), value.size());
      auto port = toPort(std::string_view(value).substr(at, end - at));
      if (!port) return Status::badRequest("invalid port \"" + value + "\"");
      out.push_back(*port);
      at = end + 1;
    }
  }
  if (out.empty()) return Status::badRequest("query parameter \"port\" is required");
  if (out.size() > 100) return Status::badRequest("too many ports");
  return out;
}

}  // namespace ph::agents
