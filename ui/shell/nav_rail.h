// NavRail: the places of the window, on the left. Threads: GUI thread only.
#pragma once

#include <QAbstractButton>
#include <QButtonGroup>
#include <QVBoxLayout>
#include <QWidget>

namespace ph::ui {

class NavRail : public QWidget {
  Q_OBJECT
 public:
  explicit NavRail(QWidget* parent = nullptr);
  void add(int id, const QString& icon, const QString& text, const QKeySequence& key);
  void setCurrent(int id);
  QAbstractButton* button(int id) const { return group_.button(id); }

 signals:
  void chosen(int id);

 protected:
  void paintEvent(QPaintEvent*) override;

 private:
  QButtonGroup group_;
  QVBoxLayout* layout_;
};

}  // namespace ph::ui
