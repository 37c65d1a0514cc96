// The OpenAPI routes of the front door.
#include "engine/server/api_server.h"

namespace ph::server {
namespace {

// Clients that know the document's tag need not take it again.
void sendDocument(const CallPtr& call, const std::string& body, std::string_view contentType, const std::string& etag) {
  net::Response response;
  response.headers.add("content-type", std::string(contentType));
  response.headers.add("etag", "\"" + etag + "\"");
  response.headers.add("vary", "Accept");
  auto known = call->request.headers.get("if-none-match");
  if (!known.empty() && known.find(etag) != std::string_view::npos)
    response.status = 304;
  else
    response.body.push_back(net::makeBuffer(body));
  call->count(response.status);
  call->responder->send(std::move(response));
}

}  // namespace

bool ApiServer::openApi(const CallPtr& call) {
  auto& s = call->segments;
  if (s.size() < 2) return false;
  auto accept = call->request.headers.get("accept");
  auto documents = openApi_->get();
  if (s[1] == "v2" && s.size() == 2) {
    bool protobuf = accept.find("application/com.github.proto-openapi.spec.v2") != std::string_view::npos;
    if (protobuf)
      sendDocument(call, documents->v2Protobuf, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
                   documents->etag);
    else
      sendDocument(call, documents->v2Json, "application/json", documents->etag);
    return true;
  }
  if (s[1] != "v3") return false;
  if (s.size() == 2) {
    sendDocument(call, documents->v3Index, "application/json", documents->etag);
    return true;
  }
  std::string key;
  for (size_t i = 2; i < s.size(); ++i) key += (i > 2 ? "/" : "") + s[i];
  auto found = documents->v3.find(key);
  if (found == documents->v3.end()) return false;
  sendDocument(call, found->second, "application/json", documents->etag);
  return true;
}

}  // namespace ph::server
