// CertificateSigningRequest v1beta1 could leave out the signer, and the status of its conditions.
#include "engine/api/conversions/conversions.h"

namespace ph::api::conversions {
namespace {

void toStored(Json& request) {
  if (auto* spec = objectIn(request, "spec")) strategies::setDefault(*spec, "signerName", "kubernetes.io/legacy-unknown");
  auto* status = objectIn(request, "status");
  auto* conditions = status ? status->if_contains("conditions") : nullptr;
  if (!conditions || !conditions->is_array()) return;
  for (auto& c : conditions->get_array())
    if (auto* o = c.if_object()) strategies::setDefault(*o, "status", "True");
}

}  // namespace

const Conversion signingRequestV1beta1{toStored, nullptr};

}  // namespace ph::api::conversions
