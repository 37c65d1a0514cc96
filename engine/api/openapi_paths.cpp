#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/openapi_build.h"
#include "engine/api/types/autoscaling.h"
#include "engine/api/types/core.h"
#include "engine/api/types/meta.h"

namespace ph::api::openapi {
namespace {

struct Query {
  const char *name, *type, *doc;
};
constexpr Query kPretty{"pretty", "string", "If 'true', the answer is indented."};
constexpr Query kDryRun{"dryRun", "string", "All: go through every step, but store nothing."};
constexpr Query kManager{"fieldManager", "string", "Name of who makes the change."};
constexpr Query kValidation{"fieldValidation", "string", "What to do about unknown or duplicate fields: Ignore, Warn or Strict."};
constexpr Query kForce{"force", "boolean", "Take over fields that others manage (apply only)."};
constexpr Query kListQueries[] = {
    {"allowWatchBookmarks", "boolean", "Send bookmarks in a watch."},
    {"continue", "string", "Where the list before stopped."},
    {"fieldSelector", "string", "Only objects whose fields match."},
    {"labelSelector", "string", "Only objects whose labels match."},
    {"limit", "integer", "At most this many objects in one answer."},
    {"resourceVersion", "string", "How recent the answer must be."},
    {"resourceVersionMatch", "string", "How resourceVersion is meant: Exact or NotOlderThan."},
    {"sendInitialEvents", "boolean", "Begin a watch with the objects that there are."},
    {"timeoutSeconds", "integer", "End the list or watch after this time."},
    {"watch", "boolean", "Send changes as they happen."}};
constexpr Query kDeleteQueries[] = {kDryRun,
                                    {"gracePeriodSeconds", "integer", "Seconds that the object has to end."},
                                    {"orphanDependents", "boolean", "Older form of propagationPolicy=Orphan."},
                                    {"propagationPolicy", "string", "What happens to dependents: Orphan, Background or Foreground."}};

std::string capital(std::string s) {
  if (!s.empty()) s[0] = static_cast<char>(toupper(static_cast<unsigned char>(s[0])));
  return s;
}

// "apps" -> "Apps", "coordination.k8s.io" -> "Coordination", "fleet.pilothouse.io" -> "FleetPilothouseIo".
std::string groupWord(const std::string& group) {
  if (group.empty()) return "Core";
  if (group.ends_with(".k8s.io")) return capital(group.substr(0, group.find('.')));
  std::string out;
  for (size_t i = 0; i < group.size();) {
    size_t dot = std::min(group.find('.', i), group.size());
    out += capital(group.substr(i, dot - i));
    i = dot + 1;
  }
  return out;
}

class PathMaker {
 public:
  PathMaker(const ResourceInfo& info, Version version, Definitions& definitions, JsonObject& paths)
      : info_(info), version_(version), definitions_(definitions), paths_(paths) {}

  void make() {
    auto root = info_.group.empty() ? "/api/" + info_.version : "/apis/" + info_.group + "/" + info_.version;
    auto collection = root + (info_.namespaced ? "/namespaces/{namespace}/" : "/") + info_.plural;
    addCollection(collection);
    if (may("get") || may("update") || may("patch") || may("delete")) addItem(collection + "/{name}", "", *info_.type, true);
    if (info_.hasStatus) addItem(collection + "/{name}/status", "Status", *info_.type, false);
    if (!info_.scale.specReplicas.empty()) addItem(collection + "/{name}/scale", "Scale", schemaOf<autoscaling::Scale>(), false);
    if (std::find(info_.subresources.begin(), info_.subresources.end(), "binding") != info_.subresources.end()) addBinding(collection + "/{name}/binding");
    if (!info_.namespaced || !may("list")) return;
    JsonObject everywhere{{"get", list("list" + word() + info_.kind + "ForAllNamespaces")}};
    paths_[root + "/" + info_.plural] = std::move(everywhere);
  }

