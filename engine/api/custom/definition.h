// The rules for CustomResourceDefinitions themselves, on trees of apiextensions.k8s.io/v1; messages as Kubernetes gives them.
// Threads: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/registry.h"
#include "engine/api/validation.h"

namespace ph::api::custom {

struct DefinitionContext {
  const Json* old = nullptr;  // null: create
  bool v1beta1 = false;       // the request came in the old version: a schema is not required, defaults are not allowed
};

// spec, status.storedVersions; what may not change once names are accepted. metadata is checked elsewhere.
void validateDefinition(const Json& definition, const DefinitionContext& context, ErrorList& errors);

// Names of one group that are taken, by definition.
struct TakenNames {
  std::vector<std::string> resources, kinds;
};
// The new status of a definition whose names others may have taken: acceptedNames, the conditions NamesAccepted and Established.
// True when it differs from what it was.
bool acceptNames(Json& definition, const TakenNames& taken, WallTime now);
// Adds what this definition has accepted.
void takeNames(const Json& definition, TakenNames& taken);
// Sets a condition of status.conditions; true when it changed.
bool setCondition(Json& definition, std::string_view type, bool isTrue, std::string_view reason, std::string_view message, WallTime now);
bool conditionTrue(const Json& definition, std::string_view type);

// A schema's own rules: OpenAPI v3 as CRDs may use it, and structural (Kubernetes' documentation of structural schemas).
struct SchemaRules {
  bool defaults = true;            // false: none are allowed
  bool status = false;             // the status subresource is on: the root may hold certain things only
  bool structural = true;
};
void validateSchema(const Json& schema, const std::string& path, const SchemaRules& rules, ErrorList& errors);
void validateStructural(const Json& schema, const std::string& path, ErrorList& errors);

}  // namespace ph::api::custom
