#include "agents/serve/agent_server.h"

#include <fmt/format.h>

#include <algorithm>

#include "agents/os/files.h"
#include "agents/serve/answers.h"
#include "agents/serve/exec_session.h"
#include "agents/serve/log_keeper.h"
#include "agents/serve/log_stream.h"
#include "agents/serve/port_forward.h"
#include "engine/api/codec.h"
#include "engine/api/types/core.h"
#include "engine/net/relay.h"
#include "engine/net/sockets.h"
#include "engine/net/websocket.h"

namespace ph::agents {

using api::Json;
using api::JsonArray;
using api::JsonObject;
namespace core = api::core;

namespace {

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t at = 1; at <= path.size();) {
    auto end = std::min(path.find('/', at), path.size());
    std::string part;
    if (!net::percentDecode(std::string_view(path).substr(at, end - at), part)) return {};
    if (!part.empty()) parts.push_back(std::move(part));
    at = end + 1;
  }
  return parts;
}

// Names come from the asker; only what the pod really has is ever made into a path.
const ContainerView* viewOf(const PodWorker& worker, const std::string& name) {
  auto& spec = worker.pod()->as<core::Pod>().spec;
  auto& view = worker.view();
  for (size_t i = 0; i < spec.initContainers.size() && i < view.init.size(); ++i)
    if (spec.initContainers[i].name == name) return &view.init[i];
  for (size_t i = 0; i < spec.containers.size() && i < view.main.size(); ++i)
    if (spec.containers[i].name == name) return &view.main[i];
  return nullptr;
}

bool hasTty(const api::Object& pod, const std::string& name) {
  auto& spec = pod.as<core::Pod>().spec;
  for (auto* list : {&spec.containers, &spec.initContainers})
    for (auto& c : *list)
      if (c.name == name) return c.tty;
  return false;
}

// The first of these protocols that a WebSocket upgrade offers; empty: none.
std::string offered(const net::Request& request, std::initializer_list<const char*> known) {
  if (!net::isWebSocketUpgrade(request)) return {};
  std::string list = "," + std::string(request.headers.get("sec-websocket-protocol")) + ",";
  std::erase(list, ' ');
  for (auto* name : known)
    if (list.find("," + std::string(name) + ",") != std::string::npos) return name;
  return {};
}

}  // namespace

AgentServer::AgentServer(std::shared_ptr<net::Io> io, std::shared_ptr<NodeContext> node, std::shared_ptr<Executor> blocking, std::shared_ptr<PodManager> pods, std::string diskFolder)
    : io_(std::move(io)), node_(std::move(node)), blocking_(std::move(blocking)), pods_(pods), stats_(std::make_shared<Stats>(node_, pods, std::move(diskFolder))) {}

void AgentServer::handle(net::Request request, std::shared_ptr<net::Responder> responder) {
  std::weak_ptr<AgentServer> weak = weak_from_this();
  node_->strand->post([weak, request = std::move(request), responder = std::move(responder)] {
    if (auto self = weak.lock()) self->route(request, responder);
    else sendStatus(responder, Status::unavailable("the agent stops"));
  });
}

void AgentServer::route(const net::Request& request, const std::shared_ptr<net::Responder>& responder) {
  if (request.path.starts_with("/proxy/")) return proxy(request, responder);
  if (request.method != "GET" && request.method != "HEAD") return sendStatus(responder, Status::methodNotAllowed("only GET is served here"));
  auto parts = split(request.path);
  if (parts.size() == 1 && parts[0] == "healthz") return sendText(responder, 200, "ok");
  if (parts.size() == 1 && parts[0] == "pods") return pods(responder);
  if (parts.size() == 4 && parts[0] == "containerLogs") return logs(parts, request, responder);
  if (parts.size() == 4 && (parts[0] == "exec" || parts[0] == "attach")) return stream(parts, request, responder);
  if (parts.size() == 3 && parts[0] == "portForward") return portForward(parts, request, responder);
  if (parts.size() == 2 && parts[0] == "stats" && parts[1] == "summary")
    return stats_->summary([responder](Result<Json> summary) {
      if (!summary.ok()) return sendStatus(responder, summary.status());
      sendText(responder, 200, api::toText(*summary), "application/json");
    });
  sendStatus(responder, Status::notFound("the agent has no " + request.path));
}

