#include "engine/server/apply/tracking.h"

#include "engine/api/codec.h"
#include "engine/server/authz.h"
#include "engine/server/json_util.h"
#include "engine/server/write_rules.h"

namespace ph::server {
namespace {

constexpr size_t kMaxManager = 128;
constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

// Fields that the server owns: nobody's.
void strip(FieldSet& set) {
  static const FieldSet owned = [] {
    FieldSet s;
    s.insert({"f:apiVersion"});
    s.insert({"f:kind"});
    s.insert({"f:metadata"});
    for (auto name : {"f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid", "f:clusterName",
                      "f:generation", "f:managedFields", "f:resourceVersion"})
      s.insert({"f:metadata", name});
    return s;
  }();
  set.subtract(owned);
}

// What a write to this endpoint can't change is not what it owns: the status through the object, the rest through status.
void reset(FieldSet& set, const PendingWrite& p) {
  if (!p.info->hasStatus) return;
  FieldSet out;
  if (p.request.subresource == "status") {
    for (auto& n : set.nodes())
      if (n.step != "f:status" && n.step != "f:metadata") out.insert({n.step});
    for (auto name : kWrittenMetadata)
      if (!writableThroughStatus(*p.info, name)) out.insert({"f:metadata", api::fieldStep(name)});
  } else {
    out.insert({"f:status"});
  }
  set.subtractTrees(out);
}

std::string managerOf(const ApiRequest& r) {
  if (!r.options.fieldManager.empty()) return r.options.fieldManager;
  auto agent = std::string_view(r.userAgent).substr(0, r.userAgent.find('/'));
  std::string out;
  for (char c : agent.substr(0, kMaxManager))
    if (c >= ' ' && c != 0x7f) out += c;
  if (out.empty()) out = r.internal ? "pilothouse" : "unknown";
  return out;
}

Writer writerOf(const PendingWrite& p, bool applies) {
  auto& sub = p.viaSubresource.empty() ? p.request.subresource : p.viaSubresource;
  return {managerOf(p.request), p.info->apiVersion(), sub, applies};
}

Json* managedIn(Json& tree) {
  auto* metadata = member(&tree, "metadata");
  return metadata ? member(metadata, "managedFields") : nullptr;
}
const Json* managedIn(const Json& tree) { return member(member(&tree, "metadata"), "managedFields"); }

void setManaged(Json& tree, Json managed) {
  auto& metadata = makeObject(tree, "metadata");
  if (managed.is_array() && !managed.get_array().empty())
    metadata["managedFields"] = std::move(managed);
  else
    metadata.erase("managedFields");
}

std::string describe(const Writer& w) {
  auto name = api::toText(Json(w.manager));
  if (!w.subresource.empty()) name += " with subresource " + api::toText(Json(w.subresource));
  return w.applies ? name : name + " using " + w.apiVersion;
}

Status conflictStatus(const std::vector<ManagedEntry>& conflicts) {
  Status status{409, "Conflict", ""};
  std::string lines;
  size_t count = 0;
  for (auto& c : conflicts) {
    lines += (lines.empty() ? "conflicts with " : "\nconflicts with ") + describe(c.writer) + ":";
    for (auto& path : c.fields.paths()) {
      ++count;
      lines += "\n- " + path;
      status.causes.push_back({"FieldManagerConflict", "conflict with " + describe(c.writer), path});
    }
  }
  status.message = count == 1 ? "Apply failed with 1 conflict: conflict with " + describe(conflicts[0].writer) + ": " +
                                    status.causes[0].field
                              : "Apply failed with " + std::to_string(count) + " conflicts: " + lines;
  return status;
}

// kubectl's own server-side apply takes over what its client-side apply set before.
FieldSet allowedConflicts(const PendingWrite& p, const Writer& writer, const Json& live) {
  if (writer.manager != "kubectl") return {};
  auto* annotations = member(member(&live, "metadata"), "annotations");
  auto text = textAt(annotations ? annotations->if_object() : nullptr, kLastApplied);
  if (text.empty()) return {};
  auto config = api::parseJson(text);
  if (!config.ok()) return {};
  auto fields = api::appliedFields(*config, *p.info->type);
  return fields.ok() ? std::move(*fields) : FieldSet();
}

// Keeps the annotation of client-side apply in step, so that kubectl apply without --server-side still works afterwards.
void renewLastApplied(const PendingWrite& p, const Writer& writer, Json& next) {
  if (writer.manager != "kubectl") return;
  auto* annotations = member(member(&next, "metadata"), "annotations");
  if (!annotations || !annotations->is_object() || !annotations->get_object().contains(kLastApplied)) return;
  Json config = p.apply->config;
  if (auto* a = member(member(&config, "metadata"), "annotations"); a && a->is_object()) a->get_object().erase(kLastApplied);
  annotations->get_object()[kLastApplied] = api::toText(config) + "\n";
}

const char* optionsKind(Verb verb) {
  switch (verb) {
    case Verb::Create: return "CreateOptions";
    case Verb::Update: return "UpdateOptions";
    default: return "PatchOptions";
  }
}

}  // namespace

Result<> checkWriteOptions(const ApiRequest& r) {
  if (r.verb != Verb::Create && r.verb != Verb::Update && r.verb != Verb::Patch) return {};
  api::ErrorList errors;
  bool apply = r.verb == Verb::Patch && r.contentType.starts_with("application/apply-patch");
  auto& manager = r.options.fieldManager;
  if (r.verb == Verb::Patch) {
    if (!apply && r.options.force) errors.forbidden("force", "may not be specified for non-apply patch");
    if (apply && manager.empty()) errors.required("fieldManager", "is required for apply patch");
  }
  if (manager.size() > kMaxManager) errors.tooLong("fieldManager", kMaxManager);
  for (size_t i = 0; i < manager.size(); ++i) {
    auto c = static_cast<unsigned char>(manager[i]);
    if (c >= ' ' && c != 0x7f) continue;
    static constexpr char digits[] = "0123456789ABCDEF";
    errors.invalid("fieldManager", manager, std::string("invalid character U+00") + digits[c >> 4] + digits[c & 15] +
                                                " (at position " + std::to_string(i) + ")");
    break;
  }
  if (errors.empty()) return {};
  ResourceInfo options;
  options.group = "meta.k8s.io";
  options.kind = optionsKind(r.verb);
  return errors.toStatus(options, "");
}

Json trackCreate(const PendingWrite& p, const Json& tree, const Json& asked) {
  ManagedFields managed;
  if (p.apply) {
    auto& own = managed.at(writerOf(p, true));
    own.fields = p.apply->fields;
    own.time = formatTime(p.core->now());
    if (own.fields.empty()) return nullptr;
    return managed.toJson();
  }
  if (p.request.internal || !nodeOf(p.request.user).empty()) return nullptr;
  if (auto wanted = ManagedFields::parse(asked, false); wanted.ok()) managed = std::move(*wanted);
  static const Json nothing = JsonObject();
  auto changes = api::changedFields(nothing, tree, *p.info->type);
  strip(changes.set);
  reset(changes.set, p);
  managed.update(std::move(changes), writerOf(p, false), p.core->now());
  return managed.toJson();
}

void trackUpdate(const PendingWrite& p, const Json& old, Json& next) {
  auto* stored = managedIn(old);
  auto* wanted = managedIn(next);
  if (!stored && !wanted) return;
  Json asked = wanted && p.request.subresource.empty() && p.viaSubresource.empty() ? std::move(*wanted) : Json();
  if (wanted) makeObject(next, "metadata").erase("managedFields");
  if (isReset(asked)) return;
  bool own = !asked.is_null() && !(stored && *stored == asked);
  ManagedFields managed;
  if (own)
    if (auto parsed = ManagedFields::parse(asked, false); parsed.ok()) managed = std::move(*parsed);
  own = own && !managed.empty();
  auto changes = api::changedFields(old, next, *p.info->type);
  strip(changes.set);
  strip(changes.removed);
  if (!own && stored) {
    if (changes.empty()) return setManaged(next, *stored);
    if (auto parsed = ManagedFields::parse(*stored, true); parsed.ok()) managed = std::move(*parsed);
  }
  if (managed.empty()) return;
  managed.update(std::move(changes), writerOf(p, false), p.core->now());
  setManaged(next, managed.toJson());
}

Result<> readApply(PendingWrite& p) {
  p.apply = std::make_shared<PendingApply>();
  p.apply->takesAll = p.request.options.force;
  auto fields = api::appliedFields(p.tree, *p.info->type);
  if (!fields.ok()) {
    auto place = p.request.ns.empty() ? "/" + p.request.name : p.request.ns + "/" + p.request.name;
    return Status::badRequest("failed to create typed patch object (" + place + "; " + p.info->apiVersion() +
                              ", Kind=" + p.info->kind + "): " + fields.status().message);
  }
  p.apply->fields = std::move(*fields);
  strip(p.apply->fields);
  reset(p.apply->fields, p);
  p.apply->config = p.tree;
  return {};
}

Result<Json> mergeApply(PendingWrite& p, const Json& live) {
  auto& apply = *p.apply;
  auto writer = writerOf(p, true);
  apply.managed = ManagedFields();
  if (auto* stored = managedIn(live)) {
    PH_ASSIGN(apply.managed, ManagedFields::parse(*stored, true));
  }
  Json base = live;
  makeObject(base, "metadata").erase("managedFields");
  if (apply.managed.empty()) {
    static const Json nothing = JsonObject();
    auto all = api::changedFields(nothing, base, *p.info->type).set;
    strip(all);
    reset(all, p);
    if (!all.empty()) {
      auto& first = apply.managed.at({"before-first-apply", p.info->apiVersion(), "", false});
      first.fields = std::move(all);
      first.time = formatTime(p.core->now());
    }
  }
  auto& own = apply.managed.at(writer);
  FieldSet last = std::move(own.fields);
  own.fields = apply.fields;
  own.writer.apiVersion = writer.apiVersion;
  Json merged = api::mergeApplied(base, apply.config, *p.info->type);
  if (!last.empty()) api::dropAbandoned(merged, last, apply.managed.all(), *p.info->type);
  return merged;
}

Result<> settleApply(PendingWrite& p, const Json& old, Json& next) {
  auto& apply = *p.apply;
  auto writer = writerOf(p, true);
  makeObject(next, "metadata").erase("managedFields");
  auto changes = api::changedFields(old, next, *p.info->type);
  strip(changes.set);
  strip(changes.removed);
  if (!apply.takesAll) {
    auto conflicts = apply.managed.conflicts(changes.set, writer, allowedConflicts(p, writer, old));
    if (!conflicts.empty()) return conflictStatus(conflicts);
  }
  apply.managed.take(changes, writer);
  if (apply.fields.empty()) apply.managed.drop(writer);
  // The time tells when something changed: the object, or who owns what.
  if (auto* own = apply.managed.find(writer)) {
    Json before = managedIn(old) ? *managedIn(old) : Json();
    if (!changes.empty() || apply.managed.toJson() != before) own->time = formatTime(p.core->now());
  }
  setManaged(next, apply.managed.toJson());
  renewLastApplied(p, writer, next);
  return {};
}

}  // namespace ph::server
