// The models over a cluster's state: stable places, colors, the health numbers, the feed's sentences, tables,
// what-if. Each item model runs under Qt's own model tester.
#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

#include "models/events_model.h"
#include "models/object_table_model.h"
#include "models/palette_model.h"
#include "models/session.h"
#include "models/words.h"
#include "tests/ui/sample.h"

using namespace ph;
using namespace ph::models;
using sample::node;
using sample::pod;

class ModelsTest : public QObject {
  Q_OBJECT

  static QString key(const char* app) { return appKey("Deployment", "default", app); }
  static PodFacts web(const QString& suffix, const QString& on, PodState state = PodState::Ready) {
    return pod("default", "web", suffix, on, state, "web:1");
  }
  static QStringList lines(const NowModel& now) {
    QStringList out;
    for (int i = 0; i < now.rowCount(); ++i) out << now.index(i).data().toString();
    return out;
  }
  static void put(Session& s, std::vector<PodFacts> pods) {
    Diff d;
    d.pods.put = std::move(pods);
    s.state.apply(std::move(d));
  }

 private slots:
  void machinesKeepTheirPlaces() {
    Session s;
    Diff d;
    for (auto* name : {"b", "a", "m-10", "m-9"}) d.nodes.put.push_back(node(name, "z", "amd64", 4, 8));
    s.state.apply(std::move(d));
    auto names = [&] {
      QStringList out;
      for (int i : s.map.groups()[0].places) out << (i < 0 ? QString("-") : s.map.card(i).key);
      return out;
    };
    QCOMPARE(names(), QStringList({"a", "b", "m-9", "m-10"}));  // first lists in natural order
    Diff gone;
    gone.nodes.gone = {"b"};
    s.state.apply(std::move(gone));
    QCOMPARE(names(), QStringList({"a", "-", "m-9", "m-10"}));  // nobody moved
    Diff fresh;
    fresh.nodes.put.push_back(node("zeta", "z", "amd64", 4, 8));
    s.state.apply(std::move(fresh));
    QCOMPARE(names(), QStringList({"a", "zeta", "m-9", "m-10"}));  // the newcomer takes the hole
    Diff moved;
    moved.nodes.put.push_back(node("a", "other", "amd64", 4, 8));
    s.state.apply(std::move(moved));
    QCOMPARE(s.map.groups().size(), 2u);
    QCOMPARE(s.map.groups()[0].name, QString("other"));
    QCOMPARE(s.map.machineCount(), 4);
  }

  void podsKeepTheirSlots() {
    Session s;
    Diff d;
    d.nodes.put.push_back(node("n", {}, "amd64", 4, 8));
    s.state.apply(std::move(d));
    put(s, {web("a", "n"), web("b", "n"), web("c", "n")});
    const auto b = s.map.placeOf("default/web-b");
    Diff gone;
    gone.pods.gone = {"default/web-a"};
    s.state.apply(std::move(gone));
    QCOMPARE(s.map.placeOf("default/web-b"), b);
    QCOMPARE(s.map.card(b.first).pods, 2);
    put(s, {web("d", "n")});
    QCOMPARE(s.map.placeOf("default/web-d").second, 0);
    // A pod without a machine stands among the waiting, and moves when it has one.
    put(s, {web("e", "", PodState::Waiting)});
    QCOMPARE(s.map.placeOf("default/web-e").first, MapModel::kWaitingCard);
    put(s, {web("e", "n", PodState::Starting)});
    QCOMPARE(s.map.placeOf("default/web-e").first, b.first);
    QCOMPARE(s.map.card(MapModel::kWaitingCard).pods, 0);
  }

  void podsHeardBeforeTheirNode() {
    Session s;
    put(s, {web("a", "late")});
    QCOMPARE(s.map.placeOf("default/web-a").first, -1);
    Diff d;
    d.nodes.put.push_back(node("late", {}, "amd64", 4, 8));
    s.state.apply(std::move(d));
    QVERIFY(s.map.placeOf("default/web-a").first > 0);
  }

