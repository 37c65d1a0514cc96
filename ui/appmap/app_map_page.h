// AppMapPage: the application map with its filter, and what it says when there is nothing to see. It follows the cluster
// only while it is shown. Threads: GUI thread only.
#pragma once

#include <QLineEdit>
#include <QStackedWidget>

#include "ui/appmap/app_map_view.h"
#include "ui/map/map_filter.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class AppMapPage : public QWidget {
  Q_OBJECT
 public:
  explicit AppMapPage(models::Session* session, QWidget* parent = nullptr);
  AppMapView* map() { return map_; }
  models::AppMapModel* model() { return &model_; }
  QLineEdit* filter() { return filter_; }
  void show(const models::Subject& subject);

 signals:
  void selected(const ph::models::Subject& subject);
  void deployWanted();

 protected:
  void paintEvent(QPaintEvent*) override;
  void showEvent(QShowEvent*) override;
  void hideEvent(QHideEvent*) override;

 private:
  void refresh();
  QWidget* emptyState();

  models::Session* session_;
  models::AppMapModel model_;
  QLabel *offline_, *said_;
  MapFilter* filter_;
  QStackedWidget* stack_;
  AppMapView* map_;
  QLabel *emptyTitle_, *emptyText_;
  QPushButton *deploy_, *emptyDeploy_;
};

}  // namespace ph::ui
