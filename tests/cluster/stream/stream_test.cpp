// What streams between a user and a container: exec, attach, cp, port-forward, logs and proxies, with the real kubectl through the
// engine and the SSH connection to a real containerd on an emulated machine.
#include <QCryptographicHash>
#include <QElapsedTimer>
#include <QProcess>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>

#include "tests/cluster/fleet/cluster.h"

using namespace ph;
using fleettest::j;

class StreamTest : public QObject, fleettest::Cluster {
  Q_OBJECT
  QTemporaryDir dir_;

  // A terminal around kubectl, since -t asks for one.
  Outcome inTerminal(const QString& command, const QByteArray& input, int timeoutMs = 60000) {
    QProcess p;
    p.start("script", {"-qec", "kubectl --kubeconfig " + QString::fromStdString(engine_->kubeconfig()) + " " + command, "/dev/null"});
    p.write(input);
    bool ended = p.waitForFinished(timeoutMs);
    if (!ended) {
      p.kill();
      p.waitForFinished();
    }
    return {ended ? p.exitCode() : -1, p.readAllStandardOutput(), p.readAllStandardError()};
  }
  int count(const QString& name) { return lab_.inside(1, "pgrep -fc '" + name + "'").out.trimmed().toInt(); }
  std::string podPhase(const std::string& name) {
    auto pod = get(info("", "pods"), name, "default");
    return pod ? pod->as<api::core::Pod>().status.phase : "";
  }
  bool createPod(const std::string& name, const std::string& containers, const std::string& more = "") {
    return write(client::Verb::Create, info("", "pods"), name,
                 j("{'apiVersion':'v1','kind':'Pod','metadata':{'name':'") + name + j("','namespace':'default','labels':{'app':'") + name +
                     j("'}},'spec':{'terminationGracePeriodSeconds':1,'containers':[") + containers + "]" + more + "}}", "", "default").ok();
  }
  // One HTTP request to a local port; the whole answer.
  static QByteArray fetch(quint16 port, const QByteArray& path) {
    QTcpSocket s;
    s.connectToHost("127.0.0.1", port);
    if (!s.waitForConnected(5000)) return {};
    s.write("GET " + path + " HTTP/1.0\r\nHost: x\r\n\r\n");
    QByteArray all;
    while (s.state() == QAbstractSocket::ConnectedState || s.bytesAvailable())
      if (s.waitForReadyRead(10000)) all += s.readAll();
      else break;
    return all;
  }
  // Begins a port-forward; answers the local port, 0 when it says none.
  quint16 forward(QProcess& p, const QString& what) {
    p.start("kubectl", full({"port-forward", what, ":8080"}));
    QByteArray said;
    QElapsedTimer t;
    t.start();
    while (t.elapsed() < 20000 && p.state() != QProcess::NotRunning) {
      p.waitForReadyRead(500);
      said += p.readAllStandardOutput();
      auto at = said.indexOf("127.0.0.1:");
      if (at >= 0 && said.indexOf(" ->", at) > 0) return said.mid(at + 10, said.indexOf(" ->", at) - at - 10).toUShort();
    }
    qWarning("no port: %s %s", said.constData(), p.readAllStandardError().constData());
    return 0;
  }

 public:
  StreamTest() : Cluster("stream") {}

 private slots:
  void initTestCase() {
    if (auto why = Lab::impossible(); !why.isEmpty()) QSKIP(qPrintable(why));
    QVERIFY(lab_.up(1));
    const QString archive = dir_.filePath("web-1.tar");
    QCOMPARE(QProcess::execute(QString(PH_SOURCE_DIR) + "/tests/support/images/make-image", {"1", archive}), 0);
    QCOMPARE(startEngine(dir_.filePath("data"), true, true, PH_BIN_DIR), std::string());
    auto added = runtime::addImage(dir_.filePath("data").toStdString(), archive.toStdString(), "");
    QVERIFY2(added.ok(), added.ok() ? "" : added.status().message.c_str());
    QVERIFY(createMachine("m1", address(1).toStdString(), lab_.hostKey(1).toStdString()));
    QTRY_COMPARE_WITH_TIMEOUT(phase("m1"), std::string("Ready"), 40000);
    QVERIFY(createPod("web", j("{'name':'web','image':'web:1','ports':[{'containerPort':8080}],'readinessProbe':{'httpGet':{'path':'/version','port':8080},'periodSeconds':1}}")));
    QVERIFY(createPod("two", j("{'name':'a','image':'web:1','command':['sh','-c','i=0; while true; do i=$((i+1)); echo a $i; sleep 0.2; done']},"
                               "{'name':'b','image':'web:1','command':['sh','-c','echo b; sleep 3600']}")));
    QVERIFY(createPod("echo", j("{'name':'echo','image':'web:1','stdin':true,'command':['cat']}")));
    for (auto name : {"web", "two", "echo"}) QTRY_COMPARE_WITH_TIMEOUT(podPhase(name), std::string("Running"), 60000);
  }
  void cleanupTestCase() { stopEngine(); }

