// DeployDialog: an application from a form, beside the manifest that it will apply. Threads: GUI thread only.
#pragma once

#include <QComboBox>
#include <QDialog>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSpinBox>

#include "models/session.h"
#include "ui/dialogs/form.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class DeployDialog : public QDialog {
  Q_OBJECT
 public:
  explicit DeployDialog(models::Session* session, QWidget* parent = nullptr);
  void setArchive(const QString& path);
  models::DeployForm form() const;
  QString manifest() const { return manifest_->toPlainText(); }

 signals:
  void deployed(const QString& app);
  void filesWanted(bool folder);  // manifests instead of the form; the dialog closes

 private:
  void refresh();
  void submit();
  void chooseArchive();
  QList<models::FieldProblem> problems() const;

  models::Session* session_;
  Form* fields_;
  QLineEdit *name_, *image_, *ports_, *cpu_, *memory_, *namespace_;
  QSpinBox* copies_;
  QPlainTextEdit *env_, *manifest_;
  QPushButton *choose_, *submit_;
  QLabel *archiveNote_, *failure_, *count_;
  QString archive_;
  bool tried_ = false, busy_ = false, nameTyped_ = false;
};

}  // namespace ph::ui
