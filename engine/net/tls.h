// TLS contexts made from PEM texts. TLS 1.2 and later.
// Threads: a context is immutable and may be shared; newSession() from any thread.
#pragma once

#include <memory>
#include <string>

#include "engine/net/net.h"

struct ssl_st;
struct ssl_ctx_st;

namespace ph::net {

class TlsContext {
 public:
  // `alpn` are the protocols offered or accepted, best first: "h2", "http/1.1".
  static Result<std::shared_ptr<TlsContext>> server(const ServerTls& tls);
  static Result<std::shared_ptr<TlsContext>> client(const ClientTls& tls);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // A new session, owned by the caller. On a client `host` is who must be at the other end.
  ssl_st* newServerSession() const;
  ssl_st* newClientSession(const std::string& host, bool offerHttp2, bool offerHttp1) const;

 private:
  explicit TlsContext(ssl_ctx_st* ctx) : ctx_(ctx) {}
  ssl_ctx_st* ctx_;
  ClientTls client_;
};

// The oldest error in OpenSSL's queue of this thread, in words; empties the queue.
std::string tlsError();
// "h2", "http/1.1", or empty when nothing was agreed on.
std::string negotiatedProtocol(ssl_st* ssl);
// Fills in who the verified peer certificate names; nothing when there was none.
void peerIdentity(ssl_st* ssl, Peer& peer);

}  // namespace ph::net
