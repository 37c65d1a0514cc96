// DecisionPage: why a pod is where it is, or why it waits: the outcome in a sentence, the smallest change that would let
// it fit, and every machine against every rule. Threads: GUI thread only.
#pragma once

#include <QHash>
#include <QWidget>

#include "models/decision_model.h"
#include "models/session.h"
#include "ui/inspector/decision_matrix.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

class DecisionPage : public QWidget {
  Q_OBJECT
 public:
  explicit DecisionPage(models::Session* session, QWidget* parent = nullptr);
  void show(const models::Subject& subject);
  models::DecisionModel* model() { return &model_; }
  DecisionMatrix* matrix() { return matrix_; }

 signals:
  void wanted(const ph::models::Subject& subject);
  void pointed(const QString& node);                 // a row is under the hand; empty: none
  void judged(const QHash<QString, bool>& fitting);  // by node; empty: nothing is shown

 protected:
  void showEvent(QShowEvent*) override;
  void hideEvent(QHideEvent*) override;

 private:
  void tell();

  models::Session* session_;
  models::DecisionModel model_;
  models::Subject subject_;
  QLabel *summary_, *more_;
  QWidget* remedyPart_;
  QLabel* remedy_;
  CodeBox *remedyCommand_, *command_;
  QPushButton* uncordon_;
  DecisionMatrix* matrix_;
};

}  // namespace ph::ui