 private:
  bool may(std::string_view verb) const { return allows(info_, verb); }
  std::string word() const { return groupWord(info_.group) + capital(info_.version); }
  std::string id(const char* verb, const std::string& suffix) const {
    return verb + word() + (info_.namespaced ? "Namespaced" : "") + info_.kind + suffix;
  }

  JsonArray parameters(bool named) const {
    JsonArray out;
    auto add = [&](const char* name, const char* doc) { out.push_back(parameter(name, "path", "string", doc, true)); };
    if (named) add("name", "Name of the object.");
    if (info_.namespaced) add("namespace", "Namespace of the object.");
    out.push_back(query(kPretty));
    return out;
  }
  Json parameter(const char* name, const char* in, const char* type, const char* doc, bool required) const {
    JsonObject out{{"name", name}, {"in", in}, {"description", doc}};
    if (required) out["required"] = true;
    if (version_ == Version::V3) {
      out["schema"] = JsonObject{{"type", type}, {"uniqueItems", true}};
    } else {
      out["type"] = type;
      out["uniqueItems"] = true;
    }
    return out;
  }
  Json query(const Query& q) const { return parameter(q.name, "query", q.type, q.doc, false); }
  template <class Queries> JsonArray queries(const Queries& all) const {
    JsonArray out;
    for (auto& q : all) out.push_back(query(q));
    return out;
  }

  JsonObject operation(const std::string& id, const char* action, const std::string& description, JsonArray queries, const Json* answer, const std::string& kind,
                       const std::string& group, const std::string& version) {
    JsonObject out{{"description", description}, {"operationId", id}, {"tags", JsonArray{tag()}}};
    static const char* const kTypes[] = {"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"};
    JsonObject ok{{"description", "OK"}};
    if (answer && version_ == Version::V2) {
      ok["schema"] = *answer;
    } else if (answer) {
      auto& content = ok["content"].emplace_object();
      for (auto* type : kTypes) content[type] = JsonObject{{"schema", *answer}};
    }
    if (version_ == Version::V2) out["produces"] = JsonArray{kTypes[0], kTypes[1], kTypes[2]};
    out["responses"] = JsonObject{{"200", std::move(ok)}, {"401", JsonObject{{"description", "Unauthorized"}}}};
    if (!queries.empty()) out["parameters"] = std::move(queries);
    out["x-kubernetes-action"] = action;
    out["x-kubernetes-group-version-kind"] = JsonObject{{"group", group}, {"version", version}, {"kind", kind}};
    return out;
  }
  JsonObject operation(const std::string& id, const char* action, const std::string& description, JsonArray queries, const Json* answer) {
    return operation(id, action, description, std::move(queries), answer, info_.kind, info_.group, info_.version);
  }
  std::string tag() const {
    auto group = info_.group.empty() ? std::string("core") : groupWord(info_.group);
    group[0] = static_cast<char>(tolower(static_cast<unsigned char>(group[0])));
    return group + "_" + info_.version;
  }

  void body(JsonObject& op, const Json& schema, const std::vector<const char*>& types, bool required) const {
    if (version_ == Version::V3) {
      JsonObject content;
      for (auto* type : types) content[type] = JsonObject{{"schema", schema}};
      op["requestBody"] = JsonObject{{"content", std::move(content)}, {"required", required}};
      return;
    }
    JsonArray consumes;
    for (auto* type : types) consumes.emplace_back(type);
    op["consumes"] = std::move(consumes);
    auto& all = op["parameters"];
    if (!all.is_array()) all.emplace_array();
    all.get_array().push_back(JsonObject{{"name", "body"}, {"in", "body"}, {"required", required}, {"schema", schema}});
  }

  JsonObject list(const std::string& id) {
    Json answer = definitions_.reference(definitions_.addList(info_));
    return operation(id, "list", "List or watch objects of kind " + info_.kind + ".", queries(kListQueries), &answer);
  }

