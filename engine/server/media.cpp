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

std::optional<Media> choice(std::string_view text) {
  std::string_view type = next(text, ';');
  Media media;
  if (type == "application/yaml" || type == "text/yaml")
    media.yaml = true;
  else if (type != "application/json" && type != "*/*" && type != "application/*")
    return std::nullopt;
  while (!text.empty()) {
    std::string_view parameter = next(text, ';');
    std::string_view name = next(parameter, '=');
    if (name == "as") {
      if (parameter == "Table")
        media.shape = Shape::Table;
      else if (parameter == "PartialObjectMetadata" || parameter == "PartialObjectMetadataList")
        media.shape = Shape::Partial;
      else
        return std::nullopt;
    } else if (name == "v") {
      if (parameter != "v1" && parameter != "v1beta1") return std::nullopt;
      media.metaVersion = parameter == "v1" ? "v1" : "v1beta1";
    } else if (name == "g" && parameter != "meta.k8s.io") {
      return std::nullopt;
    } else if (name == "stream" && parameter != "watch") {
      return std::nullopt;
    } else if (name == "pretty") {
      media.pretty = parameter == "1" || parameter == "true";
    }
  }
  return media;
}

}  // namespace

std::optional<Media> negotiate(std::string_view accept) {
  accept = trim(accept);
  if (accept.empty()) return Media{};
  while (!accept.empty()) {
    if (auto media = choice(next(accept, ','))) return media;
  }
  return std::nullopt;
}

std::string mediaType(std::string_view contentType) {
  std::string out(trim(contentType.substr(0, contentType.find(';'))));
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return out;
}

}  // namespace ph::server
