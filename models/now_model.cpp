#include "models/now_model.h"

#include <algorithm>

#include "models/map_model.h"

namespace ph::models {

NowModel::NowModel(ClusterState* state, QObject* parent) : QAbstractListModel(parent), state_(state) {
  connect(state, &ClusterState::changed, this, &NowModel::onChanged);
  second_.setInterval(1000);
  connect(&second_, &QTimer::timeout, this, &NowModel::recount);
}

int NowModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(entries_.size());
}

QVariant NowModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= entries_.size()) return {};
  auto& e = entries_[index.row()];
  switch (role) {
    case Qt::DisplayRole:
      return e.text;
    case Qt::AccessibleTextRole:
      return QStringLiteral("%1 %2 %3").arg(words::clock(e.at), e.text, e.link);
    case TimeRole:
      return words::clock(e.at);
    case ToneRole:
      return int(e.tone);
    case SubjectRole:
      return QVariant::fromValue(e.subject);
    case LinkRole:
      return e.link;
    default:
      return {};
  }
}

QHash<int, QByteArray> NowModel::roleNames() const {
  auto names = QAbstractListModel::roleNames();
  names[TimeRole] = "time";
  names[ToneRole] = "tone";
  names[SubjectRole] = "subject";
  names[LinkRole] = "link";
  return names;
}

NowModel::Entry* NowModel::find(const QString& topic) {
  for (auto& e : entries_) {
    if (e.open && e.topic == topic) return &e;
  }
  return nullptr;
}

void NowModel::say(const QString& topic, Tone tone, const QString& text, const Subject& subject,
                   const QString& link, bool counting) {
  if (Entry* e = find(topic)) {
    if (e->text == text && e->tone == tone && e->link == link) return;
    e->tone = tone;
    e->text = text;
    e->link = link;
    e->subject = subject;
    e->counting = counting;
    const int row = int(e - entries_.data());
    emit dataChanged(index(row), index(row));
  } else {
    beginInsertRows({}, 0, 0);
    entries_.prepend({topic, state_->now(), tone, text, link, subject, true, counting});
    endInsertRows();
    if (entries_.size() > kMaxEntries) {
      beginRemoveRows({}, kMaxEntries, int(entries_.size()) - 1);
      entries_.resize(kMaxEntries);
      endRemoveRows();
    }
  }
  if (counting && !second_.isActive()) second_.start();
}

void NowModel::close(const QString& topic) {
  if (Entry* e = find(topic)) {
    e->open = false;
    e->counting = false;
  }
}

QString NowModel::machineName(const QString& node) const {
  auto* machine = state_->machineOfNode(node);
  return machine ? machine->name : node;
}

void NowModel::onChanged(const ChangeSet& changes) {
  machines(changes);
  nodes(changes);
  workloads(changes);
  pods(changes);
  if (!changes.first) events(changes);
}

void NowModel::machines(const ChangeSet& changes) {
  for (auto& c : changes.machines) {
    const QString& key = c.any().key;
    const QString topic = QStringLiteral("machine:") + key;
    const Subject subject{Subject::Kind::Machine, key};
    if (!c.now) {
      say(topic, Tone::Plain, tr("%1 is no longer one of the machines").arg(key), {});
      close(topic);
      joins_.remove(key);
      continue;
    }
    if (c.before && c.before->phase == c.now->phase && c.before->message == c.now->message &&
        c.before->deleting == c.now->deleting && c.before->node == c.now->node) {
      continue;
    }
    auto* node = state_->node(c.now->node.isEmpty() ? c.now->name : c.now->node);
    const MachineView view = words::machineView(c.now, node);
    if (view.state == CardState::Joining || view.state == CardState::NeedsTrust) {
      if (changes.first && view.state == CardState::Joining) continue;
      if (!joins_.contains(key)) joins_[key] = state_->now();
    }
    switch (view.state) {
      case CardState::Joining:
        say(topic, Tone::Info, tr("%1 joins: %2").arg(key, view.note), subject);
        break;
      case CardState::NeedsTrust:
        say(topic, Tone::Warn,
            tr("%1 shows a host key for the first time. Joining goes on once you trust it.").arg(key),
            subject, tr("Check it"));
        break;
      case CardState::Failed:
        say(topic, Tone::Error, tr("%1 could not join: %2").arg(key, view.note), subject, tr("What to do"));
        break;
      case CardState::Leaving:
        say(topic, Tone::Info, tr("%1 leaves: %2").arg(key, view.note), subject);
        break;
      case CardState::Ready:
      case CardState::Lost:
        break;  // told by its node
    }
  }
}

