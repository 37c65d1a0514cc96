// The Machine controller in a whole engine, against real SSH servers. The agent is a stand-in script, and this test plays its
// Node: what is tested is what the controller does and says. join_test.cpp has the real agent.
#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <future>

#include "engine/api/codec.h"
#include "engine/api/types/core.h"
#include "engine/api/types/fleet.h"
#include "engine/fleet/fleet.h"
#include "engine/runtime/engine.h"
#include "tests/support/lab/lab.h"

using namespace ph;
using namespace std::chrono_literals;

namespace {

// JSON with ' for " (moc does not read raw strings).
std::string j(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return text;
}

template <class T> T wait(std::function<void(std::function<void(T)>)> call) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  call([promise](T value) { promise->set_value(std::move(value)); });
  return future.get();
}

}  // namespace

class MachineTest : public QObject {
  Q_OBJECT
  Lab lab_{"machine"};
  QTemporaryDir dir_;
  std::unique_ptr<runtime::Engine> engine_;
  std::unique_ptr<fleet::Fleet> fleet_;
  std::shared_ptr<client::Client> client_;

  const api::ResourceInfo* info(const char* group, const char* plural) { return client_->registry().storage(group, plural); }
  const api::ResourceInfo* machines() { return info("fleet.pilothouse.io", "machines"); }

  Result<api::ObjectPtr> write(client::Verb verb, const api::ResourceInfo* what, const std::string& name, const std::string& body,
                               const std::string& subresource = "", const std::string& ns = "") {
    client::Write w;
    w.verb = verb;
    w.info = what;
    w.name = name;
    w.ns = ns;
    w.body = body;
    w.subresource = subresource;
    return wait<Result<api::ObjectPtr>>([&](auto done) { client_->write(w, done); });
  }
  api::ObjectPtr get(const api::ResourceInfo* what, const std::string& name, const std::string& ns = "") {
    auto r = wait<Result<api::ObjectPtr>>([&](auto done) { client_->get(*what, ns, name, done); });
    return r.ok() ? r.value() : nullptr;
  }
  api::fleet::MachineStatus status(const std::string& name) {
    auto m = get(machines(), name);
    return m ? m->as<api::fleet::Machine>().status : api::fleet::MachineStatus{};
  }
  std::string phase(const std::string& name) { return status(name).phase; }
  std::string connected(const std::string& name) {
    for (auto& c : status(name).conditions)
      if (c.type == "Connected") return c.status;
    return "";
  }
  void createMachine(const std::string& name, const std::string& address, const std::string& hostKey, const std::string& more = "") {
    auto r = write(client::Verb::Create, machines(), name,
                   j("{'apiVersion':'fleet.pilothouse.io/v1','kind':'Machine','metadata':{'name':'") + name + j("'},'spec':{'address':'") + address +
                       j("','hostKey':'") + hostKey + j("','credentials':{'identityFile':'") + lab_.key().toStdString() + "\"}" + more + "}}");
    QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
  }
  void createReadyNode(const std::string& name) {
    QVERIFY(write(client::Verb::Create, info("", "nodes"), name, j("{'apiVersion':'v1','kind':'Node','metadata':{'name':'") + name + "\"}}").ok());
    QVERIFY(write(client::Verb::Patch, info("", "nodes"), name,
                  j("{'status':{'conditions':[{'type':'Ready','status':'True','lastHeartbeatTime':'2026-01-01T00:00:00Z','lastTransitionTime':'2026-01-01T00:00:00Z'}],'nodeInfo':{'architecture':'amd64','kubeletVersion':'v0-test','machineID':'','systemUUID':'','bootID':'','kernelVersion':'','osImage':'','containerRuntimeVersion':'','kubeProxyVersion':'','operatingSystem':'linux'}}}"), "status").ok());
  }
  QString address(int i) { return lab_.address(i); }
  bool has(const std::vector<api::fleet::MachineFinding>& list, const std::string& severity) {
    for (auto& f : list)
      if (f.severity == severity && !f.message.empty() && !f.fix.empty()) return true;
    return false;
  }
  QStringList events(const std::string& name) {
    auto r = wait<Result<client::ListResult>>([&](auto done) { client_->list(*info("", "events"), {}, done); });
    QStringList out;
    if (r.ok())
      for (auto& e : r.value().items) {
        auto& event = e->as<api::core::Event>();
        if (event.involvedObject.name == name) out << QString::fromStdString(event.reason + ": " + event.message);
      }
    return out;
  }
  void startFleet() {
    fleet::Options o;
    o.agentDir = dir_.path().toStdString();
    o.io = engine_->io();
    o.acceptStream = [](int fd, net::Peer) { ::close(fd); };
    o.removalTimeout = 8s;
    o.connectTimeout = 3s;
    o.podsGoneTimeout = 3s;  // nobody plays the agent that would end them
    fleet_ = fleet::Fleet::make(*client_, engine_->executor(), o);
    fleet_->start();
  }

