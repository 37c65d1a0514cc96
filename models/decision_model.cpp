#include "models/decision_model.h"

#include <QLocale>
#include <QRegularExpression>
#include <algorithm>

#include "models/json_read.h"
#include "models/words.h"

namespace ph::models {

namespace {

DecisionRule ruleNamed(const QString& key) {
  struct Known {
    const char* key;
    QString name, what;
  };
  const Known known[] = {
      {"NodeName", DecisionModel::tr("Name"), DecisionModel::tr("The pod names its machine itself.")},
      {"NodeUnschedulable", DecisionModel::tr("Open"), DecisionModel::tr("The machine takes new pods: it is not cordoned.")},
      {"TaintToleration", DecisionModel::tr("Taints"),
       DecisionModel::tr("The machine keeps pods away that don't tolerate its taints.")},
      {"NodeAffinity", DecisionModel::tr("Labels"), DecisionModel::tr("The pod asks for machines with certain labels.")},
      {"NodePorts", DecisionModel::tr("Ports"), DecisionModel::tr("The host ports that the pod asks for are free.")},
      {"NodeResourcesFit", DecisionModel::tr("Room"),
       DecisionModel::tr("What the pod asks for is free; the more is left, the better.")},
      {"VolumeBinding", DecisionModel::tr("Volumes"),
       DecisionModel::tr("The machine reaches the volumes of the pod's claims.")},
      {"NodeResourcesBalancedAllocation", DecisionModel::tr("Balance"),
       DecisionModel::tr("CPU and memory get used up alike.")},
      {"InterPodAffinity", DecisionModel::tr("Company"),
       DecisionModel::tr("The pod wants to be near certain pods, or far from them.")},
      {"PodTopologySpread", DecisionModel::tr("Spread"), DecisionModel::tr("The pod asks for an even spread.")},
      {"DefaultSpread", DecisionModel::tr("Apart"), DecisionModel::tr("Copies of one application stand apart.")},
      {"ImageLocality", DecisionModel::tr("Image"), DecisionModel::tr("The machine has the image already.")},
  };
  for (auto& k : known) {
    if (key == QLatin1String(k.key)) return {key, k.name, k.what};
  }
  return {key, key, {}};
}

QString number(double v) {
  return QLocale::c().toString(v, 'f', 0);
}

QString reasonInWords(const QString& reason) {
  if (reason.startsWith(u"Insufficient ")) return DecisionModel::tr("not enough %1").arg(reason.mid(13));
  if (reason == u"Too many pods") return DecisionModel::tr("no room for another pod");
  if (reason.contains(u"unschedulable")) return DecisionModel::tr("takes no new pods");
  QString s = reason;
  for (auto* lead : {"node(s) had ", "node(s) didn't ", "node(s) ", "Node(s) "}) {
    if (!s.startsWith(QLatin1String(lead))) continue;
    const bool hasNot = QLatin1String(lead).contains(QLatin1String("didn't"));
    s = (hasNot ? QStringLiteral("doesn't ") : QLatin1String(lead).contains(QLatin1String("had")) ? QStringLiteral("has ") : QString()) +
        s.mid(int(qstrlen(lead)));
    break;
  }
  return s;
}

}  // namespace

DecisionModel::DecisionModel(ClusterState* state, QObject* parent)
    : QObject(parent), state_(state), question_(kAskEveryMs, [this](const auto& answer) { read(answer); }) {
  connect(state, &ClusterState::changed, this, &DecisionModel::onChanged);
}

void DecisionModel::setClient(std::shared_ptr<client::Client> client) {
  if (client == client_) return;
  client_ = std::move(client);
  ask();
}

void DecisionModel::setPod(const QString& key) {
  if (key == pod_) return;
  pod_ = key;
  question_.stop();
  rules_.clear();
  rows_.clear();
  remedy_ = {};
  node_.clear();
  problem_.clear();
  nodes_ = feasible_ = fitting_ = 0;
  status_ = key.isEmpty() ? State::Empty : State::Loading;
  ask();
  emit changed();
}

void DecisionModel::ask() {
  if (pod_.isEmpty() || !client_) return;
  question_.ask(client_, QStringLiteral("/apis/pilothouse.io/v1/namespaces/%1/schedulingdecisions/%2")
                             .arg(pod_.section('/', 0, 0), pod_.section('/', 1)));
}

void DecisionModel::onChanged(const ChangeSet& changes) {
  if (pod_.isEmpty()) return;
  for (auto& c : changes.pods) {
    if (c.now && c.now->key == pod_) return ask();
    // Room that another pod leaves may be what it waits for.
    if (!c.now && waits()) return ask();
  }
  if (!changes.nodes.empty() && waits()) ask();
}

void DecisionModel::read(const Result<boost::json::value>& answer) {
  if (!answer.ok()) {
    problem_ = QString::fromStdString(answer.status().message);
    // What was said before still stands while the engine can't be reached.
    if (status_ != State::Ready || answer.status().isNotFound()) {
      status_ = answer.status().isNotFound() ? State::Unknown : State::Failed;
      rows_.clear();
      rules_.clear();
      remedy_ = {};
      fitting_ = 0;
    }
    emit changed();
    return;
  }
  const json::Value* status = json::find(&*answer, {"status"});
  status_ = State::Ready;
  node_ = json::text(status, {"node"});
  nodes_ = int(json::number(status, {"nodes"}));
  feasible_ = int(json::number(status, {"feasible"}));
  rules_.clear();
  auto rule = [&](const json::Value& v) -> DecisionRule& {
    const QString key = json::text(&v);
    auto it = std::find_if(rules_.begin(), rules_.end(), [&](auto& r) { return r.key == key; });
    if (it == rules_.end()) it = rules_.insert(rules_.end(), ruleNamed(key));
    return *it;
  };
  for (auto& f : json::list(status, {"filters"})) rule(f).filters = true;
  for (auto& s : json::list(status, {"scorers"})) rule(s).scores = true;
  rows_.clear();
  fitting_ = 0;
  for (auto& r : json::list(status, {"rows"})) {
    DecisionRow row;
    row.node = json::text(&r, {"node"});
    row.total = json::real(&r, {"total"});
    row.here = row.node == node_;
    QStringList why;
    for (auto& each : rules_) {
      const std::string key = each.key.toStdString();
      const json::Value* score = json::find(&r, {"scores", key});
      row.scores.push_back(score ? json::real(score) : DecisionRow::kNone);
      if (score) each.best = std::max(each.best, row.scores.back());
      const QString refusal = json::text(&r, {"refusals", key});
      row.refusals << refusal;
      if (refusal.isEmpty()) continue;
      for (auto& part : refusal.split(QStringLiteral(", "))) why << reasonInWords(part);
    }
    why.removeDuplicates();  // a closed machine has a taint that says the same
    row.fits = why.isEmpty();
    row.why = why.join(QStringLiteral("; "));
    fitting_ += row.fits;
    rows_.push_back(std::move(row));
  }
  // The API has them so; painting and counting rely on it.
  std::stable_partition(rows_.begin(), rows_.end(), [](auto& r) { return r.fits; });
  readRemedy(json::text(status, {"remedy"}));
  emit changed();
}

void DecisionModel::readRemedy(const QString& text) {
  remedy_ = {};
  if (text.isEmpty()) return;
  remedy_.text = text;
  remedy_.text[0] = remedy_.text[0].toUpper();
  static const QRegularExpression uncordon(QStringLiteral("^uncordon (\\S+)$"));
  static const QRegularExpression label(QStringLiteral("^label (\\S+) with (\\S+=\\S*)$"));
  static const QRegularExpression most(QStringLiteral("^ask for at most (\\S+) of (cpu|memory|ephemeral-storage)\\b"));
  if (auto m = uncordon.match(text); m.hasMatch()) {
    remedy_.uncordon = m.captured(1);
    remedy_.text = tr("Let %1 take new pods again.").arg(m.captured(1));
    remedy_.command = QStringLiteral("kubectl uncordon %1").arg(m.captured(1));
  } else if (auto m = label.match(text); m.hasMatch()) {
    remedy_.command = QStringLiteral("kubectl label node %1 %2").arg(m.captured(1), m.captured(2));
  } else if (auto m = most.match(text); m.hasMatch()) {
    // A pod can't ask for less once it is there; what makes it can.
    auto* pod = state_->pod(pod_);
    if (pod && !appKind(pod->app).isEmpty() && state_->workload(pod->app) && pod->containers.size() == 1) {
      remedy_.command = QStringLiteral("kubectl set resources %1/%2%3 --requests=%4=%5")
                            .arg(appKind(pod->app).toLower(), appName(pod->app),
                                 pod->ns == u"default" ? QString() : QStringLiteral(" -n ") + pod->ns, m.captured(2),
                                 m.captured(1));
    }
  }
}

QString DecisionModel::refusedCounts() const {
  QHash<QString, int> count;
  QStringList order;
  for (auto& r : rows_) {
    if (r.fits) continue;
    for (auto& part : r.why.split(QStringLiteral("; "))) {
      if (count[part]++ == 0) order << part;
    }
  }
  std::stable_sort(order.begin(), order.end(), [&](auto& a, auto& b) { return count[a] > count[b]; });
  QStringList parts;
  for (auto& reason : order.mid(0, 3)) parts << tr("%1: %2", "how many machines, the reason").arg(count[reason]).arg(reason);
  return parts.join(QStringLiteral(", "));
}

QString DecisionModel::summary() const {
  switch (status_) {
    case State::Empty:
      return {};
    case State::Loading:
      return client_ ? tr("Asking the scheduler…") : tr("The cluster is not connected.");
    case State::Unknown:
      return tr("This cluster does not tell why its pods are where they are.");
    case State::Failed:
      return tr("The scheduler can't say now: %1").arg(problem_);
    case State::Ready:
      break;
  }
  if (waits()) {
    if (nodes_ == 0) return tr("It waits: there is no machine yet.");
    if (feasible_ == 0) return tr("It waits: none of %n machine(s) would take it (%1).", nullptr, nodes_).arg(refusedCounts());
    return tr("%1 of %n machine(s) would take it now; it is about to get one.", nullptr, nodes_).arg(feasible_);
  }
  auto here = std::find_if(rows_.begin(), rows_.end(), [](auto& r) { return r.here; });
  if (here == rows_.end()) return tr("It is on %1; %2 of %3 machines would take it now.").arg(node_).arg(feasible_).arg(nodes_);
  if (!here->fits) return tr("It is on %1, which would not take it again as things are now: %2.").arg(node_, here->why);
  if (feasible_ == 1) return tr("It is on %1, the only one of %n machine(s) that would take it.", nullptr, nodes_).arg(node_);
  if (here->total >= rows_.front().total - 0.5)
    return tr("It is on %1, the best of the %2 that would take it (of %n machine(s)).", nullptr, nodes_)
        .arg(node_)
        .arg(feasible_);
  return tr("It is on %1. As things are now %2 would be better (%3 against %4): a pod stays where it was put.")
      .arg(node_, rows_.front().node, number(rows_.front().total), number(here->total));
}

QString DecisionModel::command() const {
  const QString ns = pod_.section('/', 0, 0);
  return pod_.isEmpty() ? QString()
                        : QStringLiteral("kubectl get schedulingdecision %1%2 -o yaml")
                              .arg(pod_.section('/', 1), ns == u"default" ? QString() : QStringLiteral(" -n ") + ns);
}

QString DecisionModel::describe(int at) const {
  if (at < 0 || at >= int(rows_.size())) return {};
  const DecisionRow& row = rows_[size_t(at)];
  QStringList parts{row.here ? tr("%1 (it is here)").arg(row.node) : row.node};
  if (!row.fits) {
    parts << tr("refused: %1").arg(row.why);
  } else {
    parts << tr("score %1").arg(number(row.total));
    for (size_t i = 0; i < rules_.size(); ++i) {
      if (row.scores[i] != DecisionRow::kNone) parts << QStringLiteral("%1 %2").arg(rules_[i].name, number(row.scores[i]));
    }
  }
  return parts.join(QStringLiteral(", "));
}

}  // namespace ph::models