void NowModel::nodes(const ChangeSet& changes) {
  // A machine's lost connection and its node's silence are one piece of news, told by whichever comes first.
  QSet<QString> names;
  for (auto& c : changes.nodes) names.insert(c.any().name);
  for (auto& c : changes.machines) names.insert(c.any().node.isEmpty() ? c.any().name : c.any().node);
  for (auto& name : std::as_const(names)) judge(name, changes.first);
}

void NowModel::judge(const QString& node, bool first) {
  const QString topic = QStringLiteral("node:") + node;
  auto* n = state_->node(node);
  if (!n) {
    losses_.remove(node);
    up_.remove(node);
    close(topic);
    return;
  }
  auto* machine = state_->machineOfNode(node);
  const QString name = machineName(node);
  const Subject subject{Subject::Kind::Machine, machine ? machine->key : node};
  const bool up = n->ready && !(machine && machine->phase == u"Lost");
  const bool was = up_.value(node), known = up_.contains(node);
  up_[node] = up;
  if (up && !was) {
    if (losses_.contains(node)) {
      const int64_t away = state_->now() - losses_.take(node).start;
      close(topic);
      say(topic, Tone::Ok, tr("%1 is back after %2").arg(name, words::span(away)), subject);
      close(topic);
    } else if (!first) {
      const QString join = QStringLiteral("machine:") + subject.key;
      const int64_t start = joins_.take(subject.key);
      say(join, Tone::Ok,
          start
              ? tr("%1 joined: %2 from first contact to Ready").arg(name, words::took(state_->now() - start))
              : tr("%1 joined and is ready").arg(name),
          subject);
      close(join);
    }
  } else if (!up && ((known && was) || (first && !n->known)) && !(machine && machine->deleting)) {
    LossEpisode loss;
    loss.start = first ? n->readySince : state_->now();
    for (auto& key : state_->podsOnNode(node)) {
      auto* p = state_->pod(key);
      if (p->state == PodState::Finished) continue;
      ++loss.count;
      loss.apps.insert(p->app);
    }
    losses_[node] = loss;
    close(topic);
    tellLoss(node);
  }
}

void NowModel::tellLoss(const QString& node) {
  auto& loss = losses_[node];
  auto* machine = state_->machineOfNode(node);
  const QString name = machineName(node);
  QString text = tr("%1 stopped answering.").arg(name);
  int placed = 0;
  QStringList where;
  for (auto it = loss.elsewhere.begin(); it != loss.elsewhere.end(); ++it) {
    placed += it.value();
    where << tr("%1 on %2", "pods, machine").arg(it.value()).arg(it.key());
  }
  if (loss.count > 0) {
    text += QLatin1Char(' ');
    if (placed == 0)
      text += tr("Its %n pod(s) start elsewhere if it stays away.", nullptr, loss.count);
    else
      text +=
          tr("Its %n pod(s) start elsewhere: %1.", nullptr, loss.count).arg(where.join(QStringLiteral(", ")));
  }
  say(QStringLiteral("node:") + node, Tone::Error, text,
      {Subject::Kind::Machine, machine ? machine->key : node});
}