 private slots:
  void initTestCase() {
    if (auto why = Lab::impossible(); !why.isEmpty()) QSKIP(qPrintable(why));
    QVERIFY(lab_.up(2));
    QFile f(dir_.filePath("pilothouse-agent"));
    QVERIFY(f.open(QIODevice::WriteOnly));
    f.write("#!/bin/sh\necho \"$@\" >> /run/agent.calls\ncase $1 in run) exec sleep 1000000;; bridge) exec cat;; esac\nexit 0\n");
    f.close();
    runtime::Options o;
    o.dataDir = dir_.filePath("data").toStdString();
    o.listen = "127.0.0.1:0";
    o.fleet = false;
    o.controllers = false;
    auto started = runtime::Engine::start(o);
    QVERIFY2(started.ok(), started.ok() ? "" : started.status().message.c_str());
    engine_ = std::move(started).value();
    client_ = engine_->client();
    startFleet();
  }
  void cleanupTestCase() {
    fleet_.reset();
    client_.reset();
    engine_.reset();
  }

  void newMachineWaitsForTrustAndJoinsAfterIt() {
    createMachine("one", address(1).toStdString(), "", j(",'labels':{'room':'201'},'taints':[{'key':'gpu','effect':'NoSchedule'}]"));
    QTRY_COMPARE(phase("one"), std::string("Untrusted"));
    auto s = status("one");
    QCOMPARE(QString::fromStdString(s.hostKey), lab_.hostKey(1));
    QCOMPARE(s.hostKeyType, std::string("ssh-ed25519"));
    QVERIFY(has(s.findings, "Warning"));
    QVERIFY2(lab_.inside(1, "grep -c Accepted /var/log/sshd.log").out.trimmed() == "0", "logged in before the key was trusted");
    QVERIFY(!lab_.inside(1, "test -e /run/agent.calls").ok());

    QVERIFY(write(client::Verb::Patch, machines(), "one", j("{'spec':{'hostKey':'") + s.hostKey + "\"}}").ok());
    QTRY_COMPARE_WITH_TIMEOUT(phase("one"), std::string("Joining"), 10000);
    QTRY_COMPARE(connected("one"), std::string("True"));
    QTRY_COMPARE(lab_.inside(1, "grep ^run /run/agent.calls").out.trimmed(), QString("run --node-name one --engine unix:/run/pilothouse/engine.sock"));
    QTRY_VERIFY(lab_.inside(1, "grep '^bridge --listen /run/pilothouse/engine.sock' /run/agent.calls").ok());
    QVERIFY(fleet_->agent("one") != nullptr);
    QVERIFY(fleet_->agent("two") == nullptr);

    createReadyNode("one");
    QTRY_COMPARE(phase("one"), std::string("Ready"));
    s = status("one");
    QCOMPARE(s.nodeName, std::string("one"));
    QCOMPARE(s.hostname, std::string("h1"));
    QVERIFY(s.architecture == "amd64" || s.architecture == "arm64");
    QVERIFY(s.joinSeconds > 0 && s.joinSeconds < 60);
    QVERIFY(!s.progress);
    QVERIFY(!has(s.findings, "Error"));
    QTRY_COMPARE(get(info("", "nodes"), "one")->meta().label("room"), std::string_view("201"));
    QCOMPARE(get(info("", "nodes"), "one")->as<api::core::Node>().spec.taints.size(), size_t(1));
    QTRY_VERIFY(!events("one").filter("Joined: ").isEmpty());
  }

