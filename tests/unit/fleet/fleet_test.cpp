#include <QDir>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include "engine/api/codec.h"
#include "engine/api/registry.h"
#include "engine/api/types/core.h"
#include "engine/fleet/credentials.h"
#include "engine/fleet/node_patch.h"
#include "engine/fleet/preflight.h"
#include "engine/fleet/problem.h"
#include "engine/fleet/scripts.h"
#include "engine/fleet/status_words.h"

using namespace ph;
using namespace ph::fleet;

namespace {

QByteArray runShell(const std::string& script, int* exitCode = nullptr) {
  QProcess p;
  p.start("sh", {"-s"});
  p.write(QByteArray::fromStdString(script));
  p.closeWriteChannel();
  p.waitForFinished(20000);
  if (exitCode) *exitCode = p.exitCode();
  return p.readAllStandardOutput();
}

Probe goodProbe() {
  Probe p;
  p.arch = "amd64";
  p.kernel = "6.1.0-13-amd64";
  p.hostname = "box";
  p.root = true;
  p.memoryKb = 4 << 20;
  p.diskKb = 20 << 20;
  p.cgroupVersion = 1;
  p.controllers = "cpuset cpu memory pids";
  p.containerd = p.runc = p.cni = p.nft = true;
  p.packageManager = "apt-get";
  p.complete = true;
  return p;
}

const api::fleet::MachineFinding* find(const std::vector<api::fleet::MachineFinding>& list, const std::string& name) {
  for (auto& f : list)
    if (f.name == name) return &f;
  return nullptr;
}

std::shared_ptr<api::Registry> registry() {
  static auto r = api::Registry::builtin();
  return r;
}

api::ObjectPtr node(const char* json) {
  auto tree = api::parseJson(json);
  Q_ASSERT(tree.ok());
  return api::Object::make(registry()->find("", "v1", "nodes"), tree.value(), 7);
}

// The node as the patch leaves it (the patches here only use what a plain merge does).
api::ObjectPtr patched(const api::ObjectPtr& old, const std::string& patch) {
  api::Json tree = old->tree();
  auto p = api::parseJson(patch);
  Q_ASSERT(p.ok());
  std::function<void(api::Json&, const api::Json&)> merge = [&](api::Json& into, const api::Json& from) {
    if (!from.is_object()) { into = from; return; }
    if (!into.is_object()) into = api::JsonObject();
    for (auto& [key, value] : from.as_object()) {
      if (value.is_null()) into.as_object().erase(key);
      else merge(into.as_object()[key], value);
    }
  };
  merge(tree, p.value());
  return api::Object::make(&old->info(), tree, old->revision() + 1);
}

}  // namespace

class FleetTest : public QObject {
  Q_OBJECT
 private slots:
  void factsAreReadLineByLine() {
    auto f = parseFacts("a=1\nnonsense\n=x\nb=two words \r\na=3\nempty=\n");
    QCOMPARE(f.size(), size_t(3));
    QCOMPARE(f["a"], std::string("3"));
    QCOMPARE(f["b"], std::string("two words"));
    QCOMPARE(f["empty"], std::string());
  }

  void quotingSurvivesTheShell() {
    for (std::string word : {"plain", "two words", "it's", "$HOME `id` \"x\" \\", "a;b|c&d", "*"}) {
      QCOMPARE(runShell("printf %s " + quote(word)).toStdString(), word);
      QCOMPARE(runShell("sh -c " + quote("printf %s " + quote(word))).toStdString(), word);
    }
  }

  // The real script on this very box: what it says must be what the box is.
  void probeScriptRunsHere() {
    const WallTime before = systemClock().wallNow();
    auto out = runShell(probeScript());
    Probe p = readProbe(out.toStdString(), before, systemClock().wallNow());
    QVERIFY2(p.complete, out);
    QVERIFY(p.arch == "amd64" || p.arch == "arm64");
    QVERIFY(p.memoryKb > 100000);
    QVERIFY(p.diskKb > 0);
    QVERIFY(!p.kernel.empty());
    QVERIFY(!p.controllers.empty());
    QVERIFY(std::abs(p.clockAhead) < 3);
    QCOMPARE(p.root, ::geteuid() == 0);
  }

  void goodMachineHasNoError() {
    Neighbours n;
    n.self = "box";
    auto findings = judge(goodProbe(), n);
    QVERIFY2(!hasError(findings), firstError(findings).c_str());
    QVERIFY(missingPackages(goodProbe()).empty());
  }

