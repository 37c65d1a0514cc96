// Sessions, set-up and removal against real SSH servers in emulated machines. The agent here is a stand-in script: what is
// tested is the way there and back. join_test.cpp has the whole with the real agent.
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <atomic>
#include <mutex>
#include <fcntl.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "engine/fleet/join.h"
#include "engine/fleet/problem.h"
#include "engine/fleet/scripts.h"
#include "engine/fleet/ssh_poller.h"
#include "tests/support/lab/lab.h"

using namespace ph;
using namespace ph::fleet;
using namespace std::chrono_literals;

namespace {

int openDescriptors() { return static_cast<int>(QDir("/proc/self/fd").entryList(QDir::NoDotAndDotDot | QDir::AllEntries | QDir::System).size()); }

std::string readSome(int fd, size_t wanted, int timeoutMs = 10000) {
  timeval t{timeoutMs / 1000, (timeoutMs % 1000) * 1000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
  std::string out;
  char buffer[65536];
  while (out.size() < wanted) {
    ssize_t n = ::recv(fd, buffer, std::min(sizeof buffer, wanted - out.size()), 0);
    if (n <= 0) break;
    out.append(buffer, static_cast<size_t>(n));
  }
  return out;
}

void blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK); }

}  // namespace

class SshTest : public QObject {
  Q_OBJECT
  Lab lab_{"ssh", "sudo"};
  QTemporaryDir dir_;

  Access access(int machine) {
    Access a;
    a.endpoint = {lab_.address(machine).toStdString(), "root", 22};
    a.hostKey = lab_.hostKey(machine).toStdString();
    a.identityFile = lab_.key().toStdString();
    a.connectTimeout = 5s;
    return a;
  }
  static void ignore(const JoinProgress&) {}
  std::unique_ptr<SshSession> in(int machine) {
    auto s = enter(access(machine), nullptr, std::make_shared<Cancel>(), ignore);
    if (!s.ok()) qWarning("%s", s.status().message.c_str());
    return s.ok() ? std::move(s).value() : nullptr;
  }
  // An agent that only waits, and tells of its clean-up.
  void standIn() {
    QFile f(dir_.filePath("pilothouse-agent"));
    QVERIFY(f.open(QIODevice::WriteOnly));
    f.write("#!/bin/sh\necho \"$@\" >> /run/agent.calls\n[ \"$1\" = run ] && exec sleep 1000000\nexit 0\n# " + QByteArray(3 << 20, 'x') + "\n");
  }
  JoinPlan plan(int machine) {
    JoinPlan p;
    p.access = access(machine);
    p.node = "m" + std::to_string(machine);
    p.neighbours.self = p.node;
    p.agentDir = dir_.path().toStdString();
    p.agentArguments = {"run", "--node-name", p.node, "--labels", "it's=odd"};
    return p;
  }
  // Everything on the machine that removal must bring back: files, mounts, processes, links, nftables; without logs and the
  // package manager's own books.
  QString imprint(int machine) {
    return lab_.inside(machine,
                       "find / -xdev \\( -path /var/log -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /root/.cache \\) -prune -o -print | sort; "
                       "find /run /usr/local /usr/bin /usr/sbin /usr/lib/cni /etc -print 2>/dev/null | sort; ls /var/log | grep -i pilot; "
                       "awk '{print $2}' /proc/mounts | sort; ls /sys/class/net; nft list ruleset 2>/dev/null; "
                       "for p in /proc/[0-9]*; do readlink $p/exe; done | grep -v -e nsenter -e find -e /sh -e dash -e busybox -e coreutils -e sshd -e readlink -e grep -e sort | sort").out;
  }

 private slots:
  void initTestCase() {
    if (auto why = Lab::impossible(); !why.isEmpty()) QSKIP(qPrintable(why));
    QVERIFY(lab_.up(2));
    standIn();
  }

