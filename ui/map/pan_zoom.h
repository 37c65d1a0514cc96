// PanZoom: how a painted map is moved: wheel and pinch zoom about the pointer, two fingers and drags pan, with a short
// motion where the system allows one. It keeps the scale and the offset; the view paints. World units are pixels at
// scale 1. Threads: GUI thread only.
#pragma once

#include <QElapsedTimer>
#include <QRectF>
#include <QTimer>
#include <QWidget>
#include <functional>

class QMouseEvent;
class QWheelEvent;

namespace ph::ui {

class PanZoom : public QObject {
  Q_OBJECT
 public:
  static constexpr double kStep = 1.4;  // of a key or a button
  PanZoom(QWidget* view, double smallest, double largest);

  double scale() const { return scale_; }
  bool fitted() const { return fitted_; }  // the view shows all and follows its size
  // What there is to see, and the scale at which all is seen.
  void setContent(const QSizeF& world, double fitScale);

  QRectF toScreen(const QRectF& world) const;  // on whole pixels
  QPointF toWorld(const QPointF& screen) const { return (screen - offset_) / scale_; }

  void zoomBy(double factor, const QPointF& about, bool animate = true);
  void fit();
  void dive(const QRectF& world, double nearest = 1, double farthest = 6);  // one thing, near
  void reveal(const QRectF& world);                                        // moves only when it is out of sight
  void panBy(const QPointF& by, bool animate);

  // The view's events. move() says whether the map is being dragged, release() whether it was.
  void wheel(QWheelEvent* event);
  bool pinch(QEvent* event);
  void press(QMouseEvent* event);
  bool move(QMouseEvent* event);
  bool release();
  bool panning() const { return panning_; }

 signals:
  void moved();

 private:
  void moveTo(double scale, const QPointF& offset, bool animate);
  void clamp();
  void tick();

  QWidget* view_;
  const double smallest_, largest_;
  QSizeF content_;
  double scale_ = 1, fitScale_ = 1;
  QPointF offset_;
  bool fitted_ = true;
  QPointF pressAt_, pressOffset_;
  bool pressed_ = false, panning_ = false;
  struct {
    bool on = false;
    double from = 1, to = 1;
    QPointF fromOffset, toOffset;
    int ms = 0;
  } motion_;
  QElapsedTimer clock_;
  QTimer frame_;
};

// Farther, nearer, all: three small buttons in the lower right corner of a map.
QWidget* zoomTools(QWidget* map, const QString& all, std::function<void(double factor)> zoom, std::function<void()> fit);

}  // namespace ph::ui
