// HTTP as handlers and callers see it, whatever the version or the byte stream below. No library's types leak out.
// Threads: plain values, except Responder and StreamHandle (see each).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace ph::net {

// Immutable bytes shared by all who send them (one watch event, many watchers).
using Buffer = std::shared_ptr<const std::string>;
inline Buffer makeBuffer(std::string s) { return std::make_shared<const std::string>(std::move(s)); }

// A few headers, in order; names compare without case.
class Headers {
 public:
  void add(std::string name, std::string value) { list_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string name, std::string value);
  std::string_view get(std::string_view name) const;  // empty when absent
  bool has(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return list_; }

 private:
  std::vector<std::pair<std::string, std::string>> list_;
};

// Who is at the other end of the byte stream.
struct Peer {
  std::string address;  // "10.0.0.1:51000", "unix", "ssh:NAME"
  // Subject of a client certificate that the listener's client CA signed; empty when there was none.
  std::string certCommonName;
  std::vector<std::string> certOrganizations;
  // Identity the listener vouches for (a stream inside an authenticated SSH session); empty for ordinary connections.
  std::string pinnedUser;
  std::vector<std::string> pinnedGroups;
};

struct Request {
  std::string method = "GET";
  std::string path = "/";   // still percent-encoded, without the query
  std::string query;        // still percent-encoded, without '?'
  Headers headers;
  std::string body;
  Peer peer;
  MonoTime received{};
  int httpMajor = 1;
};

struct Response {
  int status = 200;
  Headers headers;
  std::vector<Buffer> body;  // sent in order, never copied together
  std::string bodyText() const;
};

// Percent-decoding; false on a malformed escape.
bool percentDecode(std::string_view in, std::string& out, bool plusIsSpace = false);
std::string percentEncode(std::string_view in);
// Query pairs in order, decoded; malformed escapes are kept as they are.
std::vector<std::pair<std::string, std::string>> parseQuery(std::string_view query);

// A byte stream taken over from HTTP/1.1 by an upgrade (WebSocket messages). Thread-safe. Dropping the last reference
// closes it; onClose comes once, last, whoever closed.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  virtual void sendBinary(Buffer message) = 0;
  virtual void sendText(Buffer message) = 0;
  virtual void close(uint16_t code, std::string reason) = 0;
  virtual size_t buffered() const = 0;
  // While paused no further message is read from the peer, who has to wait then; one that was read already may still come.
  virtual void pause(bool paused) { (void)paused; }
  // Called (on a net thread) each time the buffered bytes fall to zero. Set at most once, before start().
  virtual void onDrain(std::function<void()> callback) { (void)callback; }
  // What both sides agreed on; empty: nothing.
  virtual std::string subprotocol() const { return {}; }
  // Set once, before the first event can be lost (the implementation starts reading when this is called).
  virtual void start(std::function<void(std::string message, bool binary)> onMessage, std::function<void()> onClose) = 0;
};

// One answer. Exactly one of: send(); begin(), write()*, end() or abort(); upgrade(). Thread-safe; calls after the client left do nothing.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void send(Response response) = 0;
  virtual void begin(int status, Headers headers) = 0;
  virtual void write(Buffer chunk) = 0;
  virtual void end() = 0;
  // end() with trailers (gRPC's status). Peers that speak HTTP/1.1 don't get them.
  virtual void endWithTrailers(Headers trailers) {
    (void)trailers;
    end();
  }
  // Instead of end(): the peer is too slow, or the rest can't be had. What waits is thrown away, and the peer sees that the answer
  // broke off (over HTTP/1.1 with the connection).
  virtual void abort() { end(); }
  // Bytes written but not yet handed to the peer's socket. Writers bound themselves by this.
  virtual size_t buffered() const = 0;
  // Called once (on a net thread) when the client is gone or the answer is complete. Set at most once.
  virtual void onClose(std::function<void()> callback) = 0;
  // Called (on a net thread) each time the buffered bytes fall to zero. Set at most once.
  virtual void onDrain(std::function<void()> callback) = 0;
  // Accepts a WebSocket upgrade with this subprotocol (empty: none). Fails when the request was no upgrade.
  virtual void upgrade(std::string subprotocol, std::function<void(Result<std::shared_ptr<WebSocket>>)> done) = 0;
};

// Called on a net thread; must not block. The Responder may be kept and used from any thread.
using Handler = std::function<void(Request request, std::shared_ptr<Responder> responder)>;

}  // namespace ph::net
