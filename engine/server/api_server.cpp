#include "engine/server/api_server.h"

#include "engine/api/codec.h"
#include "engine/net/http.h"
#include "engine/server/authz.h"
#include "engine/server/call.h"
#include "engine/server/discovery.h"
#include "engine/server/identity/token_authority.h"
#include "engine/server/health.h"
#include "engine/server/json_util.h"
#include "engine/server/list_options.h"
#include "engine/server/node_proxy.h"
#include "engine/server/protobuf_body.h"
#include "engine/server/rbac/impersonation.h"
#include "engine/server/reads.h"
#include "engine/server/router.h"
#include "engine/server/stream_list.h"
#include "engine/server/version.h"
#include "engine/server/virtual_kinds.h"
#include "engine/server/watch_session.h"
#include "engine/server/writes.h"

namespace ph::server {

namespace {

constexpr Duration kRequestTimeout = std::chrono::seconds(60);  // as Kubernetes' --request-timeout

Traffic trafficOf(const ApiRequest& r) {
  if (isConnect(r)) return Traffic::Connect;
  switch (r.verb) {
    case Verb::Get: return Traffic::Get;
    case Verb::List: return Traffic::List;
    case Verb::Watch: return Traffic::Watch;
    default: return Traffic::Change;
  }
}

void sendObject(const std::shared_ptr<Core>& core, const CallPtr& call, int code, const api::Object& object,
                const std::vector<std::string>& warnings) {
  auto bytes = renderObject(*core, object, call->media);
  if (call->media.protobuf) return call->sendRendered(code, std::move(bytes), warnings);
  call->sendJson(code, std::move(bytes), warnings);
}

}  // namespace

ApiServer::ApiServer(Parts parts)
    : core_(std::move(parts.core)),
      authenticator_(std::move(parts.authenticator)),
      images_(std::move(parts.images)),
      uploads_(images_ ? std::make_shared<ImageUploads>(images_, core_->executor) : nullptr),
      blocking_(parts.blocking ? std::move(parts.blocking) : core_->executor),
      dialer_(std::move(parts.dialer)),
      openApi_(std::make_shared<OpenApiCache>(core_->registry, core_->executor)),
      audit_(std::move(parts.audit)),
      limits_(std::make_shared<Limits>(parts.allowances)),
      deadlines_(std::make_shared<Deadlines>(core_->executor)) {
  if (core_->tokens) authenticator_.use(core_->tokens);
}

net::Handler ApiServer::handler() {
  return [self = shared_from_this()](net::Request request, std::shared_ptr<net::Responder> responder) {
    self->handle(std::move(request), std::move(responder));
  };
}

void ApiServer::handle(net::Request request, std::shared_ptr<net::Responder> responder) {
  auto call = std::make_shared<Call>();
  call->request = std::move(request);
  call->responder = call->tracked = std::make_shared<TrackedResponder>(std::move(responder), call);
  call->metrics = metrics_;
  call->audit = audit_;
  call->executor = core_->executor.get();
  call->started = call->executor->monoNow();
  call->receivedAt = call->executor->wallNow();
  if (!splitPath(call->request.path, call->segments)) return call->sendStatus(Status::badRequest("malformed path"));
  auto user = authenticator_.authenticate(call->request);
  if (user.ok() && call->request.headers.has("impersonate-user")) call->impersonator = std::make_shared<User>(*user);
  if (user.ok()) user = impersonated(*core_, call->request.headers, std::move(*user));
  if (!user.ok()) return call->sendStatus(user.status());
  call->user = std::move(*user);
  if (!call->request.query.empty()) call->query = net::parseQuery(call->request.query);
  route(call);
}

void ApiServer::route(const CallPtr& call) {
  auto& s = call->segments;
  size_t n = s.size();
  if (n >= 3 && s[0] == "api") return resource(call, "", s[1], 2);
  if (n >= 4 && s[0] == "apis") return resource(call, s[1], s[2], 3);
  for (auto& segment : s) call->path += "/" + segment;
  if (call->path.empty()) call->path = "/";
  for (char c : call->request.method)
    if (call->method.size() < 8) call->method += char(std::tolower(static_cast<unsigned char>(c)));
  call->verb = call->method;
  // Health is answered whatever else goes on; image archives take as long as they take.
  call->longRunning = !s.empty() && s[0] == "pilothouse";
  if (n >= 3 && s[0] == "pilothouse" && s[1] == "images" && s[2] == "uploads") {
    // A namespace's token may be allowed to, too: whether it is is asked there.
    if (admit(call, Traffic::Connect)) routeUploads(call);
    return;
  }
  auto allowed = authorizePath(*core_, call->user, call->request.method, call->path);
  call->authorized = allowed.ok();
  if (!allowed.ok()) return call->sendStatus(allowed.status());
  if (!isHealth(*call) && !admit(call, call->longRunning ? Traffic::Connect : Traffic::Get)) return;
  if (!routeFixed(call)) call->sendStatus(noSuchResource());
}

bool ApiServer::routeFixed(const CallPtr& call) {
  auto& s = call->segments;
  if (s.empty()) {
    call->sendJson(200, R"({"paths":["/api","/apis","/healthz","/livez","/metrics","/openapi/v2","/openapi/v3",)"
                        R"("/readyz","/version"]})");
    return true;
  }
  auto& first = s[0];
  if (first == "pilothouse" && s.size() >= 2 && s[1] == "images") {
    routeImages(call);
    return true;
  }
  if (call->request.method != "GET" && call->request.method != "HEAD") return false;
  if (isHealth(*call)) {
    return answerHealth(*call, {{"ping", true},
                                {"store", !core_->cache->readOnly()},
                                {"defaults", first == "livez" || ready_.load(std::memory_order_acquire)}});
  } else if (first == "version" && s.size() == 1) {
    call->sendJson(200, versionJson());
  } else if (first == "metrics" && s.size() == 1) {
    call->send(200, metrics_->text(*core_, {connections_ ? connections_() : 0, limits_.get(), audit_.get()}), "text/plain; version=0.0.4");
  } else if (core_->tokens && call->path == "/.well-known/openid-configuration") {
    call->send(200, core_->tokens->openIdConfiguration());
  } else if (core_->tokens && call->path == "/openid/v1/jwks") {
    call->send(200, core_->tokens->keySet(), "application/jwk-set+json");
  } else if (first == "openapi") {
    return openApi(call);
  } else if (first == "api" || first == "apis") {
    auto answer = discover(*core_->registry, s, call->request.headers.get("accept"));
    if (!answer) return false;
    sendTagged(*call, std::move(answer->body), answer->contentType);
  } else {
    return false;
  }
  return true;
}

bool ApiServer::admit(const CallPtr& call, Traffic traffic) {
  auto seat = limits_->enter(traffic, call->user);
  if (!seat.ok()) {
    call->sendStatus(seat.status());
    return false;
  }
  call->tracked->hold(std::move(*seat));
  if (call->longRunning) return true;
  Duration within = kRequestTimeout;
  if (auto text = call->queryValue("timeout"); !text.empty()) {
    auto asked = parseDuration(text);
    if (!asked || *asked < Duration::zero()) {
      call->sendStatus(Status::badRequest("invalid timeout specified in the request URL"));
      return false;
    }
    if (*asked > Duration::zero()) within = std::min(within, *asked);
  }
  call->tracked->limit(deadlines_, within);
  return true;
}

void ApiServer::resource(const CallPtr& call, std::string_view group, std::string_view version, size_t at) {
  ApiRequest request;
  request.user = call->user;
  call->media = negotiate(call->request.headers.get("accept"), {.protobuf = true}).value_or(Media{});  // of errors, so far
  auto options = parseOptions(call->query);
  if (!options.ok()) return call->sendStatus(options.status());
  request.options = std::move(*options);
  auto routed =
      routeResource(*core_->registry, group, version, call->segments, at, call->request.method, request);
  if (!routed.ok()) return call->sendStatus(routed.status());
  if (auto& going = request.info->deprecation; !going.empty()) call->warnings.push_back(going);
  call->verb = isConnect(request) ? "connect" : verbName(request.verb);
  call->info = request.info;
  call->ns = request.ns;
  call->name = request.name;
  call->subresource = request.subresource;
  call->longRunning = isConnect(request) || request.verb == Verb::Watch;
  if (!admit(call, trafficOf(request))) return;
  auto allowed = authorize(*core_, request);
  call->authorized = allowed.ok();
  if (!allowed.ok()) return call->sendStatus(allowed.status());
  if (isConnect(request)) return connect(call, std::move(request));
  const bool question = request.verb == Verb::Create && !request.info->stored;
  Offer offer{.yaml = request.verb != Verb::Watch, .protobuf = hasProtobuf(*request.info), .table = !question};
  auto media = negotiate(call->request.headers.get("accept"), offer);
  if (!media) return call->sendStatus(notAcceptable(offer, request.verb == Verb::Watch));
  call->media = *media;
  call->media.pretty = call->media.pretty || request.options.pretty;
  auto& include = request.options.includeObject;
  if (include == "None") call->media.include = Media::Include::None;
  if (include == "Object") call->media.include = Media::Include::Object;
  request.userAgent = call->request.headers.get("user-agent");
  request.contentType = mediaType(call->request.headers.get("content-type"));
  request.body = std::move(call->request.body);
  dispatch(call, std::move(request));
}

void ApiServer::dispatch(const CallPtr& call, ApiRequest&& request) {
  switch (request.verb) {
    case Verb::Get:
    case Verb::List: return read(call, std::move(request));
    case Verb::Watch: return startWatch(call, std::move(request));
    default: return change(call, std::move(request));
  }
}

void ApiServer::readVirtual(const CallPtr& call, ApiRequest&& request) {
  auto* info = request.info;
  if (request.verb == Verb::List)
    return listVirtual(core_, std::move(request), [core = core_, call, info](Result<Listing> listing) {
      if (!listing.ok()) return call->sendStatus(listing.status());
      sendList(core, *info, std::move(*listing), call);
    });
  getVirtual(core_, std::move(request), [core = core_, call](Result<ObjectPtr> object) {
    if (!object.ok()) return call->sendStatus(object.status());
    sendObject(core, call, 200, **object, {});
  });
}

void ApiServer::read(const CallPtr& call, ApiRequest&& request) {
  if (!request.info->stored && request.subresource.empty()) return readVirtual(call, std::move(request));
  if (request.verb == Verb::List) {
    auto listing = list(*core_, request);
    if (!listing.ok()) {
      if (listing.status().isGone()) call->continueToken = inconsistentToken(request.options.continueToken);
      return call->sendStatus(listing.status());
    }
    return sendList(core_, *request.info, std::move(*listing), call);
  }
  auto object = get(*core_, request);
  if (!object.ok()) return call->sendStatus(object.status());
  if (request.subresource == "scale")
    return call->sendJson(200, api::toText(scaleOf(*request.info, (*object)->tree())));
  auto& sub = request.subresource;
  if (!sub.empty() && sub != "status" && sub != "approval" && sub != "ephemeralcontainers")
    return call->sendStatus(Status::methodNotAllowed("the server does not allow this method on the requested resource"));
  sendObject(core_, call, 200, **object, {});
}

void ApiServer::change(const CallPtr& call, ApiRequest&& request) {
  auto done = [core = core_, call](Result<WriteAnswer> result) {
    if (!result.ok()) return call->sendStatus(result.status());
    auto& answer = *result;
    if (answer.object && call->name.empty()) call->name = answer.object->name();
    if (answer.object) return sendObject(core, call, answer.code, *answer.object, answer.warnings);
    call->sendJson(answer.code, std::move(answer.text), answer.warnings);
  };
  if (request.verb == Verb::DeleteCollection) return deleteCollection(core_, std::move(request), std::move(done));
  write(core_, std::move(request), std::move(done));
}

void ApiServer::startWatch(const CallPtr& call, ApiRequest&& request) {
  auto session = std::make_shared<WatchSession>(core_, encoder_, metrics_, std::move(request), call->media, call->responder);
  if (auto started = session->start(); !started.ok()) return call->sendStatus(started.status());
  call->count(200);
}

void ApiServer::connect(const CallPtr& call, ApiRequest&& request) {
  std::shared_ptr<client::NodeDialer> dialer;
  {
    std::lock_guard lock(dialerMutex_);
    dialer = dialer_;
  }
  connectNode(core_, std::move(dialer), call, std::move(request));
}

void ApiServer::setDialer(std::shared_ptr<client::NodeDialer> dialer) {
  std::lock_guard lock(dialerMutex_);
  dialer_ = std::move(dialer);
}

}  // namespace ph::server