  void eachTroubleIsNamedAndHasAFix_data() {
    QTest::addColumn<QString>("what");
    QTest::addColumn<QString>("finding");
    QTest::addColumn<QString>("severity");
    QTest::newRow("riscv") << "arch" << "Architecture" << "Error";
    QTest::newRow("no sudo") << "root" << "Privileges" << "Error";
    QTest::newRow("old kernel") << "kernel" << "Kernel" << "Error";
    QTest::newRow("full disk") << "disk" << "Disk" << "Error";
    QTest::newRow("nearly full disk") << "lowdisk" << "Disk" << "Warning";
    QTest::newRow("memory cgroup off, as on a Raspberry Pi") << "cgroup" << "Cgroups" << "Error";
    QTest::newRow("no package manager") << "packages" << "Packages" << "Error";
    QTest::newRow("clock") << "clock" << "Clock" << "Warning";
    QTest::newRow("twin") << "hostname" << "Hostname" << "Warning";
    QTest::newRow("taken") << "receipt" << "Belongs" << "Error";
    QTest::newRow("firewalld") << "firewalld" << "Firewall" << "Warning";
  }
  void eachTroubleIsNamedAndHasAFix() {
    QFETCH(QString, what);
    QFETCH(QString, finding);
    QFETCH(QString, severity);
    Probe p = goodProbe();
    Neighbours n;
    n.self = "box";
    n.nodeByHostname["other"] = "other";
    if (what == "arch") p.arch = "riscv64";
    if (what == "root") p.root = false;
    if (what == "kernel") p.kernel = "3.10.0-1160.el7";
    if (what == "disk") p.diskKb = 100 * 1024;
    if (what == "lowdisk") p.diskKb = 1024 * 1024;
    if (what == "cgroup") p.controllers = "cpuset cpu io pids";
    if (what == "packages") { p.packageManager.clear(); p.runc = false; }
    if (what == "clock") p.clockAhead = -3600;
    if (what == "hostname") { p.hostname = "raspberrypi"; n.nodeByHostname["raspberrypi"] = "pi-1"; }
    if (what == "receipt") p.receiptNode = "another";
    if (what == "firewalld") p.firewalld = true;
    auto findings = judge(p, n);
    auto* f = find(findings, finding.toStdString());
    QVERIFY(f);
    QCOMPARE(QString::fromStdString(f->severity), severity);
    QVERIFY(!f->message.empty());
    QVERIFY(!f->fix.empty());
    QCOMPARE(hasError(findings), severity == "Error");
  }

  void packagesOfEachManager() {
    QCOMPARE(packagesFor("apt-get", true, true, true, true), (std::vector<std::string>{"containerd", "runc", "containernetworking-plugins", "nftables"}));
    QCOMPARE(packagesFor("apk", false, false, true, false), (std::vector<std::string>{"cni-plugins"}));
    QVERIFY(packagesFor("dnf", false, false, false, false).empty());
  }

  // What a removal may take away again.
  void onlyWhatWasNotThereIsOurs() {
    QTemporaryDir dir;
    auto write = [&](const QString& name, const QByteArray& text) {
      QFile f(dir.filePath(name));
      QVERIFY(f.open(QFile::WriteOnly) && f.write(text) == text.size());
      f.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    };
    const QByteArray list = dir.filePath("packages").toUtf8();
    write("packages", "ii  bash\nit  man-db\niF  half\nhi  held\nun  runc\nrc  cleared\n");
    write("dpkg-query", "#!/bin/sh\ncat " + list + "\n");
    // Installs two, and ends what others had begun.
    write("apt-get", "#!/bin/sh\nsed -i 's/^i[tF] /ii /; s/^un  runc/ii  runc/' " + list + "; echo 'ii  containerd' >> " + list + "\n");
    std::string script = installScript("apt-get", {"containerd", "runc"});
    for (size_t at; (at = script.find(place::kStateDir)) != std::string::npos;)
      script.replace(at, place::kStateDir.size(), dir.filePath("state").toStdString());
    int code = -1;
    QByteArray out = runShell("PATH=" + dir.path().toStdString() + ":$PATH\n" + script, &code);
    QCOMPARE(code, 0);
    QCOMPARE(out, QByteArray("package=containerd\npackage=runc\n"));
  }

  void scriptsAreValidShell() {
    StartPlan start{"a-node", {"run", "--labels", "x=it's"}, false, true};
    std::vector<std::string> all = {probeScript(), startScript(start), removeScript({"a-node", true}), removeScript({"a-node", false})};
    start.systemd = true;
    all.push_back(startScript(start));
    for (auto pm : {"apt-get", "dnf", "zypper", "apk", "pacman"}) all.push_back(installScript(pm, {"containerd", "runc"}));
    for (auto& script : all) {
      QProcess p;
      p.start("sh", {"-n"});
      p.write(QByteArray::fromStdString(script));
      p.closeWriteChannel();
      QVERIFY(p.waitForFinished(10000));
      QVERIFY2(p.exitCode() == 0, p.readAllStandardError() + QByteArray::fromStdString(script));
    }
  }

