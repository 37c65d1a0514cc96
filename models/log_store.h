// LogStore: very many lines of text, bounded. Lines live in blocks of kBlockLines, each block one run of bytes,
// so a line costs its text and 18 bytes; the oldest block goes when there are more than `maxLines` lines or
// `maxBytes` bytes. A line keeps its number for ever: numbers count up from 0 and are never used again. A full
// block never changes again and can be read from any thread. Threads: appended to and read on one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ph::models {

struct LogLine {
  int64_t time = 0;  // nanoseconds since the Unix epoch; 0: unknown
  int source = 0;
  int columns = 0;  // how wide it is in a grid of cells; a wide character takes two
  std::string_view text;  // UTF-8; valid until the next append
};

struct LogBlock {
  uint64_t first = 0;  // number of its first line
  std::string text;
  std::vector<uint32_t> ends;  // of each line in `text`
  std::vector<int64_t> times;
  std::vector<uint16_t> sources;
  std::vector<uint32_t> columns;

  int size() const { return int(ends.size()); }
  LogLine line(int i) const {
    const uint32_t from = i > 0 ? ends[size_t(i) - 1] : 0;
    return {times[size_t(i)], sources[size_t(i)], int(columns[size_t(i)]),
            std::string_view(text).substr(from, ends[size_t(i)] - from)};
  }
  size_t bytes() const;
};

class LogStore {
 public:
  static constexpr int kBlockLines = 1024;
  static constexpr uint64_t kMaxLines = 1'000'000;
  static constexpr size_t kMaxBytes = size_t(256) << 20;
  static constexpr int kTabStop = 8;

  explicit LogStore(uint64_t maxLines = kMaxLines, size_t maxBytes = kMaxBytes)
      : maxLines_(maxLines), maxBytes_(maxBytes) {}

  // The lines that there are: numbers first() to end() - 1.
  uint64_t first() const { return blocks_.empty() ? next_ : blocks_.front()->first; }
  uint64_t end() const { return next_; }
  uint64_t size() const { return next_ - first(); }
  LogLine line(uint64_t number) const;
  int widest() const { return widest_; }  // columns of the widest line so far
  size_t bytes() const { return bytes_; }

  void append(int source, int64_t time, std::string_view text);
  // Takes away the oldest blocks that are too many; returns how many lines went. Not done by append(), so that
  // who watches can be told before.
  uint64_t excess() const;
  void dropOldest(uint64_t lines);  // whole blocks: what excess() said
  void clear();

  // Full blocks as they are; the unfinished last one as a copy.
  std::vector<std::shared_ptr<const LogBlock>> blocks() const;
  std::shared_ptr<const LogBlock> block(uint64_t number) const;

 private:
  std::deque<std::shared_ptr<LogBlock>> blocks_;
  uint64_t next_ = 0, maxLines_;
  size_t bytes_ = 0, maxBytes_;
  int widest_ = 0;
};

// How many cells a text takes, tabs stretched; and the width of one character (0, 1 or 2).
int cellsOf(std::string_view utf8);
int cellsOf(char32_t c);
// Terminal escapes and control characters out, invalid UTF-8 replaced: what a log may show.
void cleanLine(std::string_view in, std::string& out);
// The next character of valid UTF-8 at `at`, which moves on.
char32_t nextChar(std::string_view utf8, size_t& at);

}  // namespace ph::models
