#include "engine/server/call.h"

#include "engine/api/codec.h"
#include "engine/api/protobuf.h"
#include "engine/net/pki.h"
#include "engine/server/audit/audit_event.h"
#include "engine/server/protobuf_answer.h"
#include "engine/server/status_json.h"

namespace ph::server {
std::string warningValue(std::string_view text) {
  std::string value = "299 - \"";
  for (char c : text) {
    if (c == '"' || c == '\\') value += '\\';
    value += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return value + "\"";
}

void Call::count(int code) {
  metrics->request({info, verb, subresource, code}, executor->monoNow() - started);
}

// An id of the client's own is taken over, so that it can find its request again.
void Call::onHead(int code, net::Headers& headers) {
  if (!audit || !auditWanted(*this, code)) return;
  auto given = request.headers.get("audit-id");
  bool fine = !given.empty() && given.size() <= 64;
  for (char c : given) fine = fine && c > 0x20 && c < 0x7f;
  std::string id = fine ? std::string(given) : executor->random().uuid();
  headers.add("audit-id", id);
  audit->record(auditEvent(*this, code, id, executor->wallNow()));
}

void Call::onLate() {
  sendStatus(Status::timeout("Timeout: request did not complete within the requested timeout"));
}

void Call::send(int code, std::string body, std::string_view contentType) {
  net::Response response;
  response.status = code;
  response.headers.add("content-type", std::string(contentType));
  response.headers.add("cache-control", "no-cache, private");
  response.body.push_back(net::makeBuffer(std::move(body)));
  for (auto& w : warnings) response.headers.add("warning", warningValue(w));
  count(code);
  responder->send(std::move(response));
}

void Call::sendJson(int code, std::string json, const std::vector<std::string>& warnings) {
  Media is = media;
  if (media.protobuf) {
    auto tree = api::parseJson(json);
    auto bytes = tree.ok() ? protobufOf(*tree) : std::nullopt;
    is.protobuf = bytes.has_value();  // what has no such form is JSON, and says so
    if (bytes) json = std::move(*bytes);
  } else if (media.yaml) {
    json = toYaml(json);
  } else if (media.pretty) {
    json = prettyJson(json);
  }
  sendAs(is, code, std::move(json), warnings);
}

void Call::sendRendered(int code, std::string bytes, const std::vector<std::string>& warnings) {
  sendAs(media, code, std::move(bytes), warnings);
}

void Call::sendAs(const Media& is, int code, std::string bytes, const std::vector<std::string>& warnings) {
  net::Response response;
  response.status = code;
  response.headers.add("content-type", std::string(is.contentType()));
  response.headers.add("cache-control", "no-cache, private");
  for (auto& w : this->warnings) response.headers.add("warning", warningValue(w));
  for (auto& w : warnings) response.headers.add("warning", warningValue(w));
  response.body.push_back(net::makeBuffer(std::move(bytes)));
  count(code);
  responder->send(std::move(response));
}

void Call::sendStatus(const Status& status) {
  net::Response response;
  response.status = status.code;
  failure = status.reason;
  Json tree = statusTree(status);
  if (!continueToken.empty()) tree.get_object()["metadata"] = JsonObject{{"continue", continueToken}};
  std::optional<std::string> bytes;
  if (media.protobuf) bytes = protobufOf(tree);
  response.headers.add("content-type", std::string(bytes ? api::kProtobufMedia : "application/json"));
  response.headers.add("cache-control", "no-cache, private");
  if (status.retryAfterSeconds > 0) response.headers.add("retry-after", std::to_string(status.retryAfterSeconds));
  if (status.code == 401) response.headers.add("www-authenticate", "Bearer");
  response.body.push_back(net::makeBuffer(bytes ? std::move(*bytes) : api::toText(tree)));
  for (auto& w : warnings) response.headers.add("warning", warningValue(w));
  count(status.code);
  responder->send(std::move(response));
}

void sendTagged(Call& call, std::string body, std::string_view contentType) {
  std::string tag = net::sha256Hex(body);
  net::Response response;
  response.headers.add("content-type", std::string(contentType));
  response.headers.add("cache-control", "public");
  response.headers.add("etag", "\"" + tag + "\"");
  response.headers.add("vary", "Accept");
  if (call.request.headers.get("if-none-match").find(tag) != std::string_view::npos)
    response.status = 304;
  else
    response.body.push_back(net::makeBuffer(std::move(body)));
  call.count(response.status);
  call.responder->send(std::move(response));
}

}  // namespace ph::server
