#include <algorithm>
#include <charconv>

#include "engine/api/codec.h"
#include "engine/api/convert.h"
#include "engine/api/patch.h"
#include "engine/server/admission/certificates.h"
#include "engine/server/apply/tracking.h"
#include "engine/server/authz.h"
#include "engine/api/custom/kind.h"
#include "engine/server/custom/custom_kinds.h"
#include "engine/server/custom/definitions.h"
#include "engine/server/admission/admission.h"
#include "engine/server/json_util.h"
#include "engine/server/pending_write.h"
#include "engine/server/write_rules.h"

namespace ph::server {
namespace {

constexpr size_t kMaxJsonPatchOperations = 10000;

// resourceVersion and uid in the new object are preconditions.
Result<> checkPreconditions(PendingWrite& p, const ObjectPtr& current, const JsonObject* metadata) {
  auto version = textAt(metadata, "resourceVersion");
  if (!version.empty() && version != "0") {
    int64_t n = 0;
    auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), n);
    if (error != std::errc() || end != version.data() + version.size()) {
      api::ErrorList errors;
      errors.invalid("metadata.resourceVersion", std::string(version), "must be a number as the server gave it");
      return errors.toStatus(*p.info, p.request.name);
    }
    if (n != current->revision()) return staleWrite(*p.info, p.request.name);
  }
  auto& asked = p.request.options.preconditionRevision;
  if (!asked.empty() && asked != std::to_string(current->revision())) return staleWrite(*p.info, p.request.name);
  std::string uid(textAt(metadata, "uid"));
  if (uid.empty() || uid == current->uid()) uid = p.request.options.preconditionUid;
  if (!uid.empty() && uid != current->uid())
    return conflict(*p.info, p.request.name,
                    "Precondition failed: UID in precondition: " + uid + ", UID in object meta: " + current->uid());
  return {};
}

// What clients can't change by an update.
void keepOwned(Json& next, const Json& old) {
  auto& metadata = makeObject(next, "metadata");
  const JsonObject* was = objectAt(old, "metadata");
  for (auto key : {"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
                   "generation", "generateName"})
    copyMember(metadata, was, key);
  for (auto key : {"resourceVersion", "selfLink"}) metadata.erase(key);
}

bool hasFinalizers(const Json& tree) {
  auto* metadata = objectAt(tree, "metadata");
  auto* list = metadata ? metadata->if_contains("finalizers") : nullptr;
  return list && list->is_array() && !list->get_array().empty();
}

bool sameMember(const Json& a, const Json& b, std::string_view key) {
  auto* x = member(&a, key);
  auto* y = member(&b, key);
  return x && y ? *x == *y : x == y;
}

Result<> onlyCustomStatus(PendingWrite& p, Json& next, const Json& old) {
  Json written = std::move(next);
  next = old;
  copyMember(next.get_object(), written.if_object(), "status");
  return conformTree(p, next, {});
}

// A schema that became stricter does not stand in the way of changes elsewhere: what was wrong before may stay so.
api::ErrorList onlyNewErrors(const api::CustomKind& kind, const Json& old, const api::ErrorList& errors) {
  api::ErrorList before, out;
  kind.validate(old, before);
  for (auto& c : errors.causes()) {
    auto same = [&](auto& o) { return o.field == c.field && o.message == c.message; };
    if (std::none_of(before.causes().begin(), before.causes().end(), same)) out.append(c);
  }
  return out;
}

// Whether anything but metadata and status differs: what a custom kind's generation counts.
bool contentChanged(const ResourceInfo& info, const Json& next, const Json& old) {
  auto strip = [&](const Json& tree) {
    JsonObject out = tree.get_object();
    for (auto key : {"apiVersion", "kind", "metadata"}) out.erase(key);
    if (info.hasStatus) out.erase("status");
    return out;
  };
  return strip(next) != strip(old);
}

