#include "ui/map/pan_zoom.h"

#include <QApplication>
#include <QGestureEvent>
#include <QHBoxLayout>
#include <QMouseEvent>
#include <QNativeGestureEvent>
#include <QPushButton>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "ui/theme/widgets.h"

namespace ph::ui {

PanZoom::PanZoom(QWidget* view, double smallest, double largest)
    : view_(view), smallest_(smallest), largest_(largest) {
  view->grabGesture(Qt::PinchGesture);
  frame_.setInterval(16);
  connect(&frame_, &QTimer::timeout, this, &PanZoom::tick);
}

void PanZoom::setContent(const QSizeF& world, double fitScale) {
  content_ = world;
  fitScale_ = fitScale;
  if (fitted_) {
    motion_.on = false;
    scale_ = fitScale;
    offset_ = {};
  }
  clamp();
}

QRectF PanZoom::toScreen(const QRectF& w) const {
  if (w.isEmpty()) return {};
  // On whole pixels, so that lines are sharp and neighbours keep their distance.
  return {QPointF(std::round(w.left() * scale_ + offset_.x()), std::round(w.top() * scale_ + offset_.y())),
          QPointF(std::round(w.right() * scale_ + offset_.x()), std::round(w.bottom() * scale_ + offset_.y()))};
}

void PanZoom::clamp() {
  const QSizeF all = content_ * scale_;
  // Content smaller than the window stays at its place; larger can be moved until its edge meets the window's.
  auto within = [](double v, double content, double window) {
    return content <= window ? std::clamp(v, 0.0, window - content) : std::clamp(v, window - content - 24, 24.0);
  };
  offset_ = {within(offset_.x(), all.width(), view_->width()), within(offset_.y(), all.height(), view_->height())};
}

void PanZoom::moveTo(double scale, const QPointF& offset, bool animate) {
  const double oldScale = scale_;
  const QPointF oldOffset = offset_;
  scale_ = std::clamp(scale, smallest_, largest_);
  offset_ = offset;
  clamp();
  const int ms = animate ? Theme::get().motion() : 0;
  motion_.on = ms > 0;
  if (motion_.on) {
    motion_ = {true, oldScale, scale_, oldOffset, offset_, ms};
    scale_ = oldScale;
    offset_ = oldOffset;
    clock_.start();
    frame_.start();
  }
  emit moved();
}

void PanZoom::tick() {
  if (motion_.on) {
    const double t = std::min(1.0, double(clock_.elapsed()) / motion_.ms);
    const double eased = 1 - std::pow(1 - t, 3);
    scale_ = t >= 1 ? motion_.to : motion_.from * std::pow(motion_.to / motion_.from, eased);
    offset_ = t >= 1 ? motion_.toOffset : motion_.fromOffset + (motion_.toOffset - motion_.fromOffset) * eased;
    motion_.on = t < 1;
    emit moved();
  }
  if (!motion_.on) frame_.stop();
}

void PanZoom::zoomBy(double factor, const QPointF& about, bool animate) {
  const double from = motion_.on ? motion_.to : scale_;
  const QPointF fromOffset = motion_.on ? motion_.toOffset : offset_;
  const double to = std::clamp(from * factor, std::max(smallest_, std::min(fitScale_, 1.0) * 0.5), largest_);
  fitted_ = false;
  moveTo(to, about - (about - fromOffset) * (to / from), animate);
}

void PanZoom::fit() {
  fitted_ = true;
  moveTo(fitScale_, {}, true);
}

void PanZoom::dive(const QRectF& r, double nearest, double farthest) {
  if (r.isEmpty()) return;
  fitted_ = false;
  const double to = std::clamp(std::min(view_->width() * 0.92 / r.width(), view_->height() * 0.92 / r.height()), nearest, farthest);
  // In the middle; what is larger than the window all the same shows its beginning.
  auto place = [to](double from, double size, double window) {
    return size * to > window ? 12 - from * to : (window - size * to) / 2 - from * to;
  };
  moveTo(to, {place(r.left(), r.width(), view_->width()), place(r.top(), r.height(), view_->height())}, true);
}

void PanZoom::reveal(const QRectF& world) {
  const QRectF r = toScreen(world);
  if (r.isEmpty()) return;
  // What is larger than the window shows its beginning.
  auto by = [](double from, double to, double window) {
    if (from >= 0 && to <= window) return 0.0;
    return from < 0 || to - from > window - 24 ? 12 - from : window - 12 - to;
  };
  const QPointF move(by(r.left(), r.right(), view_->width()), by(r.top(), r.bottom(), view_->height()));
  if (!move.isNull()) panBy(move, true);
}

void PanZoom::panBy(const QPointF& by, bool animate) {
  fitted_ = false;
  moveTo(scale_, offset_ + by, animate);
}

void PanZoom::wheel(QWheelEvent* event) {
  event->accept();
  // A touchpad's two fingers move the map; its pinch zooms.
  if (!event->pixelDelta().isNull() && !(event->modifiers() & Qt::ControlModifier)) return panBy(event->pixelDelta(), false);
  const double steps = event->angleDelta().y() / 120.0;
  if (steps != 0) zoomBy(std::pow(1.25, steps), event->position(), std::abs(steps) >= 1);
}

bool PanZoom::pinch(QEvent* event) {
  if (event->type() == QEvent::NativeGesture) {
    auto* gesture = static_cast<QNativeGestureEvent*>(event);
    if (gesture->gestureType() != Qt::ZoomNativeGesture) return false;
    zoomBy(1 + gesture->value(), gesture->position(), false);
    return true;
  }
  if (event->type() != QEvent::Gesture) return false;
  auto* gesture = static_cast<QPinchGesture*>(static_cast<QGestureEvent*>(event)->gesture(Qt::PinchGesture));
  if (!gesture) return false;
  if (gesture->changeFlags() & QPinchGesture::ScaleFactorChanged)
    zoomBy(gesture->scaleFactor(), view_->mapFromGlobal(gesture->centerPoint().toPoint()), false);
  return true;
}

void PanZoom::press(QMouseEvent* event) {
  pressed_ = true;
  panning_ = false;
  pressAt_ = event->position();
  pressOffset_ = offset_;
  motion_.on = false;
}

bool PanZoom::move(QMouseEvent* event) {
  if (!pressed_) return false;
  const QPointF by = event->position() - pressAt_;
  if (!panning_ && by.manhattanLength() < QApplication::startDragDistance()) return true;
  panning_ = true;
  fitted_ = false;
  view_->setCursor(Qt::ClosedHandCursor);
  moveTo(scale_, pressOffset_ + by, false);
  return true;
}

bool PanZoom::release() {
  pressed_ = false;
  if (!std::exchange(panning_, false)) return false;
  view_->setCursor(Qt::ArrowCursor);
  return true;
}

namespace {

// Stays in its map's corner.
class ZoomTools : public QWidget {
 public:
  explicit ZoomTools(QWidget* map) : QWidget(map) { map->installEventFilter(this); }
  void place() { move(parentWidget()->width() - width(), parentWidget()->height() - height()); }

