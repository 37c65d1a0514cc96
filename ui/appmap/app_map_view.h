// AppMapView: the application map. One widget, painted; nothing is a widget or an item per part. Wheel and pinch zoom
// about the pointer, drag pans, hover tells, click selects, double click dives, Escape comes back; arrows, Enter, + - 0
// do the same by keyboard. Draws only what is visible, and only when something changed. Threads: GUI thread only.
#pragma once

#include <QWidget>

#include "ui/appmap/app_layout.h"
#include "ui/appmap/app_painter.h"
#include "ui/map/pan_zoom.h"

namespace ph::ui {

class AppMapView : public QWidget {
  Q_OBJECT
 public:
  static constexpr double kMinScale = 0.1, kMaxScale = 2;

  AppMapView(models::AppMapModel* model, models::ClusterState* state, QWidget* parent = nullptr);

  const models::Subject& selection() const { return selection_; }
  void select(const models::Subject& subject);  // without telling
  void reveal(const models::Subject& subject);  // moves the view only when it is out of sight
  void zoomBy(double factor) { pan_.zoomBy(factor, rect().center()); }
  void fit() { pan_.fit(); }
  void dive(const QString& app);
  double scale() const { return pan_.scale(); }

  // Screen rectangle of an application's card, and of the first part that shows a subject; empty when there is none.
  // For tests and accessibility.
  QRectF cardRect(const QString& app) const;
  QRectF partRect(const models::Subject& subject) const;
  // What the tooltip says at a place, plain text.
  QString describeAt(const QPointF& at) const;
  // What has just happened to an application, as its head says it; empty when nothing has.
  QString news(const QString& app) const { return motion_.news(app); }

 signals:
  void selected(const ph::models::Subject& subject);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void wheelEvent(QWheelEvent* event) override { pan_.wheel(event); }
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;
  bool event(QEvent* event) override;
  QSize sizeHint() const override { return {984, 560}; }
  QSize minimumSizeHint() const override { return {320, 160}; }

 private:
  // A part of an application: its box or a pod's tile; the card itself has neither.
  struct Part {
    int card = -1;
    models::Subject subject;
    const models::AppEntry* entry = nullptr;
    QRectF rect;  // on the screen
  };
  void onChanged(bool structure);
  void onNews(const QList<models::AppNews>& news);
  void relayout();
  const models::AppGraph& graph(int card) const { return model_->apps()[size_t(layout_.cards()[size_t(card)].app)]; }
  QRectF screenRect(int card) const { return pan_.toScreen(layout_.cards()[size_t(card)].rect); }
  std::vector<Part> partsOf(int card) const;  // in reading order
  Part partAt(const QPointF& at) const;
  int cardOf(const QString& app) const;
  int cardOf(const models::Subject& subject) const;
  void choose(const models::Subject& subject);
  void step(int dx, int dy);
  void enter();
  bool leave();
  void follow(const QRectF& screen);
  QString describe(const Part& part) const;
  void tellCursor();

  models::AppMapModel* model_;
  models::ClusterState* state_;
  AppLayout layout_;
  AppPainter painter_;
  PanZoom pan_;
  TileMotion motion_;
  models::Subject selection_;
  int hoverCard_ = -1;
  models::Subject hover_;
  // Where the keyboard is: an application, and a part of it once inside.
  QString cursor_;
  models::Subject cursorPart_;
  bool byKeyboard_ = false;  // the last move was a key: the place is shown
};

}  // namespace ph::ui