  void unknownHostKeyIsShownAndNotTrusted() {
    auto a = access(1);
    a.hostKey.clear();
    JoinProgress seen;
    auto s = enter(a, nullptr, std::make_shared<Cancel>(), [&](const JoinProgress& p) { seen = p; });
    QVERIFY(!s.ok());
    QCOMPARE(s.status().reason, std::string(kHostKeyUnknown));
    QCOMPARE(QString::fromStdString(seen.hostKey.fingerprint), lab_.hostKey(1));
    QCOMPARE(seen.hostKey.type, std::string("ssh-ed25519"));
  }

  void changedHostKeyIsRefusedWithBothFingerprints() {
    auto a = access(1);
    a.hostKey = lab_.hostKey(2).toStdString();
    auto s = enter(a, nullptr, std::make_shared<Cancel>(), ignore);
    QVERIFY(!s.ok());
    QCOMPARE(s.status().reason, std::string(kHostKeyChanged));
    QVERIFY(s.status().message.find(lab_.hostKey(1).toStdString()) != std::string::npos);
    QVERIFY(s.status().message.find(lab_.hostKey(2).toStdString()) != std::string::npos);
    QVERIFY(!fixOf(s.status()).empty());
    // Nothing was tried beyond the key: no login stands in the server's log after this point.
  }

  void anotherOfTheServersKeysMayBeTheTrustedOne() {
    QVERIFY(lab_.inside(2, "ssh-keygen -q -t rsa -b 2048 -N '' -f /etc/ssh/ssh_host_rsa_key && kill -HUP $(cat /run/sshd.pid 2>/dev/null || pgrep -o sshd)").ok());
    auto a = access(2);
    a.hostKey = lab_.inside(2, "ssh-keygen -lf /etc/ssh/ssh_host_rsa_key.pub").out.section(' ', 1, 1).toStdString();
    QTRY_VERIFY(enter(a, nullptr, std::make_shared<Cancel>(), ignore).ok());
  }

  void troublesOnTheWayAreToldApart_data() {
    QTest::addColumn<QString>("what");
    QTest::addColumn<QString>("reason");
    QTest::newRow("nobody has this address") << "absent" << QString::fromUtf8(kUnreachable.data());
    QTest::newRow("nothing listens") << "port" << QString::fromUtf8(kRefused.data());
    QTest::newRow("no such name") << "name" << QString::fromUtf8(kUnresolved.data());
    QTest::newRow("a key that is not let in") << "key" << QString::fromUtf8(kAuth.data());
    QTest::newRow("a key file that is not there") << "nokey" << QString::fromUtf8(kKey.data());
    QTest::newRow("a public key for a private one") << "pub" << QString::fromUtf8(kKey.data());
    QTest::newRow("a key with a passphrase") << "locked" << QString::fromUtf8(kKey.data());
    QTest::newRow("no such credential") << "store" << QString::fromUtf8(kKey.data());
    QTest::newRow("no such user") << "user" << QString::fromUtf8(kAuth.data());
  }
  void troublesOnTheWayAreToldApart() {
    QFETCH(QString, what);
    QFETCH(QString, reason);
    auto a = access(1);
    auto keygen = [&](const QString& name, const QString& phrase) {
      QProcess::execute("ssh-keygen", {"-q", "-t", "ed25519", "-N", phrase, "-f", dir_.filePath(name)});
      return dir_.filePath(name).toStdString();
    };
    if (what == "absent") { a.endpoint.address = a.endpoint.address.substr(0, a.endpoint.address.rfind('.')) + ".77"; a.connectTimeout = 4s; }
    if (what == "port") a.endpoint.port = 2;
    if (what == "name") a.endpoint.address = "no-such-machine.invalid";
    if (what == "key") a.identityFile = keygen("stranger", "");
    if (what == "nokey") a.identityFile = "/nonexistent/id";
    if (what == "pub") a.identityFile += ".pub";
    if (what == "locked") a.identityFile = keygen("locked", "secret");
    if (what == "store") { a.identityFile.clear(); a.credential = "none"; }
    if (what == "user") a.endpoint.user = "nobody-here";
    QElapsedTimer t;
    t.start();
    auto s = enter(a, nullptr, std::make_shared<Cancel>(), ignore);
    QVERIFY(!s.ok());
    const std::string wanted = reason.toStdString();
    // An address nobody answers for is "no route" or a time-out, as the network has it.
    if (what == "absent" && s.status().is(kTimeout)) return;
    QVERIFY2(s.status().reason == wanted, (s.status().reason + ": " + s.status().message).c_str());
    QVERIFY2(!fixOf(s.status()).empty(), s.status().message.c_str());
    QVERIFY(t.elapsed() < 8000);
  }

