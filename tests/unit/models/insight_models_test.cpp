// The ten steps and the scheduler's decision as models: what an answer becomes, when they ask, what they say.
#include <QSignalSpy>
#include <QTest>

#include "engine/scheduler/plugins/plugins.h"
#include "models/decision_model.h"
#include "models/steps_model.h"
#include "tests/support/fake_client.h"
#include "tests/ui/sample.h"

using namespace ph;
using namespace ph::models;

namespace {

// Answers what the test tells it to, when the test tells it to.
class SlowClient : public test::FakeClient {
 public:
  using FakeClient::FakeClient;
  std::shared_ptr<void> raw(std::string method, std::string path, std::string, std::string,
                            std::function<void(std::string_view)>, client::Callback<std::string> done) override {
    asked << QString::fromStdString(method + " " + path);
    waiting.push_back(std::move(done));
    return std::make_shared<int>(0);
  }
  void answer(Result<std::string> text) {
    auto done = std::move(waiting.front());
    waiting.erase(waiting.begin());
    done(std::move(text));
  }
  QStringList asked;
  std::vector<client::Callback<std::string>> waiting;
};

Result<boost::json::value> tree(const char* text) {
  return boost::json::parse(text);
}

constexpr const char* kHalf = R"({"status":{"cause":"Deployment web made","node":"n","steps":[
  {"name":"Request","time":"2026-03-14T12:04:30.000000Z","milliseconds":0},
  {"name":"Stored","time":"2026-03-14T12:04:30.002500Z","milliseconds":2.5},
  {"name":"PodMade","time":"2026-03-14T12:04:30.010000Z","milliseconds":10},
  {"name":"Scheduled","time":"2026-03-14T12:04:30.012000Z","milliseconds":12},
  {"name":"Bound","time":"2026-03-14T12:04:30.020000Z","milliseconds":20}]}})";

constexpr const char* kDecision = R"({"status":{"node":"b","nodes":4,"feasible":2,
  "filters":["NodeUnschedulable","NodeResourcesFit"],"scorers":["NodeResourcesFit","ImageLocality"],"rows":[
  {"node":"a","total":120.4,"scores":{"NodeResourcesFit":80.4,"ImageLocality":40}},
  {"node":"b","total":90,"scores":{"NodeResourcesFit":90,"ImageLocality":0}},
  {"node":"c","refusals":{"NodeUnschedulable":"node(s) were unschedulable"}},
  {"node":"d","refusals":{"NodeUnschedulable":"node(s) were unschedulable","NodeResourcesFit":"Insufficient cpu, Insufficient memory"}}]}})";

}  // namespace

class InsightModelsTest : public QObject {
  Q_OBJECT

  static PodFacts web(const QString& node, PodState state = PodState::Starting) {
    return sample::pod("default", "web", "x", node, state, "web:1");
  }
  static void put(ClusterState& state, PodFacts pod) {
    Diff d;
    d.pods.put.push_back(std::move(pod));
    state.apply(std::move(d));
  }

 private slots:
  void stepsHalfWay() {
    ClusterState state;
    put(state, web("n"));
    StepsModel m(&state);
    m.setPod("default/web-x");
    m.read(tree(kHalf));
    QCOMPARE(m.state(), StepsModel::State::Ready);
    QCOMPARE(int(m.steps().size()), StepsModel::kSteps);
    QCOMPARE(m.steps()[1].took(), 2.5);
    QCOMPARE(m.steps()[2].state, Step::State::Passed);  // no controller had a part in it
    QCOMPARE(m.steps()[3].took(), 7.5);
    QCOMPARE(m.steps()[6].state, Step::State::UnderWay);
    QCOMPARE(m.steps()[7].state, Step::State::ToCome);
    QCOMPARE(m.total(), 20.0);
    QVERIFY(!m.complete());
    const int64_t bound = m.steps()[5].time;
    QCOMPARE(bound, QDateTime(QDate(2026, 3, 14), QTime(12, 4, 30, 20), Qt::UTC).toMSecsSinceEpoch());
    QCOMPARE(m.underWay(bound + 300), 300.0);
    QCOMPARE(m.summary(bound + 300), QString("Step 7 of 10, Taken up, under way for 300 ms."));
    QCOMPARE(m.command(), QString("kubectl get podtimeline web-x -o yaml"));
    // A pod that has ended goes no further.
    put(state, web("n", PodState::Finished));
    m.read(tree(kHalf));
    QCOMPARE(m.steps()[6].state, Step::State::ToCome);
    QCOMPARE(m.underWay(bound + 300), 0.0);
  }

