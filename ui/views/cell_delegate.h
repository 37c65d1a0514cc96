// CellDelegate: paints one cell of any of the window's tables, by the roles of ObjectTableModel. Threads: GUI thread only.
#pragma once

#include <QStyledItemDelegate>

namespace ph::ui {

class CellDelegate : public QStyledItemDelegate {
  Q_OBJECT
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  void paint(QPainter* p, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

}  // namespace ph::ui
