#include "engine/server/media.h"

#include <algorithm>

namespace ph::server {
namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

// Cuts off and returns what stands before `separator`.
std::string_view next(std::string_view& rest, char separator) {
  size_t at = rest.find(separator);
  std::string_view head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return trim(head);
}

constexpr std::string_view kProtobuf = "application/vnd.kubernetes.protobuf";
constexpr size_t kMaxClauses = 64;

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return out;
}

// A q-value in thousandths; what is malformed counts as 1.
int quality(std::string_view text) {
  if (text.empty() || (text.front() != '0' && text.front() != '1')) return 1000;
  int q = (text.front() - '0') * 1000, scale = 100;
  if (text.size() > 1 && text[1] == '.')
    for (char c : text.substr(2, 3)) {
      if (c < '0' || c > '9') return 1000;
      q += (c - '0') * scale;
      scale /= 10;
    }
  return std::min(q, 1000);
}

// Takes one parameter into the choice; false: it can't be given.
bool parameter(Media& media, std::string_view name, std::string_view value) {
  if (name == "as") {
    if (value == "Table" && !media.protobuf)
      media.shape = Shape::Table;
    else if (value == "PartialObjectMetadata" || value == "PartialObjectMetadataList")
      media.shape = Shape::Partial;
    else
      return false;
  } else if (name == "v") {
    if (value != "v1" && value != "v1beta1") return false;
    media.metaVersion = value == "v1" ? "v1" : "v1beta1";
  } else if (name == "g") {
    return value == "meta.k8s.io";
  } else if (name == "stream") {
    return value == "watch";
  } else if (name == "pretty") {
    media.pretty = value == "1" || value == "true";
  }
  return true;
}

struct Clause {
  Media media;
  int q = 1000;
  int vague = 0;  // "application/*" 1, "*/*" 2
};

std::optional<Clause> parseClause(std::string_view text, Offer offer) {
  std::string type = lower(next(text, ';'));
  Clause out;
  if (type == "application/yaml" || type == "text/yaml")
    out.media.yaml = true;
  else if (type == kProtobuf)
    out.media.protobuf = true;
  else if (type == "application/*" || type == "*/*")
    out.vague = type == "*/*" ? 2 : 1;
  else if (type != "application/json")
    return std::nullopt;
  if ((out.media.yaml && !offer.yaml) || (out.media.protobuf && !offer.protobuf)) return std::nullopt;
  while (!text.empty()) {
    std::string_view value = next(text, ';');
    std::string name = lower(next(value, '='));
    if (name == "q")
      out.q = quality(value);
    else if (!parameter(out.media, name, value))
      return std::nullopt;
  }
  if (out.q == 0 || (out.media.shape == Shape::Table && !offer.table)) return std::nullopt;
  return out;
}

}  // namespace

std::string_view Media::contentType() const {
  return protobuf ? kProtobuf : yaml ? std::string_view("application/yaml") : std::string_view("application/json");
}

std::string_view Media::watchContentType() const {
  return protobuf ? "application/vnd.kubernetes.protobuf;stream=watch" : "application/json";
}

std::optional<Media> negotiate(std::string_view accept, Offer offer) {
  accept = trim(accept);
  if (accept.empty()) return Media{};
  std::optional<Clause> best;
  for (size_t n = 0; !accept.empty() && n < kMaxClauses; ++n) {
    auto clause = parseClause(next(accept, ','), offer);
    if (!clause) continue;
    if (!best || clause->q > best->q || (clause->q == best->q && clause->vague < best->vague)) best = clause;
  }
  if (!best) return std::nullopt;
  return best->media;
}

Status notAcceptable(Offer offer, bool watch) {
  std::string types = watch ? "application/json;stream=watch" : "application/json";
  if (offer.yaml) types += ", application/yaml";
  if (offer.protobuf) types += watch ? ", application/vnd.kubernetes.protobuf;stream=watch" : ", " + std::string(kProtobuf);
  return Status{406, "NotAcceptable", "only the following media types are accepted: " + types};
}

std::string mediaType(std::string_view contentType) {
  return lower(trim(contentType.substr(0, contentType.find(';'))));
}

}  // namespace ph::server
