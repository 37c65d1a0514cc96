#include "engine/net/messages.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <deque>

#include "engine/net/lane.h"
#include "engine/net/sockets.h"

namespace ph::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

namespace {

constexpr size_t kMaxDatagram = 4096;
constexpr int kMaxConnections = 256;
constexpr auto kIdle = std::chrono::seconds(10);
constexpr size_t kMaxWaiting = 64;  // answers not yet written to one TCP connection

std::string framed(const std::string& message) {
  std::string out{char(message.size() >> 8), char(message.size() & 0xff)};
  return out + message;
}

// All on one lane; other threads post to it.
struct Shared : std::enable_shared_from_this<Shared> {
  Shared(std::shared_ptr<Lane> l, MessageServer::Handler h)
      : lane(std::move(l)), handler(std::move(h)), datagrams(lane->context()), acceptor(lane->context()) {}

  void receive() {
    buffer.resize(kMaxDatagram);
    datagrams.async_receive_from(asio::buffer(buffer), from, [self = shared_from_this()](error_code e, size_t size) {
      if (self->closed) return;
      if (!e) {
        self->handler(self->buffer.substr(0, size), false,
                      [weak = self->weak_from_this(), to = self->from](std::string answer) {
                        if (auto s = weak.lock())
                          s->lane->post([s, to, answer = std::move(answer)] { s->send(answer, to); });
                      });
      }
      self->receive();
    });
  }

  void send(const std::string& answer, const udp::endpoint& to) {
    error_code ignored;  // a datagram may always be lost; the asker tries again
    if (!closed) datagrams.send_to(asio::buffer(answer), to, 0, ignored);
  }

  void accept();

  std::shared_ptr<Lane> lane;
  MessageServer::Handler handler;
  udp::socket datagrams;
  tcp::acceptor acceptor;
  udp::endpoint from;
  std::string buffer;
  int connections = 0;
  bool closed = false;
};

struct Connection : std::enable_shared_from_this<Connection> {
  Connection(std::shared_ptr<Shared> s, tcp::socket socket)
      : shared(std::move(s)), socket(std::move(socket)), idle(shared->lane->context()) {
    ++shared->connections;
  }
  ~Connection() { --shared->connections; }

  void read() {
    idle.expires_after(kIdle);
    idle.async_wait([weak = weak_from_this()](error_code e) {
      if (auto self = weak.lock(); self && !e) self->close();
    });
    asio::async_read(socket, asio::buffer(head), [self = shared_from_this()](error_code e, size_t) {
      if (e || self->shared->closed) return self->close();
      self->body.resize(size_t(self->head[0]) << 8 | self->head[1]);
      asio::async_read(self->socket, asio::buffer(self->body), [self](error_code failed, size_t) {
        if (failed || self->shared->closed) return self->close();
        self->shared->handler(self->body, true, [weak = self->weak_from_this()](std::string answer) {
          if (auto s = weak.lock())
            s->shared->lane->post([s, answer = std::move(answer)] { s->write(framed(answer)); });
        });
        self->read();
      });
    });
  }

  void write(std::string bytes) {
    if (waiting.size() >= kMaxWaiting) return close();
    waiting.push_back(std::move(bytes));
    if (waiting.size() == 1) writeNext();
  }

  void writeNext() {
    asio::async_write(socket, asio::buffer(waiting.front()), [self = shared_from_this()](error_code e, size_t) {
      if (e) return self->close();
      self->waiting.pop_front();
      if (!self->waiting.empty()) self->writeNext();
    });
  }

  void close() {
    error_code ignored;  // closing a socket that the peer has closed already
    idle.cancel();
    socket.close(ignored);
  }

  std::shared_ptr<Shared> shared;
  tcp::socket socket;
  asio::steady_timer idle;
  uint8_t head[2];
  std::string body;
  std::deque<std::string> waiting;
};

void Shared::accept() {
  acceptor.async_accept([self = shared_from_this()](error_code e, tcp::socket socket) {
    if (self->closed) return;
    if (!e && self->connections < kMaxConnections)
      std::make_shared<Connection>(self, std::move(socket))->read();
    self->accept();
  });
}

class MessageServerImpl : public MessageServer {
 public:
  MessageServerImpl(std::shared_ptr<Shared> shared, std::string address)
      : shared_(std::move(shared)), address_(std::move(address)) {}
  ~MessageServerImpl() override {
    shared_->lane->post([s = shared_] {
      error_code ignored;  // nothing is left to do about a socket that can't be closed
      s->closed = true;
      s->datagrams.close(ignored);
      s->acceptor.close(ignored);
    });
  }
  const std::string& address() const override { return address_; }

