// Indexes: a set of completion indexes of an Indexed Job, and its text as status shows it: "1,3-5".
// Threads: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ph::controllers::job {

class Indexes {
 public:
  // Of indexes below `limit`; what lies beyond it in the text is left out, as is what is no number.
  explicit Indexes(int32_t limit, std::string_view text = {});

  int32_t limit() const { return static_cast<int32_t>(in_.size()); }
  int32_t count() const { return count_; }
  bool has(int32_t index) const { return index >= 0 && index < limit() && in_[static_cast<size_t>(index)]; }
  void add(int32_t index);
  std::string text() const;

 private:
  std::vector<bool> in_;
  int32_t count_ = 0;
};

}  // namespace ph::controllers::job
