// Strategic merge. Source: Kubernetes' community notes, "Strategic Merge Patch", and its behaviour.
#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/patch.h"

namespace ph::api {
namespace {

using KeyView = boost::json::string_view;
constexpr std::string_view kOrder = "$setElementOrder/";
constexpr std::string_view kDeletePrimitive = "$deleteFromPrimitiveList/";

std::string_view view(KeyView s) { return {s.data(), s.size()}; }
KeyView boosted(std::string_view s) { return {s.data(), s.size()}; }

Status bad(std::string message) { return Status::badRequest("invalid strategic merge patch: " + std::move(message)); }

// How a value of the schema merges; all null where the schema knows nothing.
struct Shape {
  const Type* type = nullptr;
  const Field* field = nullptr;

  Shape member(std::string_view name) const {
    if (!type) return {};
    if (type->form == Form::Map) return {type->item, nullptr};
    if (type->form != Form::Object) return {};
    auto* f = type->field(name);
    return f ? Shape{f->type, f} : Shape{};
  }
  Shape element() const { return type && type->form == Form::List ? Shape{type->item, nullptr} : Shape{}; }
  std::string_view mergeKey() const { return field ? field->mergeKey : std::string_view(); }
  bool mergesScalars() const { return field && field->mergeKey.empty() && field->listKind == ListKind::Set; }
};

std::string_view directive(const JsonObject& o) {
  auto* v = o.if_contains("$patch");
  return v && v->is_string() ? view(v->get_string()) : std::string_view();
}

const Json* keyOf(const Json& element, std::string_view mergeKey) {
  auto* o = element.if_object();
  return o ? o->if_contains(boosted(mergeKey)) : nullptr;
}

// Where an equal element stands (equal merge keys, or equal scalars); size() when nowhere.
size_t find(const JsonArray& in, const Json& element, std::string_view mergeKey) {
  for (size_t i = 0; i < in.size(); ++i) {
    if (mergeKey.empty()) {
      if (in[i] == element) return i;
      continue;
    }
    auto *a = keyOf(in[i], mergeKey), *b = keyOf(element, mergeKey);
    if (a && b && *a == *b) return i;
  }
  return in.size();
}

// Elements named by `order` come in that order; the others keep their places relative to `live` as far as that goes.
JsonArray ordered(JsonArray merged, const JsonArray& order, const JsonArray& live, std::string_view mergeKey) {
  struct Item {
    Json value;
    size_t wanted, was;
  };
  std::vector<Item> named, others;
  for (auto& v : merged) {
    size_t wanted = find(order, v, mergeKey), was = find(live, v, mergeKey);
    (wanted < order.size() ? named : others).push_back({std::move(v), wanted, was});
  }
  std::stable_sort(named.begin(), named.end(), [](auto& a, auto& b) { return a.wanted < b.wanted; });
  std::stable_sort(others.begin(), others.end(), [](auto& a, auto& b) { return a.was < b.was; });
  JsonArray out;
  size_t i = 0, j = 0;
  while (i < others.size() || j < named.size()) {
    bool takeOther = j >= named.size() ||
                     (i < others.size() && others[i].was < live.size() && named[j].was < live.size() && others[i].was < named[j].was);
    out.push_back(std::move(takeOther ? others[i++].value : named[j++].value));
  }
  return out;
}

class Merger {
 public:
  Result<> object(JsonObject& target, const JsonObject& patch, const Shape& shape) {
    if (auto* v = patch.if_contains("$patch")) {
      auto what = directive(patch);
      if (what == "replace") {
        target = patch;
        target.erase("$patch");
        return {};
      }
      if (what == "delete") {
        target.clear();
        return {};
      }
      if (what != "merge") return bad("$patch must be replace, delete or merge, not " + toText(*v));
    }
    PH_TRY(retainKeys(target, patch));
    PH_TRY(deletePrimitives(target, patch));
    for (auto& kv : patch)
      if (!kv.key().starts_with('$')) PH_TRY(member(target, patch, kv.key(), kv.value(), shape));
    return orderOnly(target, patch, shape);
  }

 private:
  Result<> member(JsonObject& target, const JsonObject& patch, KeyView key, const Json& value, const Shape& shape) {
    if (value.is_null()) {
      if (auto it = target.find(key); it != target.end()) target.stable_erase(it);
      return {};
    }
    Shape inner = shape.member(view(key));
    Json* old = target.if_contains(key);
    if (value.is_object()) {
      if (directive(value.get_object()) == "delete") {
        if (old) target.stable_erase(target.find(key));
        return {};
      }
      Json merged = old && old->is_object() ? std::move(*old) : Json(JsonObject());
      PH_TRY(object(merged.get_object(), value.get_object(), inner));
      target.insert_or_assign(key, std::move(merged));
    } else if (value.is_array()) {
      const Json* order = patch.if_contains(std::string(kOrder) + std::string(view(key)));
      JsonArray none;
      PH_ASSIGN(JsonArray merged, list(old && old->is_array() ? old->get_array() : none, value.get_array(),
                                       order ? order->if_array() : nullptr, inner));
      target.insert_or_assign(key, std::move(merged));
    } else {
      target.insert_or_assign(key, value);
    }
    return {};
  }

