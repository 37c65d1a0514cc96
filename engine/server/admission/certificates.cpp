#include "engine/server/admission/certificates.h"

#include "engine/base/base64.h"
#include "engine/api/codec.h"
#include "engine/net/csr.h"
#include "engine/server/authz.h"
#include "engine/server/identity/cluster_ca.h"
#include "engine/server/json_util.h"
#include "engine/server/user_info.h"

namespace ph::server {
namespace {

bool isRequest(const ResourceInfo& info) { return info.group == "certificates.k8s.io" && info.kind == "CertificateSigningRequest"; }

void fillIn(JsonObject& spec, const User& user) {
  for (auto key : {"username", "uid", "groups", "extra"}) spec.erase(key);
  for (auto& member : userInfo(user)) spec[member.key()] = member.value();
}

// Whether the user may do `verb` for this signer, by its name or by its whole domain.
Result<> checkSigner(Admission& a, const Json& csr, std::string_view verb) {
  std::string signer(textAt(objectAt(csr, "spec"), "signerName"));
  auto may = [&](std::string_view name) {
    Attributes at{.verb = verb, .group = "certificates.k8s.io", .version = "*", .resource = "signers", .subresource = {}, .ns = {}, .name = name, .path = {}};
    return mayDo(a.core, a.request.user, at).allowed;
  };
  if (may(signer) || may(signer.substr(0, signer.find('/')) + "/*")) return {};
  return forbidden(a.info, a.request.name, "user not permitted to " + std::string(verb) + " requests with signerName \"" + signer + "\"");
}

bool same(const Json& a, const Json& b, std::string_view key) {
  auto* x = member(member(&a, "status"), key);
  auto* y = member(member(&b, "status"), key);
  return x && y ? *x == *y : x == y;
}

}  // namespace

Result<> certificateRequestStep(Admission& a) {
  if (!isRequest(a.info) || a.old) return {};
  auto& spec = makeObject(a.object, "spec");
  fillIn(spec, a.request.user);
  auto pem = fromBase64(textAt(&spec, "request"));
  auto request = pem && !pem->empty() ? net::readCertRequest(*pem) : Result<net::CertRequest>(Status::badRequest("PEM block type must be CERTIFICATE REQUEST"));
  if (!request.ok()) {
    api::ErrorList errors;
    errors.invalid("spec.request", std::string(textAt(&spec, "request")).substr(0, 100), request.status().message);
    return errors.toStatus(a.info, a.request.name);
  }
  for (auto& group : request->organizations)
    if (group == "system:masters" && textAt(&spec, "signerName") == kClientSigner)
      return forbidden(a.info, a.request.name, "use of " + std::string(kClientSigner) + " signer with system:masters group is not allowed");
  return {};
}

Result<> certificateDecisionStep(Admission& a) {
  if (!isRequest(a.info) || !a.old) return {};
  if (a.request.subresource == "approval") return checkSigner(a, *a.old, "approve");
  if (same(a.object, *a.old, "certificate") && same(a.object, *a.old, "conditions")) return {};
  return checkSigner(a, *a.old, "sign");
}

}  // namespace ph::server
