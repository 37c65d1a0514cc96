// Admission of CertificateSigningRequests: who asks stands in them, as the server saw it; who approves or signs must be allowed
// to, signer by signer. Threads: pure over snapshots.
#pragma once

#include "engine/server/admission/admission.h"

namespace ph::server {

Result<> certificateRequestStep(Admission& admission);
// Of status and approval, whose writes pass no other admission.
Result<> certificateDecisionStep(Admission& admission);

}  // namespace ph::server
