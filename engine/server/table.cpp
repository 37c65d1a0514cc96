#include "engine/server/table.h"

#include <charconv>

#include "engine/api/codec.h"
#include "engine/api/custom/kind.h"
#include "engine/server/json_util.h"

namespace ph::server {

using api::Json;
using api::JsonArray;
using api::JsonObject;

void appendTableHead(std::string& out, const api::ResourceInfo& info, const Media& media, const std::string& revision,
                     const std::string& continueToken, std::optional<int64_t> remaining, bool columns) {
  out += "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/";
  out += media.metaVersion;
  out += "\",\"metadata\":{\"resourceVersion\":\"" + revision + "\"";
  if (!continueToken.empty()) out += ",\"continue\":\"" + continueToken + "\"";
  if (remaining) out += ",\"remainingItemCount\":" + std::to_string(*remaining);
  out += "},\"columnDefinitions\":[";
  bool first = true;
  for (auto& c : info.columns) {
    if (!columns) break;
    if (!first) out += ',';
    first = false;
    api::appendText(JsonObject{{"name", c.name},
                               {"type", c.type.empty() ? "string" : c.type},
                               {"format", c.format},
                               {"description", c.description},
                               {"priority", c.priority}},
                    out);
  }
  out += "],\"rows\":[";
}

void appendPartial(std::string& out, const api::Object& object, const Media& media, bool withKind) {
  Json tree = object.tree();
  out += "{";
  if (withKind) {
    out += "\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/";
    out += media.metaVersion;
    out += "\",";
  }
  out += "\"metadata\":";
  auto* metadata = member(&tree, "metadata");
  api::appendText(metadata ? *metadata : Json(JsonObject{}), out);
  out += '}';
}

namespace {

// One step of a path: a key, an index, or a filter on a member's text.
const Json* step(const Json* at, std::string_view& path) {
  if (path.front() == '.') {
    path.remove_prefix(1);
    std::string key;
    while (!path.empty() && path.front() != '.' && path.front() != '[') {
      if (path.front() == '\\' && path.size() > 1) path.remove_prefix(1);  // "\." is a dot in the key
      key += path.front();
      path.remove_prefix(1);
    }
    return key.empty() ? at : member(at, key);
  }
  size_t close = path.find(']');
  if (path.front() != '[' || close == std::string_view::npos) {
    path = {};
    return nullptr;
  }
  std::string_view inner = path.substr(1, close - 1);
  path.remove_prefix(close + 1);
  auto* list = at->if_array();
  if (inner.starts_with("?(@.") && inner.ends_with(')') && list) {
    inner = inner.substr(4, inner.size() - 5);
    size_t eq = inner.find("==");
    if (eq == std::string_view::npos) return nullptr;
    auto key = inner.substr(0, eq);
    auto wanted = inner.substr(eq + 2);
    while (!wanted.empty() && (wanted.front() == '"' || wanted.front() == '\'' || wanted.front() == ' '))
      wanted.remove_prefix(1);
    while (!wanted.empty() && (wanted.back() == '"' || wanted.back() == '\'')) wanted.remove_suffix(1);
    while (!key.empty() && key.back() == ' ') key.remove_suffix(1);
    for (auto& item : *list)
      if (textAt(item.if_object(), key) == wanted) return &item;
    return nullptr;
  }
  if (inner.size() >= 2 && (inner.front() == '\'' || inner.front() == '"'))
    return member(at, inner.substr(1, inner.size() - 2));
  size_t index = 0;
  auto [end, error] = std::from_chars(inner.data(), inner.data() + inner.size(), index);
  if (error != std::errc() || end != inner.data() + inner.size() || !list || index >= list->size()) return nullptr;
  return &(*list)[index];
}

Json cellOf(const api::TableColumn& column, const Json& tree, WallTime now) {
  Json value = valueAt(tree, column.jsonPath);
  if (column.type == "date" && value.is_string()) {
    auto time = parseTime(view(value.get_string()));
    return time ? Json(humanAge(now - *time)) : Json("<unknown>");
  }
  if (value.is_object() || value.is_array()) return Json(api::toText(value));
  if (column.type == "string" && (value.is_int64() || value.is_bool())) return Json(api::toText(value));
  return value;
}

}  // namespace

Json valueAt(const Json& tree, std::string_view path) {
  const Json* at = &tree;
  while (at && !path.empty()) at = step(at, path);
  return at ? *at : Json(nullptr);
}

std::string humanAge(Duration age) {
  // The steps of Kubernetes' duration.HumanDuration: two units only while the first is small.
  int64_t s = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  if (s < 120) return std::to_string(s) + "s";
  auto two = [](int64_t big, const char* bigUnit, int64_t small, const char* smallUnit) {
    std::string out = std::to_string(big) + bigUnit;
    if (small) out += std::to_string(small) + smallUnit;
    return out;
  };
  int64_t minutes = s / 60, hours = s / 3600, days = hours / 24;
  if (minutes < 10) return two(minutes, "m", s % 60, "s");
  if (minutes < 180) return std::to_string(minutes) + "m";
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return std::to_string(hours) + "h";
  if (hours < 192) return two(days, "d", hours % 24, "h");
  if (days < 365 * 2) return std::to_string(days) + "d";
  if (days < 365 * 8) return two(days / 365, "y", days % 365, "d");
  return std::to_string(days / 365) + "y";
}

void appendTableRow(std::string& out, const api::Object& object, const Media& media, WallTime now) {
  auto& info = object.info();
  Json tree = object.tree();
  std::vector<Json> computed;
  if (info.custom) {
    info.custom->cells(tree, now, computed);
  } else if (info.strategy && info.strategy->cells) {
    // Strategies know the stored version.
    bool other = !info.storedVersion && info.conversion && info.conversion->toStored;
    Json stored = other ? tree : Json(nullptr);
    if (other) info.conversion->toStored(stored);
    info.strategy->cells(other ? stored : tree, now, computed);
  }
  out += "{\"cells\":[";
  size_t next = 0;
  bool first = true;
  for (auto& column : info.columns) {
    if (!first) out += ',';
    first = false;
    if (!column.jsonPath.empty() && !info.custom)
      api::appendText(cellOf(column, tree, now), out);
    else if (next < computed.size())
      api::appendText(computed[next++], out);
    else
      out += "null";
  }
  out += ']';
  if (media.include == Media::Include::Object) {
    out += ",\"object\":";
    object.appendJson(out);
  } else if (media.include == Media::Include::Metadata) {
    out += ",\"object\":{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/";
    out += media.metaVersion;
    out += "\",\"metadata\":";
    auto* metadata = member(&tree, "metadata");
    api::appendText(metadata ? *metadata : Json(JsonObject{}), out);
    out += '}';
  }
  out += '}';
}

}  // namespace ph::server
