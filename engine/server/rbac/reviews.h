// Access reviews: questions about what somebody may do, answered and not kept (authorization.k8s.io), and who the asker is
// (authentication.k8s.io SelfSubjectReview). Each is the create of a virtual kind (virtual_kinds.h). Threads: any.
#pragma once

#include "engine/server/virtual_kinds.h"

namespace ph::server {

void subjectAccessReview(std::shared_ptr<Core> core, ApiRequest request, Json body, WriteDone done);
void localSubjectAccessReview(std::shared_ptr<Core> core, ApiRequest request, Json body, WriteDone done);
void selfSubjectAccessReview(std::shared_ptr<Core> core, ApiRequest request, Json body, WriteDone done);
void selfSubjectRulesReview(std::shared_ptr<Core> core, ApiRequest request, Json body, WriteDone done);
void selfSubjectReview(std::shared_ptr<Core> core, ApiRequest request, Json body, WriteDone done);

}  // namespace ph::server
