// AppsPage and TablesPage: applications, and every kind, as tables with a filter. SetupPage: where things
// are, and the looks. Threads: GUI thread only.
#pragma once

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSortFilterProxyModel>
#include <QTabBar>
#include <QTableView>
#include <QWidget>

#include "models/object_table_model.h"
#include "models/session.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class TablePage : public QWidget {
  Q_OBJECT
 public:
  // With more than one kind, tabs choose among them.
  TablePage(models::Session* session, const QString& title, QList<models::ObjectTableModel::Kind> kinds,
            QWidget* parent = nullptr);
  void show(const models::Subject& subject);
  QTableView* table() { return table_; }
  QHBoxLayout* head() { return head_; }

 signals:
  void selected(const ph::models::Subject& subject);

 protected:
  void paintEvent(QPaintEvent*) override;

 private:
  void setKind(int at);
  void tell();

  models::Session* session_;
  QList<models::ObjectTableModel::Kind> kinds_;
  models::ObjectTableModel model_;
  QSortFilterProxyModel sorted_;
  QHBoxLayout* head_;
  QTabBar* tabs_;
  QLineEdit* filter_;
  QTableView* table_;
  QLabel *count_, *empty_;
};

class SetupPage : public QWidget {
  Q_OBJECT
 public:
  explicit SetupPage(models::Session* session, QWidget* parent = nullptr);

 protected:
  void paintEvent(QPaintEvent*) override;

 private:
  void refresh();
  models::Session* session_;
  FactRows* facts_;
  CodeBox* command_;
  QButtonGroup* modes_;
};

}  // namespace ph::ui