  void aMachineAndItsNodeAreOneCard() {
    Session s;
    Diff d;
    MachineFacts m;
    m.key = m.name = "pi";
    m.phase = "Joining";
    d.machines.put.push_back(m);
    s.state.apply(std::move(d));
    QCOMPARE(s.map.machineCount(), 1);
    QCOMPARE(s.map.card(s.map.cardIndex("pi")).state, CardState::Joining);
    // Its node has another name, and is heard of before the machine names it.
    Diff n;
    n.nodes.put.push_back(node("raspberry", {}, "arm64", 4, 8));
    n.pods.put.push_back(web("a", "raspberry"));
    s.state.apply(std::move(n));
    QCOMPARE(s.map.machineCount(), 2);
    Diff named;
    m.node = "raspberry";
    m.phase = "Ready";
    named.machines.put.push_back(m);
    s.state.apply(std::move(named));
    QCOMPARE(s.map.machineCount(), 1);
    const int card = s.map.cardIndex("pi");
    QCOMPARE(s.map.card(card).state, CardState::Ready);
    QCOMPARE(s.map.placeOf("default/web-a").first, card);
    QCOMPARE(s.state.health().machines, 1);
    QCOMPARE(s.state.health().machinesReady, 1);
    // A lost connection counts at once, whatever the node said last.
    Diff lost;
    m.phase = "Lost";
    lost.machines.put.push_back(m);
    s.state.apply(std::move(lost));
    QCOMPARE(s.map.card(card).state, CardState::Lost);
    QCOMPARE(s.state.health().machinesReady, 0);
  }

  void colorsFollowAppearance() {
    Session s;
    Diff d;
    for (int i = 0; i < 14; ++i)
      d.workloads.put.push_back(sample::app("default", QString("app-%1").arg(i), 1, 1, "i", 100000 - i));
    s.state.apply(std::move(d));
    for (int i = 0; i < 10; ++i) QCOMPARE(s.map.apps()[i].color, i);
    for (auto& app : s.map.apps()) QVERIFY(app.color >= 0 && app.color < MapModel::kAppColors);
  }

  void health() {
    Session s;
    sample::fleet(s);
    const auto& h = s.state.health();
    QCOMPARE(h.machines, 8);
    QCOMPARE(h.machinesReady, 7);
    QCOMPARE(h.pods, 64);
    QCOMPARE(h.failing, 1);
    QCOMPARE(h.moving, 4);
    QVERIFY(words::health(h, Link::Live).contains("7 of 8 machines"));
    Diff d;
    for (auto& [k, p] : s.state.pods()) d.pods.gone.push_back(k);
    s.state.apply(std::move(d));
    QCOMPARE(s.state.health().pods, 0);
    QCOMPARE(s.state.health().moving, 0);
  }

  // What is kept up with each diff is what counting anew gives.
  void sumsFollowTheDiffs() {
    Session s;
    quint32 seed = 7;
    auto pick = [&](quint32 n) { return (seed = seed * 1664525u + 1013904223u) / 65536u % n; };
    for (int round = 0; round < 200; ++round) {
      Diff d;
      QSet<QString> taken;
      for (int i = 0; i < 5; ++i) {
        auto p = web(QString::number(pick(30)), pick(4) ? QStringLiteral("n%1").arg(pick(4)) : QString(), PodState(pick(kPodStates)));
        p.app = key(pick(2) ? "web" : "api");
        p.cpuRequest = pick(9);
        if (taken.contains(p.key)) continue;
        taken.insert(p.key);
        pick(3) ? d.pods.put.push_back(p) : d.pods.gone.push_back(p.key);
      }
      s.state.apply(std::move(d));
      QHash<QString, ClusterState::Requests> sums;
      QHash<QString, ClusterState::Tally> tallies;
      for (auto& [k, p] : s.state.pods()) {
        ++tallies[p.app][size_t(p.state)];
        if (p.state == PodState::Finished || p.node.isEmpty()) continue;
        sums[p.node].cpu += p.cpuRequest;
        ++sums[p.node].pods;
      }
      for (auto* node : {"n0", "n1", "n2", "n3"}) {
        QCOMPARE(s.state.requestsOn(node).cpu, sums.value(node).cpu);
        QCOMPARE(s.state.requestsOn(node).pods, sums.value(node).pods);
      }
      for (auto* app : {"web", "api"}) QVERIFY(s.state.statesOf(key(app)) == tallies.value(key(app)));
    }
  }

