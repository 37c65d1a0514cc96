// Steering: differences of texts, rollouts' words and revisions, drains, manifests and what they would do, machines
// by the dozen, forms of objects.
#include <QAbstractItemModelTester>
#include <QDir>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <atomic>
#include <boost/json.hpp>

#include "engine/api/codec.h"

#include "models/actions.h"
#include "models/machine_import.h"
#include "models/manifest_files.h"
#include "models/rollout_model.h"
#include "models/session.h"
#include "tests/support/fake_client.h"
#include "tests/ui/sample.h"

using namespace ph;
using namespace ph::models;

namespace {

// A cluster whose scheduler can't be asked, and which refuses the first evictions as a budget does.
class OtherCluster : public test::FakeClient {
 public:
  using FakeClient::FakeClient;
  void write(client::Write w, client::Callback<client::ObjectPtr> done) override {
    if (w.info && w.info->plural == "drainpreviews") return done(Status::notFound("no such resource"));
    if (w.subresource == "eviction") {
      evicted.push_back(w.name);
      if (refuse-- > 0) return done(Status::tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 1));
      remove(kind("pods"), w.ns + "/" + w.name);
      return done(client::ObjectPtr());
    }
    FakeClient::write(std::move(w), std::move(done));
  }
  std::vector<std::string> evicted;
  std::atomic<int> refuse = 0;
};

}  // namespace

class SteerTest : public QObject {
  Q_OBJECT

  static QString signs(const TextDiff& d) {
    QString out;
    for (auto& l : d.lines)
      out += l.kind == DiffLine::Kind::Same ? ' ' : l.kind == DiffLine::Kind::Gone ? '-' : l.kind == DiffLine::Kind::New ? '+' : '.';
    return out;
  }
  // The new text made of the old one by the script; it must be the new one.
  static QString applied(const TextDiff& d) {
    QString out;
    for (auto& l : d.lines)
      if (l.kind != DiffLine::Kind::Gone) out += l.text + '\n';
    return out;
  }

 private slots:
  void theShortestDifference() {
    const QString a = "a\nb\nc\na\nb\nb\na\n", b = "c\nb\na\nb\na\nc\n";
    const auto d = diffTexts(a, b, -1);
    QCOMPARE(d.gone + d.added, 5);  // the example of Myers' paper
    QCOMPARE(applied(d), b);
    QVERIFY(diffTexts(a, a).same());
    QCOMPARE(diffTexts(a, a).lines.size(), size_t(1));  // one gap
    QCOMPARE(signs(diffTexts("", "x\ny\n")), QString("++"));
    QCOMPARE(signs(diffTexts("x\ny", "")), QString("--"));
    QVERIFY(diffTexts("", "").lines.empty());
    const auto one = diffTexts("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n", 2);
    QCOMPARE(signs(one), QString(".  -+  ."));
    QCOMPARE(one.lines[0].before, 2);
    QCOMPARE(one.lines[3].text, QString("5"));
    QCOMPARE(one.lines[3].before, 5);
    QCOMPARE(one.lines[4].after, 5);
  }

  void anyTwoTextsDifferRightly() {
    uint state = 7;
    auto random = [&](uint n) {
      state = state * 1664525u + 1013904223u;
      return (state >> 16u) % n;
    };
    for (int round = 0; round < 300; ++round) {
      QString a, b;
      for (uint i = random(30); i > 0; --i) a += QString(QChar('a' + int(random(4)))) + '\n';
      for (uint i = random(30); i > 0; --i) b += QString(QChar('a' + int(random(4)))) + '\n';
      const auto d = diffTexts(a, b, -1);
      QCOMPARE(applied(d), b);
      QString old;
      for (auto& l : d.lines)
        if (l.kind != DiffLine::Kind::New) old += l.text + '\n';
      QCOMPARE(old, a);
    }
    // Too different for a script: the one goes, the other comes.
    QString many, others;
    for (int i = 0; i < 4000; ++i) many += QString("a%1\n").arg(i), others += QString("b%1\n").arg(i);
    const auto d = diffTexts(many, others);
    QCOMPARE(d.gone, 4000);
    QCOMPARE(d.added, 4000);
  }

