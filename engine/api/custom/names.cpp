// Which definition has which names, and the conditions that say so.
#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/custom/definition.h"
#include "engine/api/strategies/common.h"

namespace ph::api::custom {

using namespace strategies;

namespace {

bool holds(const std::vector<std::string>& names, std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); }

const Json* condition(const Json& definition, std::string_view type) {
  for (auto& c : list(definition, "status.conditions"))
    if (str(c, "type") == type) return &c;
  return nullptr;
}

struct Verdict {
  std::string reason, message;
};

// Takes a name over from spec when it is free, or already ours.
void claim(const char* field, const char* reason, const Json& definition, const std::vector<std::string>& taken, JsonObject& accepted, Verdict& verdict) {
  auto wanted = text(str(definition, std::string("spec.names.") + field));
  auto have = str(definition, std::string("status.acceptedNames.") + field);
  if (wanted != have && holds(taken, wanted)) {
    verdict = {reason, "\"" + wanted + "\" is already in use"};
    return;
  }
  if (wanted.empty()) accepted.erase(field);
  else accepted[field] = wanted;
}

void claimShortNames(const Json& definition, const std::vector<std::string>& taken, JsonObject& accepted, Verdict& verdict) {
  auto& wanted = list(definition, "spec.names.shortNames");
  auto& have = list(definition, "status.acceptedNames.shortNames");
  std::string trouble;
  int troubles = 0;
  for (auto& n : wanted) {
    if (!n.is_string() || std::find(have.begin(), have.end(), n) != have.end() || !holds(taken, view(n.get_string()))) continue;
    trouble += (trouble.empty() ? "" : ", ") + toText(n) + " is already in use";
    ++troubles;
  }
  if (troubles) verdict = {"ShortNamesConflict", troubles > 1 ? "[" + trouble + "]" : trouble};
  else if (wanted.empty()) accepted.erase("shortNames");
  else accepted["shortNames"] = wanted;
}

}  // namespace

void takeNames(const Json& definition, TakenNames& taken) {
  auto* names = at(definition, "status.acceptedNames");
  if (!names) return;
  auto add = [](std::vector<std::string>& to, std::string_view name) {
    if (!name.empty()) to.emplace_back(name);
  };
  add(taken.resources, str(*names, "plural"));
  add(taken.resources, str(*names, "singular"));
  for (auto& n : list(*names, "shortNames"))
    if (n.is_string()) add(taken.resources, view(n.get_string()));
  add(taken.kinds, str(*names, "kind"));
  add(taken.kinds, str(*names, "listKind"));
}

bool setCondition(Json& definition, std::string_view type, bool isTrue, std::string_view reason, std::string_view message, WallTime now) {
  auto& status = ensureObject(definition, "status");
  Json& all = status["conditions"];
  if (!all.is_array()) all.emplace_array();
  JsonObject made{{"lastTransitionTime", formatTime(now)}, {"message", message}, {"reason", reason}, {"status", isTrue ? "True" : "False"}, {"type", type}};
  for (auto& c : all.get_array()) {
    if (str(c, "type") != type) continue;
    if (str(c, "status") == (isTrue ? "True" : "False")) {
      if (str(c, "reason") == reason && str(c, "message") == message) return false;
      if (auto* since = at(c, "lastTransitionTime")) made["lastTransitionTime"] = *since;
    }
    c = std::move(made);
    return true;
  }
  all.get_array().push_back(std::move(made));
  return true;
}

bool conditionTrue(const Json& definition, std::string_view type) {
  auto* c = condition(definition, type);
  return c && str(*c, "status") == "True";
}

bool acceptNames(Json& definition, const TakenNames& taken, WallTime now) {
  Json before = object(definition, "status");
  JsonObject accepted = object(definition, "status.acceptedNames");
  Verdict verdict;
  claim("plural", "PluralConflict", definition, taken.resources, accepted, verdict);
  claim("singular", "SingularConflict", definition, taken.resources, accepted, verdict);
  claimShortNames(definition, taken.resources, accepted, verdict);
  claim("kind", "KindConflict", definition, taken.kinds, accepted, verdict);
  claim("listKind", "ListKindConflict", definition, taken.kinds, accepted, verdict);
  auto& categories = list(definition, "spec.names.categories");
  if (categories.empty()) accepted.erase("categories");
  else accepted["categories"] = categories;
  ensureObject(definition, "status")["acceptedNames"] = std::move(accepted);
  bool fine = verdict.reason.empty();
  setCondition(definition, "NamesAccepted", fine, fine ? "NoConflicts" : verdict.reason, fine ? "no conflicts found" : verdict.message, now);
  // Once established, always: the kind stays under the names that it has.
  if (!conditionTrue(definition, "Established")) {
    if (fine) setCondition(definition, "Established", true, "InitialNamesAccepted", "the initial names have been accepted", now);
    else setCondition(definition, "Established", false, "NotAccepted", "not all names are accepted", now);
  }
  return Json(object(definition, "status")) != before;
}

}  // namespace ph::api::custom
