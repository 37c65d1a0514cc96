// Small steps on a Machine's status, and the patch that brings the stored one in line.
// Threads: pure.
#pragma once

#include <string>

#include "engine/api/object.h"
#include "engine/api/types/fleet.h"
#include "engine/base/time.h"

namespace ph::fleet {

using api::fleet::MachineStatus;

// True when the condition changed its status (its transition time is then `now`).
bool setCondition(MachineStatus& status, const std::string& type, bool value, const std::string& reason, const std::string& message, WallTime now);
bool conditionIs(const MachineStatus& status, const std::string& type, bool value);

// Replaces the finding of this name; an empty severity removes it.
void setFinding(MachineStatus& status, const std::string& name, const std::string& severity, const std::string& message, const std::string& fix);

// The merge patch from what is stored to `status`; empty when nothing differs.
std::string statusPatch(const api::Object& stored, const MachineStatus& status);

}  // namespace ph::fleet