  void aRolloutInWords() {
    auto w = sample::app("default", "web", 4, 4, "web:1", 0);
    QVERIFY(rolloutState(w).done);
    QVERIFY(rolloutState(w).sentence.contains("newest"));
    w.total = 5;
    w.updated = 1;
    w.available = 4;
    auto s = rolloutState(w);
    QVERIFY(!s.done && s.old == 4 && s.part > 0.2 && s.part < 0.3);
    QVERIFY2(s.sentence.startsWith("1 of 4"), qPrintable(s.sentence));
    w.paused = true;
    QVERIFY(rolloutState(w).sentence.contains("1 new, 4 old"));
    w.paused = false;
    w.problem = "ReplicaSet \"web-2\" has timed out progressing.";
    QCOMPARE(rolloutState(w).tone, Tone::Error);
    w.problem.clear();
    w.updated = 4;
    w.total = 6;
    QVERIFY(rolloutState(w).sentence.contains("on the way out"));
  }

  void imagesNames_data() {
    QTest::addColumn<QString>("image");
    QTest::addColumn<bool>("good");
    for (auto* s : {"web", "web:1", "shop/web:2.4", "localhost:5000/a/b-c__d:v1", "a.b/c@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"})
      QTest::newRow(s) << QString(s) << true;
    for (auto* s : {"", "Web", "web:", "web:1:2", "web 1", "/web", "web/", "-web", "web@sha256:12", "http://a/b"})
      QTest::newRow(s) << QString(s) << false;
  }
  void imagesNames() {
    QFETCH(QString, image);
    QFETCH(bool, good);
    QCOMPARE(imageProblem(image).isEmpty(), good);
  }

