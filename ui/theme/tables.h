// The window's tables look alike: rows without a grid, headers as the columns are aligned, scrolled by the pixel.
// Threads: GUI thread only.
#pragma once

#include <QHeaderView>
#include <QTableView>

namespace ph::ui {

// A header whose sort arrow has its own room: beside a right-aligned name it does not lie on the name.
class TableHeader : public QHeaderView {
  Q_OBJECT
 public:
  explicit TableHeader(QWidget* parent = nullptr);

 protected:
  void initStyleOptionForIndex(QStyleOptionHeader* option, int section) const override;
};

QTableView* tableView(const QString& accessibleName, QWidget* parent);

}  // namespace ph::ui
