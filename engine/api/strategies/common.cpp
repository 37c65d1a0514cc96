#include "engine/api/strategies/common.h"

#include <algorithm>

#include "engine/api/selector.h"

namespace ph::api::strategies {

std::string_view str(const Json& v, std::string_view path) {
  auto* x = at(v, path);
  auto* s = x ? x->if_string() : nullptr;
  return s ? view(*s) : std::string_view();
}

int64_t num(const Json& v, std::string_view path, int64_t otherwise) {
  auto* x = at(v, path);
  return x && x->is_int64() ? x->get_int64() : otherwise;
}

bool flag(const Json& v, std::string_view path) {
  auto* x = at(v, path);
  return x && x->is_bool() && x->get_bool();
}

const JsonArray& list(const Json& v, std::string_view path) {
  static const JsonArray none;
  auto* x = at(v, path);
  return x && x->is_array() ? x->get_array() : none;
}

const JsonObject& object(const Json& v, std::string_view path) {
  static const JsonObject none;
  auto* x = at(v, path);
  return x && x->is_object() ? x->get_object() : none;
}

bool has(const Json& v, std::string_view path) {
  auto* x = at(v, path);
  return x && !x->is_null();
}

WallTime time(const Json& v, std::string_view path) {
  return parseTime(str(v, path)).value_or(WallTime{});
}

JsonObject& ensureObject(JsonObject& parent, std::string_view key) {
  auto& v = parent[boosted(key)];
  return v.is_object() ? v.get_object() : v.emplace_object();
}

JsonObject& ensureObject(Json& parent, std::string_view key) {
  return ensureObject(parent.is_object() ? parent.get_object() : parent.emplace_object(), key);
}

Json* member(Json& parent, std::string_view key) {
  auto* o = parent.if_object();
  return o ? o->if_contains(boosted(key)) : nullptr;
}

void setDefault(JsonObject& o, std::string_view key, Json value) {
  o.emplace(boosted(key), std::move(value));  // leaves what is there
}

std::string indexed(const std::string& path, size_t i) { return path + "[" + std::to_string(i) + "]"; }

std::string labelsText(const JsonObject& labels) {
  std::vector<std::string> parts;
  for (auto& kv : labels)
    if (auto* s = kv.value().if_string()) parts.push_back(text(view(kv.key())) + "=" + text(view(*s)));
  if (parts.empty()) return "<none>";
  std::sort(parts.begin(), parts.end());
  std::string out;
  for (auto& p : parts) out += (out.empty() ? "" : ",") + p;
  return out;
}

std::string selectorText(const Json& object, std::string_view path) {
  auto selector = LabelSelector::fromJson(at(object, path));
  if (!selector.ok()) return "<error>";
  auto out = selector->text();
  return out.empty() ? "<none>" : out;
}

void containerCells(const Json& object, std::string_view podSpecPath, std::vector<Json>& out) {
  std::string names, images;
  for (auto& c : list(object, text(podSpecPath) + ".containers")) {
    names.append(names.empty() ? "" : ",").append(str(c, "name"));
    images.append(images.empty() ? "" : ",").append(str(c, "image"));
  }
  out.emplace_back(names);
  out.emplace_back(images);
}

Json orNone(std::string_view s) { return s.empty() ? Json("<none>") : Json(boosted(s)); }

void checkPort(int64_t port, const std::string& path, ErrorList& errors) {
  if (port < 1 || port > 65535) errors.invalidRaw(path, std::to_string(port), "must be between 1 and 65535, inclusive");
}

void checkPortValue(const Json* value, const std::string& path, ErrorList& errors) {
  if (!value) return;
  if (value->is_int64()) {
    checkPort(value->get_int64(), path, errors);
  } else if (value->is_string()) {
    auto name = text(view(value->get_string()));
    if (auto why = checkPortName(name); !why.empty()) errors.invalid(path, name, why);
  }
}

void checkLabelSelector(const Json& selector, const std::string& path, ErrorList& errors) {
  validateLabels(object(selector, "matchLabels"), path + ".matchLabels", errors);
  auto& expressions = list(selector, "matchExpressions");
  for (size_t i = 0; i < expressions.size(); ++i) {
    auto& e = expressions[i];
    auto at = indexed(path + ".matchExpressions", i);
    auto op = str(e, "operator");
    bool values = !list(e, "values").empty();
    if ((op == "In" || op == "NotIn") && !values) errors.required(at + ".values", "must be specified when `operator` is 'In' or 'NotIn'");
    if ((op == "Exists" || op == "DoesNotExist") && values)
      errors.forbidden(at + ".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    auto key = text(str(e, "key"));
    if (key.empty()) continue;  // the schema has said so
    if (auto why = checkQualifiedName(key); !why.empty()) errors.invalid(at + ".key", key, why);
  }
}

void checkTaints(const JsonArray& taints, const std::string& path, ErrorList& errors) {
  std::vector<std::string> seen;
  for (size_t i = 0; i < taints.size(); ++i) {
    auto at = indexed(path, i);
    auto key = text(str(taints[i], "key")), value = text(str(taints[i], "value"));
    if (!key.empty())
      if (auto why = checkQualifiedName(key); !why.empty()) errors.invalid(at + ".key", key, why);
    if (auto why = checkLabelValue(value); !why.empty()) errors.invalid(at + ".value", value, why);
    auto pair = key + ":" + text(str(taints[i], "effect"));
    if (std::find(seen.begin(), seen.end(), pair) != seen.end()) errors.duplicate(at, pair + " (taints must be unique by key and effect pair)");
    seen.push_back(pair);
  }
}

void immutable(const Json& now, const Json& old, std::string_view path, ErrorList& errors) {
  auto *a = at(now, path), *b = at(old, path);
  if (a ? b && *a == *b : !b) return;
  errors.invalidRaw(text(path), a ? toText(*a) : "null", "field is immutable");
}

IntOrString amount(const Json& d, std::string_view path) {
  auto* v = at(d, path);
  if (v && v->is_string()) return IntOrString(text(view(v->get_string())));
  return IntOrString(num(d, path));
}

void checkAmount(const Json& d, std::string_view path, bool atMostAll, ErrorList& errors) {
  if (!has(d, path)) return;
  auto v = amount(d, path);
  if (!v.isString) {
    if (v.i < 0) errors.invalidRaw(text(path), std::to_string(v.i), "must be greater than or equal to 0");
    return;
  }
  auto digits = std::string_view(v.s).substr(0, v.s.empty() ? 0 : v.s.size() - 1);
  bool fine = v.s.size() >= 2 && v.s.back() == '%' && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!fine)
    errors.invalid(text(path), v.s, "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
  else if (auto n = v.resolve(100, true); atMostAll && (!n || *n > 100)) errors.invalid(text(path), v.s, "must not be greater than 100%");
}

void defaultTemplate(Json& workload) {
  if (auto* spec = member(workload, "spec"))
    if (auto* tmpl = member(*spec, "template"))
      if (auto* podSpec = member(*tmpl, "spec")) defaultPodSpec(*podSpec);
}

std::string firstFew(const std::vector<std::string>& all, size_t shown, const char* more) {
  std::string out;
  for (size_t i = 0; i < all.size() && i < shown; ++i) out += (i ? "," : "") + all[i];
  if (all.size() > shown) out += " + " + std::to_string(all.size() - shown) + more;
  return out;
}

Json orUnset(const Json* value) {
  if (!value || value->is_null()) return "<unset>";
  return value->is_string() ? *value : Json(toText(*value));
}

void notNegative(const Json& object, std::string_view path, ErrorList& errors) {
  if (auto n = num(object, path); n < 0) errors.invalidRaw(text(path), std::to_string(n), "must be greater than or equal to 0");
}

}  // namespace ph::api::strategies
