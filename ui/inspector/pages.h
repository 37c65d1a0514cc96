// The inspector's other pages: live logs, events, YAML. Threads: GUI thread only.
#pragma once

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QPlainTextEdit>
#include <QStyledItemDelegate>
#include <QToolButton>
#include <QWidget>

#include "models/events_model.h"
#include "models/log_model.h"
#include "models/session.h"

namespace ph::ui {

// Follows the log of a pod's container, or of all pods of an application (each line behind its pod's color).
class LogPage : public QWidget {
  Q_OBJECT
 public:
  explicit LogPage(models::Session* session, QWidget* parent = nullptr);
  void show(const models::Subject& subject);
  void clear();
  models::LogModel* model() { return &model_; }

 private:
  void choose();
  void onInserted(int first, int last);
  void search(bool forward);
  void mark();
  void tell();

  models::Session* session_;
  models::LogModel model_;
  models::Subject subject_;
  QList<models::LogSource> choices_;
  QComboBox* which_;
  QLineEdit* search_;
  QToolButton *follow_, *wrap_;
  QPlainTextEdit* text_;
  QLabel* state_;
  bool filling_ = false;
};

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

 private:
  models::Session* session_;
  api::ObjectPtr shown_;
  QPlainTextEdit* text_;
};

}  // namespace ph::ui
