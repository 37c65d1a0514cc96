// MapFilter: the field above a map whose words dim what does not fit. Ctrl F on its page leads to it; Enter and Escape
// lead back to the map, Escape without the words. Threads: GUI thread only.
#pragma once

#include <QLineEdit>

namespace ph::ui {

class MapFilter : public QLineEdit {
  Q_OBJECT
 public:
  MapFilter(const QString& name, const QString& toolTip, QWidget* page);
  void setMap(QWidget* map) { map_ = map; }

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  QWidget* map_ = nullptr;
};

}  // namespace ph::ui
