// Parts of the OpenAPI documents. Internal to engine/api.
// Threads: each object on one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/api/registry.h"

namespace ph::api::openapi {

enum class Version { V2, V3 };

// Collects the definitions (components/schemas) that schemas refer to.
class Definitions {
 public:
  Definitions(const Registry& registry, Version version);
  Json reference(const std::string& name) const;   // {"$ref": ...}
  Json schema(const Type& type, const Field* field);  // of a value; adds what it refers to
  const std::string& add(const Type& type);        // a named type; its name
  std::string addList(const ResourceInfo& info);   // the kind's list type
  JsonObject take();                               // by name, in order

 private:
  Json object(const Type& type);
  Json custom(const Type& type, const CustomKind& kind);
  void addFields(const Type& type, JsonObject& properties, JsonArray& required);
  void describe(const Field& field, JsonObject& schema) const;
  Version version_;
  std::map<const Type*, const CustomKind*> custom_;
  std::map<const Type*, JsonArray> kinds_;         // x-kubernetes-group-version-kind
  std::map<std::string, Json> made_;
  std::map<const Type*, std::string> names_;
};

// The paths of one resource go into `paths`.
void addPaths(const ResourceInfo& info, Version version, Definitions& definitions, JsonObject& paths);

std::string toProtobuf(const Json& v2);            // a Swagger 2.0 document as gnostic's Document message

}  // namespace ph::api::openapi
