// The Pod Security Standards: what a pod may ask of its node, in three levels. Source: Kubernetes documentation, "Pod Security
// Standards"; reasons and details worded as kube-apiserver words them. Threads: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/schema.h"

namespace ph::server::podsecurity {

using api::Json;

enum class Level : uint8_t { Privileged, Baseline, Restricted };
inline constexpr int kLatest = 1 << 20;

// A level as of a Kubernetes 1.x release.
struct Policy {
  Level level = Level::Privileged;
  int minor = kLatest;
  std::string text() const;  // "restricted:latest", "baseline:v1.24"
  bool operator==(const Policy&) const = default;
};

std::optional<Level> parseLevel(std::string_view text);
std::optional<int> parseVersion(std::string_view text);  // "latest", "v1.24"

struct Violation {
  std::string reason, detail;
};

struct Subject {
  const Json& metadata;  // of the pod or the template
  const Json& spec;
};

// All that the policy forbids in the pod, in the order in which Kubernetes tells it.
std::vector<Violation> evaluate(const Policy& policy, const Subject& pod);
// "reason (detail), reason (detail)".
std::string explain(const std::vector<Violation>& violations);
// The reasons alone, for lists of many pods.
std::string reasons(const std::vector<Violation>& violations);

}  // namespace ph::server::podsecurity
