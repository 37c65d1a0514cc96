// Access reviews named the groups "group" in v1beta1.
#include "engine/api/conversions/conversions.h"

namespace ph::api::conversions {
namespace {

void toStored(Json& review) {
  if (auto* spec = objectIn(review, "spec")) rename(*spec, "group", "groups");
}
void fromStored(Json& review) {
  if (auto* spec = objectIn(review, "spec")) rename(*spec, "groups", "group");
}

}  // namespace

const Conversion accessReviewV1beta1{toStored, fromStored};

}  // namespace ph::api::conversions
