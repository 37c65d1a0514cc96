#include "engine/server/admission/pod_security/policy.h"

#include <algorithm>
#include <charconv>

#include "engine/server/admission/pod_security/checks.h"

namespace ph::server::podsecurity {

std::string Policy::text() const {
  static constexpr std::string_view names[] = {"privileged", "baseline", "restricted"};
  return std::string(names[size_t(level)]) + ":" + (minor == kLatest ? "latest" : "v1." + std::to_string(minor));
}

std::optional<Level> parseLevel(std::string_view text) {
  if (text == "privileged") return Level::Privileged;
  if (text == "baseline") return Level::Baseline;
  if (text == "restricted") return Level::Restricted;
  return std::nullopt;
}

std::optional<int> parseVersion(std::string_view text) {
  if (text == "latest") return kLatest;
  if (!text.starts_with("v1.")) return std::nullopt;
  text.remove_prefix(3);
  int n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  bool wellFormed = error == std::errc() && end == text.data() + text.size() && n >= 0 && n < 1000;
  if (!wellFormed || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return n;
}

void eachContainer(const Json& spec, const std::function<void(const Json&, const std::string&)>& visit) {
  for (auto* group : {"initContainers", "containers", "ephemeralContainers"})
    for (auto& c : api::strategies::list(spec, group)) visit(c, std::string(api::strategies::str(c, "name")));
}

Names containersThat(const Json& spec, const std::function<bool(const Json&)>& is) {
  Names out;
  eachContainer(spec, [&](const Json& c, const std::string& name) {
    if (is(c)) out.push_back(name);
  });
  return out;
}

std::string quoted(const Names& names) {
  std::string out;
  for (auto& n : names) out += (out.empty() ? "\"" : ", \"") + n + "\"";
  return out;
}

std::string counted(const char* one, const char* many, const Names& names) {
  return std::string(names.size() == 1 ? one : many) + " " + quoted(names);
}

std::string setters(bool pod, const Names& names) {
  if (names.empty()) return "pod";
  return (pod ? "pod and " : "") + containers(names);
}

void addOnce(Names& names, std::string name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
}

bool isWindows(const Json& spec) { return api::strategies::str(spec, "os.name") == "windows"; }

namespace {

struct Check {
  Found (*run)(const Subject&, int);
  int since = 0;              // the release that brought it
  bool subsumed = false;      // baseline: a restricted check (of this release on) says more
  int subsumedSince = 0;
};

// Sorted by the checks' names in Kubernetes, baseline first.
constexpr Check kBaseline[] = {{baseline::appArmor},
                               {baseline::capabilities, 0, true, 22},
                               {baseline::hostNamespaces},
                               {baseline::hostPathVolumes, 0, true, 0},
                               {baseline::hostPorts},
                               {baseline::privileged},
                               {baseline::procMount},
                               {baseline::seLinux},
                               {baseline::seccomp, 0, true, 19},
                               {baseline::sysctls},
                               {baseline::windowsHostProcess}};
constexpr Check kRestricted[] = {{restricted::privilegeEscalation, 8}, {restricted::capabilities, 22},
                                 {restricted::volumes},                {restricted::runAsNonRoot},
                                 {restricted::runAsUser, 23},          {restricted::seccomp, 19}};

}  // namespace

std::vector<Violation> evaluate(const Policy& policy, const Subject& pod) {
  std::vector<Violation> out;
  if (policy.level == Level::Privileged) return out;
  bool strict = policy.level == Level::Restricted;
  auto run = [&](const Check& check) {
    if (policy.minor < check.since || (strict && check.subsumed && policy.minor >= check.subsumedSince)) return;
    if (auto found = check.run(pod, policy.minor)) out.push_back(std::move(*found));
  };
  for (auto& check : kBaseline) run(check);
  if (strict)
    for (auto& check : kRestricted) run(check);
  return out;
}

std::string explain(const std::vector<Violation>& violations) {
  std::string out;
  for (auto& v : violations) out += (out.empty() ? "" : ", ") + v.reason + (v.detail.empty() ? "" : " (" + v.detail + ")");
  return out;
}

std::string reasons(const std::vector<Violation>& violations) {
  std::string out;
  for (auto& v : violations) out += (out.empty() ? "" : ", ") + v.reason;
  return out;
}

}  // namespace ph::server::podsecurity
