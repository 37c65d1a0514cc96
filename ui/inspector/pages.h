// The inspector's other pages: events, YAML. Threads: GUI thread only.
#pragma once

#include <QLabel>
#include <QListView>
#include <QPlainTextEdit>
#include <QStyledItemDelegate>
#include <QWidget>

#include "models/events_model.h"
#include "models/session.h"

namespace ph::ui {

class EventsPage : public QWidget {
  Q_OBJECT
 public:
  explicit EventsPage(models::Session* session, QWidget* parent = nullptr);
  void show(const models::Subject& subject);

 private:
  models::EventsModel model_;
  QListView* list_;
  QLabel* empty_;
};

class YamlPage : public QWidget {
  Q_OBJECT
 public:
  explicit YamlPage(models::Session* session, QWidget* parent = nullptr);
  void show(const models::Subject& subject);
  void showTree(const std::shared_ptr<const boost::json::value>& tree);  // of any other object; null: not read yet
  QString text() const { return text_->toPlainText(); }

 private:
  models::Session* session_;
  api::ObjectPtr shown_;
  std::shared_ptr<const boost::json::value> tree_;
  QPlainTextEdit* text_;
};

}  // namespace ph::ui
