#include "engine/server/rbac/rules.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "engine/server/json_util.h"

namespace ph::server {
namespace {

using Words = std::vector<std::string>;

std::vector<std::string> wordsAt(const JsonObject& rule, std::string_view key) {
  std::vector<std::string> out;
  auto* m = rule.if_contains(key);
  auto* list = m ? m->if_array() : nullptr;
  if (!list) return out;
  for (auto& v : *list)
    if (auto* s = v.if_string()) out.emplace_back(view(*s));
  return out;
}

bool has(const Words& words, std::string_view word) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& w) { return w == word; });
}
bool hasOrAll(const Words& words, std::string_view word) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& w) { return w == "*" || w == word; });
}

// "pods/log" is matched by itself, "*", and "*/log".
bool resourceMatches(const Words& resources, std::string_view resource, std::string_view subresource) {
  for (auto& r : resources) {
    if (r == "*") return true;
    if (subresource.empty()) {
      if (r == resource) return true;
      continue;
    }
    if (r.size() <= subresource.size() || !r.ends_with(subresource)) continue;
    size_t slash = r.size() - subresource.size() - 1;
    if (r[slash] != '/') continue;
    auto before = std::string_view(r).substr(0, slash);
    if (before == "*" || before == resource) return true;
  }
  return false;
}

std::string_view withoutStars(std::string_view s) {
  while (s.ends_with('*')) s.remove_suffix(1);
  return s;
}

bool pathMatches(std::string_view rule, std::string_view path) {
  return rule == path || (rule.ends_with('*') && path.starts_with(withoutStars(rule)));
}

bool anyPath(const Words& rules, std::string_view path) {
  return std::any_of(rules.begin(), rules.end(), [&](const std::string& r) { return pathMatches(r, path); });
}

// One combination of a rule; names.empty() is "all names".
struct Atom {
  std::string_view verb, group, resource, name, path;
};

bool holdsResource(const Rule& rule, std::string_view resource) {
  if (hasOrAll(rule.resources, resource)) return true;
  size_t slash = resource.find('/');
  return slash != std::string_view::npos &&
         resourceMatches(rule.resources, resource.substr(0, slash), resource.substr(slash + 1));
}

bool holdsName(const Rule& rule, std::string_view name) {
  return rule.resourceNames.empty() || (!name.empty() && has(rule.resourceNames, name));
}

bool holds(const Rule& rule, const Atom& atom) {
  if (!hasOrAll(rule.verbs, atom.verb)) return false;
  if (!atom.path.empty()) return anyPath(rule.nonResourceUrls, atom.path);
  return hasOrAll(rule.apiGroups, atom.group) && holdsName(rule, atom.name) && holdsResource(rule, atom.resource);
}

// Every combination of `wanted`, without making them.
bool holdsWhole(const Rule& rule, const Rule& wanted) {
  auto all = [](const Words& words, auto&& test) { return std::all_of(words.begin(), words.end(), test); };
  if (!all(wanted.verbs, [&](auto& v) { return hasOrAll(rule.verbs, v); })) return false;
  if (!all(wanted.nonResourceUrls, [&](auto& p) { return anyPath(rule.nonResourceUrls, p); })) return false;
  if (wanted.resources.empty() || wanted.apiGroups.empty()) return true;
  if (wanted.resourceNames.empty() && !rule.resourceNames.empty()) return false;
  return all(wanted.apiGroups, [&](auto& g) { return hasOrAll(rule.apiGroups, g); }) &&
         all(wanted.resourceNames, [&](auto& n) { return holdsName(rule, n); }) &&
         all(wanted.resources, [&](auto& r) { return holdsResource(rule, r); });
}

Rule ruleOf(const Atom& a) {
  Rule rule;
  rule.verbs = {std::string(a.verb)};
  if (!a.path.empty()) {
    rule.nonResourceUrls = {std::string(a.path)};
    return rule;
  }
  rule.apiGroups = {std::string(a.group)};
  rule.resources = {std::string(a.resource)};
  if (!a.name.empty()) rule.resourceNames = {std::string(a.name)};
  return rule;
}

// Calls each(atom) for every combination until it answers false.
template <class Each>
bool combinations(const Rule& rule, Each&& each) {
  static const Words allNames = {""};
  auto& names = rule.resourceNames.empty() ? allNames : rule.resourceNames;
  for (auto& group : rule.apiGroups)
    for (auto& resource : rule.resources)
      for (auto& verb : rule.verbs)
        for (auto& name : names)
          if (!each(Atom{verb, group, resource, name, {}})) return false;
  for (auto& path : rule.nonResourceUrls)
    for (auto& verb : rule.verbs)
      if (!each(Atom{verb, {}, {}, {}, path})) return false;
  return true;
}