void NowModel::workloads(const ChangeSet& changes) {
  for (auto& c : changes.workloads) {
    const QString& key = c.any().key;
    const QString topic = QStringLiteral("app:") + key;
    if (!c.now) {
      apps_.remove(key);
      close(topic);
      say(topic, Tone::Plain, tr("%1 was removed, its pods stop").arg(c.before->name), {});
      close(topic);
      continue;
    }
    const WorkloadFacts& w = *c.now;
    auto begin = [&](AppEpisode::Kind kind) {
      if (!apps_.contains(key))
        close(topic);
      else if (apps_[key].kind != kind)
        close(topic);
      apps_[key] = {kind, state_->now(), c.before ? c.before->wanted : 0};
    };
    if (!changes.first) {
      if (!c.before)
        begin(AppEpisode::Kind::Start);
      else if (c.before->images != w.images)
        begin(AppEpisode::Kind::Rollout);
      else if (c.before->wanted != w.wanted)
        begin(AppEpisode::Kind::Scale);
    }
    tellApp(w);
  }
}

void NowModel::tellApp(const WorkloadFacts& w) {
  auto it = apps_.find(w.key);
  if (it == apps_.end()) return;
  const QString topic = QStringLiteral("app:") + w.key;
  const Subject subject{Subject::Kind::App, w.key};
  const bool done = w.settled && w.ready >= w.wanted && w.updated >= w.wanted && w.total == w.wanted;
  const QString tag = words::imageTag(w.images.value(0));
  const QString took = words::took(state_->now() - it->start);
  QString text;
  if (!w.problem.isEmpty()) {
    say(topic, Tone::Error, tr("%1: %2").arg(w.name, w.problem), subject);
    return;
  }
  const QString readiness = tr("%1 of %2 ready").arg(std::min(w.ready, w.wanted)).arg(w.wanted);
  switch (it->kind) {
    case AppEpisode::Kind::Start:
      text = done ? tr("%1 runs: %2 after %3").arg(w.name, readiness, took)
                  : tr("%1 starts: %2").arg(w.name, readiness);
      break;
    case AppEpisode::Kind::Scale:
      text = tr("%1: from %2 to %n copies", nullptr, w.wanted).arg(w.name).arg(it->from);
      text += done ? tr(", done after %1").arg(took) : QStringLiteral(", ") + readiness;
      break;
    case AppEpisode::Kind::Rollout: {
      const QString version = tag.isEmpty() ? tr("a new version") : tr("version %1").arg(tag);
      text = done ? tr("%1: %2 is out, %3 after %4").arg(w.name, version, readiness, took)
                  : tr("%1: %2 rolling out, %3")
                        .arg(w.name, version,
                             tr("%1 of %2 ready").arg(std::min(w.updated, w.ready)).arg(w.wanted));
      break;
    }
  }
  say(topic, done ? Tone::Ok : Tone::Info, text, subject);
  if (done) {
    apps_.erase(it);
    close(topic);
  }
}

void NowModel::pods(const ChangeSet& changes) {
  QSet<QString> waiting;
  for (auto& c : changes.pods) {
    const PodFacts& any = c.any();
    if (c.before && c.before->state == PodState::Waiting) waiting.insert(any.app);
    if (c.now && c.now->state == PodState::Waiting) waiting.insert(any.app);
    // A lost machine's pods, seen again elsewhere.
    if (c.now && !c.now->node.isEmpty() && (!c.before || c.before->node.isEmpty()) && !changes.first) {
      for (auto it = losses_.begin(); it != losses_.end(); ++it) {
        if (it.key() == c.now->node || !it->apps.contains(c.now->app) || c.now->created < it->start) continue;
        int placed = 0;
        for (int n : std::as_const(it->elsewhere)) placed += n;
        if (placed >= it->count) continue;
        ++it->elsewhere[machineName(c.now->node)];
        tellLoss(it.key());
      }
    }
    if (c.now && c.now->state == PodState::Failing) {
      tellFailing(*c.now);
    } else if (auto it = failing_.find(any.key); it != failing_.end()) {
      const QString topic = *it;
      failing_.erase(it);
      if (c.now && c.now->state == PodState::Ready) {
        say(topic, Tone::Ok, tr("%1 on %2: runs again").arg(appName(any.app), machineName(any.node)),
            {Subject::Kind::Pod, any.key});
      }
      if (std::find(failing_.begin(), failing_.end(), topic) == failing_.end()) close(topic);
    }
  }
  for (auto& app : std::as_const(waiting)) tellWaiting(app);
}

