#include "engine/server/audit/audit_event.h"

#include <utility>
#include <vector>

#include "engine/api/codec.h"
#include "engine/server/authz.h"

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

std::string escaped(std::string_view text) {
  std::string out;
  api::appendQuoted(text, out);
  return out.substr(1, out.size() - 2);
}

// A JSON object as it is written. Made as a tree first, an event cost more than reading the request that it tells of.
// Keys and plain values are ours: nothing in them needs an escape.
class Line {
 public:
  Line() : text_("{") { text_.reserve(1024); }
  void text(std::string_view key, std::string_view value) {
    begin(key);
    api::appendQuoted(value, text_);
  }
  void plain(std::string_view key, std::string_view value) {
    begin(key);
    text_ += '"';
    text_ += value;
    text_ += '"';
  }
  void known(std::string_view key, std::string_view value) {
    if (!value.empty()) text(key, value);
  }
  void number(std::string_view key, int value) {
    begin(key);
    text_ += std::to_string(value);
  }
  void list(std::string_view key, const std::vector<std::string>& values) {
    begin(key);
    for (char before = '['; auto& v : values) {
      text_ += std::exchange(before, ',');
      api::appendQuoted(v, text_);
    }
    text_ += values.empty() ? "[]" : "]";
  }
  void object(std::string_view key) {
    begin(key);
    text_ += '{';
  }
  void end() { text_ += '}'; }
  std::string done() {
    end();
    return std::move(text_);
  }

 private:
  void begin(std::string_view key) {
    text_ += text_.back() == '{' ? "\"" : ",\"";
    text_ += key;
    text_ += "\":";
  }
  std::string text_;
};

void tellUser(Line& line, std::string_view key, const User& user) {
  line.object(key);
  line.text("username", user.name);
  line.known("uid", user.uid);
  line.list("groups", user.groups);
  if (!user.extra.empty()) {
    line.object("extra");
    for (auto& [name, values] : user.extra) line.list(escaped(name), values);
    line.end();
  }
  line.end();
}

void tellObject(Line& line, const Call& call) {
  line.object("objectRef");
  line.text("resource", call.info->plural);
  line.known("namespace", call.ns);
  line.known("name", call.name);
  line.known("apiGroup", call.info->group);
  line.text("apiVersion", call.info->version);
  line.known("subresource", call.subresource);
  line.end();
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
  Line line;
  line.plain("kind", "Event");
  line.plain("apiVersion", "audit.k8s.io/v1");
  line.plain("level", "Metadata");
  line.text("auditID", auditId);
  line.plain("stage", stageOf(call, code));
  line.text("requestURI", ascii(uri, kMaxUri));
  line.text("verb", call.verb);
  tellUser(line, "user", call.impersonator ? *call.impersonator : call.user);
  if (call.impersonator && !call.user.name.empty()) tellUser(line, "impersonatedUser", call.user);
  line.list("sourceIPs", {sourceOf(call.request.peer.address)});
  line.known("userAgent", ascii(call.request.headers.get("user-agent"), kMaxAgent));
  if (call.info) tellObject(line, call);
  line.object("responseStatus");
  line.object("metadata");
  line.end();
  if (code >= 400) line.plain("status", "Failure");
  line.known("reason", call.failure);
  line.number("code", code);
  line.end();
  line.plain("requestReceivedTimestamp", formatMicroTime(call.receivedAt));
  line.plain("stageTimestamp", formatMicroTime(now));
  if (call.authorized) {
    line.object("annotations");
    line.plain("authorization.k8s.io/decision", *call.authorized ? "allow" : "forbid");
    line.end();
  }
  return line.done();
}

}  // namespace ph::server
