// DropHint: what happens with what is being dragged over the window, while it is. Threads: GUI thread only.
#pragma once

#include <QWidget>

namespace ph::ui {

class DropHint : public QWidget {
  Q_OBJECT
 public:
  explicit DropHint(QWidget* window);
  // False when nothing of it can be deployed; nothing is shown then.
  bool offer(const QStringList& paths);
  QString text() const { return text_; }

 protected:
  void paintEvent(QPaintEvent*) override;

 private:
  QString text_, detail_;
};

}  // namespace ph::ui
