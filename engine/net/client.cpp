#include <algorithm>
#include <deque>
#include <unordered_map>

#include "engine/net/client_session.h"
#include "engine/net/connector.h"
#include "engine/net/sockets.h"
#include "engine/net/websocket.h"

namespace ph::net {

namespace {

constexpr size_t kMaxWaiting = 10000;  // requests without a connection yet

// All of one client, on one lane. Keeps itself alive while connections are open.
class Core final : public Wakeable, public ClientExchangeOwner, public std::enable_shared_from_this<Core> {
 public:
  Core(std::shared_ptr<Lane> lane, ClientOptions options)
      : lane(std::move(lane)),
        gone(std::make_shared<std::atomic<bool>>(false)),
        options_(std::move(options)) {}

  const std::shared_ptr<Lane> lane;
  const std::shared_ptr<std::atomic<bool>> gone;  // the user's HttpClient is destroyed

  void prepare();
  void hasNews(std::shared_ptr<ClientExchange> exchange) override;
  void onWake() override;
  void shutDown();
  void webSocket(Request request, std::string subprotocols, WebSocketReady done);

 private:
  using ConnectionPtr = std::shared_ptr<ClientConnection>;
  void begin(const std::shared_ptr<ClientExchange>& exchange);
  void cancelled(const std::shared_ptr<ClientExchange>& exchange);
  void serveWaiting();
  ConnectionPtr freeConnection();
  void connectMore();
  void connected(Result<Connected> result);
  void changed(const ConnectionPtr& connection);
  void flushDirty();
  void watchDeadline(MonoTime at);
  void expire();
  ConnectPlan plan() const;

  ClientOptions options_;
  std::shared_ptr<TlsContext> tls_;
  std::optional<Status> broken_;  // the options are unusable
  std::string host_, authority_;

  std::vector<ConnectionPtr> connections_;
  std::deque<std::shared_ptr<ClientExchange>> waiting_;
  struct Carried {
    std::shared_ptr<ClientExchange> exchange;
    std::weak_ptr<ClientConnection> connection;
  };
  std::unordered_map<ClientExchange*, Carried> carried_;  // on a connection
  size_t nextSweep_ = 64;
  std::vector<ConnectionPtr> dirty_;
  std::vector<std::shared_ptr<Connector>> connectors_;
  std::unordered_map<uint64_t, std::shared_ptr<WebSocketConnection>> webSockets_;
  uint64_t nextWebSocket_ = 0;
  bool http1_ = false;  // what the peer spoke last
  std::optional<Deadline> deadline_;
  MonoTime nextExpiry_ = MonoTime::max();
  bool closed_ = false;

