// CronJob: makes a Job at each time of a schedule, and clears away the Jobs that ended. What was made is read off the
// Jobs themselves: a status that could not be written does not make a Job come twice. Source of the rules:
// Kubernetes documentation, "CronJob". Threads: pure, save for the time zones, which are read from files when
// first asked for.
#pragma once

#include "engine/controllers/cronjob/zone.h"
#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileCronJob(const Snapshot& snapshot, const Key& key, Moment now, Zones& zones);
ControllerSpec cronJobController(const Kinds& kinds);

}  // namespace ph::controllers
