// The whole way with the real agent: machines join over SSH, pods run on them, a machine is lost and comes back, and removal
// leaves a machine as it was.
#include <QElapsedTimer>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include "tests/cluster/fleet/cluster.h"

using namespace ph;
using fleettest::j;

class JoinTest : public QObject, fleettest::Cluster {
  Q_OBJECT
  QTemporaryDir dir_;
  QString before_[4];

  // All of a machine that removal must bring back; without logs, the package manager's books, and what others keep in /tmp.
  QString imprint(int machine) {
    return lab_.inside(machine,
                       "find / -xdev \\( -path /var/log/sshd.log -o -path /var/log/apt -o -path /var/log/dpkg.log -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/systemd \\) -prune -o -print | sort; "
                       "find /run /dev/shm /tmp /usr/local -print | sort; awk '{print $2}' /proc/mounts | sort; ls /sys/class/net; nft list ruleset; ip route; "
                       "find /sys/fs/cgroup -type d | sort; cat /proc/sys/net/ipv4/ip_forward; "
                       "for p in /proc/[0-9]*; do readlink $p/exe; done | grep -E 'pilothouse|containerd|runc|sleep|opt/.init' | sort").out;
  }
  // Ready pods of the application by node; those on their way out don't count.
  QMap<QString, int> readyByNode() {
    QMap<QString, int> out;
    client::ListOptions options;
    options.ns = "default";
    options.labelSelector = "app=web";
    auto r = fleettest::wait<Result<client::ListResult>>([&](auto done) { client_->list(*info("", "pods"), options, done); });
    if (!r.ok()) return out;
    for (auto& o : r.value().items) {
      auto& pod = o->as<api::core::Pod>();
      for (auto& c : pod.status.conditions)
        if (c.type == "Ready" && c.status == "True" && !o->meta().deleting) ++out[QString::fromStdString(pod.spec.nodeName)];
    }
    return out;
  }
  int ready() {
    int n = 0;
    for (int k : readyByNode()) n += k;
    return n;
  }
  std::string name(int i) { return "m" + std::to_string(i); }

 public:
  JoinTest() : Cluster("join") {}

 private slots:
  void initTestCase() {
    if (auto why = Lab::impossible(); !why.isEmpty()) QSKIP(qPrintable(why));
    QVERIFY(lab_.up(2));
    QVERIFY(lab_.startBare(3));
    for (int i : {1, 2, 3}) before_[i] = imprint(i);
    const QString archive = dir_.filePath("web-1.tar");
    QCOMPARE(QProcess::execute(QString(PH_SOURCE_DIR) + "/tests/support/images/make-image", {"1", archive}), 0);
    QCOMPARE(startEngine(dir_.filePath("data"), true, true, PH_BIN_DIR), std::string());
    auto added = runtime::addImage(dir_.filePath("data").toStdString(), archive.toStdString(), "");
    QVERIFY2(added.ok(), added.ok() ? "" : added.status().message.c_str());
  }
  void cleanupTestCase() { stopEngine(); }

  void machinesJoin() {
    for (int i : {1, 2}) QVERIFY(createMachine(name(i), address(i).toStdString(), lab_.hostKey(i).toStdString()));
    for (int i : {1, 2}) QTRY_COMPARE_WITH_TIMEOUT(phase(name(i)), std::string("Ready"), 30000);
    for (int i : {1, 2}) {
      auto s = status(name(i));
      qInfo("%s joined in %.2f s", name(i).c_str(), s.joinSeconds);
      QVERIFY(s.joinSeconds < 10);
    }
    QVERIFY(createMachine("m3", address(3).toStdString(), lab_.hostKey(3).toStdString()));
    QTRY_COMPARE_WITH_TIMEOUT(phase("m3"), std::string("Ready"), 60000);
    qInfo("m3, which had no containerd, joined in %.2f s", status("m3").joinSeconds);
    QVERIFY(lab_.inside(3, "grep -qx package=containerd /var/lib/pilothouse/receipt").ok());
  }

  void podsRunOnThem() {
    QElapsedTimer t;
    t.start();
    auto r = write(client::Verb::Create, info("apps", "deployments"), "web",
                   j("{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'web','namespace':'default'},'spec':{'replicas':6,"
                     "'selector':{'matchLabels':{'app':'web'}},'template':{'metadata':{'labels':{'app':'web'}},'spec':{'terminationGracePeriodSeconds':3,"
                     "'containers':[{'name':'web','image':'web:1','imagePullPolicy':'IfNotPresent','ports':[{'containerPort':8080}],"
                     "'readinessProbe':{'httpGet':{'path':'/version','port':8080},'periodSeconds':1}}]}}}}"),
                   "", "default");
    QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
    QTRY_COMPARE_WITH_TIMEOUT(ready(), 6, 60000);
    qInfo("6 pods ready after %lld ms", static_cast<long long>(t.elapsed()));
    QCOMPARE(readyByNode().size(), 3);
  }

