#include "engine/api/codec.h"
#include "engine/api/convert.h"
#include "engine/api/fields/ownership.h"
#include "engine/api/object.h"
#include "engine/api/struct_ops.h"
#include "engine/server/list_options.h"
#include "tests/fuzz/inputs.h"
#include "tests/fuzz/targets.h"

namespace ph::fuzz {
namespace {

using api::FieldSet;
using api::Json;

// Two sets in FieldsV1: what sets promise of each other.
void fieldSets(std::string_view input) {
  auto [first, second] = split(input);
  auto firstJson = api::parseJson(first), secondJson = api::parseJson(second);
  if (!firstJson.ok() || !secondJson.ok()) return;
  auto a = FieldSet::fromJson(*firstJson, false), b = FieldSet::fromJson(*secondJson, false);
  if (!a.ok()) return;
  auto again = FieldSet::fromJson(a->toJson(), true);
  PH_CHECK(again.ok() && *again == *a);
  PH_CHECK(a->paths().size() == a->size());
  if (!b.ok()) return;
  FieldSet less = *a, common = *a, both = *a, without = *a;
  less.subtract(*b);
  common.intersect(*b);
  both.unite(*b);
  without.subtractTrees(*b);
  PH_CHECK(less.size() + common.size() == a->size());
  PH_CHECK(both.size() == less.size() + b->size());
  PH_CHECK(without.size() <= less.size());
  less.unite(common);
  PH_CHECK(less == *a);
}

// Server-side apply: a configuration over a live object, and what it leaves when it is taken back.
void apply(std::string_view input) {
  auto& kind = takeKind(input);
  auto [first, second] = split(input);
  auto live = api::parseJson(first), config = api::parseJson(second);
  if (!live.ok() || !config.ok() || !live->is_object() || !config->is_object()) return;
  auto wanted = api::appliedFields(*config, *kind.type);
  (void)api::changedFields(*live, *config, *kind.type);
  if (!wanted.ok()) return;
  Json merged = api::mergeApplied(*live, *config, *kind.type);
  PH_CHECK(merged.is_object());
  // Nothing changes when the same is applied once more.
  PH_CHECK(api::toText(api::mergeApplied(merged, *config, *kind.type)) == api::toText(merged));
  api::dropAbandoned(merged, *wanted, {}, *kind.type);
  (void)api::toText(merged);
}

// An object in every version of its kind.
void versions(std::string_view input) {
  auto& kind = takeKind(input);
  auto parsed = api::parseJson(input);
  if (!parsed.ok() || !parsed->is_object()) return;
  api::ErrorList errors;
  api::conform(*parsed, *kind.type, errors, nullptr);
  if (!errors.empty()) return;
  auto* stored = registry().stored(kind);
  api::convertTree(*parsed, kind, *stored);
  auto object = api::Object::make(stored, *parsed, 7);
  for (auto* other : kinds()) {
    if (other->storageGroupKind != kind.storageGroupKind) continue;
    auto shown = api::asVersion(object, *other);
    PH_CHECK(api::parseJson(shown->json()).ok());
  }
}

void continueToken(std::string_view input) {
  auto token = server::decodeToken(input);
  (void)server::inconsistentToken(input);
  if (!token.ok()) return;
  auto again = server::decodeToken(server::encodeToken(*token));
  PH_CHECK(again.ok() && again->revision == token->revision && again->after == token->after);
}

constexpr Target kObject[] = {
    {"field_sets", fieldSets},
    {"apply", apply},
    {"versions", versions},
    {"continue_token", continueToken},
};

}  // namespace

std::span<const Target> objectTargets() { return kObject; }

}  // namespace ph::fuzz