void AgentServer::pods(const std::shared_ptr<net::Responder>& responder) {
  auto manager = pods_.lock();
  std::string body = "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":[";
  bool first = true;
  if (manager)
    for (auto& [uid, worker] : manager->workers()) {
      if (!std::exchange(first, false)) body += ",";
      worker->pod()->appendJson(body);
    }
  sendText(responder, 200, body + "]}", "application/json");
}

void AgentServer::logs(const std::vector<std::string>& parts, const net::Request& request, const std::shared_ptr<net::Responder>& responder) {
  auto query = parseLogQuery(request.query, node_->strand->wallNow());
  if (!query.ok()) return sendStatus(responder, query.status());
  auto manager = pods_.lock();
  auto worker = manager ? manager->find(parts[1], parts[2]) : nullptr;
  if (!worker) return sendStatus(responder, Status::notFound(fmt::format("pod {}/{} is not on this node", parts[1], parts[2])));
  auto& name = parts[3];
  auto* view = viewOf(*worker, name);
  if (!view) return sendStatus(responder, Status::badRequest(fmt::format("container {} is not valid for pod {}", name, parts[2])));
  const auto& wanted = query->previous ? view->previous : view->current;
  if (!wanted) {
    if (query->previous) return sendStatus(responder, Status::badRequest(fmt::format("previous terminated container \"{}\" in pod \"{}\" not found", name, parts[2])));
    auto reason = view->waitingReason.empty() ? std::string("ContainerCreating") : view->waitingReason;
    return sendStatus(responder, Status::badRequest(fmt::format("container \"{}\" in pod \"{}\" is waiting to start: {}", name, parts[2], reason)));
  }
  auto path = containerLog(node_->config, *worker->pod(), name, wanted->attempt);
  std::weak_ptr<PodWorker> weak = worker;
  auto running = [weak, id = wanted->id, name] {
    auto worker = weak.lock();
    auto* view = worker ? viewOf(*worker, name) : nullptr;
    return view && view->current && view->current->id == id && view->running();
  };
  LogStream::start(node_->strand, blocking_, std::move(path), *query, responder, std::move(running));
}

void AgentServer::stream(const std::vector<std::string>& parts, const net::Request& request, const std::shared_ptr<net::Responder>& responder) {
  bool attach = parts[0] == "attach";
  auto manager = pods_.lock();
  auto worker = manager ? manager->find(parts[1], parts[2]) : nullptr;
  if (!worker) return sendStatus(responder, Status::notFound(fmt::format("pod {}/{} is not on this node", parts[1], parts[2])));
  auto* view = viewOf(*worker, parts[3]);
  if (!view || !view->running()) return sendStatus(responder, Status::notFound(fmt::format("container not found (\"{}\")", parts[3])));
  auto protocol = offered(request, {"v5.channel.k8s.io", "v4.channel.k8s.io"});
  if (protocol.empty()) return sendStatus(responder, Status::badRequest("this needs a WebSocket upgrade with v5.channel.k8s.io or v4.channel.k8s.io"));
  StreamSpec spec;
  spec.id = view->current->id;
  auto isTrue = [](const std::string& s) { return s == "true" || s == "1"; };
  for (auto& [key, value] : net::parseQuery(request.query)) {
    if (key == "command") spec.command.push_back(value);
    if (key == "stdin") spec.in = isTrue(value);
    if (key == "stdout") spec.out = isTrue(value);
    if (key == "stderr") spec.err = isTrue(value);
    if (key == "tty") spec.tty = isTrue(value);
  }
  if (attach) {
    spec.command.clear();
    spec.tty = hasTty(*worker->pod(), parts[3]);
  } else if (spec.command.empty()) {
    return sendStatus(responder, Status::badRequest("you must specify at least 1 command to execute"));
  }
  if (spec.tty) spec.err = false;  // a terminal has one output
  if (!spec.in && !spec.out && !spec.err) return sendStatus(responder, Status::badRequest("you must specify at least 1 of stdin, stdout, stderr"));
  node_->runtime->stream(spec, [lane = net::pickLane(io_), spec, protocol, responder](Result<std::string> url) {
    if (!url.ok()) return sendStatus(responder, url.status());
    ExecSession::start(lane, *url, spec, protocol, responder);
  });
}

void AgentServer::portForward(const std::vector<std::string>& parts, const net::Request& request, const std::shared_ptr<net::Responder>& responder) {
  auto manager = pods_.lock();
  auto worker = manager ? manager->find(parts[1], parts[2]) : nullptr;
  if (!worker) return sendStatus(responder, Status::notFound(fmt::format("pod {}/{} is not on this node", parts[1], parts[2])));
  auto& sandbox = worker->view().sandbox;
  if (!sandbox || !sandbox->ready) return sendStatus(responder, Status::badRequest(fmt::format("pod {} is not running", parts[2])));
  auto protocol = offered(request, {kForwardTunnel, kForwardChannels});
  std::vector<uint16_t> ports;
  if (protocol.empty()) return sendStatus(responder, Status::badRequest(fmt::format("this needs a WebSocket upgrade with {} or {}", kForwardTunnel, kForwardChannels)));
  if (protocol == kForwardChannels) {
    auto asked = forwardPorts(net::parseQuery(request.query));
    if (!asked.ok()) return sendStatus(responder, asked.status());
    ports = std::move(*asked);
  }
  auto open = [lane = net::pickLane(io_), blocking = blocking_, protocol, ports, responder, pod = parts[1] + "/" + parts[2]](Result<std::string> file) {
    if (!file.ok()) return sendStatus(responder, file.status());
    auto dial = podDial(lane, blocking, *file);
    responder->upgrade(protocol, [lane, ports, pod, dial](Result<std::shared_ptr<net::WebSocket>> socket) {
      if (!socket.ok()) return;
      if (ports.empty()) forwardTunnel(lane, *socket, pod, dial);
      else forwardChannels(lane, *socket, pod, ports, dial);
    });
  };
  if (worker->pod()->as<core::Pod>().spec.hostNetwork) return open(std::string());
  node_->runtime->networkNamespace(sandbox->id, std::move(open));
}

// "/proxy/http/10.1.2.3:8080/path": the engine has chosen the address; it lies in the cluster's network, which the engine can't reach.
void AgentServer::proxy(const net::Request& request, const std::shared_ptr<net::Responder>& responder) {
  std::string_view rest = std::string_view(request.path).substr(7);
  auto slash = rest.find('/');
  auto scheme = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  slash = rest.find('/');
  std::string endpoint;
  bool decoded = net::percentDecode(rest.substr(0, slash), endpoint);
  auto address = net::parseHostPort(endpoint);
  if (!decoded || (scheme != "http" && scheme != "https") || !address.ok() || !net::isNumericHost(address->host))
    return sendStatus(responder, Status::badRequest("the agent can't proxy " + request.path));
  if (address->host.starts_with("127.") || address->host == "::1" || address->host.starts_with("169.254."))
    return sendStatus(responder, Status::forbidden("this machine's own addresses are not proxied"));
  net::ClientOptions options;
  options.endpoint = endpoint;
  options.http2 = false;
  options.connectTimeout = std::chrono::seconds(10);
  if (scheme == "https") {
    options.tls.emplace();
    options.tls->insecureSkipVerify = true;  // pods have certificates of their own
  }
  net::Request onward = request;
  onward.path = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  auto client = net::HttpClient::make(io_, std::move(options));
  if (net::isWebSocketUpgrade(request)) return net::relayWebSocket(std::move(client), std::move(onward), responder);
  net::relay(std::move(client), std::move(onward), responder);
}

}  // namespace ph::agents