  void podsFindTheirTokens() {
    for (int i : {1, 2, 3}) {
      auto seen = lab_.inside(i, "cd /proc/$(pgrep -ox httpd)/root/var/run/secrets/kubernetes.io/serviceaccount && cat namespace && echo && cat token && echo && head -1 ca.crt").out.split('\n');
      QVERIFY2(seen.size() >= 3, qPrintable(seen.join('\n')));
      QCOMPARE(seen[0], QString("default"));
      QCOMPARE(seen[1].count('.'), 2);
      QCOMPARE(seen[2], QString("-----BEGIN CERTIFICATE-----"));
    }
  }

  // Engine to agent, over the same SSH connection.
  void logsComeBackOverTheConnection() {
    client::ListOptions options;
    options.ns = "default";
    auto pods = fleettest::wait<Result<client::ListResult>>([&](auto done) { client_->list(*info("", "pods"), options, done); });
    QVERIFY(pods.ok() && !pods.value().items.empty());
    for (auto& pod : pods.value().items) {
      std::shared_ptr<void> handle;
      auto log = fleettest::wait<Result<std::string>>(
          [&](auto done) { handle = client_->raw("GET", "/api/v1/namespaces/default/pods/" + pod->name() + "/log", "", "", nullptr, done); });
      QVERIFY2(log.ok(), log.ok() ? "" : log.status().message.c_str());
      QVERIFY2(log.value().find("web 1: " + pod->name() + " serves on port 8080") != std::string::npos, log.value().c_str());
    }
  }

  void lostMachinesPodsRunElsewhereAndItComesBack() {
    QElapsedTimer t;
    t.start();
    QVERIFY(lab_.cut(2));
    QTRY_COMPARE_WITH_TIMEOUT(connected("m2"), std::string("False"), 10000);
    qInfo("the connection counts as lost after %lld ms", static_cast<long long>(t.elapsed()));
    QTRY_VERIFY_WITH_TIMEOUT(ready() - readyByNode().value("m2") == 6, 40000);
    qInfo("its pods run elsewhere after %lld ms", static_cast<long long>(t.elapsed()));
    QVERIFY(t.elapsed() < 20000);
    QVERIFY(lab_.join(2));
    QTRY_COMPARE_WITH_TIMEOUT(phase("m2"), std::string("Ready"), 30000);
    // What it ran all the while is ended, since it runs elsewhere now.
    QTRY_COMPARE_WITH_TIMEOUT(lab_.inside(2, "pgrep -cx httpd").out.trimmed(), QString::number(readyByNode().value("m2")), 30000);
  }

  void machineComesBackAfterPowerOffWithItsDisk() {
    QVERIFY(lab_.kill(2));
    QTRY_COMPARE_WITH_TIMEOUT(connected("m2"), std::string("False"), 10000);
    QVERIFY(lab_.start(2));
    QTRY_COMPARE_WITH_TIMEOUT(phase("m2"), std::string("Ready"), 40000);
    QTRY_COMPARE_WITH_TIMEOUT(ready(), 6, 40000);
  }

  void removalLeavesNothing() {
    for (int i : {1, 2, 3}) {
      if (i == 3) QVERIFY(write(client::Verb::Patch, machines(), "m3", j("{'metadata':{'annotations':{'fleet.pilothouse.io/remove-packages':'true'}}}")).ok());
      QElapsedTimer t;
      t.start();
      QVERIFY(write(client::Verb::Delete, machines(), name(i), "").ok());
      QTRY_VERIFY_WITH_TIMEOUT(!get(machines(), name(i)), 90000);
      qInfo("%s removed in %lld ms", name(i).c_str(), static_cast<long long>(t.elapsed()));
      QVERIFY(!get(info("", "nodes"), name(i)));
      QVERIFY(!get(info("coordination.k8s.io", "leases"), name(i), "kube-node-lease"));
      QString after;
      for (int tries = 0; tries < 20; ++tries) {  // the removal's own connection is still closing
        after = imprint(i);
        if (after == before_[i]) break;
        QTest::qWait(200);
      }
      const QStringList was = before_[i].split('\n'), is = after.split('\n');
      for (auto& line : was)
        if (!is.contains(line)) qWarning("gone: %s", qPrintable(line));
      for (auto& line : is)
        if (!was.contains(line)) qWarning("left: %s", qPrintable(line));
      QVERIFY(after == before_[i]);
    }
  }
};

QTEST_GUILESS_MAIN(JoinTest)
#include "join_test.moc"
