// DiffView: a text's change, line by line: what goes, what comes, what stays around it. Read with the keyboard
// like a list; its lines can be copied. Threads: GUI thread only.
#pragma once

#include <QAbstractScrollArea>

#include "models/text_diff.h"

namespace ph::ui {

class DiffView : public QAbstractScrollArea {
  Q_OBJECT
 public:
  explicit DiffView(QWidget* parent = nullptr);
  // `empty`: what is said when there is nothing to show.
  void show(models::TextDiff diff, const QString& empty = {});
  const models::TextDiff& diff() const { return diff_; }
  QString plain() const;  // as `diff -u` writes it
  QSize sizeHint() const override { return {420, 280}; }
  QSize minimumSizeHint() const override { return {160, 80}; }

 protected:
  void paintEvent(QPaintEvent*) override;
  void resizeEvent(QResizeEvent*) override;
  void keyPressEvent(QKeyEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;

 private:
  void measure();
  int lineHeight() const;
  models::TextDiff diff_;
  QString empty_;
  double widest_ = 0;
};

}  // namespace ph::ui
