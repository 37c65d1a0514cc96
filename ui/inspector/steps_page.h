// StepsPage: the ten steps of a pod as a timeline: what was done by whom, when, and how long it took, live while the pod
// starts. Of an application: of its newest pod, or the one that is chosen. Threads: GUI thread only.
#pragma once

#include <QComboBox>
#include <QScrollArea>
#include <QTimer>
#include <QWidget>

#include "models/session.h"
#include "models/steps_model.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

// The painted list of steps. Each has a dot on the line, its name and component, a bar that begins where the step
// before ended and is as long as it took (all to one scale), and a sentence about it.
class StepsView : public QWidget {
  Q_OBJECT
 public:
  StepsView(models::StepsModel* model, models::ClusterState* state, QWidget* parent = nullptr);
  QRectF barRect(int step) const;  // of a step's bar; empty when it has none
  QSize sizeHint() const override { return {300, 10}; }
  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;

 private:
  double textHeight(int step, int width) const;
  QRectF stepRect(int step) const;
  void paintStep(QPainter& p, int step, const QRectF& r) const;
  void tell();
  double whole() const;  // ms that the width of the bars stands for

  models::StepsModel* model_;
  models::ClusterState* state_;
  int cursor_ = 0;
};

class StepsPage : public QWidget {
  Q_OBJECT
 public:
  explicit StepsPage(models::Session* session, QWidget* parent = nullptr);
  void show(const models::Subject& subject);
  models::StepsModel* model() { return &model_; }
  StepsView* view() { return view_; }
  QComboBox* which() { return which_; }

 protected:
  void showEvent(QShowEvent*) override;
  void hideEvent(QHideEvent*) override;

 private:
  void tell();
  void choose();

  models::Session* session_;
  models::StepsModel model_;
  models::Subject subject_;
  QStringList pods_;
  QComboBox* which_;
  QLabel *summary_, *cause_;
  QScrollArea* scroll_;
  StepsView* view_;
  CodeBox* command_;
  QTimer counting_;  // while a step is under way and somebody looks
  bool filling_ = false;
};

}  // namespace ph::ui
