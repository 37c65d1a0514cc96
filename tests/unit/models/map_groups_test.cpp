// The map's groups, its filter, and what it tells of changes.
#include <QSignalSpy>
#include <QTest>

#include "models/map_model.h"
#include "tests/ui/sample.h"

using namespace ph;
using namespace ph::models;
using What = MapNews::What;

class MapGroupsTest : public QObject {
  Q_OBJECT

  static NodeFacts racked(const QString& name, const QString& rack) {
    auto n = sample::node(name, "z", "amd64", 4, 8);
    if (!rack.isEmpty()) n.labels.append({"lab/rack", rack});
    n.labels.append({"kubernetes.io/hostname", name});
    return n;
  }
  static PodFacts pod(const QString& app, const QString& suffix, const QString& node, PodState state = PodState::Ready) {
    return sample::pod("default", app, suffix, node, state, app + ":1");
  }
  static void fill(ClusterState& s) {
    Diff d;
    d.nodes.put = {racked("n-1", "a"), racked("n-2", "b"), racked("n-10", "a"), racked("n-3", "")};
    d.pods.put = {pod("web", "1", "n-1"), pod("web", "2", "n-2"), pod("db", "1", "n-2"),
                  pod("mail", "1", "n-3", PodState::Failing)};
    s.apply(std::move(d));
    s.setLink(Link::Live);
  }
  static QStringList groups(const MapModel& m) {
    QStringList out;
    for (auto& g : m.groups()) {
      QStringList names;
      for (int i : g.places) names << m.card(i).key;
      out << g.name + ':' + names.join(',');
    }
    return out;
  }

 private slots:
  void groupedByZoneByNothingByALabel() {
    ClusterState s;
    MapModel m(&s);
    fill(s);
    QCOMPARE(groups(m), QStringList{"z:n-1,n-2,n-3,n-10"});
    QCOMPARE(m.groupedBy(), QString("zone"));
    QCOMPARE(m.groupingLabels(), QStringList{"lab/rack"});  // not the one that is each machine's own
    QSignalSpy layout(&m, &MapModel::layoutChanged);
    m.setGrouping("lab/rack");
    QCOMPARE(layout.count(), 1);
    QCOMPARE(groups(m), QStringList({"a:n-1,n-10", "b:n-2", ":n-3"}));
    QCOMPARE(m.groupedBy(), QString("rack"));
    // A label that comes later moves the machine; the others keep their places.
    Diff d;
    d.nodes.put = {racked("n-3", "b")};
    s.apply(std::move(d));
    QCOMPARE(groups(m), QStringList({"a:n-1,n-10", "b:n-2,n-3"}));
    m.setGrouping(QString(MapModel::kUngrouped));
    QCOMPARE(groups(m), QStringList{":n-1,n-2,n-3,n-10"});
    QVERIFY(!m.grouped() && m.groupedBy().isEmpty());
    m.setGrouping({});
    QCOMPARE(groups(m), QStringList{"z:n-1,n-2,n-3,n-10"});
  }

  void theFilterMarksAndMovesNothing() {
    ClusterState s;
    MapModel m(&s);
    fill(s);
    auto fits = [&](const char* key) {
      const auto at = m.placeOf(QString("default/") + key);
      return m.card(at.first).tiles[size_t(at.second)].fits;
    };
    auto cardFits = [&](const char* key) { return m.card(m.cardIndex(key)).fits; };
    const auto before = m.placeOf("default/web-2");
    QSignalSpy changed(&m, &MapModel::filterChanged);
    m.setFilter("WEB");
    QCOMPARE(changed.count(), 1);
    QVERIFY(fits("web-1") && fits("web-2") && !fits("db-1") && !fits("mail-1"));
    QVERIFY(cardFits("n-1") && cardFits("n-2") && !cardFits("n-3") && !cardFits("n-10"));
    QCOMPARE(m.fitting().pods, 2);
    QCOMPARE(m.fitting().machines, 2);
    QCOMPARE(m.placeOf("default/web-2"), before);
    m.setFilter("failing");  // a state
    QVERIFY(fits("mail-1") && !fits("web-1"));
    m.setFilter("rack=b");  // a label: the machine and all on it
    QVERIFY(cardFits("n-2") && fits("db-1") && !cardFits("n-1") && !fits("web-1"));
    m.setFilter("web n-2");  // all words, the machine's or the pod's
    QVERIFY(fits("web-2") && !fits("web-1") && !fits("db-1"));
    // What comes and what changes is looked at too.
    Diff d;
    d.pods.put = {pod("web", "3", "n-2"), pod("new", "1", "n-2")};
    s.apply(std::move(d));
    QVERIFY(fits("web-3") && !fits("new-1"));
    m.setFilter("  ");
    QVERIFY(!m.filtering() && fits("new-1") && cardFits("n-10"));
    QCOMPARE(m.fitting().pods, 6);
  }

  void itTellsWhatHappened() {
    ClusterState s;
    MapModel m(&s);
    QList<MapNews> told;
    connect(&m, &MapModel::happened, this, [&](const QList<MapNews>& news) { told += news; });
    fill(s);
    QVERIFY(told.isEmpty());  // the first lists are no news
    Diff d;
    d.pods.put = {pod("web", "9", "n-1", PodState::Starting), pod("db", "1", "n-2", PodState::Failing)};
    d.pods.gone = {"default/web-2"};
    const auto was = m.placeOf("default/web-2");
    s.apply(std::move(d));
    QCOMPARE(told.size(), 3);
    auto of = [&](What what) {
      for (auto& n : told) {
        if (n.what == what) return n;
      }
      return MapNews{};
    };
    QCOMPARE(of(What::Came).tile.pod, QString("default/web-9"));
    QCOMPARE(of(What::Came).card, m.cardIndex("n-1"));
    QCOMPARE(of(What::Turned).tile.state, PodState::Failing);
    QCOMPARE(of(What::Left).card, was.first);
    QCOMPARE(of(What::Left).slot, was.second);
    QCOMPARE(of(What::Left).tile.state, PodState::Ready);
    told.clear();
    auto lost = racked("n-1", "a");
    lost.ready = lost.known = false;
    Diff l;
    l.nodes.put = {lost};
    s.apply(std::move(l));
    QCOMPARE(told.size(), 1);
    QCOMPARE(told[0].what, What::Machine);
    told.clear();
    Diff many;
    for (int i = 0; i <= MapModel::kNewsMax; ++i) many.pods.put.push_back(pod("flood", QString::number(i), "n-2"));
    s.apply(std::move(many));
    QVERIFY(told.isEmpty());
  }
};

QTEST_GUILESS_MAIN(MapGroupsTest)
#include "map_groups_test.moc"