  void revisionsOfADeployment() {
    auto executor = makeThreadExecutor(1, "steer");
    auto fake = std::make_shared<test::FakeClient>(executor);
    auto web = fake->create(R"({apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: default},
      spec: {replicas: 1, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}},
      spec: {containers: [{name: web, image: 'web:2'}]}}}})");
    auto set = [&](int revision, const char* image, const std::string& owner) {
      fake->create("{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-" + std::to_string(revision) + owner.substr(0, 3) +
                   ", namespace: default, labels: {app: web, pod-template-hash: h}, annotations: {deployment.kubernetes.io/revision: '" +
                   std::to_string(revision) + "'}, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, controller: true, uid: '" + owner +
                   "'}]}, spec: {selector: {matchLabels: {app: web, pod-template-hash: h}}, template: {metadata: {labels: {app: web, pod-template-hash: h}}, "
                   "spec: {containers: [{name: web, image: '" + image + "'}]}}}}");
    };
    set(1, "web:1", web->uid());
    set(2, "web:2", web->uid());
    set(9, "web:9", "another");
    Session s;
    Diff d;
    auto w = sample::app("default", "web", 1, 1, "web:2", 0);
    w.object = web;
    d.workloads.put = {w};
    s.state.apply(std::move(d));
    RolloutModel model(&s.state);
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    QSignalSpy loaded(&model, &RolloutModel::loaded);
    model.follow(fake, w.key);
    QTRY_COMPARE(loaded.count(), 1);
    QCOMPARE(model.rowCount(), 2);  // not the other's
    QCOMPARE(model.revision(0).number, 2);
    QVERIFY(model.revision(0).current);
    QCOMPARE(model.revision(1).images, QStringList{"web:1"});
    const auto diff = model.diff(1);
    QCOMPARE(diff.gone, 1);
    QCOMPARE(diff.added, 1);
    QVERIFY(!QString::fromStdString(boost::json::serialize(model.revision(1).podTemplate)).contains("pod-template-hash"));

    s.actions.setClient(fake);
    bool done = false;
    s.actions.undo(w.key, model.revision(1), [&](const Result<>& r) { done = r.ok(); });
    QTRY_VERIFY(done);
    auto now = fake->find(fake->kind("deployments"), "default/web");
    QVERIFY(boost::json::serialize(now->tree()).find("web:1") != std::string::npos);
    QCOMPARE(kubectl::undo(w.key, 1), QString("kubectl rollout undo deployment/web --to-revision=1"));
    done = false;
    s.actions.setImage(w.key, {{"web", "web:3", false}}, [&](const Result<>& r) { done = r.ok(); });
    QTRY_VERIFY(done);
    now = fake->find(fake->kind("deployments"), "default/web");
    QVERIFY(boost::json::serialize(now->tree()).find("web:3") != std::string::npos);
    QCOMPARE(kubectl::setImage(w.key, {{"web", "web:3"}}), QString("kubectl set image deployment/web web=web:3"));
    s.actions.setClient(nullptr);
  }

  // ---- drains

  void aDrainSaysWhatBecomesOfEach() {
    auto executor = makeThreadExecutor(1, "steer");
    auto fake = std::make_shared<OtherCluster>(executor);
    Session s;
    auto pod = [&](const std::string& name, const std::string& owner, const char* more = "") {
      auto made = fake->create("{apiVersion: v1, kind: Pod, metadata: {name: " + name + ", namespace: default, labels: {app: " + name + "}" +
                               (owner.empty() ? "" : ", ownerReferences: [{apiVersion: apps/v1, kind: " + owner + ", name: o, uid: u, controller: true}]") +
                               "}, spec: {nodeName: a, containers: [{name: c, image: i}]" + more + "}}");
      PodFacts p;
      p.key = "default/" + QString::fromStdString(name);
      p.ns = "default";
      p.name = QString::fromStdString(name);
      p.uid = QString::fromStdString(made->uid());
      p.node = "a";
      p.app = owner.empty() ? appKey("Pod", "default", p.name) : appKey("Deployment", "default", "web");
      p.state = PodState::Ready;
      p.object = made;
      return p;
    };
    Diff d;
    d.nodes.put = {sample::node("a", {}, "amd64", 4, 8)};
    d.pods.put = {pod("web", "ReplicaSet"), pod("agent", "DaemonSet"), pod("alone", "", ", volumes: [{name: v, emptyDir: {}}]"),
                  pod("db", "ReplicaSet")};
    s.state.apply(std::move(d));
    auto budget = fake->create("{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: keep-db, namespace: default}, "
                               "spec: {minAvailable: 1, selector: {matchLabels: {app: db}}}}");
    s.actions.setClient(fake);
    DrainModel drain(&s.state, &s.actions);
    QAbstractItemModelTester tester(&drain, QAbstractItemModelTester::FailureReportingMode::QtTest);
    drain.preview(fake, "a");
    QTRY_COMPARE(drain.phase(), DrainModel::Phase::Previewed);
    QCOMPARE(drain.count(Fate::Lost), 1);
    QCOMPARE(drain.count(Fate::Stays), 1);
    QCOMPARE(drain.count(Fate::Held), 1);  // the budget's status lets none go
    QCOMPARE(drain.pods().front().pod, QString("default/alone"));  // what needs a look comes first
    QCOMPARE(drain.leaving(), 2);                                  // the lone one stays unless one says so
    QVERIFY(!drain.losesData());
    QCOMPARE(drain.command(), QString("kubectl drain a --ignore-daemonsets"));
    drain.setLose(true);
    QCOMPARE(drain.leaving(), 3);
    QCOMPARE(drain.command(), QString("kubectl drain a --ignore-daemonsets --delete-emptydir-data --force"));
    QVERIFY2(drain.problem().contains("can't say"), qPrintable(drain.problem()));
    QCOMPARE(drain.count(Fate::Unknown), 1);

    // The drain: cordoned first; what is refused is asked again when the server said, and what belongs to the machine stays.
    fake->create("{apiVersion: v1, kind: Node, metadata: {name: a}}");
    fake->refuse = 1;
    drain.start();
    QTRY_COMPARE(drain.phase(), DrainModel::Phase::Draining);
    QTRY_COMPARE(int(fake->evicted.size()), 3);
    auto step = [&](const char* name) {
      for (auto& p : drain.pods())
        if (p.pod == QString("default/%1").arg(name)) return p.step;
      return DrainPod::Step::None;
    };
    QTRY_COMPARE(step("alone"), DrainPod::Step::Again);
    QVERIFY(drain.index(0).data(DrainModel::StepRole).toString().contains("again in"));
    QVERIFY(boost::json::serialize(fake->find(fake->kind("nodes"), "a")->tree()).find("\"unschedulable\":true") != std::string::npos);
    QTRY_COMPARE_WITH_TIMEOUT(int(fake->evicted.size()), 4, 8000);
    QCOMPARE(fake->evicted.back(), std::string("alone"));
    Diff gone;
    gone.pods.gone = {"default/web", "default/db", "default/alone"};
    s.state.apply(std::move(gone));
    QTRY_COMPARE(drain.phase(), DrainModel::Phase::Done);
    QCOMPARE(drain.gone(), 3);
    s.actions.setClient(nullptr);
  }

  // ---- manifests

  void manifestsWithTheirLines() {
    const auto docs = parseManifest("a.yaml",
                                    "# a comment\n---\n\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n--- # next\nkind: ConfigMap\n"
                                    "apiVersion: v1\nmetadata: {name: c, namespace: ns}\n---\na: b\n---\napiVersion: v1\nkind: Pod\n  bad: indent\n---\n# only this\n");
    QCOMPARE(docs.size(), 4);
    QCOMPARE(docs[0].line, 4);
    QCOMPARE(docs[0].name, QString("web"));
    QCOMPARE(docs[1].line, 8);
    QCOMPARE(docs[1].ns, QString("ns"));
    QVERIFY2(docs[2].problem.contains("apiVersion and kind"), qPrintable(docs[2].problem));
    QCOMPARE(docs[2].line, 12);
    QVERIFY(!docs[3].problem.isEmpty());
    QVERIFY2(docs[3].problemLine == 15 || docs[3].problemLine == 16, qPrintable(QString::number(docs[3].problemLine)));
    const auto list = parseManifest("l.json", R"({"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}},{"kind":"X"}]})");
    QCOMPARE(list.size(), 2);
    QVERIFY(list[0].problem.isEmpty());
    QVERIFY(list[1].problem.contains("apiVersion is missing"));
    QVERIFY(parseManifest("e.yaml", "").isEmpty());
    QVERIFY(!parseManifest("b.yaml", "\x01\xff{").isEmpty());
  }

  void foldersInAnOrderToApply() {
    QTemporaryDir dir;
    auto write = [&](const QString& name, const QByteArray& text) {
      QFile f(dir.filePath(name));
      QVERIFY(f.open(QIODevice::WriteOnly));
      f.write(text);
    };
    QVERIFY(QDir(dir.path()).mkdir("sub"));
    write("1.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n");
    write("2.yml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n");
    write("kustomization.yaml", "resources: []\n");
    write("web.tar", "x");
    write("notes.txt", "x");
    auto set = readManifests({dir.path()});
    QStringList kinds;
    for (auto& d : set.docs) kinds << d.kind;
    QCOMPARE(kinds.join(' '), QString("Namespace ConfigMap Deployment"));
    QCOMPARE(set.archives.size(), 1);
    QCOMPARE(set.notes.size(), 2);  // kustomize, and the folder inside
    set = readManifests({dir.filePath("notes.txt"), dir.filePath("none.yaml")});
    QCOMPARE(set.docs.size(), 2);
    QVERIFY(!set.docs[0].problem.isEmpty() && !set.docs[1].problem.isEmpty());
    QVERIFY(isDeployable({dir.path()}));
    QVERIFY(!isDeployable({dir.filePath("notes.txt")}));
    QVERIFY(!isDeployable({}));
  }

  // ---- machines

  void ranges_data() {
    QTest::addColumn<QString>("pattern");
    QTest::addColumn<QString>("all");
    QTest::newRow("plain") << "pi-3.lab" << "pi-3.lab";
    QTest::newRow("numbers") << "10.0.0.[1-3]" << "10.0.0.1 10.0.0.2 10.0.0.3";
    QTest::newRow("width") << "pi-[09-11].lab" << "pi-09.lab pi-10.lab pi-11.lab";
    QTest::newRow("mixed") << "n[1,4-5,x]" << "n1 n4 n5 nx";
    QTest::newRow("two") << "r[1-2]-[a,b]" << "r1-a r1-b r2-a r2-b";
    for (auto* bad : {"pi-[3-1]", "pi-[", "pi-]", "pi-[]", "pi-[1-]", "pi-[1-9999999]", "pi-[1-400][1-400]", "pi-[a-c]", "[[1-2]]"})
      QTest::newRow(bad) << bad << "";
  }
  void ranges() {
    QFETCH(QString, pattern);
    QFETCH(QString, all);
    QString problem;
    QCOMPARE(expandRange(pattern, &problem).join(' '), all);
    QCOMPARE(problem.isEmpty(), !all.isEmpty());
  }

  void aListOfMachines() {
    MachineForm defaults;
    defaults.user = "pi";
    defaults.zone = "shelf";
    const auto all = machinesOfList(
        "# the shelf\npi-[1-2].lab\nroot@10.0.0.9:2222 kepler\nssh admin@curie.lab\n[fe80::1]:23\nfe80::2\nhost:99999\n@x\n"
        "a b c\npi-[1-2] name\nbad host!\n\n",
        defaults);
    QStringList said;
    for (auto& m : all)
      said << (m.problem.isEmpty() ? QString("%1=%2@%3:%4").arg(machineName(m.form), m.form.user, m.form.address).arg(m.form.port) : "!" + m.source);
    QCOMPARE(said.join(' '), QString("pi-1=pi@pi-1.lab:22 pi-2=pi@pi-2.lab:22 kepler=root@10.0.0.9:2222 curie=admin@curie.lab:22 "
                                     "fe80-1-23=pi@fe80::1:23 fe80-2=pi@fe80::2:22 !line 7 !line 8 !line 9 !line 10 !line 11"));
    QCOMPARE(all[0].form.zone, QString("shelf"));
    QVERIFY(machinesOfList("", defaults).isEmpty());
    QCOMPARE(machinesOfList(QString("h\n").repeated(2 * kMaxImported), defaults).size(), kMaxImported);
  }

  void anSshConfiguration() {
    QTemporaryDir home;
    QVERIFY(QDir(home.path()).mkpath(".ssh/conf.d"));
    auto write = [&](const QString& name, const QByteArray& text) {
      QFile f(home.filePath(name));
      QVERIFY(f.open(QIODevice::WriteOnly));
      f.write(text);
    };
    write(".ssh/key", "x");
    write(".ssh/conf.d/a.conf", "Host included\n  HostName 10.9.9.9\n");
    write(".ssh/conf.d/loop.conf", "Include conf.d/loop.conf\n");
    write(".ssh/config",
          "Include conf.d/*.conf\nInclude missing.conf\nHost pi-1 pi-2 !pi-3\n  HostName %h.lab\n  User=pi\n  IdentityFile ~/.ssh/key\n"
          "host \"quoted name\" kepler\n\tPort = 2222 # not the usual\n  User root\nHost kepler\n  User late\n  HostName kepler.lab\n"
          "Host inner\n  ProxyJump bastion\nHost free\n  ProxyJump none\nHost github.com\n  User git\nHost odd\n  Port many\n"
          "Match host x\n  User nobody\nHost *\n  User everyone\n  IdentityFile ~/.ssh/key\nHost *.lab\n  User no\nBroken\n");
    const auto answer = machinesOfSshConfig(home.filePath(".ssh/config"), home.path());
    QCOMPARE(answer.problem, QString());
    QHash<QString, ImportedMachine> by;
    for (auto& m : answer.machines) by[m.form.name] = m;
    QCOMPARE(by["pi-1"].form.address, QString("pi-1.lab"));
    QCOMPARE(by["pi-1"].form.user, QString("pi"));
    QCOMPARE(by["pi-1"].form.identityFile, home.filePath(".ssh/key"));
    QCOMPARE(by["pi-1"].source, QString("~/.ssh/config:3"));
    QVERIFY(by["pi-1"].problem.isEmpty());
    QCOMPARE(by["kepler"].form.user, QString("root"));  // the first value wins
    QCOMPARE(by["kepler"].form.port, 2222);
    QCOMPARE(by["kepler"].form.address, QString("kepler.lab"));
    QCOMPARE(by["included"].form.address, QString("10.9.9.9"));
    QCOMPARE(by["included"].form.user, QString("everyone"));
    QVERIFY2(by["inner"].problem.contains("bastion"), qPrintable(by["inner"].problem));
    QVERIFY(by["free"].problem.isEmpty());
    QVERIFY(!by["github-com"].chosen);
    QVERIFY(by["odd"].problem.contains("many"));
    QVERIFY(!by["quoted-name"].problem.isEmpty());  // no host can be called that
    QVERIFY(!by.contains("pi-3") && answer.machines.size() == 9);
    QVERIFY(answer.notes.join(' ').contains("missing.conf") && answer.notes.join(' ').contains("Match"));
    QVERIFY(answer.notes.join(' ').contains("include one another"));
    QVERIFY(machinesOfSshConfig(home.filePath("none"), home.path()).problem.contains("no ~/none"));
    for (auto* odd : {"Host", "Host \"", "= =", "\x01\x02", "Include", "Include ~", "Host *\nHost ?"})
      QVERIFY(machinesOfSshText(odd, "x", home.path()).machines.isEmpty());
  }

  void theTableOfImported() {
    Session s;
    Diff d;
    MachineFacts there;
    there.key = there.name = "kepler";
    there.address = "10.0.0.1";
    d.machines.put = {there};
    s.state.apply(std::move(d));
    MachineImportModel model(&s.state);
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.set(machinesOfList("10.0.0.[1-3]\n10.0.0.2\nx kepler\n", {}));
    QCOMPARE(model.rowCount(), 5);
    QCOMPARE(model.chosen().size(), 2);
    QVERIFY(model.index(0, MachineImportModel::Note).data().toString().contains("already"));
    QVERIFY(model.index(3, MachineImportModel::Note).data().toString().contains("twice"));
    QVERIFY(model.index(4, MachineImportModel::Note).data().toString().contains("already"));
    QVERIFY(model.setData(model.index(1, 0), Qt::Unchecked, Qt::CheckStateRole));
    QVERIFY(!model.setData(model.index(0, 0), Qt::Checked, Qt::CheckStateRole));
    QCOMPARE(model.chosen().size(), 1);
    model.drop({"10-0-0-3"});
    QCOMPARE(model.rowCount(), 4);
  }

  // ---- forms of objects

  void secretsStaySecret() {
    ObjectForm f;
    f.kind = ObjectForm::Kind::Secret;
    f.name = "login";
    f.entries = {{"password", "hunter2", false}};
    QCOMPARE(check(f).size(), 0);
    QVERIFY(!manifest(f).contains("hunter2") && !manifest(f).contains("aHVudGVyMg=="));
    QCOMPARE(boost::json::serialize(object(f).at("data")), std::string(R"({"password":"aHVudGVyMg=="})"));
    QCOMPARE(command(f), QString("kubectl create -f secret.yaml"));
    // Read back, with a value that is no text.
    auto live = object(f);
    live.get_object()["data"].get_object()["blob"] = "AP8B";
    live.get_object()["metadata"].get_object()["annotations"] = boost::json::object{{"kept", "yes"}};
    auto back = formOf(live);
    QCOMPARE(back.entries.size(), 2);
    QCOMPARE(back.entries[0].value, QString("hunter2"));
    QVERIFY(back.entries[1].binary);
    back.entries.removeFirst();
    const std::string sent = boost::json::serialize(object(back));
    QVERIFY(sent.find("AP8B") != std::string::npos && sent.find("password") == std::string::npos);
    QVERIFY(sent.find("kept") != std::string::npos);  // what the form doesn't show stays
    QCOMPARE(command(back), QString("kubectl replace -f secret.yaml"));
  }

  void formsAreChecked() {
    auto fields = [](const ObjectForm& f) {
      QStringList out;
      for (auto& p : check(f)) out << p.field;
      return out.join(' ');
    };
    ObjectForm f;
    f.kind = ObjectForm::Kind::ConfigMap;
    QCOMPARE(fields(f), QString("name"));
    f.name = "c";
    f.ns = "No";
    f.entries = {{"a b", "x", false}, {"ok.txt", "y", false}, {"ok.txt", "z", false}, {"", "z", false}};
    QCOMPARE(fields(f), QString("namespace entry:a b entry:ok.txt entries"));
    f = {};
    f.kind = ObjectForm::Kind::Namespace;
    f.name = "a.b";
    f.entries = {{"team", "not valid!", false}};
    QCOMPARE(fields(f), QString("name entry:team"));
    f = {};
    f.kind = ObjectForm::Kind::Quota;
    f.name = "q";
    QCOMPARE(fields(f), QString("entries"));
    f.entries = {{"pods", "many", false}};
    QCOMPARE(fields(f), QString("entry:pods"));
    f.entries = {{"pods", "10", false}, {"requests.cpu", "500m", false}};
    QCOMPARE(fields(f), QString());
    QVERIFY(manifest(f).contains("requests.cpu: 500m"));
  }

  void whatIsOfferedCanBeSent() {
    using Kind = ObjectForm::Kind;
    for (auto kind : {Kind::Namespace, Kind::Quota}) {
      ObjectForm f;
      f.kind = kind;
      f.name = "n";
      for (auto& known : knownEntries(kind)) {
        QVERIFY2(!known.what.isEmpty(), qPrintable(known.key));
        f.entries.append({known.key, known.example, false});
      }
      QVERIFY(!f.entries.isEmpty());
      QVERIFY(check(f).isEmpty());
    }
    QVERIFY(knownEntries(Kind::ConfigMap).isEmpty() && knownEntries(Kind::Secret).isEmpty());
  }
};

QTEST_MAIN(SteerTest)
#include "steer_test.moc"
