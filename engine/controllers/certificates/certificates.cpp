#include "engine/controllers/certificates/certificates.h"

#include "engine/api/conditions.h"
#include "engine/base/base64.h"
#include "engine/api/types/certificates.h"
#include "engine/base/log.h"

namespace ph::controllers {

namespace {

namespace v1 = api::certificates;
using std::chrono::hours;
// How long a request is kept for people to look at.
constexpr Duration kDecided = hours(1), kPending = hours(24);

constexpr std::string_view kSigners[] = {"kubernetes.io/kube-apiserver-client", "kubernetes.io/kube-apiserver-client-kubelet",
                                         "kubernetes.io/kubelet-serving", "kubernetes.io/legacy-unknown"};

auto* condition(const v1::CertificateSigningRequest& csr, std::string_view type) { return api::findCondition(csr.status.conditions, type); }

bool isOurs(const v1::CertificateSigningRequest& csr) {
  for (auto s : kSigners)
    if (csr.spec.signerName == s) return true;
  return false;
}

// The moment after which nobody needs it any more.
WallTime endOf(const api::Object& object, const v1::CertificateSigningRequest& csr) {
  auto since = object.meta().created;
  Duration keep = kPending;
  for (auto type : {"Approved", "Denied", "Failed"})
    if (auto* c = condition(csr, type)) {
      keep = kDecided;
      if (c->lastUpdateTime && *c->lastUpdateTime > since) since = *c->lastUpdateTime;
    }
  // Approved, but another signer has not come by yet: give it as long as a decision may take.
  if (keep == kDecided && csr.status.certificate.empty() && !condition(csr, "Denied") && !condition(csr, "Failed")) keep = kPending;
  return since + std::chrono::duration_cast<WallTime::duration>(keep);
}

JsonArray with(const api::Object& object, std::string_view type, std::string_view reason, std::string_view message, WallTime now) {
  JsonArray out;
  auto tree = object.tree();
  if (auto* old = api::at(tree, "status.conditions"); old && old->is_array()) out = old->get_array();
  out.push_back(JsonObject{{"type", type}, {"status", "True"}, {"reason", reason}, {"message", message},
                           {"lastUpdateTime", formatTime(now)}, {"lastTransitionTime", formatTime(now)}});
  return out;
}

void sign(Plan& plan, const api::Object& object, Moment now, const CertificateOptions& options) {
  auto certificate = options.sign(object, now.wall);
  if (certificate.ok()) {
    plan.patch(object, JsonObject{{"status", JsonObject{{"certificate", toBase64(*certificate)}}}}, "status");
  } else if (certificate.status().code == 422) {
    auto conditions = with(object, "Failed", "SignerValidationFailure", certificate.status().message, now.wall);
    plan.patch(object, JsonObject{{"status", JsonObject{{"conditions", std::move(conditions)}}}}, "status");
  } else {
    PH_LOG(Error, "controllers", "certificate request {}: {}", object.name(), certificate.status().message);
    plan.lookAgain(std::chrono::seconds(30));
  }
}

}  // namespace

Plan reconcileCertificate(const Snapshot& snapshot, const Key& key, Moment now, const CertificateOptions& options) {
  Plan plan;
  ObjectPtr object = snapshot.get(snapshot.kinds().certificateRequests, key.text);
  if (!object || object->meta().deleting) return plan;
  auto& csr = object->as<v1::CertificateSigningRequest>();
  auto end = endOf(*object, csr);
  if (now.wall >= end) {
    plan.remove(*object);
    return plan;
  }
  plan.lookAgain(end - now.wall + std::chrono::seconds(1));
  bool decided = condition(csr, "Denied") || condition(csr, "Failed") || !csr.status.certificate.empty();
  if (decided) return plan;
  if (condition(csr, "Approved")) {
    if (options.sign && isOurs(csr)) sign(plan, *object, now, options);
    return plan;
  }
  if (!options.selfApproved) return plan;
  auto kind = options.selfApproved(*object);
  if (kind.empty()) return plan;
  auto message = kind == "selfnodeclient" ? "Auto approving self kubelet client certificate after SubjectAccessReview."
                                          : "Auto approving kubelet client certificate after SubjectAccessReview.";
  auto conditions = with(*object, "Approved", "AutoApproved", message, now.wall);
  plan.patch(*object, JsonObject{{"status", JsonObject{{"conditions", std::move(conditions)}}}}, "approval");
  return plan;
}

ControllerSpec certificatesController(const Kinds& kinds, CertificateOptions options) {
  ControllerSpec spec;
  spec.name = "certificate-controller";
  spec.watches = {{kinds.certificateRequests, keySelf}};
  spec.reconcile = [options = std::move(options)](const Snapshot& snapshot, const Key& key, Moment now) {
    return reconcileCertificate(snapshot, key, now, options);
  };
  return spec;
}

}  // namespace ph::controllers
