// The collector over agents that are ours to turn, on a virtual clock; a day's series within its bounds.
#include <QTest>

#include "engine/metrics/collector.h"
#include "tests/support/fake_client.h"

using namespace ph;
using namespace ph::metrics;
using namespace std::chrono_literals;

namespace {

// One node's agent: answers with what it is told to, later.
struct Agent : net::HttpClient {
  Agent(std::shared_ptr<Executor> executor, std::string node) : executor(std::move(executor)), node(std::move(node)) {}
  void send(net::Request request, Duration, std::function<void(Result<net::Response>)> done) override {
    ++asked;
    if (request.path != "/stats/summary") qFatal("asked for something else");
    executor->post([this, done] {
      if (!up) return done(Status::unavailable("gone"));
      net::Response response;
      response.body.push_back(net::makeBuffer(answer));
      done(std::move(response));
    });
  }
  std::shared_ptr<net::StreamHandle> stream(net::Request, net::StreamCallbacks, bool) override { return nullptr; }
  void webSocket(net::Request, std::string, std::function<void(Result<std::shared_ptr<net::WebSocket>>)>) override {}
  std::shared_ptr<Executor> executor;
  std::string node, answer;
  int asked = 0;
  bool up = true;
};

struct Dialer : client::NodeDialer {
  std::shared_ptr<net::HttpClient> agent(const std::string& node) override {
    auto it = agents.find(node);
    return it == agents.end() ? nullptr : it->second;
  }
  std::map<std::string, std::shared_ptr<Agent>> agents;
};

std::string summary(int64_t nodeNano, int64_t containerNano) {
  auto number = [](int64_t n) { return std::to_string(n); };
  return R"({"node":{"cpu":{"usageNanoCores":)" + number(nodeNano) + R"(},"memory":{"workingSetBytes":1073741824}},"pods":[{"podRef":{"name":"p","namespace":"d","uid":"u1"},"containers":[{"name":"a","cpu":{"usageNanoCores":)" +
         number(containerNano) + R"(},"memory":{"workingSetBytes":2097152}},{"name":"b"}]},{"podRef":{}}]})";
}

}  // namespace

class MetricsTest : public QObject {
  Q_OBJECT
  std::shared_ptr<SimExecutor> sim_;
  std::unique_ptr<test::FakeClient> client_;
  std::shared_ptr<Dialer> dialer_;
  std::shared_ptr<Collector> collector_;

 private slots:
  void init() {
    sim_ = SimExecutor::make(1);
    client_ = std::make_unique<test::FakeClient>(sim_);
    dialer_ = std::make_shared<Dialer>();
    for (auto name : {"n1", "n2"}) {
      client_->create(std::string("{apiVersion: v1, kind: Node, metadata: {name: ") + name + "}}");
      dialer_->agents[name] = std::make_shared<Agent>(sim_, name);
      dialer_->agents[name]->answer = summary(500000000, 250000000);
    }
    client_->create("{apiVersion: v1, kind: Node, metadata: {name: unreachable}}");
    collector_ = Collector::make(*client_, sim_);
    collector_->setDialer(dialer_);
    collector_->start();
  }
  void cleanup() {
    collector_->stop();
    sim_->runFor(1s);
    collector_.reset();
  }

  void asksFourTimesAMinute() {
    sim_->runFor(59s);
    QCOMPARE(dialer_->agents["n1"]->asked, 4);
    auto node = collector_->node("n1");
    QVERIFY(node);
    QCOMPARE(node->use.cpuNanoCores, uint64_t(500000000));
    QCOMPARE(node->use.memoryBytes, uint64_t(1) << 30);
    QCOMPARE(node->window, Duration(15s));
    auto pod = collector_->pod("u1");
    QVERIFY(pod);
    QCOMPARE(pod->containers.size(), size_t(2));
    QCOMPARE(pod->containers[0].use.cpuNanoCores, uint64_t(250000000));
    QVERIFY(!collector_->node("unreachable") && !collector_->node("nobody") && !collector_->pod("u2"));
    QCOMPARE(collector_->nodeHistory("n1").size(), size_t(4));
    QCOMPARE(collector_->podHistory("u1").back().cpuMilli, 250u);
  }
  void oldUseIsNotToldAsNew() {
    sim_->runFor(20s);
    QVERIFY(collector_->node("n1"));
    dialer_->agents["n1"]->up = false;
    sim_->runFor(50s);
    QVERIFY(collector_->node("n2"));
    sim_->runFor(30s);
    QVERIFY(!collector_->node("n1"));
    QVERIFY(!collector_->nodeHistory("n1").empty());
    dialer_->agents["n1"]->up = true;
    sim_->runFor(16s);
    QVERIFY(collector_->node("n1"));
  }
  void nonsenseIsRefused_data() {
    QTest::addColumn<QByteArray>("text");
    for (auto text : {"", "{", "[]", "{}", "{\"node\":1}", "null"}) QTest::newRow(text[0] ? text : "nothing") << QByteArray(text);
  }
  void nonsenseIsRefused() {
    QFETCH(QByteArray, text);
    QVERIFY(!collector_->take("n9", text.toStdString()).ok());
    QVERIFY(!collector_->node("n9"));
  }
  void strangePodsDoNoHarm() {
    QVERIFY(collector_->take("n9", R"({"node":{"cpu":{"usageNanoCores":-5}},"pods":[1,{"podRef":{"uid":"x"},"containers":7},{"podRef":{"uid":"y"},"containers":[3]}]})").ok());
    QCOMPARE(collector_->node("n9")->use.cpuNanoCores, uint64_t(0));
    QVERIFY(collector_->pod("x")->containers.empty());
  }

  void aDayIsBounded() {
    Series s;
    WallTime t{24h * 20000};
    for (int i = 0; i < 4 * 60 * 30; ++i, t += 15s) s.add({t, uint32_t(i % 20), 7});
    auto points = s.points();
    QVERIFY(points.size() <= Series::kMaxFine + Series::kMaxCoarse + 1);
    QVERIFY(points.size() > 330);
    for (size_t i = 1; i < points.size(); ++i) QVERIFY(points[i - 1].at < points[i].at);
    QVERIFY(t - points.front().at <= 25h);
    QCOMPARE(points[3].cpuMilli, 9u);  // the mean of five minutes
    QCOMPARE(points[3].memoryKiB, 7u);
    s.add({t - 1h, 1, 1});  // a clock that was set back
    QCOMPARE(s.points().size(), points.size());
  }
};

QTEST_GUILESS_MAIN(MetricsTest)
#include "metrics_test.moc"