  std::mutex mutex_;  // guards the next two
  std::vector<std::shared_ptr<ClientExchange>> inbox_;
  bool woken_ = false;
};

void Core::prepare() {
  http1_ = !options_.http2;
  if (options_.dial || options_.endpoint.starts_with("unix:")) {
    host_ = options_.tls && !options_.tls->serverName.empty() ? options_.tls->serverName : "localhost";
    authority_ = host_;
  } else {
    auto hostPort = parseHostPort(options_.endpoint);
    if (!hostPort.ok()) {
      broken_ = hostPort.status();
      return;
    }
    host_ = hostPort->host;
    authority_ = options_.endpoint;
  }
  if (options_.tls) {
    auto context = TlsContext::client(*options_.tls);
    if (context.ok()) {
      tls_ = *context;
    } else {
      broken_ = context.status();
    }
  }
}

void Core::hasNews(std::shared_ptr<ClientExchange> exchange) {
  {
    std::lock_guard lock(mutex_);
    inbox_.push_back(std::move(exchange));
    if (std::exchange(woken_, true)) return;
  }
  lane->wake(shared_from_this());
}

void Core::onWake() {
  std::vector<std::shared_ptr<ClientExchange>> inbox;
  {
    std::lock_guard lock(mutex_);
    woken_ = false;
    inbox.swap(inbox_);
  }
  if (closed_) return;
  for (auto& exchange : inbox) {
    if (exchange->cancelled()) {
      cancelled(exchange);
    } else if (!exchange->started) {
      exchange->started = true;
      begin(exchange);
    } else if (auto it = carried_.find(exchange.get()); it != carried_.end()) {
      if (auto connection = it->second.connection.lock()) {
        connection->news(exchange);
        dirty_.push_back(connection);
      }
    }
  }
  serveWaiting();
  flushDirty();
}

void Core::begin(const std::shared_ptr<ClientExchange>& exchange) {
  if (broken_) return exchange->deliverEnd(*broken_);
  if (waiting_.size() >= kMaxWaiting)
    return exchange->deliverEnd(Status::tooManyRequests("too many requests wait for a connection", 1));
  waiting_.push_back(exchange);
  if (exchange->deadline != MonoTime::max()) watchDeadline(exchange->deadline);
}

void Core::cancelled(const std::shared_ptr<ClientExchange>& exchange) {
  auto it = carried_.find(exchange.get());
  if (it == carried_.end()) {
    if (exchange->started) std::erase(waiting_, exchange);
  } else {
    if (auto connection = it->second.connection.lock()) {
      connection->news(exchange);
      dirty_.push_back(connection);
    }
    carried_.erase(it);
  }
  exchange->deliverEnd(Status::unavailable("cancelled"));
}

void Core::serveWaiting() {
  if (waiting_.empty()) return;
  while (!waiting_.empty()) {
    auto connection = freeConnection();
    if (!connection) break;
    auto exchange = std::move(waiting_.front());
    waiting_.pop_front();
    carried_[exchange.get()] = {exchange, connection};
    connection->start(exchange);
    if (dirty_.empty() || dirty_.back() != connection) dirty_.push_back(connection);
  }
  if (!waiting_.empty()) connectMore();
}

Core::ConnectionPtr Core::freeConnection() {
  for (auto& connection : connections_)
    if (connection->canStart()) return connection;
  return nullptr;
}

void Core::connectMore() {
  size_t wanted = 1, have = connectors_.size();
  // An HTTP/2 connection that takes no more requests is on its way out and doesn't count.
  if (http1_) {
    wanted = std::min(waiting_.size() + connections_.size(), size_t(std::max(options_.http1Connections, 1)));
    have += connections_.size();
  }
  while (have++ < wanted) {
    auto self = std::weak_ptr(shared_from_this());
    auto slot = std::make_shared<std::weak_ptr<Connector>>();
    auto connector = startConnecting(lane, plan(), [self, slot](Result<Connected> result) {
      auto alive = self.lock();
      if (!alive || alive->closed_) return;
      std::erase(alive->connectors_, slot->lock());
      alive->connected(std::move(result));
    });
    *slot = connector;
    connectors_.push_back(std::move(connector));
  }
}

ConnectPlan Core::plan() const {
  ConnectPlan plan;
  plan.options = &options_;
  plan.tls = tls_;
  plan.host = host_;
  plan.offerHttp2 = options_.http2;
  plan.offerHttp1 = true;
  return plan;
}

void Core::connected(Result<Connected> result) {
  if (!result.ok()) {
    // With HTTP/1.1 those that there are will come to the waiting requests, one after the other.
    if (http1_ && (!connectors_.empty() || !connections_.empty())) return;
    http1_ = !options_.http2;
    auto waiting = std::move(waiting_);
    waiting_.clear();
    for (auto& exchange : waiting) exchange->deliverEnd(result.status());
    return;
  }
  http1_ = !result->http2;
  ClientSessionOptions session{authority_, tls_ != nullptr, options_.pingInterval};
  auto connection = std::make_shared<ClientConnection>(
      std::move(result->stream), result->http2 ? makeClientH2(session) : makeClientH1(session),
      [self = std::weak_ptr(shared_from_this())](const ConnectionPtr& changed) {
        if (auto alive = self.lock()) alive->changed(changed);
      });
  connections_.push_back(connection);
  connection->begin();
  dirty_.push_back(connection);
  serveWaiting();
  flushDirty();
}

void Core::changed(const ConnectionPtr& connection) {
  if (closed_) return;
  if (!connection->isOpen()) std::erase(connections_, connection);
  if (waiting_.empty()) return;
  // Not here and now: the connection is in the middle of something.
  bool wake;
  {
    std::lock_guard lock(mutex_);
    wake = !std::exchange(woken_, true);
  }
  if (wake) lane->wake(shared_from_this());
}

void Core::flushDirty() {
  while (!dirty_.empty()) {
    std::vector<ConnectionPtr> dirty;
    dirty.swap(dirty_);
    for (auto& connection : dirty) connection->flush();
  }
  // What is complete needs no more care; looked for now and then, so that each request costs little.
  if (carried_.size() < nextSweep_) return;
  std::erase_if(carried_, [](auto& entry) { return entry.second.exchange->ended(); });
  nextSweep_ = 2 * carried_.size() + 64;
}

void Core::watchDeadline(MonoTime at) {
  if (at >= nextExpiry_) return;
  nextExpiry_ = at;
  if (!deadline_) deadline_.emplace(*lane, [this] { expire(); });
  deadline_->set(at);
}

void Core::expire() {
  auto self = shared_from_this();
  auto now = systemClock().monoNow();
  MonoTime next = MonoTime::max();
  std::vector<std::shared_ptr<ClientExchange>> late;
  auto look = [&](const std::shared_ptr<ClientExchange>& exchange) {
    if (exchange->ended()) return;
    if (exchange->deadline <= now) {
      late.push_back(exchange);
    } else {
      next = std::min(next, exchange->deadline);
    }
  };
  std::erase_if(carried_, [](auto& entry) { return entry.second.exchange->ended(); });
  for (auto& [key, carried] : carried_) look(carried.exchange);
  for (auto& exchange : waiting_) look(exchange);
  for (auto& exchange : late) {
    exchange->deliverEnd(Status::timeout("no answer from " + authority_ + " in time"));
    cancelled(exchange);
  }
  flushDirty();
  nextExpiry_ = MonoTime::max();
  if (next != MonoTime::max()) watchDeadline(next);
}

void Core::webSocket(Request request, std::string subprotocols, WebSocketReady done) {
  if (closed_) return;
  if (broken_) return done(*broken_);
  auto webSocketPlan = plan();
  webSocketPlan.offerHttp2 = false;
  auto slot = std::make_shared<std::weak_ptr<Connector>>();
  auto connector = startConnecting(
      lane, webSocketPlan,
      [self = std::weak_ptr(shared_from_this()), slot, request = std::move(request),
       subprotocols = std::move(subprotocols), done = std::move(done)](Result<Connected> result) {
        auto alive = self.lock();
        if (!alive || alive->closed_) return;
        std::erase(alive->connectors_, slot->lock());
        if (!result.ok()) return done(result.status());
        uint64_t id = ++alive->nextWebSocket_;
        auto host = std::string(request.headers.get("host"));
        auto connection = connectWebSocket(
            std::move(result->stream), request, host.empty() ? alive->authority_ : host, subprotocols,
            [gone = alive->gone, done](auto webSocket) {
              if (!*gone) done(std::move(webSocket));
            },
            [self, id] {
              if (auto alive = self.lock()) alive->webSockets_.erase(id);
            });
        alive->webSockets_[id] = std::move(connection);
      });
  *slot = connector;
  connectors_.push_back(std::move(connector));
}

void Core::shutDown() {
  closed_ = true;
  deadline_.reset();
  for (auto& connector : std::exchange(connectors_, {})) connector->cancel();
  for (auto& connection : std::exchange(connections_, {}))
    connection->close(Status::unavailable("the client is closed"));
  for (auto& [id, webSocket] : std::exchange(webSockets_, {})) webSocket->drop();
  for (auto& exchange : std::exchange(waiting_, {}))
    exchange->deliverEnd(Status::unavailable("the client is closed"));
  carried_.clear();
  dirty_.clear();
}

class Handle final : public StreamHandle {
 public:
  explicit Handle(std::shared_ptr<ClientExchange> exchange) : exchange_(std::move(exchange)) {}
  ~Handle() override { exchange_->cancel(); }
  void write(Buffer chunk) override { exchange_->write(std::move(chunk)); }
  void endBody() override { exchange_->endBody(); }
  size_t buffered() const override { return exchange_->buffered(); }
  void pause(bool paused) override { exchange_->pause(paused); }

