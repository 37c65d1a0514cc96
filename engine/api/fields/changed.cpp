// changedFields(): one walk over two trees.
#include <unordered_map>

#include "engine/api/fields/ownership.h"
#include "engine/api/fields/shape.h"

namespace ph::api {
namespace {

using namespace fields;

const Json kEmpty = JsonObject();
const Json kNull = nullptr;

// What one place contributes to the two sets.
struct Found {
  bool isSet = false, isRemoved = false;
  FieldChanges below;
};

void add(FieldChanges& out, std::string step, Found found) {
  bool set = found.isSet || !found.below.set.empty();
  bool removed = found.isRemoved || !found.below.removed.empty();
  if (removed) out.removed.append(set ? step : std::move(step), found.isRemoved, std::move(found.below.removed));
  if (set) out.set.append(std::move(step), found.isSet, std::move(found.below.set));
}

class Walk {
 public:
  // One of the two may be null: absent.
  Found place(const Json* old, const Json* next, const Shape& shape) {
    auto a = old ? shape.grain(*old) : Grain::Whole;
    auto b = next ? shape.grain(*next) : Grain::Whole;
    // Nothing, null and the empty have no form of their own: they take the other side's.
    if (!old || old->is_null()) a = b;
    if (!next || next->is_null()) b = a;
    if (a != b) {
      Found gone = place(old, nullptr, shape), come = place(nullptr, next, shape);
      come.isRemoved = false;
      come.below.removed = std::move(gone.below.removed);
      return come;
    }
    if (a == Grain::Whole || (blank(old) && blank(next))) return leaf(old, next);
    Found found;
    if (a == Grain::Members)
      members(objectOf(old), objectOf(next), shape, found.below);
    else if (!elements(listOf(old), listOf(next), shape, found.below))
      return leaf(old, next);
    found.isSet = !old;
    found.isRemoved = !next;
    return found;
  }

  void members(const JsonObject* old, const JsonObject* next, const Shape& shape, FieldChanges& out) {
    bool builtin = shape.type && shape.type->ops && shape.type->form == Form::Object;
    if (next && (!old || old->empty())) out.set.reserve(next->size());
    if (next)
      for (auto& kv : *next) {
        auto* was = old ? old->if_contains(kv.key()) : nullptr;
        if (was && *was == kv.value()) continue;  // most of what an update leaves alone: no need to walk it
        auto name = view(kv.key());
        auto inner = shape.member(name);
        if (!was && builtin) was = alwaysThere(inner);
        add(out, fieldStep(name), place(was, &kv.value(), inner));
      }
    if (old)
      for (auto& kv : *old) {
        if (next && next->contains(kv.key())) continue;
        auto name = view(kv.key());
        auto inner = shape.member(name);
        add(out, fieldStep(name), place(&kv.value(), builtin ? alwaysThere(inner) : nullptr, inner));
      }
    out.set.sort();
    out.removed.sort();
  }

 private:
  static const JsonObject* objectOf(const Json* v) { return v ? v->if_object() : nullptr; }
  static const JsonArray* listOf(const Json* v) { return v ? v->if_array() : nullptr; }
  static bool blank(const Json* v) {
    if (!v || v->is_null()) return true;
    if (auto* o = v->if_object()) return o->empty();
    auto* a = v->if_array();
    return a && a->empty();
  }

  // Plain structs, and lists that are written when empty, are there in Kubernetes' encoding even when absent here.
  static const Json* alwaysThere(const Shape& shape) {
    if (!shape.field || !shape.type) return nullptr;
    if (shape.type->form == Form::Object) return shape.field->pointer ? nullptr : &kEmpty;
    bool container = shape.type->form == Form::List || shape.type->form == Form::Map;
    return container && !shape.field->omitEmpty ? &kNull : nullptr;
  }

  static Found leaf(const Json* old, const Json* next) {
    Found found;
    if (!old)
      found.isSet = true;
    else if (!next)
      found.isRemoved = true;
    else if (*old != *next)
      found.isSet = !(blank(old) && blank(next));
    return found;
  }

  // False: some element has no key, so the list can only be compared as a whole.
  bool elements(const JsonArray* old, const JsonArray* next, const Shape& shape, FieldChanges& out) {
    static const JsonArray none;
    if (!old) old = &none;
    if (!next) next = &none;
    if (*old == *next) return true;
    auto before = stepsOf(shape, *old), after = stepsOf(shape, *next);
    if (!before || !after) return false;
    auto oldAt = indexed(*before), newAt = indexed(*after);
    for (auto& [step, at] : newAt) {
      auto was = oldAt.find(step);
      if (was == oldAt.end())
        add(out, std::string(step), whole(shape, nullptr, &(*next)[at.front()]));
      else if (at.size() == 1 && was->second.size() == 1)
        add(out, std::string(step), place(&(*old)[was->second.front()], &(*next)[at.front()], shape.element()));
      else if (!sameElements(*old, was->second, *next, at))
        add(out, std::string(step), whole(shape, nullptr, &(*next)[at.front()]));
    }
    for (auto& [step, at] : oldAt)
      if (!newAt.contains(step)) add(out, std::string(step), whole(shape, &(*old)[at.front()], nullptr));
    out.set.sort();
    out.removed.sort();
    return true;
  }

  // An element that came or went is a member itself, whatever it holds.
  Found whole(const Shape& shape, const Json* old, const Json* next) {
    Found found = place(old, next, shape.element());
    (old ? found.isRemoved : found.isSet) = true;
    return found;
  }

  using Places = std::unordered_map<std::string_view, std::vector<size_t>>;
  static Places indexed(const std::vector<std::string>& steps) {
    Places out;
    out.reserve(steps.size());
    for (size_t i = 0; i < steps.size(); ++i) out[steps[i]].push_back(i);
    return out;
  }
  // Elements that share a key (clients could write that before) are compared together.
  static bool sameElements(const JsonArray& a, const std::vector<size_t>& at, const JsonArray& b, const std::vector<size_t>& bt) {
    if (at.size() != bt.size()) return false;
    for (size_t i = 0; i < at.size(); ++i)
      if (a[at[i]] != b[bt[i]]) return false;
    return true;
  }
};

}  // namespace

FieldChanges changedFields(const Json& old, const Json& next, const Type& type) {
  FieldChanges out;
  Walk().members(old.if_object(), next.if_object(), Shape{&type, nullptr}, out);
  return out;
}

}  // namespace ph::api
