#include "engine/server/health.h"

#include <algorithm>

namespace ph::server {

bool isHealth(const Call& call) {
  if (call.segments.empty() || call.segments.size() > 2) return false;
  auto& first = call.segments[0];
  return first == "readyz" || first == "livez" || first == "healthz";
}

bool answerHealth(Call& call, const std::vector<HealthCheck>& checks) {
  bool verbose = false, fine = true;
  std::vector<std::string_view> excluded;
  for (auto& [name, value] : call.query) {
    if (name == "verbose") verbose = true;
    if (name == "exclude") excluded.push_back(value);
  }
  auto named = [&](std::string_view name) { return call.segments.size() < 2 || call.segments[1] == name; };
  if (std::none_of(checks.begin(), checks.end(), [&](auto& c) { return named(c.name); })) return false;
  std::string text;
  for (auto& check : checks) {
    if (!named(check.name)) continue;
    std::string name(check.name);
    if (std::erase(excluded, check.name)) {
      text += "[+]" + name + " excluded: ok\n";
      continue;
    }
    fine = fine && check.fine;
    text += check.fine ? "[+]" + name + " ok\n" : "[-]" + name + " failed: reason withheld\n";
  }
  for (auto name : excluded)
    text += "warn: some health checks cannot be excluded: no matches for \"" + std::string(name.substr(0, 100)) + "\"\n";
  if (fine && !verbose) {
    call.send(200, "ok", "text/plain; charset=utf-8");
    return true;
  }
  text += call.segments[0] + (fine ? " check passed\n" : " check failed\n");
  call.send(fine ? 200 : 500, std::move(text), "text/plain; charset=utf-8");
  return true;
}

}  // namespace ph::server