 private:
  std::shared_ptr<ClientExchange> exchange_;
};

class ClientImpl final : public HttpClient {
 public:
  ClientImpl(std::shared_ptr<Io> io, ClientOptions options)
      : io_(std::static_pointer_cast<IoImpl>(std::move(io))),
        maxBody_(options.maxBody),
        core_(std::make_shared<Core>(io_->nextLane(), std::move(options))) {
    core_->prepare();
  }
  ~ClientImpl() override {
    core_->gone->store(true);
    core_->lane->post([core = core_] { core->shutDown(); });
  }

  void send(Request request, Duration timeout, std::function<void(Result<Response>)> done) override;
  std::shared_ptr<StreamHandle> stream(Request request, StreamCallbacks callbacks, bool openBody) override {
    auto exchange = std::make_shared<ClientExchange>(core_, core_->gone, std::move(request),
                                                     std::move(callbacks), openBody, MonoTime::max());
    core_->hasNews(exchange);
    return std::make_shared<Handle>(std::move(exchange));
  }
  void webSocket(Request request, std::string subprotocols, WebSocketReady done) override {
    core_->lane->post([core = core_, request = std::move(request), subprotocols = std::move(subprotocols),
                       done = std::move(done)]() mutable {
      core->webSocket(std::move(request), std::move(subprotocols), std::move(done));
    });
  }