size_t countOf(const Rule& r) {
  // Each factor is bounded by a request's size, so the product stays within a double's exact range or far above the limit.
  double n = double(r.apiGroups.size()) * double(r.resources.size()) * double(r.verbs.size()) *
                 double(std::max<size_t>(1, r.resourceNames.size())) +
             double(r.nonResourceUrls.size()) * double(r.verbs.size());
  return n > 1e15 ? size_t(1e15) : size_t(n);
}

Rule shortened(Rule rule) {
  for (auto* words : {&rule.verbs, &rule.apiGroups, &rule.resources, &rule.resourceNames, &rule.nonResourceUrls})
    if (words->size() > 10) words->resize(10);
  return rule;
}

void appendPart(std::string& out, const char* name, const Words& words) {
  if (words.empty()) return;
  out += (out.size() > 1 ? ", " : "") + std::string(name) + ":" + quotedList(words);
}

}  // namespace

Rules rulesFromJson(const Json* list) {
  Rules out;
  auto* array = list ? list->if_array() : nullptr;
  if (!array) return out;
  for (auto& v : *array) {
    auto* rule = v.if_object();
    if (!rule) continue;
    out.push_back({wordsAt(*rule, "verbs"), wordsAt(*rule, "apiGroups"), wordsAt(*rule, "resources"),
                   wordsAt(*rule, "resourceNames"), wordsAt(*rule, "nonResourceURLs")});
  }
  return out;
}

Json toJson(const Rule& rule) {
  JsonObject out;
  auto put = [&](std::string_view key, const Words& words) {
    if (words.empty()) return;
    JsonArray list;
    for (auto& w : words) list.emplace_back(w);
    out[key] = std::move(list);
  };
  put("apiGroups", rule.apiGroups);
  put("nonResourceURLs", rule.nonResourceUrls);
  put("resourceNames", rule.resourceNames);
  put("resources", rule.resources);
  put("verbs", rule.verbs);
  return out;
}

bool allows(const Rule& rule, const Attributes& a) {
  if (!hasOrAll(rule.verbs, a.verb)) return false;
  if (!a.path.empty()) return anyPath(rule.nonResourceUrls, a.path);
  return hasOrAll(rule.apiGroups, a.group) && resourceMatches(rule.resources, a.resource, a.subresource) &&
         (rule.resourceNames.empty() || has(rule.resourceNames, a.name));
}

Rules missingFrom(const Rules& held, const Rules& wanted) {
  Rules missing;
  size_t left = kMostCombinations;
  for (auto& rule : wanted) {
    // Most often one rule that is held holds the whole of it.
    if (std::any_of(held.begin(), held.end(), [&](const Rule& h) { return holdsWhole(h, rule); })) continue;
    size_t count = countOf(rule);
    if (count > left) {
      missing.push_back(shortened(rule));
      return missing;
    }
    left -= count;
    combinations(rule, [&](const Atom& atom) {
      if (std::any_of(held.begin(), held.end(), [&](const Rule& h) { return holds(h, atom); })) return true;
      missing.push_back(ruleOf(atom));
      return missing.size() < kMostMissing;
    });
    if (missing.size() >= kMostMissing) return missing;
  }
  return missing;
}

std::string quotedList(const std::vector<std::string>& list) {
  std::string out = "[";
  for (auto& s : list) out += (out.size() > 1 ? " \"" : "\"") + s + "\"";
  return out + "]";
}

std::string describe(const Rules& missing) {
  std::map<std::tuple<Words, Words, Words>, Rule> simple;
  std::set<std::string> lines;
  auto line = [&](const Rule& r) {
    std::string text = "{";
    appendPart(text, "APIGroups", r.apiGroups);
    appendPart(text, "Resources", r.resources);
    appendPart(text, "NonResourceURLs", r.nonResourceUrls);
    appendPart(text, "ResourceNames", r.resourceNames);
    appendPart(text, "Verbs", r.verbs);
    lines.insert(text + "}");
  };
  for (auto& r : missing) {
    if (!r.nonResourceUrls.empty() || r.apiGroups.size() != 1 || r.resources.size() != 1 || r.resourceNames.size() > 1) {
      line(r);
      continue;
    }
    auto [at, made] = simple.try_emplace({r.apiGroups, r.resources, r.resourceNames}, r);
    if (!made) at->second.verbs.insert(at->second.verbs.end(), r.verbs.begin(), r.verbs.end());
  }
  for (auto& [key, r] : simple) line(r);
  constexpr size_t kLongest = 16 * 1024;
  std::string out;
  for (auto& l : lines) {
    if (out.size() + l.size() > kLongest) return out + "\n...";
    out += (out.empty() ? "" : "\n") + l;
  }
  return out;
}

}  // namespace ph::server