  void execAnswersBothOutputsAndTheExitCode() {
    auto o = kubectl({"exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7"});
    QCOMPARE(o.exit, 7);
    QCOMPARE(o.out, QByteArray("out\n"));
    QVERIFY2(o.err.startsWith("err\n") && o.err.contains("exit code 7"), o.err.constData());
    QCOMPARE(kubectl({"exec", "web", "--", "true"}).exit, 0);
    auto missing = kubectl({"exec", "web", "--", "no-such-program"});
    QVERIFY(missing.exit != 0 && missing.err.contains("no-such-program"));
  }

  void execsStdinEndsWhereTheUsersDoes() {
    QByteArray much(3 << 20, 'x');
    for (int i = 0; i < much.size(); i += 61) much[i] = char('a' + i % 23);
    auto o = kubectl({"exec", "-i", "web", "--", "sha256sum"}, much);
    QCOMPARE(o.exit, 0);
    QCOMPARE(o.out.left(64), QCryptographicHash::hash(much, QCryptographicHash::Sha256).toHex());
    QCOMPARE(kubectl({"exec", "-i", "web", "--", "cat"}, much).out, much);
  }

  void execInATerminal() {
    auto o = inTerminal("exec -it web -- sh -c 'tty; stty size; exit 3'", {});
    QVERIFY2(o.out.contains("/dev/pts/"), o.out.constData());
    QCOMPARE(o.exit, 3);
    // The size of ours.
    QProcess p;
    p.start("script", {"-qec", "stty rows 33 cols 77; kubectl --kubeconfig " + QString::fromStdString(engine_->kubeconfig()) + " exec -it web -- sh -c 'sleep 1; stty size'", "/dev/null"});
    QVERIFY(p.waitForFinished(30000));
    auto said = p.readAllStandardOutput();
    QVERIFY2(said.contains("33 77"), said.constData());
  }

  void errorsAreSaidInWords() {
    auto none = kubectl({"exec", "nobody", "--", "true"});
    QVERIFY(none.exit != 0 && none.err.contains("\"nobody\" not found"));
    auto wrong = kubectl({"exec", "web", "-c", "nobody", "--", "true"});
    QVERIFY2(wrong.exit != 0 && wrong.err.contains("nobody"), wrong.err.constData());
    // As kubectl before 1.30 asks.
    auto old = QProcess();
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false");
    old.setProcessEnvironment(environment);
    old.start("kubectl", full({"exec", "web", "--", "true"}));
    QVERIFY(old.waitForFinished(20000));
    auto said = old.readAllStandardError();
    QVERIFY2(old.exitCode() != 0 && said.contains("WebSocket"), said.constData());
  }

  void attachSeesWhatIsWritten() {
    auto p = begin({"attach", "-i", "echo"});
    QVERIFY(p->waitForStarted());
    p->write("hello there\n");
    QByteArray got;
    QElapsedTimer t;
    t.start();
    while (!got.contains("hello there\n") && t.elapsed() < 20000) {
      p->waitForReadyRead(200);
      got += p->readAllStandardOutput();
    }
    QVERIFY2(got.contains("hello there\n"), p->readAllStandardError().constData());
    p->kill();
    p->waitForFinished();
    QCOMPARE(podPhase("echo"), std::string("Running"));
  }

  void runItRm() {
    auto o = kubectl({"run", "once", "-i", "--rm", "--restart=Never", "--image=web:1", "--command", "--", "sh", "-c", "read line; echo got $line"}, "a line\n");
    QVERIFY2(o.out.contains("got a line"), (o.out + o.err).constData());
    QTRY_VERIFY_WITH_TIMEOUT(!get(info("", "pods"), "once", "default"), 20000);
  }

