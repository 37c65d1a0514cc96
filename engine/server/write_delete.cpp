#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/custom/kinds.h"
#include "engine/server/custom/definitions.h"
#include "engine/server/admission/admission.h"
#include "engine/server/json_util.h"
#include "engine/server/pending_write.h"

namespace ph::server {
namespace {

constexpr std::string_view kForeground = "foregroundDeletion", kOrphan = "orphan";

void setFinalizer(std::vector<std::string>& list, std::string_view name, bool wanted) {
  auto at = std::find(list.begin(), list.end(), name);
  if (wanted && at == list.end()) list.emplace_back(name);
  if (!wanted && at != list.end()) list.erase(at);
}

std::vector<std::string> finalizersFor(const Options& options, const ObjectPtr& current) {
  auto list = current->meta().finalizers;
  if (isDefinition(current->info()) && !current->meta().deleting) setFinalizer(list, api::custom::kCleanupFinalizer, true);
  if (options.propagation != Propagation::Default) {
    setFinalizer(list, kForeground, options.propagation == Propagation::Foreground);
    setFinalizer(list, kOrphan, options.propagation == Propagation::Orphan);
  }
  return list;
}

// Seconds that this pod may still run. A pod without a node, or at its end, goes at once.
int64_t podGrace(const Json& pod, std::optional<int64_t> asked) {
  const JsonObject* spec = objectAt(pod, "spec");
  auto phase = textAt(objectAt(pod, "status"), "phase");
  if (textAt(spec, "nodeName").empty() || phase == "Succeeded" || phase == "Failed") return 0;
  int64_t grace = asked ? *asked : intAt(spec, "terminationGracePeriodSeconds", 30);
  return grace < 0 ? 1 : grace;
}

void bumpGeneration(const ResourceInfo& info, JsonObject& metadata, const ObjectPtr& current) {
  if (info.generation && !current->meta().deleting) metadata["generation"] = current->meta().generation + 1;
}

void setFinalizers(JsonObject& metadata, const std::vector<std::string>& finalizers) {
  if (finalizers.empty()) {
    metadata.erase("finalizers");
    return;
  }
  JsonArray list;
  for (auto& f : finalizers) list.emplace_back(f);
  metadata["finalizers"] = std::move(list);
}

Result<> checkDeletePreconditions(PendingWrite& p, const ObjectPtr& current) {
  auto& o = p.request.options;
  if (!o.preconditionUid.empty() && o.preconditionUid != current->uid())
    return conflict(*p.info, p.request.name,
                    "Precondition failed: UID in precondition: " + o.preconditionUid +
                        ", UID in object meta: " + current->uid());
  if (!o.preconditionRevision.empty() && o.preconditionRevision != std::to_string(current->revision()))
    return conflict(*p.info, p.request.name,
                    "Precondition failed: ResourceVersion in precondition: " + o.preconditionRevision +
                        ", ResourceVersion in object meta: " + std::to_string(current->revision()));
  return {};
}

bool hasSpecFinalizers(const Json& ns) {
  auto* spec = objectAt(ns, "spec");
  auto* list = spec ? spec->if_contains("finalizers") : nullptr;
  return list && list->is_array() && !list->get_array().empty();
}

// A namespace waits, Terminating, until its controller has emptied it and took its finalizer off.
Result<Decision> decideNamespaceDelete(PendingWrite& p, const ObjectPtr& current) {
  if (isImmortal(current->name())) return forbidden(*p.info, current->name(), "this namespace may not be deleted");
  Json tree = current->tree();
  auto& metadata = makeObject(tree, "metadata");
  metadata.erase("resourceVersion");
  auto finalizers = finalizersFor(p.request.options, current);
  if (!hasSpecFinalizers(tree) && finalizers.empty()) {
    p.reply = PendingWrite::Reply::Status;
    return Decision{Decision::Kind::Delete, current};
  }
  if (current->meta().deleting && finalizers == current->meta().finalizers)
    return Decision{Decision::Kind::NoChange, current};
  if (!current->meta().deleting) metadata["deletionTimestamp"] = formatTime(p.core->now());
  setFinalizers(metadata, finalizers);
  makeObject(tree, "status")["phase"] = "Terminating";
  return Decision{Decision::Kind::Put, api::Object::make(p.info, tree, 0)};
}

Decision removeNow(PendingWrite& p, const ObjectPtr& current) {
  bool wholeObject = p.info == p.core->pods;
  p.reply = wholeObject && p.reply != PendingWrite::Reply::Status ? PendingWrite::Reply::Object
                                                                  : PendingWrite::Reply::Status;
  return {Decision::Kind::Delete, current};
}

}  // namespace

Result<Decision> decideDelete(PendingWrite& p, const ObjectPtr& current) {
  if (!current) return notFound(*p.info, p.request.name);
  PH_TRY(checkDeletePreconditions(p, current));
  if (p.info == p.core->namespaces) return decideNamespaceDelete(p, current);
  auto finalizers = finalizersFor(p.request.options, current);
  bool graceful = p.info == p.core->pods;
  if (!graceful && finalizers.empty()) return removeNow(p, current);

  Json tree = current->tree();
  auto& metadata = makeObject(tree, "metadata");
  metadata.erase("resourceVersion");
  int64_t grace = graceful ? podGrace(tree, p.request.options.gracePeriodSeconds) : 0;
  auto& meta = current->meta();
  if (meta.deleting) {
    // A running grace can only become shorter.
    if (graceful && grace >= meta.deletionGraceSeconds && meta.deletionGraceSeconds > 0) grace = meta.deletionGraceSeconds;
    if (grace == 0 && finalizers.empty()) return removeNow(p, current);
    if (grace == meta.deletionGraceSeconds && finalizers == meta.finalizers)
      return Decision{Decision::Kind::NoChange, current};
  } else if (grace == 0 && finalizers.empty()) {
    return removeNow(p, current);
  }
  if (!meta.deleting || grace != meta.deletionGraceSeconds) {
    // The moment by which it shall have gone; when the grace shrinks, counted from the first deletion on.
    WallTime base = meta.deleting ? meta.deletionTime - std::chrono::seconds(meta.deletionGraceSeconds) : p.core->now();
    metadata["deletionTimestamp"] = formatTime(base + std::chrono::seconds(grace));
    metadata["deletionGracePeriodSeconds"] = grace;
  }
  setFinalizers(metadata, finalizers);
  if (isDefinition(*p.info)) markTerminating(tree, p.core->now());
  bumpGeneration(*p.info, metadata, current);
  return Decision{Decision::Kind::Put, api::Object::make(p.info, tree, 0)};
}

Result<> planDelete(PendingWrite& p) {
  if (!p.request.body.empty()) {
    PH_ASSIGN(Json body, readBody(*p.core, p.request, nullptr));
    PH_TRY(readDeleteOptions(body, p.request.options));
  }
  p.decide = decideDelete;
  return {};
}

}  // namespace ph::server
