// Reading values out of JSON trees into Qt's types; a missing or differently typed value reads as empty, 0 or
// false. Threads: pure.
#pragma once

#include <QString>
#include <boost/json.hpp>
#include <initializer_list>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace ph::models::json {

using Value = boost::json::value;
using Path = std::initializer_list<std::string_view>;

inline const Value* find(const Value* v, Path path) {
  for (auto& key : path) {
    if (!v || !v->is_object()) return nullptr;
    v = v->get_object().if_contains(key);
  }
  return v;
}

inline QString text(const Value* v) {
  if (!v) return {};
  if (auto* s = v->if_string()) return QString::fromUtf8(s->data(), qsizetype(s->size()));
  if (auto* n = v->if_int64()) return QString::number(*n);
  if (auto* u = v->if_uint64()) return QString::number(*u);
  if (auto* b = v->if_bool()) return *b ? QStringLiteral("true") : QStringLiteral("false");
  return {};
}
inline QString text(const Value* v, Path path) {
  return text(find(v, path));
}

inline int64_t number(const Value* v) {
  if (!v) return 0;
  if (auto* n = v->if_int64()) return *n;
  if (auto* u = v->if_uint64()) return int64_t(*u);
  if (auto* d = v->if_double()) return int64_t(*d);
  return 0;
}
inline int64_t number(const Value* v, Path path) {
  return number(find(v, path));
}

// Numbers with a fraction; whole ones are written without.
inline double real(const Value* v) {
  if (!v) return 0;
  if (auto* d = v->if_double()) return *d;
  return double(number(v));
}
inline double real(const Value* v, Path path) {
  return real(find(v, path));
}

inline bool flag(const Value* v, Path path) {
  v = find(v, path);
  return v && v->is_bool() && v->get_bool();
}

// The array at a path, or an empty one.
inline const boost::json::array& list(const Value* v, Path path) {
  static const boost::json::array none;
  v = find(v, path);
  return v && v->is_array() ? v->get_array() : none;
}

inline std::string_view view(const Value* v, Path path) {
  v = find(v, path);
  if (!v || !v->is_string()) return {};
  return std::string_view(v->get_string().data(), v->get_string().size());
}

// What the API answered, as a tree.
inline Result<Value> parsed(const Result<std::string>& answer) {
  if (!answer.ok()) return answer.status();
  boost::system::error_code failed;
  Value tree = boost::json::parse(*answer, failed);
  if (failed) return Status::badRequest("the answer is not JSON: " + failed.message());
  return tree;
}

}  // namespace ph::models::json