 private:
  std::shared_ptr<IoImpl> io_;
  const size_t maxBody_;
  std::shared_ptr<Core> core_;
};

void ClientImpl::send(Request request, Duration timeout, std::function<void(Result<Response>)> done) {
  struct Answer {
    Response response;
    std::string body;
    std::function<void(Result<Response>)> done;
    std::weak_ptr<ClientExchange> exchange;
  };
  auto answer = std::make_shared<Answer>();
  answer->done = std::move(done);
  StreamCallbacks callbacks;
  callbacks.onHeaders = [answer](int status, const Headers& headers) {
    answer->response.status = status;
    answer->response.headers = headers;
  };
  callbacks.onData = [answer, limit = maxBody_](std::string_view data) {
    if (!answer->done) return;
    if (answer->body.size() + data.size() <= limit) {
      answer->body.append(data);
      return;
    }
    auto tell = std::exchange(answer->done, nullptr);
    if (auto exchange = answer->exchange.lock()) exchange->cancel();
    tell(Status::tooLarge("the answer is larger than " + std::to_string(limit) + " bytes"));
  };
  callbacks.onEnd = [answer](Result<Headers> trailers) {
    auto tell = std::exchange(answer->done, nullptr);
    if (!tell) return;
    if (!trailers.ok()) return tell(trailers.status());
    if (!answer->body.empty()) answer->response.body.push_back(makeBuffer(std::move(answer->body)));
    tell(std::move(answer->response));
  };
  MonoTime deadline = timeout > Duration::zero() ? systemClock().monoNow() + timeout : MonoTime::max();
  auto exchange = std::make_shared<ClientExchange>(core_, core_->gone, std::move(request),
                                                   std::move(callbacks), false, deadline);
  answer->exchange = exchange;
  core_->hasNews(exchange);
}

}  // namespace

std::shared_ptr<HttpClient> HttpClient::make(std::shared_ptr<Io> io, ClientOptions options) {
  return std::make_shared<ClientImpl>(std::move(io), std::move(options));
}

}  // namespace ph::net
