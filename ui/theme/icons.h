// Icons: SVG line drawings of resources/icons, tinted with a color role. Threads: GUI thread only.
#pragma once

#include <QIcon>
#include <QPixmap>

namespace ph::ui {

// `name` without ".svg". Cached; `size` in device-independent pixels.
QPixmap iconPixmap(const QString& name, int size, const QColor& color, qreal ratio);

}  // namespace ph::ui
