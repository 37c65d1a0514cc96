#include "models/log_store.h"

#include <algorithm>
#include <cstring>

namespace ph::models {

size_t LogBlock::bytes() const {
  return text.capacity() + ends.capacity() * sizeof(uint32_t) + times.capacity() * sizeof(int64_t) +
         sources.capacity() * sizeof(uint16_t) + columns.capacity() * sizeof(uint32_t);
}

char32_t nextChar(std::string_view s, size_t& at) {
  const auto byte = [&](size_t i) { return uint8_t(s[i]); };
  const uint8_t lead = byte(at);
  if (lead < 0x80) return s[at++];
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  if (lead < 0xC2 || lead > 0xF4 || at + size_t(more) >= s.size()) {
    ++at;
    return 0xFFFD;
  }
  char32_t c = lead & (0x3F >> more);
  for (int i = 1; i <= more; ++i) {
    if ((byte(at + size_t(i)) & 0xC0) != 0x80) {
      ++at;
      return 0xFFFD;
    }
    c = (c << 6) | (byte(at + size_t(i)) & 0x3F);
  }
  at += size_t(more) + 1;
  return c;
}

int cellsOf(char32_t c) {
  if (c < 0x300) return 1;
  // Combining marks, joiners and variation selectors take no cell of their own.
  if ((c < 0x370) || (c >= 0x200B && c <= 0x200F) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF) return 0;
  // The blocks that Unicode's East Asian Width calls wide or full-width, and emoji.
  const bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0x303E) || (c >= 0x3041 && c <= 0xA4CF) ||
                    (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) ||
                    (c >= 0xFF00 && c <= 0xFF60) || (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1F64F) ||
                    (c >= 0x1F900 && c <= 0x1F9FF) || (c >= 0x20000 && c <= 0x3FFFD);
  return wide ? 2 : 1;
}

int cellsOf(std::string_view s) {
  const bool plain = std::all_of(s.begin(), s.end(), [](char c) { return uint8_t(c) >= 0x20 && uint8_t(c) < 0x80; });
  if (plain) return int(s.size());
  int cells = 0;
  for (size_t at = 0; at < s.size();) {
    const char32_t c = nextChar(s, at);
    cells += c == '\t' ? LogStore::kTabStop - cells % LogStore::kTabStop : cellsOf(c);
  }
  return cells;
}

void cleanLine(std::string_view in, std::string& out) {
  out.clear();
  const bool plain = std::all_of(in.begin(), in.end(), [](char c) { return uint8_t(c) >= 0x20 && uint8_t(c) < 0x7F; });
  if (plain) {
    out.assign(in);
    return;
  }
  for (size_t at = 0; at < in.size();) {
    const size_t from = at;
    const char32_t c = nextChar(in, at);
    if (c == 0x1B) {
      // ECMA-48: ESC [ parameters, then one letter; ESC ] … up to BEL or ESC \; else two characters.
      if (at < in.size() && in[at] == '[') {
        for (++at; at < in.size() && (in[at] < 0x40 || in[at] > 0x7E);) ++at;
        if (at < in.size()) ++at;
      } else if (at < in.size() && in[at] == ']') {
        while (at < in.size() && in[at] != 0x07 && !(in[at] == 0x1B && at + 1 < in.size() && in[at + 1] == '\\')) ++at;
        if (at < in.size()) at += in[at] == 0x07 ? 1 : 2;
      } else if (at < in.size()) {
        ++at;
      }
    } else if (c == 0xFFFD) {
      out += "\xEF\xBF\xBD";
    } else if (c == '\t' || (c >= 0x20 && c != 0x7F)) {
      out.append(in, from, at - from);
    }
  }
}

void LogStore::append(int source, int64_t time, std::string_view text) {
  if (blocks_.empty() || blocks_.back()->size() == kBlockLines) {
    auto block = std::make_shared<LogBlock>();
    block->first = next_;
    blocks_.push_back(std::move(block));
  }
  LogBlock& b = *blocks_.back();
  const size_t before = b.bytes();
  b.text.append(text);
  b.ends.push_back(uint32_t(b.text.size()));
  b.times.push_back(time);
  b.sources.push_back(uint16_t(source));
  b.columns.push_back(uint32_t(cellsOf(text)));
  widest_ = std::max(widest_, int(b.columns.back()));
  ++next_;
  if (b.size() == kBlockLines) {
    // It stays as it is from here on: no room to grow is kept.
    b.text.shrink_to_fit();
    b.ends.shrink_to_fit();
    b.times.shrink_to_fit();
    b.sources.shrink_to_fit();
    b.columns.shrink_to_fit();
  }
  bytes_ += b.bytes() - before;
}

uint64_t LogStore::excess() const {
  uint64_t lines = 0;
  size_t bytes = bytes_;
  for (size_t i = 0; i + 1 < blocks_.size() && (size() - lines > maxLines_ || bytes > maxBytes_); ++i) {
    lines += uint64_t(blocks_[i]->size());
    bytes -= blocks_[i]->bytes();
  }
  return lines;
}

void LogStore::dropOldest(uint64_t lines) {
  while (lines > 0 && blocks_.size() > 1) {
    lines -= std::min<uint64_t>(lines, uint64_t(blocks_.front()->size()));
    bytes_ -= blocks_.front()->bytes();
    blocks_.pop_front();
  }
}

void LogStore::clear() {
  // Numbers begin at 0 again: nobody holds one of a log that was cleared.
  blocks_.clear();
  next_ = 0;
  bytes_ = 0;
  widest_ = 0;
}

LogLine LogStore::line(uint64_t number) const {
  const uint64_t at = number - first();
  return blocks_[size_t(at / kBlockLines)]->line(int(at % kBlockLines));
}

std::shared_ptr<const LogBlock> LogStore::block(uint64_t number) const {
  auto& b = blocks_[size_t((number - first()) / kBlockLines)];
  return b->size() == kBlockLines ? std::shared_ptr<const LogBlock>(b) : std::make_shared<const LogBlock>(*b);
}

std::vector<std::shared_ptr<const LogBlock>> LogStore::blocks() const {
  std::vector<std::shared_ptr<const LogBlock>> out(blocks_.begin(), blocks_.end());
  if (!blocks_.empty() && blocks_.back()->size() < kBlockLines) out.back() = std::make_shared<const LogBlock>(*blocks_.back());
  return out;
}

}  // namespace ph::models
