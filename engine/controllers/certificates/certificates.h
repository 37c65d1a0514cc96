// CertificateSigningRequests: kubelets' own are approved where that is allowed, approved ones are signed, old ones go.
// Threads: pure apart from the functions they are given.
#pragma once

#include <functional>
#include <string>

#include "engine/controllers/runner.h"

namespace ph::controllers {

struct CertificateOptions {
  // The certificate of an approved request, PEM. 422: its signer refuses it, for ever. Null: nothing is signed here.
  std::function<Result<std::string>(const api::Object& request, WallTime now)> sign;
  // "selfnodeclient" or "nodeclient" when that is what its author asks for and may have without a person's yes; else empty.
  std::function<std::string(const api::Object& request)> selfApproved;
};

Plan reconcileCertificate(const Snapshot& snapshot, const Key& key, Moment now, const CertificateOptions& options);
ControllerSpec certificatesController(const Kinds& kinds, CertificateOptions options);

}  // namespace ph::controllers
