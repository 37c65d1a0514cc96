#include "engine/server/identity/kubelet_requests.h"

#include "engine/api/types/certificates.h"
#include "engine/server/authz.h"
#include "engine/server/identity/cluster_ca.h"

namespace ph::server {

std::string selfApproved(const Core& core, const api::Object& object) {
  auto& spec = object.as<api::certificates::CertificateSigningRequest>().spec;
  if (spec.signerName != kNodeClientSigner) return {};
  auto request = net::readCertRequest(spec.request);
  if (!request.ok() || !refusal(spec.signerName, *request, spec.usages).empty()) return {};
  User author;
  author.name = spec.username;
  author.uid = spec.uid;
  author.groups = spec.groups;
  for (auto& [key, values] : spec.extra) author.extra.emplace_back(key, values);
  auto may = [&](std::string_view kind) {
    Attributes at{.verb = "create", .group = "certificates.k8s.io", .version = "*", .resource = "certificatesigningrequests",
                  .subresource = kind, .ns = {}, .name = {}, .path = {}};
    return mayDo(core, author, at).allowed;
  };
  if (spec.username == request->commonName && may("selfnodeclient")) return "selfnodeclient";
  return may("nodeclient") ? "nodeclient" : "";
}

}  // namespace ph::server
