#include "engine/server/router.h"

#include "engine/net/http.h"
#include "engine/server/discovery.h"

namespace ph::server {
namespace {

constexpr size_t kMaxSegments = 64;

Status methodNotAllowed() {
  return Status::methodNotAllowed("the server does not allow this method on the requested resource");
}

Result<Verb> chooseVerb(std::string_view method, const ApiRequest& r) {
  bool named = !r.name.empty();
  if (method == "GET" || method == "HEAD") {
    if (r.options.watch && r.subresource.empty()) return Verb::Watch;
    return named ? Verb::Get : Verb::List;
  }
  if (method == "POST") {
    if (named && r.subresource.empty()) return methodNotAllowed();
    return Verb::Create;
  }
  if (method == "PUT" && named) return Verb::Update;
  if (method == "PATCH" && named) return Verb::Patch;
  if (method == "DELETE") return named ? Verb::Delete : Verb::DeleteCollection;
  return methodNotAllowed();
}

bool serves(const ApiRequest& r) {
  if (r.subresource.empty()) return true;
  for (auto& s : subresourcesOf(*r.info))
    if (s.name == r.subresource) return true;
  return false;
}

}  // namespace

Status noSuchResource() { return Status::notFound("the server could not find the requested resource"); }

bool splitPath(std::string_view path, std::vector<std::string>& segments) {
  while (!path.empty()) {
    if (path.front() == '/') {
      path.remove_prefix(1);
      continue;
    }
    size_t slash = path.find('/');
    std::string segment;
    if (!net::percentDecode(path.substr(0, slash), segment) || segments.size() >= kMaxSegments) return false;
    segments.push_back(std::move(segment));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash);
  }
  return true;
}

bool isConnect(const ApiRequest& r) {
  return r.subresource == "log" || r.subresource == "exec" || r.subresource == "attach" ||
         r.subresource == "portforward" || r.subresource == "proxy";
}

Result<> routeResource(const api::Registry& registry, std::string_view group, std::string_view version,
                       const std::vector<std::string>& segments, size_t at, std::string_view method, ApiRequest& r) {
  size_t n = segments.size();
  if (at < n && segments[at] == "watch") {  // the old form of ?watch=true
    r.options.watch = true;
    ++at;
  }
  auto segment = [&](size_t i) { return at + i < n ? std::string_view(segments[at + i]) : std::string_view(); };
  bool ofNamespace = segment(2) == "status" || segment(2) == "finalize";
  if (group.empty() && segment(0) == "namespaces" && n - at >= 3 && !(n - at == 3 && ofNamespace)) {
    r.ns = segment(1);
    at += 2;
  }
  if (at >= n) return noSuchResource();
  std::string_view plural = segment(0);
  if (!group.empty() && plural == "namespaces" && n - at >= 3) {
    r.ns = segment(1);
    at += 2;
    plural = segment(0);
  }
  if (group.empty() && plural == "bindings" && n - at == 1) {  // POST bindings: the name stands in the body
    r.info = registry.find("", "v1", "pods");
    r.subresource = "binding";
    r.verb = Verb::Create;
    return method == "POST" ? Result<>() : Result<>(methodNotAllowed());
  }
  r.info = registry.find(group, version, plural);
  if (!r.info) return noSuchResource();
  r.name = segment(1);
  r.subresource = segment(2);
  for (size_t i = 3; at + i < n; ++i) r.subpath += (i > 3 ? "/" : "") + segments[at + i];
  if (!r.info->namespaced && !r.ns.empty()) return noSuchResource();
  if (r.info->namespaced && r.ns.empty() && !r.name.empty()) return noSuchResource();
  if (!serves(r) || (!r.subpath.empty() && r.subresource != "proxy")) return noSuchResource();
  if (isConnect(r)) {
    r.verb = method == "GET" || method == "HEAD" ? Verb::Get : Verb::Create;
    if (r.subresource == "proxy") {
      if (method == "PUT") r.verb = Verb::Update;
      if (method == "PATCH") r.verb = Verb::Patch;
      if (method == "DELETE") r.verb = Verb::Delete;
    } else if (method != "GET" && (method != "POST" || r.subresource == "log")) {
      return methodNotAllowed();
    }
    return {};
  }
  PH_ASSIGN(r.verb, chooseVerb(method, r));
  if (r.subresource.empty() && !api::allows(*r.info, verbName(r.verb))) return methodNotAllowed();
  if (r.verb == Verb::Create && r.info->namespaced && r.ns.empty()) return methodNotAllowed();
  return {};
}

}  // namespace ph::server
