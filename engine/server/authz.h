// Authorization: administrators may do all; a node what a node needs (its own Node, Lease and pods, and what these name);
// everyone else is denied. Threads: reads immutable snapshots; any thread.
#pragma once

#include "engine/server/api_request.h"
#include "engine/server/core.h"

namespace ph::server {

inline constexpr std::string_view kAdmins = "system:masters", kNodes = "system:nodes",
                                  kNodePrefix = "system:node:", kAuthenticated = "system:authenticated";

// A question to the authorizer, as access reviews ask it. With `path` set it is about a path outside the resources.
struct Attributes {
  std::string_view verb, group, version, resource, subresource, ns, name;
  std::string_view path;
};
struct Verdict {
  bool allowed = false;
  std::string reason;  // for people; may be empty
};
// The one place that decides. Threads: any.
Verdict mayDo(const Core& core, const User& user, const Attributes& attributes);

// The node that this user is, or empty.
std::string_view nodeOf(const User& user);
// 403 in Kubernetes' words when the user may not. `verb` overrides the request's in the text (create for exec).
Result<> authorize(const Core& core, const ApiRequest& request);
// Paths outside the resources: /version, /openapi, /metrics...
Result<> authorizePath(const User& user, std::string_view method, std::string_view path);
// A node creates no object but its own (checked when the body's name is known).
Result<> authorizeCreated(const ApiRequest& request, std::string_view name);

}  // namespace ph::server
