#include "ui/dialogs/object_dialog.h"

#include <QHBoxLayout>
#include <QMenu>
#include <QPainter>
#include <QPointer>
#include <QScrollBar>
#include <QStyledItemDelegate>
#include <QTextCursor>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/dialogs/ask.h"

namespace ph::ui {

using models::ObjectForm;
using Kind = ObjectForm::Kind;

namespace {

QString titleOf(const ObjectForm& f) {
  switch (f.kind) {
    case Kind::Namespace:
      return f.isNew() ? ObjectDialog::tr("A new namespace") : ObjectDialog::tr("Namespace %1").arg(f.name);
    case Kind::ConfigMap:
      return f.isNew() ? ObjectDialog::tr("A new ConfigMap") : ObjectDialog::tr("ConfigMap %1").arg(f.name);
    case Kind::Secret:
      return f.isNew() ? ObjectDialog::tr("A new Secret") : ObjectDialog::tr("Secret %1").arg(f.name);
    case Kind::Quota:
      return f.isNew() ? ObjectDialog::tr("A new quota") : ObjectDialog::tr("Quota %1").arg(f.name);
  }
  return {};
}

QString meaningOf(Kind kind, const QString& key) {
  for (auto& known : models::knownEntries(kind)) {
    if (known.key == key) return known.what;
  }
  return {};
}

// A short value beside its name, so that all are seen at once.
class EntryDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  void paint(QPainter* p, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    QStyledItemDelegate::paint(p, option, index);
    const QString value = index.data(Qt::UserRole).toString();
    const int name = QFontMetrics(option.font).horizontalAdvance(index.data().toString()) + 2 * space::m;
    const QRect room = option.rect.adjusted(name, 0, -space::s, 0);
    if (value.isEmpty() || room.width() < space::xl) return;
    p->save();
    p->setFont(option.font);
    p->setPen(colors().muted);
    p->drawText(room, Qt::AlignRight | Qt::AlignVCenter | Qt::TextSingleLine, QFontMetrics(option.font).elidedText(value, Qt::ElideRight, room.width()));
    p->restore();
  }
};

}  // namespace

ObjectDialog* ObjectDialog::make(models::Session* session, Kind kind, QWidget* parent) {
  ObjectForm f;
  f.kind = kind;
  if (kind == Kind::Quota) f.entries = {{QStringLiteral("pods"), QStringLiteral("20"), false}};
  auto* dialog = new ObjectDialog(session, f, parent);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->open();
  return dialog;
}

ObjectDialog* ObjectDialog::edit(models::Session* session, Kind kind, const QString& ns, const QString& name,
                                 QWidget* parent) {
  ObjectForm f;
  f.kind = kind;
  f.ns = ns;
  f.name = name;
  f.live = boost::json::object{};  // there is one; it comes in a moment
  auto* dialog = new ObjectDialog(session, f, parent);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->busy_ = true;
  dialog->waiting_->setText(tr("Reading it…"));
  dialog->refresh();
  dialog->open();
  QPointer<ObjectDialog> self(dialog);
  session->actions.readObject(kind, ns, name, [self](const Result<ObjectForm>& r) {
    if (!self) return;
    if (!r.ok()) {
      self->waiting_->setText(models::Actions::explain(r.status()));
      setRole(self->waiting_, "error");
      return;
    }
    self->busy_ = false;
    self->load(*r);
  });
  return dialog;
}

ObjectDialog::ObjectDialog(models::Session* session, ObjectForm form, QWidget* parent)
    : QDialog(parent), session_(session) {
  form_ = std::move(form);
  build();
  load(form_);
}

QString ObjectDialog::entryName() const {
  return form_.kind == Kind::Namespace ? tr("Labels") : form_.kind == Kind::Quota ? tr("Limits") : tr("Values");
}

