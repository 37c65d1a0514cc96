// ClusterCa: the cluster's certificate authority, as the signers that Kubernetes names: what each of them refuses, and what it
// signs. Threads: immutable; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/object.h"
#include "engine/base/result.h"
#include "engine/net/csr.h"

namespace ph::server {

inline constexpr std::string_view kClientSigner = "kubernetes.io/kube-apiserver-client",
                                  kNodeClientSigner = "kubernetes.io/kube-apiserver-client-kubelet",
                                  kNodeServingSigner = "kubernetes.io/kubelet-serving",
                                  kUnknownSigner = "kubernetes.io/legacy-unknown";

// Why this signer does not sign this; empty: it may. `usages` are Kubernetes' words ("client auth").
std::string refusal(std::string_view signer, const net::CertRequest& request, const std::vector<std::string>& usages);

class ClusterCa {
 public:
  explicit ClusterCa(net::KeyPair ca) : ca_(std::move(ca)) {}
  const std::string& certificate() const { return ca_.certPem; }
  // The certificate that an approved CertificateSigningRequest asks for, PEM. 422: its signer refuses, for ever.
  Result<std::string> sign(const api::Object& csr, WallTime now) const;

 private:
  const net::KeyPair ca_;
};

}  // namespace ph::server
