// The Kubernetes REST API's requests and answers as net's values. Threads: pure.
#pragma once

#include "engine/client/client.h"
#include "engine/net/http.h"

namespace ph::client {

// "/api/v1/namespaces/NS/pods/NAME"; empty parts are left out.
std::string resourcePath(const ResourceInfo& info, const std::string& ns, const std::string& name = {},
                         const std::string& subresource = {});

net::Request getRequest(const ResourceInfo& info, const std::string& ns, const std::string& name);
net::Request listRequest(const ResourceInfo& info, const ListOptions& options);
net::Request watchRequest(const ResourceInfo& info, const WatchOptions& options);
Result<net::Request> writeRequest(Write& write);  // moves the body out of `write`

Result<ObjectPtr> decodeObject(const ResourceInfo& info, std::string_view body);
Result<ListResult> decodeList(const ResourceInfo& info, std::string_view body);
// Like decodeObject(), but null when the answer is of another kind.
Result<ObjectPtr> decodeAnswer(const ResourceInfo& info, std::string_view body);
// The object in a parsed tree with its own resourceVersion.
ObjectPtr objectOf(const ResourceInfo& info, const api::Json& tree);

}  // namespace ph::client