  void addCollection(const std::string& path) {
    Json self = definitions_.reference(definitions_.add(*info_.type));
    Json status = definitions_.reference(definitions_.add(schemaOf<meta::Status>()));
    JsonObject item{{"parameters", parameters(false)}};
    if (may("list")) item["get"] = list(id("list", ""));
    auto post = operation(id("create", ""), "post", "Create a " + info_.kind + ".", queries(std::initializer_list<Query>{kDryRun, kManager, kValidation}), &self);
    body(post, self, {"*/*"}, true);
    if (may("create")) item["post"] = std::move(post);
    auto remove = operation("delete" + word() + "Collection" + (info_.namespaced ? "Namespaced" : "") + info_.kind, "deletecollection",
                            "Delete the objects of kind " + info_.kind + " that match.", queries(kListQueries), &status);
    if (may("deletecollection")) item["delete"] = std::move(remove);
    paths_[path] = std::move(item);
  }

  void addItem(const std::string& path, const std::string& suffix, const Type& type, bool whole) {
    Json self = definitions_.reference(definitions_.add(type));
    bool scale = suffix == "Scale";
    std::string kind = scale ? "Scale" : info_.kind, group = scale ? "autoscaling" : info_.group, version = scale ? "v1" : info_.version;
    auto part = suffix.empty() ? std::string() : (suffix == "Status" ? "the status of " : "the scale of ");
    auto about = part + (part.empty() ? "a " : "a ") + info_.kind + ".";
    auto make = [&](const char* verb, const char* action, const char* words, JsonArray queries) {
      return operation(id(verb, suffix), action, std::string(words) + " " + about, std::move(queries), &self, kind, group, version);
    };
    JsonObject item{{"parameters", parameters(true)}};
    auto can = [&](std::string_view verb) { return !whole || may(verb); };
    if (can("get")) item["get"] = make("read", "get", "Read", {});
    auto put = make("replace", "put", "Replace", queries(std::initializer_list<Query>{kDryRun, kManager, kValidation}));
    body(put, self, {"*/*"}, true);
    if (can("update")) item["put"] = std::move(put);
    auto patch = make("patch", "patch", "Change parts of", queries(std::initializer_list<Query>{kDryRun, kManager, kValidation, kForce}));
    Json anything = JsonObject{{"type", "object"}, {"description", "A patch, as its content type says."}};
    std::vector<const char*> types{"application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"};
    if (!info_.builtin) types.pop_back();
    body(patch, anything, types, true);
    if (can("patch")) item["patch"] = std::move(patch);
    if (whole && may("delete")) {
      Json answer = definitions_.reference(definitions_.add(schemaOf<meta::Status>()));
      auto remove = operation(id("delete", ""), "delete", "Delete a " + info_.kind + ".", queries(kDeleteQueries), &answer);
      body(remove, definitions_.reference(definitions_.add(schemaOf<meta::DeleteOptions>())), {"*/*"}, false);
      item["delete"] = std::move(remove);
    }
    paths_[path] = std::move(item);
  }

  void addBinding(const std::string& path) {
    Json binding = definitions_.reference(definitions_.add(schemaOf<core::Binding>()));
    auto post = operation(id("create", "Binding"), "post", "Bind a Pod to a Node.", queries(std::initializer_list<Query>{kDryRun, kManager, kValidation}), &binding,
                          "Binding", "", "v1");
    body(post, binding, {"*/*"}, true);
    paths_[path] = JsonObject{{"parameters", parameters(true)}, {"post", std::move(post)}};
  }

  const ResourceInfo& info_;
  Version version_;
  Definitions& definitions_;
  JsonObject& paths_;
};

}  // namespace

void addPaths(const ResourceInfo& info, Version version, Definitions& definitions, JsonObject& paths) {
  PathMaker(info, version, definitions, paths).make();
}

}  // namespace ph::api::openapi
