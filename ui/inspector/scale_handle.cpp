#include "ui/inspector/scale_handle.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "ui/theme/theme.h"

namespace ph::ui {

namespace {
constexpr double kKnob = 9;
}

ScaleHandle::ScaleHandle(models::ScalePreview* scale, models::ClusterState* state, QWidget* parent)
    : QWidget(parent), scale_(scale), state_(state) {
  setFocusPolicy(Qt::StrongFocus);
  setCursor(Qt::PointingHandCursor);
  setAccessibleName(tr("Copies"));
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(scale, &models::ScalePreview::changed, this, [this] { update(); });
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
}

void ScaleHandle::setApp(const QString& app) {
  if (app_ != app && scale_->active()) scale_->cancel();
  app_ = app;
  held_ = false;
  update();
}

int ScaleHandle::wanted() const {
  auto* w = state_->workload(app_);
  return w ? w->wanted : 0;
}

int ScaleHandle::maximum() const {
  if (heldMaximum_ > 0) return heldMaximum_;
  // Room to grow, and steps that a hand can hit.
  const int w = wanted();
  for (int m : {10, 15, 20, 30, 50, 80, 120, 200, 300, 500, 800, 1200, 2000, 3000}) {
    if (w * 3 / 2 < m) return m;
  }
  return models::ScalePreview::kMaxCopies;
}

QPointF ScaleHandle::knob(int copies) const {
  const double span = width() - 2 * kKnob;
  return {kKnob + span * std::clamp(double(copies) / maximum(), 0.0, 1.0), height() / 2.0};
}

int ScaleHandle::copiesAt(double x) const {
  const double span = std::max(1.0, width() - 2 * kKnob);
  return std::clamp(int(std::lround((x - kKnob) / span * maximum())), 0, maximum());
}

void ScaleHandle::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.setRenderHint(QPainter::Antialiasing);
  const bool active = scale_->active() && scale_->app() == app_;
  const int was = wanted(), now = active ? scale_->target() : was;
  const double y = height() / 2.0;
  auto bar = [&](double from, double to, const QColor& c) {
    if (to - from < 0.5) return;
    p.setPen(Qt::NoPen);
    p.setBrush(c);
    p.drawRoundedRect(QRectF(from, y - 3.5, to - from, 7), 3.5, 3.5);
  };
  bar(0, width(), colors().raised);
  const double a = knob(was).x(), b = knob(now).x();
  bar(0, std::max(a, b), mix(colors().raised, colors().accent, 0.42));
  bar(0, std::min(a, b), colors().accent);
  p.setBrush(colors().surface);
  p.setPen(QPen(colors().accent, 2.5));
  p.drawEllipse(QPointF(b, y), kKnob - 1.5, kKnob - 1.5);
  if (hasFocus()) {
    p.setBrush(Qt::NoBrush);
    QColor ring = colors().accent;
    ring.setAlphaF(0.35f);
    p.setPen(QPen(ring, 3));
    p.drawEllipse(QPointF(b, y), kKnob + 1.5, kKnob + 1.5);
  }
}

void ScaleHandle::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton || app_.isEmpty()) return;
  held_ = true;
  heldMaximum_ = maximum();
  // Grabbing the knob keeps it; a press on the track moves it there.
  const QPointF at = knob(wanted());
  scale_->hold(app_, std::abs(event->position().x() - at.x()) <= kKnob + 2 ? wanted()
                                                                           : copiesAt(event->position().x()));
}

void ScaleHandle::mouseMoveEvent(QMouseEvent* event) {
  if (held_) scale_->hold(app_, copiesAt(event->position().x()));
}

void ScaleHandle::mouseReleaseEvent(QMouseEvent*) {
  if (!std::exchange(held_, false)) return;
  heldMaximum_ = 0;
  scale_->release();
}

void ScaleHandle::keyPressEvent(QKeyEvent* event) {
  const int held = scale_->active() ? scale_->target() : wanted();
  switch (event->key()) {
    case Qt::Key_Left:
    case Qt::Key_Down:
    case Qt::Key_Minus:
      scale_->hold(app_, std::max(0, held - 1));
      break;
    case Qt::Key_Right:
    case Qt::Key_Up:
    case Qt::Key_Plus:
      scale_->hold(app_, held + 1);
      break;
    case Qt::Key_PageUp:
      scale_->hold(app_, held + 10);
      break;
    case Qt::Key_PageDown:
      scale_->hold(app_, std::max(0, held - 10));
      break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
      scale_->release();
      break;
    case Qt::Key_Escape:
      if (scale_->active())
        scale_->cancel();
      else
        event->ignore();
      break;
    default:
      QWidget::keyPressEvent(event);
  }
}

void ScaleHandle::focusOutEvent(QFocusEvent* event) {
  // A number that was only tried with the keys is not left hanging.
  if (scale_->active() && !held_ && event->reason() != Qt::PopupFocusReason) scale_->cancel();
  QWidget::focusOutEvent(event);
}

}  // namespace ph::ui
