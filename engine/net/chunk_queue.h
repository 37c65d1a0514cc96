// Body bytes on their way out: shared buffers, taken from the front in pieces of any size. One thread at a
// time.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "engine/net/http.h"

namespace ph::net {

class ChunkQueue {
 public:
  size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }

  void push(Buffer chunk) {
    if (!chunk || chunk->empty()) return;
    bytes_ += chunk->size();
    chunks_.push_back(std::move(chunk));
  }
  void push(std::vector<Buffer>& chunks) {
    for (auto& chunk : chunks) push(std::move(chunk));
    chunks.clear();
  }

  // Moves the first `count` bytes (no more than there are) to the end of `out`.
  void pull(std::string& out, size_t count) {
    bytes_ -= count;
    while (count > 0) {
      const std::string& front = *chunks_[first_];
      size_t n = std::min(count, front.size() - offset_);
      out.append(front, offset_, n);
      count -= n;
      offset_ += n;
      if (offset_ == front.size()) {
        chunks_[first_++].reset();
        offset_ = 0;
      }
    }
    if (first_ == chunks_.size()) {
      clearList();
    } else if (first_ > 64 && first_ * 2 > chunks_.size()) {
      chunks_.erase(chunks_.begin(), chunks_.begin() + long(first_));
      first_ = 0;
    }
  }

  void clear() {
    bytes_ = 0;
    offset_ = 0;
    clearList();
  }

 private:
  void clearList() {
    first_ = 0;
    // A burst must not leave a large list behind on each of many quiet streams.
    if (chunks_.capacity() > 64) {
      std::vector<Buffer>().swap(chunks_);
    } else {
      chunks_.clear();
    }
  }

  std::vector<Buffer> chunks_;
  size_t first_ = 0, offset_ = 0, bytes_ = 0;
};

}  // namespace ph::net
