// Inspector: the panel on the right: what is selected, with its overview, logs, events and YAML.
// Threads: GUI thread only.
#pragma once

#include <QScrollArea>
#include <QStackedWidget>
#include <QTabBar>
#include <QTimer>
#include <QWidget>

#include "models/session.h"
#include "ui/inspector/overview_pages.h"
#include "ui/inspector/pages.h"

namespace ph::ui {

class Inspector : public QWidget {
  Q_OBJECT
 public:
  enum class Page { Overview, Logs, Events, Yaml };
  explicit Inspector(models::Session* session, QWidget* parent = nullptr);

  void show(const models::Subject& subject);
  void open(Page page);
  Page page() const;
  const models::Subject& subject() const { return subject_; }
  AppOverview* appOverview() { return app_; }
  LogPage* logPage() { return logs_; }

 signals:
  void wanted(const ph::models::Subject& subject);
  void deployWanted();
  void addMachineWanted();
  void removeWanted(const ph::models::Subject& subject);

 protected:
  void paintEvent(QPaintEvent*) override;

 private:
  void refresh();
  void onChanged(const models::ChangeSet& changes);
  void fillTabs();
  OverviewPage* overviewFor(const models::Subject& subject);

  models::Session* session_;
  models::Subject subject_;
  QWidget* mark_;
  ElidedLabel *title_, *kind_;
  QTabBar* tabs_;
  QStackedWidget* stack_;
  QScrollArea* scroll_;
  QWidget* overviews_;  // the pages one above the other, one of them shown
  ClusterOverview* cluster_;
  AppOverview* app_;
  MachineOverview* machine_;
  PodOverview* pod_;
  LogPage* logs_;
  EventsPage* events_;
  YamlPage* yaml_;
  QTimer refresh_, second_;
};

}  // namespace ph::ui
