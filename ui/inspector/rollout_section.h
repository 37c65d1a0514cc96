// RolloutSection: how far an application's change is, and what can be done about it: another image, an older
// revision. Threads: GUI thread only.
#pragma once

#include <QProgressBar>
#include <QWidget>

#include "models/session.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class RolloutSection : public QWidget {
  Q_OBJECT
 public:
  explicit RolloutSection(models::Session* session, QWidget* parent = nullptr);
  void show(const models::WorkloadFacts& workload);

 private:
  models::Session* session_;
  QString app_;
  QLabel* sentence_;
  QProgressBar* progress_;
  FactRows* counts_;
  QPushButton *image_, *revisions_;
};

}  // namespace ph::ui