  void lockedKeyOpensWithItsPassphrase() {
    QTemporaryDir store;
    const QString key = store.filePath("lab");
    QCOMPARE(QProcess::execute("ssh-keygen", {"-q", "-t", "ed25519", "-N", "open sesame", "-f", key}), 0);
    QFile phrase(key + ".passphrase"), pub(key + ".pub");
    QVERIFY(phrase.open(QIODevice::WriteOnly) && phrase.write("open sesame\n") && phrase.setPermissions(QFile::ReadOwner | QFile::WriteOwner));
    phrase.close();
    QVERIFY(pub.open(QIODevice::ReadOnly));
    QVERIFY(lab_.inside(1, "echo '" + QString::fromUtf8(pub.readAll()).trimmed() + "' >> /root/.ssh/authorized_keys").ok());
    auto credentials = makeFileCredentialStore(store.path().toStdString());
    auto a = access(1);
    a.identityFile.clear();
    a.credential = "lab";
    auto s = enter(a, credentials.get(), std::make_shared<Cancel>(), ignore);
    QVERIFY2(s.ok(), s.ok() ? "" : s.status().message.c_str());
  }

  void cancelEndsAWaitingCommand() {
    auto cancel = std::make_shared<Cancel>();
    auto s = enter(access(1), nullptr, cancel, ignore);
    QVERIFY(s.ok());
    std::thread t([&] {
      ::usleep(200 * 1000);
      cancel->cancel();
    });
    QElapsedTimer e;
    e.start();
    auto r = s.value()->run("sleep 30", {});
    t.join();
    QVERIFY(!r.ok());
    QVERIFY(e.elapsed() < 5000);
  }

  void sessionsLeaveNoDescriptorBehind() {
    in(1);
    const int before = openDescriptors();
    for (int i = 0; i < 5; ++i) QVERIFY(in(1));
    QCOMPARE(openDescriptors(), before);
  }

  void bridgeCarriesMegabytesBothWays() {
    auto poller = SshPoller::make(1s, 4500ms);
    LinkSpec spec;
    spec.name = "h1";
    spec.connectCommand = "cat";
    spec.listenCommand = "sh -c 'printf hello; exec cat'";
    std::atomic<int> stream{-1};
    spec.onStream = [&](int fd) { stream = fd; };
    auto id = poller->add(in(1), spec);
    QTRY_VERIFY(stream != -1);
    blocking(stream);
    QCOMPARE(readSome(stream, 5), std::string("hello"));
    QCOMPARE(::send(stream, "again", 5, 0), ssize_t(5));
    QCOMPARE(readSome(stream, 5), std::string("again"));

    std::atomic<int> dialled{-1};
    poller->dial(id, [&](Result<int> r) { dialled = r.ok() ? r.value() : -2; });
    QTRY_VERIFY(dialled != -1);
    QVERIFY(dialled >= 0);
    blocking(dialled);
    const size_t size = 32 << 20;
    std::string sent(size, 0);
    for (size_t i = 0; i < size; ++i) sent[i] = static_cast<char>((i * 2654435761u) >> 13);
    QElapsedTimer t;
    t.start();
    std::thread writer([&] {
      for (size_t at = 0; at < size;) {
        ssize_t n = ::send(dialled, sent.data() + at, size - at, MSG_NOSIGNAL);
        if (n <= 0) break;
        at += static_cast<size_t>(n);
      }
    });
    std::string got = readSome(dialled, size, 30000);
    writer.join();
    QCOMPARE(got.size(), size);
    QVERIFY(got == sent);
    qInfo("32 MiB there and back in %lld ms", static_cast<long long>(t.elapsed()));
    ::close(dialled);
    ::close(stream);
  }

