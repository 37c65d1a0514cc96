// Inspector: the panel on the right: what is selected, with its overview, logs, events and YAML.
// Threads: GUI thread only.
#pragma once

#include <QScrollArea>
#include <QStackedWidget>
#include <QTabBar>
#include <QTimer>
#include <QWidget>

#include "models/session.h"
#include "ui/inspector/decision_page.h"
#include "ui/inspector/object_overview.h"
#include "ui/inspector/overview_pages.h"
#include "ui/inspector/pages.h"
#include "ui/inspector/steps_page.h"
#include "ui/logs/log_page.h"

namespace ph::ui {

class Inspector : public QWidget {
  Q_OBJECT
 public:
  enum class Page { Overview, Logs, Events, Yaml, Steps, WhyHere, Related };
  explicit Inspector(models::Session* session, QWidget* parent = nullptr);

  void show(const models::Subject& subject);
  void open(Page page);
  Page page() const;
  const models::Subject& subject() const { return subject_; }
  AppOverview* appOverview() { return app_; }
  LogPage* logPage() { return logs_; }
  StepsPage* stepsPage() { return steps_; }
  DecisionPage* decisionPage() { return decision_; }
  RelatedPage* relatedPage() { return related_; }
  ObjectOverview* objectOverview() { return object_; }
  // Through what was selected before, and forth again.
  void goBack() { go(-1); }
  void goForward() { go(1); }

 signals:
  void wanted(const ph::models::Subject& subject);
  void deployWanted();
  void addMachineWanted();
  void removeWanted(const ph::models::Subject& subject);
  // For the map, while the scheduler's decision is shown: the node under the hand, and which nodes would take the pod.
  void nodePointed(const QString& node);
  void nodesJudged(const QHash<QString, bool>& fitting);
  void logRoomWanted(const ph::models::Subject& subject);

 protected:
  void paintEvent(QPaintEvent*) override;

 private:
  void refresh();
  void onChanged(const models::ChangeSet& changes);
  void fillTabs();
  void nameTabs();
  void go(int by);
  void remember(const models::Subject& subject);
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
  ObjectOverview* object_;
  LogPage* logs_;
  EventsPage* events_;
  YamlPage* yaml_;
  StepsPage* steps_;
  DecisionPage* decision_;
  RelatedPage* related_;
  QToolButton *back_, *forward_;
  QList<models::Subject> history_;
  int historyAt_ = -1;
  QTimer refresh_, second_;
};

}  // namespace ph::ui
