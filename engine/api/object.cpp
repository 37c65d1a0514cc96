#include "engine/api/object.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "engine/api/codec.h"
#include "engine/api/custom/kind.h"
#include "engine/api/restore.h"
#include "engine/api/struct_ops.h"

namespace ph::api {
namespace {

namespace bj = boost::json;

constexpr size_t kScratchKept = 64 * 1024;  // bytes a thread keeps for writing the next object

std::string_view view(bj::string_view s) { return {s.data(), s.size()}; }

void take(const JsonObject& o, const char* key, std::string& out) {
  if (auto* v = o.if_contains(key))
    if (auto* s = v->if_string()) out.assign(s->data(), s->size());
}
bool truth(const JsonObject& o, const char* key) {
  auto* v = o.if_contains(key);
  return v && v->is_bool() && v->get_bool();
}
int64_t integer(const JsonObject& o, const char* key) {
  auto* v = o.if_contains(key);
  return v && v->is_int64() ? v->get_int64() : 0;
}
std::optional<WallTime> time(const JsonObject& o, const char* key) {
  auto* v = o.if_contains(key);
  return v && v->is_string() ? parseTime(view(v->get_string())) : std::nullopt;
}

OwnerRef readOwner(const JsonObject& o) {
  OwnerRef r;
  take(o, "apiVersion", r.apiVersion);
  take(o, "kind", r.kind);
  take(o, "name", r.name);
  take(o, "uid", r.uid);
  r.controller = truth(o, "controller");
  r.blockOwnerDeletion = truth(o, "blockOwnerDeletion");
  return r;
}

void readMeta(const JsonObject& o, Meta& m) {
  take(o, "namespace", m.ns);
  take(o, "name", m.name);
  take(o, "uid", m.uid);
  if (auto* v = o.if_contains("labels"); v && v->is_object()) {
    m.labels.reserve(v->get_object().size());
    for (auto& kv : v->get_object())
      if (auto* s = kv.value().if_string()) m.labels.emplace_back(view(kv.key()), view(*s));
    std::sort(m.labels.begin(), m.labels.end());
  }
  if (auto* v = o.if_contains("ownerReferences"); v && v->is_array())
    for (auto& e : v->get_array())
      if (auto* owner = e.if_object()) m.owners.push_back(readOwner(*owner));
  if (auto* v = o.if_contains("finalizers"); v && v->is_array())
    for (auto& e : v->get_array())
      if (auto* s = e.if_string()) m.finalizers.emplace_back(view(*s));
  m.generation = integer(o, "generation");
  m.created = time(o, "creationTimestamp").value_or(WallTime{});
  if (auto t = time(o, "deletionTimestamp")) {
    m.deleting = true;
    m.deletionTime = *t;
    m.deletionGraceSeconds = integer(o, "deletionGracePeriodSeconds");
  }
}

int64_t parseRevision(const JsonObject& metadata) {
  auto* v = metadata.if_contains("resourceVersion");
  if (!v || !v->is_string()) return 0;
  auto s = view(v->get_string());
  int64_t n = 0;
  auto r = std::from_chars(s.data(), s.data() + s.size(), n);
  return r.ec == std::errc() && r.ptr == s.data() + s.size() ? n : 0;
}

void appendMembers(const JsonObject& o, std::span<const std::string_view> skip, bool first, std::string& out) {
  for (auto& kv : o) {
    if (std::find(skip.begin(), skip.end(), view(kv.key())) != skip.end()) continue;
    if (!first) out += ',';
    first = false;
    appendQuoted(view(kv.key()), out);
    out += ':';
    appendText(kv.value(), out);
  }
}

// What each stored object begins with; the members of its metadata follow.
void appendHead(const ResourceInfo& info, std::string& out) {
  out += "{\"apiVersion\":\"";
  if (!info.group.empty()) out.append(info.group).append("/");
  out.append(info.version).append("\",\"kind\":\"").append(info.kind).append("\",\"metadata\":{");
}

constexpr std::string_view kHead[] = {"apiVersion", "kind", "metadata"};
constexpr std::string_view kNeverStored[] = {"resourceVersion", "selfLink"};

}  // namespace

std::string_view Meta::label(std::string_view key) const {
  auto it = std::lower_bound(labels.begin(), labels.end(), key, [](auto& pair, std::string_view k) { return pair.first < k; });
  return it != labels.end() && it->first == key ? std::string_view(it->second) : std::string_view();
}

ObjectPtr Object::make(const ResourceInfo* info, const Json& tree, int64_t revision) {
  static const JsonObject nothing;
  auto body = std::make_shared<Body>();
  auto* root = tree.if_object();
  const JsonObject& top = root ? *root : nothing;
  auto* metadata = top.if_contains("metadata");
  const JsonObject& meta = metadata && metadata->is_object() ? metadata->get_object() : nothing;
  readMeta(meta, body->meta);

  // Written where there is room already, then kept in just as much as it takes.
  thread_local std::string out;
  out.clear();
  appendHead(*info, out);
  body->spliceAt = out.size();
  appendMembers(meta, kNeverStored, true, out);
  out += '}';
  appendMembers(top, kHead, false, out);
  out += '}';
  body->json = out;
  if (out.capacity() > kScratchKept) std::string().swap(out);
  return std::make_shared<const Object>(info, std::move(body), revision, std::make_shared<Decoded>());
}

Result<ObjectPtr> Object::parse(const ResourceInfo* info, std::string_view json, int64_t revision) {
  PH_ASSIGN(Json tree, parseJson(json));
  auto* top = tree.if_object();
  auto* metadata = top ? top->if_contains("metadata") : nullptr;
  if (!metadata || !metadata->is_object()) return Status::badRequest("the object has no metadata");
  if (revision == 0) revision = parseRevision(metadata->get_object());
  if (info->custom) info->custom->restore(tree);  // may have been stored under an earlier schema
  return make(info, tree, revision);
}

Result<ObjectPtr> restoreObject(const ResourceInfo* info, std::string_view json, int64_t revision) {
  std::string head;
  appendHead(*info, head);
  // Another version of the kind was the stored one then, or it is a custom kind, whose schema may have been another.
  if (info->custom || !json.starts_with(head)) return Object::parse(info, json, revision);
  PH_ASSIGN(Json tree, parseMember(json, "metadata"));
  auto* metadata = tree.if_object();
  if (!metadata) return Status::badRequest("the object has no metadata");
  for (auto key : kNeverStored)
    if (metadata->contains(key)) return Object::parse(info, json, revision);
  auto body = std::make_shared<Object::Body>();
  body->json = json;
  body->spliceAt = head.size();
  readMeta(*metadata, body->meta);
  return std::make_shared<const Object>(info, std::move(body), revision, std::make_shared<Object::Decoded>());
}

ObjectPtr Object::at(int64_t revision) const { return std::make_shared<const Object>(info_, body_, revision, decoded_); }

ObjectPtr Object::undecoded() const { return std::make_shared<const Object>(info_, body_, revision_, std::make_shared<Decoded>()); }

void Object::appendJson(std::string& out) const {
  if (revision_ == 0) {  // was never stored
    out += body_->json;
    return;
  }
  char number[24];
  auto r = std::to_chars(number, number + sizeof number, revision_);
  const std::string& json = body_->json;
  if (out.empty()) out.reserve(json.size() + sizeof number + 24);  // the object, and its revision
  out.append(json, 0, body_->spliceAt);
  out.append("\"resourceVersion\":\"").append(number, r.ptr).append("\"");
  if (json[body_->spliceAt] != '}') out += ',';
  out.append(json, body_->spliceAt);
}

Json Object::tree() const {
  auto parsed = parseJson(json());
  PH_CHECK(parsed.ok());
  return std::move(parsed).value();
}

const void* Object::typed() const {
  auto* ops = info_->type->ops;
  return ops && ops->create ? decoded(info_->type) : nullptr;
}

const void* Object::decoded(const Type* type) const {
  PH_CHECK_MSG(type == info_->type && type->ops, info_->kind);
  Decoded& kept = *decoded_;
  std::call_once(kept.once, [&] {
    auto parsed = parseJson(body_->json);
    PH_CHECK(parsed.ok());
    std::shared_ptr<void> value(type->ops->create(), type->ops->destroy);
    decodeLenient(*parsed, *type, value.get());
    kept.typed = std::move(value);
  });
  return kept.typed.get();
}

}  // namespace ph::api
