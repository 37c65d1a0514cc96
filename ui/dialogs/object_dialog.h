// ObjectDialog: a namespace, ConfigMap, Secret or quota made or edited in a form, beside the manifest that is sent.
// A Secret's values are hidden until one asks to see one. Threads: GUI thread only.
#pragma once

#include <QComboBox>
#include <QDialog>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>

#include "models/object_form.h"
#include "models/session.h"
#include "ui/dialogs/form.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class ObjectDialog : public QDialog {
  Q_OBJECT
 public:
  using Kind = models::ObjectForm::Kind;
  ObjectDialog(models::Session* session, models::ObjectForm form, QWidget* parent = nullptr);
  // Reads the object first; says so meanwhile, or why it can't be read.
  static ObjectDialog* edit(models::Session* session, Kind kind, const QString& ns, const QString& name, QWidget* parent);
  static ObjectDialog* make(models::Session* session, Kind kind, QWidget* parent);

  models::ObjectForm form() const;
  QString manifest() const { return manifest_->toPlainText(); }
  QListWidget* keys() { return keys_; }
  QPlainTextEdit* value() { return value_; }

 signals:
  void saved();

 private:
  void build();
  QWidget* entriesPart(QWidget* parent);
  void load(models::ObjectForm form);
  void refresh();
  void showEntry();
  void addEntry(const QString& wanted = {}, const QString& value = {});
  void offerEntries();
  bool oneLine() const { return form_.kind == Kind::Namespace || form_.kind == Kind::Quota; }
  void removeEntry();
  void renameEntry(QListWidgetItem* item);
  void submit();
  void remove();
  QString entryName() const;  // what an entry is called here

  models::Session* session_;
  models::ObjectForm form_;
  QSet<int> seen_;  // entries of a Secret whose values may be shown
  Form* fields_;
  QLineEdit *name_, *type_;
  QComboBox* namespace_;
  QListWidget* keys_;
  QPlainTextEdit *value_, *manifest_;
  QLabel *valueNote_, *failure_, *waiting_;
  QPushButton *reveal_, *add_, *drop_, *submit_, *remove_;
  CodeBox* command_;
  bool tried_ = false, busy_ = false, filling_ = false;
};

}  // namespace ph::ui
