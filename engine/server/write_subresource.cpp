#include "engine/api/codec.h"
#include "engine/api/patch.h"
#include "engine/api/selector.h"
#include "engine/server/apply/tracking.h"
#include "engine/server/eviction/eviction.h"
#include "engine/server/json_util.h"
#include "engine/server/pending_write.h"
#include "engine/server/reads.h"

namespace ph::server {
namespace {

// ---- pods/binding: the scheduler's answer -------------------------------------------------------------------------

Status bindConflict(const PendingWrite& p, const std::string& why) {
  Status status = conflict(*p.info, p.request.name, why);
  status.message = "Operation cannot be fulfilled on pods/binding \"" + p.request.name + "\": " + why;
  return status;
}

void setScheduled(JsonObject& status, WallTime now) {
  Json& conditions = status["conditions"];
  if (!conditions.is_array()) conditions.emplace_array();
  auto& list = conditions.get_array();
  JsonObject condition{{"type", "PodScheduled"},
                       {"status", "True"},
                       {"lastProbeTime", nullptr},
                       {"lastTransitionTime", formatTime(now)}};
  for (auto& c : list) {
    if (textAt(c.if_object(), "type") != "PodScheduled") continue;
    c = std::move(condition);
    return;
  }
  list.push_back(std::move(condition));
}

Result<Decision> decideBinding(PendingWrite& p, const ObjectPtr& current) {
  if (!current) return notFound(*p.info, p.request.name);
  auto* metadata = objectAt(p.tree, "metadata");
  auto uid = textAt(metadata, "uid");
  if (!uid.empty() && uid != current->uid())
    return bindConflict(p, "Precondition failed: UID in precondition: " + std::string(uid) +
                               ", UID in object meta: " + current->uid());
  auto& wanted = p.request.options.preconditionRevision;
  if (!wanted.empty() && wanted != std::to_string(current->revision())) return staleWrite(*p.info, p.request.name);
  Json pod = current->tree();
  makeObject(pod, "metadata").erase("resourceVersion");
  if (current->meta().deleting)
    return bindConflict(p, "pod " + current->name() + " is being deleted, cannot be assigned to a host");
  auto& spec = makeObject(pod, "spec");
  if (auto node = textAt(&spec, "nodeName"); !node.empty())
    return bindConflict(p, "pod " + current->name() + " is already assigned to node \"" + std::string(node) + "\"");
  spec["nodeName"] = textAt(objectAt(p.tree, "target"), "name");
  if (auto* annotations = metadata ? metadata->if_contains("annotations") : nullptr;
      annotations && annotations->is_object() && !annotations->get_object().empty()) {
    auto& into = makeObject(makeObject(pod, "metadata"), "annotations");
    for (auto& [key, value] : annotations->get_object()) into[key] = value;
  }
  setScheduled(makeObject(pod, "status"), p.core->now());
  return Decision{Decision::Kind::Put, api::Object::make(p.info, pod, 0)};
}

Result<> planBinding(PendingWrite& p) {
  if (p.request.verb != Verb::Create) return Status::methodNotAllowed("a binding can only be created");
  PH_ASSIGN(p.tree, readBody(*p.core, p.request, nullptr));
  auto* target = objectAt(p.tree, "target");
  auto kind = textAt(target, "kind");
  api::ErrorList errors;
  if (!kind.empty() && kind != "Node") errors.notSupported("target.kind", std::string(kind), {"Node", "<empty>"});
  if (textAt(target, "name").empty()) errors.required("target.name");
  if (!errors.empty()) {
    ResourceInfo binding;
    binding.kind = "Binding";
    return errors.toStatus(binding, p.request.name);
  }
  if (p.request.name.empty()) {  // POST bindings: the pod's name is the binding's
    p.request.name = textAt(objectAt(p.tree, "metadata"), "name");
    p.key = p.request.key();
  }
  p.reply = PendingWrite::Reply::Status;
  p.code = 201;
  p.decide = decideBinding;
  return {};
}

// ---- scale --------------------------------------------------------------------------------------------------------

std::string_view withoutDot(std::string_view path) { return path.starts_with('.') ? path.substr(1) : path; }

int64_t numberAt(const Json& tree, std::string_view path) {
  auto* v = path.empty() ? nullptr : api::at(tree, withoutDot(path));
  if (!v) return 0;
  if (v->is_int64()) return v->get_int64();
  return v->is_uint64() ? int64_t(v->get_uint64()) : 0;
}

void setNumberAt(Json& tree, std::string_view path, int64_t value) {
  path = withoutDot(path);
  Json* at = &tree;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    makeObject(*at, path.substr(0, dot));
    at = at->get_object().if_contains(path.substr(0, dot));
    path.remove_prefix(dot + 1);
  }
  if (!at->is_object()) at->emplace_object();
  at->get_object()[path] = value;
}

Result<> checkReplicas(const PendingWrite& p, const Json& scale) {
  auto* spec = objectAt(scale, "spec");
  auto* replicas = spec ? spec->if_contains("replicas") : nullptr;
  int64_t wanted = intAt(spec, "replicas");
  api::ErrorList errors;
  if (replicas && !replicas->is_int64() && !replicas->is_uint64() && !replicas->is_null())
    return Status::badRequest("Scale in version \"autoscaling/v1\" cannot be handled as a Scale: spec.replicas must be "
                              "a number");
  if (wanted < 0) errors.invalid("spec.replicas", std::to_string(wanted), "must be greater than or equal to 0");
  if (!errors.empty()) {
    ResourceInfo info;
    info.group = "autoscaling";
    info.kind = "Scale";
    return errors.toStatus(info, p.request.name);
  }
  return {};
}

Result<Decision> storeScale(PendingWrite& p, const ObjectPtr& current, const Json& scale) {
  PH_TRY(checkReplicas(p, scale));
  int64_t wanted = intAt(objectAt(scale, "spec"), "replicas");
  Json old = current->tree();
  makeObject(old, "metadata").erase("resourceVersion");
  Json next = old;
  setNumberAt(next, p.info->scale.specReplicas, wanted);
  auto version = textAt(objectAt(scale, "metadata"), "resourceVersion");
  if (!version.empty()) makeObject(next, "metadata")["resourceVersion"] = version;
  // From here on it is an update of the main resource.
  p.viaSubresource = std::move(p.request.subresource);
  p.request.subresource.clear();
  return decideStore(p, current, old, std::move(next));
}

Result<Decision> decideScaleUpdate(PendingWrite& p, const ObjectPtr& current) {
  if (!current) return notFound(*p.info, p.request.name);
  return storeScale(p, current, p.tree);
}

Result<Decision> decideScalePatch(PendingWrite& p, const ObjectPtr& current) {
  if (!current) return notFound(*p.info, p.request.name);
  Json scale = scaleOf(*p.info, current->tree());
  if (p.request.contentType == "application/json-patch+json") {
    PH_TRY(api::applyJsonPatch(scale, p.tree));
  } else {
    api::applyMergePatch(scale, p.tree);
  }
  return storeScale(p, current, scale);
}

Result<Decision> decideScaleApply(PendingWrite& p, const ObjectPtr& current) {
  if (!current) return notFound(*p.info, p.request.name);
  Json old = current->tree();
  makeObject(old, "metadata").erase("resourceVersion");
  PH_ASSIGN(Json next, mergeApply(p, old));
  return decideStore(p, current, old, std::move(next));
}

// A Scale that is applied owns the object's replicas.
Result<> planScaleApply(PendingWrite& p) {
  PH_ASSIGN(Json scale, api::parseYaml(p.request.body));
  if (!scale.is_object() || textAt(&scale.get_object(), "kind") != "Scale" ||
      textAt(&scale.get_object(), "apiVersion") != "autoscaling/v1")
    return Status::badRequest("Incorrect version specified in apply patch. expected: autoscaling/v1, Kind=Scale");
  auto* spec = objectAt(scale, "spec");
  p.tree = JsonObject{{"apiVersion", p.info->apiVersion()}, {"kind", p.info->kind}};
  copyMember(makeObject(p.tree, "metadata"), objectAt(scale, "metadata"), "resourceVersion");
  if (auto* replicas = spec ? spec->if_contains("replicas") : nullptr) {
    PH_TRY(checkReplicas(p, scale));
    setNumberAt(p.tree, p.info->scale.specReplicas, replicas->is_null() ? 0 : intAt(spec, "replicas"));
  }
  p.viaSubresource = std::move(p.request.subresource);
  p.request.subresource.clear();
  PH_TRY(readApply(p));
  p.decide = decideScaleApply;
  return {};
}

Result<> planScale(PendingWrite& p) {
  p.reply = PendingWrite::Reply::Scale;
  if (p.request.verb == Verb::Update) {
    PH_ASSIGN(p.tree, readBody(*p.core, p.request, nullptr));
    p.decide = decideScaleUpdate;
    return {};
  }
  if (p.request.verb == Verb::Patch) {
    if (p.request.body.empty()) return Status::badRequest("the request has no body");
    if (p.request.contentType.starts_with("application/apply-patch")) return planScaleApply(p);
    PH_ASSIGN(p.tree, api::parseYaml(p.request.body));
    p.decide = decideScalePatch;
    return {};
  }
  return Status::methodNotAllowed("a scale can be read, updated and patched");
}

// ---- namespaces/finalize ------------------------------------------------------------------------------------------

Result<Decision> decideFinalize(PendingWrite& p, const ObjectPtr& current) {
  if (!current) return notFound(*p.info, p.request.name);
  auto uid = textAt(objectAt(p.tree, "metadata"), "uid");
  if (!uid.empty() && uid != current->uid()) return staleWrite(*p.info, p.request.name);
  auto version = textAt(objectAt(p.tree, "metadata"), "resourceVersion");
  if (!version.empty() && version != std::to_string(current->revision())) return staleWrite(*p.info, p.request.name);
  Json next = current->tree();
  makeObject(next, "metadata").erase("resourceVersion");
  copyMember(makeObject(next, "spec"), objectAt(p.tree, "spec"), "finalizers");
  auto* left = makeObject(next, "spec").if_contains("finalizers");
  bool emptied = !left || !left->is_array() || left->get_array().empty();
  auto object = api::Object::make(p.info, next, 0);
  if (emptied && current->meta().deleting && current->meta().finalizers.empty())
    return Decision{Decision::Kind::Delete, std::move(object)};
  return Decision{Decision::Kind::Put, std::move(object)};
}

}  // namespace

