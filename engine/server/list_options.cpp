#include "engine/server/list_options.h"

#include "engine/api/codec.h"
#include "engine/api/validation.h"
#include "engine/base/base64.h"
#include "engine/server/json_util.h"

namespace ph::server {
namespace {

constexpr size_t kMaxToken = 4096;  // bytes

Result<> verdict(const api::ErrorList& errors) {
  static const ResourceInfo options{.group = "meta.k8s.io", .kind = "ListOptions"};
  if (errors.empty()) return {};
  return errors.toStatus(options, "");
}

Status badToken() { return Status::badRequest("continue key is not valid: it does not come from this server"); }

}  // namespace

Result<> checkListOptions(const Options& o) {
  api::ErrorList errors;
  if (auto& match = o.resourceVersionMatch; !match.empty()) {
    if (o.resourceVersion.empty())
      errors.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (!o.continueToken.empty())
      errors.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
    if (match != "Exact" && match != "NotOlderThan")
      errors.notSupported("resourceVersionMatch", match, {"Exact", "NotOlderThan", ""});
    if (match == "Exact" && o.resourceVersion == "0")
      errors.forbidden("resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
  }
  if (o.sendInitialEvents) errors.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
  return verdict(errors);
}

Result<> checkWatchOptions(const Options& o) {
  api::ErrorList errors;
  auto& match = o.resourceVersionMatch;
  if (o.sendInitialEvents) {
    if (match.empty())
      errors.forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    else if (match != "NotOlderThan")
      errors.notSupported("resourceVersionMatch", match, {"NotOlderThan"});
  } else if (!match.empty()) {
    errors.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  }
  if (!o.continueToken.empty()) errors.invalid("continue", o.continueToken, "a watch can't be continued");
  return verdict(errors);
}

std::string encodeToken(const ContinueToken& token) {
  return toBase64(api::toText(JsonObject{{"v", "pilothouse/1"}, {"rv", token.revision}, {"after", token.after}}));
}

Result<ContinueToken> decodeToken(std::string_view token) {
  if (token.size() > kMaxToken) return badToken();
  auto text = fromBase64(token);
  if (!text) return badToken();
  auto tree = api::parseJson(*text);
  if (!tree.ok()) return badToken();
  auto* object = tree->if_object();
  ContinueToken out{intAt(object, "rv"), std::string(textAt(object, "after"))};
  bool revision = out.revision > 0 || out.revision == ContinueToken::kAnyRevision;
  if (!revision || textAt(object, "v") != "pilothouse/1") return badToken();
  return out;
}

std::string inconsistentToken(std::string_view text) {
  auto token = decodeToken(text);
  if (!token.ok()) return {};
  token->revision = ContinueToken::kAnyRevision;
  return encodeToken(*token);
}

}  // namespace ph::server
