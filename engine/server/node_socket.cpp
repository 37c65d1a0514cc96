#include "engine/server/node_socket.h"

#include "engine/api/types/core.h"
#include "engine/api/codec.h"
#include "engine/server/node_proxy.h"

namespace ph::server {
namespace {

constexpr size_t kMaxLag = 8 * 1024 * 1024;  // bytes that one side may lag behind the other

// The protocol to speak, among those that the client offers.
std::string_view chooseProtocol(std::string_view offered, bool forward) {
  static constexpr std::string_view streams[] = {"v5.channel.k8s.io", "v4.channel.k8s.io"};
  static constexpr std::string_view forwards[] = {"SPDY/3.1+portforward.k8s.io", "v4.channel.k8s.io"};
  for (auto known : forward ? forwards : streams)
    if (offered.find(known) != std::string_view::npos) return known;
  return {};
}

// Passes messages from one socket to the other until either side closes.
void pipe(const std::shared_ptr<net::WebSocket>& from, const std::shared_ptr<net::WebSocket>& to) {
  std::weak_ptr<net::WebSocket> back = from;
  from->start(
      [to, back](std::string message, bool binary) {
        auto buffer = net::makeBuffer(std::move(message));
        if (binary)
          to->sendBinary(std::move(buffer));
        else
          to->sendText(std::move(buffer));
        if (to->buffered() <= kMaxLag) return;
        to->close(1013, "too slow");
        if (auto socket = back.lock()) socket->close(1013, "too slow");
      },
      [to] { to->close(1000, ""); });
}

}  // namespace

void connectSocket(std::shared_ptr<client::NodeDialer> dialer, const CallPtr& call, const ApiRequest& r,
                   const api::Object& pod) {
  bool forward = r.subresource == "portforward";
  auto protocol = chooseProtocol(call->request.headers.get("sec-websocket-protocol"), forward);
  if (protocol.empty())
    return call->sendStatus(Status::badRequest("this needs a WebSocket upgrade with the protocol v5.channel.k8s.io or "
                                               "v4.channel.k8s.io (SPDY is not spoken here)"));
  auto& node = pod.as<api::core::Pod>().spec.nodeName;
  if (node.empty()) return call->sendStatus(Status::badRequest("pod " + pod.name() + " does not have a host assigned"));
  net::Request request;
  request.path = "/" + std::string(forward ? "portForward" : r.subresource) + "/" + net::percentEncode(r.ns) + "/" +
                 net::percentEncode(r.name);
  request.query = call->request.query;
  if (!forward) {
    auto container = chooseContainer(pod, call->queryValue("container"));
    if (!container.ok()) return call->sendStatus(container.status());
    request.path += "/" + net::percentEncode(*container);
  }
  auto agent = dialer ? dialer->agent(node) : nullptr;
  if (!agent)
    return call->sendStatus(Status::unavailable("node \"" + node + "\" is not connected: its agent can't be reached now"));
  std::string chosen(protocol);
  agent->webSocket(std::move(request), chosen, [agent, call, chosen](Result<std::shared_ptr<net::WebSocket>> there) {
    if (!there.ok()) return call->sendStatus(there.status());
    call->count(101);
    call->responder->upgrade(chosen, [agent, there = *there](Result<std::shared_ptr<net::WebSocket>> here) {
      if (!here.ok()) return there->close(1001, "the client left");
      pipe(there, *here);
      pipe(*here, there);
    });
  });
}

}  // namespace ph::server