void NowModel::tellFailing(const PodFacts& pod) {
  const QString topic = QStringLiteral("failing:%1@%2").arg(pod.app, pod.node);
  failing_[pod.key] = topic;
  const QString what = words::podProblem(pod, state_->now());
  say(topic, Tone::Warn,
      pod.node.isEmpty() ? tr("%1: %2.").arg(appName(pod.app), what)
                         : tr("%1 on %2: %3.").arg(appName(pod.app), machineName(pod.node), what),
      {Subject::Kind::Pod, pod.key}, tr("Open its log"), true);
}

void NowModel::tellWaiting(const QString& app) {
  const QString topic = QStringLiteral("waiting:") + app;
  int stuck = 0;
  QString why;
  const bool any = state_->inState(app, PodState::Waiting) > 0;
  for (auto& key : any ? state_->podsOfApp(app) : QSet<QString>()) {
    auto* p = state_->pod(key);
    if (p->state != PodState::Waiting || p->message.isEmpty()) continue;
    ++stuck;
    why = words::whyWaiting(p->message);
  }
  if (stuck > 0) {
    waitingApps_.insert(app);
    say(topic, Tone::Warn, tr("%1: %n pod(s) wait: %2.", nullptr, stuck).arg(appName(app), why),
        {Subject::Kind::App, app});
  } else if (waitingApps_.remove(app)) {
    say(topic, Tone::Ok, tr("%1: each pod has a machine now").arg(appName(app)), {Subject::Kind::App, app});
    close(topic);
  }
}

void NowModel::events(const ChangeSet& changes) {
  // What the sentences above already tell is not said twice.
  static const QSet<QString> told{QStringLiteral("FailedScheduling"), QStringLiteral("BackOff"),
                                  QStringLiteral("NodeNotReady"),     QStringLiteral("Failed"),
                                  QStringLiteral("ErrImagePull"),     QStringLiteral("ImagePullBackOff")};
  for (auto& c : changes.events) {
    if (!c.now || !c.now->warning || told.contains(c.now->reason)) continue;
    const EventFacts& e = *c.now;
    Subject subject;
    QString who = e.objectName;
    if (e.kind == u"Pod") {
      subject = {Subject::Kind::Pod, e.objectNs + '/' + e.objectName};
      if (auto* p = state_->pod(subject.key)) who = tr("%1 on %2").arg(appName(p->app), machineName(p->node));
    } else if (e.kind == u"Node" || e.kind == u"Machine") {
      subject = {Subject::Kind::Machine, e.objectName};
    } else if (e.kind == u"Deployment") {
      subject = {Subject::Kind::App, appKey(e.kind, e.objectNs, e.objectName)};
    }
    QString message = e.message;
    if (e.reason == u"Unhealthy") message = tr("does not answer its probe: %1").arg(e.message);
    // What is said of every machine in the same words is said once.
    const bool shared = e.kind == u"Node" && e.reason == u"NodesSilent";
    say(shared ? QStringLiteral("event:") + e.reason : QStringLiteral("event:%1/%2").arg(who, e.reason),
        Tone::Warn,
        e.count > 1 ? tr("%1: %2 (%n times)", nullptr, e.count).arg(who, message)
                    : tr("%1: %2").arg(who, message),
        subject);
  }
}

void NowModel::recount() {
  bool any = false;
  QSet<QString> told;
  for (auto it = failing_.begin(); it != failing_.end(); ++it) {
    if (told.contains(*it)) continue;
    told.insert(*it);
    auto* p = state_->pod(it.key());
    Entry* e = find(*it);
    if (!p || !e) continue;
    any = true;
    const QString what = words::podProblem(*p, state_->now());
    say(*it, e->tone,
        p->node.isEmpty() ? tr("%1: %2.").arg(appName(p->app), what)
                          : tr("%1 on %2: %3.").arg(appName(p->app), machineName(p->node), what),
        e->subject, e->link, true);
  }
  if (!any) second_.stop();
}

}  // namespace ph::models
