#include "ui/logs/log_layout.h"

#include <algorithm>

namespace ph::ui {

void LogLayout::setOnlyMatching(bool on) {
  only_ = on;
  rebuild();
}

void LogLayout::setColumns(int columns) {
  if (columns == columns_) return;
  columns_ = columns;
  rebuild();
}

int LogLayout::rowsOf(uint64_t ordinal) const {
  if (columns_ == 0) return 1;
  const int cells = store_->line(lineAt(ordinal)).columns;
  return std::max(1, (cells + columns_ - 1) / columns_);
}

int64_t LogLayout::measure(uint64_t chunk) const {
  int64_t rows = 0;
  const uint64_t to = std::min(end(), (chunk + 1) * kChunk);
  for (uint64_t i = std::max(begin(), chunk * kChunk); i < to; ++i) rows += rowsOf(i);
  return rows;
}

void LogLayout::rebuild() {
  chunks_.clear();
  total_ = 0;
  knownBegin_ = begin();
  knownEnd_ = knownBegin_;
  firstChunk_ = knownBegin_ / kChunk;
  refresh();
}

void LogLayout::refresh() {
  const uint64_t from = begin(), to = end();
  if (columns_ == 0) {
    knownBegin_ = from;
    knownEnd_ = to;
    return;
  }
  if (from < knownBegin_ || to < knownEnd_) return rebuild();
  if (from != knownBegin_) {
    while (!chunks_.empty() && (firstChunk_ + 1) * kChunk <= from) {
      total_ -= chunks_.front();
      chunks_.pop_front();
      ++firstChunk_;
    }
    if (chunks_.empty()) {
      firstChunk_ = from / kChunk;
      knownEnd_ = from;
    } else {
      total_ -= chunks_.front();
      chunks_.front() = measure(firstChunk_);
      total_ += chunks_.front();
    }
    knownBegin_ = from;
  }
  if (to == knownEnd_) return;
  // The chunk that had room, and those behind it.
  for (uint64_t chunk = std::max(knownEnd_, from) / kChunk; chunk * kChunk < to; ++chunk) {
    const int64_t rows = measure(chunk);
    const size_t at = size_t(chunk - firstChunk_);
    if (at < chunks_.size()) {
      total_ += rows - chunks_[at];
      chunks_[at] = rows;
    } else {
      chunks_.push_back(rows);
      total_ += rows;
    }
  }
  knownEnd_ = to;
}

LogLayout::Place LogLayout::placeOf(int64_t row) const {
  const uint64_t from = begin(), to = end();
  if (from == to) return {from, 0};
  row = std::clamp<int64_t>(row, 0, std::max<int64_t>(0, rows() - 1));
  if (columns_ == 0) return {from + uint64_t(row), 0};
  size_t chunk = 0;
  while (chunk + 1 < chunks_.size() && row >= chunks_[chunk]) row -= chunks_[chunk++];
  for (uint64_t i = std::max(from, (firstChunk_ + chunk) * kChunk); i < to; ++i) {
    const int n = rowsOf(i);
    if (row < n) return {i, int(row)};
    row -= n;
  }
  return {to - 1, rowsOf(to - 1) - 1};
}

int64_t LogLayout::rowOf(uint64_t ordinal) const {
  const uint64_t from = begin();
  if (ordinal <= from) return 0;
  ordinal = std::min(ordinal, end());
  if (columns_ == 0) return int64_t(ordinal - from);
  int64_t row = 0;
  const size_t chunk = size_t(ordinal / kChunk - firstChunk_);
  for (size_t i = 0; i < std::min(chunk, chunks_.size()); ++i) row += chunks_[i];
  for (uint64_t i = std::max(from, (firstChunk_ + chunk) * kChunk); i < ordinal; ++i) row += rowsOf(i);
  return row;
}

}  // namespace ph::ui