  void labelsFollowWithoutANewConnection() {
    QVERIFY(write(client::Verb::Patch, machines(), "one", j("{'spec':{'labels':{'room':'202'},'unschedulable':true}}")).ok());
    QTRY_COMPARE(get(info("", "nodes"), "one")->meta().label("room"), std::string_view("202"));
    QVERIFY(get(info("", "nodes"), "one")->as<api::core::Node>().spec.unschedulable);
    QCOMPARE(lab_.inside(1, "grep -c ^run /run/agent.calls").out.trimmed(), QString("1"));
    QVERIFY(write(client::Verb::Patch, machines(), "one", j("{'spec':{'unschedulable':false}}")).ok());
    QTRY_VERIFY(!get(info("", "nodes"), "one")->as<api::core::Node>().spec.unschedulable);
  }

  void changedHostKeyIsRefused() {
    const auto other = lab_.hostKey(1).toStdString();
    createMachine("wrongkey", address(2).toStdString(), other);
    QTRY_COMPARE(phase("wrongkey"), std::string("Failed"));
    auto s = status("wrongkey");
    QVERIFY(s.message.find(other) != std::string::npos);
    QVERIFY(s.message.find(lab_.hostKey(2).toStdString()) != std::string::npos);
    QVERIFY(has(s.findings, "Error"));
    QCOMPARE(s.conditions.at(0).reason, std::string("HostKeyChanged"));
    QTRY_VERIFY(!events("wrongkey").filter("HostKeyChanged").isEmpty());
    QVERIFY(lab_.inside(2, "grep -c Accepted /var/log/sshd.log").out.trimmed() == "0");
    QVERIFY(write(client::Verb::Delete, machines(), "wrongkey", "").ok());
    QTRY_VERIFY(!get(machines(), "wrongkey"));
  }

  void unreachableAndRefusedAreToldAndTriedAgain() {
    const auto net = address(1).section('.', 0, 2).toStdString();
    createMachine("absent", net + ".77", lab_.hostKey(2).toStdString());
    createMachine("deaf", address(2).toStdString(), lab_.hostKey(2).toStdString(), j(",'port':2"));
    createMachine("stranger", address(2).toStdString(), lab_.hostKey(2).toStdString(), j(",'user':'nobody'"));
    QTRY_COMPARE_WITH_TIMEOUT(phase("absent"), std::string("Failed"), 10000);
    QTRY_COMPARE(phase("deaf"), std::string("Failed"));
    QTRY_COMPARE(phase("stranger"), std::string("Failed"));
    QCOMPARE(status("deaf").conditions.at(0).reason, std::string("ConnectionRefused"));
    QCOMPARE(status("stranger").conditions.at(0).reason, std::string("AuthenticationFailed"));
    for (auto name : {"absent", "deaf", "stranger"}) {
      QVERIFY2(has(status(name).findings, "Error"), name);
      QVERIFY2(status(name).nextAttempt.has_value(), name);
    }
    QTRY_VERIFY_WITH_TIMEOUT(status("deaf").attempts >= 2, 10000);
    for (auto name : {"absent", "deaf", "stranger"}) {
      QVERIFY(write(client::Verb::Delete, machines(), name, "").ok());
      QTRY_VERIFY2(!get(machines(), name), name);
    }
  }