  void stepsThatCantBeHad() {
    ClusterState state;
    StepsModel m(&state);
    QCOMPARE(m.state(), StepsModel::State::Empty);
    m.setPod("shop/web-x");
    QCOMPARE(m.state(), StepsModel::State::Loading);
    QCOMPARE(m.command(), QString("kubectl get podtimeline web-x -n shop -o yaml"));
    m.read(Status::notFound("podtimelines.pilothouse.io \"web-x\" not found"));
    QCOMPARE(m.state(), StepsModel::State::NotKept);
    m.read(Status::notFound("the server could not find the requested resource"));
    QCOMPARE(m.state(), StepsModel::State::Unknown);
    m.read(tree(kHalf));
    QCOMPARE(m.state(), StepsModel::State::Ready);
    // What was said before stands while nobody answers.
    m.read(Status::unavailable("away"));
    QCOMPARE(m.state(), StepsModel::State::Ready);
    m.setPod("shop/other");
    m.read(Status::unavailable("away"));
    QCOMPARE(m.state(), StepsModel::State::Failed);
    QVERIFY(m.steps().empty());
  }

  void stepsAreAskedWhenThePodChanges() {
    auto executor = makeThreadExecutor(1, "test");
    auto client = std::make_shared<SlowClient>(executor);
    ClusterState state;
    put(state, web(""));
    StepsModel m(&state);
    m.setClient(client);
    QVERIFY(client->asked.isEmpty());
    m.setPod("default/web-x");
    QCOMPARE(client->asked, QStringList{"GET /apis/pilothouse.io/v1/namespaces/default/podtimelines/web-x"});
    // Many changes while one is asked are one more question.
    for (int i = 0; i < 20; ++i) put(state, web("n"));
    QCOMPARE(client->asked.size(), 1);
    QSignalSpy changed(&m, &StepsModel::changed);
    client->answer(std::string(kHalf));
    QTRY_COMPARE(changed.count(), 1);
    QTRY_COMPARE(client->asked.size(), 2);
    // An answer about a pod that is no longer looked at is dropped.
    auto late = std::move(client->waiting.front());
    m.setPod({});
    changed.clear();
    late(std::string(kHalf));
    QTest::qWait(30);
    QCOMPARE(changed.count(), 0);
    QCOMPARE(m.state(), StepsModel::State::Empty);
    // Other pods' changes are no reason to ask.
    m.setPod("default/web-x");
    const auto asked = client->asked.size();
    client->waiting.clear();
    put(state, sample::pod("default", "db", "y", "n", PodState::Ready, "db:1"));
    QTest::qWait(100);
    QCOMPARE(client->asked.size(), asked);
  }

  void theNewestPodFirst() {
    ClusterState state;
    Diff d;
    d.pods.put.push_back(sample::pod("default", "web", "old", "n", PodState::Ready, "web:1", 9000));
    d.pods.put.push_back(sample::pod("default", "web", "new", "n", PodState::Ready, "web:1", 100));
    d.pods.put.push_back(sample::pod("default", "db", "x", "n", PodState::Ready, "db:1", 1));
    state.apply(std::move(d));
    const QString app = appKey("Deployment", "default", "web");
    QCOMPARE(StepsModel::podsOf(state, {Subject::Kind::App, app}), QStringList({"default/web-new", "default/web-old"}));
    QCOMPARE(StepsModel::podsOf(state, {Subject::Kind::Pod, "default/db-x"}), QStringList{"default/db-x"});
    QVERIFY(StepsModel::podsOf(state, {Subject::Kind::Pod, "default/gone"}).isEmpty());
    QVERIFY(StepsModel::podsOf(state, {Subject::Kind::Machine, "n"}).isEmpty());
  }

  void durations() {
    QCOMPARE(StepsModel::took(0.42), QString("0.4 ms"));
    QCOMPARE(StepsModel::took(41.7), QString("42 ms"));
    QCOMPARE(StepsModel::took(1240), QString("1.24 s"));
    QCOMPARE(StepsModel::took(31240), QString("31.2 s"));
  }

  void aDecision() {
    ClusterState state;
    put(state, web("b"));
    DecisionModel m(&state);
    m.setPod("default/web-x");
    m.read(tree(kDecision));
    QCOMPARE(m.state(), DecisionModel::State::Ready);
    QCOMPARE(int(m.rules().size()), 3);  // one column a rule, also when it filters and scores
    QVERIFY(m.rules()[1].filters && m.rules()[1].scores);
    QCOMPARE(m.rules()[1].best, 90.0);
    QCOMPARE(m.fitting(), 2);
    QVERIFY(m.rows()[1].here && !m.rows()[0].here);
    QCOMPARE(m.rows()[0].scores[0], DecisionRow::kNone);
    QCOMPARE(m.rows()[0].scores[1], 80.4);
    QCOMPARE(m.rows()[2].why, QString("takes no new pods"));
    QCOMPARE(m.rows()[3].why, QString("takes no new pods; not enough cpu; not enough memory"));
    QCOMPARE(m.summary(), QString("It is on b. As things are now a would be better (120 against 90): a pod stays where it was put."));
    QVERIFY(m.describe(0).contains("score 120"));
    QVERIFY(m.describe(3).contains("not enough memory"));
    QVERIFY(m.describe(9).isEmpty());
  }

