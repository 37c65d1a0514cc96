// DrainDialog: what if this machine goes? Each pod with what would become of it, the same as ghosts on the map,
// and then the drain with its progress. It stands beside the map and does not lock it; a drain goes on when it is
// closed. Threads: GUI thread only.
#pragma once

#include <QCheckBox>
#include <QDialog>
#include <QListView>
#include <QPointer>
#include <QProgressBar>

#include "models/session.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class DrainDialog : public QDialog {
  Q_OBJECT
 public:
  DrainDialog(models::Session* session, const QString& node, QWidget* parent);
  ~DrainDialog() override;
  models::DrainModel* model() const { return model_; }
  QListView* list() { return list_; }

 signals:
  void wanted(const ph::models::Subject& subject);

 private:
  void refresh();
  void showGhosts(bool on);

  models::Session* session_;
  QPointer<models::DrainModel> model_;
  QString node_;
  QLabel *summary_, *problem_, *hint_;
  QListView* list_;
  QProgressBar* progress_;
  QCheckBox* lose_;
  CodeBox* command_;
  QPushButton *drain_, *cancel_, *uncordon_, *again_;
};

// Beside the map of `window`; the one that is open already is brought to the front.
DrainDialog* openDrainDialog(models::Session* session, const QString& node, QWidget* window);

}  // namespace ph::ui
