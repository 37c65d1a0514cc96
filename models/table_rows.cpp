#include "models/table_rows.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "engine/base/time.h"
#include "models/json_read.h"

namespace ph::models {

namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? char(c + 32) : c;
}

double numberIn(std::string_view s) {
  double v = -1e300;  // what is no number comes first
  std::from_chars(s.data(), s.data() + s.size(), v);
  return v;
}

std::string cellText(const boost::json::value& v) {
  if (auto* s = v.if_string()) return std::string(s->data(), s->size());
  if (v.is_null()) return {};
  if (v.is_double()) {
    // "12", not "1.2E1".
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, v.get_double());
    return std::string(text, end.ptr);
  }
  return boost::json::serialize(v);
}

bool contains(std::string_view text, std::string_view word) {
  if (word.empty()) return true;
  if (word.size() > text.size()) return false;
  const char first = word[0];
  for (size_t i = 0; i + word.size() <= text.size(); ++i) {
    if (lower(text[i]) != first) continue;
    size_t j = 1;
    while (j < word.size() && lower(text[i + j]) == word[j]) ++j;
    if (j == word.size()) return true;
  }
  return false;
}

}  // namespace

std::string_view TableRow::cell(int i) const {
  if (i < 0 || i >= cells()) return {};
  const uint32_t from = (i > 0 ? ends_[size_t(i) - 1] : keyEnd_) + 1;  // behind the separator
  return std::string_view(text_).substr(from, ends_[size_t(i)] - from);
}

TableRowPtr TableRow::make(std::string_view ns, std::string_view name, int64_t created,
                           const std::vector<std::string_view>& cells) {
  auto row = std::make_shared<TableRow>();
  size_t size = ns.size() + name.size() + 1;
  for (auto& c : cells) size += c.size() + 1;
  row->text_.reserve(size);
  row->text_ = ns;
  row->nsEnd_ = uint32_t(ns.size());
  if (!ns.empty()) row->text_ += '/';
  row->text_ += name;
  row->keyEnd_ = uint32_t(row->text_.size());
  row->ends_.reserve(cells.size());
  for (auto& c : cells) {
    row->text_ += '\x1f';  // no word of a filter spans two cells
    row->text_ += c;
    row->ends_.push_back(uint32_t(row->text_.size()));
  }
  row->created_ = created;
  return row;
}

TableRowPtr TableRow::make(const boost::json::value& row) {
  const auto* meta = json::find(&row, {"object", "metadata"});
  std::vector<std::string> texts;
  for (auto& c : json::list(&row, {"cells"})) texts.push_back(cellText(c));
  const std::vector<std::string_view> cells(texts.begin(), texts.end());
  std::string_view name = json::view(meta, {"name"});
  if (name.empty() && !cells.empty()) name = cells[0];
  int64_t created = 0;
  if (auto t = parseTime(json::view(meta, {"creationTimestamp"})))
    created = std::chrono::duration_cast<std::chrono::milliseconds>(t->time_since_epoch()).count();
  return make(json::view(meta, {"namespace"}), name, created, cells);
}

int naturalCompare(std::string_view a, std::string_view b) {
  size_t i = 0;
  const size_t n = std::min(a.size(), b.size());
  while (i < n && a[i] == b[i]) ++i;
  if (i == a.size() && i == b.size()) return 0;
  // Back to where the number began that they differ in.
  size_t start = i;
  while (start > 0 && digit(a[start - 1])) --start;
  if (start < a.size() && start < b.size() && digit(a[start]) && digit(b[start])) {
    size_t x = start, y = start;
    while (x < a.size() && digit(a[x])) ++x;
    while (y < b.size() && digit(b[y])) ++y;
    std::string_view m = a.substr(start, x - start), k = b.substr(start, y - start);
    while (m.size() > 1 && m[0] == '0') m.remove_prefix(1);
    while (k.size() > 1 && k[0] == '0') k.remove_prefix(1);
    if (m.size() != k.size()) return m.size() < k.size() ? -1 : 1;
    if (const int c = m.compare(k); c != 0) return c;
    if (x != y) return x < y ? -1 : 1;  // "1" before "01"
  }
  if (i == a.size()) return -1;
  if (i == b.size()) return 1;
  return uint8_t(a[i]) < uint8_t(b[i]) ? -1 : 1;
}

bool rowLess(const TableRow& a, const TableRow& b, const TableOrder& order) {
  int c = 0;
  switch (order.by) {
    case TableOrder::By::Created:
      // An age: the younger, the less.
      c = a.created() > b.created() ? -1 : a.created() < b.created() ? 1 : 0;
      break;
    case TableOrder::By::Number: {
      const double x = numberIn(a.cell(order.cell)), y = numberIn(b.cell(order.cell));
      c = x < y ? -1 : x > y ? 1 : 0;
      break;
    }
    case TableOrder::By::Text:
      c = naturalCompare(a.cell(order.cell), b.cell(order.cell));
      break;
    case TableOrder::By::Namespace:
      c = naturalCompare(a.ns(), b.ns());
      break;
  }
  if (c != 0) return order.descending ? c > 0 : c < 0;
  c = naturalCompare(a.key(), b.key());
  return c != 0 ? c < 0 : a.key() < b.key();
}

bool rowFits(const TableRow& row, const std::vector<std::string>& words) {
  return std::all_of(words.begin(), words.end(), [&](auto& w) { return contains(row.all(), w); });
}

std::vector<TableRowPtr> arrange(std::vector<TableRowPtr> rows, const std::vector<std::string>& words,
                                 const TableOrder& order) {
  if (!words.empty()) std::erase_if(rows, [&](auto& r) { return !rowFits(*r, words); });
  std::sort(rows.begin(), rows.end(), [&](auto& a, auto& b) { return rowLess(*a, *b, order); });
  return rows;
}

}  // namespace ph::models
