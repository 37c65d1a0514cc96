#include "engine/server/rbac/defaults.h"

#include <algorithm>

#include "engine/api/codec.h"
#include "engine/server/json_util.h"
#include "engine/server/rbac/policy.h"
#include "engine/server/rbac/rules.h"

namespace ph::server {
namespace {

constexpr std::string_view kGroup = "rbac.authorization.k8s.io", kVersion = "rbac.authorization.k8s.io/v1",
                           kAutoUpdate = "rbac.authorization.kubernetes.io/autoupdate",
                           kAggregateTo = "rbac.authorization.k8s.io/aggregate-to-";

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    size_t space = text.find(' ');
    if (space != 0) out.emplace_back(text.substr(0, space));
    if (space == std::string_view::npos) break;
    text.remove_prefix(space + 1);
  }
  return out;
}

Rule ruleOf(const RuleFact& fact) {
  Rule rule{words(fact.verbs), words(fact.groups), words(fact.resources), words(fact.names), words(fact.paths)};
  for (auto& g : rule.apiGroups)
    if (g == "core") g.clear();
  return rule;
}

Rules rulesOf(const RoleFact& fact) {
  Rules out;
  for (auto& r : fact.rules) out.push_back(ruleOf(r));
  if (!fact.aggregates) return out;
  // What the aggregation controller will make of it, so that the role is whole from the first moment on: by the roles' names.
  std::vector<const RoleFact*> parts;
  for (auto& role : defaultRoles())
    if (role.aggregateTo == fact.name) parts.push_back(&role);
  std::sort(parts.begin(), parts.end(), [](auto* a, auto* b) { return a->name < b->name; });
  for (auto* part : parts)
    for (auto& rule : rulesOf(*part))
      if (std::find(out.begin(), out.end(), rule) == out.end()) out.push_back(std::move(rule));
  return out;
}

JsonArray toJson(const Rules& rules) {
  JsonArray out;
  for (auto& r : rules) out.push_back(toJson(r));
  return out;
}

JsonObject shell(std::string_view kind, std::string_view ns, std::string_view name) {
  JsonObject metadata{{"name", name},
                      {"labels", JsonObject{{"kubernetes.io/bootstrapping", "rbac-defaults"}}},
                      {"annotations", JsonObject{{kAutoUpdate, "true"}}}};
  if (!ns.empty()) metadata["namespace"] = ns;
  return JsonObject{{"apiVersion", kVersion}, {"kind", kind}, {"metadata", std::move(metadata)}};
}

Json roleObject(const RoleFact& fact) {
  JsonObject role = shell(fact.ns.empty() ? "ClusterRole" : "Role", fact.ns, fact.name);
  if (!fact.aggregateTo.empty())
    makeObject(makeObject(role, "metadata"), "labels")[std::string(kAggregateTo) + std::string(fact.aggregateTo)] = "true";
  if (fact.aggregates) {
    JsonObject labels{{std::string(kAggregateTo) + std::string(fact.name), "true"}};
    role["aggregationRule"] = JsonObject{{"clusterRoleSelectors", JsonArray{JsonObject{{"matchLabels", std::move(labels)}}}}};
  }
  role["rules"] = toJson(rulesOf(fact));
  return role;
}

JsonArray subjectsOf(const BindingFact& fact) {
  JsonArray out;
  for (auto& user : words(fact.users)) out.push_back(JsonObject{{"kind", "User"}, {"apiGroup", kGroup}, {"name", user}});
  for (auto& group : words(fact.groups)) out.push_back(JsonObject{{"kind", "Group"}, {"apiGroup", kGroup}, {"name", group}});
  for (auto& account : words(fact.accounts)) {
    auto slash = account.find('/');
    out.push_back(JsonObject{{"kind", "ServiceAccount"}, {"name", account.substr(slash + 1)}, {"namespace", account.substr(0, slash)}});
  }
  return out;
}

Json bindingObject(const BindingFact& fact) {
  JsonObject binding = shell(fact.ns.empty() ? "ClusterRoleBinding" : "RoleBinding", fact.ns, fact.name);
  binding["roleRef"] = JsonObject{{"apiGroup", kGroup}, {"kind", fact.roleKind}, {"name", fact.role}};
  auto subjects = subjectsOf(fact);
  if (!subjects.empty()) binding["subjects"] = std::move(subjects);
  return binding;
}

