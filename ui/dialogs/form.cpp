#include "ui/dialogs/form.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QStyle>

#include "ui/theme/widgets.h"

namespace ph::ui {

namespace {

// What may grow takes the room that is left; the others stay together.
int stretchOf(const QWidget* field) {
  const bool grows = field->sizePolicy().verticalPolicy() & QSizePolicy::ExpandFlag;
  return grows && field->minimumHeight() < field->maximumHeight() ? 1 : 0;
}

}  // namespace

Form::Form(QWidget* parent) : QWidget(parent) {
  column_ = new QVBoxLayout(this);
  column_->setContentsMargins(0, 0, 0, 0);
  column_->setSpacing(space::s);
}

QVBoxLayout* Form::cell(const QString& name, const QString& title, QWidget* field, const QString& hint) {
  auto* box = new QVBoxLayout;
  box->setSpacing(3);
  auto* head = label(title, nullptr, this);
  head->setBuddy(field);
  field->setAccessibleName(title);
  if (auto* inner = field->focusProxy(); inner && inner->accessibleName().isEmpty()) inner->setAccessibleName(title);
  auto* note = label(hint, "caption", this);
  note->setWordWrap(true);
  note->setVisible(!hint.isEmpty());
  box->addWidget(head);
  box->addWidget(field, stretchOf(field));
  box->addWidget(note);
  fields_[name] = {field, note, hint};
  field->installEventFilter(this);
  field->setProperty("fieldName", name);
  return box;
}

void Form::add(const QString& name, const QString& title, QWidget* field, const QString& hint) {
  column_->addLayout(cell(name, title, field, hint), stretchOf(field));
}

void Form::addPair(const QString& name, const QString& title, QWidget* field, const QString& name2,
                   const QString& title2, QWidget* field2, int width2) {
  auto* row = new QHBoxLayout;
  row->setSpacing(space::m);
  auto* a = cell(name, title, field, {});
  auto* b = cell(name2, title2, field2, {});
  a->addStretch();
  b->addStretch();
  row->addLayout(a, 1);
  if (width2 > 0) {
    field2->setFixedWidth(width2);
    row->addLayout(b);
  } else {
    row->addLayout(b, 1);
  }
  column_->addLayout(row);
}

bool Form::showProblems(const QList<models::FieldProblem>& problems, bool all) {
  QHash<QString, QString> first;
  for (auto& p : problems) {
    if (!first.contains(p.field)) first[p.field] = p.text;
  }
  for (auto it = fields_.begin(); it != fields_.end(); ++it) {
    const bool wrong = first.contains(it.key()) && (all || touched_.contains(it.key()));
    it->note->setText(wrong ? first[it.key()] : it->hint);
    it->note->setVisible(wrong || !it->hint.isEmpty());
    if (it->note->property("role").toString() != QLatin1String(wrong ? "error" : "caption"))
      setRole(it->note, wrong ? "error" : "caption");
    if (it->widget->property("invalid").toBool() != wrong) {
      it->widget->setProperty("invalid", wrong);
      it->widget->setAccessibleDescription(wrong ? first[it.key()] : it->hint);
      it->widget->style()->unpolish(it->widget);
      it->widget->style()->polish(it->widget);
    }
  }
  return problems.isEmpty();
}

QString Form::count(const QList<models::FieldProblem>& problems) {
  return problems.isEmpty() ? QString() : tr("%n field(s) need a look.", nullptr, int(problems.size()));
}

QString Form::problemOf(const QString& name) const {
  auto it = fields_.find(name);
  return it != fields_.end() && it->widget->property("invalid").toBool() ? it->note->text() : QString();
}

bool Form::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::FocusOut) {
    touch(watched->property("fieldName").toString());
    // Queued: the focus also goes when the dialog is being destroyed.
    QMetaObject::invokeMethod(this, &Form::left, Qt::QueuedConnection);
  }
  return false;
}

}  // namespace ph::ui
