#include "ui/theme/icons.h"

#include <QFile>
#include <QPainter>
#include <QPixmapCache>
#include <QSvgRenderer>
#include <algorithm>

#include "ui/theme/theme.h"

namespace ph::ui {

QPixmap iconPixmap(const QString& name, int size, const QColor& color, qreal ratio) {
  const QString key = QStringLiteral("icon/%1/%2/%3/%4").arg(name).arg(size).arg(color.name()).arg(ratio);
  QPixmap pixmap;
  if (QPixmapCache::find(key, &pixmap)) return pixmap;
  QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
  if (!file.open(QIODevice::ReadOnly)) return {};
  QByteArray svg = file.readAll();
  svg.replace("currentColor", color.name().toLatin1());
  QSvgRenderer renderer(svg);
  pixmap = QPixmap(QSize(size, size) * ratio);
  pixmap.setDevicePixelRatio(ratio);
  pixmap.fill(Qt::transparent);
  QPainter painter(&pixmap);
  renderer.render(&painter, QRectF(0, 0, size, size));
  painter.end();
  QPixmapCache::insert(key, pixmap);
  return pixmap;
}

QToolButton* iconButton(const QString& name, const QString& tip, QWidget* parent, bool checkable) {
  auto* b = new QToolButton(parent);
  b->setProperty("role", "tool");
  b->setFixedSize(28, 28);
  b->setIconSize({16, 16});
  b->setCheckable(checkable);
  b->setToolTip(tip);
  b->setAccessibleName(tip);
  auto paint = [b, name] {
    const qreal ratio = std::max(2.0, b->devicePixelRatioF());
    QIcon icon(iconPixmap(name, 16, colors().muted, ratio));
    icon.addPixmap(iconPixmap(name, 16, colors().text, ratio), QIcon::Normal, QIcon::On);
    icon.addPixmap(iconPixmap(name, 16, mix(colors().surface, colors().muted, 0.45), ratio), QIcon::Disabled);
    b->setIcon(icon);
  };
  paint();
  QObject::connect(&Theme::get(), &Theme::changed, b, paint);
  return b;
}

}  // namespace ph::ui
