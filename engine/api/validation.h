// Field errors as Kubernetes words them, collected into one 422 Invalid Status with causes.
// Threads: plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/registry.h"
#include "engine/base/result.h"
#include "engine/base/time.h"

namespace ph::api {

enum class Operation { Create, Update, Patch, Delete, Connect };

struct WriteContext {
  const ResourceInfo* info = nullptr;
  Operation operation = Operation::Create;
  std::string_view subresource;  // empty, "status", "scale"...
  std::string_view user;
  WallTime now{};
};

class ErrorList {
 public:
  void required(std::string field, std::string detail = "");
  void invalid(std::string field, std::string badValue, std::string detail);
  // The value as it stands, without quotes: numbers, booleans, JSON.
  void invalidRaw(std::string field, std::string badValue, std::string detail);
  void notSupported(std::string field, std::string badValue, const std::vector<std::string>& supported);
  void notFound(std::string field, std::string badValue);
  void duplicate(std::string field, std::string badValue);
  void forbidden(std::string field, std::string detail);
  void tooLong(std::string field, size_t maxLength);
  void tooMany(std::string field, size_t actual, size_t max);
  void typeInvalid(std::string field, std::string badValue, std::string detail);
  // One found elsewhere.
  void append(const StatusCause& cause) { add(cause.reason.c_str(), cause.field, cause.message); }
  bool empty() const { return causes_.empty(); }
  const std::vector<StatusCause>& causes() const { return causes_; }
  bool hasTypeErrors() const { return typeErrors_; }
  // 422 Invalid; 400 BadRequest when the object could not even be decoded (a wrong type in a built-in kind).
  // `Deployment.apps "web" is invalid: spec.x: Required value` (several: [a, b]).
  Status toStatus(const ResourceInfo& info, std::string_view name) const;

 private:
  void add(const char* reason, std::string field, std::string message);
  std::vector<StatusCause> causes_;  // at most 1000
  bool typeErrors_ = false;
};

// Empty when fine, else Kubernetes' explanation of the rule.
std::string checkDnsLabel(std::string_view s);       // RFC 1123 label, 63
std::string checkDnsSubdomain(std::string_view s);   // RFC 1123 subdomain, 253
std::string checkDns1035Label(std::string_view s);   // services
std::string checkQualifiedName(std::string_view s);  // label keys
std::string checkLabelValue(std::string_view s);
std::string checkEnvName(std::string_view s);
std::string checkConfigKey(std::string_view s);
std::string checkPathSegment(std::string_view s);    // RBAC names and the like: no '/', no '%', not "." or ".."
std::string checkPortName(std::string_view s);       // IANA service name, 15
std::string checkIp(std::string_view s);             // IPv4 or IPv6

// A map of labels standing at `field`.
void validateLabels(const JsonObject& labels, const std::string& field, ErrorList& errors);

// metadata rules common to all kinds (name, generateName, namespace, labels, annotations, owners, finalizers), then the
// kind's own validate / validateUpdate.
void validateObject(const Json& object, const WriteContext& context, ErrorList& errors);
void validateObjectUpdate(const Json& object, const Json& old, const WriteContext& context, ErrorList& errors);

}  // namespace ph::api
