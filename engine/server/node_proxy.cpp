#include "engine/server/node_proxy.h"

#include "engine/api/codec.h"
#include "engine/api/types/core.h"
#include "engine/net/relay.h"
#include "engine/net/websocket.h"
#include "engine/server/api_request.h"
#include "engine/server/json_util.h"
#include "engine/server/node_socket.h"
#include "engine/server/proxy_target.h"

namespace ph::server {
namespace {

namespace v1 = api::core;
std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (auto& n : names) out += (out.empty() ? "" : " ") + n;
  return out;
}

Status unreachable(const std::string& node) {
  return Status::unavailable("node \"" + node + "\" is not connected: its agent can't be reached now");
}

net::RelayHooks hooksOf(const CallPtr& call) {
  net::RelayHooks hooks;
  hooks.onHead = [call](int status, net::Headers& headers) {
    call->count(status);
    if (status == 101) return;
    if (!headers.has("content-type")) headers.add("content-type", "text/plain");
    if (!headers.has("cache-control")) headers.add("cache-control", "no-cache, private");
  };
  hooks.onFailure = [call](Status why) {
    call->sendStatus(why.code == 504 ? why : Status::unavailable("the node's agent broke off: " + why.message));
  };
  return hooks;
}

void relayTo(const std::shared_ptr<client::NodeDialer>& dialer, const CallPtr& call, const std::string& node, net::Request request) {
  auto agent = dialer ? dialer->agent(node) : nullptr;
  if (!agent) return call->sendStatus(unreachable(node));
  if (net::isWebSocketUpgrade(call->request)) return net::relayWebSocket(std::move(agent), std::move(request), call->responder, hooksOf(call));
  net::relay(std::move(agent), std::move(request), call->responder, hooksOf(call));
}

Result<std::string> logQuery(const CallPtr& call, const ApiRequest& r) {
  std::string query;
  auto add = [&](std::string_view name, std::string_view value) {
    query += (query.empty() ? "" : "&") + std::string(name) + "=" + net::percentEncode(value);
  };
  for (auto name : {"follow", "previous", "timestamps", "tailLines", "sinceSeconds", "sinceTime", "limitBytes"}) {
    auto value = call->queryValue(name);
    if (value.empty()) continue;
    bool number = std::string_view(name) == "tailLines" || std::string_view(name) == "sinceSeconds" ||
                  std::string_view(name) == "limitBytes";
    if (number && value.find_first_not_of("0123456789") != std::string_view::npos) {
      api::ErrorList errors;
      errors.invalid(name, std::string(value), "must be greater than or equal to 0");
      ResourceInfo options;
      options.kind = "PodLogOptions";
      return errors.toStatus(options, r.name);
    }
    add(name, value);
  }
  return query;
}

void relayLog(const std::shared_ptr<client::NodeDialer>& dialer, const CallPtr& call, const ApiRequest& r,
              const api::Object& pod) {
  auto container = chooseContainer(pod, call->queryValue("container"));
  if (!container.ok()) return call->sendStatus(container.status());
  auto& node = pod.as<v1::Pod>().spec.nodeName;
  // Not yet scheduled: Kubernetes answers an empty log.
  if (node.empty()) return call->send(200, "", "text/plain");
  auto query = logQuery(call, r);
  if (!query.ok()) return call->sendStatus(query.status());
  net::Request request;
  request.path = "/containerLogs/" + net::percentEncode(r.ns) + "/" + net::percentEncode(r.name) + "/" +
                 net::percentEncode(*container);
  request.query = std::move(*query);
  relayTo(dialer, call, node, std::move(request));
}

// The client's request as it goes on: what only says who asks stays here.
net::Request onward(const CallPtr& call, std::string path) {
  net::Request request;
  request.method = call->request.method;
  request.path = std::move(path);
  request.query = call->request.query;
  request.body = std::move(call->request.body);
  auto& headers = request.headers;
  for (auto& [name, value] : call->request.headers.all()) {
    std::string key(name);
    for (char& c : key) c = char(std::tolower(static_cast<unsigned char>(c)));
    if (key == "authorization" || key == "content-length" || key.starts_with("impersonate-") || key.starts_with("x-forwarded-")) continue;
    headers.add(name, value);
  }
  headers.add("x-forwarded-host", std::string(call->request.headers.get("host")));
  headers.add("x-forwarded-uri", call->request.path);
  headers.add("x-forwarded-proto", "https");
  return request;
}

// An empty path gets its slash by a redirect, so that relative links in the answer lead on.
bool redirected(const CallPtr& call, std::string_view rest) {
  if (!rest.empty() || (call->request.method != "GET" && call->request.method != "HEAD") || net::isWebSocketUpgrade(call->request)) return false;
  net::Response response;
  response.status = 301;
  response.headers.add("location", call->request.path + "/" + (call->request.query.empty() ? "" : "?" + call->request.query));
  call->count(301);
  call->responder->send(std::move(response));
  return true;
}

void proxyNode(const std::shared_ptr<Core>& core, const std::shared_ptr<client::NodeDialer>& dialer, const CallPtr& call, const ApiRequest& r) {
  // [SCHEME:]NAME[:PORT] is taken, but the agent has one door only.
  auto name = parseProxyName(r.name);
  if (!name.ok()) return call->sendStatus(name.status());
  if (!core->cache->get(*core->nodes, name->name)) return call->sendStatus(notFound(*r.info, name->name));
  auto rest = afterProxy(call->request.path, 5);
  if (rest.starts_with("/proxy/")) return call->sendStatus(Status::notFound("the agent has no such path"));
  relayTo(dialer, call, name->name, onward(call, rest.empty() ? "/" : std::string(rest)));
}

void proxyWorkload(const std::shared_ptr<Core>& core, const std::shared_ptr<client::NodeDialer>& dialer, const CallPtr& call, const ApiRequest& r) {
  auto target = proxyTarget(*core, r);
  if (!target.ok()) return call->sendStatus(target.status());
  auto rest = afterProxy(call->request.path, 7);
  if (redirected(call, rest)) return;
  auto node = target->node;
  if (node.empty())  // an address that is no pod's: any agent may try
    for (auto& [key, object] : core->cache->snapshot(*core->nodes).objects)
      if (node.empty() && dialer && dialer->agent(object->name())) node = object->name();
  auto request = onward(call, "/proxy/" + target->scheme + "/" + net::percentEncode(target->endpoint) + (rest.empty() ? "/" : std::string(rest)));
  relayTo(dialer, call, node, std::move(request));
}

}  // namespace

