#include "engine/api/custom/cells.h"

#include <cmath>

#include "engine/api/codec.h"
#include "engine/api/human.h"

namespace ph::api::custom {
namespace {

std::string_view view(boost::json::string_view s) { return {s.data(), s.size()}; }

Json texts(const std::vector<const Json*>& found) {
  std::string out;
  for (auto* v : found) {
    if (v != found.front()) out += ' ';
    if (auto* s = v->if_string()) out += view(*s);
    else if (!v->is_null()) out += toText(*v);
  }
  return Json(out);
}

Json date(const Json& v, WallTime now) {
  if (!v.is_string()) return nullptr;
  auto t = parseTime(view(v.get_string()));
  return t ? Json(humanAge(*t, now)) : Json("<invalid>");
}

}  // namespace

Json cellOf(const Column& column, const Json& object, WallTime now) {
  auto found = column.path.find(object);
  if (found.empty() || (found.size() == 1 && found.front()->is_null())) return nullptr;
  if (column.type == "string") return texts(found);
  const Json& v = *found.front();
  if (column.type == "integer") {
    if (v.is_int64() || v.is_uint64()) return v;
    if (v.is_double() && std::fabs(v.get_double()) < 9e18) return Json(int64_t(v.get_double()));
    return nullptr;
  }
  if (column.type == "number") return v.is_number() ? v : Json(nullptr);
  if (column.type == "boolean") return v.is_bool() ? v : Json(nullptr);
  if (column.type == "date") return date(v, now);
  return nullptr;
}

}  // namespace ph::api::custom
