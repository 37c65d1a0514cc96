#include "engine/server/node_socket.h"

#include "engine/api/types/core.h"
#include "engine/api/codec.h"
#include "engine/net/relay.h"
#include "engine/net/websocket.h"
#include "engine/server/json_util.h"
#include "engine/server/node_proxy.h"

namespace ph::server {
namespace {

// The protocol to speak, among those that the client offers.
std::string_view chooseProtocol(std::string_view offered, bool forward) {
  static constexpr std::string_view streams[] = {"v5.channel.k8s.io", "v4.channel.k8s.io"};
  static constexpr std::string_view forwards[] = {"SPDY/3.1+portforward.k8s.io", "v4.channel.k8s.io"};
  std::string list = "," + std::string(offered) + ",";
  std::erase(list, ' ');
  for (auto known : forward ? forwards : streams)
    if (list.find("," + std::string(known) + ",") != std::string::npos) return known;
  return {};
}

bool runs(const api::Object& pod, std::string_view container) {
  auto& status = pod.as<api::core::Pod>().status;
  for (auto* list : {&status.containerStatuses, &status.initContainerStatuses, &status.ephemeralContainerStatuses})
    for (auto& c : *list)
      if (c.name == container) return bool(c.state.running);
  return false;
}

// An agent that refuses answers with a Status object, which comes as the failure's text.
Status told(Status failure) {
  auto tree = api::parseJson(failure.message);
  auto* object = tree.ok() ? tree->if_object() : nullptr;
  if (!object) return failure;
  failure.message = textAt(object, "message");
  failure.reason = textAt(object, "reason");
  return failure;
}

}  // namespace

void connectSocket(std::shared_ptr<client::NodeDialer> dialer, const CallPtr& call, const ApiRequest& r,
                   const api::Object& pod) {
  bool forward = r.subresource == "portforward";
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
    // Also for clients that fall back to SPDY when this fails: they shall hear why.
    if (!runs(pod, *container)) return call->sendStatus(Status::notFound("container not found (\"" + *container + "\"): it does not run"));
  }
  auto agent = dialer ? dialer->agent(node) : nullptr;
  if (!agent)
    return call->sendStatus(Status::unavailable("node \"" + node + "\" is not connected: its agent can't be reached now"));
  auto protocol = chooseProtocol(call->request.headers.get("sec-websocket-protocol"), forward);
  if (protocol.empty() || !net::isWebSocketUpgrade(call->request))
    return call->sendStatus(Status::badRequest(std::string("this needs a WebSocket upgrade with the protocol ") +
                                               (forward ? "SPDY/3.1+portforward.k8s.io" : "v5.channel.k8s.io") +
                                               " or v4.channel.k8s.io: clients that speak SPDY alone, as kubectl before 1.30, "
                                               "are not served"));
  std::string chosen(protocol);
  agent->webSocket(std::move(request), chosen, [agent, call, chosen](Result<std::shared_ptr<net::WebSocket>> there) {
    if (!there.ok()) return call->sendStatus(told(there.status()));
    call->count(101);
    call->responder->upgrade(chosen, [agent, there = *there](Result<std::shared_ptr<net::WebSocket>> here) {
      if (!here.ok()) return there->close(1001, "the client left");
      net::joinSockets(there, *here, agent);
    });
  });
}

}  // namespace ph::server