Result<std::string> chooseContainer(const api::Object& pod, std::string_view asked) {
  auto& spec = pod.as<v1::Pod>().spec;
  std::vector<std::string> names, init;
  for (auto& c : spec.containers) names.push_back(c.name);
  for (auto& c : spec.initContainers) init.push_back(c.name);
  auto has = [](auto& list, std::string_view name) { return std::find(list.begin(), list.end(), name) != list.end(); };
  if (!asked.empty()) {
    if (has(names, asked) || has(init, asked)) return std::string(asked);
    return Status::badRequest("container " + std::string(asked) + " is not valid for pod " + pod.name());
  }
  auto& annotations = pod.as<v1::Pod>().metadata.annotations;
  if (auto at = annotations.find("kubectl.kubernetes.io/default-container");
      at != annotations.end() && has(names, at->second))
    return at->second;
  if (names.size() == 1) return names.front();
  std::string text = "a container name must be specified for pod " + pod.name() + ", choose one of: [" + joined(names) + "]";
  if (!init.empty()) text += " or one of the init containers: [" + joined(init) + "]";
  return Status::badRequest(std::move(text));
}

void connectNode(const std::shared_ptr<Core>& core, std::shared_ptr<client::NodeDialer> dialer, const CallPtr& call,
                 ApiRequest r) {
  if (r.subresource == "proxy") return r.info == core->nodes ? proxyNode(core, dialer, call, r) : proxyWorkload(core, dialer, call, r);
  auto pod = core->cache->get(*core->pods, r.key());
  if (r.info != core->pods || !pod) return call->sendStatus(notFound(*r.info, r.name));
  if (r.subresource == "log") return relayLog(dialer, call, r, *pod);
  connectSocket(std::move(dialer), call, r, *pod);
}

}  // namespace ph::server
