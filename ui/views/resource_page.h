// ResourcePage: every kind that the server has as a table: kinds at the left, namespaces, filter, the server's
// columns, several rows at once. Follows a kind only while it is shown. Threads: GUI thread only.
#pragma once

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>
#include <QSet>
#include <QTableView>
#include <QTimer>
#include <QWidget>

#include "models/kind_list.h"
#include "models/resource_table.h"
#include "models/session.h"
#include "ui/theme/widgets.h"

class QVBoxLayout;

namespace ph::models {
class PathWatch;
}

namespace ph::ui {

class ResourcePage : public QWidget {
  Q_OBJECT
 public:
  explicit ResourcePage(models::Session* session, QWidget* parent = nullptr);
  ~ResourcePage() override;

  void show(const models::Subject& subject);  // its row is marked where it is in the table
  void openKind(const QString& plural, const QString& group = {});
  models::ResourceTable* model() { return &model_; }
  models::KindList* kinds() { return &kinds_; }
  QTableView* table() { return table_; }
  QListView* kindView() { return kindView_; }
  QList<models::ObjectRef> selection() const;
  void setNamespaces(const QStringList& names);

 signals:
  void selected(const ph::models::Subject& subject);
  void removeWanted(const QList<ph::models::ObjectRef>& objects);
  void logsWanted(const QStringList& pods);

 protected:
  void paintEvent(QPaintEvent*) override;
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  QWidget* makeKinds();
  void makeHead(QVBoxLayout* layout);
  void makeTable();
  void connection();
  void choose(const models::KindInfo& kind);
  void follow();
  void sizeColumns();
  void onSelection();
  void restoreSelection();
  void tellChosen(int rows);
  void tell();

  models::Session* session_;
  models::KindList kinds_;
  models::ResourceTable model_;
  models::KindInfo kind_;
  QString wantedPlural_ = QStringLiteral("pods"), wantedGroup_;
  std::shared_ptr<models::PathWatch> namespaceWatch_;
  QLineEdit *kindFilter_, *filter_;
  QListView* kindView_;
  QLabel *kindState_, *count_, *empty_;
  ElidedLabel *title_, *chosen_;
  QComboBox* namespaces_;
  QPushButton *remove_, *logs_;
  QTableView* table_;
  QSet<QString> keys_;  // chosen, through resets
  bool restoring_ = false, sized_ = false;
  QTimer typed_, second_;
};

}  // namespace ph::ui