// A status write changes the status, and of the metadata what its kind allows; everything else stands as it is stored.
Result<> onlyStatus(PendingWrite& p, Json& next, const Json& old) {
  if (p.info->custom) return onlyCustomStatus(p, next, old);
  Json status = nullptr;
  if (auto* s = member(&next, "status")) status = std::move(*s);
  Json written = std::move(next);
  next = old;
  // Not by a node, whose pods' labels would bring it the work of services that are not its own.
  const bool node = !nodeOf(p.request.user).empty();
  for (auto key : kWrittenMetadata)
    if (!node && writableThroughStatus(*p.info, key)) copyMember(makeObject(next, "metadata"), objectAt(written, "metadata"), key);
  auto* field = p.info->type->field("status");
  if (!status.is_object()) status.emplace_object();
  if (field && field->type) {
    api::ErrorList errors;
    std::vector<std::string> unknown;
    api::conform(status, *field->type, errors, &unknown);
    if (!errors.empty()) {
      // Once more as a part of the whole, for the fields' paths.
      next.get_object()["status"] = std::move(status);
      api::ErrorList placed;
      api::conform(next, *p.info->type, placed, nullptr);
      return placed.toStatus(*p.info, p.request.name);
    }
  }
  next.get_object()["status"] = std::move(status);
  return {};
}

// Nothing holds it any more: the last finalizer went, and no grace is running.
bool finallyGone(const PendingWrite& p, const Json& next) {
  auto* metadata = objectAt(next, "metadata");
  if (p.info == p.core->namespaces) {  // these wait for namespaces/finalize
    auto* held = member(member(&next, "spec"), "finalizers");
    if (held && held->is_array() && !held->get_array().empty()) return false;
  }
  return metadata && metadata->contains("deletionTimestamp") && !hasFinalizers(next) &&
         intAt(metadata, "deletionGracePeriodSeconds") == 0;
}

Result<> checkNewFinalizers(PendingWrite& p, const Json& next, const Json& old) {
  auto* metadata = objectAt(next, "metadata");
  if (!metadata || !metadata->contains("deletionTimestamp")) return {};
  auto* list = metadata->if_contains("finalizers");
  if (!list || !list->is_array()) return {};
  auto* was = objectAt(old, "metadata")->if_contains("finalizers");
  for (auto& f : list->get_array()) {
    bool known = false;
    if (was && was->is_array())
      for (auto& o : was->get_array()) known = known || o == f;
    if (known) continue;
    api::ErrorList errors;
    errors.forbidden("metadata.finalizers",
                     "no new finalizers can be added if the object is being deleted, found new finalizers "
                     "[]string{" + api::toText(f) + "}");
    return errors.toStatus(*p.info, p.request.name);
  }
  return {};
}

// Of a pod's debug containers only these change.
void onlyEphemeralContainers(Json& next, const Json& old) {
  Json wanted = nullptr;
  if (auto* list = member(member(&next, "spec"), "ephemeralContainers")) wanted = std::move(*list);
  next = old;
  auto& spec = makeObject(next, "spec");
  if (wanted.is_array() && !wanted.get_array().empty())
    spec["ephemeralContainers"] = std::move(wanted);
  else
    spec.erase("ephemeralContainers");
}

// The whole object is sent, and read as such; not only its status.
bool wholeBody(const PendingWrite& p) { return p.request.subresource.empty() || p.request.subresource == "ephemeralcontainers"; }

Result<> checkName(const Json& next, const std::string& wanted) {
  auto name = textAt(objectAt(next, "metadata"), "name");
  if (name == wanted) return {};
  return Status::badRequest("the name of the object (" + std::string(name) + ") does not match the name on the URL (" +
                            wanted + ")");
}

// Of what is sent to a subresource only its own part is looked at, and what says which object is meant.
Result<> readPart(PendingWrite& p, Json& tree) {
  PH_TRY(checkMetadata(p, tree));
  api::convertTree(tree, *p.asked, *p.info);
  return {};
}

