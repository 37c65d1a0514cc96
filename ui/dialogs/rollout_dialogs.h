// An application's next image, and its past revisions with what undoing to them would change. Threads: GUI
// thread only.
#pragma once

#include <QDialog>
#include <QLineEdit>
#include <QListView>

#include "models/session.h"
#include "ui/dialogs/form.h"
#include "ui/theme/diff_view.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class ImageDialog : public QDialog {
  Q_OBJECT
 public:
  ImageDialog(models::Session* session, const QString& app, QWidget* parent);
  QLineEdit* field(int container) const { return edits_[container]; }

 private:
  QList<models::ContainerImage> changed() const;
  void refresh();
  void submit();

  models::Session* session_;
  QString app_;
  QList<models::ContainerImage> containers_;
  QList<QLineEdit*> edits_;
  Form* fields_;
  CodeBox* command_;
  QLabel* failure_;
  QPushButton* submit_;
  bool tried_ = false, busy_ = false;
};

class RevisionsDialog : public QDialog {
  Q_OBJECT
 public:
  RevisionsDialog(models::Session* session, const QString& app, QWidget* parent);
  QListView* list() { return list_; }
  DiffView* diff() { return diff_; }
  QPushButton* undoButton() { return undo_; }
  models::RolloutModel* model() { return &model_; }

 private:
  void refresh();
  void undo();

  models::Session* session_;
  QString app_;
  models::RolloutModel model_;
  QListView* list_;
  QLabel *state_, *title_, *note_, *failure_;
  DiffView* diff_;
  CodeBox* command_;
  QPushButton* undo_;
  bool busy_ = false;
};

void openImageDialog(models::Session* session, const QString& app, QWidget* parent);
void openRevisionsDialog(models::Session* session, const QString& app, QWidget* parent);

}  // namespace ph::ui
