#include "engine/server/list_renderer.h"

#include "engine/api/codec.h"
#include "engine/api/convert.h"
#include "engine/server/json_util.h"
#include "engine/server/protobuf_answer.h"
#include "engine/server/table.h"
#include "engine/server/text_form.h"

namespace ph::server {

ListRenderer::ListRenderer(const Core& core, const ResourceInfo& info, Listing listing, Media media)
    : core_(core), info_(info), listing_(std::move(listing)), media_(media) {}

bool ListRenderer::measure(size_t items) {
  if (!media_.protobuf) return true;
  for (; items && measured_ < listing_.items.size(); --items, ++measured_) {
    auto message = protobufMessage(*api::asVersion(listing_.items[measured_], info_), media_);
    itemBytes_ += listItemSize(message.size());
    if (itemBytes_ <= kKept) kept_.push_back(std::move(message));
  }
  return measured_ == listing_.items.size();
}

std::string ListRenderer::jsonHead() const {
  std::string out;
  if (media_.shape == Shape::Table) {
    appendTableHead(out, info_, media_, std::to_string(listing_.revision), listing_.continueToken, listing_.remaining,
                    true);
    return out;
  }
  bool partial = media_.shape == Shape::Partial;
  out += "{\"kind\":\"";
  out += partial ? "PartialObjectMetadataList" : info_.listKind();
  out += "\",\"apiVersion\":\"";
  out += partial ? "meta.k8s.io/" + std::string(media_.metaVersion) : info_.apiVersion();
  out += "\",\"metadata\":{\"resourceVersion\":\"" + std::to_string(listing_.revision) + "\"";
  if (!listing_.continueToken.empty()) out += ",\"continue\":\"" + listing_.continueToken + "\"";
  if (listing_.remaining) out += ",\"remainingItemCount\":" + std::to_string(*listing_.remaining);
  out += "},\"items\":[";
  return out;
}

void ListRenderer::head(std::string& out) {
  if (media_.protobuf) {
    bool partial = media_.shape == Shape::Partial;
    ListHead head{partial ? "meta.k8s.io/" + std::string(media_.metaVersion) : info_.apiVersion(),
                  partial ? "PartialObjectMetadataList" : info_.listKind(), std::to_string(listing_.revision),
                  listing_.continueToken, listing_.remaining};
    out += protobufListHead(head, itemBytes_);
    return;
  }
  if (!media_.yaml && !media_.pretty) {
    out += jsonHead();
    return;
  }
  // The head by itself, without the list that it ends with; the items are put in its place.
  auto tree = api::parseJson(jsonHead() + "]}");
  PH_CHECK(tree.ok());
  std::string_view list = media_.shape == Shape::Table ? "rows" : "items";
  tree->get_object().erase(list);
  if (media_.yaml) {
    appendYaml(*tree, out, 0);
    out += std::string(list) + (listing_.items.empty() ? ": []\n" : ":\n");
  } else {
    appendPretty(*tree, out, 0);
    out.resize(out.size() - 2);  // "\n}"
    out += ",\n  \"" + std::string(list) + "\": [";
  }
}

void ListRenderer::jsonItem(std::string& out, const api::Object& object) const {
  if (media_.shape == Shape::Table)
    appendTableRow(out, object, media_, core_.now());
  else if (media_.shape == Shape::Partial)
    appendPartial(out, object, media_, true);
  else
    object.appendJson(out);
}

void ListRenderer::item(std::string& out) {
  auto shown = api::asVersion(listing_.items[at_], info_);
  auto& object = *shown;
  if (media_.protobuf) {
    if (at_ < kept_.size())
      appendListItem(out, std::exchange(kept_[at_], {}));
    else
      appendListItem(out, protobufMessage(object, media_));
  } else if (media_.yaml || media_.pretty) {
    std::string text;
    jsonItem(text, object);
    auto tree = api::parseJson(text);
    PH_CHECK(tree.ok());
    if (media_.yaml) {
      appendYaml(JsonArray{std::move(*tree)}, out, 0);
    } else {
      out += at_ ? ",\n    " : "\n    ";
      appendPretty(*tree, out, 2);
    }
  } else {
    if (at_) out += ',';
    jsonItem(out, object);
  }
  ++at_;
}

void ListRenderer::tail(std::string& out) const {
  if (media_.protobuf || media_.yaml) return;
  if (!media_.pretty)
    out += "]}";
  else
    out += listing_.items.empty() ? "]\n}\n" : "\n  ]\n}\n";
}

net::Buffer ListRenderer::next(size_t target) {
  if (ended_) return nullptr;
  std::string out;
  out.reserve(std::min(target + target / 4, size_t(4096) + (listing_.items.size() - at_) * 2048));
  if (!begun_) head(out);
  begun_ = true;
  while (at_ < listing_.items.size() && out.size() < target) item(out);
  if (at_ == listing_.items.size()) {
    tail(out);
    ended_ = true;
  }
  return net::makeBuffer(std::move(out));
}

std::vector<net::Buffer> renderList(const Core& core, const ResourceInfo& info, const Listing& listing,
                                    const Media& media) {
  ListRenderer renderer(core, info, listing, media);
  while (!renderer.measure(1000)) {
  }
  std::vector<net::Buffer> out;
  while (auto chunk = renderer.next()) out.push_back(std::move(chunk));
  return out;
}

}  // namespace ph::server
