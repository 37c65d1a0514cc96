// Admission of services: cluster addresses and node ports. Threads: as admission.h.
#pragma once

#include "engine/server/admission.h"

namespace ph::server {

Result<> serviceAddressesStep(Admission& admission);

}  // namespace ph::server
