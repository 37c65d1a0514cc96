#include "models/drain_model.h"

#include <QPointer>
#include <algorithm>

#include "engine/api/selector.h"
#include "engine/client/client.h"
#include "models/gui_thread.h"
#include "models/json_read.h"

namespace ph::models {

namespace {

namespace bj = boost::json;
using Step = DrainPod::Step;

bool keepsScratch(const bj::value& pod) {
  for (auto& volume : json::list(&pod, {"spec", "volumes"})) {
    if (json::find(&volume, {"emptyDir"})) return true;
  }
  return false;
}

int rank(Fate fate) {
  switch (fate) {
    case Fate::Lost:
      return 0;
    case Fate::Held:
      return 1;
    case Fate::Waits:
      return 2;
    case Fate::Unknown:
      return 3;
    case Fate::Moves:
      return 4;
    case Fate::Ends:
      return 5;
    case Fate::Stays:
      return 6;
  }
  return 7;
}

}  // namespace

QString fateWord(Fate fate) {
  switch (fate) {
    case Fate::Moves:
      return DrainModel::tr("moves");
    case Fate::Unknown:
      return DrainModel::tr("made again");
    case Fate::Waits:
      return DrainModel::tr("no place");
    case Fate::Held:
      return DrainModel::tr("held");
    case Fate::Lost:
      return DrainModel::tr("lost");
    case Fate::Ends:
      return DrainModel::tr("finished");
    case Fate::Stays:
      return DrainModel::tr("stays");
  }
  return {};
}

Tone fateTone(Fate fate) {
  return fate == Fate::Lost                             ? Tone::Error
         : fate == Fate::Held || fate == Fate::Waits    ? Tone::Warn
         : fate == Fate::Moves                          ? Tone::Ok
                                                        : Tone::Plain;
}

DrainModel::DrainModel(ClusterState* state, Actions* actions, QObject* parent)
    : QAbstractListModel(parent), state_(state), actions_(actions) {
  tick_.setInterval(200);
  connect(&tick_, &QTimer::timeout, this, &DrainModel::tick);
  connect(state, &ClusterState::changed, this, &DrainModel::onChanged);
}
DrainModel::~DrainModel() = default;

void DrainModel::preview(std::shared_ptr<client::Client> client, const QString& node) {
  if (phase_ == Phase::Draining) return;
  client_ = std::move(client);
  node_ = node;
  problem_.clear();
  places_.clear();
  placesKnown_ = false;
  budgets_.clear();
  ++question_;
  open_ = 0;
  gather();
  phase_ = Phase::Asking;
  if (!client_) {
    problem_ = tr("Not connected.");
    return finish(Phase::Failed);
  }
  askPlaces();
  askBudgets();
  emit changed();
}

void DrainModel::gather() {
  beginResetModel();
  pods_.clear();
  for (auto& key : state_->podsOnNode(node_)) {
    auto* pod = state_->pod(key);
    DrainPod row;
    row.pod = key;
    row.uid = pod->uid;
    row.app = pod->app;
    row.fate = Fate::Unknown;
    auto* owner = pod->object ? pod->object->meta().controller() : nullptr;
    if (pod->object) row.loses = keepsScratch(pod->object->tree());
    if (owner && (owner->kind == "DaemonSet" || owner->kind == "Node"))
      row.fate = Fate::Stays;
    else if (pod->state == PodState::Finished)
      row.fate = Fate::Ends;
    else if (pod->object ? !owner : appKind(pod->app) == u"Pod")
      row.fate = Fate::Lost;
    if (pod->state == PodState::Leaving) row.step = Step::Leaving;
    pods_.push_back(std::move(row));
  }
  endResetModel();
  judge();
}

void DrainModel::askPlaces() {
  auto* info = client_->registry().find("pilothouse.io", "v1", "drainpreviews");
  if (!info) {
    problem_ = tr("This cluster can't say where pods would go.");
    return;
  }
  client::Write w;
  w.verb = client::Verb::Create;
  w.info = info;
  w.body = bj::serialize(bj::object{{"apiVersion", "pilothouse.io/v1"},
                                    {"kind", "DrainPreview"},
                                    {"metadata", bj::object{{"name", "drain"}}},
                                    {"spec", bj::object{{"node", node_.toStdString()}}}});
  ++open_;
  QPointer<DrainModel> self(this);
  client_->write(std::move(w), [self, question = question_](Result<client::ObjectPtr> r) {
    QHash<QString, QPair<QString, QString>> places;
    QString problem;
    if (!r.ok()) {
      problem = r.status().isNotFound() ? tr("This cluster can't say where pods would go.")
                                        : Actions::explain(r.status());
    } else {
      const bj::value tree = (*r)->tree();
      for (auto& m : json::list(&tree, {"status", "moves"}))
        places[json::text(&m, {"namespace"}) + '/' + json::text(&m, {"pod"})] = {json::text(&m, {"node"}),
                                                                               json::text(&m, {"reason"})};
    }
    onGui([self, question, places, problem, known = r.ok()] {
      if (!self || self->question_ != question) return;
      --self->open_;
      self->places_ = places;
      self->placesKnown_ = known;
      if (!problem.isEmpty()) self->problem_ = problem;
      self->judge();
    });
  });
}

void DrainModel::askBudgets() {
  auto* info = client_->registry().find("policy", "v1", "poddisruptionbudgets");
  if (!info) return;
  ++open_;
  QPointer<DrainModel> self(this);
  client_->list(*info, {}, [self, question = question_](Result<client::ListResult> r) {
    QList<Budget> budgets;
    for (auto& object : r.ok() ? r->items : std::vector<client::ObjectPtr>()) {
      const bj::value tree = object->tree();
      Budget b;
      b.ns = QString::fromStdString(object->ns());
      b.name = QString::fromStdString(object->name());
      if (auto* s = json::find(&tree, {"spec", "selector"})) b.selector = *s;
      b.allowed = int(json::number(&tree, {"status", "disruptionsAllowed"}));
      if (!b.selector.is_null()) budgets << b;
    }
    onGui([self, question, budgets, problem = r.ok() ? QString() : Actions::explain(r.status())] {
      if (!self || self->question_ != question) return;
      --self->open_;
      self->budgets_ = budgets;
      if (!problem.isEmpty()) self->problem_ = tr("The disruption budgets could not be read: %1").arg(problem);
      self->judge();
    });
  });
}

// What is known of places and budgets, said for each pod.
void DrainModel::judge() {
  for (auto& row : pods_) {
    auto* pod = state_->pod(row.pod);
    row.why.clear();
    row.to.clear();
    if (row.fate == Fate::Stays) {
      row.why = tr("belongs to the machine");
      continue;
    }
    if (row.fate == Fate::Ends || row.fate == Fate::Lost) {
      row.why = row.fate == Fate::Ends ? tr("has finished; its record goes") : tr("nothing makes another one");
    } else {
      auto place = places_.constFind(row.pod);
      row.fate = place == places_.cend() ? Fate::Unknown : place->first.isEmpty() ? Fate::Waits : Fate::Moves;
      if (place != places_.cend()) {
        row.to = place->first;
        if (row.to.isEmpty()) row.why = words::whyWaiting(place->second);
      } else if (placesKnown_) {
        row.why = tr("is on its way out already");
      }
    }
    for (auto& b : budgets_) {
      if (!pod || !pod->object || pod->ns != b.ns || row.fate == Fate::Ends) continue;
      auto selector = api::LabelSelector::fromJson(&b.selector);
      if (!selector.ok() || !selector->matches(pod->object->meta().labels)) continue;
      if (b.allowed <= 0) {
        row.fate = row.fate == Fate::Lost ? Fate::Lost : Fate::Held;
        row.why = tr("the budget %1 lets none go now").arg(b.name);
      } else {
        row.why = tr("in turns: the budget %1 lets %n go at a time", nullptr, b.allowed).arg(b.name);
      }
    }
  }
  // What needs a look comes first.
  beginResetModel();
  std::stable_sort(pods_.begin(), pods_.end(), [](auto& a, auto& b) {
    return rank(a.fate) != rank(b.fate) ? rank(a.fate) < rank(b.fate) : a.pod < b.pod;
  });
  endResetModel();
  if (phase_ == Phase::Asking && open_ == 0) phase_ = Phase::Previewed;
  emit changed();
}

int DrainModel::count(Fate fate) const {
  return int(std::count_if(pods_.begin(), pods_.end(), [&](auto& p) { return p.fate == fate; }));
}
int DrainModel::leaving() const {
  return int(std::count_if(pods_.begin(), pods_.end(), [&](auto& p) { return !stays(p); }));
}
void DrainModel::setLose(bool lose) {
  if (lose == lose_ || phase_ == Phase::Draining) return;
  lose_ = lose;
  emit changed();
}
int DrainModel::gone() const {
  return int(std::count_if(pods_.begin(), pods_.end(),
                           [&](auto& p) { return !stays(p) && p.step == Step::Gone; }));
}
bool DrainModel::losesData() const {
  return std::any_of(pods_.begin(), pods_.end(), [&](auto& p) { return p.loses && !stays(p); });
}

QString DrainModel::summary() const {
  if (count(Fate::Stays) == int(pods_.size())) return tr("No pod has to leave.");
  QStringList parts;
  auto add = [&](Fate fate, auto text) {
    if (const int n = count(fate)) parts << text(n);
  };
  add(Fate::Moves, [](int n) { return tr("%n find(s) a place elsewhere", nullptr, n); });
  add(Fate::Unknown, [](int n) { return tr("%n would be made again somewhere", nullptr, n); });
  add(Fate::Waits, [](int n) { return tr("%n fit(s) nowhere now and would wait", nullptr, n); });
  add(Fate::Held, [](int n) { return tr("%n held back by a disruption budget", nullptr, n); });
  add(Fate::Lost, [](int n) { return tr("%n would be lost: nothing makes another", nullptr, n); });
  add(Fate::Ends, [](int n) { return tr("%n finished already", nullptr, n); });
  return parts.join(QStringLiteral("; ")) + '.';
}

QString DrainModel::command() const {
  QString line = QStringLiteral("kubectl drain %1 --ignore-daemonsets").arg(node_);
  if (losesData()) line += QStringLiteral(" --delete-emptydir-data");
  if (lose_ && count(Fate::Lost) > 0) line += QStringLiteral(" --force");
  return line;
}

QHash<QString, QStringList> DrainModel::ghosts() const {
  QHash<QString, QStringList> out;
  for (auto& p : pods_) {
    if (!p.to.isEmpty() && p.step == Step::None) out[p.to] << p.app;
  }
  return out;
}

void DrainModel::start() {
  if (phase_ == Phase::Draining || !client_) return;
  phase_ = Phase::Draining;
  problem_.clear();
  ++question_;
  for (auto& p : pods_) {
    if (p.step == Step::Failed || p.step == Step::Again) p.step = Step::None;
  }
  QPointer<DrainModel> self(this);
  actions_->cordon(node_, true, [self](const Result<>& r) {
    if (!self || self->phase_ != Phase::Draining) return;
    if (!r.ok()) {
      self->problem_ = Actions::explain(r.status());
      return self->finish(Phase::Failed);
    }
    self->tick_.start();
    self->tick();
  });
  emit changed();
}

void DrainModel::cancel() {
  if (phase_ != Phase::Draining) return;
  for (auto& p : pods_) {
    if (p.step == Step::Again) p.step = Step::None;
  }
  finish(Phase::Cancelled);
}

void DrainModel::tick() {
  if (phase_ != Phase::Draining) return;
  int asked = 0, left = 0, failed = 0;
  for (auto& p : pods_) {
    if (stays(p)) continue;
    asked += p.step == Step::Asked;
    left += p.step != Step::Gone && p.step != Step::Failed;
    failed += p.step == Step::Failed;
  }
  for (int i = 0; i < int(pods_.size()) && asked < kAtOnce; ++i) {
    auto& p = pods_[size_t(i)];
    if (stays(p)) continue;
    if (p.step == Step::None || (p.step == Step::Again && p.next <= state_->now())) {
      evict(i);
      ++asked;
    }
  }
  for (int i = 0; i < int(pods_.size()); ++i) {
    if (pods_[size_t(i)].step == Step::Again) touch(i);  // its countdown
  }
  if (left > 0) return;
  if (failed > 0) problem_ = tr("%n pod(s) could not be moved.", nullptr, failed);
  finish(failed > 0 ? Phase::Failed : Phase::Done);
}

void DrainModel::evict(int row) {
  auto& p = pods_[size_t(row)];
  p.step = Step::Asked;
  ++p.tries;
  touch(row);
  const QString ns = p.pod.section('/', 0, 0), name = p.pod.section('/', 1);
  client::Write w;
  w.verb = client::Verb::Create;
  w.info = client_->registry().find("", "v1", "pods");
  w.ns = ns.toStdString();
  w.name = name.toStdString();
  w.subresource = "eviction";
  bj::object body{{"apiVersion", "policy/v1"},
                  {"kind", "Eviction"},
                  {"metadata", bj::object{{"name", w.name}, {"namespace", w.ns}}}};
  // Only the pod that was shown, not another of its name.
  if (!p.uid.isEmpty())
    body["deleteOptions"] = bj::object{{"preconditions", bj::object{{"uid", p.uid.toStdString()}}}};
  w.body = bj::serialize(body);
  QPointer<DrainModel> self(this);
  client_->write(std::move(w), [self, pod = p.pod, uid = p.uid](Result<client::ObjectPtr> r) {
    std::optional<Status> status;
    if (!r.ok()) status = r.status();
    onGui([self, pod, uid, status] {
      if (self) self->evicted(pod, uid, status ? &*status : nullptr);
    });
  });
}

void DrainModel::evicted(const QString& pod, const QString& uid, const Status* status) {
  for (int i = 0; i < int(pods_.size()); ++i) {
    auto& p = pods_[size_t(i)];
    if (p.pod != pod || p.uid != uid || p.step == Step::Gone) continue;
    p.answer = status ? Actions::explain(*status) : QString();
    if (!status) {
      p.step = Step::Leaving;
    } else if (status->isNotFound() || (status->code == 409 && !uid.isEmpty())) {
      p.step = Step::Gone;  // gone already, or another one has its name by now
    } else if (status->code == 429 || status->code >= 500) {
      const int ms = status->retryAfterSeconds > 0 ? status->retryAfterSeconds * 1000 : kRetryMs;
      p.step = phase_ == Phase::Draining ? Step::Again : Step::None;
      p.next = state_->now() + ms;
    } else {
      p.step = Step::Failed;
    }
    touch(i);
  }
  emit changed();
  tick();
}

void DrainModel::onChanged(const ChangeSet& changes) {
  if (pods_.empty() || changes.pods.empty()) return;
  QHash<QString, const Change<PodFacts>*> byKey;
  for (auto& c : changes.pods) byKey[c.any().key] = &c;
  bool any = false;
  for (int i = 0; i < int(pods_.size()); ++i) {
    auto& p = pods_[size_t(i)];
    auto it = byKey.constFind(p.pod);
    if (it == byKey.cend() || p.step == Step::Gone) continue;
    auto* now = (*it)->now;
    if (!now || now->uid != p.uid || now->node != node_)
      p.step = Step::Gone;
    else if (now->state == PodState::Leaving && p.step != Step::Failed)
      p.step = Step::Leaving;
    else
      continue;
    any = true;
    touch(i);
  }
  if (!any) return;
  emit changed();
  if (phase_ == Phase::Draining) tick();
}

void DrainModel::touch(int row) {
  emit dataChanged(index(row), index(row));
}

void DrainModel::finish(Phase phase) {
  tick_.stop();
  phase_ = phase;
  if (phase == Phase::Done) emit actions_->finished(tr("Drain %1").arg(node_), command(), true, {});
  if (phase == Phase::Failed && !problem_.isEmpty())
    emit actions_->finished(tr("Drain %1").arg(node_), command(), false, problem_);
  emit changed();
}

int DrainModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(pods_.size());
}

