// AddMachineDialog: machines join here, one after the other: a form on the left, what becomes of each on the
// right: its host key to trust, what the preflight found, how far it is. Threads: GUI thread only.
#pragma once

#include <QDialog>
#include <QLineEdit>
#include <QProgressBar>
#include <QScrollArea>
#include <QSpinBox>
#include <QStackedWidget>
#include <QTabBar>

#include "models/session.h"
#include "ui/dialogs/form.h"
#include "ui/dialogs/machine_import_page.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

// One machine on its way.
class JoinRow : public QWidget {
  Q_OBJECT
 public:
  JoinRow(models::Session* session, const QString& machine, QWidget* parent = nullptr);
  void refresh();
  const QString& machine() const { return machine_; }
  void setFailure(const QString& text);
  QPushButton* trustButton() { return trust_; }

 protected:
  void paintEvent(QPaintEvent*) override;

 private:
  models::Session* session_;
  QString machine_, failure_, findingsShown_;
  ElidedLabel *name_, *state_;
  QLabel* note_;
  CodeBox* key_;
  QProgressBar* progress_;
  QPushButton* trust_;
  QWidget* findings_;
};

class AddMachineDialog : public QDialog {
  Q_OBJECT
 public:
  explicit AddMachineDialog(models::Session* session, QWidget* parent = nullptr);
  // Rows for machines that are on their way already are shown too.
  models::MachineForm form() const;
  JoinRow* row(const QString& machine) const { return rows_.value(machine); }
  void fill(const models::MachineForm& form);
  enum class Way { One, SshConfig, List };
  void setWay(Way way);
  MachineImportPage* page(Way way) { return way == Way::List ? list_page_ : config_; }

 private:
  Way way() const { return Way(ways_->currentIndex()); }
  void add(const models::MachineForm& form);
  void addChosen();
  void refresh();
  void submit();
  JoinRow* ensureRow(const QString& machine);

  models::Session* session_;
  QTabBar* ways_;
  QStackedWidget* left_;
  MachineImportPage *config_, *list_page_;
  Form* fields_;
  QLineEdit *address_, *user_, *key_, *name_, *zone_;
  QSpinBox* port_;
  QPushButton* submit_;
  CodeBox* manifest_;
  QLabel *failure_, *empty_;
  QVBoxLayout* list_;
  QHash<QString, JoinRow*> rows_;
  bool tried_ = false;
};

}  // namespace ph::ui
