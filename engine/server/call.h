// Call: one HTTP request on its way through the server, and how it is answered. Internal to the front door.
// Threads: handed from thread to thread, never used by two at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/net/http.h"
#include "engine/server/api_request.h"
#include "engine/server/audit/audit_log.h"
#include "engine/server/media.h"
#include "engine/server/metrics.h"
#include "engine/server/text_form.h"
#include "engine/server/tracked_responder.h"

namespace ph::server {

struct Call : AnswerListener {
  net::Request request;
  std::shared_ptr<net::Responder> responder;
  std::shared_ptr<TrackedResponder> tracked;  // the same
  std::shared_ptr<Metrics> metrics;
  std::shared_ptr<AuditLog> audit;            // null: none is kept
  Executor* executor = nullptr;               // its clock and randomness
  WallTime receivedAt{};
  MonoTime started{};
  std::string path;                    // decoded
  std::vector<std::string> segments;   // of the path, decoded one by one
  std::vector<std::pair<std::string, std::string>> query;
  User user;
  Media media;
  std::shared_ptr<const User> impersonator;  // who really asks, when `user` is impersonated
  // What is asked for, once it is known; for counters and the audit log.
  std::string_view verb = "other";
  std::string method;                  // lower case; of paths outside the resources
  const ResourceInfo* info = nullptr;
  std::string ns, name, subresource;
  bool longRunning = false;            // watches and streams: they have no deadline
  std::optional<bool> authorized;      // what the authorizer said
  std::string continueToken;           // goes into the metadata of a Status: how to go on
  std::string failure;                 // the reason of the Status that was answered
  std::vector<std::string> warnings;   // Warning headers of whatever is answered

  std::string_view queryValue(std::string_view name) const {
    for (auto& [k, v] : query)
      if (k == name) return v;
    return {};
  }
  void send(int code, std::string body, std::string_view contentType = "application/json");
  // A JSON text, in the media type asked for.
  void sendJson(int code, std::string json, const std::vector<std::string>& warnings = {});
  // Bytes that are in the media type asked for already.
  void sendRendered(int code, std::string bytes, const std::vector<std::string>& warnings = {});
  void sendStatus(const Status& status);
  void count(int code);
  void onHead(int code, net::Headers& headers) override;
  void onLate() override;

 private:
  void sendAs(const Media& is, int code, std::string bytes, const std::vector<std::string>& warnings);
};
// An answer that clients keep by its tag: 304 when they have it already.
void sendTagged(Call& call, std::string body, std::string_view contentType);
using CallPtr = std::shared_ptr<Call>;
// The value of a Warning header (RFC 7234, code 299).
std::string warningValue(std::string_view text);

}  // namespace ph::server
