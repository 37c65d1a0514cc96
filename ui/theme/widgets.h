// Small painted widgets that all views share: elided labels, lines, fact rows, clickable rows.
// Threads: GUI thread only.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QWidget>
#include <functional>
#include <optional>

class QHBoxLayout;
class QPlainTextEdit;
class QStyleOptionViewItem;
class QTextLayout;
class QVBoxLayout;
class QToolButton;

#include "models/facts.h"
#include "ui/theme/theme.h"

namespace ph::ui {

// A label of a role of the style sheet ("heading", "muted", "caption", "mono"...).
QLabel* label(const QString& text, const char* role = nullptr, QWidget* parent = nullptr);
QPushButton* button(const QString& text, const char* role = nullptr, QWidget* parent = nullptr);
void setRole(QWidget* widget, const char* role);
// The button that does what a dialog is for: its default, named "submit".
QPushButton* submitButton(const QString& text, QWidget* parent);
// A dialog's last row: what went wrong, the way out, and its submit button.
struct DialogFoot {
  QHBoxLayout* row;
  QLabel* failure;
  QPushButton *out, *submit;
};
DialogFoot dialogFoot(QVBoxLayout* into, const QString& out, const QString& submit, QWidget* dialog);
// Text to read and copy, in the code font, not wrapped.
QPlainTextEdit* codeView(const QString& accessibleName, QWidget* parent);
// Behind a chosen row of a list: its ground, and a ring while the list has the focus; with `hover` also below the mouse.
void paintChosen(QPainter& p, const QRectF& r, const QStyleOptionViewItem& option, bool hover = false);

// One line of text that ends in an ellipsis where there is no room; the whole text is its tooltip then.
class ElidedLabel : public QWidget {
  Q_OBJECT
 public:
  explicit ElidedLabel(Text style, QWidget* parent = nullptr, Qt::TextElideMode mode = Qt::ElideRight);
  void setText(const QString& text);
  void setTone(std::optional<Tone> tone);  // empty: plain text color
  void setMuted(bool muted);
  void setAlignment(Qt::Alignment alignment) { alignment_ = alignment; }
  const QString& text() const { return text_; }
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent*) override;

 private:
  Text style_;
  Qt::TextElideMode mode_;
  Qt::Alignment alignment_ = Qt::AlignLeft | Qt::AlignVCenter;
  QString text_;
  std::optional<Tone> tone_;
  bool muted_ = false;
};

class Line : public QWidget {
  Q_OBJECT
 public:
  explicit Line(QWidget* parent = nullptr);

 protected:
  void paintEvent(QPaintEvent*) override;
};

// "Image        shop/web:2.4": what on the left, muted; the value right-aligned.
struct Fact {
  QString name, value;
  bool mono = false;
  std::optional<Tone> tone;
  double bar = -1;  // 0..1 draws a bar below
  bool operator==(const Fact&) const = default;
};

class FactRows : public QWidget {
  Q_OBJECT
 public:
  explicit FactRows(QWidget* parent = nullptr);
  void set(std::vector<Fact> facts);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return {120, sizeHint().height()}; }

 protected:
  void paintEvent(QPaintEvent*) override;
  bool event(QEvent* event) override;

 private:
  double rowTop(size_t row) const;
  std::vector<Fact> facts_;
};

// Rows one can click: a pod, a machine, an application.
struct Row {
  models::Subject subject;
  int color = -2;  // application color; -2: no swatch
  int shape = -1;  // CardPainter::Shape as a number; -1: a round dot in `tone`
  QString text, middle, right;
  Tone tone = Tone::Plain;  // of `right`
  std::optional<Tone> dot;  // of the round dot; empty: `tone`
  bool mono = true;
  bool operator==(const Row&) const = default;
};

class RowList : public QWidget {
  Q_OBJECT
 public:
  static constexpr int kHeight = 26;
  explicit RowList(QWidget* parent = nullptr);
  void set(std::vector<Row> rows, int more = 0);
  const std::vector<Row>& rows() const { return rows_; }
  QRect rowRect(int row) const { return {0, row * kHeight, width(), kHeight}; }
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return {120, sizeHint().height()}; }

 signals:
  void activated(const ph::models::Subject& subject);

 protected:
  void paintEvent(QPaintEvent*) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent*) override;
  void keyPressEvent(QKeyEvent* event) override;
  bool event(QEvent* event) override;

 private:
  std::vector<Row> rows_;
  int more_ = 0, hover_ = -1, cursor_ = 0;
};

// A block of text in mono on a raised surface, wrapped anywhere, with a button that copies it.
class CodeBox : public QWidget {
  Q_OBJECT
 public:
  explicit CodeBox(QWidget* parent = nullptr);
  void setText(const QString& text);
  const QString& text() const { return text_; }
  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override;
  QSize sizeHint() const override { return {240, heightForWidth(std::max(width(), 240))}; }
  QSize minimumSizeHint() const override { return {80, 34}; }

 protected:
  void paintEvent(QPaintEvent*) override;
  void resizeEvent(QResizeEvent*) override;

 private:
  double layoutText(QTextLayout& layout, double width) const;
  QString text_;
  QToolButton* copy_;
};

// One preflight finding: a sign for how bad it is, what was found, and what to do about it.
QWidget* findingRow(const models::Finding& finding, QWidget* parent);

}  // namespace ph::ui
