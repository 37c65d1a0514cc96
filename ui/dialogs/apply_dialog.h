// ApplyDialog: manifests and image archives that were dropped or chosen: what they would change, object by object,
// and then the apply with what became of each. Threads: GUI thread only.
#pragma once

#include <QDialog>
#include <QLineEdit>
#include <QListView>
#include <QProgressBar>
#include <QTimer>

#include "models/apply_model.h"
#include "models/session.h"
#include "ui/theme/diff_view.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class ApplyDialog : public QDialog {
  Q_OBJECT
 public:
  ApplyDialog(models::Session* session, const QStringList& paths, QWidget* parent = nullptr);
  models::ApplyModel* model() { return &model_; }
  QListView* list() { return list_; }
  DiffView* diff() { return diff_; }

 protected:
  void closeEvent(QCloseEvent* event) override;
  void reject() override;

 private:
  void refresh();
  void showRow();

  models::Session* session_;
  models::ApplyModel model_;
  QLabel *summary_, *notes_, *place_, *words_;
  QLineEdit* namespace_;
  QListView* list_;
  QProgressBar* progress_;
  DiffView* diff_;
  CodeBox* command_;
  QPushButton *apply_, *close_, *again_;
  QTimer typed_;
};

}  // namespace ph::ui