 private:
  std::shared_ptr<Shared> shared_;
  std::string address_;
};

// One question under way.
struct Exchange : std::enable_shared_from_this<Exchange> {
  Exchange(const std::shared_ptr<Lane>& lane, std::function<void(Result<std::string>)> d)
      : timer(lane->context()), datagram(lane->context()), stream(lane->context()), done(std::move(d)) {}

  void finish(Result<std::string> result) {
    if (!done) return;
    error_code ignored;  // the sockets go with us
    timer.cancel();
    datagram.close(ignored);
    stream.close(ignored);
    std::exchange(done, nullptr)(std::move(result));
  }
  void fail(const error_code& e) { finish(Status::unavailable(e.message())); }

  void overDatagram(const udp::endpoint& to) {
    error_code e;
    datagram.open(to.protocol(), e);
    if (!e) datagram.connect(to, e);  // only this server's datagrams reach us
    if (!e) datagram.send(asio::buffer(message), 0, e);
    if (e) return fail(e);
    receive();
  }

  void receive() {
    answer.resize(kMaxDatagram);
    datagram.async_receive(asio::buffer(answer), [self = shared_from_this()](error_code e, size_t size) {
      if (!self->done) return;
      if (e) return self->fail(e);
      if (size < 2 || self->answer.compare(0, 2, self->message, 0, 2) != 0) return self->receive();
      self->answer.resize(size);
      self->finish(std::move(self->answer));
    });
  }

  void overStream(const tcp::endpoint& to) {
    stream.async_connect(to, [self = shared_from_this()](error_code e) {
      if (!self->done) return;
      if (e) return self->fail(e);
      self->message = framed(self->message);
      asio::async_write(self->stream, asio::buffer(self->message), [self](error_code failed, size_t) {
        if (self->done && failed) self->fail(failed);
      });
      asio::async_read(self->stream, asio::buffer(self->head), [self](error_code failed, size_t) {
        if (!self->done) return;
        if (failed) return self->fail(failed);
        self->answer.resize(size_t(self->head[0]) << 8 | self->head[1]);
        asio::async_read(self->stream, asio::buffer(self->answer), [self](error_code cut, size_t) {
          if (!self->done) return;
          if (cut) return self->fail(cut);
          self->finish(std::move(self->answer));
        });
      });
    });
  }

  asio::steady_timer timer;
  udp::socket datagram;
  tcp::socket stream;
  std::function<void(Result<std::string>)> done;
  std::string message, answer;
  uint8_t head[2];
};

Result<tcp::endpoint> endpointOf(const std::string& address) {
  PH_ASSIGN(HostPort at, parseHostPort(address));
  error_code e;
  auto ip = asio::ip::make_address(at.host, e);
  if (e) return Status::badRequest("not an address: " + address);
  return tcp::endpoint(ip, at.port);
}

}  // namespace

Result<std::unique_ptr<MessageServer>> MessageServer::listen(std::shared_ptr<Io> io, const std::string& address,
                                                             Handler handler) {
  PH_ASSIGN(tcp::endpoint at, endpointOf(address));
  auto shared = std::make_shared<Shared>(static_cast<IoImpl&>(*io).nextLane(), std::move(handler));
  error_code e;
  shared->acceptor.open(at.protocol(), e);
  if (!e) shared->acceptor.set_option(tcp::acceptor::reuse_address(true), e);
  if (!e) shared->acceptor.bind(at, e);
  if (!e) shared->acceptor.listen(64, e);
  if (!e) at = shared->acceptor.local_endpoint(e);
  if (!e) shared->datagrams.open(at.address().is_v4() ? udp::v4() : udp::v6(), e);
  if (!e) shared->datagrams.bind(udp::endpoint(at.address(), at.port()), e);
  if (e) return Status::unavailable("can't listen on " + address + ": " + e.message());
  shared->lane->post([shared] {
    shared->receive();
    shared->accept();
  });
  std::string bound = at.address().to_string() + ":" + std::to_string(at.port());
  return std::unique_ptr<MessageServer>(new MessageServerImpl(std::move(shared), std::move(bound)));
}

void exchangeMessage(const std::shared_ptr<Io>& io, const std::string& server, std::string message, bool stream,
                     Duration timeout, std::function<void(Result<std::string>)> done) {
  auto at = endpointOf(server);
  if (!at.ok()) return done(std::move(at).status());
  auto lane = static_cast<IoImpl&>(*io).nextLane();
  lane->post([lane, to = *at, message = std::move(message), stream, timeout, done = std::move(done)]() mutable {
    auto x = std::make_shared<Exchange>(lane, std::move(done));
    x->message = std::move(message);
    x->timer.expires_after(timeout);
    x->timer.async_wait([weak = std::weak_ptr(x)](error_code e) {
      if (auto self = weak.lock(); self && !e) self->finish(Status::timeout("no answer in time"));
    });
    if (stream) x->overStream(to);
    else x->overDatagram(udp::endpoint(to.address(), to.port()));
  });
}

}  // namespace ph::net
