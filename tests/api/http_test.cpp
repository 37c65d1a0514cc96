// The API over plain HTTP: what kubectl does not show. Watches, pages, tables, preconditions, deletion, subresources.
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QSet>
#include <QTest>

#include "tests/support/engine/checks.h"

using namespace ph;
using namespace ph::test;

namespace {

QJsonValue valueOf(const QByteArray& body) { return QJsonDocument::fromJson(body).object(); }
QString revisionOf(const QByteArray& body) { return valueOf(body)["metadata"]["resourceVersion"].toString(); }
std::string rv(const QByteArray& body) { return revisionOf(body).toStdString(); }

}  // namespace

class HttpTest : public QObject {
  Q_OBJECT
  std::unique_ptr<EngineProcess> engine_;
  std::unique_ptr<Http> http_;
  int made_ = 0;
  std::string ns_, maps_, items_, pods_;

  static std::string configMap(const std::string& name, const std::string& labels = "{}") {
    return q("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'") + name + q("','labels':") + labels + q("},'data':{'k':'v'}}");
  }
  // Of a kind that nothing else makes objects of.
  static std::string item(const std::string& name) {
    return q("{'apiVersion':'v1','kind':'PodTemplate','metadata':{'name':'") + name +
           q("'},'template':{'metadata':{'labels':{'k':'v'}},'spec':{'containers':[{'name':'c','image':'i:1'}]}}}");
  }
  static std::string pod(const std::string& name) {
    return q("{'apiVersion':'v1','kind':'Pod','metadata':{'name':'") + name + q("'},'spec':{'schedulerName':'none','containers':[{'name':'c','image':'i:1'}]}}");
  }
  static QString type(const std::optional<QByteArray>& line) { return line ? valueOf(*line)["type"].toString() : "nothing"; }
  static QString name(const std::optional<QByteArray>& line) {
    return line ? valueOf(*line)["object"]["metadata"]["name"].toString() : "nothing";
  }

 private slots:
  void initTestCase() {
    engine_ = std::make_unique<EngineProcess>();
    QVERIFY2(engine_->start(), qPrintable(engine_->log()));
    http_ = std::make_unique<Http>(*engine_, Http::admin(*engine_));
  }
  // Each function has a namespace of its own.
  void init() {
    ns_ = "t" + std::to_string(++made_);
    maps_ = "/api/v1/namespaces/" + ns_ + "/configmaps";
    items_ = "/api/v1/namespaces/" + ns_ + "/podtemplates";
    pods_ = "/api/v1/namespaces/" + ns_ + "/pods";
    auto made = http_->post("/api/v1/namespaces", q("{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'") + ns_ + q("'}}"));
    CODE(made, 201);
    // Every namespace holds this one soon: what comes after it is the test's own. Secrets are the test's alone.
    QTRY_COMPARE(http_->get(maps_ + "/kube-root-ca.crt").code, 200);
  }

  // ---- protobuf ---------------------------------------------------------------------------------------------------

  void clientsThatAskForProtobufGetIt() {
    const std::string accept = "application/vnd.kubernetes.protobuf,application/json";
    CODE(http_->post(maps_, configMap("a")), 201);
    auto got = http_->get(maps_ + "/a", accept);
    CODE(got, 200);
    QCOMPARE(std::string(got.headers.get("content-type")), std::string("application/vnd.kubernetes.protobuf"));
    QVERIFY(got.body.startsWith(QByteArray("k8s\0", 4)));
    auto listed = http_->get(maps_, accept);
    CODE(listed, 200);
    QVERIFY(listed.body.startsWith(QByteArray("k8s\0", 4)) && listed.body.contains("ConfigMapList"));
    auto missing = http_->get(maps_ + "/none", accept);
    CODE(missing, 404);
    QCOMPARE(std::string(missing.headers.get("content-type")), std::string("application/vnd.kubernetes.protobuf"));
    QVERIFY(missing.body.contains("Status") && missing.body.contains("NotFound"));
    // What was read can be written: the same bytes to another place.
    auto body = got.body;
    auto back = http_->send("PUT", maps_ + "/a", body.toStdString(),
                            {{"content-type", "application/vnd.kubernetes.protobuf"}, {"accept", accept}});
    CODE(back, 200);
    QVERIFY(back.body.startsWith(QByteArray("k8s\0", 4)));
    // A Table has no protobuf form: the next of the choices, or none.
    auto table = http_->get(maps_, "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/json;as=Table;g=meta.k8s.io;v=v1");
    CODE(table, 200);
    QCOMPARE(valueOf(table.body)["kind"].toString(), "Table");
    CODE(http_->get(maps_, "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1"), 406);
    auto unknown = http_->get(maps_, "text/html");
    CODE(unknown, 406);
    QCOMPARE(valueOf(unknown.body)["reason"].toString(), "NotAcceptable");
    auto deleted = http_->send("DELETE", maps_ + "/a", {}, {{"accept", accept}});
    CODE(deleted, 200);
    QVERIFY(deleted.body.startsWith(QByteArray("k8s\0", 4)));
  }

  void aWatchInProtobufIsFramed() {
    auto stream = http_->watch(maps_ + "?watch=true&timeoutSeconds=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
                               "application/vnd.kubernetes.protobuf;stream=watch,application/json");
    QCOMPARE(stream.code(), 200);
    CODE(http_->post(maps_, configMap("a")), 201);
    QVERIFY(stream.waitEnd());
    // Lines are no unit here: put the stream together again.
    QByteArray all;
    while (auto part = stream.next(100)) all += *part + "\n";
    auto rest = stream.rest();
    all += rest;
    QStringList types;
    while (all.size() >= 4) {
      qsizetype size = 0;
      for (int i = 0; i < 4; ++i) size = size << 8 | uchar(all[i]);
      QVERIFY2(all.size() >= size + 4, qPrintable(QString::number(size)));
      auto frame = all.mid(4, size);
      all.remove(0, size + 4);
      QCOMPARE(frame[0], char(0x0a));
      types << QString::fromUtf8(frame.mid(2, frame[1]));
      QVERIFY(frame.contains(QByteArray("k8s\0", 4)) && frame.contains("ConfigMap"));
    }
    QVERIFY(all.isEmpty());
    QVERIFY2(types.startsWith("BOOKMARK") || types.startsWith("ADDED"), qPrintable(types.join(' ')));
    QVERIFY2(types.contains("BOOKMARK") && types.contains("ADDED"), qPrintable(types.join(' ')));
  }

