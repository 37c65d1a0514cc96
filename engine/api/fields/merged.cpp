// appliedFields(), mergeApplied(), dropAbandoned().
#include <algorithm>
#include <unordered_map>

#include "engine/api/fields/ownership.h"
#include "engine/api/fields/shape.h"

namespace ph::api {
namespace {

using namespace fields;

// ---- the fields of a configuration --------------------------------------------------------------------------------

class Reader {
 public:
  explicit Reader(std::vector<std::string>& errors) : errors_(errors) {}

  // True: the value is a member itself.
  bool value(const Json& v, const Shape& shape, const std::string& path, FieldSet& out) {
    switch (shape.grain(v)) {
      case Grain::Whole: return true;
      case Grain::Members: members(v.get_object(), shape, path, out); return false;
      case Grain::Elements: elements(v.get_array(), shape, path, out); return false;
    }
    return true;
  }

  void members(const JsonObject& object, const Shape& shape, const std::string& path, FieldSet& out) {
    bool closed = shape.type && shape.type->form == Form::Object && !shape.type->preserveUnknown;
    for (auto& kv : object) {
      auto name = view(kv.key());
      auto place = path + "." + std::string(name);
      bool declared = shape.declares(name);
      if (closed && !declared) {
        errors_.push_back(place + ": field not declared in schema");
        continue;
      }
      FieldSet below;
      bool leaf = value(kv.value(), shape.member(name), place, below);
      bool blank = kv.value().is_null() || (kv.value().is_object() && kv.value().get_object().empty());
      bool member = leaf || blank || !declared;
      if (member || !below.empty()) out.append(fieldStep(name), member, std::move(below));
    }
    out.sort();
  }

 private:
  void elements(const JsonArray& list, const Shape& shape, const std::string& path, FieldSet& out) {
    for (size_t i = 0; i < list.size(); ++i) {
      std::string why;
      auto step = shape.stepOf(list[i], &why);
      if (!step) {
        errors_.push_back(path + ": element " + std::to_string(i) + ": " + why);
        return;
      }
      if (!seen(list, i, shape, *step)) {
        FieldSet below;
        value(list[i], shape.element(), path + stepText(*step), below);
        out.append(std::move(*step), true, std::move(below));
      } else {
        errors_.push_back(path + ": duplicate entries for key " + stepText(*step));
      }
    }
    out.sort();
  }

  // Lists that people write by hand are short.
  bool seen(const JsonArray& list, size_t end, const Shape& shape, const std::string& step) {
    if (end > 32) return seenLong(list, end, shape, step);
    for (size_t i = 0; i < end; ++i)
      if (shape.stepOf(list[i]) == step) return true;
    return false;
  }
  bool seenLong(const JsonArray& list, size_t end, const Shape& shape, const std::string& step) {
    if (longList_ != &list) {
      longList_ = &list;
      first_.clear();
      if (auto steps = stepsOf(shape, list))
        for (size_t i = 0; i < steps->size(); ++i) first_.emplace(std::move((*steps)[i]), i);
    }
    auto it = first_.find(step);
    return it != first_.end() && it->second < end;
  }