void ObjectDialog::build() {
  setWindowTitle(titleOf(form_));
  resize(940, 600);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(space::xl, space::l, space::xl, space::l);
  all->setSpacing(space::m);
  auto* head = new ElidedLabel(Text::Title, this, Qt::ElideMiddle);
  head->setText(titleOf(form_));
  all->addWidget(head);
  waiting_ = label({}, "muted", this);
  waiting_->setWordWrap(true);
  all->addWidget(waiting_);
  auto* columns = new QHBoxLayout;
  columns->setSpacing(space::xl);
  all->addLayout(columns, 1);
  fields_ = new Form(this);
  name_ = new QLineEdit(fields_);
  name_->setObjectName(QStringLiteral("name"));
  namespace_ = new QComboBox(fields_);
  namespace_->setObjectName(QStringLiteral("namespace"));
  namespace_->setEditable(true);
  QSet<QString> known{QStringLiteral("default")};
  for (auto& [key, w] : session_->state.workloads()) known.insert(w.ns);
  QStringList names(known.begin(), known.end());
  names.sort();
  namespace_->addItems(names);
  type_ = new QLineEdit(fields_);
  type_->setObjectName(QStringLiteral("type"));
  const bool namespaced = models::kindOf(form_.kind).namespaced;
  if (namespaced)
    fields_->addPair(QStringLiteral("name"), tr("Name"), name_, QStringLiteral("namespace"), tr("Namespace"), namespace_, 150);
  else
    fields_->add(QStringLiteral("name"), tr("Name"), name_);
  namespace_->setVisible(namespaced);
  type_->setVisible(form_.kind == Kind::Secret);
  if (form_.kind == Kind::Secret)
    fields_->add(QStringLiteral("type"), tr("Type"), type_, tr("Opaque, or what a controller looks for: kubernetes.io/tls…"));
  auto* entries = entriesPart(fields_);
  fields_->add(QStringLiteral("entries"), entryName(), entries);
  columns->addWidget(fields_, 6);

  auto* right = new QVBoxLayout;
  right->setSpacing(space::xs);
  right->addWidget(label(tr("What is sent"), "muted", this));
  manifest_ = codeView(tr("Manifest"), this);
  right->addWidget(manifest_, 1);
  command_ = new CodeBox(this);
  right->addWidget(command_);
  columns->addLayout(right, 5);

  remove_ = button(tr("Delete…"), "danger", this);
  remove_->setObjectName(QStringLiteral("delete"));
  const auto foot = dialogFoot(all, tr("Cancel"), form_.isNew() ? tr("Create") : tr("Save"), this);
  foot.row->insertWidget(0, remove_);
  failure_ = foot.failure;
  submit_ = foot.submit;
  connect(foot.out, &QPushButton::clicked, this, &QDialog::reject);
  connect(submit_, &QPushButton::clicked, this, &ObjectDialog::submit);
  connect(remove_, &QPushButton::clicked, this, &ObjectDialog::remove);
  connect(name_, &QLineEdit::textChanged, this, &ObjectDialog::refresh);
  connect(type_, &QLineEdit::textChanged, this, &ObjectDialog::refresh);
  connect(namespace_, &QComboBox::editTextChanged, this, &ObjectDialog::refresh);
  connect(fields_, &Form::left, this, &ObjectDialog::refresh);
}

QWidget* ObjectDialog::entriesPart(QWidget* parent) {
  auto* part = new QWidget(parent);
  part->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Expanding);
  auto* row = new QHBoxLayout(part);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(space::s);
  auto* left = new QVBoxLayout;
  left->setSpacing(space::xs);
  keys_ = new QListWidget(part);
  keys_->setObjectName(QStringLiteral("keys"));
  keys_->setAccessibleName(tr("%1: names").arg(entryName()));
  keys_->setFont(typeface(Text::Mono));
  setRole(keys_, "field");
  if (oneLine()) keys_->setItemDelegate(new EntryDelegate(keys_));
  keys_->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed);
  left->addWidget(keys_, 1);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(space::xs);
  add_ = button(tr("Add"), nullptr, part);
  add_->setObjectName(QStringLiteral("addEntry"));
  if (!models::knownEntries(form_.kind).isEmpty()) {
    add_->setMenu(new QMenu(add_));
    connect(add_->menu(), &QMenu::aboutToShow, this, &ObjectDialog::offerEntries);
  }
  drop_ = button(tr("Take out"), nullptr, part);
  drop_->setObjectName(QStringLiteral("dropEntry"));
  buttons->addWidget(add_);
  buttons->addWidget(drop_);
  buttons->addStretch();
  left->addLayout(buttons);
  row->addLayout(left, form_.kind == Kind::Namespace ? 6 : 3);  // labels have long names and short values
  auto* right = new QVBoxLayout;
  right->setSpacing(space::xs);
  value_ = new QPlainTextEdit(part);
  value_->setObjectName(QStringLiteral("value"));
  value_->setAccessibleName(tr("Value"));
  value_->setFont(typeface(Text::Mono));
  value_->setTabChangesFocus(true);
  value_->setLineWrapMode(QPlainTextEdit::NoWrap);
  if (oneLine()) {
    value_->setFixedHeight(name_->sizeHint().height());
    value_->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    value_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  }
  right->addWidget(value_, oneLine() ? 0 : 1);
  auto* below = new QHBoxLayout;
  below->setSpacing(space::xs);
  valueNote_ = label({}, "caption", part);
  valueNote_->setWordWrap(true);
  reveal_ = button(tr("Show it"), nullptr, part);
  reveal_->setObjectName(QStringLiteral("reveal"));
  QSizePolicy kept = reveal_->sizePolicy();
  kept.setRetainSizeWhenHidden(!oneLine());  // as high as the buttons on the left
  reveal_->setSizePolicy(kept);
  below->addWidget(valueNote_, 1);
  below->addWidget(reveal_);
  right->addLayout(below);
  if (oneLine()) right->addStretch(1);
  row->addLayout(right, 4);
  part->setFocusProxy(keys_);
  connect(keys_, &QListWidget::currentRowChanged, this, &ObjectDialog::showEntry);
  connect(keys_, &QListWidget::itemChanged, this, &ObjectDialog::renameEntry);
  if (!add_->menu()) connect(add_, &QPushButton::clicked, this, [this] { addEntry(); });
  connect(drop_, &QPushButton::clicked, this, &ObjectDialog::removeEntry);
  connect(reveal_, &QPushButton::clicked, this, [this] {
    const int row = keys_->currentRow();
    if (!seen_.remove(row)) seen_.insert(row);
    showEntry();
  });
  connect(value_, &QPlainTextEdit::textChanged, this, [this] {
    const int row = keys_->currentRow();
    if (filling_ || row < 0 || value_->isReadOnly()) return;
    QString text = value_->toPlainText();
    if (oneLine() && text.contains(u'\n')) {
      value_->setPlainText(text.remove(u'\n'));  // which comes here again
      return value_->moveCursor(QTextCursor::End);
    }
    form_.entries[row].value = text;
    filling_ = true;
    keys_->item(row)->setData(Qt::UserRole, text);
    filling_ = false;
    refresh();
  });
  return part;
}

