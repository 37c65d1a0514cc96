// Server and client over TCP, unix sockets and ready-made stream descriptors (an SSH channel's socketpair):
// TLS 1.2+, HTTP/1.1 and HTTP/2 (ALPN, or prior knowledge in clear text).
#pragma once

#include "engine/base/executor.h"
#include "engine/net/http.h"

namespace ph::net {

// Owns the I/O threads. Everything made from it must be destroyed before it. Thread-safe.
class Io {
 public:
  virtual ~Io() = default;
  static std::shared_ptr<Io> make(int threads);
  // Runs tasks on the I/O threads.
  virtual std::shared_ptr<Executor> executor() = 0;
};

struct ServerLimits {
  size_t maxBody = 3 * 1024 * 1024;       // bytes; more answers 413
  size_t maxReceiving = 256 * 1024 * 1024;  // bytes of bodies that are still arriving, over all connections; more answers 429
  size_t maxHeader = 64 * 1024;           // bytes
  int maxConnections = 10000;
  int maxStreamsPerConnection = 250;      // HTTP/2 concurrent streams
  Duration headerTimeout = std::chrono::seconds(15);   // a request's head must be complete by then
  Duration bodyTimeout = std::chrono::seconds(30);     // and must go on arriving: this long without a byte ends it
  Duration requestTimeout = std::chrono::minutes(2);   // and be here whole by then, however steadily it comes
  Duration idleTimeout = std::chrono::minutes(5);      // keep-alive without requests
  // HTTP/2 with open streams and a quiet peer: PING after this long, closed when it stays quiet for as long again.
  Duration pingInterval = std::chrono::seconds(15);
};

struct ServerTls {
  std::string certPem, keyPem;  // chain and key
  std::string clientCaPem;      // client certificates are asked for, and verified when given; empty: not asked
};

// Listens and serves. Handlers run on I/O threads.
class Server {
 public:
  virtual ~Server() = default;  // stops: closes listeners and connections
  static std::unique_ptr<Server> make(std::shared_ptr<Io> io, Handler handler, ServerLimits limits = {});
  // "127.0.0.1:0" binds a free port; the answer is the bound "ADDR:PORT". Without tls: clear text.
  virtual Result<std::string> listenTcp(const std::string& address, const ServerTls* tls) = 0;
  // Clear text, mode 0600; an old socket file is replaced.
  virtual Result<> listenUnix(const std::string& path) = 0;
  // Takes a connected stream descriptor (owned from here on). Clear text; peer identity as given.
  virtual void serve(int fd, Peer peer) = 0;
  // Graceful: GOAWAY / Connection: close; streaming answers are ended, others get up to a second. Returns when all is closed
  // and no handler runs any more. Not to be called (nor the Server destroyed) on an I/O thread.
  virtual void stop() = 0;
  virtual int connections() const = 0;
};

struct ClientTls {
  std::string caPem;               // server is verified against this
  std::string certPem, keyPem;     // empty: no client certificate
  std::string serverName;          // SNI and name check; empty: the host of the endpoint
  bool insecureSkipVerify = false;
};

struct ClientOptions {
  std::string endpoint;            // "127.0.0.1:6443", "unix:/path"; unused with `dial`
  std::optional<ClientTls> tls;    // nullopt: clear text
  bool http2 = true;               // ALPN with TLS; prior knowledge in clear text
  // Instead of endpoint: hands out a connected stream descriptor (owned by the client), called for each new connection.
  std::function<void(std::function<void(Result<int>)>)> dial;
  Duration connectTimeout = std::chrono::seconds(10);
  Duration pingInterval = std::chrono::seconds(15);  // HTTP/2 PING on an idle or quiet connection; unanswered for as long again: closed
  size_t maxBody = 64 * 1024 * 1024;                 // for send(); more fails with 413
  int http1Connections = 8;                          // pool size when the peer speaks only HTTP/1.1
};

struct StreamCallbacks {  // all on an I/O thread, in order; onEnd is the last, exactly once
  std::function<void(int status, const Headers&)> onHeaders;
  std::function<void(std::string_view data)> onData;
  std::function<void(Result<Headers> trailers)> onEnd;  // the Status says why it broke; trailers may be empty
};

// Destroying it cancels the stream (no callback runs after the destructor of the last reference returns on that thread,
// but one may be running on an I/O thread: capture weak references).
class StreamHandle {
 public:
  virtual ~StreamHandle() = default;
  virtual void write(Buffer chunk) = 0;  // request body goes on (when Request asked for an open body)
  virtual void endBody() = 0;
  // Bytes of the body written but not yet handed to the peer's socket. Writers bound themselves by this.
  virtual size_t buffered() const { return 0; }
  // While paused the answer's body is not read on, so that the peer has to wait; what was read already may still come.
  virtual void pause(bool paused) { (void)paused; }
};

// One endpoint, connections made when needed and made again when lost (requests that were under way fail with
// ServiceUnavailable and are not repeated). Thread-safe.
class HttpClient {
 public:
  // Cancels all: no callback begins any more (one may be running on an I/O thread), so callbacks under way stay uncalled.
  virtual ~HttpClient() = default;
  static std::shared_ptr<HttpClient> make(std::shared_ptr<Io> io, ClientOptions options);
  // A timeout of zero: none. Running out is 504 Timeout.
  virtual void send(Request request, Duration timeout, std::function<void(Result<Response>)> done) = 0;
  virtual std::shared_ptr<StreamHandle> stream(Request request, StreamCallbacks callbacks, bool openBody = false) = 0;
  // WebSocket over a connection of its own (HTTP/1.1).
  virtual void webSocket(Request request, std::string subprotocols, std::function<void(Result<std::shared_ptr<WebSocket>>)> done) = 0;
};

}  // namespace ph::net
