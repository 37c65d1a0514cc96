#include "ui/map/legend_bar.h"

#include <QApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "ui/theme/theme.h"

namespace ph::ui {

LegendBar::LegendBar(models::MapModel* map, models::ScalePreview* scale, QWidget* parent)
    : QWidget(parent), map_(map), scale_(scale) {
  setMouseTracking(true);
  setFocusPolicy(Qt::TabFocus);
  setAccessibleName(tr("Applications"));
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(map, &models::MapModel::appsChanged, this, &LegendBar::relayout);
  connect(scale, &models::ScalePreview::changed, this, [this] { update(); });
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
  relayout();
}

void LegendBar::relayout() {
  items_.clear();
  more_ = 0;
  moreRect_ = {};
  const QFontMetricsF m(typeface(Text::Body));
  int x = 0;
  constexpr int kMore = 56;
  QStringList spoken;
  for (auto& app : map_->apps()) {
    if (!app.listed) continue;
    const int w = 20 + int(std::ceil(std::min(m.horizontalAdvance(app.name), 150.0)));
    if (more_ > 0 || x + w > width() - (items_.empty() ? 0 : kMore)) {
      ++more_;
      continue;
    }
    items_.push_back({app.key, app.name, app.color, QRect(x, 0, w, height())});
    spoken << tr("%1, %2 of %3 ready").arg(app.name).arg(app.ready).arg(app.wanted);
    x += w + 22;
  }
  if (more_ > 0) moreRect_ = QRect(x, 0, kMore, height());
  setAccessibleDescription(spoken.join(QStringLiteral("; ")));
  cursor_ = std::clamp(cursor_, 0, std::max(0, int(items_.size()) - 1));
  update();
}

QRect LegendBar::itemRect(const QString& app) const {
  for (auto& i : items_) {
    if (i.app == app) return i.rect;
  }
  return {};
}

void LegendBar::setSelected(const QString& app) {
  selected_ = app;
  update();
}

int LegendBar::at(const QPoint& p) const {
  for (int i = 0; i < int(items_.size()); ++i) {
    if (items_[i].rect.adjusted(-6, 0, 6, 0).contains(p)) return i;
  }
  return -1;
}

void LegendBar::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.setRenderHint(QPainter::Antialiasing);
  const QFontMetricsF m(typeface(Text::Body));
  p.setFont(typeface(Text::Body));
  for (int i = 0; i < int(items_.size()); ++i) {
    auto& item = items_[i];
    const bool strong = i == hover_ || item.app == selected_ || (hasFocus() && i == cursor_);
    const QRectF box(item.rect.left(), std::round(height() / 2.0 - 6), 12, 12);
    p.setPen(Qt::NoPen);
    p.setBrush(Theme::get().app(item.color));
    p.drawRoundedRect(box, radius::tile, radius::tile);
    p.setPen(strong ? colors().text : colors().muted);
    const QRectF r(item.rect.left() + 19, 0, item.rect.width() - 18, height());
    if (scale_->active() && scale_->app() == item.app) {
      // While it is dragged, the numbers stand in the place of the name.
      p.setFont(typeface(Text::BodyStrong));
      p.setPen(colors().accent);
      p.drawText(r.adjusted(0, 0, 20, 0), Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
                 QStringLiteral("%1 → %2").arg(scale_->current()).arg(scale_->target()));
      p.setFont(typeface(Text::Body));
      continue;
    }
    p.drawText(r, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
               m.elidedText(item.name, Qt::ElideRight, 150));
    if (item.app == selected_ || (hasFocus() && i == cursor_)) {
      p.fillRect(QRectF(item.rect.left(), height() - 3, item.rect.width(), 2), colors().accent);
    }
  }
  if (more_ > 0) {
    p.setPen(colors().muted);
    p.drawText(moreRect_, Qt::AlignLeft | Qt::AlignVCenter, tr("+%1 more").arg(more_));
  }
}

void LegendBar::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  const int i = at(event->position().toPoint());
  pressedApp_ = i >= 0 ? items_[i].app : QString();
  pressAt_ = event->position().toPoint();
  dragging_ = false;
}

void LegendBar::mouseMoveEvent(QMouseEvent* event) {
  const QPoint p = event->position().toPoint();
  if (!pressedApp_.isEmpty() && (event->buttons() & Qt::LeftButton)) {
    const int by = p.x() - pressAt_.x();
    if (!dragging_ && std::abs(by) < QApplication::startDragDistance()) return;
    auto* w = map_->state()->workload(pressedApp_);
    if (!w) return;
    dragging_ = true;
    setCursor(Qt::SizeHorCursor);
    scale_->hold(pressedApp_, w->wanted + int(std::lround(double(by) / kPixelsPerCopy)));
    return;
  }
  const int i = at(p);
  setCursor(i >= 0 || moreRect_.contains(p) ? Qt::PointingHandCursor : Qt::ArrowCursor);
  if (i == hover_) return;
  hover_ = i;
  emit hovered(i >= 0 ? items_[i].app : QString());
  update();
}

void LegendBar::mouseReleaseEvent(QMouseEvent* event) {
  const QString app = std::exchange(pressedApp_, QString());
  if (event->button() != Qt::LeftButton) return;
  if (std::exchange(dragging_, false)) {
    setCursor(Qt::ArrowCursor);
    // Far above or below is a change of mind.
    if (event->position().y() < -120 || event->position().y() > height() + 600)
      scale_->cancel();
    else
      scale_->release();
    return;
  }
  if (!app.isEmpty())
    emit clicked(app);
  else if (moreRect_.contains(event->position().toPoint()))
    emit moreClicked();
}

void LegendBar::leaveEvent(QEvent*) {
  if (hover_ >= 0) emit hovered({});
  hover_ = -1;
  update();
}

void LegendBar::keyPressEvent(QKeyEvent* event) {
  if (items_.empty()) return QWidget::keyPressEvent(event);
  const QString app = items_[cursor_].app;
  auto* w = map_->state()->workload(app);
  const int held = scale_->active() && scale_->app() == app ? scale_->target() : w ? w->wanted : 0;
  switch (event->key()) {
    case Qt::Key_Left:
      cursor_ = std::max(0, cursor_ - 1);
      break;
    case Qt::Key_Right:
      cursor_ = std::min(int(items_.size()) - 1, cursor_ + 1);
      break;
    case Qt::Key_Plus:
      if (w) scale_->hold(app, held + 1);
      break;
    case Qt::Key_Minus:
      if (w) scale_->hold(app, held - 1);
      break;
    case Qt::Key_Escape:
      if (!scale_->active()) return QWidget::keyPressEvent(event);
      scale_->cancel();
      break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
      scale_->active() ? scale_->release() : emit clicked(app);
      break;
    default:
      return QWidget::keyPressEvent(event);
  }
  update();
}

bool LegendBar::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    auto* help = static_cast<QHelpEvent*>(event);
    const int i = at(help->pos());
    if (i >= 0) {
      auto& app = map_->apps()[map_->appIndex(items_[i].app)];
      QToolTip::showText(
          help->globalPos(),
          tr("%1: %2 of %3 ready. Drag sideways to scale.").arg(app.name).arg(app.ready).arg(app.wanted),
          this);
    }
    return true;
  }
  return QWidget::event(event);
}

}  // namespace ph::ui
