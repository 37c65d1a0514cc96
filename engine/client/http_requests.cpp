#include "engine/client/http_requests.h"

#include <fmt/format.h>

#include <charconv>

#include "engine/api/codec.h"
#include "engine/client/http_client.h"

namespace ph::client {

namespace {

using api::Json;
using api::JsonObject;

std::string_view textAt(const Json& tree, std::string_view path) {
  const Json* value = api::at(tree, path);
  if (!value || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

int64_t numberOf(std::string_view text) {
  int64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc() && end == text.data() + text.size() ? n : 0;
}

void addQuery(std::string& query, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (!query.empty()) query += '&';
  query.append(name).append("=").append(net::percentEncode(value));
}

std::string_view patchMediaType(PatchType type) {
  switch (type) {
    case PatchType::Json:
      return "application/json-patch+json";
    case PatchType::Strategic:
      return "application/strategic-merge-patch+json";
    case PatchType::Apply:
      return "application/apply-patch+yaml";
    case PatchType::Merge:
      break;
  }
  return "application/merge-patch+json";
}

// An update or a patch carries its preconditions in the object's own metadata.
Result<std::string> withPreconditions(const Write& write) {
  PH_ASSIGN(Json tree, api::parseJson(write.body));
  std::string revision = std::to_string(write.revision);
  if (write.verb == Verb::Patch && write.patchType == PatchType::Json) {
    if (!tree.is_array()) return Status::badRequest("a JSON patch is a list");
    auto& list = tree.get_array();
    auto front = list.begin();
    if (write.revision > 0)
      front = list.insert(
          front, JsonObject{{"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", revision}});
    if (!write.uid.empty())
      list.insert(front, JsonObject{{"op", "replace"}, {"path", "/metadata/uid"}, {"value", write.uid}});
    return api::toText(tree);
  }
  if (!tree.is_object()) return Status::badRequest("the body is not an object");
  Json& metadata = tree.get_object()["metadata"];
  if (!metadata.is_object()) metadata = JsonObject();
  if (write.revision > 0) metadata.get_object()["resourceVersion"] = revision;
  if (!write.uid.empty()) metadata.get_object()["uid"] = write.uid;
  return api::toText(tree);
}

std::string deleteOptions(const Write& write) {
  JsonObject options{{"kind", "DeleteOptions"}, {"apiVersion", "v1"}};
  JsonObject preconditions;
  if (!write.uid.empty()) preconditions["uid"] = write.uid;
  if (write.revision > 0) preconditions["resourceVersion"] = std::to_string(write.revision);
  if (!preconditions.empty()) options["preconditions"] = std::move(preconditions);
  if (write.gracePeriodSeconds) options["gracePeriodSeconds"] = *write.gracePeriodSeconds;
  switch (write.propagation) {
    case Propagation::Default:
      break;
    case Propagation::Background:
      options["propagationPolicy"] = "Background";
      break;
    case Propagation::Foreground:
      options["propagationPolicy"] = "Foreground";
      break;
    case Propagation::Orphan:
      options["propagationPolicy"] = "Orphan";
      break;
  }
  if (write.dryRun) options["dryRun"] = api::JsonArray{"All"};
  return api::toText(Json(std::move(options)));
}

std::string namespaceInBody(const Write& write) {
  auto tree = api::parseJson(write.body);
  return tree.ok() ? std::string(textAt(*tree, "metadata.namespace")) : std::string();
}

const char* reasonFor(int code) {
  switch (code) {
    case 400:
      return "BadRequest";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 405:
      return "MethodNotAllowed";
    case 406:
      return "NotAcceptable";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "RequestEntityTooLarge";
    case 415:
      return "UnsupportedMediaType";
    case 422:
      return "Invalid";
    case 429:
      return "TooManyRequests";
    case 500:
      return "InternalError";
    case 503:
      return "ServiceUnavailable";
    case 504:
      return "Timeout";
    default:
      return "Unknown";
  }
}

}  // namespace

std::string resourcePath(const ResourceInfo& info, const std::string& ns, const std::string& name,
                         const std::string& subresource) {
  std::string path = info.group.empty() ? "/api/" + info.version : "/apis/" + info.group + "/" + info.version;
  if (info.namespaced && !ns.empty()) path += "/namespaces/" + net::percentEncode(ns);
  path += "/" + info.plural;
  if (!name.empty()) path += "/" + net::percentEncode(name);
  if (!subresource.empty()) path += "/" + subresource;
  return path;
}

net::Request getRequest(const ResourceInfo& info, const std::string& ns, const std::string& name) {
  net::Request request;
  request.path = resourcePath(info, ns, name);
  return request;
}

net::Request listRequest(const ResourceInfo& info, const ListOptions& options) {
  net::Request request;
  request.path = resourcePath(info, options.ns);
  addQuery(request.query, "labelSelector", options.labelSelector);
  addQuery(request.query, "fieldSelector", options.fieldSelector);
  if (options.limit > 0) addQuery(request.query, "limit", std::to_string(options.limit));
  addQuery(request.query, "continue", options.continueToken);
  return request;
}

net::Request watchRequest(const ResourceInfo& info, const WatchOptions& options) {
  net::Request request;
  request.path = resourcePath(info, options.ns);
  request.query = "watch=true&allowWatchBookmarks=true";
  addQuery(request.query, "resourceVersion", std::to_string(options.revision));
  addQuery(request.query, "labelSelector", options.labelSelector);
  addQuery(request.query, "fieldSelector", options.fieldSelector);
  return request;
}

Result<net::Request> writeRequest(Write& write) {
  PH_CHECK(write.info);
  const ResourceInfo& info = *write.info;
  net::Request request;
  bool create = write.verb == Verb::Create;
  std::string ns = write.ns;
  if (create && info.namespaced && ns.empty()) ns = namespaceInBody(write);
  // A new object's name is in its body; a new subresource (binding, eviction) belongs to the one named.
  bool named = !create || !write.subresource.empty();
  request.path = resourcePath(info, ns, named ? write.name : std::string(), write.subresource);
  bool guarded = !create && (write.revision > 0 || !write.uid.empty());
  if (write.dryRun && write.verb != Verb::Delete) addQuery(request.query, "dryRun", "All");
  if (write.verb == Verb::Delete) {
    request.method = "DELETE";
    request.body = deleteOptions(write);
    request.headers.add("content-type", "application/json");
    return request;
  }
  addQuery(request.query, "fieldManager", write.fieldManager);
  if (guarded) {
    PH_ASSIGN(request.body, withPreconditions(write));
  } else {
    request.body = std::move(write.body);
  }
  if (write.verb == Verb::Patch) {
    request.method = "PATCH";
    if (write.patchType == PatchType::Apply) addQuery(request.query, "force", "true");
    request.headers.add("content-type", std::string(patchMediaType(write.patchType)));
  } else {
    request.method = create ? "POST" : "PUT";
    request.headers.add("content-type", "application/json");
  }
  return request;
}

ObjectPtr objectOf(const ResourceInfo& info, const Json& tree) {
  return api::Object::make(&info, tree, numberOf(textAt(tree, "metadata.resourceVersion")));
}

Result<ObjectPtr> decodeObject(const ResourceInfo& info, std::string_view body) {
  return api::Object::parse(&info, body);
}

Result<ObjectPtr> decodeAnswer(const ResourceInfo& info, std::string_view body) {
  if (body.empty()) return ObjectPtr();
  PH_ASSIGN(Json tree, api::parseJson(body));
  if (textAt(tree, "kind") != info.kind || !api::at(tree, "metadata")) return ObjectPtr();
  return objectOf(info, tree);
}

Result<ListResult> decodeList(const ResourceInfo& info, std::string_view body) {
  PH_ASSIGN(Json tree, api::parseJson(body));
  ListResult result;
  result.revision = numberOf(textAt(tree, "metadata.resourceVersion"));
  result.continueToken = textAt(tree, "metadata.continue");
  const Json* items = api::at(tree, "items");
  if (items && items->is_array()) {
    result.items.reserve(items->get_array().size());
    for (auto& item : items->get_array()) result.items.push_back(objectOf(info, item));
  } else if (!items || !items->is_null()) {
    return Status::badRequest("the answer is not a list");
  }
  return result;
}

Status statusOf(int code, std::string_view body) {
  Status status{code, reasonFor(code), {}};
  auto parsed = api::parseJson(body);
  if (!parsed.ok() || textAt(*parsed, "kind") != "Status") {
    status.message =
        body.empty() ? fmt::format("the server answered {}", code) : std::string(body.substr(0, 500));
    return status;
  }
  const Json& tree = *parsed;
  if (auto reason = textAt(tree, "reason"); !reason.empty()) status.reason = reason;
  status.message = textAt(tree, "message");
  status.group = textAt(tree, "details.group");
  status.kind = textAt(tree, "details.kind");
  status.name = textAt(tree, "details.name");
  status.uid = textAt(tree, "details.uid");
  if (auto* seconds = api::at(tree, "details.retryAfterSeconds"); seconds && seconds->is_int64())
    status.retryAfterSeconds = int(seconds->get_int64());
  if (auto* causes = api::at(tree, "details.causes"); causes && causes->is_array())
    for (auto& cause : causes->get_array())
      status.causes.push_back({std::string(textAt(cause, "reason")), std::string(textAt(cause, "message")),
                               std::string(textAt(cause, "field"))});
  return status;
}

}  // namespace ph::client
