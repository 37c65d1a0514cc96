// PendingWrite: one write between its planning and its answer. Internal to the verbs (write_*.cpp).
// Threads: planned on the caller's thread, decided when the key's turn comes, finished after the commit; never two at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/validation.h"
#include "engine/server/api_request.h"
#include "engine/server/core.h"

namespace ph::server {

struct PendingWrite;
struct PendingApply;  // apply/tracking.h
struct QuotaHold;  // admission/quota_ledger.h
using Decision = cache::Decision;
using DecideWrite = Result<Decision> (*)(PendingWrite&, const ObjectPtr& current);

struct PendingWrite {
  enum class Reply : uint8_t { Object, Status, Scale };

  explicit PendingWrite(std::shared_ptr<Core> c, ApiRequest&& r) : core(std::move(c)), request(std::move(r)) {
    asked = request.info;
    info = asked->custom ? asked : core->registry->stored(*asked);
  }

  std::shared_ptr<Core> core;
  ApiRequest request;
  const ResourceInfo* info;       // of the object that changes, in the version it is stored in; of a custom kind the one asked for
  const ResourceInfo* asked;      // the version that the request speaks, and is answered in
  std::string key;
  Json tree;                      // the parsed body
  ObjectPtr made;                 // create: ready to store
  DecideWrite decide = nullptr;
  Reply reply = Reply::Object;
  int code = 200;
  std::vector<std::string> warnings;
  api::ErrorList schemaErrors;           // answered together with those of the kind's own rules
  std::vector<std::string> duplicates;   // fields that the body of a patch names twice
  ObjectPtr old;                  // what the decision saw
  bool removed = false;
  MonoTime begun{};
  std::shared_ptr<PendingApply> apply;  // of an apply patch
  std::string viaSubresource;     // scale: which endpoint asked for what is now an update of the object
  ServiceClaim taken;                // reserved by admission, as is `hold`
  std::shared_ptr<QuotaHold> hold;
  std::optional<cache::Mutation> before;  // of another object: has to succeed first (an eviction's budget)
  bool granted = false;                   // it did

  api::WriteContext context() const;
};
using PendingPtr = std::shared_ptr<PendingWrite>;

// A write of the object's status: through status, or, of a certificate request, through approval.
inline bool isOfStatus(const PendingWrite& p) {
  auto& sub = p.request.subresource;
  return (sub == "status" && p.info->hasStatus) || (sub == "approval" && p.info->group == "certificates.k8s.io");
}

// Plans: fill tree, key, decide. On failure nothing has happened.
Result<> planCreate(PendingWrite& p);
Result<> planUpdate(PendingWrite& p);
Result<> planPatch(PendingWrite& p);
Result<> planDelete(PendingWrite& p);
Result<> planSubresource(PendingWrite& p);   // the ones not stored as the object itself: binding, eviction, scale, finalize

// The body as a tree, of the request's kind (apiVersion and kind checked, filled in when missing).
Result<Json> readBody(const Core& core, const ApiRequest& request, std::vector<std::string>* duplicates);
Result<> checkKind(Json& tree, const ResourceInfo& info);
// Defaults, types and unknown fields; what the client must hear about goes to warnings or the Status. The tree comes in the
// version asked for, and leaves in the stored one.
Result<> conformTree(PendingWrite& p, Json& tree, std::vector<std::string> duplicates);
// Whether the metadata can be read as such; nothing else of the tree is looked at.
Result<> checkMetadata(PendingWrite& p, const Json& tree);
// Takes p.schemaErrors, and what was found beyond them.
api::ErrorList withSchemaErrors(PendingWrite& p, const api::ErrorList& found);
// An update's second half: `next` takes the place of `current` (whose tree is `old`).
Result<Decision> decideStore(PendingWrite& p, const ObjectPtr& current, const Json& old, Json next);
// What deleting now means for this object (grace, finalizers, at once).
Result<Decision> decideDelete(PendingWrite& p, const ObjectPtr& current);

}  // namespace ph::server
