#include "ui/inspector/overview_pages.h"

#include <QHBoxLayout>
#include <algorithm>

namespace ph::ui {

using models::Subject;
namespace words = models::words;

OverviewPage::OverviewPage(models::Session* session, QWidget* parent) : QWidget(parent), session_(session) {
  column_ = new QVBoxLayout(this);
  column_->setContentsMargins(space::l, space::m, space::l, space::l);
  column_->setSpacing(0);
}

void OverviewPage::line() {
  gap(space::m);
  column_->addWidget(new Line(this));
  gap(space::m);
}

QLabel* OverviewPage::section(const QString& title) {
  auto* l = label(title, "muted", this);
  column_->addWidget(l);
  gap(space::xs);
  return l;
}

CodeBox* OverviewPage::command() {
  line();
  section(tr("What this does"));
  auto* box = new CodeBox(this);
  column_->addWidget(box);
  return box;
}

Row podRow(const models::Session& session, const models::PodFacts& pod, bool withMachine) {
  Row row;
  row.subject = {Subject::Kind::Pod, pod.key};
  const int app = session.map.appIndex(pod.app);
  row.color = app >= 0 ? session.map.apps()[app].color : -1;
  row.shape = int(pod.state);
  row.text = pod.name;
  if (withMachine) row.middle = pod.node;
  row.right = words::podState(pod.state);
  row.tone = words::podTone(pod.state);
  return row;
}

namespace {

// The troubled first, then by name; at most `max`.
std::vector<const models::PodFacts*> ordered(const models::ClusterState& state, const QSet<QString>& keys,
                                             size_t max, int* more) {
  std::vector<const models::PodFacts*> pods;
  for (auto& key : keys) pods.push_back(state.pod(key));
  auto rank = [](models::PodState s) {
    return s == models::PodState::Failing    ? 0
           : s == models::PodState::Ready    ? 1
           : s == models::PodState::Starting ? 2
           : s == models::PodState::Waiting  ? 3
                                             : 4;
  };
  const auto shown = pods.begin() + std::ptrdiff_t(std::min(pods.size(), max));
  std::partial_sort(pods.begin(), shown, pods.end(), [&](auto* a, auto* b) {
    if (rank(a->state) != rank(b->state)) return rank(a->state) < rank(b->state);
    return a->key < b->key;
  });
  *more = pods.size() > max ? int(pods.size() - max) : 0;
  if (pods.size() > max) pods.resize(max);
  return pods;
}

}  // namespace

// ---- the cluster

ClusterOverview::ClusterOverview(models::Session* session, QWidget* parent) : OverviewPage(session, parent) {
  facts_ = new FactRows(this);
  column()->addWidget(facts_);
  line();
  section(tr("Applications"));
  apps_ = new RowList(this);
  apps_->setAccessibleName(tr("Applications"));
  column()->addWidget(apps_);
  noApps_ = label(tr("Nothing is deployed yet."), "caption", this);
  column()->addWidget(noApps_);
  gap(space::s);
  deploy_ = button(tr("Deploy an application…"), nullptr, this);
  column()->addWidget(deploy_, 0, Qt::AlignLeft);
  connect(deploy_, &QPushButton::clicked, this, &ClusterOverview::deployWanted);
  machinesPart_ = new QWidget(this);
  auto* box = new QVBoxLayout(machinesPart_);
  box->setContentsMargins(0, space::m, 0, 0);
  box->setSpacing(space::xs);
  box->addWidget(new Line(machinesPart_));
  box->addSpacing(space::s);
  box->addWidget(label(tr("Most room"), "muted", machinesPart_));
  machines_ = new RowList(machinesPart_);
  machines_->setAccessibleName(tr("Machines with the most room"));
  box->addWidget(machines_);
  column()->addWidget(machinesPart_);
  column()->addStretch();
  connect(apps_, &RowList::activated, this, &OverviewPage::wanted);
  connect(machines_, &RowList::activated, this, &OverviewPage::wanted);
}

void ClusterOverview::show(const QString&) {
  auto& state = session_->state;
  int64_t cpu = 0, cpuFree = 0, memory = 0, memoryFree = 0;
  struct Room {
    QString node;
    int64_t cpu, memory;
    double part;
  };
  std::vector<Room> rooms;
  for (auto& [key, node] : state.nodes()) {
    if (!node.ready) continue;
    const auto used = state.requestsOn(key);
    const int64_t c = std::max<int64_t>(0, node.cpuAllocatable - used.cpu),
                  m = std::max<int64_t>(0, node.memoryAllocatable - used.memory);
    cpu += node.cpuAllocatable;
    memory += node.memoryAllocatable;
    if (node.cordoned) continue;
    cpuFree += c;
    memoryFree += m;
    rooms.push_back({key, c, m,
                     std::min(double(c) / double(std::max<int64_t>(1, node.cpuAllocatable)),
                              double(m) / double(std::max<int64_t>(1, node.memoryAllocatable)))});
  }
  std::vector<Fact> facts;
  auto& h = state.health();
  facts.push_back({tr("Machines ready"), tr("%1 of %2").arg(h.machinesReady).arg(h.machines), false,
                   h.machines == 0                ? std::optional<Tone>()
                   : h.machinesReady < h.machines ? Tone::Error
                                                  : Tone::Ok});
  facts.push_back({tr("Pods ready"), tr("%1 of %2").arg(h.podsReady).arg(h.pods), false,
                   h.pods == 0            ? std::optional<Tone>()
                   : h.failing            ? Tone::Error
                   : h.podsReady < h.pods ? Tone::Warn
                                          : Tone::Ok});
  if (cpu > 0) {
    facts.push_back({tr("CPU promised"),
                     tr("%1 of %2 cores").arg(words::cores(cpu - cpuFree), words::cores(cpu)),
                     false,
                     {},
                     double(cpu - cpuFree) / double(cpu)});
    facts.push_back({tr("Memory promised"),
                     tr("%1 of %2").arg(words::memory(memory - memoryFree), words::memory(memory)),
                     false,
                     {},
                     double(memory - memoryFree) / double(std::max<int64_t>(1, memory))});
  }
  facts_->set(std::move(facts));

  std::vector<Row> apps;
  int more = 0;
  for (auto& app : session_->map.apps()) {
    if (!app.listed) continue;
    if (apps.size() >= 14) {
      ++more;
      continue;
    }
    Row row{{Subject::Kind::App, app.key},
            app.color,
            -1,
            app.name,
            {},
            tr("%1 of %2").arg(app.ready).arg(app.wanted)};
    row.tone = state.inState(app.key, models::PodState::Failing) > 0 ? Tone::Error : app.ready >= app.wanted ? Tone::Ok : Tone::Warn;
    apps.push_back(row);
  }
  noApps_->setVisible(apps.empty());
  deploy_->setEnabled(h.machines > 0);
  apps_->setVisible(!apps.empty());
  apps_->set(std::move(apps), more);

  std::sort(rooms.begin(), rooms.end(),
            [](auto& a, auto& b) { return a.part != b.part ? a.part > b.part : a.node < b.node; });
  std::vector<Row> rows;
  for (size_t i = 0; i < std::min<size_t>(rooms.size(), 4); ++i) {
    auto* machine = state.machineOfNode(rooms[i].node);
    Row row{{Subject::Kind::Machine, machine ? machine->key : rooms[i].node},
            -2,
            -1,
            rooms[i].node,
            {},
            tr("%1 cores, %2 free").arg(words::cores(rooms[i].cpu), words::memory(rooms[i].memory))};
    row.mono = false;
    rows.push_back(row);
  }
  machinesPart_->setVisible(!rows.empty());
  machines_->set(std::move(rows));
}

// ---- an application

AppOverview::AppOverview(models::Session* session, QWidget* parent) : OverviewPage(session, parent) {
  copies_ = new QWidget(this);
  auto* box = new QVBoxLayout(copies_);
  box->setContentsMargins(0, 0, 0, 0);
  box->setSpacing(space::xs);
  auto* head = new QHBoxLayout;
  head->addWidget(label(tr("Copies"), "muted", copies_));
  head->addStretch();
  count_ = label({}, "heading", copies_);
  head->addWidget(count_);
  box->addLayout(head);
  handle_ = new ScaleHandle(&session->scale, &session->state, copies_);
  box->addWidget(handle_);
  hint_ = label({}, "caption", copies_);
  hint_->setWordWrap(true);
  hint_->setMinimumHeight(34);
  hint_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
  box->addWidget(hint_);
  column()->addWidget(copies_);
  problem_ = label({}, "error", this);
  problem_->setWordWrap(true);
  column()->addWidget(problem_);
  facts_ = new FactRows(this);
  column()->addWidget(facts_);
  gap(space::m);
  rollout_ = new RolloutSection(session, this);
  column()->addWidget(rollout_);
  gap(space::s);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(space::s);
  pause_ = button({}, nullptr, this);
  restart_ = button(tr("Restart"), nullptr, this);
  remove_ = button(tr("Remove…"), "danger", this);
  for (auto* b : {pause_, restart_, remove_}) buttons->addWidget(b, 1);
  column()->addLayout(buttons);
  line();
  section(tr("Pods"));
  pods_ = new RowList(this);
  pods_->setAccessibleName(tr("Pods"));
  column()->addWidget(pods_);
  command_ = command();
  column()->addStretch();
  connect(pods_, &RowList::activated, this, &OverviewPage::wanted);
  connect(restart_, &QPushButton::clicked, this, [this] { session_->actions.restart(app_); });
  connect(pause_, &QPushButton::clicked, this, [this] {
    if (auto* w = session_->state.workload(app_)) session_->actions.pause(app_, !w->paused);
  });
  connect(remove_, &QPushButton::clicked, this, [this] { emit removeWanted({Subject::Kind::App, app_}); });
  connect(&session->scale, &models::ScalePreview::changed, this, &AppOverview::showCopies);
}

void AppOverview::showCopies() {
  auto* w = session_->state.workload(app_);
  if (!w) return;
  auto& scale = session_->scale;
  const bool held = scale.active() && scale.app() == app_;
  const bool moved = held && scale.target() != w->wanted;
  count_->setText(moved ? QStringLiteral("%1 → %2").arg(w->wanted).arg(scale.target())
                        : QString::number(w->wanted));
  hint_->setText(held ? scale.hint() : tr("Drag to scale."));
  command_->setText(models::kubectl::scale(app_, moved ? scale.target() : w->wanted));
}

void AppOverview::show(const QString& key) {
  if (app_ != key) handle_->setApp(key);
  app_ = key;
  auto& state = session_->state;
  auto* w = state.workload(key);
  copies_->setVisible(w);
  restart_->setVisible(w);
  pause_->setVisible(w);
  rollout_->setVisible(w);
  problem_->setVisible(w && !w->problem.isEmpty() && models::rolloutState(*w).done);
  std::vector<Fact> facts;
  if (w) {
    problem_->setText(w->problem);
    facts.push_back({tr("Image"), w->images.join(QStringLiteral(", ")), true});
    if (auto* s = state.serviceOfApp(key)) {
      QStringList ports;
      for (auto& p : s->ports)
        ports << (p.target.isEmpty() || p.target == QString::number(p.port)
                      ? QString::number(p.port)
                      : QStringLiteral("%1 → %2").arg(p.port).arg(p.target));
      facts.push_back({tr("Service"), s->name + ':' + ports.join(QStringLiteral(", ")), true});
      if (!s->clusterIp.isEmpty() && s->clusterIp != u"None")
        facts.push_back({tr("Address"), s->clusterIp, true});
    }
    if (w->ns != u"default") facts.push_back({tr("Namespace"), w->ns, true});
    if (w->cpuRequest > 0 || w->memoryRequest > 0) {
      facts.push_back({tr("Each asks for"),
                       tr("%1 cores, %2").arg(words::cores(w->cpuRequest), words::memory(w->memoryRequest))});
    }
    if (w->revision > 0) facts.push_back({tr("Revision"), QString::number(w->revision)});
    rollout_->show(*w);
    pause_->setText(w->paused ? tr("Resume") : tr("Pause"));
    pause_->setToolTip(models::kubectl::pause(key, !w->paused));
    restart_->setToolTip(models::kubectl::restart(key));
    remove_->setToolTip(models::kubectl::remove({Subject::Kind::App, key}));
  } else {
    facts.push_back({tr("Kind"), models::appKind(key)});
    command_->setText(models::kubectl::remove({Subject::Kind::App, key}));
  }
  facts_->set(std::move(facts));
  int more = 0;
  std::vector<Row> rows;
  for (auto* p : ordered(state, state.podsOfApp(key), 40, &more)) rows.push_back(podRow(*session_, *p, true));
  pods_->set(std::move(rows), more);
  showCopies();
}

// ---- a pod

PodOverview::PodOverview(models::Session* session, QWidget* parent) : OverviewPage(session, parent) {
  now_ = label({}, nullptr, this);
  now_->setWordWrap(true);
  column()->addWidget(now_);
  gap(space::s);
  facts_ = new FactRows(this);
  column()->addWidget(facts_);
  links_ = new RowList(this);
  links_->setAccessibleName(tr("Belongs to"));
  column()->addWidget(links_);
  line();
  section(tr("Containers"));
  containersBox_ = new QWidget(this);
  containers_ = new QVBoxLayout(containersBox_);
  containers_->setContentsMargins(0, 0, 0, 0);
  containers_->setSpacing(space::s);
  column()->addWidget(containersBox_);
  gap(space::m);
  stop_ = button(tr("Stop it"), "danger", this);
  column()->addWidget(stop_, 0, Qt::AlignLeft);
  command_ = command();
  column()->addStretch();
  connect(links_, &RowList::activated, this, &OverviewPage::wanted);
  connect(stop_, &QPushButton::clicked, this, [this] { emit removeWanted({Subject::Kind::Pod, pod_}); });
}

void PodOverview::show(const QString& key) {
  pod_ = key;
  auto& state = session_->state;
  auto* pod = state.pod(key);
  if (!pod) return;
  const int64_t now = state.now();
  const QString what = words::podNow(*pod, now);
  now_->setText(what.left(1).toUpper() + what.mid(1) + '.');
  setRole(now_, pod->state == models::PodState::Failing   ? "error"
                : pod->state == models::PodState::Ready   ? "ok"
                : pod->state == models::PodState::Leaving ? "muted"
                                                          : "warn");
  std::vector<Fact> facts;
  facts.push_back({tr("State"), words::podState(pod->state), false, words::podTone(pod->state)});
  if (!pod->address.isEmpty()) facts.push_back({tr("Address"), pod->address, true});
  if (pod->ns != u"default") facts.push_back({tr("Namespace"), pod->ns, true});
  facts.push_back({tr("Created"), words::ago(now - pod->created)});
  facts.push_back({tr("Restarts"), QString::number(pod->restarts), false,
                   pod->restarts > 0 ? std::optional<Tone>(Tone::Warn) : std::nullopt});
  if (pod->cpuRequest > 0 || pod->memoryRequest > 0) {
    facts.push_back(
        {tr("Asks for"),
         tr("%1 cores, %2").arg(words::cores(pod->cpuRequest), words::memory(pod->memoryRequest))});
  }
  facts_->set(std::move(facts));
  std::vector<Row> links;
  if (int app = session_->map.appIndex(pod->app); app >= 0 && models::appKind(pod->app) != u"Pod") {
    links.push_back({{Subject::Kind::App, pod->app},
                     session_->map.apps()[app].color,
                     -1,
                     models::appName(pod->app),
                     {},
                     models::appKind(pod->app)});
  }
  if (!pod->node.isEmpty()) {
    auto* machine = state.machineOfNode(pod->node);
    auto* node = state.node(pod->node);
    Row row{
        {Subject::Kind::Machine, machine ? machine->key : pod->node}, -1, -1, pod->node, {}, tr("machine")};
    row.dot = node && node->ready ? Tone::Ok : Tone::Error;
    links.push_back(row);
  }
  links_->set(std::move(links));
  while (containerRows_.size() < pod->containers.size()) {
    containerRows_.push_back(new FactRows(containersBox_));
    containers_->addWidget(containerRows_.back());
  }
  for (size_t i = 0; i < containerRows_.size(); ++i) {
    containerRows_[i]->setVisible(i < pod->containers.size());
    if (i >= pod->containers.size()) continue;
    auto& c = pod->containers[i];
    QString s = c.state == u"running" ? (c.ready ? tr("ready") : tr("running"))
                : c.reason.isEmpty()  ? tr("not started")
                                      : c.reason;
    std::vector<Fact> rows{
        {c.name, s, false,
         c.ready                                                                           ? Tone::Ok
         : c.state == u"running" || c.reason.isEmpty() || c.reason == u"ContainerCreating" ? Tone::Warn
                                                                                           : Tone::Error},
        {tr("Image"), c.image, true}};
    if (!c.ports.isEmpty()) rows.push_back({tr("Ports"), c.ports.join(QStringLiteral(", ")), true});
    if (c.restarts > 0) {
      rows.push_back({tr("Last exit"),
                      c.lastExitAt ? tr("code %1, %2").arg(c.exitCode).arg(words::ago(now - c.lastExitAt))
                                   : tr("code %1").arg(c.exitCode)});
    }
    containerRows_[i]->set(std::move(rows));
  }
  stop_->setEnabled(pod->state != models::PodState::Leaving);
  command_->setText(models::kubectl::remove({Subject::Kind::Pod, key}));
}

}  // namespace ph::ui
