#include "engine/api/codec.h"
#include "engine/api/custom/definition.h"
#include "engine/api/custom/json_path.h"
#include "engine/api/custom/kinds.h"
#include "engine/api/custom/publish.h"
#include "engine/api/custom/types.h"
#include "engine/api/custom/walk.h"
#include "engine/api/fields/ownership.h"
#include "engine/api/object.h"
#include "engine/api/patch.h"
#include "engine/api/struct_ops.h"
#include "tests/fuzz/inputs.h"
#include "tests/fuzz/targets.h"

namespace ph::fuzz {
namespace {

using api::Json;
using api::JsonObject;
namespace custom = api::custom;

// What a create does with an object of a custom kind, and reads after it.
void use(const api::ResourceInfo& kind, Json tree) {
  api::ErrorList errors;
  std::vector<std::string> unknown;
  kind.custom->conform(tree, errors, &unknown);
  if (!errors.empty()) return (void)errors.toStatus(kind, "x");
  // What was made to fit fits.
  Json again = tree;
  kind.custom->restore(again);
  PH_CHECK(api::toText(again) == api::toText(tree));
  kind.custom->validate(tree, errors);
  std::vector<Json> cells;
  kind.custom->cells(tree, {}, cells);
  PH_CHECK(cells.size() <= kind.columns.size());
  auto wanted = api::appliedFields(tree, *kind.type);
  if (wanted.ok()) (void)api::mergeApplied(tree, tree, *kind.type);
}

// A definition and an object of its kind.
void definition(std::string_view input) {
  auto [first, second] = split(input);
  auto tree = api::parseJson(first);
  if (!tree.ok() || !tree->is_object()) return;
  static const auto* info = registry().find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  PH_CHECK(info);
  api::ErrorList errors;
  api::conform(*tree, *info->type, errors, nullptr);
  if (!errors.empty()) return;
  api::WriteContext context;
  context.info = info;
  if (info->strategy->prepareCreate) info->strategy->prepareCreate(*tree, context);
  api::validateObject(*tree, context, errors);
  custom::validateDefinition(*tree, {}, errors);
  if (!errors.empty()) return (void)errors.toStatus(*info, "x");
  custom::TakenNames taken;
  (void)custom::acceptNames(*tree, taken, {});
  auto made = custom::kindsOf(*tree);
  if (!made.ok()) return;
  auto object = api::parseJson(second);
  for (auto& kind : *made) {
    for (bool v2 : {false, true}) (void)api::toText(kind.custom->document(v2));
    if (object.ok() && object->is_object()) use(kind, *object);
  }
}

// A schema and a value, without the definition around them, so that more of the inputs get that far.
void schema(std::string_view input) {
  auto [first, second] = split(input);
  auto tree = api::parseJson(first);
  if (!tree.ok() || !tree->is_object()) return;
  for (bool v2 : {false, true}) (void)api::toText(custom::publish(*tree, v2));
  api::ErrorList errors;
  custom::validateSchema(*tree, "schema", {}, errors);
  bool sound = errors.empty();
  custom::Arena arena;
  auto root = custom::compile(*tree, arena);
  if (!root.ok()) return;
  custom::TypeArena types;
  auto* type = types.object(**root, "x");
  auto value = api::parseJson(second);
  if (!value.ok() || !value->is_object()) return;
  api::ErrorList found;
  std::vector<std::string> unknown;
  custom::prune(*value, **root, {}, &found, &unknown);
  custom::validate(*value, **root, "", found);
  (void)api::changedFields(JsonObject(), *value, *type);
  if (!sound) return;
  Json again = *value;
  custom::prune(again, **root, {}, nullptr, nullptr);
  PH_CHECK(api::toText(again) == api::toText(*value));
}

void jsonPath(std::string_view input) {
  auto [first, second] = split(input);
  auto path = custom::JsonPath::parse(first);
  auto tree = api::parseJson(second);
  if (!path.ok()) return;
  (void)path->plain();
  if (tree.ok()) PH_CHECK(path->find(*tree, 50).size() <= 50);
}

constexpr Target kCustom[] = {
    {"definition", definition},
    {"schema", schema},
    {"json_path", jsonPath},
};

}  // namespace

std::span<const Target> customTargets() { return kCustom; }

}  // namespace ph::fuzz
