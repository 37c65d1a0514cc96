// Connector: makes one connection for a client: dial or connect, then the TLS handshake, all within a
// time-out. Lane thread only.
#pragma once

#include "engine/net/stream.h"
#include "engine/net/tls.h"

namespace ph::net {

struct Connected {
  std::unique_ptr<Stream> stream;
  bool http2 = false;
};

struct ConnectPlan {
  const ClientOptions* options = nullptr;  // outlives the connector
  std::shared_ptr<TlsContext> tls;         // null: clear text
  std::string host;                        // who is expected at the other end
  bool offerHttp2 = true, offerHttp1 = true;
};

class Connector {
 public:
  virtual ~Connector() = default;
  virtual void cancel() = 0;  // `done` is not called any more
};

// `done` is called once, later.
std::shared_ptr<Connector> startConnecting(std::shared_ptr<Lane> lane, ConnectPlan plan,
                                           std::function<void(Result<Connected>)> done);

}  // namespace ph::net
