#include "models/table_rows.h"

#include <algorithm>
#include <bit>
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

namespace {

// Order keys: byte strings whose order as bytes is that of the values. Made once a row, they spare the comparisons of a
// sort the walk over the row.
void putLength(std::string& out, size_t n) {
  if (n < 255) {
    out += char(n);
    return;
  }
  out += char(255);
  for (int shift = 24; shift >= 0; shift -= 8) out += char(n >> shift);
}

// As naturalCompare() orders: a number is its count of digits without leading zeros, those digits, and the count of all.
// No byte of it is 0, which is free for the end.
void putNatural(std::string& out, std::string_view s) {
  for (size_t i = 0; i < s.size();) {
    if (!digit(s[i])) {
      if (uint8_t(s[i]) <= 1) out += char(1);
      out += char(uint8_t(s[i]) + (s[i] == 0 ? 1 : s[i] == 1 ? 1 : 0));
      ++i;
      continue;
    }
    size_t end = i, first = i;
    while (end < s.size() && digit(s[end])) ++end;
    while (first + 1 < end && s[first] == '0') ++first;
    out += '0';  // where digits stand among other bytes
    putLength(out, end - first);
    out.append(s, first, end - first);
    putLength(out, end - i);
    i = end;
  }
}

void putBits(std::string& out, uint64_t bits) {
  for (int shift = 56; shift >= 0; shift -= 8) out += char(bits >> shift);
}

void putOrder(std::string& out, const TableRow& row, const TableOrder& order) {
  switch (order.by) {
    case TableOrder::By::Created:
      return putBits(out, ~(uint64_t(row.created()) ^ (uint64_t(1) << 63)));  // the younger, the less
    case TableOrder::By::Number: {
      // IEEE 754: positive numbers are in the order of their bits, negative ones in the reverse. -0 is 0.
      const uint64_t bits = std::bit_cast<uint64_t>(numberIn(row.cell(order.cell)) + 0.0);
      return putBits(out, bits >> 63 ? ~bits : bits | uint64_t(1) << 63);
    }
    case TableOrder::By::Text:
      putNatural(out, row.cell(order.cell));
      break;
    case TableOrder::By::Namespace:
      putNatural(out, row.ns());
      break;
  }
  out += char(0);
}

struct SortItem {
  uint64_t head = 0;  // eight bytes of the key, as a number of the same order
  size_t begin = 0;
  uint32_t size = 0, row = 0;
};

// By keys, of which none is the beginning of another's without being its end too: eight bytes after eight, each group of
// equals behind what it shares. Compares numbers where comparing keys would fetch them from afar.
void sortByKeys(SortItem* first, SortItem* last, const std::string& keys, size_t skip) {
  auto key = [&](const SortItem& x) { return std::string_view(keys).substr(x.begin, x.size); };
  if (last - first <= 16) {
    std::sort(first, last, [&](auto& a, auto& b) { return key(a) < key(b); });
    return;
  }
  const std::string_view one = key(*first);
  size_t shared = one.size();
  for (auto* x = first; x != last; ++x) {
    const std::string_view other = key(*x);
    size_t at = skip;
    const size_t end = std::min(shared, other.size());
    while (at < end && one[at] == other[at]) ++at;
    shared = std::min(shared, at);
  }
  for (auto* x = first; x != last; ++x) {
    const std::string_view k = key(*x);
    x->head = 0;
    for (size_t i = 0; i < 8; ++i) x->head = x->head << 8 | (shared + i < k.size() ? uint8_t(k[shared + i]) : 0);
  }
  std::sort(first, last, [](auto& a, auto& b) { return a.head < b.head; });
  for (auto* group = first; group != last;) {
    auto* end = std::find_if(group, last, [&](auto& x) { return x.head != group->head; });
    if (end - group > 1 && group->size > shared + 8) sortByKeys(group, end, keys, shared + 8);
    group = end;
  }
}

}  // namespace

std::vector<TableRowPtr> arrange(std::vector<TableRowPtr> rows, const std::vector<std::string>& words,
                                 const TableOrder& order) {
  if (!words.empty()) std::erase_if(rows, [&](auto& r) { return !rowFits(*r, words); });
  std::string keys;
  keys.reserve(rows.size() * 64);
  std::vector<SortItem> items(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t begin = keys.size();
    putOrder(keys, *rows[i], order);
    if (order.descending) {
      for (size_t at = begin; at < keys.size(); ++at) keys[at] = char(~keys[at]);
    }
    putNatural(keys, rows[i]->key());  // ties go by key, always upwards
    items[i] = {0, begin, uint32_t(keys.size() - begin), uint32_t(i)};
  }
  sortByKeys(items.data(), items.data() + items.size(), keys, 0);
  std::vector<TableRowPtr> out;
  out.reserve(items.size());
  for (auto& x : items) out.push_back(std::move(rows[x.row]));
  return out;
}

}  // namespace ph::models
