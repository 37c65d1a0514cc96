// Notices: what an action became, at the foot of the window, for a moment; failures stay until they are
// closed. Threads: GUI thread only.
#pragma once

#include <QPushButton>
#include <QTimer>
#include <QWidget>

#include "ui/theme/widgets.h"

namespace ph::ui {

class Notices : public QWidget {
  Q_OBJECT
 public:
  explicit Notices(QWidget* window);
  void say(const QString& what, const QString& command, bool ok, const QString& problem);
  QString text() const { return what_; }

 protected:
  void paintEvent(QPaintEvent*) override;
  bool eventFilter(QObject* watched, QEvent* event) override;
  void mouseReleaseEvent(QMouseEvent*) override { hide(); }

 private:
  void place();
  QString what_, detail_;
  bool ok_ = true;
  QTimer timer_;
};

}  // namespace ph::ui
