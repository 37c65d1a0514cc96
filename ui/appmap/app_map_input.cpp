// AppMapView's hands: mouse, keyboard, tooltips.
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "ui/appmap/app_map_view.h"

namespace ph::ui {

using models::Subject;

namespace {

// The nearest of `rects` that lies in a direction from `from`; -1 when there is none. What is straight ahead counts as
// nearer than what is aside.
int nearest(const std::vector<QRectF>& rects, const QRectF& from, int dx, int dy) {
  int best = -1;
  double least = 0;
  for (size_t i = 0; i < rects.size(); ++i) {
    const QPointF by = rects[i].center() - from.center();
    const double ahead = dx * by.x() + dy * by.y(), aside = std::abs(dx ? by.y() : by.x());
    // Within one column or row, centers differ a little.
    if (ahead < 2 || (dy && rects[i].top() < from.bottom() - 2 && rects[i].bottom() > from.top() + 2)) continue;
    const double far = ahead + 2.5 * aside;
    if (best < 0 || far < least) {
      best = int(i);
      least = far;
    }
  }
  return best;
}

}  // namespace

void AppMapView::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton && event->button() != Qt::MiddleButton) return;
  byKeyboard_ = false;
  pan_.press(event);
}

void AppMapView::mouseMoveEvent(QMouseEvent* event) {
  if (pan_.move(event)) return;
  const Part part = partAt(event->position());
  if (part.card == hoverCard_ && part.subject == hover_) return;
  hoverCard_ = part.card;
  hover_ = part.subject;
  setCursor(hover_ ? Qt::PointingHandCursor : Qt::ArrowCursor);
  update();  // an object that several share is marked in all of them
}

void AppMapView::mouseReleaseEvent(QMouseEvent* event) {
  if (pan_.release() || event->button() != Qt::LeftButton) return;
  const Part part = partAt(event->position());
  cursor_ = part.card >= 0 ? graph(part.card).key : QString();
  cursorPart_ = part.card >= 0 && part.entry != &graph(part.card).workload ? part.subject : Subject{};
  choose(part.subject);
}

void AppMapView::mouseDoubleClickEvent(QMouseEvent* event) {
  const Part part = partAt(event->position());
  part.card >= 0 ? dive(graph(part.card).key) : fit();
}

void AppMapView::leaveEvent(QEvent*) {
  hoverCard_ = -1;
  hover_ = {};
  update();
}

void AppMapView::focusInEvent(QFocusEvent* event) {
  const bool byKey = event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason;
  byKeyboard_ |= byKey;
  if (byKey && cardOf(cursor_) < 0 && !layout_.cards().empty()) cursor_ = graph(0).key;
  update();
}

void AppMapView::focusOutEvent(QFocusEvent*) {
  update();
}

void AppMapView::follow(const QRectF& screen) {
  pan_.reveal({pan_.toWorld(screen.topLeft()), pan_.toWorld(screen.bottomRight())});
  tellCursor();
  update();
}

void AppMapView::tellCursor() {
  const int card = cardOf(cursor_);
  if (card < 0) return;
  Part at{card, graph(card).workload.subject, &graph(card).workload, {}};
  for (auto& part : partsOf(card)) {
    if (cursorPart_ && part.subject == cursorPart_) at = part;
  }
  setAccessibleDescription(describe(at));
}

void AppMapView::step(int dx, int dy) {
  if (layout_.cards().empty()) return;
  const int card = cardOf(cursor_);
  if (card < 0) {
    // The first key shows where the keyboard is.
    cursor_ = graph(0).key;
    cursorPart_ = {};
    return follow(screenRect(0));
  }
  std::vector<QRectF> rects;
  if (cursorPart_) {
    const auto parts = partsOf(card);
    QRectF from;
    for (auto& part : parts) {
      rects.push_back(part.rect);
      if (part.subject == cursorPart_) from = part.rect;
    }
    const int to = from.isEmpty() ? -1 : nearest(rects, from, dx, dy);
    if (to < 0) return;
    cursorPart_ = parts[size_t(to)].subject;
    choose(cursorPart_);
    return follow(rects[size_t(to)]);
  }
  for (size_t i = 0; i < layout_.cards().size(); ++i) rects.push_back(layout_.cards()[i].rect);
  const int to = nearest(rects, rects[size_t(card)], dx, dy);
  if (to < 0) return;
  cursor_ = graph(to).key;
  follow(screenRect(to));
}

// Selects the application; once more goes inside, to its parts.
void AppMapView::enter() {
  const int card = cardOf(cursor_);
  if (card < 0 || cursorPart_) return;
  const Subject app = graph(card).workload.subject;
  if (selection_ != app) return choose(app);
  if (appLevelFor(pan_.scale()) == AppLevel::Tone) return dive(cursor_);
  const auto parts = partsOf(card);
  if (parts.empty()) return;
  cursorPart_ = parts.front().subject;
  choose(cursorPart_);
  follow(parts.front().rect);
}

bool AppMapView::leave() {
  if (cursorPart_) {
    cursorPart_ = {};
    const int card = cardOf(cursor_);
    choose(card >= 0 ? graph(card).workload.subject : Subject{});
  } else if (selection_) {
    choose({});
  } else if (!pan_.fitted()) {
    fit();
  } else {
    return false;
  }
  return true;
}

void AppMapView::keyPressEvent(QKeyEvent* event) {
  byKeyboard_ = true;
  const int card = cardOf(cursor_);
  const QPointF center = card >= 0 ? screenRect(card).center() : QRectF(rect()).center();
  switch (event->key()) {
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      return pan_.zoomBy(PanZoom::kStep, center);
    case Qt::Key_Minus:
      return pan_.zoomBy(1 / PanZoom::kStep, center);
    case Qt::Key_0:
    case Qt::Key_Home:
      return fit();
    case Qt::Key_Left:
      return step(-1, 0);
    case Qt::Key_Right:
      return step(1, 0);
    case Qt::Key_Up:
      return step(0, -1);
    case Qt::Key_Down:
      return step(0, 1);
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
      return enter();
    case Qt::Key_Escape:
      if (!leave()) event->ignore();
      return;
    default:
      event->ignore();
  }
}

bool AppMapView::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    auto* help = static_cast<QHelpEvent*>(event);
    const QString s = describeAt(help->pos());
    s.isEmpty() ? QToolTip::hideText() : QToolTip::showText(help->globalPos(), s, this);
    return true;
  }
  return pan_.pinch(event) || QWidget::event(event);
}

}  // namespace ph::ui
