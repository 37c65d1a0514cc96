// The steps of admission, in Kubernetes' order and under its names (API reference, "Admission Controllers").
// Each looks first whether the object concerns it. Threads: as admission.h.
#pragma once

#include "engine/server/admission/admission.h"

namespace ph::server::steps {

// Changing.
Result<> namespaceLifecycle(Admission&);
Result<> namespaceDefaults(Admission&);
Result<> limitDefaults(Admission&);
Result<> serviceAccount(Admission&);
Result<> priority(Admission&);
Result<> runtimeClass(Admission&);
Result<> tolerateLostNodes(Admission&);
Result<> defaultStorageClass(Admission&);
Result<> defaultIngressClass(Admission&);
Result<> storageInUse(Admission&);
Result<> serviceAddresses(Admission&);

// Judging.
Result<> limits(Admission&);
Result<> podSecurity(Admission&);
Result<> onePriorityDefault(Admission&);
Result<> quota(Admission&);  // last: it reserves

}  // namespace ph::server::steps
