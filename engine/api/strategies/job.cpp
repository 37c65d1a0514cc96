#include "engine/api/human.h"
#include "engine/api/strategies/common.h"

namespace ph::api::strategies {

void defaultJobSpec(JsonObject& spec) {
  if (auto* tmpl = spec.if_contains("template"))
    if (auto* podSpec = member(*tmpl, "spec")) defaultPodSpec(*podSpec);
  // Neither given: one pod that must end well. Parallelism alone: a work queue.
  if (!spec.contains("completions") && !spec.contains("parallelism")) spec["completions"] = 1;
  setDefault(spec, "parallelism", 1);
  if (spec.contains("backoffLimitPerIndex")) setDefault(spec, "backoffLimit", INT32_MAX);
  setDefault(spec, "backoffLimit", 6);
  setDefault(spec, "completionMode", "NonIndexed");
  setDefault(spec, "suspend", false);
  setDefault(spec, "podReplacementPolicy", spec.contains("podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
  auto* policy = spec.if_contains("podFailurePolicy");
  auto* rules = policy ? member(*policy, "rules") : nullptr;
  if (!rules || !rules->is_array()) return;
  for (auto& rule : rules->get_array())
    if (auto* conditions = member(rule, "onPodConditions"); conditions && conditions->is_array())
      for (auto& c : conditions->get_array())
        if (c.is_object()) setDefault(c.get_object(), "status", "True");
}

void validateJobSpec(const Json& spec, const std::string& path, ErrorList& errors) {
  auto* tmpl = at(spec, "template");
  if (tmpl) validatePodTemplate(*tmpl, path + ".template", {"OnFailure", "Never"}, errors);
  if (str(spec, "completionMode") == "Indexed") {
    if (!has(spec, "completions")) errors.required(path + ".completions", "when completion mode is Indexed");
    if (num(spec, "parallelism") > 100'000)
      errors.invalidRaw(path + ".parallelism", std::to_string(num(spec, "parallelism")), "must be less than or equal to 100000 when completion mode is Indexed");
  } else if (has(spec, "backoffLimitPerIndex")) {
    errors.invalidRaw(path + ".backoffLimitPerIndex", std::to_string(num(spec, "backoffLimitPerIndex")),
                      "requires indexed completion mode");
  }
  if (has(spec, "maxFailedIndexes") && !has(spec, "backoffLimitPerIndex"))
    errors.required(path + ".backoffLimitPerIndex", "when maxFailedIndexes is specified");
  if (has(spec, "podFailurePolicy") && tmpl && str(*tmpl, "spec.restartPolicy") != "Never")
    errors.invalid(path + ".template.spec.restartPolicy", text(str(*tmpl, "spec.restartPolicy")),
                   "only \"Never\" is supported when podFailurePolicy is specified");
}

namespace {

// The labels that tie its pods to this very job.
void generateSelector(Json& job) {
  if (flag(job, "spec.manualSelector")) return;
  auto& spec = ensureObject(job, "spec");
  auto uid = text(str(job, "metadata.uid")), name = text(str(job, "metadata.name"));
  auto& labels = ensureObject(ensureObject(ensureObject(spec, "template"), "metadata"), "labels");
  for (auto* prefix : {"", "batch.kubernetes.io/"}) {
    setDefault(labels, std::string(prefix) + "controller-uid", Json(uid));
    setDefault(labels, std::string(prefix) + "job-name", Json(name));
  }
  auto& selector = ensureObject(spec, "selector");
  setDefault(ensureObject(selector, "matchLabels"), "batch.kubernetes.io/controller-uid", Json(uid));
}

void prepareCreate(Json& job, const WriteContext&) {
  defaultJobSpec(ensureObject(job, "spec"));
  generateSelector(job);
  auto labels = object(job, "spec.template.metadata.labels");
  if (object(job, "metadata.labels").empty() && !labels.empty()) ensureObject(job, "metadata")["labels"] = labels;
  job.get_object()["status"] = JsonObject();
}

void prepareUpdate(Json& job, const Json&, const WriteContext& context) {
  if (context.subresource.empty()) defaultJobSpec(ensureObject(job, "spec"));
}

void validateGenerated(const Json& job, ErrorList& errors) {
  auto uid = text(str(job, "metadata.uid"));
  auto& labels = object(job, "spec.template.metadata.labels");
  auto check = [&](const char* key, const std::string& wanted) {
    auto* v = labels.if_contains(key);
    if (!v) return errors.required("spec.template.metadata.labels", "must be '" + wanted + "'");
    if (*v != Json(wanted)) errors.invalid("spec.template.metadata.labels", toText(*v), "must be '" + wanted + "'");
  };
  check("controller-uid", uid);
  check("job-name", text(str(job, "metadata.name")));
  auto& selector = object(job, "spec.selector.matchLabels");
  for (auto& kv : selector) {
    auto* v = labels.if_contains(kv.key());
    if (v && *v == kv.value()) continue;
    errors.invalidRaw("spec.selector", toText(*at(job, "spec.selector")), "`selector` not auto-generated");
    break;
  }
}

void validate(const Json& job, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  auto* spec = at(job, "spec");
  if (!spec) return;
  validateJobSpec(*spec, "spec", errors);
  if (!flag(job, "spec.manualSelector")) return validateGenerated(job, errors);
  if (!has(job, "spec.selector")) return errors.required("spec.selector");
  checkLabelSelector(*at(job, "spec.selector"), "spec.selector", errors);
  checkSelects(job, "spec.selector", "spec.template.metadata.labels", errors);
}

void validateUpdate(const Json& job, const Json& old, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  for (auto* path : {"spec.selector", "spec.completionMode", "spec.podFailurePolicy", "spec.backoffLimitPerIndex", "spec.managedBy",
                     "spec.successPolicy"})
    immutable(job, old, path, errors);
  if (str(job, "spec.completionMode") != "Indexed") immutable(job, old, "spec.completions", errors);
  // What says where the pods go may change while none was made yet.
  if (!(flag(old, "spec.suspend") && !has(old, "status.startTime"))) immutable(job, old, "spec.template", errors);
}

std::string statusOf(const Json& job) {
  auto is = [&](const char* type) {
    for (auto& c : list(job, "status.conditions"))
      if (str(c, "type") == type && str(c, "status") == "True") return true;
    return false;
  };
  if (is("Complete")) return "Complete";
  if (is("Failed")) return "Failed";
  if (has(job, "metadata.deletionTimestamp")) return "Terminating";
  if (is("Suspended")) return "Suspended";
  if (is("FailureTarget")) return "FailureTarget";
  return is("SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
}

void cells(const Json& job, WallTime now, std::vector<Json>& out) {
  out.emplace_back(statusOf(job));
  auto done = std::to_string(num(job, "status.succeeded"));
  auto parallel = num(job, "spec.parallelism");
  if (has(job, "spec.completions")) out.emplace_back(done + "/" + std::to_string(num(job, "spec.completions")));
  else out.emplace_back(done + (parallel > 1 ? "/1 of " + std::to_string(parallel) : "/1"));
  if (!has(job, "status.startTime")) out.emplace_back("");
  else out.emplace_back(humanDuration((has(job, "status.completionTime") ? time(job, "status.completionTime") : now) - time(job, "status.startTime")));
  containerCells(job, "spec.template.spec", out);
  out.emplace_back(selectorText(job, "spec.selector"));
}

constexpr std::string_view kSelectable[] = {"status.successful", ""};

}  // namespace

const Strategy jobStrategy{.prepareCreate = prepareCreate,
                           .prepareUpdate = prepareUpdate,
                           .validate = validate,
                           .validateUpdate = validateUpdate,
                           .cells = cells,
                           .selectableFields = kSelectable};

}  // namespace ph::api::strategies
