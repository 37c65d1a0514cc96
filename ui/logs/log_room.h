// LogRoom: a log as a page of its own, of a pod, a whole application, or several pods chosen in a table.
// Threads: GUI thread only.
#pragma once

#include <QWidget>

#include "ui/logs/log_page.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class LogRoom : public QWidget {
  Q_OBJECT
 public:
  explicit LogRoom(models::Session* session, QWidget* parent = nullptr);
  void show(const models::Subject& subject);
  void showPods(const QStringList& pods);
  LogPage* page() { return page_; }

 signals:
  void backWanted();

 protected:
  void paintEvent(QPaintEvent*) override;
  void hideEvent(QHideEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void refresh();

  models::Session* session_;
  models::Subject subject_;
  QStringList pods_;
  ElidedLabel *title_, *detail_;
  LogPage* page_;
  QTimer refresh_;
};

}  // namespace ph::ui
