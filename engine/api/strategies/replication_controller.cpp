#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void defaults(Json& rc) {
  defaultTemplate(rc);
  auto labels = object(rc, "spec.template.metadata.labels");
  if (labels.empty()) return;
  auto& spec = ensureObject(rc, "spec");
  if (object(rc, "spec.selector").empty()) spec["selector"] = labels;
  auto& metadata = ensureObject(rc, "metadata");
  if (object(rc, "metadata.labels").empty()) metadata["labels"] = labels;
}

void prepareCreate(Json& rc, const WriteContext&) {
  defaults(rc);
  rc.get_object()["status"] = JsonObject{{"replicas", 0}};
}

void prepareUpdate(Json& rc, const Json&, const WriteContext& context) {
  if (context.subresource.empty()) defaults(rc);
}

void validate(const Json& rc, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  auto& selector = object(rc, "spec.selector");
  if (selector.empty()) errors.required("spec.selector");
  auto* tmpl = at(rc, "spec.template");
  if (!tmpl) return errors.required("spec.template");
  auto& labels = object(*tmpl, "metadata.labels");
  for (auto& kv : selector) {
    auto* value = labels.if_contains(kv.key());
    if (value && *value == kv.value()) continue;
    errors.invalidRaw("spec.template.metadata.labels", toText(Json(labels)), "`selector` does not match template `labels`");
    break;
  }
  validatePodTemplate(*tmpl, "spec.template", {"Always"}, errors);
}

void cells(const Json& rc, WallTime, std::vector<Json>& out) {
  out.emplace_back(num(rc, "spec.replicas"));
  out.emplace_back(num(rc, "status.replicas"));
  out.emplace_back(num(rc, "status.readyReplicas"));
  containerCells(rc, "spec.template.spec", out);
  out.emplace_back(labelsText(object(rc, "spec.selector")));
}

void defaultTemplateOnly(Json& t, const WriteContext&) {
  if (auto* tmpl = member(t, "template"))
    if (auto* spec = member(*tmpl, "spec")) defaultPodSpec(*spec);
}
void defaultTemplateAgain(Json& t, const Json&, const WriteContext& context) { defaultTemplateOnly(t, context); }
void validateTemplateOnly(const Json& t, const WriteContext&, ErrorList& errors) {
  if (auto* tmpl = at(t, "template")) validatePodTemplate(*tmpl, "template", {"Always", "OnFailure", "Never"}, errors);
}
void templateCells(const Json& t, WallTime, std::vector<Json>& out) {
  containerCells(t, "template.spec", out);
  out.emplace_back(labelsText(object(t, "template.metadata.labels")));
}

constexpr std::string_view kSelectable[] = {"status.replicas", ""};

}  // namespace

const Strategy replicationControllerStrategy{.prepareCreate = prepareCreate,
                                             .prepareUpdate = prepareUpdate,
                                             .validate = validate,
                                             .cells = cells,
                                             .selectableFields = kSelectable};
const Strategy podTemplateStrategy{.prepareCreate = defaultTemplateOnly,
                                   .prepareUpdate = defaultTemplateAgain,
                                   .validate = validateTemplateOnly,
                                   .cells = templateCells};

}  // namespace ph::api::strategies
