// CustomResourceDefinitions among the verbs: what is filled in, checked and kept beyond their schema.
// Threads: pure.
#pragma once

#include <string>
#include <vector>

#include "engine/api/validation.h"
#include "engine/server/api_request.h"

namespace ph::server {

bool isDefinition(const ResourceInfo& info);
// Names and strategy that may be left out; status as the server owns it. `old` is null on create.
void prepareDefinition(Json& definition, const Json* old);
// Beyond the schema of the kind: names, versions, their schemas. `definition` and `old` are of v1.
void checkDefinition(const Json& definition, const Json* old, bool v1beta1, api::ErrorList& errors);
// What a client should hear about a definition that was taken.
std::vector<std::string> definitionWarnings(const Json& definition);
// It is on its way out now.
void markTerminating(Json& definition, WallTime now);

}  // namespace ph::server
