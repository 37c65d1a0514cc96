// DecisionMatrix: nodes against rules, painted: a score is a tone and a number, a refusal a cross, the pod's own node has
// a bar. Only what is in sight is drawn. Arrows move, Enter opens the machine. Threads: GUI thread only.
#pragma once

#include <QAbstractScrollArea>

#include "models/decision_model.h"
#include "ui/theme/theme.h"

namespace ph::ui {

class DecisionMatrix : public QAbstractScrollArea {
  Q_OBJECT
 public:
  static constexpr int kRow = 28, kRefusedRow = 44, kCell = 36, kLeastCell = 30, kTotal = 42, kName = 96;
  explicit DecisionMatrix(models::DecisionModel* model, QWidget* parent = nullptr);

  int current() const { return current_; }
  void setCurrent(int row);
  QRectF rowRect(int row) const;             // in the viewport
  QRectF cellRect(int row, int rule) const;  // in the viewport
  QString tipAt(const QPoint& p) const;

 signals:
  void pointed(const QString& node);    // hovered or moved to; empty: none
  void activated(const QString& node);  // double click, Enter

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;
  void leaveEvent(QEvent* event) override;
  bool viewportEvent(QEvent* event) override;

 private:
  void onChanged();
  void layoutBars();
  int headHeight() const;
  double rowTop(int row) const;  // in the content, below the head
  int rowAt(int y) const;        // of the viewport; -1: none
  int ruleAt(int x) const;
  double nameWidth() const;
  double cellsLeft() const { return nameWidth() + kTotal; }
  int cellWidth() const;
  void point(int row);
  void paintHead(QPainter& p);
  void paintRow(QPainter& p, int row);
  void paintCell(QPainter& p, const QRectF& cell, int row, int rule) const;

  models::DecisionModel* model_;
  int current_ = -1, hover_ = -1;
  QString pointed_;
};

}  // namespace ph::ui
