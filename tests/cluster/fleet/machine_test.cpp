// The Machine controller in a whole engine, against real SSH servers. The agent is a stand-in script, and this test plays its
// Node: what is tested is what the controller does and says. join_test.cpp has the real agent.
#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <unistd.h>

#include "engine/fleet/fleet.h"
#include "tests/cluster/fleet/cluster.h"

using namespace ph;
using namespace std::chrono_literals;
using fleettest::j;

class MachineTest : public QObject, fleettest::Cluster {
  Q_OBJECT
  QTemporaryDir dir_;
  std::unique_ptr<fleet::Fleet> fleet_;

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

 public:
  MachineTest() : Cluster("machine") {}

 private slots:
  void initTestCase() {
    if (auto why = Lab::impossible(); !why.isEmpty()) QSKIP(qPrintable(why));
    QVERIFY(lab_.up(2));
    QFile f(dir_.filePath("pilothouse-agent"));
    QVERIFY(f.open(QIODevice::WriteOnly));
    f.write("#!/bin/sh\necho \"$@\" >> /run/agent.calls\ncase $1 in run) exec sleep 1000000;; bridge) exec cat;; esac\nexit 0\n");
    f.close();
    QCOMPARE(startEngine(dir_.filePath("data"), false, false), std::string());
    startFleet();
  }
  void cleanupTestCase() {
    fleet_.reset();
    stopEngine();
  }

  void newMachineWaitsForTrustAndJoinsAfterIt() {
    QVERIFY(createMachine("one", address(1).toStdString(), "", j(",'labels':{'room':'201'},'taints':[{'key':'gpu','effect':'NoSchedule'}]")));
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

    QVERIFY(createReadyNode("one"));
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
    QVERIFY(createMachine("wrongkey", address(2).toStdString(), other));
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
    QVERIFY(createMachine("absent", net + ".77", lab_.hostKey(2).toStdString()));
    QVERIFY(createMachine("deaf", address(2).toStdString(), lab_.hostKey(2).toStdString(), j(",'port':2")));
    QVERIFY(createMachine("stranger", address(2).toStdString(), lab_.hostKey(2).toStdString(), j(",'user':'nobody'")));
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
    QVERIFY(createMachine("two", address(2).toStdString(), lab_.hostKey(2).toStdString()));
    QTRY_COMPARE_WITH_TIMEOUT(connected("two"), std::string("True"), 10000);
    QVERIFY(createReadyNode("two"));
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
