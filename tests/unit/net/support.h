// What the tests of engine/net share: certificates, a server with settable routes, a server that is silent, a blocking raw
// socket, waiting.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <QtTest>
#include <condition_variable>
#include <map>
#include <mutex>

#include "engine/net/net.h"
#include "engine/net/pki.h"
#include "engine/net/sockets.h"

namespace ph::net::test {

using namespace std::chrono_literals;

// Waits for a condition that other threads make true.
class Waiter {
 public:
  template <class F>
  void change(F f) {
    std::lock_guard lock(mutex_);
    f();
    changed_.notify_all();
  }
  template <class F>
  bool until(F f, std::chrono::milliseconds limit = 20s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, f);
  }
  template <class F>
  auto read(F f) {
    std::lock_guard lock(mutex_);
    return f();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

inline CertSpec spec(std::string name) {
  CertSpec s;
  s.commonName = std::move(name);
  s.notBefore = systemClock().wallNow() - 1h;
  s.notAfter = systemClock().wallNow() + 24h;
  return s;
}

struct Certificates {
  KeyPair ca, otherCa, server, client, strangersClient;
  Certificates() {
    ca = *makeCa(spec("test-ca"));
    otherCa = *makeCa(spec("other-ca"));
    auto s = spec("server");
    s.serverAuth = true;
    s.ipAddresses = {"127.0.0.1", "::1"};
    s.dnsNames = {"localhost"};
    server = *issue(ca, s);
    auto c = spec("alice");
    c.clientAuth = true;
    c.organizations = {"system:masters", "dev"};
    client = *issue(ca, c);
    strangersClient = *issue(otherCa, c);
  }
  ServerTls serverTls(bool askClients = true) const {
    return {server.certPem, server.keyPem, askClients ? ca.certPem : std::string()};
  }
  ClientTls clientTls(bool withCertificate = false) const {
    ClientTls tls;
    tls.caPem = ca.certPem;
    if (withCertificate) {
      tls.certPem = client.certPem;
      tls.keyPem = client.keyPem;
    }
    return tls;
  }
};
inline const Certificates& certificates() {
  static const Certificates made;
  return made;
}

// A blocking client socket with a time-out on each read.
class RawSocket {
 public:
  explicit RawSocket(const std::string& address) {
    auto colon = address.rfind(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(uint16_t(std::stoi(address.substr(colon + 1))));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) close();
  }
  ~RawSocket() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(size_t(n));
    }
    return true;
  }
  void halfClose() { ::shutdown(fd_, SHUT_WR); }
  // Reads until `text` has come or the peer closed; everything so far.
  std::string readUntil(std::string_view text, std::chrono::milliseconds limit = 20s) {
    auto end = QDeadlineTimer(limit);
    while (text.empty() || seen_.find(text) == seen_.npos) {
      pollfd p{fd_, POLLIN, 0};
      if (::poll(&p, 1, int(end.remainingTime())) <= 0) break;
      char buffer[65536];
      ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n <= 0) {
        closed_ = true;
        break;
      }
      seen_.append(buffer, size_t(n));
    }
    return seen_;
  }
  std::string readAll() { return readUntil({}); }
  bool closedByPeer() const { return closed_; }
  std::string take() { return std::exchange(seen_, {}); }
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
  bool closed_ = false;
  std::string seen_;
};

inline Request get(std::string path) {
  Request r;
  r.path = std::move(path);
  return r;
}
inline Request post(std::string path, std::string body) {
  Request r;
  r.method = "POST";
  r.path = std::move(path);
  r.body = std::move(body);
  return r;
}
inline Response text(std::string body, int status = 200) {
  Response r;
  r.status = status;
  r.headers.add("content-type", "text/plain");
  r.body.push_back(makeBuffer(std::move(body)));
  return r;
}

// send() and wait.
inline Result<Response> call(HttpClient& client, Request request, Duration timeout = 20s) {
  auto waiter = std::make_shared<Waiter>();
  auto answer = std::make_shared<std::optional<Result<Response>>>();
  client.send(std::move(request), timeout,
              [=](Result<Response> r) { waiter->change([&] { answer->emplace(std::move(r)); }); });
  if (!waiter->until([&] { return answer->has_value(); }, 30s)) return Status::timeout("no callback at all");
  return **answer;
}