  void theFeedTellsALoss() {
    Session s;
    QAbstractItemModelTester tester(&s.now, QAbstractItemModelTester::FailureReportingMode::QtTest);
    int64_t at = sample::now();
    s.state.setClock([&] { return at; });
    Diff d;
    for (auto* name : {"a", "b", "c"}) d.nodes.put.push_back(node(name, {}, "amd64", 4, 8));
    d.workloads.put.push_back(sample::app("default", "web", 2, 2, "web:1", 1000));
    d.pods.put = {web("1", "a"), web("2", "a")};
    s.state.apply(std::move(d));
    s.state.setLink(Link::Live);
    QCOMPARE(s.now.rowCount(), 0);  // what was there at the start is no news
    at += 1000;
    auto lost = node("a", {}, "amd64", 4, 8);
    lost.ready = lost.known = false;
    lost.readySince = at;
    Diff l;
    l.nodes.put.push_back(lost);
    s.state.apply(std::move(l));
    QCOMPARE(s.now.rowCount(), 1);
    QVERIFY(lines(s.now)[0].startsWith("a stopped answering."));
    at += 1000;
    auto one = web("3", "b", PodState::Starting), two = web("4", "c", PodState::Starting);
    one.created = two.created = at;
    put(s, {one, two});
    QCOMPARE(s.now.rowCount(), 1);  // the same line says more
    QVERIFY2(lines(s.now)[0].contains("1 on b") && lines(s.now)[0].contains("1 on c"),
             qPrintable(lines(s.now)[0]));
    at += 30000;
    Diff back;
    back.nodes.put.push_back(node("a", {}, "amd64", 4, 8));
    s.state.apply(std::move(back));
    QCOMPARE(lines(s.now)[0], QString("a is back after 31 s"));
  }

  void theFeedTellsARolloutAndAScale() {
    Session s;
    QAbstractItemModelTester tester(&s.now, QAbstractItemModelTester::FailureReportingMode::QtTest);
    int64_t at = sample::now();
    s.state.setClock([&] { return at; });
    s.state.setLink(Link::Live);
    auto step = [&](WorkloadFacts w) {
      at += 2000;
      Diff d;
      d.workloads.put.push_back(w);
      s.state.apply(std::move(d));
    };
    auto w = sample::app("default", "web", 3, 0, "web:1", 0);
    w.total = w.updated = 3;
    step(w);
    QCOMPARE(lines(s.now)[0], QString("web starts: 0 of 3 ready"));
    w.ready = 3;
    step(w);
    QCOMPARE(lines(s.now)[0], QString("web runs: 3 of 3 ready after 2.0 s"));
    w.wanted = 5;
    step(w);
    QVERIFY(lines(s.now)[0].startsWith("web: from 3 to 5 cop"));
    w.total = w.updated = w.ready = 5;
    step(w);
    QVERIFY(lines(s.now)[0].contains("done after"));
    w.images = QStringList{"web:2"};
    w.updated = 1;
    step(w);
    QCOMPARE(lines(s.now)[0], QString("web: version 2 rolling out, 1 of 5 ready"));
    w.updated = 5;
    step(w);
    QVERIFY(lines(s.now)[0].contains("version 2 is out"));
    QCOMPARE(s.now.rowCount(), 3);
  }

