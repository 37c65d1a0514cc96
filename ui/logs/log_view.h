// LogView: paints a log, and nothing else: only the rows in sight, straight from the model's blocks, in a grid
// of cells. Follows the newest line until somebody scrolls up; then it stands still and a pill says how many
// lines came since. Threads: GUI thread only.
#pragma once

#include <QAbstractScrollArea>
#include <QElapsedTimer>
#include <QPushButton>
#include <QTimer>
#include <optional>

#include "ui/logs/log_layout.h"
#include "ui/theme/theme.h"

namespace ph::ui {

class LogView : public QAbstractScrollArea {
  Q_OBJECT
 public:
  explicit LogView(models::LogModel* model, QWidget* parent = nullptr);

  void setWrap(bool on);
  void setTimes(bool on);
  bool times() const { return times_; }
  void setOnlyMatching(bool on);
  bool following() const { return following_; }
  void setFollowing(bool on);
  uint64_t freshLines() const;  // since it stands still
  // The match that next and previous go to; marked, and brought into sight.
  void showMatch(std::optional<uint64_t> line);
  std::optional<uint64_t> match() const { return match_; }
  uint64_t topLine() const;  // number of the line at the top
  QString selectedText() const;
  void copy();
  void selectAll();
  int64_t rows() const { return layout_.rows(); }
  QRect rowRect(int row) const;  // of a row in sight; for tests
  QSize sizeHint() const override { return {600, 300}; }

 signals:
  void followingChanged(bool on);
  void searchWanted();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent*) override;
  void scrollContentsBy(int, int) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  struct Pos {
    uint64_t line = 0;
    int cell = 0;
    bool operator==(const Pos&) const = default;
    bool operator<(const Pos& o) const { return line != o.line ? line < o.line : cell < o.cell; }
  };
  struct Cut;  // what is marked in one row

  void measure();
  void arrange();  // after anything changed: keeps the place, or the end
  void setTop(int64_t row);
  void placePill();
  int pageRows() const;
  double textLeft() const { return left_; }
  Pos posAt(const QPointF& at) const;
  void selectWord(const Pos& at);
  void dragTo(const QPointF& at);
  std::pair<Pos, Pos> selection() const { return anchor_ < head_ ? std::pair{anchor_, head_} : std::pair{head_, anchor_}; }
  bool selected() const { return !(anchor_ == head_); }
  void paintRow(QPainter& p, const LogLayout::Place& place, double y);
  void paintPrefix(QPainter& p, const models::LogLine& line, double y);
  void paintText(QPainter& p, std::string_view text, int fromCell, int toCell, const QPointF& at);
  void paintMarks(QPainter& p, std::string_view text, uint64_t line, int fromCell, int toCell, double y);
  QColor sourceColor(int source) const;

  models::LogModel* model_;
  LogLayout layout_;
  bool wrap_ = true, times_ = false, following_ = true, arranging_ = false, dragging_ = false;
  double cell_ = 7, left_ = 0;
  int rowHeight_ = 17, labelCells_ = 0;
  LogLayout::Place top_;
  uint64_t freshFrom_ = 0;
  std::optional<uint64_t> match_;
  Pos anchor_, head_;
  QPushButton* pill_;
  QTimer scroll_;
  QPointF dragAt_;
  QElapsedTimer sinceDouble_;
};

// The byte at or after a cell of a line, and the cell of a byte: tabs and wide characters counted as LogStore does.
int byteOfCell(std::string_view text, int cell);
int cellOfByte(std::string_view text, int byte);

}  // namespace ph::ui