  void filesBothWays() {
    QByteArray bytes(50 << 20, 0);
    quint32 state = 1;
    for (int i = 0; i + 4 <= bytes.size(); i += 4) {
      state = state * 1664525 + 1013904223;
      memcpy(bytes.data() + i, &state, 4);
    }
    QFile file(dir_.filePath("big"));
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size());
    file.close();
    QElapsedTimer t;
    t.start();
    QCOMPARE(kubectl({"cp", file.fileName(), "web:/tmp/big"}, {}, 120000).exit, 0);
    qInfo("50 MB in: %lld ms", static_cast<long long>(t.restart()));
    auto sum = kubectl({"exec", "web", "--", "sha256sum", "/tmp/big"}).out.left(64);
    QCOMPARE(sum, QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex());
    t.restart();
    QCOMPARE(kubectl({"cp", "web:/tmp/big", dir_.filePath("back")}, {}, 120000).exit, 0);
    qInfo("50 MB out: %lld ms", static_cast<long long>(t.restart()));
    QFile back(dir_.filePath("back"));
    QVERIFY(back.open(QIODevice::ReadOnly));
    QVERIFY(back.readAll() == bytes);
    kubectl({"exec", "web", "--", "sh", "-c", "rm -f /tmp/big || busybox rm /tmp/big"});
  }

  void portForward() {
    QProcess p;
    auto port = forward(p, "pod/web");
    QVERIFY(port);
    QVERIFY(fetch(port, "/version").contains("\r\n\r\n1\n"));
    std::vector<std::unique_ptr<QTcpSocket>> all;
    for (int i = 0; i < 20; ++i) {
      all.push_back(std::make_unique<QTcpSocket>());
      all.back()->connectToHost("127.0.0.1", port);
    }
    for (auto& s : all) QVERIFY(s->waitForConnected(10000));
    for (auto& s : all) s->write("GET /version HTTP/1.0\r\n\r\n");
    for (auto& s : all) {
      QByteArray answer;
      while (s->waitForReadyRead(10000)) answer += s->readAll();
      answer += s->readAll();
      QVERIFY2(answer.endsWith("\r\n\r\n1\n"), answer.constData());
    }
    // Still good after.
    QVERIFY(fetch(port, "/version").contains("\r\n\r\n1\n"));
    p.kill();
    p.waitForFinished();
  }

  void portForwardToAPortThatNobodyListensOn() {
    QProcess p;
    p.start("kubectl", full({"port-forward", "pod/web", ":9"}));
    QByteArray said;
    while (!said.contains(" ->") && p.waitForReadyRead(20000)) said += p.readAllStandardOutput();
    auto at = said.indexOf("127.0.0.1:");
    QVERIFY(at >= 0);
    auto port = said.mid(at + 10, said.indexOf(" ->", at) - at - 10).toUShort();
    QCOMPARE(fetch(port, "/"), QByteArray());
    QByteArray why;
    QElapsedTimer t;
    t.start();
    while (!why.contains("refused") && t.elapsed() < 10000) {
      p.waitForReadyRead(200);
      why += p.readAllStandardError();
    }
    QVERIFY2(why.contains("refused"), why.constData());
    p.kill();
    p.waitForFinished();
  }

  void logs() {
    QVERIFY(kubectl({"logs", "web"}).out.contains("web 1: web serves on port 8080"));
    auto all = kubectl({"logs", "two", "--all-containers", "--tail=3", "--prefix"});
    QVERIFY2(all.out.contains("[pod/two/a] a ") && all.out.contains("[pod/two/b] b"), all.out.constData());
    QVERIFY(kubectl({"logs", "-l", "app=web", "--tail=-1"}).out.contains("serves on port"));
    auto p = begin({"logs", "-f", "two", "-c", "a", "--tail=1"});
    QByteArray got;
    QElapsedTimer t;
    t.start();
    while (got.count('\n') < 6 && t.elapsed() < 20000) {
      p->waitForReadyRead(200);
      got += p->readAllStandardOutput();
    }
    QVERIFY2(got.count('\n') >= 6, got.constData());
    p->kill();
    p->waitForFinished();
    QVERIFY(createPod("fails", j("{'name':'fails','image':'web:1','command':['sh','-c','echo said before; exit 1']}")));
    QTRY_VERIFY_WITH_TIMEOUT(kubectl({"logs", "--previous", "fails"}).out.contains("said before"), 30000);
  }

  void proxies() {
    QVERIFY(kubectl({"get", "--raw", "/api/v1/namespaces/default/pods/web:8080/proxy/version"}).out == "1\n");
    QVERIFY(kubectl({"get", "--raw", "/api/v1/namespaces/default/pods/web/proxy/version"}).out == "1\n");
    QCOMPARE(kubectl({"expose", "pod", "web", "--port=80", "--target-port=8080"}).exit, 0);
    QTRY_VERIFY_WITH_TIMEOUT(kubectl({"get", "--raw", "/api/v1/namespaces/default/services/http:web:80/proxy/version"}).out == "1\n", 15000);
    QVERIFY(kubectl({"get", "--raw", "/api/v1/nodes/m1/proxy/healthz"}).out == "ok");
    auto none = kubectl({"get", "--raw", "/api/v1/namespaces/default/pods/web:9/proxy/"});
    QVERIFY(none.exit != 0);
    auto inside = kubectl({"get", "--raw", "/api/v1/nodes/m1/proxy/proxy/http/127.0.0.1:22/"});
    QVERIFY(inside.exit != 0);
  }

  void aClientThatVanishesLeavesNothing() {
    auto p = begin({"exec", "-i", "web", "--", "sh", "-c", "exec cat; : vanishing"});
    p->write("x\n");
    QByteArray got;
    while (got.isEmpty() && p->waitForReadyRead(20000)) got = p->readAllStandardOutput();
    QCOMPARE(got, QByteArray("x\n"));
    QVERIFY(count("^cat$") >= 2);  // and that of the pod "echo"
    ::kill(pid_t(p->processId()), SIGKILL);
    p->waitForFinished();
    // Its stdin ended, so it did too.
    QTRY_COMPARE_WITH_TIMEOUT(count("^cat$"), 1, 15000);
    QCOMPARE(kubectl({"exec", "web", "--", "true"}).exit, 0);
  }

  // A reader that takes nothing holds the process back, not the memory of engine or agent.
  void aSlowReaderIsWaitedFor() {
    auto p = begin({"exec", "web", "--", "sh", "-c", "dd if=/dev/zero bs=1M count=200 2>/dev/null; echo; echo end"});
    p->setReadChannel(QProcess::StandardOutput);
    QVERIFY(p->waitForReadyRead(20000));
    ::kill(pid_t(p->processId()), SIGSTOP);
    QTest::qWait(3000);
    auto rss = lab_.inside(1, "awk '/VmRSS/{print $2}' /proc/$(pgrep -xo pilothouse-agen)/status").out.trimmed().toInt();
    qInfo("the agent with a stopped reader: %d KB", rss);
    QVERIFY(rss > 0 && rss < 60000);
    ::kill(pid_t(p->processId()), SIGCONT);
    qint64 size = 0;
    QByteArray last;
    while (p->state() != QProcess::NotRunning || p->bytesAvailable()) {
      if (!p->bytesAvailable() && !p->waitForReadyRead(20000)) break;
      last = p->readAllStandardOutput();
      size += last.size();
    }
    p->waitForFinished();
    QCOMPARE(size, qint64(200) * 1024 * 1024 + 5);
  }

  void topShowsUse() {
    QTRY_VERIFY_WITH_TIMEOUT(kubectl({"top", "node", "m1"}).out.contains("m1"), 40000);
    QTRY_VERIFY_WITH_TIMEOUT(kubectl({"top", "pod", "web", "--containers"}).out.contains("web"), 40000);
    auto raw = kubectl({"get", "--raw", "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods?labelSelector=app%3Dweb"}).out;
    QVERIFY2(raw.contains("\"PodMetricsList\"") && raw.contains("\"web\"") && !raw.contains("\"echo\""), raw.constData());
  }

  void anEndedContainerEndsItsStreams() {
    auto p = begin({"exec", "two", "-c", "b", "--", "sleep", "1000"});
    QTest::qWait(1500);
    QCOMPARE(kubectl({"delete", "pod", "two", "--grace-period=1"}).exit, 0);
    QVERIFY(p->waitForFinished(20000));
    QVERIFY(p->exitCode() != 0);
  }
};

QTEST_GUILESS_MAIN(StreamTest)
#include "stream_test.moc"
