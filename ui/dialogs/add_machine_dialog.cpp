#include "ui/dialogs/add_machine_dialog.h"

#include <QDir>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QPainter>
#include <QPointer>

namespace ph::ui {

using models::CardState;
using models::MachineForm;
namespace words = models::words;

JoinRow::JoinRow(models::Session* session, const QString& machine, QWidget* parent)
    : QWidget(parent), session_(session), machine_(machine) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space::m, space::m, space::m, space::m);
  layout->setSpacing(6);
  auto* head = new QHBoxLayout;
  head->setContentsMargins(18, 0, 0, 0);
  name_ = new ElidedLabel(Text::BodyStrong, this, Qt::ElideMiddle);
  name_->setText(machine);
  state_ = new ElidedLabel(Text::Body, this);
  state_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  head->addWidget(name_, 1);
  head->addWidget(state_);
  layout->addLayout(head);
  note_ = label({}, "muted", this);
  note_->setWordWrap(true);
  layout->addWidget(note_);
  progress_ = new QProgressBar(this);
  progress_->setTextVisible(false);
  progress_->setAccessibleName(tr("Progress"));
  layout->addWidget(progress_);
  key_ = new CodeBox(this);
  layout->addWidget(key_);
  trust_ = button(tr("Trust this key"), "primary", this);
  trust_->setObjectName(QStringLiteral("trust"));
  layout->addWidget(trust_, 0, Qt::AlignLeft);
  findings_ = new QWidget(this);
  auto* f = new QVBoxLayout(findings_);
  f->setContentsMargins(0, 2, 0, 0);
  f->setSpacing(space::xs);
  layout->addWidget(findings_);
  connect(trust_, &QPushButton::clicked, this, [this] {
    auto* m = session_->state.machine(machine_);
    if (!m) return;
    trust_->setEnabled(false);
    QPointer<JoinRow> self(this);
    session_->actions.trust(machine_, m->seenHostKey, [self](const Result<>& r) {
      if (!self) return;
      self->trust_->setEnabled(true);
      if (!r.ok()) self->setFailure(models::Actions::explain(r.status()));
    });
  });
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
  refresh();
}

void JoinRow::setFailure(const QString& text) {
  failure_ = text;
  refresh();
}

void JoinRow::refresh() {
  auto* machine = session_->state.machine(machine_);
  auto* node = session_->state.node(machine && !machine->node.isEmpty() ? machine->node : machine_);
  const auto view = words::machineView(machine, node);
  QString state = view.title, note = view.note;
  Tone tone = view.tone;
  if (!machine) {
    state = failure_.isEmpty() ? tr("Asking…") : tr("Refused");
    note.clear();
    tone = failure_.isEmpty() ? Tone::Info : Tone::Error;
  }
  const int64_t now = session_->state.now();
  if (machine && view.state == CardState::Ready && machine->joinFinished > machine->joinStarted &&
      machine->joinStarted > 0) {
    note = tr("joined in %1").arg(words::took(machine->joinFinished - machine->joinStarted));
  }
  if (machine && view.state == CardState::Failed && machine->nextAttempt > now) {
    note += QStringLiteral(". ") + tr("Next try in %1.").arg(words::span(machine->nextAttempt - now));
  }
  if (!failure_.isEmpty()) note = failure_;
  const bool asks = view.state == CardState::NeedsTrust && machine;
  if (asks)
    note = tr("First contact with %1. Compare this key with the one on the machine, then trust it:")
               .arg(machine->address);
  state_->setText(state);
  state_->setTone(tone);
  note_->setText(note);
  note_->setVisible(!note.isEmpty());
  setRole(note_, tone == Tone::Error ? "error" : "muted");
  progress_->setVisible(view.state == CardState::Joining && view.percent >= 0);
  progress_->setValue(std::max(0, view.percent));
  key_->setVisible(asks);
  trust_->setVisible(asks);
  if (asks)
    key_->setText(QStringLiteral("%1 %2").arg(machine->seenHostKey, machine->seenHostKeyType).trimmed());
  // Once it is in, only what went wrong is worth reading.
  QString shown;
  std::vector<models::Finding> findings;
  for (auto& f : machine ? machine->findings : std::vector<models::Finding>()) {
    if (view.state == CardState::Ready && f.level != u"Warning" && f.level != u"Error") continue;
    findings.push_back(f);
    shown += f.name + f.level + f.message + f.fix + '\n';
  }
  if (shown != findingsShown_) {
    findingsShown_ = shown;
    auto* box = findings_->layout();
    while (auto* item = box->takeAt(0)) {
      delete item->widget();
      delete item;
    }
    for (auto& f : findings) box->addWidget(findingRow(f, findings_));
  }
  findings_->setVisible(!findings.empty());
  update();
}