  void theFeedTellsTroubleAndWhatComesNext() {
    Session s;
    int64_t at = sample::now();
    s.state.setClock([&] { return at; });
    s.state.setLink(Link::Live);
    Diff d;
    d.nodes.put.push_back(node("n", {}, "amd64", 4, 8));
    s.state.apply(std::move(d));
    put(s, {web("1", "n", PodState::Failing)});
    QVERIFY2(lines(s.now)[0].contains("exits with 1") && lines(s.now)[0].contains("next in 39 s"),
             qPrintable(lines(s.now)[0]));
    QCOMPARE(s.now.index(0).data(NowModel::SubjectRole).value<Subject>().kind, Subject::Kind::Pod);
    put(s, {web("1", "n", PodState::Ready)});
    QVERIFY(lines(s.now)[0].contains("runs again"));
    auto waiting = web("2", "", PodState::Waiting);
    waiting.message = "0/3 nodes are available: 2 Insufficient cpu, 1 node(s) were unschedulable.";
    put(s, {waiting});
    QVERIFY2(lines(s.now)[0].contains("cpu short on 2") && lines(s.now)[0].contains("1 take no new pods"),
             qPrintable(lines(s.now)[0]));
  }

  void tablesUnderTheTester_data() {
    QTest::addColumn<int>("kind");
    for (int k = 0; k < 5; ++k) QTest::addRow("%d", k) << k;
  }
  void tablesUnderTheTester() {
    QFETCH(int, kind);
    Session s;
    ObjectTableModel table(&s.state);
    table.setKind(ObjectTableModel::Kind(kind));
    QAbstractItemModelTester tester(&table, QAbstractItemModelTester::FailureReportingMode::QtTest);
    sample::fleet(s);
    QVERIFY(table.rowCount() > 0 || kind == int(ObjectTableModel::Kind::Events));
    for (int c = 0; c < table.columnCount(); ++c)
      QVERIFY(!table.headerData(c, Qt::Horizontal, Qt::DisplayRole).toString().isEmpty());
    const int before = table.rowCount();
    Diff d;
    if (kind == int(ObjectTableModel::Kind::Pods)) {
      d.pods.gone = {s.state.pods().begin()->first};
      d.pods.put = {web("new", "kepler")};
      s.state.apply(std::move(d));
      QCOMPARE(table.rowCount(), before);
      for (int r = 0; r < table.rowCount(); ++r) QVERIFY(!table.index(r, 0).data().toString().isEmpty());
    } else if (kind == int(ObjectTableModel::Kind::Machines)) {
      QCOMPARE(before, 8);
      d.machines.gone = {"pi-1"};
      d.nodes.gone = {"pi-1"};
      s.state.apply(std::move(d));
      QCOMPARE(table.rowCount(), 7);
    } else if (kind == int(ObjectTableModel::Kind::Events)) {
      EventFacts e;
      e.key = "default/x";
      e.kind = "Pod";
      e.objectName = "p";
      e.message = "hello";
      d.events.put = {e};
      s.state.apply(std::move(d));
      QCOMPARE(table.rowCount(), 1);
    }
  }

  void eventsOfASubject() {
    Session s;
    EventsModel events(&s.state);
    QAbstractItemModelTester tester(&events, QAbstractItemModelTester::FailureReportingMode::QtTest);
    put(s, {web("1", "n")});
    events.setSubject({Subject::Kind::App, key("web")});
    auto about = [](const char* kind, const char* name, int64_t at) {
      EventFacts e;
      e.ns = e.objectNs = "default";
      e.name = QString("%1.%2").arg(name).arg(at);
      e.key = "default/" + e.name;
      e.kind = kind;
      e.objectName = name;
      e.last = at;
      return e;
    };
    Diff d;
    d.events.put = {about("Deployment", "web", 1), about("Pod", "web-1", 3),
                    about("ReplicaSet", "web-7c9f4", 2), about("Pod", "webber-1", 4),
                    about("Deployment", "other", 5)};
    s.state.apply(std::move(d));
    QCOMPARE(events.rowCount(), 3);
    QCOMPARE(events.index(0).data(EventsModel::AboutRole).toString(), QString("pod/web-1"));
    Diff gone;
    gone.events.gone = {"default/web-1.3"};
    s.state.apply(std::move(gone));
    QCOMPARE(events.rowCount(), 2);
  }

