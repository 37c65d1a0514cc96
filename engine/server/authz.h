// Authorization, in this order: system:masters may do all; a node what a node needs (rbac/node_authorizer.h); everyone what roles
// give (rbac/index.h); else it is denied. Threads: reads immutable snapshots; any thread.
#pragma once

#include "engine/server/api_request.h"
#include "engine/server/core.h"

namespace ph::server {

inline constexpr std::string_view kAdmins = "system:masters", kNodes = "system:nodes",
                                  kNodePrefix = "system:node:", kAuthenticated = "system:authenticated",
                                  kUnauthenticated = "system:unauthenticated", kAnonymous = "system:anonymous";

// A question to the authorizer, as access reviews ask it. With `path` set it is about a path outside the resources.
struct Attributes {
  std::string_view verb, group, version, resource, subresource, ns, name;
  std::string_view path;
  std::string_view fieldSelector;  // of a list or watch, as sent
};
struct Verdict {
  bool allowed = false;
  std::string reason;  // for people; may be empty
};
// The one place that decides. Threads: any.
Verdict mayDo(const Core& core, const User& user, const Attributes& attributes);

// The node that this user is, or empty.
std::string_view nodeOf(const User& user);
// What a request asks for. Lives as long as the request does; `name` holds the one name that a field selector leaves.
Attributes attributesOf(const ApiRequest& request, std::string& name);
// 403 in Kubernetes' words when the user may not.
Result<> authorize(const Core& core, const ApiRequest& request);
// `resource` and the others stand in the text: `users "jane" is forbidden: User "bob" cannot impersonate resource "users"...`
Status denied(const User& user, const Attributes& attributes, std::string_view reason);
// Paths outside the resources: /version, /openapi, /metrics...
Result<> authorizePath(const Core& core, const User& user, std::string_view method, std::string_view path);
// What can be judged only when the body's name is known: an apply that creates needs the right to create.
Result<> authorizeCreated(const Core& core, const ApiRequest& request, std::string_view name);

}  // namespace ph::server
