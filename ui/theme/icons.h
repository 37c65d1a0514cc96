// Icons: SVG line drawings of resources/icons, tinted with a color role. Threads: GUI thread only.
#pragma once

#include <QIcon>
#include <QPixmap>
#include <QToolButton>

namespace ph::ui {

// `name` without ".svg". Cached; `size` in device-independent pixels.
QPixmap iconPixmap(const QString& name, int size, const QColor& color, qreal ratio);

// A tool with an icon only; `tip` is what it is called, in its tooltip and by screen readers.
QToolButton* iconButton(const QString& name, const QString& tip, QWidget* parent, bool checkable = false);

}  // namespace ph::ui
