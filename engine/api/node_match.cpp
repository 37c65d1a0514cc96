#include "engine/api/node_match.h"

#include <algorithm>
#include <charconv>

namespace ph::api {
namespace {

bool number(std::string_view text, int64_t& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool holds(const core::NodeSelectorRequirement& r, const std::string_view* value) {
  auto among = [&] { return std::find(r.values.begin(), r.values.end(), *value) != r.values.end(); };
  if (r.operator_ == "Exists") return value;
  if (r.operator_ == "DoesNotExist") return !value;
  if (r.operator_ == "In") return value && among();
  if (r.operator_ == "NotIn") return !value || !among();
  int64_t have, limit;  // Gt, Lt
  if (!value || r.values.size() != 1 || !number(*value, have) || !number(r.values[0], limit)) return false;
  return r.operator_ == "Gt" ? have > limit : have < limit;
}

const std::string_view* findLabel(const Labels& labels, std::string_view key, std::string_view& into) {
  auto it = std::lower_bound(labels.begin(), labels.end(), key, [](auto& a, std::string_view b) { return a.first < b; });
  if (it == labels.end() || it->first != key) return nullptr;
  into = it->second;
  return &into;
}

}  // namespace

bool nodeTermMatches(const std::vector<core::NodeSelectorRequirement>& labelRules,
                     const std::vector<core::NodeSelectorRequirement>& fieldRules, const Labels& labels, std::string_view name) {
  if (labelRules.empty() && fieldRules.empty()) return false;
  std::string_view value;
  return std::all_of(labelRules.begin(), labelRules.end(), [&](auto& r) { return holds(r, findLabel(labels, r.key, value)); }) &&
         std::all_of(fieldRules.begin(), fieldRules.end(), [&](auto& r) { return holds(r, r.key == "metadata.name" ? &name : nullptr); });
}

bool nodeSelectorMatches(const core::NodeSelector& selector, const Labels& labels, std::string_view name) {
  return std::any_of(selector.nodeSelectorTerms.begin(), selector.nodeSelectorTerms.end(),
                     [&](auto& t) { return nodeTermMatches(t.matchExpressions, t.matchFields, labels, name); });
}

bool tolerates(const core::Toleration& t, const core::Taint& taint) {
  if (!t.effect.empty() && t.effect != taint.effect) return false;
  if (!t.key.empty() && t.key != taint.key) return false;
  if (t.operator_ == "Exists") return true;
  return !t.key.empty() && t.value == taint.value;
}

bool tolerates(const std::vector<core::Toleration>& tolerations, const core::Taint& taint) {
  return std::any_of(tolerations.begin(), tolerations.end(), [&](auto& t) { return tolerates(t, taint); });
}

}  // namespace ph::api