  void paletteFindsAndRuns() {
    Session s;
    sample::fleet(s);
    int ran = 0;
    Subject opened;
    PaletteModel palette(&s, {{"Add machine", {}, {}, [&] { ++ran; }}},
                         [&](const Subject& subject) { opened = subject; });
    QAbstractItemModelTester tester(&palette, QAbstractItemModelTester::FailureReportingMode::QtTest);
    palette.setFilter("add");
    palette.run(0);
    QCOMPARE(ran, 1);
    palette.setFilter("noether");
    QCOMPARE(palette.index(0).data().toString(), QString("noether"));
    palette.run(0);
    QCOMPARE(opened, (Subject{Subject::Kind::Machine, "noether"}));
    palette.setFilter("mailer");
    QCOMPARE(palette.index(0).data().toString(), QString("mailer"));
    QVERIFY(palette.rowCount() > 5);
    palette.setFilter("no such thing");
    QCOMPARE(palette.rowCount(), 0);
    palette.run(0);
  }

  void whatIfSpreadsAndSaysWhatDoesNotFit() {
    Session s;
    Diff d;
    d.nodes.put = {node("a", {}, "amd64", 1, 2), node("b", {}, "amd64", 1, 2), node("c", {}, "amd64", 1, 2)};
    d.nodes.put[2].cordoned = true;
    auto w = sample::app("default", "web", 1, 1, "web:1", 0);
    d.workloads.put = {w};
    d.pods.put = {web("1", "a")};
    s.state.apply(std::move(d));
    auto e = estimateScale(s.state, key("web"), 2);
    QCOMPARE(e.come, (QHash<QString, int>{{"b", 1}}));  // not beside the first, not on the cordoned
    e = estimateScale(s.state, key("web"), 20);
    QCOMPARE(e.come.value("a") + e.come.value("b"), 7);  // four of 250m on each of two, one is there
    QCOMPARE(e.unplaced, 12);
    put(s, {web("2", "b", PodState::Failing), web("3", "a")});
    w.wanted = 3;
    Diff three;
    three.workloads.put = {w};
    s.state.apply(std::move(three));
    e = estimateScale(s.state, key("web"), 2);
    QCOMPARE(e.go, QSet<QString>{"default/web-2"});  // the one that fails goes first

    QSignalSpy released(&s.scale, &ScalePreview::released);
    s.scale.hold(key("web"), 5);
    QCOMPARE(s.map.card(s.map.cardIndex("a")).ghosts + s.map.card(s.map.cardIndex("b")).ghosts, 2);
    QVERIFY(s.scale.hint().contains("would most likely go"));
    s.scale.release();
    QCOMPARE(released.count(), 1);
    QCOMPARE(released[0][1].toInt(), 5);
    QCOMPARE(s.map.card(s.map.cardIndex("a")).ghosts, 0);
    s.scale.hold(key("web"), 3);
    s.scale.release();  // the number it has: nothing to do
    QCOMPARE(released.count(), 1);
  }

  void aHundredThousandPods() {
    Session s;
    sample::many(s, 1000, 100);
    QCOMPARE(s.map.machineCount(), 1000);
    QCOMPARE(s.state.health().pods, 100000);
    // One pod's change costs what changed, not the size of the cluster.
    auto p = s.state.pods().begin()->second;
    QElapsedTimer timer;
    timer.start();
    for (int i = 0; i < 100; ++i) {
      p.state = i % 2 ? PodState::Ready : PodState::Starting;
      put(s, {p});
    }
    QVERIFY2(timer.elapsed() < 2000, qPrintable(QString::number(timer.elapsed())));
  }
};

QTEST_MAIN(ModelsTest)
#include "models_test.moc"
