// Priority: the number behind a pod's PriorityClass; and at most one class is everyone's default.
#include "engine/api/codec.h"
#include "engine/server/admission/steps.h"
#include "engine/server/json_util.h"

namespace ph::server::steps {
namespace {

constexpr std::string_view kPreempt = "PreemptLowerPriority";

const ResourceInfo* classes(const Core& core) { return core.registry->storage("scheduling.k8s.io", "priorityclasses"); }

bool isDefault(const api::Object& cls) {
  // Most are not: no tree is needed to see that.
  if (cls.stored().find("globalDefault") == std::string::npos) return false;
  Json tree = cls.tree();
  auto* flag = member(&tree, "globalDefault");
  return flag && flag->is_bool() && flag->get_bool();
}

// Of several, the lowest.
ObjectPtr defaultClass(const Core& core, const ResourceInfo& info) {
  ObjectPtr found;
  int64_t lowest = 0;
  auto snapshot = core.cache->snapshot(info);
  for (auto& [name, cls] : snapshot.objects) {
    if (!isDefault(*cls)) continue;
    int64_t value = intAt(cls->tree().if_object(), "value");
    if (found && value >= lowest) continue;
    found = cls;
    lowest = value;
  }
  return found;
}

struct Standing {
  std::string name;
  int64_t value = 0;
  std::string policy{kPreempt};
};

Result<Standing> standingOf(Admission& a, std::string_view asked) {
  Standing out;
  out.name = asked;
  auto* info = classes(a.core);
  ObjectPtr cls;
  if (info) cls = asked.empty() ? defaultClass(a.core, *info) : a.core.cache->get(*info, std::string(asked));
  if (cls) {
    Json tree = cls->tree();
    out.name = cls->name();
    out.value = intAt(tree.if_object(), "value");
    if (auto policy = textAt(tree.if_object(), "preemptionPolicy"); !policy.empty()) out.policy = policy;
  } else if (asked == "system-node-critical" || asked == "system-cluster-critical") {
    out.value = asked == "system-node-critical" ? 2000001000 : 2000000000;
  } else if (!asked.empty()) {
    return a.refuse("no PriorityClass with name " + std::string(asked) + " was found");
  }
  return out;
}

}  // namespace

Result<> priority(Admission& a) {
  if (&a.info != a.core.pods || !a.creates()) return {};
  auto& spec = makeObject(a.object, "spec");
  PH_ASSIGN(auto standing, standingOf(a, std::string(textAt(&spec, "priorityClassName"))));
  auto* given = spec.if_contains("priority");
  if (given && !given->is_null() && intAt(&spec, "priority") != standing.value)
    return a.refuse("the integer value of priority (" + api::toText(*given) +
                    ") must not be provided in pod spec; priority admission controller computed " +
                    std::to_string(standing.value) + " from the given PriorityClass name");
  auto policy = textAt(&spec, "preemptionPolicy");
  if (!policy.empty() && policy != standing.policy)
    return a.refuse("the string value of PreemptionPolicy (" + std::string(policy) +
                    ") must not be provided in pod spec; priority admission controller computed " + standing.policy +
                    " from the given PriorityClass name");
  if (!standing.name.empty()) spec["priorityClassName"] = standing.name;
  spec["priority"] = standing.value;
  spec["preemptionPolicy"] = standing.policy;
  return {};
}

Result<> onePriorityDefault(Admission& a) {
  if (a.info.group != "scheduling.k8s.io" || a.info.plural != "priorityclasses") return {};
  auto* flag = member(&a.object, "globalDefault");
  if (!flag || !flag->is_bool() || !flag->get_bool()) return {};
  auto there = defaultClass(a.core, *a.core.registry->stored(a.info));
  auto name = textAt(objectAt(a.object, "metadata"), "name");
  if (!there || there->name() == name) return {};
  return a.refuse("PriorityClass " + there->name() + " is already marked as default. Only one default can exist");
}

}  // namespace ph::server::steps