  Result<JsonArray> list(const JsonArray& live, const JsonArray& patch, const JsonArray* order, const Shape& shape) {
    auto mergeKey = shape.mergeKey();
    if (mergeKey.empty() && !shape.mergesScalars()) {
      JsonArray out;
      for (auto& v : patch) PH_TRY(appendClean(out, v, shape.element()));
      return out;
    }
    JsonArray merged = live;
    if (mergeKey.empty()) {
      for (auto& v : patch)
        if (find(merged, v, {}) == merged.size()) merged.push_back(v);
      return ordered(std::move(merged), order ? *order : patch, live, {});
    }
    for (auto& v : patch)
      if (v.is_object() && directive(v.get_object()) == "replace") {
        merged.clear();
        break;
      }
    for (auto& v : patch) PH_TRY(element(merged, v, mergeKey, shape));
    return ordered(std::move(merged), order ? *order : patch, live, mergeKey);
  }

  Result<> element(JsonArray& merged, const Json& v, std::string_view mergeKey, const Shape& shape) {
    auto* o = v.if_object();
    if (!o) return bad("a list with the merge key " + std::string(mergeKey) + " holds something that is no object");
    auto what = directive(*o);
    bool hasKey = keyOf(v, mergeKey);
    if (what == "replace" && !hasKey) return {};
    if (!hasKey) return bad("map: " + toText(v) + " does not contain declared merge key: " + std::string(mergeKey));
    size_t i = find(merged, v, mergeKey);
    if (what == "delete") {
      while (i < merged.size()) {
        merged.erase(merged.begin() + i);
        i = find(merged, v, mergeKey);
      }
      return {};
    }
    if (i == merged.size()) return appendClean(merged, v, shape.element());
    if (!merged[i].is_object()) merged[i] = JsonObject();
    return object(merged[i].get_object(), *o, shape.element());
  }

  // A value that meets nothing on the other side: without nulls and directives.
  Result<> appendClean(JsonArray& out, const Json& v, const Shape& shape) {
    if (!v.is_object()) {
      out.push_back(v);
      return {};
    }
    if (directive(v.get_object()) == "delete") return {};
    JsonObject made;
    PH_TRY(object(made, v.get_object(), shape));
    out.push_back(std::move(made));
    return {};
  }

  static Result<> retainKeys(JsonObject& target, const JsonObject& patch) {
    auto* keep = patch.if_contains("$retainKeys");
    if (!keep) return {};
    if (!keep->is_array()) return bad("$retainKeys must be a list");
    auto& names = keep->get_array();
    auto named = [&](KeyView key) { return std::find(names.begin(), names.end(), Json(key)) != names.end(); };
    for (auto& kv : patch)
      if (!kv.key().starts_with('$') && !kv.value().is_null() && !named(kv.key()))
        return bad("$retainKeys doesn't name " + std::string(view(kv.key())) + ", which the patch sets");
    std::vector<std::string> drop;
    for (auto& kv : target)
      if (!named(kv.key())) drop.emplace_back(view(kv.key()));
    for (auto& key : drop) target.stable_erase(target.find(key));
    return {};
  }

  static Result<> deletePrimitives(JsonObject& target, const JsonObject& patch) {
    for (auto& kv : patch) {
      if (!view(kv.key()).starts_with(kDeletePrimitive)) continue;
      if (!kv.value().is_array()) return bad(std::string(view(kv.key())) + " must be a list");
      auto* old = target.if_contains(kv.key().substr(kDeletePrimitive.size()));
      if (!old || !old->is_array()) continue;
      JsonArray left;
      for (auto& v : old->get_array())
        if (find(kv.value().get_array(), v, {}) == kv.value().get_array().size()) left.push_back(v);
      *old = std::move(left);
    }
    return {};
  }

  // Orders of lists that the patch doesn't change otherwise.
  static Result<> orderOnly(JsonObject& target, const JsonObject& patch, const Shape& shape) {
    for (auto& kv : patch) {
      if (!view(kv.key()).starts_with(kOrder)) continue;
      if (!kv.value().is_array()) return bad(std::string(view(kv.key())) + " must be a list");
      auto name = kv.key().substr(kOrder.size());
      if (patch.contains(name)) continue;
      auto* old = target.if_contains(name);
      Shape inner = shape.member(view(name));
      if (!old || !old->is_array() || (inner.mergeKey().empty() && !inner.mergesScalars())) continue;
      JsonArray live = old->get_array();
      *old = ordered(live, kv.value().get_array(), live, inner.mergeKey());
    }
    return {};
  }
};

}  // namespace

Result<> applyStrategicPatch(Json& target, const Json& patch, const Type& type) {
  if (!patch.is_object()) return bad("it must be an object");
  if (!target.is_object()) target.emplace_object();
  // On a copy, so that a refused patch changes nothing.
  JsonObject merged = target.get_object();
  PH_TRY(Merger().object(merged, patch.get_object(), Shape{&type, nullptr}));
  target = std::move(merged);
  return {};
}

}  // namespace ph::api
