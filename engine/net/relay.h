// Relay: a request handed on through a client, and the answer handed back as it comes; two WebSockets joined. With back-pressure:
// who takes nothing stops the other's reading, so nothing piles up between them.
// Threads: any; driven by net threads.
#pragma once

#include <functional>
#include <memory>

#include "engine/net/net.h"

namespace ph::net {

struct RelayHooks {
  std::function<void(int status, Headers& headers)> onHead;  // before the answer begins: what of it shall be otherwise
  std::function<void(Status why)> onFailure;                 // there is no answer; null: a Status object is sent
};

// Headers that belong to one connection are not handed on. `via` lives until the end.
void relay(std::shared_ptr<HttpClient> via, Request request, std::shared_ptr<Responder> to, RelayHooks hooks = {});
// The same for a WebSocket upgrade, with the subprotocols that the request offers.
void relayWebSocket(std::shared_ptr<HttpClient> via, Request request, std::shared_ptr<Responder> to, RelayHooks hooks = {});
// Until either closes, and then both. `kept` lives as long.
void joinSockets(const std::shared_ptr<WebSocket>& a, const std::shared_ptr<WebSocket>& b, std::shared_ptr<void> kept = {});

// Without those of one connection (Connection and what it names, Transfer-Encoding, Upgrade, Sec-WebSocket-*...).
Headers endToEnd(const Headers& headers);

}  // namespace ph::net
