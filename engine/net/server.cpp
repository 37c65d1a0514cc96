#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <set>

#include "engine/base/log.h"
#include "engine/net/server_connection.h"
#include "engine/net/sockets.h"

namespace ph::net {

namespace {

// Accepts on one listening descriptor. On its lane.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  using Accepted = std::function<void(int fd, Peer peer, const std::shared_ptr<TlsContext>& tls)>;

  Listener(const std::shared_ptr<Lane>& lane, int fd, std::shared_ptr<TlsContext> tls, Accepted accepted)
      : lane_(lane), fd_(fd), stream_(lane, fd), tls_(std::move(tls)), accepted_(std::move(accepted)) {}

  const std::shared_ptr<Lane>& lane() const { return lane_; }
  void wait() {
    if (stream_.isOpen()) stream_.onReadable([self = shared_from_this()] { self->acceptAll(); });
  }
  void close() {
    stream_.close();
    accepted_ = nullptr;
  }

 private:
  void acceptAll() {
    while (stream_.isOpen()) {
      int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        Peer peer;
        peer.address = peerAddress(fd);
        if (peer.address != "unix") tuneTcp(fd);
        accepted_(fd, std::move(peer), tls_);
      } else if (errno == EINTR || errno == ECONNABORTED) {
        continue;
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return wait();
      } else {
        // No descriptors left: others must close first.
        PH_LOG(Warn, "net", "accept: {}", strerror(errno));
        lane_->after(
            std::chrono::milliseconds(100), [self = shared_from_this()] { self->acceptAll(); },
            std::make_shared<std::atomic<bool>>(false));
        return;
      }
    }
  }

  std::shared_ptr<Lane> lane_;
  int fd_;
  Stream stream_;
  std::shared_ptr<TlsContext> tls_;
  Accepted accepted_;
};

// Outlives the Server while connections end.
struct ServerState : std::enable_shared_from_this<ServerState> {
  std::shared_ptr<ServerShared> shared = std::make_shared<ServerShared>();
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::shared_ptr<ServerConnection>> connections;
  std::vector<std::shared_ptr<Listener>> listeners;
  bool stopping = false;

  void gone(const std::shared_ptr<ServerConnection>& connection) {
    std::lock_guard lock(mutex);
    connections.erase(connection);
    if (connections.empty()) changed.notify_all();
  }
};

class ServerImpl final : public Server {
 public:
  ServerImpl(std::shared_ptr<Io> io, Handler handler, ServerLimits limits)
      : io_(std::static_pointer_cast<IoImpl>(std::move(io))), state_(std::make_shared<ServerState>()) {
    state_->shared->handler = std::move(handler);
    state_->shared->limits = limits;
    state_->shared->onGone = [state = std::weak_ptr(state_)](auto& connection) {
      if (auto alive = state.lock()) alive->gone(connection);
    };
  }
  ~ServerImpl() override { stop(); }

  Result<std::string> listenTcp(const std::string& address, const ServerTls* tls) override {
    std::shared_ptr<TlsContext> context;
    if (tls) {
      PH_ASSIGN(context, TlsContext::server(*tls));
    }
    std::string bound;
    PH_ASSIGN(int fd, listenOnTcp(address, bound));
    PH_TRY(listen(fd, std::move(context)));
    return bound;
  }
  Result<> listenUnix(const std::string& path) override {
    PH_ASSIGN(int fd, listenOnUnix(path));
    return listen(fd, nullptr);
  }
  void serve(int fd, Peer peer) override { take(fd, std::move(peer), nullptr); }
  void stop() override;
  int connections() const override {
    std::lock_guard lock(state_->mutex);
    return int(state_->connections.size());
  }

 private:
  Result<> listen(int fd, std::shared_ptr<TlsContext> tls) {
    auto& lane = io_->nextLane();
    auto accepted = [this](int accepted, Peer peer, const std::shared_ptr<TlsContext>& context) {
      take(accepted, std::move(peer), context);
    };
    auto listener = std::make_shared<Listener>(lane, fd, std::move(tls), std::move(accepted));
    std::lock_guard lock(state_->mutex);
    if (state_->stopping) return Status::unavailable("the server is stopping");
    state_->listeners.push_back(listener);
    lane->post([listener] { listener->wait(); });
    return {};
  }

  void take(int fd, Peer peer, const std::shared_ptr<TlsContext>& tls) {
    auto& lane = io_->nextLane();
    auto connection = std::make_shared<ServerConnection>(state_->shared, lane, std::move(peer));
    {
      std::lock_guard lock(state_->mutex);
      bool full = int(state_->connections.size()) >= state_->shared->limits.maxConnections;
      if (full || state_->stopping) {
        ::close(fd);
        return;
      }
      state_->connections.insert(connection);
    }
    lane->post([connection, fd, tls] { connection->start(fd, tls); });
  }

  // Runs `task` on the lane and waits for it (at once when on that lane).
  static void runOn(const std::shared_ptr<Lane>& lane, const Task& task);
  bool waitEmpty(std::chrono::milliseconds limit) {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, limit, [&] { return state_->connections.empty(); });
  }
  std::vector<std::shared_ptr<ServerConnection>> all() {
    std::lock_guard lock(state_->mutex);
    return {state_->connections.begin(), state_->connections.end()};
  }

  std::shared_ptr<IoImpl> io_;
  std::shared_ptr<ServerState> state_;
};

void ServerImpl::runOn(const std::shared_ptr<Lane>& lane, const Task& task) {
  if (lane->here()) return task();
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  lane->post([&] {
    task();
    std::lock_guard lock(mutex);
    done = true;
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return done; });
}

void ServerImpl::stop() {
  std::vector<std::shared_ptr<Listener>> listeners;
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->shared->stopping.store(true, std::memory_order_release);
    listeners.swap(state_->listeners);
  }
  for (auto& listener : listeners) runOn(listener->lane(), [&] { listener->close(); });
  if (!Lane::current()) {
    for (auto& connection : all()) connection->laneRef()->post([connection] { connection->beginStop(); });
    if (waitEmpty(std::chrono::seconds(1))) return;
  }
  for (auto& connection : all()) runOn(connection->laneRef(), [&] { connection->close(); });
}

}  // namespace

std::unique_ptr<Server> Server::make(std::shared_ptr<Io> io, Handler handler, ServerLimits limits) {
  return std::make_unique<ServerImpl>(std::move(io), std::move(handler), limits);
}

}  // namespace ph::net
