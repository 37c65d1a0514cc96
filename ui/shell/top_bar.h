// TopBar: brand, the cluster, the search field that opens the palette, and the health sentence. Threads: GUI
// thread only.
#pragma once

#include <QWidget>

#include "models/session.h"
#include "ui/theme/widgets.h"

class QToolButton;

namespace ph::ui {

class TopBar : public QWidget {
  Q_OBJECT
 public:
  explicit TopBar(models::Session* session, QWidget* parent = nullptr);

 signals:
  void searchWanted();
  void setupWanted();

 protected:
  void paintEvent(QPaintEvent*) override;

 private:
  void refresh();
  models::Session* session_;
  QPushButton *cluster_, *search_;
  ElidedLabel* health_;
};

}  // namespace ph::ui
