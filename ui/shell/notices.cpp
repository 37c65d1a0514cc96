#include "ui/shell/notices.h"

#include <QAccessible>
#include <QEvent>
#include <QPainter>
#include <cmath>

#include "ui/theme/icons.h"

namespace ph::ui {

Notices::Notices(QWidget* window) : QWidget(window) {
  hide();
  setCursor(Qt::PointingHandCursor);
  window->installEventFilter(this);
  timer_.setSingleShot(true);
  connect(&timer_, &QTimer::timeout, this, &QWidget::hide);
}

void Notices::say(const QString& what, const QString& command, bool ok, const QString& problem) {
  ok_ = ok;
  what_ = ok ? what : tr("%1 did not work").arg(what);
  detail_ = ok ? command : problem;
  setAccessibleName(what_ + QStringLiteral(". ") + detail_);
  setToolTip(detail_);
  place();
  show();
  raise();
  QAccessibleEvent event(this, QAccessible::Alert);
  QAccessible::updateAccessibility(&event);
  if (ok)
    timer_.start(3500);
  else
    timer_.stop();
  update();
}

void Notices::place() {
  auto* window = parentWidget();
  const QFontMetricsF strong(typeface(Text::BodyStrong)), mono(typeface(ok_ ? Text::MonoSmall : Text::Body));
  const int wanted = int(
      std::ceil(56 + std::max(strong.horizontalAdvance(what_),
                              mono.boundingRect(QRectF(0, 0, 520, 200), Qt::TextWordWrap, detail_).width())));
  const int w = std::min({wanted, 600, window->width() - 40});
  const QRectF text = mono.boundingRect(QRectF(0, 0, w - 56, 300), Qt::TextWordWrap, detail_);
  const int h = 36 + (detail_.isEmpty() ? 0 : int(std::ceil(text.height())) + 6);
  setGeometry((window->width() - w) / 2, window->height() - h - 20, w, h);
}

bool Notices::eventFilter(QObject*, QEvent* event) {
  if (event->type() == QEvent::Resize && isVisible()) place();
  return false;
}

void Notices::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.setRenderHint(QPainter::Antialiasing);
  p.setPen(QPen(ok_ ? colors().line : colors().error, 1));
  p.setBrush(colors().raised);
  p.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius::card, radius::card);
  p.drawPixmap(QPointF(14, 9),
               iconPixmap(ok_ ? QStringLiteral("check_circle") : QStringLiteral("cross_circle"), 18,
                          ok_ ? colors().ok : colors().error, devicePixelRatioF()));
  p.setFont(typeface(Text::BodyStrong));
  p.setPen(colors().text);
  p.drawText(QRectF(42, 7, width() - 54, 22), Qt::AlignLeft | Qt::AlignVCenter,
             QFontMetricsF(typeface(Text::BodyStrong)).elidedText(what_, Qt::ElideRight, width() - 54));
  p.setFont(typeface(ok_ ? Text::MonoSmall : Text::Body));
  p.setPen(colors().muted);
  p.drawText(QRectF(42, 30, width() - 54, height() - 34), Qt::TextWordWrap, detail_);
}

}  // namespace ph::ui