void JoinRow::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.setRenderHint(QPainter::Antialiasing);
  p.setPen(QPen(colors().line, 1));
  p.setBrush(colors().background);
  p.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius::card, radius::card);
  auto* machine = session_->state.machine(machine_);
  auto* node = session_->state.node(machine && !machine->node.isEmpty() ? machine->node : machine_);
  const Tone tone = !machine && !failure_.isEmpty() ? Tone::Error : words::machineView(machine, node).tone;
  p.setPen(Qt::NoPen);
  p.setBrush(Theme::get().tone(tone));
  p.drawEllipse(QPointF(space::m + 6, name_->geometry().center().y() + 1), 4.5, 4.5);
}

AddMachineDialog::AddMachineDialog(models::Session* session, QWidget* parent)
    : QDialog(parent), session_(session) {
  setWindowTitle(tr("Add machines"));
  resize(1000, 640);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(space::xl, space::l, space::xl, space::l);
  all->setSpacing(space::m);
  all->addWidget(label(tr("Add machines"), "title", this));
  ways_ = new QTabBar(this);
  ways_->setDrawBase(false);
  ways_->setExpanding(false);
  ways_->setAccessibleName(tr("One or many"));
  ways_->addTab(tr("One"));
  ways_->addTab(tr("From ~/.ssh/config"));
  ways_->addTab(tr("A list or a range"));
  all->addWidget(ways_);
  auto* columns = new QHBoxLayout;
  columns->setSpacing(space::xl);
  all->addLayout(columns, 1);

  left_ = new QStackedWidget(this);
  fields_ = new Form(left_);
  address_ = new QLineEdit(fields_);
  address_->setPlaceholderText(tr("192.168.1.20 or pi-3.local"));
  address_->setObjectName(QStringLiteral("address"));
  port_ = new QSpinBox(fields_);
  port_->setRange(1, 65535);
  port_->setValue(22);
  port_->setObjectName(QStringLiteral("port"));
  fields_->addPair(QStringLiteral("address"), tr("Address"), address_, QStringLiteral("port"), tr("SSH port"),
                   port_, 96);
  user_ = new QLineEdit(QStringLiteral("root"), fields_);
  user_->setObjectName(QStringLiteral("user"));
  fields_->add(QStringLiteral("user"), tr("User"), user_,
               tr("root, or somebody who may use sudo without a password."));
  auto* keyField = new QWidget(fields_);
  auto* keyRow = new QHBoxLayout(keyField);
  keyRow->setContentsMargins(0, 0, 0, 0);
  keyRow->setSpacing(space::s);
  key_ = new QLineEdit(keyField);
  key_->setPlaceholderText(tr("the usual ones of ~/.ssh"));
  key_->setObjectName(QStringLiteral("key"));
  auto* browse = button(tr("Choose…"), nullptr, keyField);
  keyRow->addWidget(key_, 1);
  keyRow->addWidget(browse);
  keyField->setFocusProxy(key_);
  fields_->add(QStringLiteral("key"), tr("Private key"), keyField);
  name_ = new QLineEdit(fields_);
  name_->setObjectName(QStringLiteral("machineName"));
  zone_ = new QLineEdit(fields_);
  zone_->setObjectName(QStringLiteral("zone"));
  zone_->setPlaceholderText(tr("shelf, room 12…"));
  fields_->addPair(QStringLiteral("name"), tr("Name"), name_, QStringLiteral("zone"),
                   tr("Zone (where it stands)"), zone_, 0);
  fields_->column()->addSpacing(space::s);
  fields_->column()->addWidget(label(tr("What this applies"), "muted", fields_));
  manifest_ = new CodeBox(fields_);
  fields_->column()->addWidget(manifest_);
  fields_->column()->addStretch();
  config_ = new MachineImportPage(session, MachineImportPage::Source::SshConfig, left_);
  list_page_ = new MachineImportPage(session, MachineImportPage::Source::List, left_);
  for (QWidget* page : std::initializer_list<QWidget*>{fields_, config_, list_page_}) left_->addWidget(page);
  columns->addWidget(left_, 6);

  auto* right = new QVBoxLayout;
  right->setSpacing(space::s);
  right->addWidget(label(tr("On their way"), "muted", this));
  auto* scroll = new QScrollArea(this);
  scroll->setAccessibleName(tr("On their way"));
  scroll->setWidgetResizable(true);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  auto* holder = new QWidget(scroll);
  list_ = new QVBoxLayout(holder);
  list_->setContentsMargins(0, 0, space::s, 0);
  list_->setSpacing(space::s);
  empty_ = label(tr("Machines that join are shown here: their host key to trust, what was found on them, and "
                    "each step."),
                 "muted", holder);
  empty_->setWordWrap(true);
  list_->addWidget(empty_);
  list_->addStretch();
  scroll->setWidget(holder);
  right->addWidget(scroll, 1);
  columns->addLayout(right, 5);

  const auto foot = dialogFoot(all, tr("Close"), tr("Add"), this);
  foot.out->setToolTip(tr("Joining goes on"));
  failure_ = foot.failure;
  submit_ = foot.submit;

  connect(foot.out, &QPushButton::clicked, this, &QDialog::accept);
  connect(submit_, &QPushButton::clicked, this, &AddMachineDialog::submit);
  connect(ways_, &QTabBar::currentChanged, this, [this](int way) { setWay(Way(way)); });
  for (auto* page : {config_, list_page_}) connect(page, &MachineImportPage::changed, this, &AddMachineDialog::refresh);
  connect(browse, &QPushButton::clicked, this, [this] {
    const QString path =
        QFileDialog::getOpenFileName(this, tr("A private key"), QDir::homePath() + QStringLiteral("/.ssh"));
    if (!path.isEmpty()) key_->setText(path);
  });
  for (auto* edit : {address_, user_, key_, name_, zone_})
    connect(edit, &QLineEdit::textChanged, this, &AddMachineDialog::refresh);
  connect(port_, &QSpinBox::valueChanged, this, &AddMachineDialog::refresh);
  connect(fields_, &Form::left, this, &AddMachineDialog::refresh);
  connect(&session->state, &models::ClusterState::changed, this, [this](const models::ChangeSet& changes) {
    if (changes.machines.empty() && changes.nodes.empty()) return;
    for (auto* row : std::as_const(rows_)) row->refresh();
  });
  for (auto& [key, machine] : session->state.machines()) {
    auto* node = session->state.node(machine.node.isEmpty() ? key : machine.node);
    const auto view = words::machineView(&machine, node);
    if (view.state != CardState::Ready && view.state != CardState::Lost && view.state != CardState::Leaving)
      ensureRow(key);
  }
  refresh();
  address_->setFocus();
}

