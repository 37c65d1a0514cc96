// Two texts' difference by lines: the shortest edit script after E. W. Myers, "An O(ND) Difference Algorithm"
// (1986), with some lines around each change. Threads: pure. Costs O((n + m) * changes), at most kMaxChanges of
// them: texts that differ more are shown as the one going and the other coming.
#pragma once

#include <QString>
#include <QStringList>
#include <vector>

namespace ph::models {

struct DiffLine {
  enum class Kind : uint8_t { Same, Gone, New, Gap } kind = Kind::Same;
  QString text;               // of a gap: empty
  int before = 0, after = 0;  // line numbers from 1; 0: not in that text. Of a gap: how many lines it stands for
  bool operator==(const DiffLine&) const = default;
};

struct TextDiff {
  std::vector<DiffLine> lines;
  int gone = 0, added = 0;
  bool same() const { return gone == 0 && added == 0; }
};

constexpr int kMaxChanges = 1500;

// `context`: how many unchanged lines stay around a change; negative: all.
TextDiff diffTexts(const QString& before, const QString& after, int context = 3);

}  // namespace ph::models
