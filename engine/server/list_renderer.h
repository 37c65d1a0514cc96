// ListRenderer: a list as bytes, piece by piece, so that a large one is never held whole. The objects themselves are shared with
// the cache. Threads: one at a time.
#pragma once

#include <vector>

#include "engine/server/reads.h"

namespace ph::server {

class ListRenderer {
 public:
  ListRenderer(const Core& core, const ResourceInfo& info, Listing listing, Media media);
  // Protobuf says a list's length before its items: each is measured first. Measures up to `items` more; true when all are.
  bool measure(size_t items);
  // Chunks of about `target` bytes until it gives null. Only when all is measured.
  net::Buffer next(size_t target = 64 * 1024);

 private:
  static constexpr size_t kKept = 1024 * 1024;  // bytes of measured messages that are kept instead of made twice
  std::string jsonHead() const;                  // up to and with the bracket that opens the items
  void head(std::string& out);
  void item(std::string& out);
  void jsonItem(std::string& out, const api::Object& object) const;
  void tail(std::string& out) const;

  const Core& core_;
  const ResourceInfo& info_;
  Listing listing_;
  Media media_;
  size_t at_ = 0, measured_ = 0;
  uint64_t itemBytes_ = 0;
  std::vector<std::string> kept_;
  bool begun_ = false, ended_ = false;
};

// The whole list at once, in chunks.
std::vector<net::Buffer> renderList(const Core& core, const ResourceInfo& info, const Listing& listing,
                                    const Media& media);

}  // namespace ph::server
