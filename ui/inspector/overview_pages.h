// The overview pages of the inspector: of the cluster, an application, a machine, a pod. Each is made once
// and refreshed with what it shows. Threads: GUI thread only.
#pragma once

#include <QProgressBar>
#include <QVBoxLayout>
#include <QWidget>

#include "models/session.h"
#include "ui/inspector/rollout_section.h"
#include "ui/inspector/scale_handle.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class OverviewPage : public QWidget {
  Q_OBJECT
 public:
  explicit OverviewPage(models::Session* session, QWidget* parent = nullptr);
  virtual void show(const QString& key) = 0;  // and refresh

 signals:
  void wanted(const ph::models::Subject& subject);
  void deployWanted();
  void addMachineWanted();
  void removeWanted(const ph::models::Subject& subject);

 protected:
  QVBoxLayout* column() { return column_; }
  void gap(int pixels) { column_->addSpacing(pixels); }
  void line();
  QLabel* section(const QString& title);
  // A block with "What this does" and a command.
  CodeBox* command();

  models::Session* session_;

 private:
  QVBoxLayout* column_;
};

class ClusterOverview : public OverviewPage {
  Q_OBJECT
 public:
  explicit ClusterOverview(models::Session* session, QWidget* parent = nullptr);
  void show(const QString& key) override;

 private:
  FactRows* facts_;
  RowList* apps_;
  QLabel* noApps_;
  QPushButton* deploy_;
  RowList* machines_;
  QWidget* machinesPart_;
};

class AppOverview : public OverviewPage {
  Q_OBJECT
 public:
  explicit AppOverview(models::Session* session, QWidget* parent = nullptr);
  void show(const QString& key) override;
  ScaleHandle* handle() { return handle_; }

 private:
  void showCopies();
  QString app_;
  QWidget* copies_;
  QLabel *count_, *hint_, *problem_;
  ScaleHandle* handle_;
  FactRows* facts_;
  RolloutSection* rollout_;
  QPushButton *restart_, *pause_, *remove_;
  RowList* pods_;
  CodeBox* command_;
};

class MachineOverview : public OverviewPage {
  Q_OBJECT
 public:
  explicit MachineOverview(models::Session* session, QWidget* parent = nullptr);
  void show(const QString& key) override;

 private:
  QString machine_, node_;
  bool cordoned_ = false;
  QLabel* note_;
  QWidget* trust_;
  QLabel* trustText_;
  CodeBox* fingerprint_;
  QPushButton* trustButton_;
  QProgressBar* progress_;
  FactRows *load_, *facts_;
  QWidget* findings_;
  QString findingsShown_;
  QPushButton *cordon_, *drain_, *remove_;
  QLabel* podsTitle_;
  RowList* pods_;
  CodeBox* command_;
};

class PodOverview : public OverviewPage {
  Q_OBJECT
 public:
  explicit PodOverview(models::Session* session, QWidget* parent = nullptr);
  void show(const QString& key) override;

 private:
  QString pod_;
  QLabel* now_;
  FactRows* facts_;
  RowList* links_;
  QWidget* containersBox_;
  QVBoxLayout* containers_;
  std::vector<FactRows*> containerRows_;
  QPushButton* stop_;
  CodeBox* command_;
};

// A tile's row: its shape, name, machine, state.
Row podRow(const models::Session& session, const models::PodFacts& pod, bool withMachine);

}  // namespace ph::ui
