#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void cells(const Json& account, WallTime, std::vector<Json>& out) { out.emplace_back(static_cast<int64_t>(list(account, "secrets").size())); }

}  // namespace

const Strategy serviceAccountStrategy{.cells = cells};

}  // namespace ph::api::strategies
