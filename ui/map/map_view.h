// MapView: the fleet map. One widget, painted; nothing is a widget or an item per pod. Wheel and pinch zoom
// about the pointer, drag pans, click selects, double click dives, Escape comes back; arrows, Enter, + - 0 do
// the same by keyboard. Draws only what is visible, and only when something changed; a timer runs only while
// something moves. Threads: GUI thread only.
#pragma once

#include <QElapsedTimer>
#include <QTimer>
#include <QWidget>

#include "models/map_model.h"
#include "ui/map/card_painter.h"
#include "ui/map/map_layout.h"

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
  double scale() const { return scale_; }
  void zoomBy(double factor, const QPointF& about, bool animate = true);
  void fit();                                   // the whole fleet
  void dive(int card);                          // one machine, near
  void reveal(const models::Subject& subject);  // moves the view only when it is out of sight
  // Screen rectangle of a card or of a pod's tile; empty when it is not laid out. For tests and
  // accessibility.
  QRectF cardRect(const QString& key) const;
  QRectF tileRect(const QString& pod) const;
  QString describe(const models::Subject& subject) const;  // what the tooltip says, plain text

 signals:
  void selected(const ph::models::Subject& subject);
  void zoomed(double scale);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
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
  void tick();
  void watchClock();
  void clampOffset();
  void moveTo(double scale, const QPointF& offset, bool animate);
  QRectF toScreen(const QRectF& world) const;
  QPointF toWorld(const QPointF& screen) const { return (screen - offset_) / scale_; }
  Hit hitAt(const QPointF& at) const;
  models::Subject subjectOf(const Hit& hit) const;
  void choose(const models::Subject& subject);
  void step(int dx, int dy);
  void paintGroups(QPainter& p, const QRectF& dirty);
  void paintCards(QPainter& p, const QRegion& region);
  double arrival(const QString& pod) const;
  double pulse(const QString& pod) const;
  void onNews(const QList<models::MapNews>& news);
  void updateCard(int card);
  void expireNews();
  static constexpr int kPulseMs = 200, kNewsMs = 4000;

  models::MapModel* model_;
  MapLayout layout_;
  CardPainter painter_;
  models::Subject selection_;
  int onlyApp_ = -1;
  double scale_ = 1, fitScale_ = 1;
  QPointF offset_;
  bool fitted_ = true;  // the view shows the whole fleet and follows its size
  Hit hover_;
  int cursor_ = -1, cursorTile_ = -1;  // where the keyboard is
  bool byKeyboard_ = false;            // the last move was a key: the place is shown
  QPointF pressAt_, pressOffset_;
  bool pressed_ = false, panning_ = false;
  QElapsedTimer clock_;
  QHash<QString, qint64> arrivals_, pulses_;  // pod: when it began, by clock_
  std::vector<Departure> departures_;
  std::vector<qint64> departedAt_;  // of each departure
  // What has just happened on a machine, as its foot says it for a while.
  struct News {
    int came = 0, left = 0, failing = 0, ready = 0;
    QString pod;      // the one, while it is one
    bool machine = false;
    qint64 at = 0;
    QString text() const;
    Tone tone() const;
  };
  QHash<int, News> news_;
  QHash<int, QString> lostFor_;  // what a lost machine's card says of it
  QHash<QString, bool> judged_;
  int pointed_ = -1;
  struct {
    bool on = false;
    double from = 1, to = 1;
    QPointF fromOffset, toOffset;
    qint64 start = 0;
    int ms = 0;
  } motion_;
  QTimer frame_, second_, newsOver_;
};

}  // namespace ph::ui
