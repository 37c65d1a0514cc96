#include "engine/server/event_encoder.h"

#include "engine/api/codec.h"
#include "engine/server/json_util.h"
#include "engine/server/protobuf_answer.h"
#include "engine/server/status_json.h"
#include "engine/server/table.h"

namespace ph::server {
namespace {

std::string_view seenName(Seen seen) {
  static constexpr std::string_view names[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
  return names[size_t(seen)];
}

void begin(std::string& out, Seen seen) {
  out += "{\"type\":\"";
  out += seenName(seen);
  out += "\",\"object\":";
}

// A JSON object of a kind that protobuf knows, as a frame.
std::string frame(Seen seen, const Json& tree) {
  std::string out;
  auto object = protobufOf(tree);
  PH_CHECK(object.has_value());
  appendWatchFrame(out, seenName(seen), *object);
  return out;
}

// A table's own metadata has no annotations: as in Kubernetes, a row's object carries the one that ends the first events.
void appendBookmarkRow(std::string& out, const ResourceInfo& info, const Media& media, JsonObject metadata) {
  if (media.include == Media::Include::None) return;
  JsonObject object{{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/" + std::string(media.metaVersion)}, {"metadata", std::move(metadata)}};
  api::appendText(JsonObject{{"cells", JsonArray(info.columns.size())}, {"object", std::move(object)}}, out);
}

size_t slotOf(int64_t revision, Seen seen) { return size_t(revision * 3 + int(seen)) % 128; }

}  // namespace

net::Buffer EncodedRing::find(int64_t revision, Seen seen) {
  std::lock_guard lock(mutex_);
  auto& slot = slots_[slotOf(revision, seen)];
  return slot.revision == revision && slot.seen == seen ? slot.bytes : nullptr;
}

void EncodedRing::keep(int64_t revision, Seen seen, net::Buffer bytes) {
  std::lock_guard lock(mutex_);
  slots_[slotOf(revision, seen)] = {revision, seen, std::move(bytes)};
}

std::shared_ptr<EncodedRing> EventEncoder::ring(const ResourceInfo& info, const Media& media) {
  std::lock_guard lock(mutex_);
  auto& weak = rings_[{&info, media.id()}];
  auto ring = weak.lock();
  if (!ring) weak = ring = std::make_shared<EncodedRing>();
  return ring;
}

void appendEvent(std::string& out, Seen seen, const api::Object& object, const Media& media, WallTime now) {
  if (media.protobuf) return appendWatchFrame(out, seenName(seen), protobufObject(object, media));
  begin(out, seen);
  if (media.shape == Shape::Object) {
    object.appendJson(out);
  } else if (media.shape == Shape::Table) {
    appendTableHead(out, object.info(), media, std::to_string(object.revision()), {}, std::nullopt, true);
    appendTableRow(out, object, media, now);
    out += "]}";
  } else {
    appendPartial(out, object, media, true);
  }
  out += "}\n";
}

std::string bookmarkLine(const ResourceInfo& info, int64_t revision, const Media& media, bool endOfInitial) {
  std::string out;
  begin(out, Seen::Bookmark);
  auto version = std::to_string(revision);
  JsonObject metadata{{"resourceVersion", version}, {"creationTimestamp", nullptr}};
  if (endOfInitial) metadata["annotations"] = JsonObject{{"k8s.io/initial-events-end", "true"}};
  if (media.shape == Shape::Table) {
    appendTableHead(out, info, media, version, {}, std::nullopt, false);
    if (endOfInitial) appendBookmarkRow(out, info, media, std::move(metadata));
    out += "]}}\n";
    return out;
  }
  bool partial = media.shape == Shape::Partial;
  Json tree = JsonObject{{"kind", partial ? std::string("PartialObjectMetadata") : info.kind},
                         {"apiVersion", partial ? "meta.k8s.io/" + std::string(media.metaVersion) : info.apiVersion()},
                         {"metadata", std::move(metadata)}};
  if (media.protobuf) return frame(Seen::Bookmark, tree);
  api::appendText(tree, out);
  out += "}\n";
  return out;
}

std::string errorLine(const Status& status, const Media& media) {
  Json tree = statusTree(status);
  if (media.protobuf) return frame(Seen::Error, tree);
  std::string out;
  begin(out, Seen::Error);
  api::appendText(tree, out);
  out += "}\n";
  return out;
}

}  // namespace ph::server
