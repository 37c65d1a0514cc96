// Media types: what an answer shall look like, from Accept. Threads: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace ph::server {

enum class Shape : uint8_t { Object, Table, Partial };

struct Media {
  Shape shape = Shape::Object;
  bool yaml = false;
  bool pretty = false;
  bool protobuf = false;
  // Table: which object each row carries.
  enum class Include : uint8_t { None, Metadata, Object } include = Include::Metadata;
  std::string_view metaVersion = "v1";  // of Table and PartialObjectMetadata: v1 or v1beta1
  // Different for any two that encode differently (the key of shared encodings).
  int id() const { return int(protobuf) * 32 + int(shape) * 8 + int(include) * 2 + (metaVersion == "v1" ? 0 : 1); }
  std::string_view contentType() const;
  std::string_view watchContentType() const;
};

// What can be given for a request, beside JSON objects.
struct Offer {
  bool yaml = true;       // not for watches
  bool protobuf = false;  // kinds whose schema has field numbers
  bool table = true;      // not for what is only an answer to a question: reviews, previews
};
// The best acceptable choice: highest q first, then as written; nullopt when there is none (406). An empty header accepts all.
std::optional<Media> negotiate(std::string_view accept, Offer offer = {});
// The 406 for it.
Status notAcceptable(Offer offer, bool watch);
// "application/json; charset=utf-8" -> "application/json", lower case.
std::string mediaType(std::string_view contentType);

}  // namespace ph::server