Json scaleOf(const ResourceInfo& info, const Json& object) {
  JsonObject metadata;
  auto* from = objectAt(object, "metadata");
  for (auto key : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"})
    if (auto* m = from ? from->if_contains(key) : nullptr) metadata[key] = *m;
  JsonObject status{{"replicas", numberAt(object, info.scale.statusReplicas)}};
  if (!info.scale.labelSelector.empty()) {
    auto* found = api::at(object, withoutDot(info.scale.labelSelector));
    if (found && found->is_string()) {
      status["selector"] = *found;
    } else if (auto selector = api::LabelSelector::fromAny(found); found && selector.ok()) {
      status["selector"] = selector->text();
    }
  }
  return JsonObject{{"kind", "Scale"},
                    {"apiVersion", "autoscaling/v1"},
                    {"metadata", std::move(metadata)},
                    {"spec", JsonObject{{"replicas", numberAt(object, info.scale.specReplicas)}}},
                    {"status", std::move(status)}};
}

Result<> planSubresource(PendingWrite& p) {
  auto& sub = p.request.subresource;
  if (sub == "binding" && p.info == p.core->pods) return planBinding(p);
  if (sub == "eviction" && p.info == p.core->pods) return planEviction(p);
  if (sub == "scale" && !p.info->scale.specReplicas.empty()) return planScale(p);
  if (sub == "finalize" && p.info == p.core->namespaces && p.request.verb == Verb::Update) {
    PH_ASSIGN(p.tree, readBody(*p.core, p.request, nullptr));
    p.decide = decideFinalize;
    return {};
  }
  return Status::notFound("the server could not find the requested resource");
}

}  // namespace ph::server
