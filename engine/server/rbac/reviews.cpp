#include "engine/server/rbac/reviews.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/server/authz.h"
#include "engine/server/json_util.h"
#include "engine/server/rbac/index.h"
#include "engine/server/user_info.h"

namespace ph::server {
namespace {

std::vector<std::string> textsOf(const Json* list) {
  std::vector<std::string> out;
  auto* array = list ? list->if_array() : nullptr;
  if (!array) return out;
  for (auto& v : *array)
    if (auto* s = v.if_string()) out.emplace_back(view(*s));
  return out;
}

JsonArray toJson(const std::vector<std::string>& list) {
  JsonArray out;
  for (auto& s : list) out.emplace_back(s);
  return out;
}

const JsonObject* given(const JsonObject* spec, std::string_view key) {
  auto* m = spec ? spec->if_contains(key) : nullptr;
  return m ? m->if_object() : nullptr;
}

// The review's own metadata says nothing (kubectl and client libraries leave it empty).
bool emptyMetadata(const Json& body, bool mayHaveNamespace) {
  auto* metadata = objectAt(body, "metadata");
  if (!metadata) return true;
  return std::all_of(metadata->begin(), metadata->end(), [&](const auto& m) {
    std::string_view key(m.key().data(), m.key().size());
    return m.value().is_null() || key == "managedFields" || key == "creationTimestamp" ||
           (mayHaveNamespace && key == "namespace");
  });
}

void checkSpec(const JsonObject* spec, bool ofSomebody, api::ErrorList& errors) {
  bool resource = given(spec, "resourceAttributes"), path = given(spec, "nonResourceAttributes");
  if (resource && path)
    errors.invalidRaw("spec.nonResourceAttributes", api::toText(*spec->if_contains("nonResourceAttributes")),
                      "cannot be specified in combination with resourceAttributes");
  if (!resource && !path)
    errors.invalidRaw("spec.resourceAttributes", "null",
                      "exactly one of nonResourceAttributes or resourceAttributes must be specified");
  if (!ofSomebody) return;
  auto* groups = spec ? spec->if_contains("groups") : nullptr;
  if (!groups) groups = spec ? spec->if_contains("group") : nullptr;  // v1beta1's name of it
  if (textAt(spec, "user").empty() && textsOf(groups).empty())
    errors.invalid("spec.user", "", "at least one of user or group must be specified");
}

// A field selector as requirements or as text; only what equals a value matters to the authorizer.
std::string fieldSelectorOf(const JsonObject& resource) {
  auto* selector = given(&resource, "fieldSelector");
  if (!selector) return {};
  if (auto raw = textAt(selector, "rawSelector"); !raw.empty()) return std::string(raw);
  std::string out;
  auto* requirements = selector->if_contains("requirements");
  auto* list = requirements ? requirements->if_array() : nullptr;
  if (!list) return out;
  for (auto& v : *list) {
    auto* r = v.if_object();
    auto values = r ? textsOf(r->if_contains("values")) : std::vector<std::string>();
    if (textAt(r, "operator") != "In" || values.size() != 1) continue;
    out += (out.empty() ? "" : ",") + std::string(textAt(r, "key")) + "=" + values[0];
  }
  return out;
}

Verdict judge(const Core& core, const User& user, const JsonObject& spec) {
  Attributes a;
  std::string selector;
  if (auto* resource = given(&spec, "resourceAttributes")) {
    a.verb = textAt(resource, "verb");
    a.group = textAt(resource, "group");
    a.version = textAt(resource, "version");
    a.resource = textAt(resource, "resource");
    a.subresource = textAt(resource, "subresource");
    a.ns = textAt(resource, "namespace");
    a.name = textAt(resource, "name");
    selector = fieldSelectorOf(*resource);
    a.fieldSelector = selector;
  } else if (auto* path = given(&spec, "nonResourceAttributes")) {
    a.verb = textAt(path, "verb");
    a.path = textAt(path, "path");
    if (a.path.empty()) return {};
    std::string method(a.verb);
    for (auto& c : method) c = char(std::toupper(static_cast<unsigned char>(c)));
    if (authorizePath(core, user, method, a.path).ok() && !user.inGroup(kAdmins)) {
      Verdict verdict = mayDo(core, user, a);
      return {true, verdict.reason};
    }
  }
  return mayDo(core, user, a);
}

void answer(const ApiRequest& request, Json body, JsonObject status, const WriteDone& done) {
  body.get_object()["status"] = std::move(status);
  WriteAnswer out;
  out.code = 201;
  out.object = api::Object::make(request.info, body, 0);
  done(std::move(out));
}

void answer(const ApiRequest& request, Json body, const Verdict& verdict, const WriteDone& done) {
  JsonObject status{{"allowed", verdict.allowed}};
  if (!verdict.reason.empty()) status["reason"] = verdict.reason;
  answer(request, std::move(body), std::move(status), done);
}

User subjectOf(const JsonObject& spec) {
  User user;
  user.name = textAt(&spec, "user");
  user.uid = textAt(&spec, "uid");
  user.groups = textsOf(spec.if_contains("groups"));
  if (user.groups.empty()) user.groups = textsOf(spec.if_contains("group"));
  if (auto* extra = given(&spec, "extra"))
    for (auto& [key, value] : *extra) user.extra.emplace_back(key, textsOf(&value));
  return user;
}

void review(const std::shared_ptr<Core>& core, const ApiRequest& request, Json body, bool local, const WriteDone& done) {
  auto* spec = objectAt(body, "spec");
  api::ErrorList errors;
  checkSpec(spec, true, errors);
  if (!emptyMetadata(body, local))
    errors.invalidRaw("metadata", api::toText(*member(&body, "metadata")),
                      local ? "must be empty except for namespace" : "must be empty");
  if (auto* resource = given(spec, "resourceAttributes"); local && resource) {
    auto ns = textAt(resource, "namespace");
    if (ns != request.ns) errors.invalid("spec.resourceAttributes.namespace", std::string(ns), "must match metadata.namespace");
  }
  if (local && given(spec, "nonResourceAttributes"))
    errors.invalidRaw("spec.nonResourceAttributes", api::toText(*spec->if_contains("nonResourceAttributes")),
                      "disallowed on this kind of request");
  if (!errors.empty()) return done(errors.toStatus(*request.info, ""));
  Verdict verdict = judge(*core, subjectOf(*spec), *spec);
  answer(request, std::move(body), verdict, done);
}

}  // namespace

void subjectAccessReview(std::shared_ptr<Core> core, ApiRequest request, Json body, WriteDone done) {
  review(core, request, std::move(body), false, done);
}

void localSubjectAccessReview(std::shared_ptr<Core> core, ApiRequest request, Json body, WriteDone done) {
  auto ns = textAt(objectAt(body, "metadata"), "namespace");
  if (!ns.empty() && ns != request.ns)
    return done(Status::badRequest("namespace mismatch: " + std::string(ns) + " in the body, " + request.ns + " in the path"));
  makeObject(body, "metadata")["namespace"] = request.ns;
  review(core, request, std::move(body), true, done);
}

void selfSubjectAccessReview(std::shared_ptr<Core> core, ApiRequest request, Json body, WriteDone done) {
  auto* spec = objectAt(body, "spec");
  api::ErrorList errors;
  checkSpec(spec, false, errors);
  if (!emptyMetadata(body, false))
    errors.invalidRaw("metadata", api::toText(*member(&body, "metadata")), "must be empty");
  if (!errors.empty()) return done(errors.toStatus(*request.info, ""));
  Verdict verdict = judge(*core, request.user, *spec);
  answer(request, std::move(body), verdict, done);
}

void selfSubjectRulesReview(std::shared_ptr<Core> core, ApiRequest request, Json body, WriteDone done) {
  auto ns = textAt(objectAt(body, "spec"), "namespace");
  if (ns.empty()) return done(Status::badRequest("no namespace on request"));
  JsonArray resources, paths;
  if (core->rbac) {
    for (auto& rule : core->rbac->now()->rulesOf(request.user, ns)) {
      if (!rule.resources.empty()) {
        Rule part = rule;
        part.nonResourceUrls.clear();
        resources.push_back(toJson(part));
      }
      if (!rule.nonResourceUrls.empty())
        paths.push_back(JsonObject{{"verbs", toJson(rule.verbs)}, {"nonResourceURLs", toJson(rule.nonResourceUrls)}});
    }
  }
  bool node = !nodeOf(request.user).empty();
  JsonObject status{{"resourceRules", std::move(resources)}, {"nonResourceRules", std::move(paths)}, {"incomplete", node}};
  if (node) status["evaluationError"] = "node authorizer does not support user rule resolution";
  answer(request, std::move(body), std::move(status), done);
}

void selfSubjectReview(std::shared_ptr<Core>, ApiRequest request, Json body, WriteDone done) {
  auto& user = request.user;
  answer(request, std::move(body), JsonObject{{"userInfo", userInfo(user)}}, done);
}

}  // namespace ph::server