  void nodeFollowsItsMachineAndKeepsWhatOthersPutThere() {
    auto n = node(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"a","uid":"u","labels":{"mine":"1"}},
      "spec":{"taints":[{"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"}]}})");
    api::fleet::MachineSpec spec;
    QVERIFY(nodePatch(*n, spec).empty());
    spec.labels["room"] = "201";
    api::core::Taint taint;
    taint.key = "gpu";
    taint.value = "yes";
    taint.effect = "NoSchedule";
    spec.taints.push_back(taint);
    spec.unschedulable = true;
    auto followed = patched(n, nodePatch(*n, spec));
    QCOMPARE(followed->meta().label("room"), std::string_view("201"));
    QCOMPARE(followed->meta().label("mine"), std::string_view("1"));
    QCOMPARE(followed->as<api::core::Node>().spec.taints.size(), size_t(2));
    QVERIFY(followed->as<api::core::Node>().spec.unschedulable);
    QVERIFY2(nodePatch(*followed, spec).empty(), nodePatch(*followed, spec).c_str());

    spec.labels = {{"room", "202"}};
    spec.taints.clear();
    spec.unschedulable = false;
    auto again = patched(followed, nodePatch(*followed, spec));
    QCOMPARE(again->meta().label("room"), std::string_view("202"));
    QCOMPARE(again->as<api::core::Node>().spec.taints.size(), size_t(1));
    QVERIFY(!again->as<api::core::Node>().spec.unschedulable);
    spec.labels.clear();
    auto bare = patched(again, nodePatch(*again, spec));
    QVERIFY(bare->meta().label("room").empty());
    QCOMPARE(bare->meta().label("mine"), std::string_view("1"));
  }

  void cordonedByHandStaysCordoned() {
    auto n = node(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"a","uid":"u"},"spec":{"unschedulable":true}})");
    QVERIFY(nodePatch(*n, {}).empty());
  }

  void conditionsChangeTheirTimeOnlyWithTheirStatus() {
    MachineStatus s;
    WallTime t1{std::chrono::seconds(100)}, t2{std::chrono::seconds(200)};
    QVERIFY(setCondition(s, "Connected", true, "A", "", t1));
    QVERIFY(!setCondition(s, "Connected", true, "B", "b", t2));
    QCOMPARE(s.conditions.size(), size_t(1));
    QVERIFY(s.conditions[0].lastTransitionTime == t1);
    QCOMPARE(s.conditions[0].reason, std::string("B"));
    QVERIFY(setCondition(s, "Connected", false, "C", "", t2));
    QVERIFY(s.conditions[0].lastTransitionTime == t2);
    QVERIFY(conditionIs(s, "Connected", false));
    setFinding(s, "SSH", "Error", "m", "f");
    setFinding(s, "SSH", "Warning", "m2", "f2");
    QCOMPARE(s.findings.size(), size_t(1));
    QCOMPARE(s.findings[0].severity, std::string("Warning"));
    setFinding(s, "SSH", "", "", "");
    QVERIFY(s.findings.empty());
  }

  void statusPatchHoldsOnlyWhatDiffers() {
    auto tree = api::parseJson(R"({"apiVersion":"fleet.pilothouse.io/v1","kind":"Machine","metadata":{"name":"a","uid":"u"},
      "spec":{"address":"10.0.0.1"},"status":{"phase":"Connecting","message":"x","attempts":2}})");
    QVERIFY(tree.ok());
    auto m = api::Object::make(registry()->find("fleet.pilothouse.io", "v1", "machines"), tree.value(), 3);
    MachineStatus s = m->as<api::fleet::Machine>().status;
    QCOMPARE(statusPatch(*m, s), std::string());
    s.phase = "Ready";
    s.message.clear();
    auto patch = api::parseJson(statusPatch(*m, s));
    QVERIFY(patch.ok());
    QVERIFY2(patch.value() == api::Json({{"status", {{"phase", "Ready"}, {"message", nullptr}}}}), statusPatch(*m, s).c_str());
  }

  void credentialsComeFromPrivateFiles() {
    QTemporaryDir dir;
    auto put = [&](const QString& name, const QByteArray& text, QFile::Permissions mode) {
      QFile f(dir.filePath(name));
      QVERIFY(f.open(QIODevice::WriteOnly));
      f.write(text);
      f.close();
      QVERIFY(f.setPermissions(mode));
    };
    const auto mine = QFile::ReadOwner | QFile::WriteOwner;
    put("lab", "KEY", mine);
    put("lab.passphrase", "secret\n", mine);
    put("open", "KEY", mine | QFile::ReadOther);
    auto store = makeFileCredentialStore(dir.path().toStdString());
    auto found = store->find("lab");
    QVERIFY(found.ok());
    QCOMPARE(found.value().privateKey, std::string("KEY"));
    QCOMPARE(found.value().passphrase, std::string("secret"));
    QVERIFY(store->find("none").status().isNotFound());
    QVERIFY(!store->find("open").ok());
    QVERIFY(store->find("open").status().message.find("chmod 600") != std::string::npos);
    for (auto bad : {"../etc/passwd", "a/b", "", ".hidden"}) QCOMPARE(store->find(bad).status().code, 400);
  }

  void troublesAreTriedAgainInTheirOwnTime() {
    QVERIFY(whenAgain(problem(kUnreachable, "m", "f")) == Again::Soon);
    QVERIFY(whenAgain(problem(kAuth, "m", "f")) == Again::Late);
    QVERIFY(whenAgain(problem(kHostKeyUnknown, "m", "f")) == Again::AfterChange);
    QCOMPARE(fixOf(problem(kAuth, "m", "do this")), std::string("do this"));
  }
};

QTEST_GUILESS_MAIN(FleetTest)
#include "fleet_test.moc"
