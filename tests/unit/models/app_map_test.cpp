// The application map's model: what an application is made of, how its health rolls up, what keeps its place, and
// that a change touches only what it changes.
#include <QSignalSpy>
#include <QTest>
#include <mutex>

#include "models/app_map_model.h"
#include "tests/support/fake_client.h"
#include "tests/ui/sample.h"

using namespace ph;
using namespace ph::models;
using Kind = AppPart::Kind;
using Listed = AppMapModel::Listed;

namespace {

// Answers each list from a table, 403 where there is none; watches stay open and silent.
class ListClient : public test::FakeClient {
 public:
  using FakeClient::FakeClient;
  std::shared_ptr<void> raw(std::string, std::string path, std::string, std::string accept,
                            std::function<void(std::string_view)> onData, client::Callback<std::string> done) override {
    std::lock_guard lock(mutex);
    asked << QString::fromStdString(path + " " + accept);
    if (path.find("watch=true") != std::string::npos) {
      watching[path.substr(0, path.find('?'))] = std::move(onData);
      return std::make_shared<int>(0);
    }
    auto it = lists.find(path.substr(0, path.find('?')));
    if (it == lists.end())
      done(Status{403, "Forbidden", "not for you"});
    else
      done(R"({"metadata":{"resourceVersion":"5"},"items":[)" + it->second + "]}");
    return std::make_shared<int>(0);
  }
  std::function<void(std::string_view)> watchOf(const std::string& path) {
    std::lock_guard lock(mutex);
    return watching[path];
  }
  std::mutex mutex;
  std::map<std::string, std::string> lists;
  std::map<std::string, std::function<void(std::string_view)>> watching;
  QStringList asked;
};

AppPart made(Kind kind, const char* json) {
  return appPartOf(kind, boost::json::parse(json));
}

AppPart set(const char* name, const char* owner, int wanted, int revision) {
  AppPart p{};
  p.kind = Kind::ReplicaSet;
  p.ns = "default";
  p.name = name;
  p.ownerKind = "Deployment";
  p.ownerName = owner;
  p.wanted = wanted;
  p.revision = revision;
  return p;
}

constexpr const char* kWay = R"({"metadata":{"namespace":"default","name":"%1"},"spec":{"rules":[
    {"host":"shop.lab","http":{"paths":[{"path":"/","backend":{"service":{"name":"%2"}}}]}}]}})";
constexpr const char* kDb = R"({"metadata":{"namespace":"default","name":"db"},"spec":{"replicas":1,"template":{"metadata":{"labels":{"app":"db"}},"spec":{
          "volumes":[{"name":"a","configMap":{"name":"conf"}},{"name":"b","secret":{"secretName":"key"}},{"name":"c","persistentVolumeClaim":{"claimName":"data"}}],
          "containers":[{"name":"db","envFrom":[{"configMapRef":{"name":"extra","optional":true}}]}]}}}})";
constexpr const char* kDataPending = R"({"metadata":{"namespace":"default","name":"data"},"status":{"phase":"Pending"}})";
constexpr const char* kConf = R"({"metadata":{"namespace":"default","name":"conf"}})";
constexpr const char* kKey = R"({"metadata":{"namespace":"default","name":"key"}})";
constexpr const char* kDataBound = R"({"metadata":{"namespace":"default","name":"data"},"status":{"phase":"Bound"}})";
constexpr const char* kOldSet = R"({"metadata":{"namespace":"a","name":"x-1","annotations":{"deployment.kubernetes.io/revision":"4"},
                     "ownerReferences":[{"kind":"Other","name":"o"},{"kind":"Deployment","name":"x","controller":true}]},"spec":{"replicas":0}})";
constexpr const char* kBare = R"({"metadata":{"name":"s"},"spec":{}})";
constexpr const char* kDone = R"({"status":{"completionTime":"2026-01-01T00:00:00Z"}})";
constexpr const char* kCrooked = R"({"metadata":7,"spec":{"rules":[1,{"http":{"paths":{}}},{"http":{"paths":[{"backend":[]}]}}]}})";
constexpr const char* kList = R"(["not an object"])";
constexpr const char* kTwoDbs = R"({"metadata":{"namespace":"default","name":"db"},"spec":{"replicas":2,"template":{"spec":{"volumes":[{"configMap":{"name":"conf"}},{"secret":{"secretName":"s"}}]}}}})";
constexpr const char* kConfAdded = R"({"type":"ADDED","object":{"metadata":{"namespace":"default","name":"conf","resourceVersion":"6"}}})"
                                   "\n";