  // ---- watch ------------------------------------------------------------------------------------------------------

  void aWatchWithoutRevisionBeginsWithWhatIs() {
    CODE(http_->post(items_, item("a")), 201);
    CODE(http_->post(items_, item("b")), 201);
    auto lines = http_->watch(items_ + "?watch=true");
    QCOMPARE(lines.code(), 200);
    QSet<QString> seen;
    for (int i = 0; i < 2; ++i) {
      auto line = lines.next();
      QCOMPARE(type(line), "ADDED");
      seen << name(line);
    }
    QCOMPARE(seen, (QSet<QString>{"a", "b"}));
    CODE(http_->patch(items_ + "/a", q("{'metadata':{'labels':{'k':'w'}}}")), 200);
    auto line = lines.next();
    QCOMPARE(type(line), "MODIFIED");
    QCOMPARE(name(line), "a");
    auto deleted = http_->del(items_ + "/b");
    CODE(deleted, 200);
    line = lines.next();
    QCOMPARE(type(line), "DELETED");
    QCOMPARE(name(line), "b");
    QVERIFY(valueOf(*line)["object"]["metadata"]["resourceVersion"].toString().toLongLong() > 0);
  }

  void aWatchGoesOnFromItsRevision() {
    auto first = http_->post(maps_, configMap("a"));
    CODE(http_->post(maps_, configMap("b")), 201);
    auto lines = http_->watch(maps_ + "?watch=true&resourceVersion=" + rv(first.body));
    auto line = lines.next();
    QCOMPARE(type(line), "ADDED");
    QCOMPARE(name(line), "b");
    auto future = http_->get(maps_ + "?watch=true&resourceVersion=99999999");
    CODE(future, 504);
    QVERIFY(future.body.contains("Too large resource version"));
  }

  void aSelectorTurnsChangesIntoComingsAndGoings() {
    auto list = http_->get(maps_);
    auto lines = http_->watch(maps_ + "?watch=true&labelSelector=in%3Dyes&resourceVersion=" + rv(list.body));
    QCOMPARE(lines.code(), 200);
    CODE(http_->post(maps_, configMap("a")), 201);
    CODE(http_->patch(maps_ + "/a", q("{'metadata':{'labels':{'in':'yes'}}}")), 200);
    QCOMPARE(type(lines.next()), "ADDED");
    CODE(http_->patch(maps_ + "/a", q("{'data':{'k':'2'}}")), 200);
    QCOMPARE(type(lines.next()), "MODIFIED");
    CODE(http_->patch(maps_ + "/a", q("{'metadata':{'labels':{'in':null}}}")), 200);
    QCOMPARE(type(lines.next()), "DELETED");
    CODE(http_->del(maps_ + "/a"), 200);
    CODE(http_->post(maps_, configMap("z", q("{'in':'yes'}"))), 201);
    auto line = lines.next();
    QCOMPARE(type(line), "ADDED");
    QCOMPARE(name(line), "z");
  }

  void aNodesPodsAreWatchedByTheirNode() {
    auto list = http_->get("/api/v1/pods");
    auto lines = http_->watch("/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dw1&resourceVersion=" + rv(list.body));
    QCOMPARE(lines.code(), 200);
    CODE(http_->post(pods_, pod("a")), 201);
    CODE(http_->post(pods_, pod("b")), 201);
    auto bind = [&](const std::string& pod, const std::string& node) {
      return http_->post(pods_ + "/" + pod + "/binding", q("{'apiVersion':'v1','kind':'Binding','metadata':{'name':'") + pod + q("'},'target':{'kind':'Node','name':'") + node + q("'}}"));
    };
    CODE(bind("a", "w2"), 201);
    CODE(bind("b", "w1"), 201);
    auto line = lines.next();
    QCOMPARE(type(line), "ADDED");
    QCOMPARE(name(line), "b");
    CODE(http_->del(pods_ + "/b?gracePeriodSeconds=0"), 200);
    line = lines.next();
    QCOMPARE(type(line), "DELETED");
  }