void ObjectDialog::load(ObjectForm form) {
  filling_ = true;
  form_ = std::move(form);
  seen_.clear();
  name_->setText(form_.name);
  namespace_->setEditText(form_.ns.isEmpty() ? QStringLiteral("default") : form_.ns);
  type_->setText(form_.type);
  keys_->clear();
  for (auto& e : form_.entries) {
    auto* item = new QListWidgetItem(e.key, keys_);
    item->setFlags(item->flags() | Qt::ItemIsEditable);
    item->setData(Qt::UserRole, e.value);
  }
  filling_ = false;
  waiting_->setText(form_.immutable ? tr("It is immutable: its values can't be changed, only the whole be deleted.") : QString());
  keys_->setCurrentRow(form_.entries.isEmpty() ? -1 : 0);
  showEntry();
  refresh();
  form_.isNew() ? name_->setFocus() : keys_->setFocus();
}

ObjectForm ObjectDialog::form() const {
  ObjectForm f = form_;
  f.name = name_->text().trimmed();
  f.ns = models::kindOf(f.kind).namespaced ? namespace_->currentText().trimmed() : QString();
  f.type = type_->text().trimmed();
  return f;
}

void ObjectDialog::showEntry() {
  const int row = keys_->currentRow();
  const bool any = row >= 0 && row < form_.entries.size();
  const bool secret = form_.kind == Kind::Secret;
  const ObjectForm::Entry e = any ? form_.entries[row] : ObjectForm::Entry{};
  const bool hidden = secret && any && !e.binary && !seen_.contains(row);
  filling_ = true;
  value_->setReadOnly(!any || hidden || e.binary || form_.immutable);
  value_->setPlainText(!any || e.binary ? QString() : hidden ? QStringLiteral("••••••") : e.value);
  filling_ = false;
  value_->setEnabled(any);
  valueNote_->setText(!any       ? tr("Choose one, or add one.")
                      : e.binary ? tr("No text: %n byte(s). It stays as it is.", nullptr,
                                      int(QByteArray::fromBase64(e.value.toLatin1()).size()))
                      : hidden   ? tr("Hidden.")
                                 : meaningOf(form_.kind, e.key));
  reveal_->setVisible(secret && any && !e.binary);
  reveal_->setText(hidden ? tr("Show it") : tr("Hide it"));
  drop_->setEnabled(any && !form_.immutable);
}

void ObjectDialog::offerEntries() {
  auto* menu = add_->menu();
  menu->clear();
  for (auto& known : models::knownEntries(form_.kind)) {
    if (std::any_of(form_.entries.begin(), form_.entries.end(), [&](auto& e) { return e.key == known.key; })) continue;
    connect(menu->addAction(known.key), &QAction::triggered, this, [this, known] { addEntry(known.key, known.example); });
  }
  menu->addSeparator();
  connect(menu->addAction(tr("Another…")), &QAction::triggered, this, [this] { addEntry(); });
}

