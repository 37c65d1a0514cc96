// LogLayout: which visual rows a log has: all lines or only the matching ones, wrapped at a number of cells or
// not. Rows are counted per 1,024 lines, so that a million lines cost a new width about a hundredth of a second
// and a fresh line nothing. Pure; GUI thread only.
#pragma once

#include <cstdint>
#include <deque>

#include "models/log_model.h"

namespace ph::ui {

class LogLayout {
 public:
  explicit LogLayout(const models::LogStore* store, models::LogSearch* search) : store_(store), search_(search) {}

  void setOnlyMatching(bool on);
  bool onlyMatching() const { return only_; }
  void setColumns(int columns);  // cells a row; 0: lines are not wrapped
  int columns() const { return columns_; }
  void refresh();  // lines or matches came or went
  void rebuild();  // all are new

  // Lines as they are counted here: all of them by their number, or the matches from the first one ever.
  uint64_t begin() const { return only_ ? search_->dropped() : store_->first(); }
  uint64_t end() const { return only_ ? search_->dropped() + search_->count() : store_->end(); }
  uint64_t lineAt(uint64_t ordinal) const { return only_ ? search_->at(size_t(ordinal - begin())) : ordinal; }
  // The first place at or after a line.
  uint64_t ordinalOf(uint64_t line) const { return only_ ? begin() + search_->indexFrom(line) : line; }

  struct Place {
    uint64_t ordinal = 0;
    int sub = 0;  // row within the line
  };
  int64_t rows() const { return columns_ == 0 ? int64_t(end() - begin()) : total_; }
  Place placeOf(int64_t row) const;
  int64_t rowOf(uint64_t ordinal) const;
  int rowsOf(uint64_t ordinal) const;

 private:
  static constexpr uint64_t kChunk = 1024;
  int64_t measure(uint64_t chunk) const;

  const models::LogStore* store_;
  models::LogSearch* search_;
  bool only_ = false;
  int columns_ = 0;
  std::deque<int64_t> chunks_;  // rows of each
  uint64_t firstChunk_ = 0, knownBegin_ = 0, knownEnd_ = 0;
  int64_t total_ = 0;
};

}  // namespace ph::ui
