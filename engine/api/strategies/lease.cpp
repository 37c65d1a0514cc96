#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void validate(const Json& lease, const WriteContext&, ErrorList& errors) {
  if (has(lease, "spec.leaseDurationSeconds") && num(lease, "spec.leaseDurationSeconds") <= 0)
    errors.invalidRaw("spec.leaseDurationSeconds", std::to_string(num(lease, "spec.leaseDurationSeconds")), "must be greater than 0");
  if (num(lease, "spec.leaseTransitions") < 0)
    errors.invalidRaw("spec.leaseTransitions", std::to_string(num(lease, "spec.leaseTransitions")), "must be greater than or equal to 0");
}

}  // namespace

const Strategy leaseStrategy{.validate = validate};

}  // namespace ph::api::strategies