  void aWaitingPodAndItsRemedy_data() {
    QTest::addColumn<QString>("remedy");
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("command");
    QTest::newRow("uncordon") << "uncordon c" << "Let c take new pods again." << "kubectl uncordon c";
    QTest::newRow("label") << "label c with gpu=yes" << "Label c with gpu=yes" << "kubectl label node c gpu=yes";
    QTest::newRow("less") << "ask for at most 3500m of cpu (d has no more)" << "Ask for at most 3500m of cpu (d has no more)"
                          << "kubectl set resources deployment/web --requests=cpu=3500m";
    QTest::newRow("free") << "free 1 of cpu on c" << "Free 1 of cpu on c" << "";
    QTest::newRow("none") << "" << "" << "";
  }
  void aWaitingPodAndItsRemedy() {
    QFETCH(QString, remedy);
    QFETCH(QString, text);
    QFETCH(QString, command);
    ClusterState state;
    Diff d;
    d.workloads.put.push_back(sample::app("default", "web", 1, 0, "web:1", 1000));
    state.apply(std::move(d));
    put(state, web("", PodState::Waiting));
    DecisionModel m(&state);
    m.setPod("default/web-x");
    m.read(tree(QString(R"({"status":{"nodes":3,"feasible":0,"filters":["NodeResourcesFit"],"rows":[
      {"node":"c","refusals":{"NodeResourcesFit":"Insufficient cpu"}},{"node":"d","refusals":{"NodeResourcesFit":"Insufficient cpu"}},
      {"node":"e","refusals":{"NodeResourcesFit":"Too many pods"}}],"remedy":"%1"}})")
                    .arg(remedy)
                    .toUtf8()
                    .constData()));
    QVERIFY(m.waits());
    QCOMPARE(m.summary(), QString("It waits: none of 3 machine(s) would take it (2: not enough cpu, 1: no room for another pod)."));
    QCOMPARE(m.remedy().text, text);
    QCOMPARE(m.remedy().command, command);
    QCOMPARE(!m.remedy().uncordon.isEmpty(), remedy.startsWith("uncordon"));
  }

  void everyRuleOfTheSchedulerHasWords() {
    const auto profile = scheduler::defaultProfile();
    QStringList filters, scorers;
    for (auto& p : profile.filters) filters << QString::fromUtf8(p->name().data(), qsizetype(p->name().size()));
    for (auto& p : profile.scores) scorers << QString::fromUtf8(p->name().data(), qsizetype(p->name().size()));
    auto list = [](const QStringList& names) { return QString("[\"%1\"]").arg(names.join("\",\"")); };
    ClusterState state;
    put(state, web("n"));
    DecisionModel m(&state);
    m.setPod("default/web-x");
    m.read(tree(QString("{\"status\":{\"node\":\"n\",\"nodes\":1,\"feasible\":1,\"filters\":%1,\"scorers\":%2,\"rows\":[]}}")
                    .arg(list(filters), list(scorers)).toUtf8().constData()));
    QVERIFY(m.rules().size() >= profile.filters.size());
    for (auto& rule : m.rules()) QVERIFY2(!rule.what.isEmpty() && rule.name != rule.key, qPrintable(rule.key));
  }

  void aWaitingPodsDecisionFollowsTheMachines() {
    auto executor = makeThreadExecutor(1, "test");
    auto client = std::make_shared<SlowClient>(executor);
    ClusterState state;
    put(state, web("", PodState::Waiting));
    DecisionModel m(&state);
    m.setClient(client);
    m.setPod("default/web-x");
    QCOMPARE(client->asked.size(), 1);
    QSignalSpy changed(&m, &DecisionModel::changed);
    client->answer(std::string(R"({"status":{"nodes":0,"feasible":0}})"));
    QTRY_COMPARE(changed.count(), 1);
    QCOMPARE(m.summary(), QString("It waits: there is no machine yet."));
    Diff d;
    d.nodes.put.push_back(sample::node("b", {}, "amd64", 4, 8));
    state.apply(std::move(d));
    QTRY_COMPARE(client->asked.size(), 2);
    client->answer(std::string(kDecision));
    QTRY_VERIFY(!m.waits());
    Diff other;
    other.nodes.put.push_back(sample::node("e", {}, "amd64", 4, 8));
    state.apply(std::move(other));
    QTest::qWait(DecisionModel::kAskEveryMs + 100);
    QCOMPARE(client->asked.size(), 2);  // it has its place: machines don't matter any more
  }
};

QTEST_GUILESS_MAIN(InsightModelsTest)
#include "insight_models_test.moc"