// What this request may change at all, and who owns it then.
Result<> settleNext(PendingWrite& p, Json& next, const Json& old) {
  keepOwned(next, old);
  if (isOfStatus(p)) {
    PH_TRY(onlyStatus(p, next, old));
    makeObject(next, "metadata").erase("resourceVersion");
  } else if (p.request.subresource == "ephemeralcontainers") {
    onlyEphemeralContainers(next, old);
  } else if (p.info->hasStatus) {
    copyMember(next.get_object(), old.if_object(), "status");
  }
  if (p.apply) return settleApply(p, old, next);
  trackUpdate(p, old, next);
  return {};
}

Result<> prepareNext(PendingWrite& p, Json& next, const Json& old, const api::WriteContext& context) {
  if (isDefinition(*p.info) && p.request.subresource.empty()) prepareDefinition(next, &old);
  if (p.info->strategy && p.info->strategy->prepareUpdate) p.info->strategy->prepareUpdate(next, old, context);
  if (isOfStatus(p)) {
    Admission admission{*p.core, p.request, *p.info, next, &old};
    PH_TRY(certificateDecisionStep(admission));
  }
  if (p.request.subresource.empty()) {
    Admission admission{*p.core, p.request, *p.info, next, &old, &p.warnings};
    auto admitted = admitChanges(admission);
    p.taken = std::move(admission.taken);
    PH_TRY(admitted);
  }
  return checkNewFinalizers(p, next, old);
}

}  // namespace

Result<Decision> decideStore(PendingWrite& p, const ObjectPtr& current, const Json& old, Json next) {
  if (std::exchange(p.made, nullptr)) {  // planned as a create: somebody was quicker
    p.core->addresses.release(std::exchange(p.taken, {}));
    p.hold.reset();
  }
  PH_TRY(checkPreconditions(p, current, objectAt(next, "metadata")));
  auto context = p.context();
  PH_TRY(settleNext(p, next, old));
  PH_TRY(prepareNext(p, next, old, context));
  bool specChanged = p.info->generation && !isOfStatus(p) &&
                     (p.info->custom ? contentChanged(*p.info, next, old) : !sameMember(next, old, "spec"));
  if (specChanged) makeObject(next, "metadata")["generation"] = current->meta().generation + 1;
  api::ErrorList errors;
  api::validateObjectUpdate(next, old, context, errors);
  bool going = objectAt(next, "metadata")->contains("deletionTimestamp");  // finalizers must come off whatever the rest is like
  if (p.info->custom && !errors.empty()) errors = onlyNewErrors(*p.info->custom, old, errors);
  if (isDefinition(*p.info) && !going) {
    checkDefinition(next, &old, p.asked->version == "v1beta1", errors);
    for (auto& w : definitionWarnings(next)) p.warnings.push_back(std::move(w));
  }
  errors = withSchemaErrors(p, errors);
  if (!errors.empty()) return errors.toStatus(*p.info, p.request.name);
  if (!isOfStatus(p)) {
    Admission admission{*p.core, p.request, *p.info, next, &old, &p.warnings};
    PH_TRY(admitJudging(admission));
    p.hold = std::move(admission.hold);
  }
  if (finallyGone(p, next)) return Decision{Decision::Kind::Delete, api::Object::make(p.info, next, 0)};
  if (next == old) return Decision{Decision::Kind::NoChange, current};
  return Decision{Decision::Kind::Put, api::Object::make(p.info, next, 0)};
}

