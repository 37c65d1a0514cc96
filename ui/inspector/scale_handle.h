// ScaleHandle: the slider of an application's copies. While it is held the map shows ghosts of where the
// change would land; releasing it scales. Arrow keys move it, Enter applies, Escape lets go. Threads: GUI
// thread only.
#pragma once

#include <QWheelEvent>
#include <QWidget>

#include "models/scale_preview.h"

namespace ph::ui {

class ScaleHandle : public QWidget {
  Q_OBJECT
 public:
  explicit ScaleHandle(models::ScalePreview* scale, models::ClusterState* state, QWidget* parent = nullptr);
  void setApp(const QString& app);
  int maximum() const;             // of the track
  QPointF knob(int copies) const;  // its centre for a number, for tests too
  QSize sizeHint() const override { return {240, 26}; }

 protected:
  void paintEvent(QPaintEvent*) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void wheelEvent(QWheelEvent* event) override { event->ignore(); }
  void keyPressEvent(QKeyEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;

 private:
  int wanted() const;
  int copiesAt(double x) const;

  models::ScalePreview* scale_;
  models::ClusterState* state_;
  QString app_;
  int heldMaximum_ = 0;  // the track keeps its scale while it is held
  bool held_ = false;
};

}  // namespace ph::ui
