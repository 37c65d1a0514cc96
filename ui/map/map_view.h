// MapView: the fleet map. One widget, painted; nothing is a widget or an item per pod. Wheel and pinch zoom
// about the pointer, drag pans, click selects, double click dives, Escape comes back; arrows, Enter, + - 0 do
// the same by keyboard. Draws only what is visible, and only when something changed; a timer runs only while
// something moves. Threads: GUI thread only.
#pragma once

#include <QTimer>
#include <QWidget>

#include "models/map_model.h"
#include "ui/map/card_painter.h"
#include "ui/map/map_layout.h"
#include "ui/map/pan_zoom.h"

namespace ph::ui {

class MapView : public QWidget {
  Q_OBJECT
 public:
  static constexpr double kMinScale = 0.03, kMaxScale = 6;

  explicit MapView(models::MapModel* model, QWidget* parent = nullptr);
  ~MapView() override;

  const models::Subject& selection() const { return selection_; }
  void select(const models::Subject& subject);  // without telling
  void setOnlyApp(const QString& app);          // dims the others; empty: nothing is
  void setPointed(const QString& node);         // rings its machine; empty: none
  // What the scheduler says of each node: those that refuse a pod step back. Empty: nothing is said.
  void setJudged(const QHash<QString, bool>& fitting);
  double scale() const { return pan_.scale(); }
  void zoomBy(double factor, const QPointF& about, bool animate = true) { pan_.zoomBy(factor, about, animate); }
  void fit() { pan_.fit(); }                    // the whole fleet
  void dive(int card);                          // one machine, near
  void reveal(const models::Subject& subject);  // moves the view only when it is out of sight
  // Screen rectangle of a card or of a pod's tile; empty when it is not laid out. For tests and
  // accessibility.
  QRectF cardRect(const QString& key) const;
  QRectF tileRect(const QString& pod) const;
  QString describe(const models::Subject& subject) const;  // what the tooltip says, plain text

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
  QSize sizeHint() const override { return {984, 420}; }
  QSize minimumSizeHint() const override { return {320, 160}; }

 private:
  struct Hit {
    int card = -1, tile = -1;
    bool operator==(const Hit&) const = default;
  };
  void relayout();
  void onCards(const QList<int>& cards);
  void watchClock();
  QRectF screenRect(int card) const { return pan_.toScreen(layout_.card(card)); }
  Hit hitAt(const QPointF& at) const;
  models::Subject subjectOf(const Hit& hit) const;
  void choose(const models::Subject& subject);
  void step(int dx, int dy);
  void paintGroups(QPainter& p, const QRectF& dirty);
  void paintCards(QPainter& p, const QRegion& region);
  void onNews(const QList<models::MapNews>& news);
  void updateCard(int card);

  models::MapModel* model_;
  MapLayout layout_;
  CardPainter painter_;
  PanZoom pan_;
  TileMotion motion_;
  models::Subject selection_;
  int onlyApp_ = -1;
  Hit hover_;
  int cursor_ = -1, cursorTile_ = -1;  // where the keyboard is
  bool byKeyboard_ = false;            // the last move was a key: the place is shown
  QHash<int, QString> lostFor_;  // what a lost machine's card says of it
  QHash<QString, bool> judged_;
  int pointed_ = -1;
  QTimer second_;
};

}  // namespace ph::ui
