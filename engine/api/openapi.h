// The registry as OpenAPI documents: Swagger 2.0 (JSON, and the protobuf form that older kubectl insists on) and OpenAPI 3.0,
// one document a group version. Sources: OpenAPI 2.0 and 3.0, gnostic's OpenAPIv2 message, Kubernetes' x-kubernetes-* words.
// Threads: pure.
#pragma once

#include <map>
#include <string>

#include "engine/api/registry.h"

namespace ph::api {

// Every document for one state of the registry. Making them takes milliseconds: make once, and again when kinds change.
struct OpenApi {
  std::string v2Json;
  // For those who accept application/com.github.proto-openapi.spec.v2@v1.0+protobuf. Answer it with the Content-Type
  // application/com.github.proto-openapi.spec.v2.v1.0+protobuf: a '@' there is no valid media type, and kubectl 1.20 refuses it.
  std::string v2Protobuf;
  std::string v3Index;                   // what GET /openapi/v3 answers
  std::map<std::string, std::string, std::less<>> v3;  // "api/v1", "apis/apps/v1" -> JSON; GET /openapi/v3/KEY
  std::string etag;                      // changes with the content
};

// `version` goes into info.version.
OpenApi makeOpenApi(const Registry& registry, const std::string& version);

}  // namespace ph::api
