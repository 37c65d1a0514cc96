#include "models/log_search.h"

#include <re2/re2.h>

#include <QPointer>
#include <algorithm>

#include "engine/base/executor.h"
#include "models/gui_thread.h"

namespace ph::models {

namespace {

bool fits(const re2::RE2& pattern, std::string_view text) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

}  // namespace

LogSearch::LogSearch(const LogStore* store, QObject* parent) : QObject(parent), store_(store) {}
LogSearch::~LogSearch() = default;

void LogSearch::set(const QString& text, bool regex) {
  if (text == text_ && regex == regex_) return;
  text_ = text;
  regex_ = regex;
  pattern_.reset();
  problem_.clear();
  if (!text.isEmpty()) {
    re2::RE2::Options options;
    options.set_case_sensitive(false);
    options.set_log_errors(false);
    options.set_max_mem(32 << 20);
    options.set_literal(!regex);
    auto pattern = std::make_shared<re2::RE2>(text.toStdString(), options);
    if (pattern->ok())
      pattern_ = std::move(pattern);
    else
      problem_ = QString::fromStdString(pattern->error());
  }
  cleared();
  emit reset();
  scan();
}

void LogSearch::cleared() {
  ++generation_;
  busy_ = false;
  found_.clear();
  head_ = 0;
  dropped_ = 0;
  scanned_ = store_->first();
}

void LogSearch::appended() {
  if (pattern_) scan();
}

void LogSearch::trimmed() {
  const uint64_t first = store_->first();
  scanned_ = std::max(scanned_, first);
  const size_t before = head_;
  while (head_ < found_.size() && found_[head_] < first) ++head_;
  dropped_ += head_ - before;
  if (head_ > 100000 && head_ > found_.size() / 2) {
    found_.erase(found_.begin(), found_.begin() + std::ptrdiff_t(head_));
    head_ = 0;
  }
}

void LogSearch::scan() {
  if (!pattern_ || busy_) return;
  const uint64_t end = store_->end();
  scanned_ = std::max(scanned_, store_->first());
  if (scanned_ == end) {
    emit changed();
    return;
  }
  if (end - scanned_ <= kInline) {
    for (; scanned_ < end; ++scanned_) {
      if (fits(*pattern_, store_->line(scanned_).text)) found_.push_back(scanned_);
    }
    emit changed();
    return;
  }
  busy_ = true;
  std::vector<std::shared_ptr<const LogBlock>> blocks;
  for (uint64_t at = scanned_; at < end && int(blocks.size()) < kSliceBlocks;) {
    blocks.push_back(store_->block(at));
    at = blocks.back()->first + uint64_t(blocks.back()->size());
  }
  auto slice = [self = QPointer<LogSearch>(this), pattern = pattern_, blocks = std::move(blocks), from = scanned_,
                generation = generation_] {
    std::vector<uint64_t> lines;
    for (auto& b : blocks) {
      for (int i = 0; i < b->size(); ++i) {
        const uint64_t number = b->first + uint64_t(i);
        if (number >= from && fits(*pattern, b->line(i).text)) lines.push_back(number);
      }
    }
    const uint64_t upTo = blocks.back()->first + uint64_t(blocks.back()->size());
    onGui([self, generation, upTo, lines = std::move(lines)] {
      if (self) self->take(generation, upTo, lines);
    });
  };
  if (executor_)
    executor_->post(std::move(slice));
  else
    onGui(std::move(slice));
}

void LogSearch::take(uint64_t generation, uint64_t upTo, const std::vector<uint64_t>& lines) {
  if (generation != generation_) return;
  busy_ = false;
  const uint64_t first = store_->first();
  for (uint64_t line : lines) {
    if (line >= first) found_.push_back(line);
  }
  scanned_ = std::max(upTo, first);
  emit changed();
  scan();
}

size_t LogSearch::indexFrom(uint64_t line) const {
  auto from = found_.begin() + std::ptrdiff_t(head_);
  return size_t(std::lower_bound(from, found_.end(), line) - from);
}

std::vector<std::pair<int, int>> LogSearch::ranges(std::string_view text) const {
  std::vector<std::pair<int, int>> out;
  if (!pattern_) return out;
  const re2::StringPiece all(text.data(), text.size());
  re2::StringPiece found;
  constexpr size_t kMost = 200;  // of one line
  for (size_t at = 0; at <= text.size() && out.size() < kMost;) {
    if (!pattern_->Match(all, at, text.size(), re2::RE2::UNANCHORED, &found, 1)) break;
    const size_t from = size_t(found.data() - text.data());
    if (!found.empty()) out.emplace_back(int(from), int(from + found.size()));
    at = found.empty() ? from + 1 : from + found.size();
  }
  return out;
}

}  // namespace ph::models
