#include "engine/server/audit/audit_event.h"

#include "engine/api/codec.h"
#include "engine/server/authz.h"
#include "engine/server/json_util.h"
#include "engine/server/user_info.h"

namespace ph::server {
namespace {

constexpr size_t kMaxUri = 4096, kMaxAgent = 512;  // bytes kept

bool isChange(std::string_view verb) {
  return verb == "create" || verb == "update" || verb == "patch" || verb == "delete" || verb == "deletecollection" ||
         verb == "post" || verb == "put";
}

// Leases, statuses and Events come all the time and say nothing about who did what.
bool routine(const Call& call) {
  auto& plural = call.info->plural;
  if (plural == "events") return true;
  if (nodeOf(call.user).empty()) return false;
  return (plural == "leases" && call.ns == "kube-node-lease") || call.subresource == "status";
}

// Text that clients choose, so that a line stays a line of valid UTF-8.
std::string ascii(std::string_view text, size_t most) {
  std::string out(text.substr(0, most));
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  return out;
}

JsonObject objectRef(const Call& call) {
  auto& info = *call.info;
  JsonObject ref{{"resource", info.plural}};
  if (!call.ns.empty()) ref["namespace"] = call.ns;
  if (!call.name.empty()) ref["name"] = call.name;
  if (!info.group.empty()) ref["apiGroup"] = info.group;
  ref["apiVersion"] = info.version;
  if (!call.subresource.empty()) ref["subresource"] = call.subresource;
  return ref;
}

// "10.0.0.1:51000" and "[::1]:51000" without the port.
std::string sourceOf(const std::string& address) {
  auto colon = address.rfind(':');
  bool ported = colon != std::string::npos && (address.front() == '[' || address.find(':') == colon);
  if (!ported || address.starts_with("ssh:")) return address;
  auto host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return host;
}

std::string_view stageOf(const Call& call, int code) {
  bool goesOn = call.longRunning && code < 400;
  return goesOn ? "ResponseStarted" : "ResponseComplete";
}

}  // namespace

bool auditWanted(const Call& call, int code) {
  if (code == 401 || code == 403 || code == 429 || call.impersonator) return true;
  if (!call.info) return isChange(call.verb);
  if (call.verb == "connect") return call.subresource != "log";
  if (isChange(call.verb)) return !routine(call);
  return call.info->kind == "Secret" && nodeOf(call.user).empty();
}

std::string auditEvent(const Call& call, int code, std::string_view auditId, WallTime now) {
  std::string uri = call.request.path;
  if (!call.request.query.empty()) uri += "?" + call.request.query;
  JsonObject out{{"kind", "Event"}, {"apiVersion", "audit.k8s.io/v1"}, {"level", "Metadata"}, {"auditID", auditId},
                 {"stage", stageOf(call, code)}, {"requestURI", ascii(uri, kMaxUri)}, {"verb", call.verb}};
  out["user"] = userInfo(call.impersonator ? *call.impersonator : call.user);
  if (call.impersonator && !call.user.name.empty()) out["impersonatedUser"] = userInfo(call.user);
  out["sourceIPs"] = JsonArray{sourceOf(call.request.peer.address)};
  if (auto agent = call.request.headers.get("user-agent"); !agent.empty()) out["userAgent"] = ascii(agent, kMaxAgent);
  if (call.info) out["objectRef"] = objectRef(call);
  JsonObject status{{"metadata", JsonObject{}}};
  if (code >= 400) status["status"] = "Failure";
  if (!call.failure.empty()) status["reason"] = call.failure;
  status["code"] = code;
  out["responseStatus"] = std::move(status);
  out["requestReceivedTimestamp"] = formatMicroTime(call.receivedAt);
  out["stageTimestamp"] = formatMicroTime(now);
  if (call.authorized)
    out["annotations"] = JsonObject{{"authorization.k8s.io/decision", *call.authorized ? "allow" : "forbid"}};
  return api::toText(out);
}

}  // namespace ph::server
