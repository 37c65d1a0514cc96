#include "engine/controllers/plan.h"

namespace ph::controllers {
namespace {

// What became empty is named, or a merge patch would leave it as it was.
void nullWhatWent(const Json& before, Json& after) {
  for (auto& field : before.as_object()) {
    Json& now = after.as_object()[field.key()];
    if (now.is_object() && field.value().is_object()) nullWhatWent(field.value(), now);
  }
}

}  // namespace

void Plan::patchStatusTrees(const api::Object& object, const Json& before, Json after, Onto onto) {
  if (before == after) return;
  nullWhatWent(before, after);
  JsonObject body{{"status", std::move(after)}};
  if (onto == Onto::Same)
    patch(object, std::move(body), "status");
  else
    patchNewest(object, std::move(body), "status");
}

}  // namespace ph::controllers
