#include "models/steps_model.h"

#include <QDateTime>
#include <QLocale>
#include <algorithm>
#include <cmath>

#include "models/json_read.h"
#include "models/words.h"

namespace ph::models {

namespace {

constexpr int kAskEveryMs = 1000;

std::vector<Step> blank(const QString& node) {
  auto step = [](const char* key, const QString& name, const QString& who, const QString& what) {
    Step s;
    s.key = QLatin1String(key);
    s.name = name;
    s.who = who;
    s.what = what;
    return s;
  };
  const QString agent =
      node.isEmpty() ? StepsModel::tr("agent on the machine") : StepsModel::tr("agent on %1", "a machine").arg(node);
  return {
      step("Request", StepsModel::tr("Asked for"), StepsModel::tr("who asks"),
           StepsModel::tr("Somebody asks the API: this window, kubectl, a program.")),
      step("Stored", StepsModel::tr("Written down"), StepsModel::tr("API server and store"),
           StepsModel::tr("The request is allowed, checked, and safe on disk before it is answered.")),
      step("Controller", StepsModel::tr("Missing pod noticed"), StepsModel::tr("controller"),
           StepsModel::tr("A controller compares what is wanted with what is there: a pod is missing.")),
      step("PodMade", StepsModel::tr("Pod made"), StepsModel::tr("API server and store"),
           StepsModel::tr("The pod is in the store now, a wish that has no machine yet.")),
      step("Scheduled", StepsModel::tr("Machine chosen"), StepsModel::tr("scheduler"),
           StepsModel::tr("Machines that don't fit drop out, the others get scores, the best is taken.")),
      step("Bound", StepsModel::tr("Bound to it"), StepsModel::tr("API server and store"),
           StepsModel::tr("The machine's name is written into the pod: spec.nodeName.")),
      step("Agent", StepsModel::tr("Taken up"), agent,
           StepsModel::tr("The machine's agent sees the pod on its watch and begins with it.")),
      step("Container", StepsModel::tr("Container made"), StepsModel::tr("container runtime"),
           StepsModel::tr("Network, volumes and image are there, and the container is made of them.")),
      step("Started", StepsModel::tr("Started"), StepsModel::tr("container runtime"),
           StepsModel::tr("The program in each container runs.")),
      step("InService", StepsModel::tr("In service"), StepsModel::tr("services"),
           StepsModel::tr("It says that it is ready, and services send it their calls.")),
  };
}

}  // namespace

StepsModel::StepsModel(ClusterState* state, QObject* parent)
    : QObject(parent), state_(state), question_(60, [this](const auto& answer) { read(answer); }) {
  again_.setInterval(kAskEveryMs);
  connect(&again_, &QTimer::timeout, this, &StepsModel::ask);
  connect(state, &ClusterState::changed, this, &StepsModel::onChanged);
}

void StepsModel::setClient(std::shared_ptr<client::Client> client) {
  if (client == client_) return;
  client_ = std::move(client);
  ask();
}

void StepsModel::setPod(const QString& key) {
  if (key == pod_) return;
  pod_ = key;
  question_.stop();
  again_.stop();
  steps_.clear();
  cause_.clear();
  node_.clear();
  problem_.clear();
  status_ = key.isEmpty() ? State::Empty : State::Loading;
  ask();
  emit changed();
}

void StepsModel::ask() {
  if (pod_.isEmpty() || !client_) return;
  question_.ask(client_, QStringLiteral("/apis/pilothouse.io/v1/namespaces/%1/podtimelines/%2")
                             .arg(pod_.section('/', 0, 0), pod_.section('/', 1)));
}

void StepsModel::onChanged(const ChangeSet& changes) {
  if (pod_.isEmpty()) return;
  for (auto& c : changes.pods) {
    if (c.now && c.now->key == pod_) return ask();
  }
}

void StepsModel::read(const Result<boost::json::value>& answer) {
  if (!answer.ok()) {
    const Status& status = answer.status();
    const bool noKind = status.isNotFound() && status.name.empty() && status.message.find("podtimelines") == std::string::npos;
    problem_ = QString::fromStdString(status.message);
    if (status_ != State::Ready || status.isNotFound())
      status_ = !status.isNotFound() ? State::Failed : noKind ? State::Unknown : State::NotKept;
    if (status_ != State::Ready) steps_.clear();
    again_.stop();
    emit changed();
    return;
  }
  const json::Value* status = json::find(&*answer, {"status"});
  cause_ = json::text(status, {"cause"});
  node_ = json::text(status, {"node"});
  steps_ = blank(node_);
  status_ = State::Ready;
  double last = 0;
  size_t reached = 0;  // steps before this one are done or passed
  for (auto& s : json::list(status, {"steps"})) {
    const QString key = json::text(&s, {"name"});
    auto it = std::find_if(steps_.begin(), steps_.end(), [&](auto& step) { return step.key == key; });
    if (it == steps_.end()) continue;
    it->state = Step::State::Done;
    it->from = last;
    it->at = last = std::max(last, json::real(&s, {"milliseconds"}));
    it->time = QDateTime::fromString(json::text(&s, {"time"}), Qt::ISODateWithMs).toMSecsSinceEpoch();
    reached = std::max(reached, size_t(it - steps_.begin()) + 1);
  }
  for (size_t i = 0; i < reached; ++i) {
    if (steps_[i].state != Step::State::Done) steps_[i].state = Step::State::Passed;
  }
  auto* pod = state_->pod(pod_);
  if (reached < steps_.size() && reached > 0 && pod && pod->state != PodState::Finished) {
    steps_[reached].state = Step::State::UnderWay;
    steps_[reached].from = steps_[reached].at = last;
  }
  // Being in service is seen in the endpoints, which are not the pod: one look more after the last step, too.
  if (!complete())
    again_.start();
  else if (again_.isActive())
    again_.stop(), ask();
  emit changed();
}

bool StepsModel::complete() const {
  return !steps_.empty() && steps_.back().state == Step::State::Done;
}

double StepsModel::total() const {
  double last = 0;
  for (auto& s : steps_) {
    if (s.state == Step::State::Done) last = s.at;
  }
  return last;
}

double StepsModel::underWay(int64_t now) const {
  const Step* before = nullptr;
  for (auto& s : steps_) {
    if (s.state == Step::State::UnderWay) return before ? std::max<double>(0, double(now - before->time)) : 0;
    if (s.state == Step::State::Done) before = &s;
  }
  return 0;
}

QString StepsModel::summary(int64_t now) const {
  switch (status_) {
    case State::Empty:
      return {};
    case State::Loading:
      return client_ ? tr("Asking the engine…") : tr("The cluster is not connected.");
    case State::NotKept:
      return tr("The engine did not see this pod come about, or it was too long ago: it keeps the last 2,000 pods since it "
                "was started.");
    case State::Unknown:
      return tr("This cluster keeps no timelines.");
    case State::Failed:
      return tr("The engine can't say now: %1").arg(problem_);
    case State::Ready:
      break;
  }
  if (complete()) return tr("In service %1 after it was asked for.").arg(took(total()));
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].state != Step::State::UnderWay) continue;
    return tr("Step %1 of %2, %3, under way for %4.")
        .arg(i + 1)
        .arg(steps_.size())
        .arg(steps_[i].name, took(underWay(now)));
  }
  return tr("It came as far as is shown here, and then ended.");
}

