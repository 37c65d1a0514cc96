// A Client over HTTP(S): the agent's, tools' and tests' way to the API; works with any Kubernetes API server.
// Threads: calls from any thread. Callbacks come on HttpClientOptions::executor (a watch's in order, one at a
// time); without one on an I/O thread of net, where they must not block. Answers are parsed where callbacks
// run. After the client is destroyed no callback begins.
#pragma once

#include "engine/client/client.h"
#include "engine/net/net.h"

namespace ph::client {

struct HttpClientOptions {
  std::shared_ptr<net::Io> io;
  net::ClientOptions http;             // endpoint or dial, TLS
  std::string bearerToken;             // empty: none
  std::string pathPrefix;              // before "/api" and "/apis"; empty: none
  std::shared_ptr<Executor> executor;  // null: I/O threads
  std::shared_ptr<const api::Registry> registry;
  Duration timeout = std::chrono::seconds(30);  // of a get, list or write
  int writesInFlight = 64;                      // of one writeAll()
};

// get, list, write: failures of the connection are 503 ServiceUnavailable, time-outs 504 Timeout, all else is
// the server's Status. A write whose answer is of another kind (a Binding, a Scale, the Status of a deletion)
// succeeds with a null object.
std::shared_ptr<Client> makeHttpClient(HttpClientOptions options);

// The Status in an answer that was no success; made up from the code when the body holds none.
Status statusOf(int code, std::string_view body);

}  // namespace ph::client