constexpr const char* kDbDeleted = R"({"type":"DELETED","object":{"metadata":{"namespace":"default","name":"db","resourceVersion":"7"}}})"
                                   "\n";

}  // namespace

class AppMapTest : public QObject {
  Q_OBJECT

  static QString web() { return appKey("Deployment", "default", "web"); }
  static PodFacts pod(const char* app, const char* suffix, PodState state = PodState::Ready) {
    return sample::pod("default", app, suffix, "n", state, "web:1");
  }
  static void service(Diff& d, const char* name, const char* app) {
    ServiceFacts s;
    s.ns = "default";
    s.name = name;
    s.key = "default/" + s.name;
    s.type = "ClusterIP";
    s.ports.push_back({{}, "TCP", "8080", 80});
    s.selector = {{"app", app}};
    d.services.put.push_back(s);
  }
  // web: two pods of one ReplicaSet, a Service, an Ingress to it.
  static void fill(Session& s) {
    Diff d;
    d.workloads.put.push_back(sample::app("default", "web", 2, 2, "web:1", 1000));
    d.pods.put = {pod("web", "7c9f4-a"), pod("web", "7c9f4-b")};
    service(d, "web", "web");
    s.state.apply(std::move(d));
    s.state.setLink(Link::Live);
  }
  static AppPart way(const char* name, const char* service) {
    return made(Kind::Ingress, QString::fromLatin1(kWay).arg(name, service).toUtf8().constData());
  }

 private slots:
  void anApplication() {
    Session s;
    fill(s);
    AppMapModel m(&s);
    m.apply({{set("web-7c9f4", "web", 2, 3), false}, {set("web-old", "web", 0, 2), false}, {way("shop", "web"), false}});
    m.setActive(true);
    QCOMPARE(int(m.apps().size()), 1);
    auto& g = m.apps()[0];
    QCOMPARE(m.app(web()), &g);
    QCOMPARE(g.workload.subject, (Subject{Subject::Kind::App, web()}));
    QCOMPARE(int(g.ingresses.size()), 1);
    QCOMPARE(g.ingresses[0].detail, QString("shop.lab/"));
    QCOMPARE(int(g.services.size()), 1);
    QCOMPARE(g.services[0].detail, QString("80"));
    QCOMPARE(g.routes, (QList<QPair<int, int>>{{0, 0}}));
    QCOMPARE(int(g.sets.size()), 1);
    QCOMPARE(g.sets[0].box.name, QString("web-7c9f4"));
    QCOMPARE(g.sets[0].box.detail, QString("rev. 3 · 2 of 2"));
    QCOMPARE(int(g.sets[0].tiles.size()), 2);
    QCOMPARE(g.olderSets, 1);
    QCOMPARE(g.tone, Tone::Ok);
    QCOMPARE(g.headline, QString("2 of 2 ready"));
  }

  // The sentence names the worst; the boxes keep their own tones.
  void healthRollsUp() {
    Session s;
    fill(s);
    AppMapModel m(&s);
    m.setActive(true);
    Diff d;
    d.pods.put = {pod("web", "7c9f4-a", PodState::Failing)};
    s.state.apply(d);
    m.compute();
    QCOMPARE(m.apps()[0].tone, Tone::Error);
    QCOMPARE(m.apps()[0].headline, QString("1 failing · 1 of 2 ready"));
    QCOMPARE(m.apps()[0].sets[0].box.tone, Tone::Error);
    QCOMPARE(m.apps()[0].services[0].tone, Tone::Ok);  // one still answers
    d.pods.put = {pod("web", "7c9f4-a", PodState::Starting), pod("web", "7c9f4-b", PodState::Starting)};
    s.state.apply(d);
    m.compute();
    QCOMPARE(m.apps()[0].tone, Tone::Warn);
    QCOMPARE(m.apps()[0].services[0].tone, Tone::Warn);
    QCOMPARE(m.apps()[0].services[0].detail, QString("nobody answers"));
    auto w = sample::app("default", "web", 0, 0, "web:1", 1000);
    Diff none;
    none.workloads.put = {w};
    none.pods.gone = {"default/web-7c9f4-a", "default/web-7c9f4-b"};
    s.state.apply(none);
    m.compute();
    QCOMPARE(m.apps()[0].headline, QString("scaled to none"));
    QCOMPARE(m.apps()[0].tone, Tone::Plain);
    w.wanted = 1;
    w.problem = "quota exceeded";
    none = {};
    none.workloads.put = {w};
    s.state.apply(none);
    m.compute();
    QCOMPARE(m.apps()[0].headline, QString("quota exceeded"));
    QCOMPARE(m.apps()[0].tone, Tone::Error);
  }

