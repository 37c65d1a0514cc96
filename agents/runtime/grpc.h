// GrpcChannel: gRPC calls over our own HTTP/2 client: unary ones, and streams that the server sends.
// Source: the gRPC over HTTP/2 protocol document.
// Threads: calls from the strand; answers and messages on the strand, never inline.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/executor.h"
#include "engine/net/net.h"

namespace ph::agents {

class GrpcChannel : public std::enable_shared_from_this<GrpcChannel> {
 public:
  GrpcChannel(std::shared_ptr<net::HttpClient> http, std::shared_ptr<Executor> strand);

  // `method`: "/runtime.v1.RuntimeService/Version". Messages are serialized protobuf. A failure's code is the HTTP code that
  // comes nearest to the gRPC one (NOT_FOUND: 404, UNAVAILABLE: 503, DEADLINE_EXCEEDED: 504, UNIMPLEMENTED: 501).
  void call(std::string method, std::string request, Duration timeout, std::function<void(Result<std::string>)> done);
  // Dropping the handle ends the stream. `onEnd` comes once, last.
  std::shared_ptr<void> subscribe(std::string method, std::string request, std::function<void(std::string)> onMessage,
                                  std::function<void(Status)> onEnd);

 private:
  std::shared_ptr<net::HttpClient> http_;
  std::shared_ptr<Executor> strand_;
};

// The 5-byte prefix and the message.
std::string grpcFrame(const std::string& message);
// Takes whole messages off the front of `buffer`; false when one is compressed or larger than `limit`.
bool grpcUnframe(std::string& buffer, size_t limit, std::vector<std::string>& out);
// From grpc-status and grpc-message; ok() for status 0.
Result<> grpcStatus(const net::Headers& trailers);

}  // namespace ph::agents
