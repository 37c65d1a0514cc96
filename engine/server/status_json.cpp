#include "engine/server/status_json.h"

#include "engine/api/codec.h"

namespace ph::server {

Json statusTree(const Status& status) {
  JsonObject out{{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", JsonObject{}}, {"status", "Failure"}};
  out["message"] = status.message;
  out["reason"] = status.reason;
  JsonObject details;
  if (!status.name.empty()) details["name"] = status.name;
  if (!status.group.empty()) details["group"] = status.group;
  if (!status.kind.empty()) details["kind"] = status.kind;
  if (!status.uid.empty()) details["uid"] = status.uid;
  if (!status.causes.empty()) {
    JsonArray causes;
    for (auto& c : status.causes) {
      JsonObject cause;
      if (!c.reason.empty()) cause["reason"] = c.reason;
      if (!c.message.empty()) cause["message"] = c.message;
      if (!c.field.empty()) cause["field"] = c.field;
      causes.push_back(std::move(cause));
    }
    details["causes"] = std::move(causes);
  }
  if (status.retryAfterSeconds > 0) details["retryAfterSeconds"] = status.retryAfterSeconds;
  if (!details.empty()) out["details"] = std::move(details);
  out["code"] = status.code;
  return out;
}

std::string statusJson(const Status& status) { return api::toText(statusTree(status)); }

std::string successJson(const ResourceInfo& info, std::string_view name, std::string_view uid) {
  JsonObject details{{"name", name}, {"kind", info.plural}};
  if (!info.group.empty()) details["group"] = info.group;
  if (!uid.empty()) details["uid"] = uid;
  return api::toText(JsonObject{{"kind", "Status"},
                                {"apiVersion", "v1"},
                                {"metadata", JsonObject{}},
                                {"status", "Success"},
                                {"details", std::move(details)}});
}

}  // namespace ph::server