  void itTellsWhatHappened() {
    using What = MapNews::What;
    Session s;
    fill(s);
    AppMapModel m(&s);
    QList<AppNews> told;
    bool shown = false;  // the graphs are as the news says when it comes
    connect(&m, &AppMapModel::happened, this, [&](const QList<AppNews>& news) {
      told += news;
      shown = m.app(web())->sets[0].tiles.size() == 3;
    });
    m.setActive(true);
    QVERIFY(told.isEmpty());  // what is there at first is no news
    Diff d;
    d.pods.put = {pod("web", "7c9f4-c", PodState::Starting), pod("web", "7c9f4-b", PodState::Failing)};
    s.state.apply(std::move(d));
    m.compute();
    QVERIFY(shown);
    QCOMPARE(told.size(), 2);
    auto of = [&](What what) {
      auto it = std::find_if(told.begin(), told.end(), [&](auto& n) { return n.what == what; });
      return it == told.end() ? AppNews{} : *it;
    };
    QCOMPARE(of(What::Came).tile, (AppTile{"default/web-7c9f4-c", PodState::Starting}));
    QCOMPARE(of(What::Came).slot, 2);
    QCOMPARE(of(What::Came).app, web());
    QCOMPARE(of(What::Came).set, QString("web-7c9f4"));
    QCOMPARE(of(What::Turned).tile, (AppTile{"default/web-7c9f4-b", PodState::Failing}));
    told.clear();
    Diff gone;
    gone.pods.gone = {"default/web-7c9f4-a"};
    s.state.apply(std::move(gone));
    m.compute();
    QCOMPARE(told.size(), 1);
    QCOMPARE(told[0].what, What::Left);
    QCOMPARE(told[0].slot, 0);
    QCOMPARE(told[0].tile, (AppTile{"default/web-7c9f4-a", PodState::Ready}));
    told.clear();
    Diff version;  // of another version: a box of its own
    version.pods.put = {pod("web", "99999-x", PodState::Starting)};
    s.state.apply(std::move(version));
    m.compute();
    QCOMPARE(told.size(), 1);
    QCOMPARE(told[0].set, QString("web-99999"));
    QCOMPARE(told[0].what, What::Came);
    told.clear();
    Diff many;
    for (int i = 0; i <= AppMapModel::kNewsMax; ++i) many.pods.put.push_back(pod("web", ("7c9f4-" + std::to_string(i)).c_str()));
    s.state.apply(std::move(many));
    m.compute();
    QVERIFY(told.isEmpty());
    // Hidden and shown again: what came in between is there, and no news.
    m.setActive(false);
    Diff hidden;
    hidden.pods.put = {pod("web", "7c9f4-z")};
    s.state.apply(std::move(hidden));
    m.setActive(true);
    QVERIFY(told.isEmpty());
  }

  void aRollout() {
    Session s;
    fill(s);
    AppMapModel m(&s);
    m.setActive(true);
    m.apply({{set("web-7c9f4", "web", 1, 3), false}, {set("web-9d2aa", "web", 2, 4), false}});
    Diff d;
    auto w = sample::app("default", "web", 2, 2, "web:2", 1000);
    w.updated = 1;
    d.workloads.put = {w};
    d.pods.put = {pod("web", "9d2aa-x", PodState::Starting)};
    d.pods.gone = {"default/web-7c9f4-a"};
    s.state.apply(d);
    m.compute();
    auto& g = m.apps()[0];
    QCOMPARE(int(g.sets.size()), 2);
    QCOMPARE(g.sets[0].box.name, QString("web-9d2aa"));  // the newest first
    QCOMPARE(g.sets[0].box.tone, Tone::Warn);
    QCOMPARE(g.sets[1].box.name, QString("web-7c9f4"));
    QCOMPARE(g.headline, QString("rolling out: 1 of 2 new · 1 of 2 ready"));
    QCOMPARE(g.tone, Tone::Info);
  }