  void powerOffAndReturnAreSeen() {
    QTRY_COMPARE(phase("one"), std::string("Ready"));
    QVERIFY(lab_.cut(1));
    QElapsedTimer t;
    t.start();
    QTRY_COMPARE_WITH_TIMEOUT(connected("one"), std::string("False"), 10000);
    qInfo("Connected=False after %lld ms", static_cast<long long>(t.elapsed()));
    QVERIFY(t.elapsed() < 7000);
    QTRY_COMPARE(phase("one"), std::string("Lost"));
    QVERIFY(fleet_->agent("one") == nullptr);
    QVERIFY(lab_.join(1));
    QTRY_COMPARE_WITH_TIMEOUT(connected("one"), std::string("True"), 15000);
    QTRY_COMPARE(phase("one"), std::string("Ready"));
    QCOMPARE(lab_.inside(1, "grep -c ^run /run/agent.calls").out.trimmed(), QString("1"));
    QVERIFY(fleet_->agent("one") != nullptr);
  }

  void newEngineTakesTheMachineUpAgain() {
    fleet_.reset();
    startFleet();
    QTRY_VERIFY_WITH_TIMEOUT(fleet_->agent("one") != nullptr, 10000);
    QTRY_COMPARE(phase("one"), std::string("Ready"));
    QCOMPARE(lab_.inside(1, "grep -c ^run /run/agent.calls").out.trimmed(), QString("1"));
  }

  void removalCleansTheMachineAndTheCluster() {
    QVERIFY(write(client::Verb::Create, info("", "pods"), "p", j("{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'default'},'spec':{'nodeName':'one','containers':[{'name':'c','image':'i'}]}}"), "", "default").ok());
    QVERIFY(write(client::Verb::Delete, machines(), "one", "").ok());
    QTRY_VERIFY_WITH_TIMEOUT(!get(machines(), "one"), 20000);
    QVERIFY(!get(info("", "nodes"), "one"));
    QVERIFY(!get(info("", "pods"), "p", "default"));
    QVERIFY(lab_.inside(1, "grep -qx cleanup /run/agent.calls").ok());
    QVERIFY(!lab_.inside(1, "ls -d /var/lib/pilothouse /usr/local/lib/pilothouse /run/pilothouse /var/log/pilothouse*").ok() ||
            lab_.inside(1, "ls -d /var/lib/pilothouse /usr/local/lib/pilothouse /run/pilothouse /var/log/pilothouse* 2>/dev/null").out.isEmpty());
    QTRY_VERIFY(!lab_.inside(1, "pgrep -f '[s]leep 1000000|[s]upervise|[p]ilothouse-agent'").ok());
    QTRY_VERIFY(!events("one").filter("Cleaned").isEmpty());
    QVERIFY(!events("one").filter("PodsRemain").isEmpty());
  }

  void unreachableMachineIsLetGoWithWordsAboutWhatStays() {
    createMachine("two", address(2).toStdString(), lab_.hostKey(2).toStdString());
    QTRY_COMPARE_WITH_TIMEOUT(connected("two"), std::string("True"), 10000);
    createReadyNode("two");
    QTRY_COMPARE(phase("two"), std::string("Ready"));
    QVERIFY(lab_.kill(2));
    QTRY_COMPARE_WITH_TIMEOUT(connected("two"), std::string("False"), 10000);
    QVERIFY(write(client::Verb::Delete, machines(), "two", "").ok());
    QTRY_COMPARE(phase("two"), std::string("Removing"));
    QTRY_VERIFY_WITH_TIMEOUT(!get(machines(), "two"), 25000);
    QVERIFY(!get(info("", "nodes"), "two"));
    QTRY_VERIFY(!events("two").filter("LeftBehind").isEmpty());
  }
};

QTEST_GUILESS_MAIN(MachineTest)
#include "machine_test.moc"
