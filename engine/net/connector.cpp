#include "engine/net/connector.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "engine/net/sockets.h"

namespace ph::net {

namespace asio = boost::asio;

namespace {

class ConnectorImpl final : public Connector, public std::enable_shared_from_this<ConnectorImpl> {
 public:
  ConnectorImpl(std::shared_ptr<Lane> lane, ConnectPlan plan, std::function<void(Result<Connected>)> done)
      : lane_(std::move(lane)), plan_(std::move(plan)), done_(std::move(done)) {}

  void start();
  void cancel() override {
    done_ = nullptr;
    cleanUp();
  }

 private:
  void dial();
  void resolve(const std::string& host);
  void tryNext();
  void connected();
  void adopt(int fd);
  void shakeHands();
  void finish(Result<Connected> result) {
    auto done = std::exchange(done_, nullptr);
    auto self = shared_from_this();
    cleanUp();
    if (done) done(std::move(result));
  }
  void fail(const std::string& why) { finish(Status::unavailable("connect " + target() + ": " + why)); }
  std::string target() const { return plan_.options->dial ? plan_.host : plan_.options->endpoint; }
  void cleanUp() {
    deadline_.reset();
    resolver_.reset();
    if (stream_) stream_->close();
    stream_.reset();
  }

  std::shared_ptr<Lane> lane_;
  ConnectPlan plan_;
  std::function<void(Result<Connected>)> done_;
  std::optional<Deadline> deadline_;
  std::unique_ptr<asio::ip::tcp::resolver> resolver_;
  std::vector<std::string> addresses_;  // still to be tried, last first
  uint16_t port_ = 0;
  int fd_ = -1;  // of stream_, while connecting
  std::unique_ptr<Stream> stream_;
};

void ConnectorImpl::start() {
  if (!done_) return;  // cancelled already
  deadline_.emplace(*lane_, [this] { fail("timed out"); });
  deadline_->set(systemClock().monoNow() + plan_.options->connectTimeout);
  if (plan_.options->dial) return dial();
  const std::string& endpoint = plan_.options->endpoint;
  if (endpoint.starts_with("unix:")) {
    auto fd = connectToUnix(endpoint.substr(5));
    if (!fd.ok()) return fail(fd.status().message);
    return adopt(*fd);
  }
  auto hostPort = parseHostPort(endpoint);
  if (!hostPort.ok()) return finish(hostPort.status());
  port_ = hostPort->port;
  // Numbers and localhost need no resolver, which a static program may not have.
  if (isNumericHost(hostPort->host)) {
    addresses_ = {hostPort->host};
  } else if (hostPort->host == "localhost") {
    addresses_ = {"::1", "127.0.0.1"};
  } else {
    return resolve(hostPort->host);
  }
  tryNext();
}

void ConnectorImpl::dial() {
  // The answer may come on any thread, and after we have given up.
  plan_.options->dial([self = weak_from_this(), lane = lane_](Result<int> fd) {
    lane->post([self, fd = std::move(fd)] {
      auto alive = self.lock();
      if (!alive || !alive->done_) {
        if (fd.ok()) ::close(*fd);
        return;
      }
      if (!fd.ok()) return alive->finish(fd.status());
      alive->adopt(*fd);
    });
  });
}

void ConnectorImpl::resolve(const std::string& host) {
  resolver_ = std::make_unique<asio::ip::tcp::resolver>(lane_->context());
  resolver_->async_resolve(host, "", [self = shared_from_this()](auto error, auto results) {
    if (!self->done_) return;
    if (error) return self->fail(error.message());
    for (auto& entry : results)
      self->addresses_.insert(self->addresses_.begin(), entry.endpoint().address().to_string());
    self->tryNext();
  });
}

void ConnectorImpl::tryNext() {
  if (addresses_.empty()) return fail("no address");
  std::string address = std::move(addresses_.back());
  addresses_.pop_back();
  auto fd = connectToTcp(address, port_);
  if (!fd.ok()) return addresses_.empty() ? fail(fd.status().message) : tryNext();
  fd_ = *fd;
  stream_ = std::make_unique<Stream>(lane_, fd_);
  if (!stream_->isOpen()) return fail(stream_->error());
  stream_->onWritable([self = shared_from_this()] {
    if (self->done_) self->connected();
  });
}

void ConnectorImpl::connected() {
  auto outcome = connectOutcome(fd_);
  if (!outcome.ok()) {
    stream_->close();
    stream_.reset();
    return addresses_.empty() ? fail(outcome.status().message) : tryNext();
  }
  shakeHands();
}

void ConnectorImpl::adopt(int fd) {
  stream_ = std::make_unique<Stream>(lane_, fd);
  if (!stream_->isOpen()) return fail(stream_->error());
  shakeHands();
}

void ConnectorImpl::shakeHands() {
  if (!plan_.tls) {
    bool http2 = plan_.offerHttp2;
    return finish(Connected{std::move(stream_), http2});
  }
  if (!stream_->tls())
    stream_->startTls(plan_.tls->newClientSession(plan_.host, plan_.offerHttp2, plan_.offerHttp1));
  switch (stream_->handshake()) {
    case Stream::Step::Failed:
      return fail(stream_->error());
    case Stream::Step::Waiting:
      stream_->onReadable([self = shared_from_this()] {
        if (self->done_) self->shakeHands();
      });
      return;
    case Stream::Step::Done:
      break;
  }
  bool http2 = negotiatedProtocol(stream_->tls()) == "h2";
  if (!http2 && !plan_.offerHttp1) return fail("the server does not speak HTTP/2");
  finish(Connected{std::move(stream_), http2});
}

}  // namespace

std::shared_ptr<Connector> startConnecting(std::shared_ptr<Lane> lane, ConnectPlan plan,
                                           std::function<void(Result<Connected>)> done) {
  auto connector = std::make_shared<ConnectorImpl>(lane, std::move(plan), std::move(done));
  lane->post([connector] { connector->start(); });
  return connector;
}

}  // namespace ph::net
