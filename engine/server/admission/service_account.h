// Admission: a new pod runs as a service account that exists, pulls images with its secrets, and finds its token, the CA's
// certificate and its namespace where clients look for them. Threads: pure over snapshots.
#pragma once

#include "engine/server/admission.h"

namespace ph::server {

Result<> serviceAccountStep(Admission& admission);

}  // namespace ph::server
