#include "ui/map/map_filter.h"

#include <QKeyEvent>
#include <QShortcut>

namespace ph::ui {

MapFilter::MapFilter(const QString& name, const QString& toolTip, QWidget* page) : QLineEdit(page) {
  setPlaceholderText(tr("Filter (Ctrl F)"));
  setAccessibleName(name);
  setToolTip(toolTip);
  setClearButtonEnabled(true);
  auto* find = new QShortcut(QKeySequence::Find, page);
  find->setContext(Qt::WidgetWithChildrenShortcut);
  connect(find, &QShortcut::activated, this, [this] {
    setFocus(Qt::ShortcutFocusReason);
    selectAll();
  });
}

void MapFilter::keyPressEvent(QKeyEvent* event) {
  const int key = event->key();
  if (key != Qt::Key_Escape && key != Qt::Key_Return && key != Qt::Key_Enter) return QLineEdit::keyPressEvent(event);
  if (key == Qt::Key_Escape) clear();
  if (map_) map_->setFocus();
}

}  // namespace ph::ui
