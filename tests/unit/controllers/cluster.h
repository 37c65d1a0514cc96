// A cluster in a Snapshot, for tests of reconcile functions: objects from short YAML, and questions to plans.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "engine/api/codec.h"
#include "engine/api/types/apps.h"
#include "engine/api/types/core.h"
#include "engine/controllers/snapshot.h"

namespace ph::test {

using namespace std::chrono_literals;
using api::Json;
using api::JsonArray;
using api::JsonObject;
using api::ObjectPtr;
using controllers::Key;
using controllers::Moment;
using controllers::Plan;
using controllers::Step;

inline const WallTime kNoon = *parseTime("2026-01-02T12:00:00Z");

class Cluster {
 public:
  std::shared_ptr<api::Registry> registry = api::Registry::builtin();
  controllers::Snapshot snapshot{*registry};
  Moment now{kNoon, MonoTime(1h)};

  Cluster() {
    for (auto* info : registry->all()) snapshot.setSynced(registry->storage(info->group, info->plural));
  }

  // Defaults are filled in; namespace "default", uid "uid-NAME", an old creation time and a resourceVersion
  // unless given.
  ObjectPtr put(const std::string& yaml) {
    auto tree = api::parseYaml(yaml);
    PH_CHECK_MSG(tree.ok(), yaml);
    return putTree(*tree);
  }
  ObjectPtr putTree(Json tree) {
    std::string apiVersion(tree.at("apiVersion").as_string()), group;
    std::string version = apiVersion;
    if (auto slash = apiVersion.find('/'); slash != apiVersion.npos) {
      group = apiVersion.substr(0, slash);
      version = apiVersion.substr(slash + 1);
    }
    auto* info = registry->findKind(group, version, std::string_view(tree.at("kind").as_string()));
    PH_CHECK(info);
    auto& meta = tree.at("metadata").as_object();
    if (info->namespaced && !meta.contains("namespace")) meta["namespace"] = "default";
    if (!meta.contains("uid")) meta["uid"] = "uid-" + std::string(meta.at("name").as_string());
    if (!meta.contains("creationTimestamp")) meta["creationTimestamp"] = "2026-01-01T00:00:00Z";
    api::ErrorList errors;
    api::conform(tree, *info->type, errors, nullptr);
    PH_CHECK_MSG(errors.empty(), errors.toStatus(*info, "test").message);
    auto object = api::Object::make(registry->storage(info->group, info->plural), tree, ++revision_);
    snapshot.put(object, now.mono);
    return object;
  }

  struct PodState {
    std::string app = "web", owner, node = "n1", phase = "Running", ip = "10.0.0.1";
    bool ready = true, deleting = false;
    std::string readySince = "2026-01-01T00:01:00Z", created = "2026-01-01T00:00:00Z";
    int restarts = 0;
    std::string extra;  // more of metadata
  };
  ObjectPtr pod(const std::string& name, PodState s) {
    std::string owner =
        s.owner.empty()
            ? ""
            : fmt::format(
                  ", ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: {0}, uid: uid-{0}, "
                  "controller: true, blockOwnerDeletion: true}}]",
                  s.owner);
    std::string dying =
        s.deleting ? ", deletionTimestamp: '2026-01-02T11:59:59Z', deletionGracePeriodSeconds: 30" : "";
    return put(fmt::format(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {}, labels: {{app: {}}}, creationTimestamp: "
        "'{}'{}{}{}}}\n"
        "spec: {{{}containers: [{{name: c, image: i, ports: [{{name: http, containerPort: 8080}}]}}]}}\n"
        "status: {{phase: {}{}, conditions: [{{type: Ready, status: '{}', lastTransitionTime: '{}'}}], "
        "containerStatuses: "
        "[{{name: c, restartCount: {}, ready: {}, image: i, imageID: i}}]}}",
        name, s.app, s.created, owner, dying, s.extra, s.node.empty() ? "" : "nodeName: " + s.node + ", ",
        s.phase, s.ip.empty() ? "" : ", podIP: " + s.ip, s.ready ? "True" : "False", s.readySince, s.restarts,
        s.ready));
  }

 private:
  int64_t revision_ = 100;
};

inline Key key(std::string text, int failures = 0, std::string lastError = {}) {
  Key k = Key::parse(std::move(text));
  k.failures = failures;
  k.lastError = std::move(lastError);
  return k;
}

// "create pods", "patch pods/x", "patch pods/x/status", "delete pods/x" in order.
inline std::vector<std::string> steps(const Plan& plan) {
  std::vector<std::string> out;
  for (auto& s : plan.steps) {
    auto& w = s.write;
    std::string verb = w.verb == client::Verb::Create   ? "create"
                       : w.verb == client::Verb::Delete ? "delete"
                       : w.verb == client::Verb::Update ? "update"
                                                        : "patch";
    std::string line = verb + " " + w.info->plural;
    if (!w.name.empty()) line += "/" + w.name;
    if (!w.subresource.empty()) line += "/" + w.subresource;
    out.push_back(line);
  }
  return out;
}

inline size_t count(const Plan& plan, const std::string& start) {
  size_t n = 0;
  for (auto& s : steps(plan)) n += s.starts_with(start);
  return n;
}

// The body of the first step that starts so; null when there is none.
inline Json body(const Plan& plan, const std::string& start) {
  auto all = steps(plan);
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i].starts_with(start)) return *api::parseJson(plan.steps[i].write.body);
  return nullptr;
}

inline std::string text(const Json& tree, std::string_view path) {
  auto* v = api::at(tree, path);
  if (!v) return "(none)";
  return v->is_string() ? std::string(v->as_string()) : api::toText(*v);
}

}  // namespace ph::test
