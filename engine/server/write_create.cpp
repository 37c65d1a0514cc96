#include <algorithm>

#include "engine/api/codec.h"
#include "engine/api/convert.h"
#include "engine/api/custom/kind.h"
#include "engine/api/protobuf.h"
#include "engine/api/types/meta.h"
#include "engine/server/apply/tracking.h"
#include "engine/server/admission/admission.h"
#include "engine/server/authz.h"
#include "engine/server/custom/custom_kinds.h"
#include "engine/server/custom/definitions.h"
#include "engine/server/json_util.h"
#include "engine/server/pending_write.h"
#include "engine/server/protobuf_body.h"

namespace ph::server {

namespace {

std::string versionOf(const ResourceInfo& info) { return info.kind + " in version \"" + info.version + "\""; }

Status cannotHandle(const ResourceInfo& info, const std::string& why) {
  return Status::badRequest(versionOf(info) + " cannot be handled as a " + info.kind + ": " + why);
}

// What a body, or what a patch makes of an object, can't be read as one of this kind.
Status unreadable(const PendingWrite& p, const ResourceInfo& info, const Json& tree, const std::string& why) {
  bool patched = p.request.verb == Verb::Patch && p.old && !p.apply;
  if (!patched) return cannotHandle(info, why);
  api::ErrorList errors;
  errors.invalid("patch", api::toText(tree), why);
  return errors.toStatus(ResourceInfo(), "");
}

}  // namespace

Result<Json> readBody(const Core& core, const ApiRequest& request, std::vector<std::string>* duplicates) {
  auto& type = request.contentType;
  if (request.body.empty()) return Status::badRequest("the request has no body");
  if (type.empty() || type.starts_with("application/json") || type.ends_with("+json"))
    return api::parseJson(request.body, duplicates);
  if (type == "application/yaml" || type == "text/yaml" || type == "application/x-yaml" || type.ends_with("+yaml"))
    return api::parseYaml(request.body, duplicates);
  // Programs that send nothing else in particular (curl -d) mean JSON.
  if (type == "application/x-www-form-urlencoded" || type == "text/plain" || type == "application/octet-stream")
    return api::parseJson(request.body, duplicates);
  bool custom = request.info && request.info->custom && request.verb != Verb::Delete;
  if (type == api::kProtobufMedia && !custom) return readProtobuf(request.body, *core.registry);
  return Status::unsupportedMediaType(
      std::string("the body of the request was in an unknown format - accepted media types include: application/json, application/yaml") +
      (custom ? "" : ", application/vnd.kubernetes.protobuf"));
}

Result<> checkKind(Json& tree, const ResourceInfo& info) {
  if (!tree.is_object()) return cannotHandle(info, "the body must be an object");
  auto& root = tree.get_object();
  auto version = textAt(&root, "apiVersion");
  auto kind = textAt(&root, "kind");
  if (!version.empty() && version != info.apiVersion())
    return Status::badRequest("the API version in the data (" + std::string(version) +
                              ") does not match the expected API version (" + info.apiVersion() + ")");
  if (!kind.empty() && kind != info.kind)
    return Status::badRequest(std::string(kind) + " in version \"" + info.version + "\" cannot be handled as a " +
                              info.kind);
  if (version.empty()) root["apiVersion"] = info.apiVersion();
  if (kind.empty()) root["kind"] = info.kind;
  return {};
}

namespace {

// Values of a wrong type, each under the field `at` when that is given.
Result<> checkTypes(PendingWrite& p, const ResourceInfo& info, const api::ErrorList& errors, const Json& tree, const std::string& at = "") {
  std::string why;
  for (auto& c : errors.causes()) {
    if (c.reason != "FieldValueTypeInvalid") continue;
    if (!why.empty()) why += ", ";
    why += at + (at.empty() || c.field.empty() ? "" : ".") + c.field + ": " + c.message;
  }
  if (!why.empty()) return unreadable(p, info, tree, why);
  return {};
}

// Wrong types are answered at once; all else is kept, until the kind's own rules have been asked too.
Result<> keepErrors(PendingWrite& p, const ResourceInfo& info, const api::ErrorList& errors, const Json& tree) {
  if (errors.empty()) return {};
  PH_TRY(checkTypes(p, info, errors, tree));
  p.schemaErrors = withSchemaErrors(p, errors);
  return {};
}

// What another version said is completed and checked by the stored one's schema too.
Result<> toStored(PendingWrite& p, Json& tree) {
  if (p.asked == p.info) return {};
  api::convertTree(tree, *p.asked, *p.info);
  api::ErrorList errors;
  if (p.info->custom) p.info->custom->restore(tree);
  else api::conform(tree, *p.info->type, errors, nullptr);
  return keepErrors(p, *p.info, errors, tree);
}

}  // namespace

Result<> conformTree(PendingWrite& p, Json& tree, std::vector<std::string> duplicates) {
  api::ErrorList errors;
  std::vector<std::string> unknown;
  if (p.asked->custom) p.asked->custom->conform(tree, errors, &unknown);
  else api::conform(tree, *p.asked->type, errors, &unknown);
  PH_TRY(keepErrors(p, *p.asked, errors, tree));
  PH_TRY(toStored(p, tree));
  if (p.request.options.fieldValidation == FieldValidation::Ignore) return {};
  std::vector<std::string> complaints;
  for (auto& path : unknown) complaints.push_back("unknown field \"" + path + "\"");
  for (auto& path : duplicates) complaints.push_back("duplicate field \"" + path + "\"");
  if (complaints.empty()) return {};
  if (p.request.options.fieldValidation == FieldValidation::Warn) {
    for (auto& c : complaints) p.warnings.push_back(std::move(c));
    return {};
  }
  std::string all;
  for (auto& c : complaints) all += (all.empty() ? "" : ", ") + c;
  return unreadable(p, *p.asked, tree, "strict decoding error: " + all);
}

Result<> checkMetadata(PendingWrite& p, const Json& tree) {
  auto* metadata = member(&tree, "metadata");
  if (!metadata || metadata->is_null()) return {};
  Json read = *metadata;
  api::ErrorList errors;
  api::conform(read, api::schemaOf<api::meta::ObjectMeta>(), errors, nullptr);
  return checkTypes(p, *p.asked, errors, tree, "metadata");
}

api::ErrorList withSchemaErrors(PendingWrite& p, const api::ErrorList& found) {
  api::ErrorList out = std::exchange(p.schemaErrors, {});
  size_t known = out.causes().size();
  for (auto& c : found.causes()) {
    auto& all = out.causes();
    bool same = std::any_of(all.begin(), all.begin() + long(known), [&](auto& o) { return o.field == c.field && o.reason == c.reason; });
    if (!same) out.append(c);
  }
  return out;
}

namespace {

Result<> checkNamespaceOf(PendingWrite& p, JsonObject& metadata) {
  auto ns = textAt(&metadata, "namespace");
  if (!p.info->namespaced) {
    if (!ns.empty()) metadata.erase("namespace");
    return {};
  }
  if (!ns.empty() && ns != p.request.ns)
    return Status::badRequest("the namespace of the provided object does not match the namespace sent on the request");
  metadata["namespace"] = p.request.ns;
  return {};
}

// The name: given, or made from generateName until it is free.
Result<> settleName(PendingWrite& p, JsonObject& metadata) {
  auto name = std::string(textAt(&metadata, "name"));
  if (!p.request.name.empty()) {
    if (!name.empty() && name != p.request.name)
      return Status::badRequest("the name of the object (" + name + ") does not match the name on the URL (" +
                                p.request.name + ")");
    name = p.request.name;
  }
  auto base = textAt(&metadata, "generateName");
  auto& random = p.core->executor->random();
  for (int i = 0; name.empty() && !base.empty(); ++i) {
    // 63 is what most kinds allow; the suffix has 5.
    auto made = std::string(base.substr(0, 58)) + random.suffix();
    if (i >= 8 || !p.core->cache->get(*p.info, p.request.ns.empty() ? made : p.request.ns + "/" + made)) name = made;
  }
  if (!name.empty()) metadata["name"] = name;
  p.request.name = name;
  p.key = p.request.key();
  return {};
}

// What no client can set.
void dropOwnMetadata(JsonObject& metadata) {
  for (auto key : {"resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields",
                   "generation", "uid", "creationTimestamp"})
    metadata.erase(key);
}

void setOwnMetadata(PendingWrite& p, JsonObject& metadata) {
  metadata["uid"] = p.core->executor->random().uuid();
  metadata["creationTimestamp"] = formatTime(p.core->now());
  if (p.info->generation) metadata["generation"] = 1;
}

Result<Decision> decideCreate(PendingWrite& p, const ObjectPtr& current) {
  if (current) return alreadyExists(*p.info, p.request.name);
  PH_TRY(checkKindStays(*p.core, *p.info));
  if (p.info->namespaced) PH_TRY(checkNamespace(*p.core, *p.info, p.request.ns, p.request.name));
  return Decision{Decision::Kind::Put, std::move(p.made)};
}

}  // namespace

Result<> planCreate(PendingWrite& p) {
  auto duplicates = p.duplicates;  // of an apply's text, which arrives here rewritten
  PH_ASSIGN(Json tree, readBody(*p.core, p.request, &duplicates));
  PH_TRY(checkKind(tree, *p.asked));
  PH_TRY(conformTree(p, tree, std::move(duplicates)));
  auto& metadata = makeObject(tree, "metadata");
  if (p.info->namespaced && p.request.ns.empty()) return Status::badRequest("a namespace is required to create this");
  PH_TRY(checkNamespaceOf(p, metadata));
  if (!textAt(&metadata, "resourceVersion").empty())
    return Status::badRequest("resourceVersion should not be set on objects to be created");
  PH_TRY(settleName(p, metadata));
  PH_TRY(authorizeCreated(*p.core, p.request, p.request.name));
  Json asked;
  if (auto* managed = metadata.if_contains("managedFields")) asked = std::move(*managed);
  dropOwnMetadata(metadata);
  // An early answer, before admission reserves anything; decided again when the key's turn comes.
  if (!p.request.name.empty() && p.core->cache->get(*p.info, p.key)) return alreadyExists(*p.info, p.request.name);
  Json managed = trackCreate(p, tree, asked);
  setOwnMetadata(p, metadata);
  auto context = p.context();
  context.operation = api::Operation::Create;  // also of an apply or an update that creates
  if (isDefinition(*p.info)) prepareDefinition(tree, nullptr);
  if (p.info->strategy && p.info->strategy->prepareCreate) p.info->strategy->prepareCreate(tree, context);
  Admission admission{*p.core, p.request, *p.info, tree, nullptr, &p.warnings};
  auto admitted = admitChanges(admission);
  p.taken = std::move(admission.taken);
  if (!admitted.ok()) return admitted;
  api::ErrorList errors;
  api::validateObject(tree, context, errors);
  if (isDefinition(*p.info)) {
    checkDefinition(tree, nullptr, p.asked->version == "v1beta1", errors);
    for (auto& w : definitionWarnings(tree)) p.warnings.push_back(std::move(w));
  }
  errors = withSchemaErrors(p, errors);
  if (!errors.empty()) return errors.toStatus(*p.info, p.request.name);
  PH_TRY(admitJudging(admission));
  p.hold = std::move(admission.hold);
  if (managed.is_array()) makeObject(tree, "metadata")["managedFields"] = std::move(managed);
  p.made = api::Object::make(p.info, tree, 0);
  p.decide = decideCreate;
  p.code = 201;
  return {};
}

}  // namespace ph::server