  // The reader takes nothing: what is under way stays bounded, and other streams go on.
  void oneSlowReaderDoesNotHoldUpTheOthers() {
    auto poller = SshPoller::make(1s, 4500ms);
    LinkSpec spec;
    spec.connectCommand = "sh -c 'read what; if [ $what = flood ]; then exec cat /dev/zero; else exec cat; fi'";
    spec.listenCommand = "cat";
    spec.onStream = [](int fd) { ::close(fd); };
    std::atomic<bool> lost{false};
    spec.onLost = [&](std::string) { lost = true; };
    auto id = poller->add(in(1), spec);
    auto dial = [&] {
      std::atomic<int> fd{-1};
      poller->dial(id, [&](Result<int> r) { fd = r.ok() ? r.value() : -2; });
      [&] { QTRY_VERIFY(fd != -1); }();
      blocking(fd);
      return fd.load();
    };
    int slow = dial(), quick = dial();
    QVERIFY(slow >= 0 && quick >= 0);
    QCOMPARE(::send(slow, "flood\n", 6, 0), ssize_t(6));
    QCOMPARE(::send(quick, "echo\n", 5, 0), ssize_t(5));
    for (int i = 0; i < 60; ++i) {  // longer than the silence that would end the link
      QCOMPARE(::send(quick, "ping", 4, 0), ssize_t(4));
      QCOMPARE(readSome(quick, 4), std::string("ping"));
      QTest::qWait(100);
    }
    QVERIFY(!lost);
    QCOMPARE(readSome(slow, 1 << 20).size(), size_t(1 << 20));
    ::close(slow);
    ::close(quick);
  }

  void bridgesEndWithTheirSocketAndTheListenerComesBack() {
    auto poller = SshPoller::make(1s, 4500ms);
    LinkSpec spec;
    spec.connectCommand = "cat";
    spec.listenCommand = "sh -c 'printf x; exec cat'";
    std::mutex mutex;
    std::vector<int> streams;
    auto count = [&] { std::lock_guard l(mutex); return streams.size(); };
    spec.onStream = [&](int fd) { std::lock_guard l(mutex); streams.push_back(fd); };
    auto id = poller->add(in(1), spec);
    for (size_t i = 1; i <= 3; ++i) {
      QTRY_COMPARE(count(), i);
      std::lock_guard l(mutex);
      ::close(streams.back());
    }
    // More streams than sshd gives sessions: the last is refused, and there is room again when one ends.
    std::vector<int> fds;
    std::atomic<int> answered{0}, refused{0};
    for (int i = 0; i < 9; ++i)
      poller->dial(id, [&](Result<int> r) {
        std::lock_guard l(mutex);
        if (r.ok()) fds.push_back(r.value());
        else ++refused;
        ++answered;
      });
    QTRY_COMPARE(answered.load(), 9);
    QCOMPARE(refused.load(), 2);
    for (int fd : fds) ::close(fd);
    int again = -1;
    for (int tries = 0; tries < 50 && again < 0; ++tries) {
      std::atomic<int> answer{-1};
      poller->dial(id, [&](Result<int> r) { answer = r.ok() ? r.value() : -2; });
      QTRY_VERIFY(answer != -1);
      again = answer;
      if (again < 0) QTest::qWait(50);
    }
    QVERIFY(again >= 0);
    ::close(again);
    // Only the listener's is left on the machine.
    QTRY_COMPARE(lab_.inside(1, "pgrep -cx cat").out.trimmed(), QString("1"));
  }

