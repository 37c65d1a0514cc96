#include "engine/server/node_proxy.h"

#include "engine/api/codec.h"
#include "engine/api/types/core.h"
#include "engine/server/api_request.h"
#include "engine/server/json_util.h"
#include "engine/server/node_socket.h"

namespace ph::server {
namespace {

namespace v1 = api::core;
constexpr size_t kMaxLag = 8 * 1024 * 1024;    // bytes that a client may lag behind its node
constexpr size_t kMaxError = 64 * 1024;        // bytes of a node's error text

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (auto& n : names) out += (out.empty() ? "" : " ") + n;
  return out;
}

// Passes an agent's answer on as it comes.
class Relay : public std::enable_shared_from_this<Relay> {
 public:
  Relay(std::shared_ptr<net::HttpClient> agent, CallPtr call) : agent_(std::move(agent)), call_(std::move(call)) {}

  void start(net::Request request) {
    auto self = shared_from_this();
    call_->responder->onClose([self] { self->stop(); });
    net::StreamCallbacks callbacks;
    callbacks.onHeaders = [self](int status, const net::Headers& headers) { self->headers(status, headers); };
    callbacks.onData = [self](std::string_view data) { self->data(data); };
    callbacks.onEnd = [self](Result<net::Headers> trailers) { self->ended(std::move(trailers)); };
    auto stream = agent_->stream(std::move(request), std::move(callbacks));
    std::lock_guard lock(mutex_);
    if (!stopped_) stream_ = std::move(stream);
  }

 private:
  void headers(int status, const net::Headers& headers) {
    status_ = status;
    if (status >= 400) return;  // its text becomes a Status
    net::Headers out;
    auto type = headers.get("content-type");
    out.add("content-type", type.empty() ? "text/plain" : std::string(type));
    out.add("cache-control", "no-cache, private");
    begun_ = true;
    call_->count(status);
    call_->responder->begin(status, std::move(out));
  }
  void data(std::string_view data) {
    if (!begun_) {
      if (error_.size() < kMaxError) error_.append(data.substr(0, kMaxError - error_.size()));
      return;
    }
    call_->responder->write(net::makeBuffer(std::string(data)));
    if (call_->responder->buffered() > kMaxLag) {
      call_->responder->end();
      stop();
    }
  }
  void ended(Result<net::Headers> trailers) {
    if (begun_) {
      call_->responder->end();
    } else if (status_ >= 400) {
      while (!error_.empty() && error_.back() == '\n') error_.pop_back();
      Status status = Status::internal(error_);
      status.code = status_;
      status.reason = status_ == 404 ? "NotFound" : status_ == 400 ? "BadRequest" : "InternalError";
      call_->sendStatus(status);
    } else {
      call_->sendStatus(Status::unavailable("the node's agent broke off: " +
                                            (trailers.ok() ? std::string("no answer") : trailers.status().message)));
    }
    stop();
  }
  void stop() {
    std::shared_ptr<net::StreamHandle> stream;
    std::lock_guard lock(mutex_);
    stopped_ = true;
    stream = std::move(stream_);
  }

  std::shared_ptr<net::HttpClient> agent_;
  CallPtr call_;
  std::mutex mutex_;
  std::shared_ptr<net::StreamHandle> stream_;
  bool stopped_ = false;
  int status_ = 0;
  bool begun_ = false;
  std::string error_;
};

void relay(const std::shared_ptr<client::NodeDialer>& dialer, const CallPtr& call, const std::string& node,
           net::Request request) {
  auto agent = dialer ? dialer->agent(node) : nullptr;
  if (!agent)
    return call->sendStatus(Status::unavailable("node \"" + node + "\" is not connected: its agent can't be reached now"));
  std::make_shared<Relay>(std::move(agent), call)->start(std::move(request));
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
  relay(dialer, call, node, std::move(request));
}

void relayNode(const std::shared_ptr<Core>& core, const std::shared_ptr<client::NodeDialer>& dialer, const CallPtr& call,
               const ApiRequest& r) {
  if (!core->cache->get(*core->nodes, r.name)) return call->sendStatus(notFound(*r.info, r.name));
  net::Request request;
  request.method = call->request.method;
  request.path = "/" + r.subpath;
  request.query = call->request.query;
  request.body = std::move(call->request.body);
  if (auto type = call->request.headers.get("content-type"); !type.empty())
    request.headers.add("content-type", std::string(type));
  relay(dialer, call, r.name, std::move(request));
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
  if (r.info == core->nodes && r.subresource == "proxy") return relayNode(core, dialer, call, r);
  auto pod = core->cache->get(*core->pods, r.key());
  if (r.info != core->pods || !pod) return call->sendStatus(notFound(*r.info, r.name));
  if (r.subresource == "log") return relayLog(dialer, call, r, *pod);
  connectSocket(std::move(dialer), call, r, *pod);
}

}  // namespace ph::server