bool leftAlone(const Json& object) {
  auto* metadata = objectAt(object, "metadata");
  auto* annotations = metadata ? metadata->if_contains("annotations") : nullptr;
  return annotations && textAt(annotations->if_object(), kAutoUpdate) == "false";
}

// Adds the labels and annotations that `wanted` has and `object` lacks.
bool addMarks(Json& object, const Json& wanted) {
  bool changed = false;
  for (auto key : {"labels", "annotations"}) {
    auto* from = member(member(&wanted, "metadata"), key);
    for (auto& [name, value] : from->get_object()) {
      auto& into = makeObject(makeObject(object, "metadata"), key);
      if (into.contains(name)) continue;
      into[name] = value;
      changed = true;
    }
  }
  return changed;
}

bool addItems(Json& object, std::string_view key, const JsonArray& items) {
  if (items.empty()) return false;
  Json& list = object.get_object()[key];
  if (!list.is_array()) list.emplace_array();
  for (auto& item : items) list.get_array().push_back(item);
  return true;
}

bool mendRole(Json& role, const Json& wanted, bool aggregates) {
  bool changed = addMarks(role, wanted);
  if (aggregates) {  // its rules are the controller's
    auto* now = member(&role, "aggregationRule");
    auto* rule = member(&wanted, "aggregationRule");
    if (now && *now == *rule) return changed;
    role.get_object()["aggregationRule"] = *rule;
    return true;
  }
  Rules missing;
  Rules held = rulesFromJson(member(&role, "rules"));
  for (auto& rule : rulesFromJson(member(&wanted, "rules")))
    if (!missingFrom(held, {rule}).empty()) missing.push_back(rule);
  return addItems(role, "rules", toJson(missing)) || changed;
}

bool mendBinding(Json& binding, const Json& wanted) {
  bool changed = addMarks(binding, wanted);
  JsonArray missing;
  auto* now = member(&binding, "subjects");
  auto* want = member(&wanted, "subjects");
  if (!want) return changed;
  for (auto& s : want->get_array()) {
    auto* list = now ? now->if_array() : nullptr;
    if (!list || std::find(list->begin(), list->end(), s) == list->end()) missing.push_back(s);
  }
  return addItems(binding, "subjects", missing) || changed;
}

class Collector {
 public:
  explicit Collector(const Core& core) : core_(core) {}

  void role(const RoleFact& fact) {
    one(fact.ns.empty() ? "clusterroles" : "roles", fact.ns, fact.name, roleObject(fact),
        [&](Json& now, const Json& wanted) { return mendRole(now, wanted, fact.aggregates); });
  }
  void binding(const BindingFact& fact) {
    one(fact.ns.empty() ? "clusterrolebindings" : "rolebindings", fact.ns, fact.name, bindingObject(fact), mendBinding);
  }
  std::vector<ApiRequest> take() { return std::move(requests_); }

 private:
  template <class Mend>
  void one(std::string_view plural, std::string_view ns, std::string_view name, Json wanted, Mend&& mend) {
    ApiRequest r;
    r.verb = Verb::Create;
    r.info = core_.registry->find(kGroup, "v1", plural);
    r.ns = ns;
    r.user = systemAdmin();
    auto found = core_.cache->get(*r.info, ns.empty() ? std::string(name) : std::string(ns) + "/" + std::string(name));
    if (!found) {
      r.body = api::toText(wanted);
      requests_.push_back(std::move(r));
      return;
    }
    Json now = found->tree();
    auto* ref = member(&now, "roleRef");
    bool otherRole = ref && *ref != *member(&wanted, "roleRef");  // immutable: an administrator's own binding of this name
    if (leftAlone(now) || otherRole || found->meta().deleting || !mend(now, wanted)) return;
    r.verb = Verb::Update;
    r.name = name;
    r.body = api::toText(now);
    requests_.push_back(std::move(r));
  }

  const Core& core_;
  std::vector<ApiRequest> requests_;
};

}  // namespace

std::vector<ApiRequest> missingPolicy(const Core& core) {
  Collector collector(core);
  for (auto& role : defaultRoles()) collector.role(role);
  for (auto& binding : defaultBindings()) collector.binding(binding);
  return collector.take();
}

}  // namespace ph::server