  void podsKeepTheirSlots() {
    Session s;
    fill(s);
    AppMapModel m(&s);
    m.setActive(true);
    Diff d;
    d.pods.put = {pod("web", "7c9f4-c")};
    s.state.apply(d);
    m.compute();
    auto order = [&] {
      QStringList out;
      for (auto& t : m.apps()[0].sets[0].tiles) out << t.pod.right(1);
      return out.join(',');
    };
    QCOMPARE(order(), QString("a,b,c"));
    d = {};
    d.pods.gone = {"default/web-7c9f4-a"};
    s.state.apply(d);
    m.compute();
    QCOMPARE(order(), QString(",b,c"));
    d = {};
    d.pods.put = {pod("web", "7c9f4-z"), pod("web", "7c9f4-y")};
    s.state.apply(d);
    m.compute();
    QCOMPARE(order(), QString("y,b,c,z"));
    d = {};
    d.pods.gone = {"default/web-7c9f4-z", "default/web-7c9f4-c"};
    s.state.apply(d);
    m.compute();
    QCOMPARE(order(), QString("y,b"));
  }

  // What a template names: there, missing, missing but optional, waiting; and told only when it is known.
  void uses() {
    Session s;
    s.state.setLink(Link::Live);
    AppMapModel m(&s);
    m.setActive(true);
    m.apply({{made(Kind::StatefulSet, kDb),
              false}});
    m.compute();
    auto g = [&]() -> const AppGraph& { return m.apps()[0]; };
    QCOMPARE(int(g().uses.size()), 4);
    for (auto& u : g().uses) QVERIFY2(!u.missing, qPrintable(u.name));  // nobody knows yet
    for (auto kind : {Kind::ConfigMap, Kind::Secret, Kind::Claim}) m.setListed(kind, Listed::Yes);
    m.apply({{made(Kind::Claim, kDataPending), false}});
    m.compute();
    QHash<QString, AppEntry> by;
    for (auto& u : g().uses) by[u.name] = u;
    QVERIFY(by["conf"].missing && by["conf"].tone == Tone::Error);
    QVERIFY(by["extra"].missing && by["extra"].tone == Tone::Plain);
    QCOMPARE(by["data"].tone, Tone::Warn);
    QCOMPARE(by["data"].subject, (ObjectRef{"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "default", "data"}.subject()));
    QCOMPARE(g().headline, QString("ConfigMap conf is missing"));
    QCOMPARE(g().tone, Tone::Error);
    m.apply({{made(Kind::ConfigMap, kConf), false},
             {made(Kind::Secret, kKey), false},
             {made(Kind::Claim, kDataBound), false}});
    m.compute();
    QCOMPARE(g().headline, QString("0 of 1 ready"));
    QCOMPARE(g().tone, Tone::Warn);
    m.apply({{made(Kind::Secret, kKey), true}});
    m.compute();
    QCOMPARE(g().headline, QString("Secret key is missing"));
    // One that may not be looked at is not called missing.
    m.setListed(Kind::Secret, Listed::Refused);
    m.compute();
    QCOMPARE(g().tone, Tone::Warn);
  }

  void entrancesThatLeadNowhere() {
    Session s;
    fill(s);
    Diff d;
    service(d, "typo", "wbe");
    s.state.apply(d);
    AppMapModel m(&s);
    m.apply({{way("shop", "web"), false}, {way("old", "gone"), false}});
    m.setActive(true);
    QCOMPARE(int(m.apps().size()), 3);
    auto* typo = m.app(appKey("Service", "default", "typo"));
    QVERIFY(typo);
    QCOMPARE(typo->headline, QString("selects no pods"));
    QCOMPARE(typo->tone, Tone::Warn);
    auto* old = m.app(appKey("Ingress", "default", "old"));
    QVERIFY(old);
    QCOMPARE(old->headline, QString("leads to gone, which is not there"));
    m.apply({{way("old", "gone"), true}});
    m.compute();
    QCOMPARE(int(m.apps().size()), 2);
  }

  // A burst is one change; what does not show is none; while it is off, nothing is done.
  void changesAreFew() {
    Session s;
    fill(s);
    AppMapModel m(&s);
    QSignalSpy spy(&m, &AppMapModel::changed);
    m.setActive(true);
    QCOMPARE(spy.count(), 1);
    QCOMPARE(spy.last()[0].toBool(), true);
    for (int i = 0; i < 20; ++i) {
      Diff d;
      d.pods.put = {pod("web", "7c9f4-a", i % 2 ? PodState::Starting : PodState::Failing)};
      s.state.apply(d);
    }
    QTRY_COMPARE(spy.count(), 2);
    QCOMPARE(spy.last()[0].toBool(), false);  // nothing came or went
    Diff same;
    same.pods.put = {pod("web", "7c9f4-a", PodState::Starting)};
    s.state.apply(same);
    m.compute();
    QCOMPARE(spy.count(), 2);
    m.setActive(false);
    Diff d;
    d.pods.put = {pod("web", "7c9f4-a", PodState::Ready)};
    s.state.apply(d);
    m.compute();
    QCOMPARE(spy.count(), 2);
    m.setActive(true);
    QCOMPARE(spy.count(), 3);
    QCOMPARE(m.apps()[0].ready, 2);
  }

  void filter() {
    Session s;
    fill(s);
    Diff d;
    d.workloads.put = {sample::app("other", "mailer", 1, 0, "m:1", 1000)};
    s.state.apply(d);
    AppMapModel m(&s);
    m.apply({{way("shop", "web"), false}});
    m.setActive(true);
    QCOMPARE(m.fitting(), 2);
    m.setFilter("SHOP.lab  web");
    QVERIFY(m.filtering());
    QCOMPARE(m.fitting(), 1);
    QVERIFY(m.app(web())->fits);
    QVERIFY(!m.app(appKey("Deployment", "other", "mailer"))->fits);
    m.setFilter({});
    QCOMPARE(m.fitting(), 2);
  }

  void whatComesOverTheWire() {
    auto p = made(Kind::ReplicaSet, kOldSet);
    QCOMPARE(p.key(), QString("a/x-1"));
    QCOMPARE(p.ownerName, QString("x"));
    QCOMPARE(p.revision, 4);
    QCOMPARE(p.wanted, 0);
    QCOMPARE(made(Kind::StatefulSet, kBare).wanted, 1);
    QVERIFY(made(Kind::Job, kDone).over);
    // Nonsense is read as nothing.
    const auto bad = made(Kind::Ingress, kCrooked);
    QVERIFY(bad.name.isEmpty() && bad.routes.isEmpty());
    made(Kind::StatefulSet, kList);
  }

  // Lists and watches while it is shown; a kind that is refused is left out; secrets are never read whole.
  void followsTheServer() {
    auto executor = makeThreadExecutor(1, "test");
    auto client = std::make_shared<ListClient>(executor);
    for (auto* path : {"/apis/apps/v1/replicasets", "/apis/apps/v1/daemonsets", "/apis/batch/v1/jobs", "/api/v1/configmaps",
                       "/apis/networking.k8s.io/v1/ingresses", "/api/v1/persistentvolumeclaims"})
      client->lists[path] = "";
    client->lists["/apis/apps/v1/statefulsets"] = kTwoDbs;
    Session s;
    s.connectTo(client, executor);
    QTRY_COMPARE(s.state.link(), Link::Live);
    AppMapModel m(&s);
    QVERIFY(client->watchOf("/api/v1/configmaps") == nullptr);
    m.setActive(true);
    QTRY_VERIFY(!m.loading());
    QTRY_COMPARE(int(m.apps().size()), 1);
    QTRY_COMPARE(m.apps()[0].headline, QString("ConfigMap conf is missing"));
    QVERIFY(!m.apps()[0].uses[1].missing);
    {
      std::lock_guard lock(client->mutex);
      int secrets = 0;
      for (auto& a : client->asked) {
        if (!a.startsWith("/api/v1/secrets")) continue;
        ++secrets;
        QVERIFY2(a.contains("PartialObjectMetadata"), qPrintable(a));
      }
      QVERIFY(secrets > 0);
    }
    QTRY_VERIFY(client->watchOf("/api/v1/configmaps") != nullptr);
    client->watchOf("/api/v1/configmaps")(kConfAdded);
    QTRY_COMPARE(m.apps()[0].headline, QString("0 of 2 ready"));
    QTRY_VERIFY(client->watchOf("/apis/apps/v1/statefulsets") != nullptr);
    client->watchOf("/apis/apps/v1/statefulsets")(kDbDeleted);
    QTRY_COMPARE(int(m.apps().size()), 0);
    m.setActive(false);
    s.disconnectFrom();
  }
};

QTEST_GUILESS_MAIN(AppMapTest)
#include "app_map_test.moc"