QVariant DrainModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  auto& p = pods_[size_t(index.row())];
  // What is going on with it, once a drain has begun.
  auto step = [&]() -> QString {
    switch (p.step) {
      case Step::Asked:
        return tr("asking");
      case Step::Again:
        return tr("asked %n time(s), again in %1", nullptr, p.tries)
            .arg(words::span(std::max<int64_t>(0, p.next - state_->now())));
      case Step::Leaving:
        return tr("stopping");
      case Step::Gone:
        return tr("gone");
      case Step::Failed:
        return tr("refused");
      case Step::None:
        break;
    }
    return {};
  };
  switch (role) {
    case Qt::DisplayRole:
      return p.pod.section('/', 1);
    case FateRole:
      return fateWord(p.fate);
    case WhyRole:
      if (!p.answer.isEmpty() && (p.step == Step::Again || p.step == Step::Failed)) return p.answer;
      return p.loses && p.fate != Fate::Stays
                 ? (p.why.isEmpty() ? QString() : p.why + QStringLiteral("; ")) + tr("its scratch data (emptyDir) goes")
                 : p.why;
    case ToRole:
      return p.to;
    case StepRole:
      return step();
    case AppRole:
      return p.app;
    case SubjectRole:
      return QVariant::fromValue(Subject{Subject::Kind::Pod, p.pod});
    case ToneRole:
      return int(p.step == Step::Gone     ? Tone::Ok
                 : p.step == Step::Failed ? Tone::Error
                 : p.step == Step::Again  ? Tone::Warn
                 : p.step == Step::None   ? fateTone(p.fate)
                                          : Tone::Info);
    case Qt::AccessibleTextRole: {
      QStringList all{p.pod, fateWord(p.fate)};
      if (!p.to.isEmpty()) all << tr("to %1").arg(p.to);
      if (!p.why.isEmpty()) all << p.why;
      if (!step().isEmpty()) all << step();
      return all.join(QStringLiteral(", "));
    }
    default:
      return {};
  }
}

}  // namespace ph::models
