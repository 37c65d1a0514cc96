// Form: labelled fields in a column, each with a place for what is wrong with it. Threads: GUI thread only.
#pragma once

#include <QHash>
#include <QLabel>
#include <QVBoxLayout>
#include <QWidget>

#include "models/forms.h"

namespace ph::ui {

class Form : public QWidget {
  Q_OBJECT
 public:
  explicit Form(QWidget* parent = nullptr);
  // `name` is the field's in FieldProblem. `hint` stands below while nothing is wrong.
  void add(const QString& name, const QString& title, QWidget* field, const QString& hint = {});
  // Two fields side by side; the first takes the room.
  void addPair(const QString& name, const QString& title, QWidget* field, const QString& name2,
               const QString& title2, QWidget* field2, int width2);
  // Shows the problems of the fields that were touched; `all`: of all. Returns whether there are none at all.
  bool showProblems(const QList<models::FieldProblem>& problems, bool all);
  // "2 fields need a look.", empty for none: for a dialog's foot.
  static QString count(const QList<models::FieldProblem>& problems);
  void touch(const QString& name) { touched_.insert(name); }
  void untouch() { touched_.clear(); }
  QString problemOf(const QString& name) const;
  QVBoxLayout* column() { return column_; }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 signals:
  void left();  // the focus went out of a field

 private:
  struct Field {
    QWidget* widget;
    QLabel* note;
    QString hint;
  };
  QVBoxLayout* cell(const QString& name, const QString& title, QWidget* field, const QString& hint);
  QVBoxLayout* column_;
  QHash<QString, Field> fields_;
  QSet<QString> touched_;
};

}  // namespace ph::ui
