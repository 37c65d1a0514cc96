// MachineImportPage: many machines at once, out of ~/.ssh/config or of a pasted list with ranges: a table of what was
// found, each to be chosen, each with what hinders it. Threads: GUI thread only.
#pragma once

#include <QLineEdit>
#include <QPlainTextEdit>
#include <QTableView>
#include <QWidget>

#include "models/machine_import.h"
#include "models/session.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class MachineImportPage : public QWidget {
  Q_OBJECT
 public:
  enum class Source { SshConfig, List };
  MachineImportPage(models::Session* session, Source source, QWidget* parent = nullptr);
  models::MachineImportModel* model() { return &model_; }
  QTableView* table() { return table_; }
  // Reads the SSH configuration (again).
  void read();
  QString path() const { return path_->text(); }
  void setPath(const QString& path) { path_->setText(path); }

 signals:
  void changed();

 private:
  void parse();
  void show(QList<models::ImportedMachine> machines, const QString& problem, const QStringList& notes);

  models::Session* session_;
  Source source_;
  models::MachineImportModel model_;
  QLineEdit *path_ = nullptr, *user_ = nullptr, *key_ = nullptr, *zone_ = nullptr;
  QPlainTextEdit* list_ = nullptr;
  QTableView* table_;
  QLabel *said_, *empty_;
  int question_ = 0;
};

}  // namespace ph::ui
