// LogSearch: which lines of a LogStore fit a text or a regular expression (RE2's syntax, case ignored). Long
// logs are searched in slices on the executor; fresh lines as they come. Threads: GUI thread only; the slices
// read blocks that no longer change.
#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <utility>
#include <vector>

#include "models/log_store.h"

namespace re2 {
class RE2;
}
namespace ph {
class Executor;
}

namespace ph::models {

class LogSearch : public QObject {
  Q_OBJECT
 public:
  static constexpr int kSliceBlocks = 32;     // searched at a time
  static constexpr uint64_t kInline = 4096;  // so few lines are searched at once, on the GUI thread

  explicit LogSearch(const LogStore* store, QObject* parent = nullptr);
  ~LogSearch() override;
  // Without one the slices run on the GUI thread, between its events.
  void setExecutor(std::shared_ptr<Executor> executor) { executor_ = std::move(executor); }

  void set(const QString& text, bool regex);
  bool active() const { return pattern_ != nullptr; }
  bool busy() const { return busy_; }
  QString problem() const { return problem_; }  // of the expression

  // Numbers of the lines that fit, ascending. Index 0 is the oldest one still there.
  size_t count() const { return found_.size() - head_; }
  uint64_t at(size_t i) const { return found_[head_ + i]; }
  // Index of the first match at or after a line; count() when there is none.
  size_t indexFrom(uint64_t line) const;
  // Of all matches ever, how many are gone from the front: index i is the match number dropped() + i.
  uint64_t dropped() const { return dropped_; }
  // Byte ranges [from, to) in a line's text, for marking.
  std::vector<std::pair<int, int>> ranges(std::string_view text) const;

  void appended();  // the store has more lines
  void trimmed();   // or fewer at its front
  void cleared();   // or none

 signals:
  void changed();  // more matches, fewer, or the end of the search
  void reset();    // another search: all matches are new

 private:
  void scan();
  void take(uint64_t generation, uint64_t upTo, const std::vector<uint64_t>& lines);

  const LogStore* store_;
  std::shared_ptr<Executor> executor_;
  std::shared_ptr<const re2::RE2> pattern_;
  QString text_, problem_;
  bool regex_ = false, busy_ = false;
  uint64_t generation_ = 0, scanned_ = 0, dropped_ = 0;
  std::vector<uint64_t> found_;
  size_t head_ = 0;
};

}  // namespace ph::models