  std::vector<std::string>& errors_;
  const JsonArray* longList_ = nullptr;
  std::unordered_map<std::string, size_t> first_;
};

// ---- merging ------------------------------------------------------------------------------------------------------

Json mergeValue(const Json& live, const Json& config, const Shape& shape);

Json mergeMembers(const JsonObject& live, const JsonObject& config, const Shape& shape) {
  JsonObject out;
  out.reserve(live.size() + config.size());
  for (auto& kv : live) {
    auto* wanted = config.if_contains(kv.key());
    out.emplace(kv.key(), wanted ? mergeValue(kv.value(), *wanted, shape.member(view(kv.key()))) : kv.value());
  }
  for (auto& kv : config)
    if (!live.contains(kv.key())) out.emplace(kv.key(), kv.value());
  return out;
}

// The configuration's elements in its order; before each come the live ones that stand before the next shared element.
JsonArray mergeElements(const JsonArray& live, const JsonArray& config, const Shape& shape) {
  auto liveSteps = stepsOf(shape, live), steps = stepsOf(shape, config);
  if (!liveSteps || !steps) return config;
  std::unordered_map<std::string_view, size_t> liveAt, configAt;
  for (size_t i = live.size(); i-- > 0;) liveAt[(*liveSteps)[i]] = i;
  for (size_t i = 0; i < config.size(); ++i) configAt.emplace((*steps)[i], i);
  // Where in `live` the next shared element of the configuration stands, from each place on.
  std::vector<size_t> nextShared(config.size() + 1, live.size());
  for (size_t i = config.size(); i-- > 0;) {
    auto it = liveAt.find((*steps)[i]);
    nextShared[i] = it != liveAt.end() ? it->second : nextShared[i + 1];
  }
  JsonArray out;
  size_t cursor = 0;
  auto takeLive = [&](size_t end) {
    for (; cursor < end; ++cursor)
      if (!configAt.contains((*liveSteps)[cursor])) out.push_back(live[cursor]);
  };
  for (size_t i = 0; i < config.size(); ++i) {
    takeLive(nextShared[i]);
    auto it = liveAt.find((*steps)[i]);
    out.push_back(it == liveAt.end() ? config[i] : mergeValue(live[it->second], config[i], shape.element()));
  }
  takeLive(live.size());
  return out;
}

Json mergeValue(const Json& live, const Json& config, const Shape& shape) {
  auto grain = shape.grain(config);
  if (grain == Grain::Whole || shape.grain(live) != grain) return config;
  if (grain == Grain::Members) return mergeMembers(live.get_object(), config.get_object(), shape);
  return mergeElements(live.get_array(), config.get_array(), shape);
}

// ---- what nobody wants any more -----------------------------------------------------------------------------------

// A declared field counts as owned when anything in it is.
bool within(const FieldSet::Node* node, bool declared) { return node && (node->member || (declared && !node->below.empty())); }

const FieldSet& belowOf(const FieldSet::Node* node) {
  static const FieldSet none;
  return node ? node->below : none;
}

void dropIn(Json& value, const FieldSet& last, const FieldSet& owned, const Shape& shape);

void dropMembers(JsonObject& object, const FieldSet& last, const FieldSet& owned, const Shape& shape) {
  for (auto& was : last.nodes()) {
    if (!was.step.starts_with("f:")) continue;
    auto name = std::string_view(was.step).substr(2);
    auto at = object.find(boosted(name));
    if (at == object.end()) continue;
    bool declared = shape.declares(name);
    auto* now = owned.find(was.step);
    if (within(&was, declared) && !within(now, declared)) {
      object.stable_erase(at);
      continue;
    }
    auto& inner = at->value();
    bool held = inner.is_object() ? !inner.get_object().empty() : inner.is_array() && !inner.get_array().empty();
    dropIn(inner, was.below, belowOf(now), shape.member(name));
    bool holds = inner.is_object() ? !inner.get_object().empty() : !inner.is_array() || !inner.get_array().empty();
    if (held && !holds && !(now && now->member)) object.stable_erase(object.find(boosted(name)));
  }
}

void dropElements(JsonArray& list, const FieldSet& last, const FieldSet& owned, const Shape& shape) {
  JsonArray kept;
  kept.reserve(list.size());
  for (auto& element : list) {
    auto step = shape.stepOf(element);
    auto* was = step ? last.find(*step) : nullptr;
    auto* now = was ? owned.find(*step) : nullptr;
    if (was && was->member && !(now && now->member)) continue;
    if (was) dropIn(element, was->below, belowOf(now), shape.element());
    kept.push_back(std::move(element));
  }
  list = std::move(kept);
}

void dropIn(Json& value, const FieldSet& last, const FieldSet& owned, const Shape& shape) {
  if (last.empty()) return;
  switch (shape.grain(value)) {
    case Grain::Whole: return;
    case Grain::Members: return dropMembers(value.get_object(), last, owned, shape);
    case Grain::Elements: return dropElements(value.get_array(), last, owned, shape);
  }
}

}  // namespace

Result<FieldSet> appliedFields(const Json& config, const Type& type) {
  FieldSet out;
  std::vector<std::string> errors;
  if (!config.is_object()) return Status::badRequest("an applied configuration must be an object");
  Reader(errors).members(config.get_object(), Shape{&type, nullptr}, "", out);
  if (errors.empty()) return out;
  if (errors.size() == 1) return Status::badRequest(errors[0]);
  std::string all = "errors:";
  for (size_t i = 0; i < errors.size() && i < 100; ++i) all += "\n  " + errors[i];
  return Status::badRequest(all);
}

Json mergeApplied(const Json& live, const Json& config, const Type& type) {
  return mergeValue(live, config, Shape{&type, nullptr});
}

void dropAbandoned(Json& merged, const FieldSet& last, const FieldSet& owned, const Type& type) {
  dropIn(merged, last, owned, Shape{&type, nullptr});
}

}  // namespace ph::api
