#include "engine/fleet/problem.h"

namespace ph::fleet {

Status problem(std::string_view reason, std::string message, std::string fix) {
  Status s{503, std::string(reason), std::move(message)};
  if (!fix.empty()) s.causes.push_back({std::string(reason), std::move(fix), ""});
  return s;
}

std::string fixOf(const Status& status) { return status.causes.empty() ? std::string() : status.causes[0].message; }

Again whenAgain(const Status& status) {
  if (status.is(kHostKeyUnknown)) return Again::AfterChange;
  // Trying a refused key over and over gets the engine's address locked out on careful machines.
  if (status.is(kAuth) || status.is(kKey) || status.is(kHostKeyChanged) || status.is(kPreflight) || status.is(kInstall))
    return Again::Late;
  return Again::Soon;
}

}  // namespace ph::fleet
