// How many replicas a metric asks for, from what each pod uses. Source of the rules: Kubernetes documents, "Horizontal Pod
// Autoscaling", algorithm details. All in whole numbers: what is exactly at a bound does not depend on rounding.
// Threads: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/result.h"

namespace ph::controllers::autoscaling {

// One pod that counts. Amounts are thousandths (of a core, of a byte).
struct Sample {
  // Unready: it does not do its part yet, so what it uses says nothing. Unknown: nobody knows what it uses.
  enum class State { Measured, Unready, Unknown };
  State state = State::Measured;
  int64_t used = 0, requested = 0;
};

struct Aim {
  enum class By { Utilization, Average };
  By by = By::Utilization;
  int64_t value = 0;  // percent of the requests, or thousandths for each pod; positive
};

// How far from the aim is near enough; thousandths of the aim.
struct Tolerance {
  int64_t up = 100, down = 100;
};

struct Proposal {
  int32_t replicas = 0;
  int64_t average = 0;                 // used by a measured pod, in thousandths
  std::optional<int32_t> utilization;  // of those pods' requests, in percent; only of such an aim
};

// Fails when no pod is measured, or utilization is asked for and nothing is requested.
Result<Proposal> propose(const std::vector<Sample>& pods, int32_t current, const Aim& aim, const Tolerance& tolerance);

}  // namespace ph::controllers::autoscaling
