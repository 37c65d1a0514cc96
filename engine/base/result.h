// Result and Status: how every folder reports failure. No exception crosses a folder's boundary.
// Status maps one to one onto the Kubernetes meta/v1 Status object (code, reason, message, details).
// Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/check.h"

namespace ph {

// One entry of Status.details.causes.
struct StatusCause {
  std::string reason;   // FieldValueRequired, FieldValueInvalid, FieldValueNotSupported, FieldValueDuplicate...
  std::string message;
  std::string field;    // a path such as spec.containers[0].name
};

// `code` is an HTTP status; `reason` one of the Kubernetes StatusReason words.
struct Status {
  int code = 500;
  std::string reason = "InternalError";
  std::string message;
  // details; empty strings are left out on the wire
  std::string group, kind, name, uid;
  std::vector<StatusCause> causes;
  int retryAfterSeconds = 0;

  bool is(std::string_view wanted) const { return reason == wanted; }
  bool isNotFound() const { return code == 404; }
  bool isConflict() const { return code == 409 && reason == "Conflict"; }
  bool isAlreadyExists() const { return code == 409 && reason == "AlreadyExists"; }
  bool isGone() const { return code == 410; }

  static Status badRequest(std::string message) { return {400, "BadRequest", std::move(message)}; }
  static Status unauthorized(std::string message = "Unauthorized") { return {401, "Unauthorized", std::move(message)}; }
  static Status forbidden(std::string message) { return {403, "Forbidden", std::move(message)}; }
  static Status notFound(std::string message) { return {404, "NotFound", std::move(message)}; }
  static Status methodNotAllowed(std::string message) { return {405, "MethodNotAllowed", std::move(message)}; }
  static Status conflict(std::string message) { return {409, "Conflict", std::move(message)}; }
  static Status alreadyExists(std::string message) { return {409, "AlreadyExists", std::move(message)}; }
  static Status expired(std::string message) { return {410, "Expired", std::move(message)}; }
  static Status tooLarge(std::string message) { return {413, "RequestEntityTooLarge", std::move(message)}; }
  static Status unsupportedMediaType(std::string message) { return {415, "UnsupportedMediaType", std::move(message)}; }
  static Status invalid(std::string message) { return {422, "Invalid", std::move(message)}; }
  static Status tooManyRequests(std::string message, int retryAfterSeconds) {
    Status s{429, "TooManyRequests", std::move(message)};
    s.retryAfterSeconds = retryAfterSeconds;
    return s;
  }
  static Status internal(std::string message) { return {500, "InternalError", std::move(message)}; }
  static Status unavailable(std::string message) { return {503, "ServiceUnavailable", std::move(message)}; }
  static Status timeout(std::string message) { return {504, "Timeout", std::move(message)}; }
};

// A value or a Status. `Result<>` (Result<void>) carries only success or a Status.
template <class T = void>
class [[nodiscard]] Result {
 public:
  Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
  Result(Status status) : v_(std::in_place_index<1>, std::move(status)) {}

  bool ok() const { return v_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { PH_CHECK(ok()); return std::get<0>(v_); }
  const T& value() const& { PH_CHECK(ok()); return std::get<0>(v_); }
  T&& value() && { PH_CHECK(ok()); return std::move(std::get<0>(v_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  Status& status() & { PH_CHECK(!ok()); return std::get<1>(v_); }
  const Status& status() const& { PH_CHECK(!ok()); return std::get<1>(v_); }
  Status&& status() && { PH_CHECK(!ok()); return std::move(std::get<1>(v_)); }

 private:
  std::variant<T, Status> v_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Status status) : s_(std::move(status)) {}
  bool ok() const { return !s_; }
  explicit operator bool() const { return ok(); }
  const Status& status() const& { PH_CHECK(!ok()); return *s_; }
  Status&& status() && { PH_CHECK(!ok()); return std::move(*s_); }

 private:
  std::optional<Status> s_;
};

#define PH_CONCAT_(a, b) a##b
#define PH_CONCAT(a, b) PH_CONCAT_(a, b)
// PH_TRY(expr): returns the Status of a failed Result from the enclosing function.
#define PH_TRY(expr)                                              \
  do {                                                            \
    auto ph_try_ = (expr);                                        \
    if (!ph_try_.ok()) return std::move(ph_try_).status();        \
  } while (0)
// PH_ASSIGN(auto x, expr): declares x from a Result, or returns its Status.
#define PH_ASSIGN(decl, expr) PH_ASSIGN_(PH_CONCAT(ph_res_, __LINE__), decl, expr)
#define PH_ASSIGN_(tmp, decl, expr)                 \
  auto tmp = (expr);                                \
  if (!tmp.ok()) return std::move(tmp).status();    \
  decl = std::move(tmp).value()

}  // namespace ph