// One streaming request and all that came of it.
struct StreamLog {
  Waiter waiter;
  int status = 0;
  Headers headers;
  std::string data;
  std::optional<Result<Headers>> end;
  std::shared_ptr<StreamHandle> handle;
  bool ended(std::chrono::milliseconds limit = 20s) {
    return waiter.until([&] { return end.has_value(); }, limit);
  }
};
inline std::shared_ptr<StreamLog> stream(HttpClient& client, Request request, bool openBody = false) {
  auto log = std::make_shared<StreamLog>();
  StreamCallbacks callbacks;
  std::weak_ptr<StreamLog> weak = log;
  callbacks.onHeaders = [weak](int status, const Headers& headers) {
    if (auto log = weak.lock()) log->waiter.change([&] { log->status = status, log->headers = headers; });
  };
  callbacks.onData = [weak](std::string_view data) {
    if (auto log = weak.lock()) log->waiter.change([&] { log->data += data; });
  };
  callbacks.onEnd = [weak](Result<Headers> trailers) {
    if (auto log = weak.lock()) log->waiter.change([&] { log->end = std::move(trailers); });
  };
  log->handle = client.stream(std::move(request), std::move(callbacks), openBody);
  return log;
}

// Routes by path. /echo gives the request back, /who the peer; others are set by the test.
struct TestServer {
  using Route = std::function<void(Request, std::shared_ptr<Responder>)>;
  std::shared_ptr<Io> io;
  std::map<std::string, Route> routes;  // set before start
  std::unique_ptr<Server> server;
  std::string address;
  std::atomic<int> handled{0};

  explicit TestServer(std::shared_ptr<Io> io) : io(std::move(io)) {
    routes["/echo"] = [](Request request, std::shared_ptr<Responder> responder) {
      Response response = text(request.method + " " + request.query + " " + request.body);
      response.headers.add("x-major", std::to_string(request.httpMajor));
      response.headers.add("x-host", std::string(request.headers.get("host")));
      responder->send(std::move(response));
    };
    routes["/who"] = [](Request request, std::shared_ptr<Responder> responder) {
      std::string who = request.peer.certCommonName;
      for (auto& o : request.peer.certOrganizations) who += "," + o;
      responder->send(text(who + "|" + request.peer.pinnedUser));
    };
  }
  void start(const ServerTls* tls = nullptr, ServerLimits limits = {},
             const std::string& listenOn = "127.0.0.1:0") {
    make(limits);
    auto bound = server->listenTcp(listenOn, tls);
    QVERIFY2(bound.ok(), bound.ok() ? "" : bound.status().message.c_str());
    address = *bound;
  }
  void make(ServerLimits limits = {}) {
    server = Server::make(
        io,
        [this](Request request, std::shared_ptr<Responder> responder) {
          ++handled;
          auto it = routes.find(request.path);
          if (it == routes.end()) return responder->send(text("no such path", 404));
          it->second(std::move(request), std::move(responder));
        },
        limits);
  }
  ~TestServer() { server.reset(); }
};

// A listening socket that accepts nothing by itself.
struct DeafServer {
  int fd = -1;
  std::string address;
  DeafServer() { fd = *listenOnTcp("127.0.0.1:0", address); }
  ~DeafServer() { ::close(fd); }
  int accept() {
    pollfd p{fd, POLLIN, 0};
    ::poll(&p, 1, 20000);
    return ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
  }
};

// Reads from a blocking descriptor until `text` came.
inline std::string readFrom(int fd, std::string_view text) {
  std::string seen;
  char buffer[4096];
  while (seen.find(text) == seen.npos) {
    ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    seen.append(buffer, size_t(n));
  }
  return seen;
}

inline void writeTo(int fd, std::string_view bytes) {
  (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

// What suites of the client share: the threads, and clients of a test server.
class ClientSuite : public QObject {
 protected:
  std::shared_ptr<Io> io = Io::make(2);

  std::shared_ptr<HttpClient> clientAt(const std::string& address, bool http2) {
    ClientOptions o;
    o.endpoint = address;
    o.http2 = http2;
    return HttpClient::make(io, o);
  }
  std::shared_ptr<HttpClient> clientOf(const TestServer& s, bool http2, bool tls = false,
                                       bool certificate = false) {
    ClientOptions o;
    o.endpoint = s.address;
    o.http2 = http2;
    if (tls) o.tls = certificates().clientTls(certificate);
    return HttpClient::make(io, o);
  }
  void versions() {
    QTest::addColumn<bool>("http2");
    QTest::newRow("h1") << false;
    QTest::newRow("h2") << true;
  }
};

}  // namespace ph::net::test
