#include "engine/api/custom/patterns.h"

#include <re2/re2.h>

namespace ph::api::custom {
namespace {

constexpr size_t kMaxText = 16 * 1024;
constexpr int64_t kMaxMemory = 512 * 1024;  // of a program and its states; what needs more is refused
constexpr size_t kMaxPatterns = 5000;

RE2::Options options() {
  RE2::Options o;
  o.set_log_errors(false);
  o.set_max_mem(kMaxMemory);
  return o;
}

class Re2Pattern final : public Pattern {
 public:
  explicit Re2Pattern(std::string_view text) : re_(re2::StringPiece(text.data(), text.size()), options()) {}
  bool matches(std::string_view text) const override {
    return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), re_);
  }
  std::string error() const { return re_.ok() ? std::string() : re_.error(); }

 private:
  RE2 re_;
};

}  // namespace

Result<const Pattern*> PatternPool::get(std::string_view text) {
  if (auto it = made_.find(std::string(text)); it != made_.end()) return it->second.get();
  if (text.size() > kMaxText) return Status::badRequest("a regular expression may have at most " + std::to_string(kMaxText) + " bytes");
  if (made_.size() >= kMaxPatterns) return Status::badRequest("a schema may have at most " + std::to_string(kMaxPatterns) + " different regular expressions");
  auto made = std::make_unique<Re2Pattern>(text);
  if (auto error = made->error(); !error.empty()) return Status::badRequest(error);
  return (made_[std::string(text)] = std::move(made)).get();
}

std::string checkPattern(std::string_view text) {
  PatternPool pool;
  auto made = pool.get(text);
  return made.ok() ? std::string() : made.status().message;
}

}  // namespace ph::api::custom
