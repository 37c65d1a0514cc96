// NowPanel: what is going on, below the map. Threads: GUI thread only.
#pragma once

#include <QLabel>
#include <QListView>
#include <QWidget>

#include "models/session.h"

namespace ph::ui {

class NowPanel : public QWidget {
  Q_OBJECT
 public:
  explicit NowPanel(models::Session* session, QWidget* parent = nullptr);
  QListView* list() { return list_; }
  QSize minimumSizeHint() const override { return {200, 90}; }

 signals:
  void wanted(const ph::models::Subject& subject, bool link);

 private:
  void tell();
  models::Session* session_;
  QListView* list_;
  QLabel* empty_;
};

}  // namespace ph::ui