  void cutNetworkIsNoticedBySilence() {
    auto poller = SshPoller::make(1s, 4500ms);
    LinkSpec spec;
    spec.connectCommand = spec.listenCommand = "cat";
    spec.onStream = [](int fd) { ::close(fd); };
    std::atomic<bool> lost{false};
    std::string why;
    spec.onLost = [&](std::string reason) { why = reason; lost = true; };
    poller->add(in(2), spec);
    QTest::qWait(1500);
    QVERIFY(lab_.cut(2));
    QElapsedTimer t;
    t.start();
    QTRY_VERIFY_WITH_TIMEOUT(lost, 10000);
    qInfo("noticed after %lld ms: %s", static_cast<long long>(t.elapsed()), why.c_str());
    QVERIFY(t.elapsed() < 6500);
    QVERIFY(why.find("no answer") != std::string::npos);
    QVERIFY(lab_.join(2));
    QVERIFY(in(2));
  }

  void powerOffIsNoticedWithinSeconds() {
    auto poller = SshPoller::make(1s, 4500ms);
    LinkSpec spec;
    spec.connectCommand = spec.listenCommand = "cat";
    spec.onStream = [](int fd) { ::close(fd); };
    std::atomic<bool> lost{false};
    std::string why;
    spec.onLost = [&](std::string reason) { why = reason; lost = true; };
    auto id = poller->add(in(2), spec);
    QTest::qWait(6000);
    QVERIFY2(!lost, why.c_str());
    QVERIFY(lab_.kill(2));
    QElapsedTimer t;
    t.start();
    QTRY_VERIFY_WITH_TIMEOUT(lost, 10000);
    qInfo("noticed after %lld ms: %s", static_cast<long long>(t.elapsed()), why.c_str());
    QVERIFY(t.elapsed() < 6500);
    std::atomic<int> code{0};
    poller->dial(id, [&](Result<int> r) { code = r.ok() ? 200 : r.status().code; });
    QTRY_COMPARE(code.load(), 503);
    QVERIFY(lab_.start(2));
    QVERIFY(in(2));
  }