namespace {

// The stored tree as clients see it, but without the resourceVersion (set back for patches that test it).
Json storedTree(const ObjectPtr& current) {
  Json tree = current->tree();
  makeObject(tree, "metadata").erase("resourceVersion");
  return tree;
}

// What a write makes where there is nothing yet: planned ahead, or now when it went away in between.
Result<Decision> decideMade(PendingWrite& p, Result<> (*plan)(PendingWrite&)) {
  if (!p.made) PH_TRY(plan(p));
  PH_TRY(checkKindStays(*p.core, *p.info));
  if (p.info->namespaced) PH_TRY(checkNamespace(*p.core, *p.info, p.request.ns, p.request.name));
  p.code = 201;
  return Decision{Decision::Kind::Put, p.made};
}

// `tree` as the stored version has it.
Result<> planMade(PendingWrite& p, Json tree, DecideWrite decide) {
  api::convertTree(tree, *p.info, *p.asked);
  p.request.body = api::toText(tree);
  p.request.contentType = "application/json";
  PH_TRY(planCreate(p));
  p.decide = decide;
  p.code = 200;
  return {};
}

bool makes(const PendingWrite& p) { return createsOnUpdate(*p.info) && p.request.subresource.empty(); }

Result<> checkNamesRevision(const PendingWrite& p) {
  auto version = textAt(objectAt(p.tree, "metadata"), "resourceVersion");
  if (p.request.internal || !(version.empty() || version == "0") || !needsRevision(*p.info)) return {};
  api::ErrorList errors;
  errors.invalidRaw("metadata.resourceVersion", "0x0", "must be specified for an update");
  return errors.toStatus(ResourceInfo{.group = p.info->group, .kind = p.info->plural}, p.request.name);
}

Result<> planUpdateCreate(PendingWrite& p);

Result<Decision> decideUpdate(PendingWrite& p, const ObjectPtr& current) {
  if (!current) return makes(p) ? decideMade(p, planUpdateCreate) : Result<Decision>(notFound(*p.info, p.request.name));
  PH_TRY(checkNamesRevision(p));
  return decideStore(p, current, storedTree(current), std::move(p.tree));
}

Result<> planUpdateCreate(PendingWrite& p) {
  Json tree = p.tree;
  makeObject(tree, "metadata").erase("resourceVersion");
  return planMade(p, std::move(tree), decideUpdate);
}

Result<> applyPatch(const PendingWrite& p, Json& target) {
  auto& type = p.request.contentType;
  if (type == "application/json-patch+json") {
    auto applied = api::applyJsonPatch(target, p.tree);
    if (applied.ok() || applied.status().code != 422) return applied;
    return Status::invalid("the server rejected our request due to an error in our request: " + applied.status().message);
  }
  // CRDs and others without merge keys take a strategic patch as a merge patch only when asked so.
  if (type == "application/strategic-merge-patch+json") return api::applyStrategicPatch(target, p.tree, *p.asked->type);
  api::applyMergePatch(target, p.tree);
  return {};
}

Result<> planApplyCreate(PendingWrite& p);

Result<Decision> decidePatch(PendingWrite& p, const ObjectPtr& current) {
  if (!current) return notFound(*p.info, p.request.name);
  Json next = current->tree();
  Json old = next;
  makeObject(old, "metadata").erase("resourceVersion");
  auto revision = std::to_string(current->revision());
  api::convertTree(next, *p.info, *p.asked);
  PH_TRY(applyPatch(p, next));
  if (!next.is_object()) return Status::badRequest("the patch leaves no object");
  auto& metadata = makeObject(next, "metadata");
  // A patch that leaves the resourceVersion alone is no precondition.
  if (textAt(&metadata, "resourceVersion") == revision) metadata.erase("resourceVersion");
  PH_TRY(checkName(next, current->name()));
  PH_TRY(checkKind(next, *p.asked));
  if (wholeBody(p)) PH_TRY(conformTree(p, next, p.duplicates));
  else PH_TRY(readPart(p, next));
  return decideStore(p, current, old, std::move(next));
}

Result<Decision> decideApply(PendingWrite& p, const ObjectPtr& current) {
  if (!current) {
    if (!p.request.subresource.empty()) return notFound(*p.info, p.request.name);
    return decideMade(p, planApplyCreate);
  }
  Json old = storedTree(current);
  PH_ASSIGN(Json next, mergeApply(p, old));
  PH_TRY(checkName(next, current->name()));
  if (p.request.subresource.empty()) {
    api::convertTree(next, *p.info, *p.asked);
    PH_TRY(conformTree(p, next, p.duplicates));
  }
  return decideStore(p, current, old, std::move(next));
}

// What an apply makes where there is nothing yet.
Result<> planApplyCreate(PendingWrite& p) { return planMade(p, p.apply->config, decideApply); }

Result<> planApply(PendingWrite& p) {
  if (p.request.body.empty()) return Status::badRequest("the request has no body");
  auto parsed = api::parseYaml(p.request.body, &p.duplicates);
  if (!parsed.ok()) return Status::badRequest("error decoding YAML: " + parsed.status().message);
  p.tree = std::move(*parsed);
  auto version = textAt(p.tree.if_object(), "apiVersion");
  if (p.tree.is_object() && version != p.asked->apiVersion())
    return Status::badRequest("Incorrect version specified in apply patch. Specified patch version: " +
                              std::string(version) + ", expected: " + p.asked->apiVersion());
  PH_TRY(checkKind(p.tree, *p.asked));
  if (auto* metadata = objectAt(p.tree, "metadata"); metadata && metadata->contains("managedFields"))
    return Status::badRequest("metadata.managedFields must be nil");
  api::convertTree(p.tree, *p.asked, *p.info);  // ownership is kept in terms of what is stored
  PH_TRY(readApply(p));
  p.decide = decideApply;
  if (p.request.subresource.empty() && !p.core->cache->get(*p.info, p.key)) return planApplyCreate(p);
  return {};
}

}  // namespace