QString StepsModel::command() const {
  const QString ns = pod_.section('/', 0, 0);
  return pod_.isEmpty() ? QString()
                        : QStringLiteral("kubectl get podtimeline %1%2 -o yaml")
                              .arg(pod_.section('/', 1), ns == u"default" ? QString() : QStringLiteral(" -n ") + ns);
}

QStringList StepsModel::podsOf(const ClusterState& state, const Subject& subject) {
  if (subject.kind == Subject::Kind::Pod) return state.pod(subject.key) ? QStringList{subject.key} : QStringList();
  if (subject.kind != Subject::Kind::App) return {};
  std::vector<const PodFacts*> pods;
  for (auto& key : state.podsOfApp(subject.key)) pods.push_back(state.pod(key));
  std::sort(pods.begin(), pods.end(),
            [](auto* a, auto* b) { return a->created != b->created ? a->created > b->created : a->key < b->key; });
  QStringList keys;
  for (auto* p : pods) keys << p->key;
  return keys;
}

QString StepsModel::took(double ms) {
  if (ms < 10) return tr("%1 ms").arg(QLocale::c().toString(ms, 'f', 1));
  if (ms < 1000) return tr("%1 ms").arg(qRound(ms));
  if (ms < 60000) return tr("%1 s").arg(QLocale::c().toString(ms / 1000, 'f', ms < 10000 ? 2 : 1));
  return words::took(int64_t(ms));
}

}  // namespace ph::models
