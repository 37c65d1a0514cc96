#include "engine/api/fields/field_set.h"

#include <algorithm>
#include <charconv>

#include "engine/api/codec.h"

namespace ph::api {
namespace {

using Nodes = std::vector<FieldSet::Node>;

std::string_view view(boost::json::string_view s) { return {s.data(), s.size()}; }

template <class N>
auto lowerBound(N& nodes, std::string_view step) {
  return std::lower_bound(nodes.begin(), nodes.end(), step, [](auto& n, std::string_view s) { return n.step < s; });
}

Status badStep(std::string_view step, const char* why) {
  return Status::badRequest("the FieldsV1 key \"" + std::string(step.substr(0, 100)) + "\" " + why);
}

// A key's step with its names sorted, as everything here writes it.
Result<std::string> canonicalKey(std::string_view step) {
  PH_ASSIGN(Json parsed, parseJson(step.substr(2)));
  auto* object = parsed.if_object();
  if (!object || object->empty()) return badStep(step, "must hold an object of keys");
  std::vector<std::pair<std::string, const Json*>> keys;
  for (auto& kv : *object) {
    if (kv.value().is_structured()) return badStep(step, "must have plain values");
    keys.emplace_back(view(kv.key()), &kv.value());
  }
  std::sort(keys.begin(), keys.end(), [](auto& a, auto& b) { return a.first < b.first; });
  std::string out = "k:{";
  for (auto& [name, value] : keys) {
    if (out.size() > 3) out += ',';
    appendQuoted(name, out);
    out += ':';
    appendText(*value, out);
  }
  return out + "}";
}

Result<std::string> canonicalStep(std::string_view step) {
  if (step.size() < 2 || step[1] != ':') return badStep(step, "has no kind (f:, k:, v: or i:)");
  switch (step[0]) {
    case 'f': return std::string(step);
    case 'k': return canonicalKey(step);
    case 'v': {
      PH_ASSIGN(Json value, parseJson(step.substr(2)));
      return valueStep(value);
    }
    case 'i': {
      int64_t index = 0;
      auto [end, error] = std::from_chars(step.data() + 2, step.data() + step.size(), index);
      if (error != std::errc() || end != step.data() + step.size() || index < 0) return badStep(step, "is no index");
      return std::string(step);
    }
    default: return badStep(step, "has an unknown kind (f:, k:, v: or i:)");
  }
}

void collect(const FieldSet& set, const std::string& prefix, std::vector<std::string>& out) {
  for (auto& n : set.nodes()) {
    auto path = prefix + stepText(n.step);
    if (n.member) out.push_back(path);
    collect(n.below, path, out);
  }
}

}  // namespace

std::string fieldStep(std::string_view name) {
  std::string out = "f:";
  out += name;
  return out;
}

std::string valueStep(const Json& value) {
  std::string out = "v:";
  appendText(value, out);
  return out;
}

std::string stepText(std::string_view step) {
  auto rest = std::string(step.substr(std::min<size_t>(2, step.size())));
  if (step.starts_with("f:")) return "." + rest;
  if (step.starts_with("v:")) return "[=" + rest + "]";
  if (step.starts_with("i:")) return "[" + rest + "]";
  auto keys = parseJson(rest);
  std::string out;
  if (keys.ok() && keys->is_object())
    for (auto& kv : keys->get_object()) out += (out.empty() ? "" : ",") + std::string(view(kv.key())) + "=" + toText(kv.value());
  return "[" + out + "]";
}

size_t FieldSet::size() const {
  size_t n = 0;
  for (auto& node : nodes_) n += (node.member ? 1 : 0) + node.below.size();
  return n;
}

const FieldSet::Node* FieldSet::find(std::string_view step) const {
  auto it = lowerBound(nodes_, step);
  return it != nodes_.end() && it->step == step ? &*it : nullptr;
}

bool FieldSet::has(const std::vector<std::string_view>& path) const {
  const FieldSet* set = this;
  const Node* node = nullptr;
  for (auto step : path) {
    node = set->find(step);
    if (!node) return false;
    set = &node->below;
  }
  return node && node->member;
}

bool FieldSet::operator==(const FieldSet& other) const {
  return std::equal(nodes_.begin(), nodes_.end(), other.nodes_.begin(), other.nodes_.end(),
                    [](auto& a, auto& b) { return a.step == b.step && a.member == b.member && a.below == b.below; });
}

FieldSet::Node& FieldSet::at(std::string_view step) {
  auto it = lowerBound(nodes_, step);
  if (it == nodes_.end() || it->step != step) it = nodes_.insert(it, Node{std::string(step), false, {}});
  return *it;
}

void FieldSet::insert(const std::vector<std::string_view>& path) {
  FieldSet* set = this;
  Node* node = nullptr;
  for (auto step : path) {
    node = &set->at(step);
    set = &node->below;
  }
  if (node) node->member = true;
}

void FieldSet::reserve(size_t steps) { nodes_.reserve(steps); }

void FieldSet::append(std::string step, bool member, FieldSet below) {
  nodes_.push_back(Node{std::move(step), member, std::move(below)});
}

void FieldSet::sort() {
  std::sort(nodes_.begin(), nodes_.end(), [](auto& a, auto& b) { return a.step < b.step; });
}

void FieldSet::prune() {
  std::erase_if(nodes_, [](auto& n) { return !n.member && n.below.empty(); });
}

void FieldSet::unite(const FieldSet& other) {
  if (other.empty()) return;
  if (empty()) {
    *this = other;
    return;
  }
  Nodes merged;
  merged.reserve(std::max(nodes_.size(), other.nodes_.size()));
  auto a = nodes_.begin();
  auto b = other.nodes_.begin();
  while (a != nodes_.end() || b != other.nodes_.end()) {
    int order = a == nodes_.end() ? 1 : b == other.nodes_.end() ? -1 : a->step.compare(b->step);
    if (order > 0) {
      merged.push_back(*b++);
      continue;
    }
    if (order == 0) {
      a->member = a->member || b->member;
      a->below.unite(b->below);
      ++b;
    }
    merged.push_back(std::move(*a++));
  }
  nodes_ = std::move(merged);
}

void FieldSet::subtract(const FieldSet& other) {
  for (auto& n : other.nodes_) {
    auto it = lowerBound(nodes_, n.step);
    if (it == nodes_.end() || it->step != n.step) continue;
    if (n.member) it->member = false;
    it->below.subtract(n.below);
  }
  prune();
}

void FieldSet::subtractTrees(const FieldSet& other) {
  for (auto& n : other.nodes_) {
    auto it = lowerBound(nodes_, n.step);
    if (it == nodes_.end() || it->step != n.step) continue;
    if (n.member) {
      nodes_.erase(it);
      continue;
    }
    it->below.subtractTrees(n.below);
  }
  prune();
}

void FieldSet::intersect(const FieldSet& other) {
  for (auto& n : nodes_) {
    auto* o = other.find(n.step);
    n.member = n.member && o && o->member;
    if (o)
      n.below.intersect(o->below);
    else
      n.below = FieldSet();
  }
  prune();
}

Json FieldSet::toJson() const { return toJson(false); }

Json FieldSet::toJson(bool member) const {
  JsonObject out;
  bool dotted = member && !empty();
  out.reserve(nodes_.size() + dotted);
  if (dotted) out.emplace(".", JsonObject());
  for (auto& n : nodes_) out.emplace(boost::json::string_view(n.step.data(), n.step.size()), n.below.toJson(n.member));
  return out;
}

Result<FieldSet> FieldSet::fromJson(const Json& json, bool canonical) {
  auto* object = json.if_object();
  if (!object) return Status::badRequest("FieldsV1 must be made of objects");
  FieldSet set;
  set.nodes_.reserve(object->size());
  for (auto& kv : *object) {
    std::string step(view(kv.key()));
    if (step == ".") continue;  // the level above has read it
    if (!canonical) {
      PH_ASSIGN(step, canonicalStep(step));
    }
    PH_ASSIGN(FieldSet below, fromJson(kv.value(), canonical));
    bool member = below.empty() || kv.value().get_object().contains(".");
    set.nodes_.push_back(Node{std::move(step), member, std::move(below)});
  }
  auto ordered = [](auto& a, auto& b) { return a.step < b.step; };
  if (!std::is_sorted(set.nodes_.begin(), set.nodes_.end(), ordered)) set.sort();
  if (!canonical)
    for (size_t i = 1; i < set.nodes_.size(); ++i)
      if (set.nodes_[i].step == set.nodes_[i - 1].step) return badStep(set.nodes_[i].step, "stands twice");
  return set;
}

std::vector<std::string> FieldSet::paths() const {
  std::vector<std::string> out;
  collect(*this, "", out);
  return out;
}

}  // namespace ph::api
