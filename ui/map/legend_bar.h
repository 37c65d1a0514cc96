// LegendBar: the applications and their colors. Hovering dims the others on the map, a click selects, and
// dragging one sideways scales it, with ghosts on the map, until it is released. Threads: GUI thread only.
#pragma once

#include <QWidget>

#include "models/scale_preview.h"

namespace ph::ui {

class LegendBar : public QWidget {
  Q_OBJECT
 public:
  static constexpr int kPixelsPerCopy = 22;
  LegendBar(models::MapModel* map, models::ScalePreview* scale, QWidget* parent = nullptr);
  QRect itemRect(const QString& app) const;  // for tests and tooltips
  void setSelected(const QString& app);
  QSize sizeHint() const override { return {400, 28}; }
  QSize minimumSizeHint() const override { return {60, 28}; }

 signals:
  void hovered(const QString& app);
  void clicked(const QString& app);
  void moreClicked();

 protected:
  void paintEvent(QPaintEvent*) override;
  void resizeEvent(QResizeEvent*) override { relayout(); }
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent*) override;
  void keyPressEvent(QKeyEvent* event) override;
  bool event(QEvent* event) override;

 private:
  struct Item {
    QString app, name;
    int color = 0;
    QRect rect;
  };
  void relayout();
  int at(const QPoint& p) const;

  models::MapModel* map_;
  models::ScalePreview* scale_;
  std::vector<Item> items_;
  int more_ = 0, hover_ = -1, cursor_ = 0;
  QRect moreRect_;
  QString selected_, pressedApp_;
  QPoint pressAt_;
  bool dragging_ = false;
};

}  // namespace ph::ui
