// FleetPage: the home: title, legend, map, and the feed of what is going on. Threads: GUI thread only.
#pragma once

#include <QLineEdit>
#include <QSplitter>
#include <QStackedWidget>
#include <QWidget>

#include "models/session.h"
#include "ui/map/legend_bar.h"
#include "ui/map/map_filter.h"
#include "ui/map/map_view.h"
#include "ui/shell/now_panel.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class FleetPage : public QWidget {
  Q_OBJECT
 public:
  explicit FleetPage(models::Session* session, QWidget* parent = nullptr);
  MapView* map() { return map_; }
  LegendBar* legend() { return legend_; }
  NowPanel* now() { return now_; }
  QLineEdit* filter() { return filter_; }
  QPushButton* grouping() { return grouping_; }
  void show(const models::Subject& subject);

 signals:
  void selected(const ph::models::Subject& subject);
  void linkWanted(const ph::models::Subject& subject);
  void addMachineWanted();
  void deployWanted();
  void appsWanted();

 protected:
  void paintEvent(QPaintEvent*) override;

 private:
  void refresh();
  QWidget* emptyState();
  void offerGroupings();
  void tellFitting();

  models::Session* session_;
  QPushButton* grouping_;
  MapFilter* filter_;
  QLabel* fitting_;
  LegendBar* legend_;
  QPushButton *deploy_, *add_;
  QLabel* offline_;
  QStackedWidget* stack_;
  MapView* map_;
  NowPanel* now_;
  QWidget* zoom_;
};

}  // namespace ph::ui
