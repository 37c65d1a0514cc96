#include "ui/theme/tables.h"

#include <QStyleOptionHeader>

namespace ph::ui {

TableHeader::TableHeader(QWidget* parent) : QHeaderView(Qt::Horizontal, parent) {
  setSectionsClickable(true);
  setHighlightSections(false);
  setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
}

void TableHeader::initStyleOptionForIndex(QStyleOptionHeader* option, int section) const {
  QHeaderView::initStyleOptionForIndex(option, section);
  if (option->sortIndicator == QStyleOptionHeader::None || !(option->textAlignment & Qt::AlignRight)) return;
  option->text += QString(5, QChar(QChar::Nbsp));  // the arrow stands at the right end, over this
}

QTableView* tableView(const QString& accessibleName, QWidget* parent) {
  auto* table = new QTableView(parent);
  table->setHorizontalHeader(new TableHeader(table));
  table->setSelectionBehavior(QAbstractItemView::SelectRows);
  table->setShowGrid(false);
  table->setWordWrap(false);
  table->setMouseTracking(true);
  table->verticalHeader()->hide();
  table->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
  table->verticalHeader()->setDefaultSectionSize(32);
  table->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
  table->setTabKeyNavigation(false);
  table->setAccessibleName(accessibleName);
  return table;
}

}  // namespace ph::ui
