// The inspector's overview of a machine: its state, trust, preflight findings, load and pods.
#include <QHBoxLayout>
#include <algorithm>

#include "ui/dialogs/drain_dialog.h"
#include "ui/inspector/overview_pages.h"
#include "ui/theme/icons.h"

namespace ph::ui {

using models::CardState;
using models::Subject;
namespace words = models::words;

MachineOverview::MachineOverview(models::Session* session, QWidget* parent) : OverviewPage(session, parent) {
  note_ = label({}, nullptr, this);
  note_->setWordWrap(true);
  column()->addWidget(note_);
  progress_ = new QProgressBar(this);
  progress_->setTextVisible(false);
  progress_->setAccessibleName(tr("Progress"));
  column()->addSpacing(space::xs);
  column()->addWidget(progress_);
  trust_ = new QWidget(this);
  auto* trust = new QVBoxLayout(trust_);
  trust->setContentsMargins(0, space::s, 0, space::s);
  trust->setSpacing(space::s);
  trustText_ = label({}, nullptr, trust_);
  trustText_->setWordWrap(true);
  fingerprint_ = new CodeBox(trust_);
  trustButton_ = button(tr("Trust this key"), "primary", trust_);
  trust->addWidget(trustText_);
  trust->addWidget(fingerprint_);
  trust->addWidget(trustButton_, 0, Qt::AlignLeft);
  column()->addWidget(trust_);
  gap(space::s);
  load_ = new FactRows(this);
  column()->addWidget(load_);
  facts_ = new FactRows(this);
  column()->addWidget(facts_);
  findings_ = new QWidget(this);
  auto* f = new QVBoxLayout(findings_);
  f->setContentsMargins(0, space::m, 0, 0);
  f->setSpacing(space::s);
  column()->addWidget(findings_);
  gap(space::m);
  drain_ = button(tr("What if it goes?"), nullptr, this);
  drain_->setObjectName(QStringLiteral("drainPreview"));
  drain_->setToolTip(tr("Where its pods would go; and draining it"));
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(space::s);
  cordon_ = button({}, nullptr, this);
  remove_ = button(tr("Remove…"), "danger", this);
  buttons->addWidget(cordon_, 1);
  buttons->addWidget(remove_, 1);
  column()->addLayout(buttons);
  gap(space::s);
  column()->addWidget(drain_);
  line();
  podsTitle_ = section(tr("Pods"));
  pods_ = new RowList(this);
  pods_->setAccessibleName(tr("Pods"));
  column()->addWidget(pods_);
  command_ = command();
  column()->addStretch();
  connect(pods_, &RowList::activated, this, &OverviewPage::wanted);
  connect(cordon_, &QPushButton::clicked, this, [this] { session_->actions.cordon(node_, !cordoned_); });
  connect(drain_, &QPushButton::clicked, this, [this] {
    auto* dialog = openDrainDialog(session_, node_, window());
    connect(dialog, &DrainDialog::wanted, this, &OverviewPage::wanted, Qt::UniqueConnection);
  });
  connect(remove_, &QPushButton::clicked, this, [this] {
    emit removeWanted({Subject::Kind::Machine, machine_});
  });
  connect(trustButton_, &QPushButton::clicked, this, [this] {
    if (auto* m = session_->state.machine(machine_)) session_->actions.trust(machine_, m->seenHostKey);
  });
}

void MachineOverview::show(const QString& key) {
  machine_ = key;
  auto& state = session_->state;
  auto* machine = state.machine(key);
  auto* node = state.node(machine && !machine->node.isEmpty() ? machine->node : key);
  node_ = node ? node->name : QString();
  const auto view = words::machineView(machine, node);
  QString note = view.note.isEmpty() ? view.title : tr("%1: %2").arg(view.title, view.note);
  const int64_t now = state.now();
  if (view.state == CardState::Lost)
    note = tr("Nobody has heard from it for %1. Its pods start elsewhere; when it comes back it takes part "
              "again.")
               .arg(words::span(now - view.since));
  if (machine && view.state == CardState::Failed && machine->nextAttempt > now) {
    note += QLatin1Char('\n') + tr("Tried %n time(s), next in %1.", nullptr, machine->attempts)
                                    .arg(words::span(machine->nextAttempt - now));
  }
  note_->setText(note);
  setRole(note_, view.tone == Tone::Error  ? "error"
                 : view.tone == Tone::Warn ? "warn"
                 : view.tone == Tone::Ok   ? "ok"
                                           : "muted");
  progress_->setVisible(view.state == CardState::Joining && view.percent >= 0);
  progress_->setValue(std::max(0, view.percent));

  const bool changed = machine && !machine->trustedHostKey.isEmpty() && !machine->seenHostKey.isEmpty() &&
                       machine->seenHostKey != machine->trustedHostKey;
  trust_->setVisible(view.state == CardState::NeedsTrust || changed);
  trustButton_->setVisible(view.state == CardState::NeedsTrust);
  if (changed) {
    trustText_->setText(
        tr("The host shows another key than the trusted one: it was reinstalled, or something stands in "
           "between. Nothing was sent to it. "
           "If you know why, remove the machine and add it again."));
    fingerprint_->setText(tr("trusted  %1\nshown    %2").arg(machine->trustedHostKey, machine->seenHostKey));
  } else if (machine) {
    trustText_->setText(tr("This is the first contact with %1. Compare the key with the one on the machine "
                           "(ssh-keygen -lf on its host key there), then trust it.")
                            .arg(machine->address));
    fingerprint_->setText(
        QStringLiteral("%1 %2").arg(machine->seenHostKey, machine->seenHostKeyType).trimmed());
  }

  std::vector<Fact> load, facts;
  const int card = session_->map.cardIndex(key);
  if (node && card >= 0 && session_->map.card(card).cpu >= 0) {
    auto& c = session_->map.card(card);
    auto tone = [](double part) {
      return part >= 0.95  ? std::optional<Tone>(Tone::Error)
             : part >= 0.8 ? std::optional<Tone>(Tone::Warn)
                           : std::nullopt;
    };
    const QString cpu = c.estimated ? tr("CPU asked for") : tr("CPU in use"),
                  memory = c.estimated ? tr("Memory asked for") : tr("Memory in use");
    load.push_back(
        {cpu,
         tr("%1 of %2 cores").arg(words::cores(int64_t(c.cpu * double(node->cpu))), words::cores(node->cpu)),
         false, tone(c.cpu), c.cpu});
    load.push_back(
        {memory,
         tr("%1 of %2")
             .arg(words::memory(int64_t(c.memory * double(node->memory))), words::memory(node->memory)),
         false, tone(c.memory), c.memory});
  }
  load_->setVisible(!load.empty());
  load_->set(std::move(load));
  if (machine)
    facts.push_back({tr("SSH"),
                     QStringLiteral("%1@%2:%3").arg(machine->user, machine->address).arg(machine->port),
                     true});
  if (node) {
    if (!node->address.isEmpty()) facts.push_back({tr("Address"), node->address, true});
    if (!node->podCidr.isEmpty()) facts.push_back({tr("Pod network"), node->podCidr, true});
    if (!node->zone.isEmpty()) facts.push_back({tr("Zone"), node->zone});
    if (!node->os.isEmpty())
      facts.push_back({tr("System"), QStringLiteral("%1, %2").arg(node->os, node->arch)});
    if (!node->kernel.isEmpty()) facts.push_back({tr("Kernel"), node->kernel, true});
    if (!node->runtime.isEmpty()) facts.push_back({tr("Runtime"), node->runtime, true});
    if (!node->version.isEmpty()) facts.push_back({tr("Agent"), node->version, true});
    if (machine && machine->joinFinished > machine->joinStarted && machine->joinStarted > 0) {
      facts.push_back({tr("Joined in"), words::took(machine->joinFinished - machine->joinStarted)});
    }
  }
  facts_->set(std::move(facts));

  QString shown;
  if (machine) {
    for (auto& f : machine->findings) shown += f.name + f.level + f.message + f.fix + '\n';
  }
  if (shown != findingsShown_) {
    findingsShown_ = shown;
    auto* box = static_cast<QVBoxLayout*>(findings_->layout());
    while (auto* item = box->takeAt(0)) {
      delete item->widget();
      delete item;
    }
    for (auto& f : machine ? machine->findings : std::vector<models::Finding>())
      box->addWidget(findingRow(f, findings_));
  }
  findings_->setVisible(!shown.isEmpty());

  cordoned_ = node && node->cordoned;
  cordon_->setVisible(node);
  drain_->setVisible(node);
  cordon_->setText(cordoned_ ? tr("Take new pods") : tr("Keep new pods off"));
  remove_->setEnabled(!machine || !machine->deleting);
  int count = 0, more = 0;
  std::vector<Row> rows;
  if (node) {
    std::vector<const models::PodFacts*> pods;
    for (auto& pod : state.podsOnNode(node->name)) pods.push_back(state.pod(pod));
    std::sort(pods.begin(), pods.end(), [](auto* a, auto* b) {
      const bool x = a->state == models::PodState::Failing, y = b->state == models::PodState::Failing;
      return x != y ? x : a->key < b->key;
    });
    count = int(pods.size());
    more = std::max(0, count - 40);
    for (auto* p : pods) {
      if (rows.size() < 40) rows.push_back(podRow(*session_, *p, false));
    }
  }
  podsTitle_->setText(count > 0 ? tr("Pods") : tr("No pods"));
  pods_->setVisible(count > 0);
  pods_->set(std::move(rows), more);
  command_->setText(view.state == CardState::NeedsTrust ? models::kubectl::trust(key, machine->seenHostKey)
                    : node                              ? models::kubectl::cordon(node->name, !cordoned_)
                           : models::kubectl::remove({Subject::Kind::Machine, key}));
}

}  // namespace ph::ui
