// LimitRanger: what containers, pods and claims of a namespace ask for when they do not say, and the least and most that they
// may. Words as in Kubernetes.
#include <algorithm>
#include <functional>

#include "engine/api/quota_usage.h"
#include "engine/api/strategies/common.h"
#include "engine/server/admission/steps.h"
#include "engine/server/json_util.h"

namespace ph::server::steps {
namespace {

using api::Amounts;
using api::Quantity;

constexpr std::string_view kAnnotation = "kubernetes.io/limit-ranger";

bool isPod(const Admission& a) { return &a.info == a.core.pods; }
bool isClaim(const Admission& a) { return a.info.group.empty() && a.info.plural == "persistentvolumeclaims"; }

// `each` gets the items of the namespace's LimitRanges, object by object.
Result<> eachRange(const Admission& a, const std::function<Result<>(const JsonArray& items)>& each) {
  auto* info = a.core.registry->storage("", "limitranges");
  if (!info) return {};
  auto snapshot = a.core.cache->snapshot(*info);
  std::string prefix = a.request.ns + "/";
  for (auto& [key, range] : snapshot.objects.prefix(prefix)) {
    Json tree = range->tree();
    auto* items = api::at(tree, "spec.limits");
    if (items && items->is_array()) PH_TRY(each(items->get_array()));
  }
  return {};
}

JsonArray* containers(Json& pod, const char* group) {
  auto* list = member(member(&pod, "spec"), group);
  return list ? list->if_array() : nullptr;
}

// Fills in what is not there; the names of that, sorted.
std::string fill(JsonObject& resources, const char* which, const Amounts& defaults) {
  std::string names;
  for (auto& [name, amount] : defaults) {
    auto& list = makeObject(resources, which);
    if (list.contains(name)) continue;
    list[name] = amount.text();
    names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

void fillPod(Json& pod, const Amounts& requests, const Amounts& limits) {
  std::string notes;
  auto note = [&](const std::string& names, const char* what, const char* kind, std::string_view container) {
    if (!names.empty())
      notes += (notes.empty() ? "" : "; ") + names + " " + what + " for " + kind + " " + std::string(container);
  };
  static constexpr std::pair<const char*, const char*> kGroups[] = {{"containers", "container"},
                                                                    {"initContainers", "init container"}};
  for (auto& [group, kind] : kGroups) {
    auto* list = containers(pod, group);
    if (!list) continue;
    for (auto& c : *list) {
      if (!c.is_object()) continue;
      auto& resources = makeObject(c, "resources");
      std::string name(textAt(c.if_object(), "name"));
      auto limited = fill(resources, "limits", limits);
      note(fill(resources, "requests", requests), "request", kind, name);
      note(limited, "limit", kind, name);
    }
  }
  if (!notes.empty()) makeObject(makeObject(pod, "metadata"), "annotations")[kAnnotation] = "LimitRanger plugin set: " + notes;
}

// One thing that is limited: "Container", "Pod" or "PersistentVolumeClaim", with what it asks for.
struct Subject {
  std::string_view type;
  Amounts requests, limits;
};

const Quantity* find(const Amounts& amounts, const std::string& name) {
  auto it = amounts.find(name);
  return it == amounts.end() ? nullptr : &it->second;
}

using Complaints = std::vector<std::string>;

void checkMin(const Subject& s, const std::string& name, const Quantity& least, Complaints& out) {
  auto start = "minimum " + name + " usage per " + std::string(s.type) + " is " + least.text();
  auto *request = find(s.requests, name), *limit = find(s.limits, name);
  if (!request)
    out.push_back(start + ".  No request is specified");
  else if (*request < least)
    out.push_back(start + ", but request is " + request->text());
  else if (limit && *limit < least)
    out.push_back(start + ", but limit is " + limit->text());
}

void checkMax(const Subject& s, const std::string& name, const Quantity& most, Complaints& out) {
  auto start = "maximum " + name + " usage per " + std::string(s.type) + " is " + most.text();
  auto *request = find(s.requests, name), *limit = find(s.limits, name);
  bool claim = s.type == "PersistentVolumeClaim";  // these have no limits
  if (claim ? !request : !limit)
    out.push_back(start + (claim ? ".  No request is specified" : ".  No limit is specified"));
  else if (!claim && most < *limit)
    out.push_back(start + ", but limit is " + limit->text());
  else if (request && most < *request)
    out.push_back(start + ", but request is " + request->text());
}

void checkRatio(const Subject& s, const std::string& name, const Quantity& most, Complaints& out) {
  auto start = name + " max limit to request ratio per " + std::string(s.type) + " is " + most.text();
  auto *request = find(s.requests, name), *limit = find(s.limits, name);
  if (!request || request->isZero()) {
    out.push_back(start + ", but no request is specified or request is 0");
    return;
  }
  if (!limit || limit->isZero()) {
    out.push_back(start + ", but no limit is specified or limit is 0");
    return;
  }
  // In thousandths where they fit, so that fractions of a CPU count.
  constexpr int64_t kFits = INT64_MAX / 1000;
  bool fine = request->units() < kFits && limit->units() < kFits;
  double ratio = fine ? double(limit->milli()) / double(request->milli()) : double(limit->units()) / double(request->units());
  double allowed = most.units() < kFits ? double(most.milli()) / 1000 : double(most.units());
  if (ratio > allowed) out.push_back(start + ", but provided ratio is " + std::to_string(ratio));
}

void check(const Subject& s, const Json& item, Complaints& out) {
  for (auto& [name, amount] : api::amountsOf(member(&item, "min"))) checkMin(s, name, amount, out);
  for (auto& [name, amount] : api::amountsOf(member(&item, "max"))) checkMax(s, name, amount, out);
  if (s.type == "PersistentVolumeClaim") return;
  for (auto& [name, amount] : api::amountsOf(member(&item, "maxLimitRequestRatio"))) checkRatio(s, name, amount, out);
}

std::vector<Subject> subjectsOf(const Admission& a) {
  std::vector<Subject> out;
  if (isClaim(a)) {
    out.push_back({"PersistentVolumeClaim", api::amountsOf(api::at(a.object, "spec.resources.requests")), {}});
    return out;
  }
  Json pod = a.object;
  std::vector<Subject> plain, init;
  for (auto& [group, into] : {std::pair{"containers", &plain}, {"initContainers", &init}})
    if (auto* list = containers(pod, group))
      for (auto& c : *list)
        into->push_back({"Container", api::amountsOf(api::at(c, "resources.requests")), api::amountsOf(api::at(c, "resources.limits"))});
  // A pod's sum is known only for what all of its containers speak about.
  auto sum = [&](Amounts Subject::*which) {
    Amounts total;
    for (auto& c : plain) api::add(total, c.*which);
    std::erase_if(total, [&](auto& kv) {
      return std::any_of(plain.begin(), plain.end(), [&](auto& c) { return !(c.*which).contains(kv.first); });
    });
    for (auto& c : init)
      for (auto& [name, amount] : c.*which)
        if (auto [it, isNew] = total.try_emplace(name, amount); !isNew && it->second < amount) it->second = amount;
    return total;
  };
  Subject whole{"Pod", sum(&Subject::requests), sum(&Subject::limits)};
  out = std::move(plain);
  out.insert(out.end(), init.begin(), init.end());
  out.push_back(std::move(whole));
  return out;
}

}  // namespace

Result<> limitDefaults(Admission& a) {
  if (!isPod(a) || !a.creates()) return {};
  bool any = false;
  PH_TRY(eachRange(a, [&](const JsonArray& items) -> Result<> {
    Amounts requests, limits;
    for (auto& item : items) {
      if (textAt(item.if_object(), "type") != "Container") continue;
      for (auto& [name, amount] : api::amountsOf(member(&item, "defaultRequest"))) requests.insert_or_assign(name, amount);
      for (auto& [name, amount] : api::amountsOf(member(&item, "default"))) limits.insert_or_assign(name, amount);
    }
    if (requests.empty() && limits.empty()) return {};
    fillPod(a.object, requests, limits);
    any = true;
    return {};
  }));
  // The class of service follows from what it now asks for.
  if (any) makeObject(a.object, "status")["qosClass"] = api::strategies::qosClass(*member(&a.object, "spec"));
  return {};
}

Result<> limits(Admission& a) {
  if (!a.subresource().empty() || !(isClaim(a) || (isPod(a) && a.creates()))) return {};
  if (a.old)
    if (auto* metadata = objectAt(*a.old, "metadata"); metadata && metadata->contains("deletionTimestamp")) return {};
  std::vector<Subject> subjects;
  return eachRange(a, [&](const JsonArray& items) -> Result<> {
    if (subjects.empty()) subjects = subjectsOf(a);
    Complaints complaints;
    for (auto& item : items)
      for (auto& s : subjects)
        if (textAt(item.if_object(), "type") == s.type) check(s, item, complaints);
    if (complaints.empty()) return {};
    std::string all = complaints[0];
    for (size_t i = 1; i < complaints.size(); ++i) all += ", " + complaints[i];
    return a.refuse(complaints.size() == 1 ? all : "[" + all + "]");
  });
}

}  // namespace ph::server::steps