MachineForm AddMachineDialog::form() const {
  MachineForm f;
  f.address = address_->text().trimmed();
  f.port = port_->value();
  f.user = user_->text().trimmed();
  f.identityFile = key_->text().trimmed();
  if (f.identityFile.startsWith(QStringLiteral("~/")))
    f.identityFile = QDir::homePath() + f.identityFile.mid(1);
  f.name = name_->text().trimmed();
  f.zone = zone_->text().trimmed();
  return f;
}

void AddMachineDialog::fill(const MachineForm& f) {
  address_->setText(f.address);
  port_->setValue(f.port);
  user_->setText(f.user);
  key_->setText(f.identityFile);
  name_->setText(f.name);
  zone_->setText(f.zone);
}

void AddMachineDialog::setWay(Way way) {
  ways_->setCurrentIndex(int(way));
  left_->setCurrentIndex(int(way));
  failure_->clear();
  if (way == Way::SshConfig) config_->read();
  refresh();
}

void AddMachineDialog::refresh() {
  const int chosen = way() == Way::One ? 1 : int(page(way())->model()->chosen().size());
  submit_->setEnabled(chosen > 0);
  submit_->setText(way() == Way::One ? tr("Add") : tr("Add %n machine(s)", nullptr, chosen));
  const auto f = form();
  name_->setPlaceholderText(f.address.isEmpty() ? tr("from the address") : models::machineName(f));
  manifest_->setText(models::manifest(f).trimmed());
  fields_->showProblems(models::check(f), tried_);
}

JoinRow* AddMachineDialog::ensureRow(const QString& machine) {
  auto*& row = rows_[machine];
  if (!row) {
    row = new JoinRow(session_, machine, list_->parentWidget());
    list_->insertWidget(1, row);
    empty_->hide();
  }
  return row;
}

void AddMachineDialog::add(const MachineForm& f) {
  const QString name = models::machineName(f);
  auto* row = ensureRow(name);
  row->setFailure({});
  QPointer<AddMachineDialog> self(this);
  session_->actions.addMachine(f, [self, name](const Result<>& r) {
    if (!self) return;
    if (auto* row = self->rows_.value(name))
      r.ok() ? row->refresh() : row->setFailure(models::Actions::explain(r.status()));
  });
}

void AddMachineDialog::addChosen() {
  auto* model = page(way())->model();
  QStringList names;
  for (auto& f : model->chosen()) {
    names << models::machineName(f);
    add(f);
  }
  model->drop(names);
}

void AddMachineDialog::submit() {
  if (way() != Way::One) return addChosen();
  const auto f = form();
  auto wrong = models::check(f);
  const QString name = models::machineName(f);
  if (wrong.isEmpty() && session_->state.machine(name))
    wrong.append({QStringLiteral("name"), tr("There is a machine of this name already.")});
  tried_ = true;
  failure_->clear();
  if (!fields_->showProblems(wrong, true)) {
    if (auto* field = findChild<QWidget*>(wrong.first().field == u"name" ? QStringLiteral("machineName")
                                                                         : wrong.first().field))
      field->setFocus();
    return;
  }
  add(f);
  // Ready for the next one: same user and key, another address.
  tried_ = false;
  fields_->untouch();
  address_->clear();
  name_->clear();
  address_->setFocus();
  refresh();
}

}  // namespace ph::ui
