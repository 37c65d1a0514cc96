// WebSocket connections over a Stream (Beast below), server's and client's side.
// Threads: made on a lane; the WebSocket handed out is thread-safe.
#pragma once

#include "engine/net/stream.h"

namespace ph::net {

using WebSocketReady = std::function<void(Result<std::shared_ptr<WebSocket>>)>;

// What is on the lane; the WebSocket handed to users refers to it.
class WebSocketConnection {
 public:
  virtual ~WebSocketConnection() = default;
  virtual void drop() = 0;  // lane thread: ends at once, without a closing handshake
};

bool isWebSocketUpgrade(const Request& request);

// Answers the upgrade `request`; `received` is what came after its head. `gone` is called once, when it has
// ended.
std::shared_ptr<WebSocketConnection> acceptWebSocket(std::unique_ptr<Stream> stream, std::string received,
                                                     const Request& request, const std::string& subprotocol,
                                                     WebSocketReady ready, Task gone);
std::shared_ptr<WebSocketConnection> connectWebSocket(std::unique_ptr<Stream> stream, const Request& request,
                                                      const std::string& host,
                                                      const std::string& subprotocols, WebSocketReady ready,
                                                      Task gone);

}  // namespace ph::net
