#include "models/text_diff.h"

#include <algorithm>

namespace ph::models {

namespace {

using Kind = DiffLine::Kind;

QStringList linesOf(const QString& text) {
  if (text.isEmpty()) return {};
  QStringList out = text.split('\n');
  if (out.last().isEmpty()) out.removeLast();  // the end of the last line begins none
  return out;
}

// The edit script of a[0..n) and b[0..m), as kinds in order; false when it takes more than kMaxChanges.
bool script(const QStringList& a, const QStringList& b, std::vector<Kind>& out) {
  const int n = int(a.size()), m = int(b.size()), most = std::min(n + m, kMaxChanges);
  // furthest[k + most]: how far into `a` one comes on diagonal k with d changes. One copy is kept for each d.
  std::vector<int> furthest(size_t(2 * most + 2), 0);
  std::vector<std::vector<int>> trace;
  int d = 0;
  bool found = n == 0 && m == 0;
  for (; !found && d <= most; ++d) {
    trace.emplace_back(furthest.begin() + (most - std::min(d, most)),
                       furthest.begin() + (most + std::min(d, most)) + 1);
    for (int k = -d; k <= d && !found; k += 2) {
      auto at = [&](int diagonal) -> int& { return furthest[size_t(diagonal + most)]; };
      int x = k == -d || (k != d && at(k - 1) < at(k + 1)) ? at(k + 1) : at(k - 1) + 1;
      int y = x - k;
      while (x < n && y < m && a[x] == b[y]) ++x, ++y;
      at(k) = x;
      found = x >= n && y >= m;
    }
  }
  if (!found) return false;
  int x = n, y = m;
  for (int step = int(trace.size()) - 1; step >= 0; --step) {
    const auto& row = trace[size_t(step)];
    // Diagonals -step..step of what was known before this step.
    auto at = [&](int diagonal) { return row[size_t(diagonal + step)]; };
    const int k = x - y;
    const bool down = k == -step || (k != step && at(k - 1) < at(k + 1));
    const int fromK = down ? k + 1 : k - 1;
    const int fromX = step == 0 ? 0 : at(fromK), fromY = step == 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY) {
      out.push_back(Kind::Same);
      --x, --y;
    }
    if (step == 0) break;
    out.push_back(down ? Kind::New : Kind::Gone);
    x = fromX;
    y = fromY;
  }
  std::reverse(out.begin(), out.end());
  return true;
}

// Leaves `context` lines around each change; what is left out becomes a gap.
std::vector<DiffLine> folded(std::vector<DiffLine> all, int context) {
  std::vector<DiffLine> out;
  const int n = int(all.size());
  std::vector<bool> keep(all.size(), false);
  for (int i = 0; i < n; ++i) {
    if (all[size_t(i)].kind == Kind::Same) continue;
    for (int k = std::max(0, i - context); k <= std::min(n - 1, i + context); ++k) keep[size_t(k)] = true;
  }
  for (int i = 0; i < n;) {
    int end = i;
    while (end < n && !keep[size_t(end)]) ++end;
    // A gap of one line would take as much room as the line.
    if (end - i > 1) {
      out.push_back({Kind::Gap, {}, end - i, end - i});
      i = end;
    }
    if (i < n) out.push_back(std::move(all[size_t(i++)]));
  }
  return out;
}

}  // namespace

TextDiff diffTexts(const QString& before, const QString& after, int context) {
  const QStringList a = linesOf(before), b = linesOf(after);
  qsizetype head = 0, tail = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail])
    ++tail;
  const QStringList midA = a.mid(head, a.size() - head - tail), midB = b.mid(head, b.size() - head - tail);
  std::vector<Kind> kinds;
  if (!script(midA, midB, kinds)) {
    kinds.assign(size_t(midA.size()), Kind::Gone);
    kinds.insert(kinds.end(), size_t(midB.size()), Kind::New);
  }
  kinds.insert(kinds.begin(), size_t(head), Kind::Same);
  kinds.insert(kinds.end(), size_t(tail), Kind::Same);
  TextDiff out;
  std::vector<DiffLine> all;
  all.reserve(kinds.size());
  int x = 0, y = 0;
  for (Kind kind : kinds) {
    DiffLine line{kind, kind == Kind::New ? b[y] : a[x], 0, 0};
    if (kind != Kind::New) line.before = ++x;
    if (kind != Kind::Gone) line.after = ++y;
    out.gone += kind == Kind::Gone;
    out.added += kind == Kind::New;
    all.push_back(std::move(line));
  }
  out.lines = context < 0 ? std::move(all) : folded(std::move(all), context);
  return out;
}

}  // namespace ph::models
