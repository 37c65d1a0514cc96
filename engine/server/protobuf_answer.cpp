#include "engine/server/protobuf_answer.h"

#include "engine/api/protobuf.h"
#include "engine/api/protobuf_writer.h"
#include "engine/server/json_util.h"
#include "engine/server/protobuf_body.h"

namespace ph::server {
namespace {

using api::ProtobufWriter;

constexpr std::string_view kMagic("k8s\0", 4);
constexpr int kItems = 2;  // of every list kind

// All kinds that have a protobuf form.
const api::Registry& builtins() {
  static const auto registry = api::Registry::builtin();
  return *registry;
}

ProtobufWriter typeMeta(std::string_view apiVersion, std::string_view kind) {
  ProtobufWriter out;
  out.bytes(1, apiVersion);
  out.bytes(2, kind);
  return out;
}

std::string envelope(std::string_view apiVersion, std::string_view kind, std::string_view message) {
  ProtobufWriter out;
  out.message(1, typeMeta(apiVersion, kind));
  out.bytes(2, message);
  out.bytes(3, "");  // contentEncoding and contentType: Go writes these too
  out.bytes(4, "");
  std::string all;
  all.reserve(kMagic.size() + out.data().size());
  return all.append(kMagic).append(out.data());
}

size_t varintSize(uint64_t v) {
  size_t n = 1;
  for (; v >= 0x80; v >>= 7) ++n;
  return n;
}

void appendVarint(std::string& out, uint64_t v) {
  for (; v >= 0x80; v >>= 7) out += char(v | 0x80);
  out += char(v);
}

ProtobufWriter listMeta(const ListHead& head) {
  ProtobufWriter out;
  out.bytes(1, "");  // selfLink
  out.bytes(2, head.resourceVersion);
  out.bytes(3, head.continueToken);
  if (head.remaining) out.varint(4, uint64_t(*head.remaining));
  return out;
}

ListHead headOf(const api::Json& tree) {
  auto* object = tree.if_object();
  auto* meta = objectAt(tree, "metadata");
  ListHead head{std::string(textAt(object, "apiVersion")), std::string(textAt(object, "kind")),
                std::string(textAt(meta, "resourceVersion")), std::string(textAt(meta, "continue")), std::nullopt};
  if (meta && meta->contains("remainingItemCount")) head.remaining = intAt(meta, "remainingItemCount");
  return head;
}

std::optional<std::string> listOf(const api::Json& tree, const JsonArray& items) {
  ListHead head = headOf(tree);
  if (!std::string_view(head.kind).ends_with("List")) return std::nullopt;
  auto* type = protobufType(builtins(), head.apiVersion, std::string_view(head.kind).substr(0, head.kind.size() - 4));
  if (!type) return std::nullopt;
  std::string body;
  for (auto& item : items) appendListItem(body, api::toProtobuf(item, *type));
  std::string out = protobufListHead(head, body.size());
  return out += body;
}

}  // namespace

std::string protobufMessage(const api::Object& object, const Media& media) {
  if (media.shape == Shape::Partial) {
    // Only what has a field of that name goes in.
    static const api::Type* partial = protobufType(builtins(), "", "PartialObjectMetadata");
    return api::toProtobuf(object.tree(), *partial);
  }
  return api::toProtobuf(object.tree(), *object.info().type);
}

std::string protobufObject(const api::Object& object, const Media& media) {
  if (media.shape == Shape::Partial)
    return envelope("meta.k8s.io/" + std::string(media.metaVersion), "PartialObjectMetadata", protobufMessage(object, media));
  return envelope(object.info().apiVersion(), object.info().kind, protobufMessage(object, media));
}

std::optional<std::string> protobufOf(const api::Json& tree) {
  auto* object = tree.if_object();
  if (auto* items = object ? object->if_contains("items") : nullptr; items && items->is_array())
    return listOf(tree, items->get_array());
  auto apiVersion = textAt(object, "apiVersion"), kind = textAt(object, "kind");
  auto* type = protobufType(builtins(), apiVersion, kind);
  if (!type) return std::nullopt;
  return envelope(apiVersion, kind, api::toProtobuf(tree, *type));
}

uint64_t listItemSize(size_t bytes) { return 1 + varintSize(bytes) + bytes; }

void appendListItem(std::string& out, std::string_view message) {
  out += char(kItems << 3 | 2);
  appendVarint(out, message.size());
  out += message;
}

std::string protobufListHead(const ListHead& head, uint64_t itemBytes) {
  ProtobufWriter meta, unknown;
  meta.message(1, listMeta(head));
  unknown.message(1, typeMeta(head.apiVersion, head.kind));
  std::string out(kMagic);
  out += unknown.data();
  // The raw message comes last, so that the items can follow as they are made.
  out += char(2 << 3 | 2);
  appendVarint(out, meta.data().size() + itemBytes);
  return out += meta.data();
}

void appendWatchFrame(std::string& out, std::string_view type, std::string_view object) {
  ProtobufWriter raw, event;
  raw.bytes(1, object);
  event.bytes(1, type);
  event.message(2, raw);
  auto size = uint32_t(event.data().size());
  for (int shift = 24; shift >= 0; shift -= 8) out += char(size >> shift);
  out += event.data();
}

}  // namespace ph::server