  void joinInstallsUploadsStartsAndRemovalLeavesNothing() {
    // A bare machine: containerd and the rest come from its own package manager.
    QVERIFY(lab_.startBare(3));
    QVERIFY(!lab_.inside(3, "command -v containerd || command -v nft || test -e /usr/lib/cni/bridge").ok());
    const QString before = imprint(3);
    std::vector<std::string> steps;
    std::vector<int> percents;
    QElapsedTimer t;
    t.start();
    auto joined = join(plan(3), nullptr, std::make_shared<Cancel>(), [&](const JoinProgress& p) {
      if (steps.empty() || steps.back() != p.step) steps.push_back(p.step);
      if (p.step == "Uploading agent") percents.push_back(p.percent);
    });
    QVERIFY2(joined.ok(), joined.ok() ? "" : joined.status().message.c_str());
    qInfo("bare machine: %lld ms", static_cast<long long>(t.elapsed()));
    QVERIFY(lab_.inside(3, "command -v containerd && command -v runc && command -v nft && test -x /usr/lib/cni/bridge").ok());
    QVERIFY(std::find_if(steps.begin(), steps.end(), [](auto& s) { return s.rfind("Installing containerd", 0) == 0; }) != steps.end());
    QVERIFY(percents.size() > 5 && percents.back() == 100);
    QTRY_COMPARE(lab_.inside(3, "cat /run/agent.calls").out.trimmed(), QString("run --node-name m3 --labels it's=odd"));
    QVERIFY(lab_.inside(3, "grep -qx node=m3 /var/lib/pilothouse/receipt && grep -qx package=containerd /var/lib/pilothouse/receipt").ok());

    // Again: nothing is installed, sent or started twice.
    t.restart();
    steps.clear();
    auto again = join(plan(3), nullptr, std::make_shared<Cancel>(), [&](const JoinProgress& p) { steps.push_back(p.step); });
    QVERIFY(again.ok());
    qInfo("joined again: %lld ms", static_cast<long long>(t.elapsed()));
    QVERIFY(std::find(steps.begin(), steps.end(), "Uploading agent") == steps.end());
    QCOMPARE(lab_.inside(3, "wc -l < /run/agent.calls").out.trimmed(), QString("1"));
    // It runs on without the connection, and is started again when it dies.
    joined.value().session.reset();
    again.value().session.reset();
    QVERIFY(lab_.inside(3, "kill -9 $(pgrep -fx 'sleep 1000000')").ok());
    QTRY_COMPARE_WITH_TIMEOUT(lab_.inside(3, "wc -l < /run/agent.calls").out.trimmed(), QString("2"), 8000);
    // Another Machine may not take it over.
    auto other = plan(3);
    other.node = other.neighbours.self = "thief";
    auto stolen = join(other, nullptr, std::make_shared<Cancel>(), ignore);
    QVERIFY(!stolen.ok());
    QVERIFY(stolen.status().message.find("already the node \"m3\"") != std::string::npos);

    auto removed = removeFrom(access(3), "m3", true, nullptr, std::make_shared<Cancel>(), ignore);
    QVERIFY2(removed.ok(), removed.ok() ? "" : removed.status().message.c_str());
    QVERIFY2(removed.value().left.empty(), removed.value().left.empty() ? "" : removed.value().left[0].c_str());
    QVERIFY(lab_.inside(3, "tail -1 /run/agent.calls").out.trimmed() == "cleanup");
    lab_.inside(3, "rm /run/agent.calls");
    const QString after = imprint(3);
    if (before != after) {
      QStringList a = before.split('\n'), b = after.split('\n');
      for (auto& line : a) if (!b.contains(line)) qWarning("gone: %s", qPrintable(line));
      for (auto& line : b) if (!a.contains(line)) qWarning("left: %s", qPrintable(line));
    }
    QCOMPARE(after.size(), before.size());
    QVERIFY(after == before);
  }

  void joinOfAReadyMachineIsQuick() {
    QElapsedTimer t;
    t.start();
    auto joined = join(plan(1), nullptr, std::make_shared<Cancel>(), ignore);
    QVERIFY2(joined.ok(), joined.ok() ? "" : joined.status().message.c_str());
    qInfo("machine with containerd: %lld ms until its agent runs", static_cast<long long>(t.elapsed()));
    QVERIFY(t.elapsed() < 2500);
    QVERIFY(removeFrom(access(1), "m1", false, nullptr, std::make_shared<Cancel>(), ignore).ok());
    QVERIFY(lab_.inside(1, "command -v containerd").ok());
  }

  // A user who may use sudo without a password joins as well as root; one who may not is told.
  void userWithSudo() {
    QFile pub(lab_.key() + ".pub");
    QVERIFY(pub.open(QIODevice::ReadOnly));
    const QString key = QString::fromUtf8(pub.readAll()).trimmed();
    QVERIFY(lab_.inside(1, "useradd -m -s /bin/sh -p '*' pilot; mkdir -p /home/pilot/.ssh; echo '" + key + "' > /home/pilot/.ssh/authorized_keys; "
                           "chown -R pilot /home/pilot; chmod 700 /home/pilot/.ssh; command -v sudo").ok());
    auto p = plan(1);
    p.access.endpoint.user = "pilot";
    auto refused = join(p, nullptr, std::make_shared<Cancel>(), ignore);
    QVERIFY(!refused.ok());
    QVERIFY2(refused.status().message.find("not root, and sudo asks for a password") != std::string::npos, refused.status().message.c_str());
    QVERIFY(lab_.inside(1, "mkdir -p /etc/sudoers.d; printf 'root ALL=(ALL:ALL) ALL\npilot ALL=(ALL) NOPASSWD:ALL\n' > /etc/sudoers; chmod 440 /etc/sudoers").ok());
    auto joined = join(p, nullptr, std::make_shared<Cancel>(), ignore);
    QVERIFY2(joined.ok(), joined.ok() ? "" : joined.status().message.c_str());
    QTRY_VERIFY(lab_.inside(1, "grep -q '^run --node-name m1' /run/agent.calls").ok());
    QCOMPARE(lab_.inside(1, "stat -c %U /usr/local/lib/pilothouse/pilothouse-agent").out.trimmed(), QString("root"));
    auto removed = removeFrom(p.access, "m1", false, nullptr, std::make_shared<Cancel>(), ignore);
    QVERIFY2(removed.ok() && removed.value().left.empty(), removed.ok() ? "" : removed.status().message.c_str());
    QVERIFY(!lab_.inside(1, "ls /usr/local/lib/pilothouse").ok());
  }