 protected:
  bool eventFilter(QObject*, QEvent* event) override {
    if (event->type() == QEvent::Resize) place();
    return false;
  }
};

}  // namespace

QWidget* zoomTools(QWidget* map, const QString& all, std::function<void(double)> zoom, std::function<void()> fit) {
  auto* tools = new ZoomTools(map);
  tools->setObjectName(QStringLiteral("zoom"));
  tools->setAttribute(Qt::WA_StyledBackground);
  auto* row = new QHBoxLayout(tools);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(2);
  auto tool = [&](const QString& text, const QString& name, auto act) {
    auto* b = button(text, "quiet", tools);
    b->setFixedSize(text.size() > 2 ? 44 : 28, 26);
    b->setStyleSheet(QStringLiteral("padding: 0;"));
    b->setToolTip(name);
    b->setAccessibleName(name);
    b->setFocusPolicy(Qt::NoFocus);  // the map's own keys do the same
    QObject::connect(b, &QPushButton::clicked, map, act);
    row->addWidget(b);
  };
  tool(QStringLiteral("−"), PanZoom::tr("Farther (-)"), [zoom] { zoom(1 / PanZoom::kStep); });
  tool(QStringLiteral("+"), PanZoom::tr("Nearer (+)"), [zoom] { zoom(PanZoom::kStep); });
  tool(PanZoom::tr("Fit"), all, fit);
  tools->adjustSize();
  tools->place();
  return tools;
}

}  // namespace ph::ui