Result<> planUpdate(PendingWrite& p) {
  std::vector<std::string> duplicates;
  PH_ASSIGN(Json tree, readBody(*p.core, p.request, &duplicates));
  PH_TRY(checkKind(tree, *p.asked));
  if (wholeBody(p)) PH_TRY(conformTree(p, tree, std::move(duplicates)));
  else PH_TRY(readPart(p, tree));
  PH_TRY(checkName(tree, p.request.name));
  auto ns = textAt(objectAt(tree, "metadata"), "namespace");
  if (p.info->namespaced && !ns.empty() && ns != p.request.ns)
    return Status::badRequest("the namespace of the provided object does not match the namespace sent on the request");
  p.tree = std::move(tree);
  p.decide = decideUpdate;
  if (makes(p) && !p.core->cache->get(*p.core->registry->stored(*p.info), p.key)) return planUpdateCreate(p);
  return {};
}

Result<> planPatch(PendingWrite& p) {
  auto& type = p.request.contentType;
  if (type == "application/apply-patch+yaml" || type == "application/apply-patch+json") return planApply(p);
  bool known = type == "application/json-patch+json" || type == "application/merge-patch+json" ||
               type == "application/strategic-merge-patch+json";
  if (!known || (!p.info->builtin && type == "application/strategic-merge-patch+json")) {
    return Status::unsupportedMediaType(
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml" +
        std::string(p.info->builtin ? ", application/strategic-merge-patch+json" : ""));
  }
  if (p.request.body.empty()) return Status::badRequest("the request has no body");
  auto parsed = api::parseJson(p.request.body, &p.duplicates);
  // Some clients send YAML under a JSON patch type.
  if (!parsed.ok()) parsed = api::parseYaml(p.request.body);
  if (!parsed.ok()) return std::move(parsed).status();
  p.tree = std::move(*parsed);
  if (type == "application/json-patch+json") {
    if (!p.tree.is_array()) return Status::badRequest("a JSON patch must be a list of operations");
    if (p.tree.get_array().size() > kMaxJsonPatchOperations)
      return Status::tooLarge("the allowed maximum operations in a JSON patch is " +
                              std::to_string(kMaxJsonPatchOperations));
  } else if (!p.tree.is_object()) {
    return Status::badRequest("a merge patch must be an object");
  }
  p.decide = decidePatch;
  return {};
}

}  // namespace ph::server