  // There is no systemd in a lab: a stand-in notes what it is asked to do, and the unit file is real.
  void systemdUnitWhereThereIsSystemd() {
    QVERIFY(lab_.inside(2, "mkdir -p /run/systemd/system /usr/local/bin; printf '#!/bin/sh\necho \"$@\" >> /run/systemctl.calls\n' > /usr/local/bin/systemctl; "
                           "chmod 755 /usr/local/bin/systemctl; : > /run/agent.calls").ok());
    auto p = plan(2);
    p.agentArguments = {"run", "--node-name", "m2"};
    QVERIFY(join(p, nullptr, std::make_shared<Cancel>(), ignore).ok());
    const QString unit = lab_.inside(2, "cat /etc/systemd/system/pilothouse-agent.service").out;
    QVERIFY2(unit.contains("\nExecStart=/usr/local/lib/pilothouse/pilothouse-agent 'run' '--node-name' 'm2'\n"), qPrintable(unit));
    QVERIFY(unit.contains("\nRestart=always\n") && unit.contains("\nKillMode=process\n") && unit.contains("\nDelegate=yes\n"));
    const QString first = lab_.inside(2, "cat /run/systemctl.calls").out;
    QCOMPARE(first, QString("daemon-reload\nenable -q pilothouse-agent\nrestart pilothouse-agent\n"));
    QVERIFY(!lab_.inside(2, "pgrep -f '[s]upervise'").ok());
    // Again: nothing changed, so nothing is restarted.
    QVERIFY(join(p, nullptr, std::make_shared<Cancel>(), ignore).ok());
    QCOMPARE(lab_.inside(2, "cat /run/systemctl.calls").out, first + "enable -q pilothouse-agent\nstart pilothouse-agent\n");
    auto removed = removeFrom(p.access, "m2", false, nullptr, std::make_shared<Cancel>(), ignore);
    QVERIFY2(removed.ok() && removed.value().left.empty(), removed.ok() ? "" : removed.status().message.c_str());
    QVERIFY(lab_.inside(2, "grep -qx 'disable -q --now pilothouse-agent' /run/systemctl.calls && ! test -e /etc/systemd/system/pilothouse-agent.service").ok());
    QVERIFY(lab_.inside(2, "rm -rf /run/systemd /usr/local/bin/systemctl /run/systemctl.calls").ok());
  }

  void fullDiskIsAClearError() {
    QVERIFY(lab_.inside(2, "mkdir -p /usr/local/lib/pilothouse && mount -t tmpfs -o size=1m tmpfs /usr/local/lib/pilothouse").ok());
    auto joined = join(plan(2), nullptr, std::make_shared<Cancel>(), ignore);
    QVERIFY(!joined.ok());
    QCOMPARE(joined.status().reason, std::string(kUpload));
    QVERIFY2(joined.status().message.find("No space left") != std::string::npos, joined.status().message.c_str());
    QVERIFY(lab_.inside(2, "ls /usr/local/lib/pilothouse | wc -l").out.trimmed() == "0");
    QVERIFY(lab_.inside(2, "umount /usr/local/lib/pilothouse").ok());
  }
};

QTEST_GUILESS_MAIN(SshTest)
#include "ssh_test.moc"
