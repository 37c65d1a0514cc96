// LogPage: a log with its tools: whose, search, only the matching lines, times, wrap, save. Narrow in the
// inspector, wide as a page of its own. Threads: GUI thread only.
#pragma once

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QTimer>
#include <QToolButton>
#include <QWidget>

#include "models/session.h"
#include "ui/logs/log_view.h"

namespace ph::ui {

class LogPage : public QWidget {
  Q_OBJECT
 public:
  enum class Room { Narrow, Wide };
  explicit LogPage(models::Session* session, Room room, QWidget* parent = nullptr);

  // The log of a pod (one container or all), or of all pods of an application. Called again when things changed.
  void show(const models::Subject& subject);
  void showPods(const QStringList& pods);  // keys; all their containers, merged
  void clear();
  const models::Subject& subject() const { return subject_; }
  const QStringList& pods() const { return pods_; }
  void saveTo(const QString& path);

  models::LogModel* model() { return &model_; }
  LogView* view() { return view_; }
  QLineEdit* searchField() { return search_; }

 signals:
  void roomWanted();  // of the narrow one: the same with more room
  void said(const QString& what, bool ok);

 protected:
  void paintEvent(QPaintEvent*) override;
  void resizeEvent(QResizeEvent*) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void arrange(Room room);
  void setChoices(QList<models::LogSource> choices, const QStringList& names, const QString& all);
  QList<models::LogSource> sourcesOf(const QString& pod, bool named) const;
  void choose(bool again);
  void search();
  void step(int by);
  void tell();
  void askWhere();

  models::Session* session_;
  Room room_;
  models::LogModel model_;
  models::Subject subject_;
  QStringList pods_;
  QList<models::LogSource> choices_;
  QComboBox* which_;
  QLineEdit* search_;
  QLabel *count_, *state_, *empty_;
  QToolButton *regex_, *only_, *times_, *wrap_, *previous_, *next_, *save_, *larger_ = nullptr;
  LogView* view_;
  QTimer typed_;
  bool filling_ = false;
};

}  // namespace ph::ui
