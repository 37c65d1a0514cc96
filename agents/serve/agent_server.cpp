#include "agents/serve/agent_server.h"

#include <fmt/format.h>

#include <algorithm>

#include "agents/os/files.h"
#include "agents/serve/log_keeper.h"
#include "agents/serve/log_stream.h"
#include "engine/api/codec.h"
#include "engine/api/types/core.h"

namespace ph::agents {

using api::Json;
using api::JsonArray;
using api::JsonObject;
namespace core = api::core;

namespace {

void sendText(const std::shared_ptr<net::Responder>& to, int code, std::string text, const char* type = "text/plain; charset=utf-8") {
  net::Response response;
  response.status = code;
  response.headers.add("Content-Type", type);
  response.body.push_back(net::makeBuffer(std::move(text)));
  to->send(std::move(response));
}

// The engine hands this on to the user, so it is a Status object as of the API.
void sendStatus(const std::shared_ptr<net::Responder>& to, const Status& s) {
  JsonObject body{{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", JsonObject{}}, {"status", "Failure"}, {"message", s.message}, {"reason", s.reason}, {"code", s.code}};
  sendText(to, s.code, api::toText(Json(std::move(body))), "application/json");
}

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

}  // namespace

AgentServer::AgentServer(std::shared_ptr<NodeContext> node, std::shared_ptr<Executor> blocking, std::shared_ptr<PodManager> pods, std::string diskFolder)
    : node_(std::move(node)), blocking_(std::move(blocking)), pods_(pods), stats_(std::make_shared<Stats>(node_, pods, std::move(diskFolder))) {}

void AgentServer::handle(net::Request request, std::shared_ptr<net::Responder> responder) {
  std::weak_ptr<AgentServer> weak = weak_from_this();
  node_->strand->post([weak, request = std::move(request), responder = std::move(responder)] {
    if (auto self = weak.lock()) self->route(request, responder);
    else sendStatus(responder, Status::unavailable("the agent stops"));
  });
}

void AgentServer::route(const net::Request& request, const std::shared_ptr<net::Responder>& responder) {
  if (request.method != "GET" && request.method != "HEAD") return sendStatus(responder, Status::methodNotAllowed("only GET is served here"));
  auto parts = split(request.path);
  if (parts.size() == 1 && parts[0] == "healthz") return sendText(responder, 200, "ok");
  if (parts.size() == 1 && parts[0] == "pods") return pods(responder);
  if (parts.size() == 4 && parts[0] == "containerLogs") return logs(parts, request, responder);
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

}  // namespace ph::agents
