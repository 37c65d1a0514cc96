// ObjectOverview: what any object says of itself, whatever its kind: where it stands, its conditions, its status,
// its data by name (a secret's never shown). RelatedPage: what it has to do with others; a click follows.
// Threads: GUI thread only.
#pragma once

#include <QLabel>
#include <QScrollArea>

#include "models/object_watch.h"
#include "models/related_model.h"
#include "ui/inspector/overview_pages.h"

namespace ph::ui {

class ObjectOverview : public OverviewPage {
  Q_OBJECT
 public:
  explicit ObjectOverview(models::Session* session, QWidget* parent = nullptr);
  void show(const QString& key) override;  // an ObjectRef's
  models::ObjectWatch* object() { return &object_; }

 signals:
  void changed();

 private:
  void refresh();
  models::ObjectWatch object_;
  QLabel *state_, *conditionsTitle_, *moreTitle_, *labelsTitle_;
  FactRows *facts_, *conditions_, *more_, *labels_;
  QPushButton* remove_;
  CodeBox* command_;
};

class RelatedPage : public QScrollArea {
  Q_OBJECT
 public:
  explicit RelatedPage(models::Session* session, QWidget* parent = nullptr);
  void show(const models::Subject& subject);
  void stop() { model_.stop(); }
  models::RelatedModel* model() { return &model_; }
  const std::vector<RowList*>& lists() const { return lists_; }

 signals:
  void wanted(const ph::models::Subject& subject);

 private:
  void refresh();
  models::Session* session_;
  models::RelatedModel model_;
  QLabel* state_;
  QVBoxLayout* column_;
  std::vector<QLabel*> titles_;
  std::vector<RowList*> lists_;
};

}  // namespace ph::ui