void ObjectDialog::addEntry(const QString& wanted, const QString& value) {
  const QString base = !wanted.isEmpty() ? wanted : form_.kind == Kind::Quota ? QStringLiteral("count/jobs.batch") : QStringLiteral("name");
  QString key = base;
  for (int i = 2; std::any_of(form_.entries.begin(), form_.entries.end(), [&](auto& e) { return e.key == key; }); ++i)
    key = QStringLiteral("%1-%2").arg(base).arg(i);
  form_.entries.append({key, value, false});
  filling_ = true;
  auto* item = new QListWidgetItem(key, keys_);
  item->setFlags(item->flags() | Qt::ItemIsEditable);
  item->setData(Qt::UserRole, value);
  filling_ = false;
  const int row = int(form_.entries.size()) - 1;
  seen_.insert(row);  // what one types oneself is seen while one types
  keys_->setCurrentRow(row);
  showEntry();
  if (wanted.isEmpty()) {
    keys_->editItem(item);
  } else {
    value_->setFocus();
    value_->selectAll();
  }
  refresh();
}

void ObjectDialog::removeEntry() {
  const int row = keys_->currentRow();
  if (row < 0) return;
  form_.entries.removeAt(row);
  QSet<int> seen;
  for (int s : std::as_const(seen_)) {
    if (s != row) seen.insert(s > row ? s - 1 : s);
  }
  seen_ = seen;
  delete keys_->takeItem(row);
  showEntry();
  refresh();
}

void ObjectDialog::renameEntry(QListWidgetItem* item) {
  const int row = keys_->row(item);
  if (filling_ || row < 0 || row >= form_.entries.size()) return;
  form_.entries[row].key = item->text().trimmed();
  refresh();
}

void ObjectDialog::refresh() {
  if (filling_) return;
  const auto f = form();
  const bool loaded = form_.isNew() || !form_.live.get_object().empty();
  const int at = manifest_->verticalScrollBar()->value();
  const QString text = loaded ? models::manifest(f) : QString();
  if (text != manifest_->toPlainText()) {
    manifest_->setPlainText(text);
    manifest_->verticalScrollBar()->setValue(at);
  }
  command_->setText(models::command(f));
  auto problems = models::check(f);
  // An entry's trouble is said below all of them.
  for (auto& p : problems) {
    if (p.field.startsWith(u"entry:")) {
      p.field = QStringLiteral("entries");
      fields_->touch(p.field);
    }
  }
  fields_->showProblems(problems, tried_);
  if (tried_) failure_->setText(Form::count(problems));
  waiting_->setVisible(!waiting_->text().isEmpty());
  name_->setEnabled(form_.isNew());
  namespace_->setEnabled(form_.isNew());
  type_->setEnabled(form_.isNew());
  add_->setEnabled(loaded && !form_.immutable);
  remove_->setVisible(!form_.isNew());
  remove_->setEnabled(!busy_);
  submit_->setEnabled(!busy_ && loaded && (form_.isNew() || !form_.immutable));
}

void ObjectDialog::submit() {
  tried_ = true;
  refresh();
  const auto f = form();
  if (!models::check(f).isEmpty()) return;
  busy_ = true;
  refresh();
  QPointer<ObjectDialog> self(this);
  session_->actions.saveObject(f, [self](const Result<>& r) {
    if (!self) return;
    self->busy_ = false;
    self->refresh();
    if (!r.ok()) {
      self->failure_->setText(models::Actions::explain(r.status()));
      return;
    }
    emit self->saved();
    self->accept();
  });
}

void ObjectDialog::remove() {
  const auto f = form();
  const QString kind = QLatin1String(models::kindOf(f.kind).kind);
  const QStringList sentences{f.kind == Kind::Namespace ? tr("Everything in it is deleted: applications, services, configuration, secrets. This can't be undone.")
                              : f.kind == Kind::Quota   ? tr("What it limits is not limited by it any longer.")
                                                        : tr("Pods that use it keep what they have; new ones don't start without it. This can't be undone.")};
  auto* ask = new AskDialog(tr("Delete %1 %2?").arg(kind, f.name), sentences, models::removeCommand(f), tr("Delete"), true, this);
  ask->setAttribute(Qt::WA_DeleteOnClose);
  QPointer<ObjectDialog> self(this);
  connect(ask, &QDialog::accepted, this, [self, f] {
    self->session_->actions.removeObject(f, [self](const Result<>& r) {
      if (!self) return;
      if (r.ok())
        self->accept();
      else
        self->failure_->setText(models::Actions::explain(r.status()));
    });
  });
  ask->open();
}

}  // namespace ph::ui
