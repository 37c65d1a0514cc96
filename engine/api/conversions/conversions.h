// The conversions of built-in kinds between versions that differ in more than their name. Internal to engine/api.
// Threads: pure.
#pragma once

#include "engine/api/strategies/common.h"

namespace ph::api::conversions {

// Moves a member under another name; nothing when absent.
void rename(JsonObject& object, std::string_view from, std::string_view to);
// Takes a member out; null when absent.
Json take(JsonObject& object, std::string_view key);
// The object at a dotted path, or nullptr.
JsonObject* objectIn(Json& tree, std::string_view path);
// The annotation's text as JSON, taken out of the object; null when there is none or it is no JSON.
Json takeAnnotation(Json& tree, std::string_view key);
void setAnnotation(Json& tree, std::string_view key, const Json& value);

extern const Conversion accessReviewV1beta1, autoscalerV1, customDefinitionV1beta1, disruptionBudgetV1beta1, endpointSliceV1beta1, eventOfGroup, ingressV1beta1,
    signingRequestV1beta1;

}  // namespace ph::api::conversions