  void initialEventsEndWithABookmark() {
    CODE(http_->post(items_, item("a")), 201);
    auto lines = http_->watch(items_ + "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
    QCOMPARE(type(lines.next()), "ADDED");
    auto mark = lines.next();
    QCOMPARE(type(mark), "BOOKMARK");
    QCOMPARE(valueOf(*mark)["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"].toString(), "true");
    CODE(http_->get(items_ + "?watch=true&sendInitialEvents=true"), 422);
    auto table = http_->watch(items_ + "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
                              "application/json;as=Table;v=v1;g=meta.k8s.io");
    QCOMPARE(type(table.next()), "ADDED");
    mark = table.next();
    QCOMPARE(type(mark), "BOOKMARK");
    auto row = valueOf(*mark)["object"]["rows"][0];
    QCOMPARE(row["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"].toString(), "true");
    QVERIFY(row["cells"].toArray().size() > 1);
  }

  void aWatchEndsAfterItsTime() {
    auto lines = http_->watch(maps_ + "?watch=true&timeoutSeconds=1");
    QCOMPARE(lines.code(), 200);
    QVERIFY(lines.waitEnd(5000));
  }

  void watchersShareEventsInTheirOwnForms() {
    auto list = http_->get(items_);
    std::string query = "?watch=true&resourceVersion=" + rv(list.body);
    auto plain = http_->watch(items_ + query);
    auto table = http_->watch(items_ + query, "application/json;as=Table;v=v1;g=meta.k8s.io");
    auto partial = http_->watch(items_ + query, "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io");
    CODE(http_->post(items_, item("a")), 201);
    auto line = plain.next();
    QVERIFY(line);
    QCOMPARE(valueOf(*line)["object"]["kind"].toString(), "PodTemplate");
    line = table.next();
    QVERIFY(line);
    QCOMPARE(valueOf(*line)["object"]["kind"].toString(), "Table");
    QCOMPARE(valueOf(*line)["object"]["rows"][0]["cells"][0].toString(), "a");
    line = partial.next();
    QVERIFY(line);
    QCOMPARE(valueOf(*line)["object"]["kind"].toString(), "PartialObjectMetadata");
    QVERIFY(!valueOf(*line)["object"].toObject().contains("template"));
  }

  // ---- lists ------------------------------------------------------------------------------------------------------

  void pagesComeFromOneSnapshot() {
    for (auto n : {"a", "b", "c", "d", "e"}) CODE(http_->post(items_, item(n)), 201);
    auto first = http_->get(items_ + "?limit=2");
    CODE(first, 200);
    auto page = valueOf(first.body);
    QCOMPARE(page["items"].toArray().size(), 2);
    QCOMPARE(page["metadata"]["remainingItemCount"].toInt(), 3);
    auto revision = revisionOf(first.body);
    CODE(http_->del(items_ + "/d"), 200);
    CODE(http_->post(items_, item("f")), 201);
    QStringList names;
    auto token = page["metadata"]["continue"].toString();
    while (!token.isEmpty()) {
      auto next = http_->get(items_ + "?limit=2&continue=" + net::percentEncode(token.toStdString()));
      CODE(next, 200);
      QCOMPARE(revisionOf(next.body), revision);
      for (const QJsonValue item : valueOf(next.body)["items"].toArray()) names << item["metadata"]["name"].toString();
      token = valueOf(next.body)["metadata"]["continue"].toString();
    }
    QCOMPARE(names, (QStringList{"c", "d", "e"}));
    CODE(http_->get(items_ + "?limit=2&continue=bm9uc2Vuc2U"), 400);
    CODE(http_->get(items_ + "?limit=-1"), 400);
  }

  void revisionsOfLists() {
    auto old = http_->post(items_, item("a"));
    CODE(http_->post(items_, item("b")), 201);
    auto exact = http_->get(items_ + "?resourceVersionMatch=Exact&resourceVersion=" + rv(old.body));
    CODE(exact, 200);
    QCOMPARE(valueOf(exact.body)["items"].toArray().size(), 1);
    auto notOlder = http_->get(items_ + "?resourceVersionMatch=NotOlderThan&resourceVersion=" + rv(old.body));
    QCOMPARE(valueOf(notOlder.body)["items"].toArray().size(), 2);
    CODE(http_->get(items_ + "?resourceVersion=99999999"), 504);
    auto page = http_->get(items_ + "?limit=10&resourceVersion=" + rv(old.body));  // a page of a named revision is of it
    QCOMPARE(valueOf(page.body)["items"].toArray().size(), 1);
    QCOMPARE(rv(page.body), rv(old.body));
    auto refused = http_->get(items_ + "?resourceVersionMatch=Exact");
    CODE(refused, 422);
    QCOMPARE(valueOf(refused.body)["details"]["causes"][0]["field"].toString(), "resourceVersionMatch");
    CODE(http_->get(items_ + "?resourceVersion=x"), 400);
    CODE(http_->get(items_ + "?sendInitialEvents=true"), 422);
  }

  void aWatchThatEndsSaysHowFarItCame() {
    CODE(http_->post(items_, item("a")), 201);
    auto lines = http_->watch(items_ + "?watch=true&timeoutSeconds=1&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dnone");
    QCOMPARE(lines.code(), 200);
    auto later = http_->post(items_, item("b"));
    CODE(later, 201);
    auto line = lines.next();
    QCOMPARE(type(line), "BOOKMARK");
    QVERIFY(valueOf(*line)["object"]["metadata"]["resourceVersion"].toString().toLongLong() >= revisionOf(later.body).toLongLong());
    QVERIFY(lines.waitEnd());
  }

  void tablesAndPartialObjects() {
    CODE(http_->post(maps_, configMap("a")), 201);
    auto table = http_->get(maps_, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
    CODE(table, 200);
    auto t = valueOf(table.body);
    QCOMPARE(t["kind"].toString(), "Table");
    QCOMPARE(t["apiVersion"].toString(), "meta.k8s.io/v1");
    QCOMPARE(t["columnDefinitions"][0]["name"].toString(), "Name");
    auto row = t["rows"][0];
    QCOMPARE(row["cells"][0].toString(), "a");
    QCOMPARE(row["object"]["kind"].toString(), "PartialObjectMetadata");
    QVERIFY(valueOf(http_->get(maps_ + "?includeObject=None", "application/json;as=Table;v=v1;g=meta.k8s.io").body)["rows"][0]["object"].isUndefined());
    QCOMPARE(valueOf(http_->get(maps_ + "?includeObject=Object", "application/json;as=Table;v=v1;g=meta.k8s.io").body)["rows"][0]["object"]["data"]["k"].toString(), "v");
    auto partial = http_->get(maps_, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
    QCOMPARE(valueOf(partial.body)["kind"].toString(), "PartialObjectMetadataList");
    CODE(http_->get(maps_, "application/x-unheard-of"), 406);
    auto yaml = http_->get(maps_ + "/a", "application/yaml");
    CODE(yaml, 200);
    QVERIFY(yaml.body.contains("kind: ConfigMap\n"));
  }

  void eventsByTheirSource() {
    // Those of events.k8s.io name who reports in another field.
    auto event = [&](const std::string& name, const std::string& who) {
      return q("{'metadata':{'name':'") + name + q("'},'involvedObject':{'kind':'Pod','namespace':'default','name':'p'},'reason':'R','message':'m',") + q(who.c_str()) + "}";
    };
    CODE(http_->post("/api/v1/namespaces/default/events", event("one", "'source':{'component':'watcher'}")), 201);
    CODE(http_->post("/api/v1/namespaces/default/events", event("two", "'reportingComponent':'watcher','reportingInstance':'w1'")), 201);
    auto found = valueOf(http_->get("/api/v1/namespaces/default/events?fieldSelector=source%3Dwatcher").body);
    QCOMPARE(found["items"].toArray().size(), 2);
    found = valueOf(http_->get("/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=reportingController%3Dwatcher").body);
    QCOMPARE(found["items"].toArray().size(), 1);
  }

  void blanksAroundAHeaderAreNoReasonToRefuse() {
    // What Go's clients send when a user agent ends in a blank.
    CODE(http_->send("GET", maps_, {}, {{"user-agent", "e2e.test/v1.20 -- a name that ends in a blank "}}), 200);
  }

  // ---- writes -----------------------------------------------------------------------------------------------------

  void createMakesNamesAndIdentity() {
    auto made = http_->post(maps_, q("{'metadata':{'generateName':'x-','uid':'mine','resourceVersion':''},'data':{}}"));
    CODE(made, 201);
    QJsonValue metadata = valueOf(made.body)["metadata"];
    QVERIFY(metadata["name"].toString().startsWith("x-") && metadata["name"].toString().size() == 7);
    QVERIFY(metadata["uid"].toString() != "mine");
    QVERIFY(!metadata["creationTimestamp"].toString().isEmpty());
    CODE(http_->post(maps_, q("{'data':{}}")), 422);
    CODE(http_->post(maps_, "{\"metadata\":{\"name\":\"a\",\"namespace\":\"default\"}}"), 400);
    CODE(http_->post(maps_, q("{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'}}")), 400);
    CODE(http_->post(maps_, "{nonsense"), 400);
    CODE(http_->send("POST", maps_, "<xml/>", {{"content-type", "application/xml"}}), 415);
    CODE(http_->send("POST", maps_, "metadata:\n  name: yam\ndata:\n  a: b\n", {{"content-type", "application/yaml"}}), 201);
    CODE(http_->post("/api/v1/namespaces/nowhere/configmaps", configMap("a")), 404);
  }

  void updatesHaveConflicts() {
    auto made = http_->post(maps_, configMap("a"));
    auto changed = http_->put(maps_ + "/a", QByteArray(made.body).replace("\"v\"", "\"w\"").toStdString());
    CODE(changed, 200);
    auto stale = http_->put(maps_ + "/a", QByteArray(made.body).replace("\"v\"", "\"x\"").toStdString());
    CODE(stale, 409);
    QCOMPARE(valueOf(stale.body)["message"].toString(),
             "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again");
    QCOMPARE(valueOf(stale.body)["details"]["name"].toString(), "a");
    CODE(http_->put(maps_ + "/a", configMap("a")), 200);  // without a revision: no precondition
    CODE(http_->put(maps_ + "/b", configMap("b")), 404);
    CODE(http_->put(maps_ + "/a", configMap("b")), 400);
    auto before = http_->get(maps_ + "/a");
    auto same = http_->put(maps_ + "/a", before.body.toStdString());
    QCOMPARE(revisionOf(same.body), revisionOf(before.body));  // nothing changed: no new revision
    auto patched = http_->patch(maps_ + "/a", q("{'data':{'k':'v'}}"));
    QCOMPARE(revisionOf(patched.body), revisionOf(before.body));
    CODE(http_->patch(maps_ + "/a", q("{'metadata':{'resourceVersion':'1'},'data':{'k':'9'}}")), 409);
    CODE(http_->patch(maps_ + "/a", q("{'metadata':{'uid':'other'},'data':{'k':'9'}}")), 409);
    CODE(http_->send("PATCH", maps_ + "/a", "{}", {{"content-type", "text/plain"}}), 415);
  }

  void manyPatchesAtOnceAllCount() {
    CODE(http_->post(maps_, configMap("a")), 201);
    std::atomic<int> done{0}, good{0};
    for (int i = 0; i < 100; ++i) {
      net::Request request;
      request.method = "PATCH";
      request.path = maps_ + "/a";
      request.headers.add("content-type", "application/merge-patch+json");
      request.body = q("{'data':{'key") + std::to_string(i) + q("':'x'}}");
      http_->client()->send(std::move(request), std::chrono::seconds(20), [&](Result<net::Response> r) {
        if (r.ok() && r->status == 200) ++good;
        ++done;
      });
    }
    QTRY_COMPARE(done.load(), 100);
    QCOMPARE(good.load(), 100);
    QCOMPARE(valueOf(http_->get(maps_ + "/a").body)["data"].toObject().size(), 101);
  }

  void dryRunChangesNothing() {
    CODE(http_->post(maps_ + "?dryRun=All", configMap("a")), 201);
    CODE(http_->get(maps_ + "/a"), 404);
    CODE(http_->post(maps_, configMap("a")), 201);
    auto patched = http_->patch(maps_ + "/a?dryRun=All", q("{'data':{'k':'other'}}"));
    CODE(patched, 200);
    QVERIFY(patched.body.contains("other"));
    QVERIFY(!http_->get(maps_ + "/a").body.contains("other"));
    CODE(http_->del(maps_ + "/a?dryRun=All"), 200);
    CODE(http_->get(maps_ + "/a"), 200);
    CODE(http_->post(maps_ + "?dryRun=Some", configMap("z")), 422);
  }

  void unknownFieldsAreWarnedOfOrRefused() {
    std::string body = q("{'metadata':{'name':'a'},'data':{'k':'v'},'dato':{'x':'y'}}");
    auto strict = http_->post(maps_ + "?fieldValidation=Strict", body);
    CODE(strict, 400);
    QCOMPARE(valueOf(strict.body)["message"].toString(),
             "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"dato\"");
    auto warned = http_->post(maps_, body);
    CODE(warned, 201);
    QCOMPARE(QString::fromStdString(std::string(warned.headers.get("warning"))), "299 - \"unknown field \\\"dato\\\"\"");
    QVERIFY(!warned.body.contains("dato"));
    auto ignored = http_->put(maps_ + "/a?fieldValidation=Ignore", body);
    CODE(ignored, 200);
    QVERIFY(!ignored.headers.has("warning"));
    auto twice = http_->post(maps_ + "?fieldValidation=Strict", q("{'metadata':{'name':'b'},'data':{'k':'v','k':'w'}}"));
    CODE(twice, 400);
    QVERIFY(twice.body.contains("duplicate field"));
  }

  void tooLargeABodyIsRefused() {
    auto big = http_->post(maps_, q("{'metadata':{'name':'big'},'data':{'k':'") + std::string(4 * 1024 * 1024, 'x') + "\"}}");
    QVERIFY2(big.code == 413, qPrintable(QString::number(big.code) + big.body.left(200)));
    CODE(http_->get(maps_ + "/big"), 404);
    CODE(http_->get("/readyz"), 200);
  }

  // ---- deletion ---------------------------------------------------------------------------------------------------

  void deletionPreconditions() {
    auto made = http_->post(maps_, configMap("a"));
    CODE(http_->del(maps_ + "/a", q("{'preconditions':{'uid':'other'}}")), 409);
    CODE(http_->del(maps_ + "/a", q("{'preconditions':{'resourceVersion':'1'}}")), 409);
    auto uid = valueOf(made.body)["metadata"]["uid"].toString().toStdString();
    auto gone = http_->del(maps_ + "/a", q("{'preconditions':{'uid':'") + uid + "\"}}");
    CODE(gone, 200);
    QCOMPARE(valueOf(gone.body)["status"].toString(), "Success");
    QCOMPARE(valueOf(gone.body)["details"]["uid"].toString().toStdString(), uid);
    CODE(http_->del(maps_ + "/a"), 404);
  }

  void finalizersHoldAnObject() {
    CODE(http_->post(maps_, q("{'metadata':{'name':'a','finalizers':['example.com/hold']}}")), 201);
    auto asked = http_->del(maps_ + "/a");
    CODE(asked, 200);
    QCOMPARE(valueOf(asked.body)["kind"].toString(), "ConfigMap");
    QVERIFY(!valueOf(asked.body)["metadata"]["deletionTimestamp"].isUndefined());
    CODE(http_->patch(maps_ + "/a", q("{'metadata':{'finalizers':['example.com/hold','example.com/more']}}")), 422);
    CODE(http_->patch(maps_ + "/a", q("{'metadata':{'finalizers':null}}")), 200);
    CODE(http_->get(maps_ + "/a"), 404);
  }

  void ownersAndPropagation() {
    auto owner = http_->post(maps_, configMap("owner"));
    auto uid = valueOf(owner.body)["metadata"]["uid"].toString().toStdString();
    auto child = [&](const std::string& name) {
      return q("{'metadata':{'name':'") + name + q("','ownerReferences':[{'apiVersion':'v1','kind':'ConfigMap','name':'owner','uid':'") + uid + q("','blockOwnerDeletion':true}]}}");
    };
    CODE(http_->post(maps_, child("child")), 201);
    auto asked = http_->del(maps_ + "/owner?propagationPolicy=Foreground");
    CODE(asked, 200);
    QVERIFY(asked.body.contains("foregroundDeletion") || valueOf(asked.body)["status"].toString() == "Success");
    QTRY_COMPARE(http_->get(maps_ + "/child").code, 404);
    QTRY_COMPARE(http_->get(maps_ + "/owner").code, 404);
    owner = http_->post(maps_, configMap("owner"));
    uid = valueOf(owner.body)["metadata"]["uid"].toString().toStdString();
    CODE(http_->post(maps_, child("orphan")), 201);
    CODE(http_->del(maps_ + "/owner?propagationPolicy=Orphan"), 200);
    QTRY_COMPARE(http_->get(maps_ + "/owner").code, 404);
    QTRY_VERIFY(!http_->get(maps_ + "/orphan").body.contains("ownerReferences"));
    CODE(http_->del(maps_ + "/orphan?propagationPolicy=Sideways"), 422);
  }

  void podsGoGracefully() {
    CODE(http_->post(pods_, pod("unbound")), 201);
    CODE(http_->del(pods_ + "/unbound"), 200);
    CODE(http_->get(pods_ + "/unbound"), 404);  // it ran nowhere
    CODE(http_->post(pods_, pod("bound")), 201);
    CODE(http_->post(pods_ + "/bound/binding", q("{'metadata':{'name':'bound'},'target':{'kind':'Node','name':'elsewhere'}}")), 201);
    auto asked = http_->del(pods_ + "/bound");
    CODE(asked, 200);
    QCOMPARE(valueOf(asked.body)["metadata"]["deletionGracePeriodSeconds"].toInt(), 30);
    auto first = valueOf(asked.body)["metadata"]["deletionTimestamp"].toString();
    auto sooner = http_->del(pods_ + "/bound?gracePeriodSeconds=5");
    QCOMPARE(valueOf(sooner.body)["metadata"]["deletionGracePeriodSeconds"].toInt(), 5);
    QVERIFY(valueOf(sooner.body)["metadata"]["deletionTimestamp"].toString() < first);
    auto later = http_->del(pods_ + "/bound?gracePeriodSeconds=60");
    QCOMPARE(valueOf(later.body)["metadata"]["deletionGracePeriodSeconds"].toInt(), 5);
    auto again = http_->post(pods_ + "/bound/binding", q("{'metadata':{'name':'bound'},'target':{'kind':'Node','name':'n'}}"));
    CODE(again, 409);
    CODE(http_->del(pods_ + "/bound?gracePeriodSeconds=0"), 200);
    CODE(http_->get(pods_ + "/bound"), 404);
  }

  void deleteCollectionTakesWhatMatches() {
    CODE(http_->post(maps_, configMap("a", q("{'x':'1'}"))), 201);
    CODE(http_->post(maps_, configMap("b", q("{'x':'1'}"))), 201);
    CODE(http_->post(maps_, configMap("c")), 201);
    auto gone = http_->del(maps_ + "?labelSelector=x%3D1");
    CODE(gone, 200);
    QCOMPARE(valueOf(gone.body)["items"].toArray().size(), 2);
    QStringList left;
    for (const QJsonValue item : valueOf(http_->get(maps_).body)["items"].toArray()) left << item["metadata"]["name"].toString();
    left.removeAll("kube-root-ca.crt");
    QCOMPARE(left, QStringList{"c"});
  }

  // ---- subresources -----------------------------------------------------------------------------------------------

  void statusAndSpecAreWrittenApart() {
    CODE(http_->post(pods_, pod("a")), 201);
    auto status = http_->patch(pods_ + "/a/status", q("{'status':{'phase':'Running','podIP':'10.0.0.9'},'spec':{'nodeName':'sneaky'},"
                                                      "'metadata':{'ownerReferences':[{'apiVersion':'v1','kind':'Pod','name':'sneaky','uid':'1'}]}}"));
    CODE(status, 200);
    QCOMPARE(valueOf(status.body)["status"]["phase"].toString(), "Running");
    QVERIFY(!status.body.contains("sneaky"));
    auto main = http_->patch(pods_ + "/a", q("{'status':{'phase':'Failed'},'metadata':{'labels':{'l':'x'}}}"));
    CODE(main, 200);
    QCOMPARE(valueOf(main.body)["status"]["phase"].toString(), "Running");
    CODE(http_->patch(pods_ + "/a", q("{'spec':{'containers':[{'name':'c','image':'i:1','command':['x']}]}}")), 422);
    CODE(http_->patch(pods_ + "/a/nonsense", "{}"), 404);
  }

  // Of the metadata what Kubernetes' kinds allow.
  void statusWritesMayNote() {
    const std::string ingresses = "/apis/networking.k8s.io/v1/namespaces/" + ns_ + "/ingresses", deployments = "/apis/apps/v1/namespaces/" + ns_ + "/deployments";
    CODE(http_->post(ingresses, q("{'metadata':{'name':'i'},'spec':{'defaultBackend':{'service':{'name':'s','port':{'number':80}}}}}")), 201);
    auto noted = q("{'metadata':{'annotations':{'note':'a'},'labels':{'l':'b'},'finalizers':['x.y/z']},'status':{'loadBalancer':{'ingress':[{'ip':'10.0.0.1'}]}}}");
    auto status = http_->patch(ingresses + "/i/status", noted);
    CODE(status, 200);
    auto object = valueOf(status.body);
    QCOMPARE(object["status"]["loadBalancer"]["ingress"][0]["ip"].toString(), "10.0.0.1");
    QCOMPARE(object["metadata"]["annotations"]["note"].toString(), "a");
    QCOMPARE(object["metadata"]["labels"]["l"].toString(), "b");
    QCOMPARE(object["metadata"]["finalizers"][0].toString(), "x.y/z");
    QVERIFY(valueOf(http_->get(ingresses + "/i").body)["metadata"]["managedFields"].toArray().last()["fieldsV1"]["f:metadata"].toObject().contains("f:annotations"));
    CODE(http_->patch(ingresses + "/i/status", q("{'metadata':{'labels':{'-':'b'}}}")), 422);
    CODE(http_->del(ingresses + "/i"), 200);
    CODE(http_->patch(ingresses + "/i/status", q("{'metadata':{'finalizers':['x.y/z','x.y/late']}}")), 422);
    CODE(http_->patch(ingresses + "/i/status", q("{'metadata':{'finalizers':null}}")), 200);
    CODE(http_->get(ingresses + "/i"), 404);
    CODE(http_->post(deployments, q("{'metadata':{'name':'noted'},'spec':{'replicas':0,'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}")), 201);
    status = http_->patch(deployments + "/noted/status", q("{'metadata':{'annotations':{'note':'a'},'labels':{'l':'b'}}}"));
    CODE(status, 200);
    QCOMPARE(valueOf(status.body)["metadata"]["annotations"]["note"].toString(), "a");
    QVERIFY(!valueOf(status.body)["metadata"].toObject().contains("labels"));
  }

  void scaleIsAViewOfReplicas() {
    std::string path = "/apis/apps/v1/namespaces/" + ns_ + "/deployments";
    auto made = http_->post(path, q("{'metadata':{'name':'web'},'spec':{'replicas':0,'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}"));
    CODE(made, 201);
    auto scale = http_->get(path + "/web/scale");
    CODE(scale, 200);
    QCOMPARE(valueOf(scale.body)["kind"].toString(), "Scale");
    QCOMPARE(valueOf(scale.body)["status"]["selector"].toString(), "a=b");
    auto wanted = valueOf(scale.body).toObject();
    auto spec = wanted["spec"].toObject();
    spec["replicas"] = 2;
    wanted["spec"] = spec;
    auto metadata = wanted["metadata"].toObject();
    metadata["resourceVersion"] = "1";
    wanted["metadata"] = metadata;
    CODE(http_->put(path + "/web/scale", QJsonDocument(wanted).toJson().toStdString()), 409);
    metadata.remove("resourceVersion");
    wanted["metadata"] = metadata;
    auto scaled = http_->put(path + "/web/scale", QJsonDocument(wanted).toJson().toStdString());
    CODE(scaled, 200);
    QCOMPARE(valueOf(scaled.body)["spec"]["replicas"].toInt(), 2);
    QCOMPARE(valueOf(http_->get(path + "/web").body)["metadata"]["generation"].toInt(), 2);
    CODE(http_->patch(path + "/web/scale", q("{'spec':{'replicas':-1}}")), 422);
    CODE(http_->patch(path + "/web/scale", q("{'spec':{'replicas':1}}")), 200);
  }

  void aPodIsBoundOnce() {
    CODE(http_->post(pods_, pod("a")), 201);
    std::atomic<int> done{0}, bound{0}, refused{0};
    for (int i = 0; i < 20; ++i) {
      net::Request request;
      request.method = "POST";
      request.path = pods_ + "/a/binding";
      request.headers.add("content-type", "application/json");
      request.body = q("{'metadata':{'name':'a'},'target':{'kind':'Node','name':'n") + std::to_string(i) + "\"}}";
      http_->client()->send(std::move(request), std::chrono::seconds(20), [&](Result<net::Response> r) {
        if (r.ok() && r->status == 201) ++bound;
        if (r.ok() && r->status == 409) ++refused;
        ++done;
      });
    }
    QTRY_COMPARE(done.load(), 20);
    QCOMPARE(bound.load(), 1);
    QCOMPARE(refused.load(), 19);
    auto pod = valueOf(http_->get(pods_ + "/a").body);
    bool scheduled = false;
    for (const QJsonValue c : pod["status"]["conditions"].toArray())
      scheduled = scheduled || (c["type"].toString() == "PodScheduled" && c["status"].toString() == "True");
    QVERIFY(scheduled);
    CODE(http_->post(pods_ + "/a/binding", q("{'metadata':{'name':'a'},'target':{'kind':'Node'}}")), 422);
  }

  void evictionDeletes() {
    CODE(http_->post(pods_, pod("a")), 201);
    CODE(http_->post(pods_ + "/a/eviction", q("{'apiVersion':'policy/v1','kind':'Eviction','metadata':{'name':'a'}}")), 201);
    CODE(http_->get(pods_ + "/a"), 404);
  }

  void serviceAddressesAreGivenOnce() {
    std::string services = "/api/v1/namespaces/" + ns_ + "/services";
    std::mutex mutex;
    QSet<QString> addresses, ports;
    std::atomic<int> done{0};
    for (int i = 0; i < 200; ++i) {
      net::Request request;
      request.method = "POST";
      request.path = services;
      request.headers.add("content-type", "application/json");
      request.body = q("{'metadata':{'name':'s") + std::to_string(i) + q("'},'spec':{'type':'NodePort','ports':[{'port':80}]}}");
      http_->client()->send(std::move(request), std::chrono::seconds(20), [&](Result<net::Response> r) {
        if (r.ok() && r->status == 201) {
          QJsonValue spec = valueOf(QByteArray::fromStdString(r->bodyText()))["spec"];
          std::lock_guard lock(mutex);
          addresses << spec["clusterIP"].toString();
          ports << QString::number(spec["ports"][0]["nodePort"].toInt());
        }
        ++done;
      });
    }
    // As long as the requests may take: the disk of a busy machine may hold a write up for seconds.
    QTRY_COMPARE_WITH_TIMEOUT(done.load(), 200, 25000);
    QCOMPARE(addresses.size(), 200);
    QCOMPARE(ports.size(), 200);
    auto out = http_->post(services, q("{'metadata':{'name':'o'},'spec':{'clusterIP':'1.2.3.4','ports':[{'port':80}]}}"));
    CODE(out, 422);
    QVERIFY(out.body.contains("not in the valid range"));
    CODE(http_->post(services, q("{'metadata':{'name':'h'},'spec':{'clusterIP':'None','ports':[{'port':80}]}}")), 201);
    CODE(http_->post(services, q("{'metadata':{'name':'x'},'spec':{'type':'ExternalName','externalName':'a.b'}}")), 201);
    CODE(http_->patch(services + "/s1", q("{'spec':{'clusterIP':'10.96.9.9'}}")), 422);
  }

  // ---- the rest ---------------------------------------------------------------------------------------------------

  void discoveryInBothForms() {
    auto groups = http_->get("/apis");
    QVERIFY(groups.body.contains("\"apps/v1\"") && valueOf(groups.body)["kind"].toString() == "APIGroupList");
    auto all = http_->get("/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json");
    QCOMPARE(valueOf(all.body)["kind"].toString(), "APIGroupDiscoveryList");
    QVERIFY(std::string(all.headers.get("content-type")).find("as=APIGroupDiscoveryList") != std::string::npos);
    auto core = http_->get("/api/v1");
    QVERIFY(core.body.contains("\"pods/binding\"") && core.body.contains("\"pods/log\""));
    CODE(http_->get("/apis/nothing.example.com"), 404);
    CODE(http_->get("/api/v1/nonsense"), 404);
    CODE(http_->post("/api/v1/nodes/x", "{}"), 405);
    CODE(http_->get("/nowhere"), 404);
  }

  void healthAndMetrics() {
    QVERIFY(http_->get("/livez?verbose").body.contains("[+]store ok"));
    auto metrics = http_->get("/metrics");
    QVERIFY(metrics.body.contains("apiserver_request_total{verb=\"POST\",group=\"\",version=\"v1\",resource=\"configmaps\",subresource=\"\",code=\"201\"}"));
    QVERIFY(metrics.body.contains("process_resident_memory_bytes"));
  }

  void healthInParts() {
    CODE(http_->get("/readyz/ping"), 200);
    QCOMPARE(http_->get("/readyz/ping").body, QByteArray("ok"));
    CODE(http_->get("/readyz/nothing"), 404);
    auto text = http_->get("/readyz?verbose&exclude=store&exclude=other").body;
    QVERIFY2(text.contains("[+]store excluded: ok") && text.contains("no matches for \"other\"") && text.contains("readyz check passed"), text);
  }

  void discoveryIsTagged() {
    const std::string accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    auto first = http_->get("/apis", accept);
    CODE(first, 200);
    std::string tag(first.headers.get("etag"));
    QVERIFY(tag.size() > 10);
    auto again = http_->send("GET", "/apis", {}, {{"accept", accept}, {"if-none-match", tag}});
    CODE(again, 304);
    QVERIFY(again.body.isEmpty());
    CODE(http_->send("GET", "/apis", {}, {{"if-none-match", tag}}), 200);  // another form
    auto version = valueOf(http_->get("/version").body);
    QVERIFY(version["gitVersion"].toString().startsWith("v1.32."));
    static const QRegularExpression commit("^[0-9a-f]{40}$");
    QVERIFY(commit.match(version["gitCommit"].toString()).hasMatch());
  }

  void badTimeoutsAreRefused() {
    CODE(http_->get(maps_ + "?timeout=34s"), 200);
    CODE(http_->get(maps_ + "?timeout=soon"), 400);
    CODE(http_->get(maps_ + "?timeout=-1s"), 400);
  }

  // Who, what, when, result; never a body.
  void changesAreAudited() {
    auto secrets = "/api/v1/namespaces/" + ns_ + "/secrets";
    auto made = http_->send("POST", secrets, q("{'apiVersion':'v1','kind':'Secret','metadata':{'name':'s'},'stringData':{'k':'hush-hush'}}"),
                            {{"audit-id", "my-own-id"}, {"user-agent", "tester/1"}});
    CODE(made, 201);
    QCOMPARE(std::string(made.headers.get("audit-id")), std::string("my-own-id"));
    auto got = http_->get(secrets + "/s");
    std::string id(got.headers.get("audit-id"));
    QCOMPARE(id.size(), size_t(36));
    QVERIFY(!http_->get(maps_).headers.has("audit-id"));
    Http nobody(*engine_, Identity{{}, {}, {}, Http::admin(*engine_).ca});
    CODE(nobody.get(maps_), 403);
    auto line = [&](const QByteArray& what) {
      for (auto& l : engine_->file("audit.log").split('\n'))
        if (l.contains(what)) return valueOf(l);
      return QJsonValue();
    };
    QTRY_VERIFY(line("\"system:anonymous\"").isObject());
    const QJsonValue create = line("my-own-id");
    QCOMPARE(create["verb"].toString(), "create");
    QCOMPARE(create["userAgent"].toString(), "tester/1");
    QCOMPARE(create["objectRef"]["resource"].toString(), "secrets");
    QCOMPARE(create["objectRef"]["name"].toString(), "s");
    QCOMPARE(create["responseStatus"]["code"].toInt(), 201);
    QVERIFY(create["user"]["groups"].toArray().contains("system:masters"));
    QCOMPARE(line(QByteArray::fromStdString(id))["verb"].toString(), "get");
    const QJsonValue denied = line("\"system:anonymous\"");
    QCOMPARE(denied["responseStatus"]["code"].toInt(), 403);
    QCOMPARE(denied["annotations"]["authorization.k8s.io/decision"].toString(), "forbid");
    QVERIFY(!engine_->file("audit.log").contains("hush-hush"));
  }

  void http1Works() {
    Http old(*engine_, Http::admin(*engine_), false);
    CODE(old.get(maps_), 200);
    auto lines = old.watch(maps_ + "?watch=true&resourceVersion=" + rv(old.get(maps_).body));
    QCOMPARE(lines.code(), 200);
    CODE(old.post(maps_, configMap("a")), 201);
    QCOMPARE(type(lines.next()), "ADDED");
  }

  void logsNeedANode() {
    CODE(http_->post(pods_, q("{'metadata':{'name':'two'},'spec':{'schedulerName':'none','containers':[{'name':'a','image':'i'},{'name':'b','image':'i'}]}}")), 201);
    auto choose = http_->get(pods_ + "/two/log");
    CODE(choose, 400);
    QCOMPARE(valueOf(choose.body)["message"].toString(), "a container name must be specified for pod two, choose one of: [a b]");
    auto wrong = http_->get(pods_ + "/two/log?container=c");
    QCOMPARE(valueOf(wrong.body)["message"].toString(), "container c is not valid for pod two");
    CODE(http_->post(pods_ + "/two/binding", q("{'metadata':{'name':'two'},'target':{'name':'away'}}")), 201);
    auto away = http_->get(pods_ + "/two/log?container=a");
    CODE(away, 503);
    QVERIFY(valueOf(away.body)["message"].toString().contains("\"away\" is not connected"));
  }

  void aLargeListArrivesWhole() {
    std::atomic<int> done{0};
    for (int i = 0; i < 600; ++i) {
      net::Request request;
      request.method = "POST";
      request.path = maps_;
      request.headers.add("content-type", "application/json");
      request.body = q("{'metadata':{'name':'c") + std::to_string(i) + q("'},'data':{'k':'") + std::string(4000, 'x') + "\"}}";
      http_->client()->send(std::move(request), std::chrono::seconds(30), [&](Result<net::Response>) { ++done; });
    }
    QTRY_COMPARE_WITH_TIMEOUT(done.load(), 600, 30000);
    auto list = http_->get(maps_);
    CODE(list, 200);
    QVERIFY(valueOf(list.body)["items"].toArray().size() >= 600);
    auto lines = http_->watch(maps_ + "?watch=true");
    for (int i = 0; i < 600; ++i) QCOMPARE(type(lines.next()), "ADDED");
  }
};

QTEST_GUILESS_MAIN(HttpTest)
#include "http_test.moc"
