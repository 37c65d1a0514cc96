// Field ownership: sets and their JSON, what a change touches, merging an applied configuration.
#include <QtTest>

#include "engine/api/fields/ownership.h"
#include "engine/base/random.h"
#include "tests/unit/api/support.h"

using namespace ph;
using namespace ph::api;
using test::kind;
using test::yaml;

namespace {

FieldSet set(const char* json) {
  auto r = FieldSet::fromJson(yaml(json), false);
  if (!r.ok()) qFatal("%s", r.status().message.c_str());
  return *r;
}

std::string paths(const FieldSet& s) {
  std::string out;
  for (auto& p : s.paths()) out += (out.empty() ? "" : " ") + p;
  return out;
}

const Type& pod() { return *kind("Pod")->type; }

// A type that keeps everything, as a custom kind may.
const Field kFreeFields[] = {{.name = "spec", .type = &scalar::Any}};
const Type kFree{.name = "Free", .form = Form::Object, .fields = kFreeFields, .fieldCount = 1, .preserveUnknown = true};

// One step of server-side apply: the merged object, and what the manager owns now.
Json apply(const Json& live, const Json& config, FieldSet& own, const FieldSet& others, const Type& type) {
  auto fields = appliedFields(config, type);
  if (!fields.ok()) qFatal("%s", fields.status().message.c_str());
  FieldSet owned = others;
  owned.unite(*fields);
  Json merged = mergeApplied(live, config, type);
  dropAbandoned(merged, own, owned, type);
  own = std::move(*fields);
  return merged;
}

// A container list with random members, in random order.
Json randomPod(Random& random) {
  auto pick = [&](size_t n) { return size_t(random.below(n)); };
  JsonArray containers;
  std::vector<const char*> names = {"a", "b", "c", "d"};
  for (size_t left = 1 + pick(4); left > 0; --left) {
    size_t at = pick(names.size());
    JsonObject c{{"name", names[at]}};
    names.erase(names.begin() + long(at));
    if (pick(2)) c["image"] = pick(2) ? "x" : "y";
    if (pick(2)) c["env"] = JsonArray{JsonObject{{"name", "E"}, {"value", pick(2) ? "1" : "2"}}};
    if (pick(2)) c["ports"] = JsonArray{JsonObject{{"containerPort", 80}}, JsonObject{{"containerPort", 80}, {"protocol", "UDP"}}};
    if (pick(2)) c["args"] = JsonArray{"p", "q"};
    if (pick(3) == 0) c["resources"] = JsonObject{{"limits", JsonObject{{"cpu", "1"}}}};
    containers.push_back(std::move(c));
  }
  JsonObject metadata;
  if (pick(2)) metadata["labels"] = JsonObject{{pick(2) ? "k" : "l", "v"}};
  if (pick(2)) metadata["finalizers"] = JsonArray{"example.com/a", "example.com/b"};
  JsonObject spec{{"containers", std::move(containers)}};
  if (pick(2)) spec["nodeSelector"] = JsonObject{{pick(2) ? "m" : "n", "v"}};
  return JsonObject{{"metadata", std::move(metadata)}, {"spec", std::move(spec)}};
}

}  // namespace

class FieldsTest : public QObject {
  Q_OBJECT

 private slots:
  void roundTrip() {
    const char* text = "{'f:metadata':{'f:labels':{'.':{},'f:app':{}}}, 'f:spec':{'f:finalizers':{'v:\"x\"':{}},'f:ports':{'k:{\"containerPort\":80,\"protocol\":\"TCP\"}':{'.':{},'f:name':{}},'i:3':{}}}}";
    auto s = set(text);
    QCOMPARE(s.toJson(), yaml(text));
    QCOMPARE(s.size(), size_t(6));
    QCOMPARE(paths(s),
             std::string(".metadata.labels .metadata.labels.app .spec.finalizers[=\"x\"] "
                         ".spec.ports[3] .spec.ports[containerPort=80,protocol=\"TCP\"] "
                         ".spec.ports[containerPort=80,protocol=\"TCP\"].name"));
    QVERIFY(s.has({"f:metadata", "f:labels"}));
    QVERIFY(!s.has({"f:metadata"}));
    QVERIFY(!s.has({"f:metadata", "f:none"}));
  }

  void keysAreSorted() {
    QVERIFY(set("{'k:{\"b\": 1, \"a\": \"x\"}':{}}") == set("{'k:{\"a\":\"x\",\"b\":1}':{}}"));
  }

  void badSets() {
    for (auto bad : {"[]", "{\"f:a\":1}", "{\"x:a\":{}}", "{\"f\":{}}", "{\"\":{}}", "{\"k:[1]\":{}}", "{\"k:{}\":{}}",
                     "{'k:{\"a\":{}}':{}}", "{\"v:{\":{}}", "{\"i:x\":{}}", "{\"i:-1\":{}}",
                     "{'k:{\"a\":1}':{},'k:{ \"a\":1}':{}}"})
      QVERIFY2(!FieldSet::fromJson(yaml(bad), false).ok(), bad);
  }

  void operations() {
    auto a = set("{\"f:a\":{},\"f:b\":{\".\":{},\"f:c\":{},\"f:d\":{}}}");
    auto b = set("{\"f:b\":{\"f:c\":{}},\"f:e\":{}}");
    auto u = a;
    u.unite(b);
    QCOMPARE(paths(u), std::string(".a .b .b.c .b.d .e"));
    auto i = a;
    i.intersect(b);
    QCOMPARE(paths(i), std::string(".b.c"));
    auto d = a;
    d.subtract(b);
    QCOMPARE(paths(d), std::string(".a .b .b.d"));
    auto t = a;
    t.subtractTrees(set("{\"f:b\":{}}"));
    QCOMPARE(paths(t), std::string(".a"));
    d = a;
    d.subtract(a);
    QVERIFY(d.empty());
    u = FieldSet();
    u.unite(a);
    QVERIFY(u == a);
  }

  void configurations_data() {
    QTest::addColumn<QByteArray>("config");
    QTest::addColumn<QByteArray>("fields");
    auto row = [](const char* name, const char* config, const char* fields) { QTest::newRow(name) << QByteArray(config) << QByteArray(fields); };
    row("map of strings", "metadata: {labels: {a: b}}", ".metadata.labels.a");
    row("empty map", "metadata: {labels: {}}", ".metadata.labels");
    row("set", "metadata: {finalizers: [x.y/z]}", ".metadata.finalizers[=\"x.y/z\"]");
    row("keyed list", "spec: {containers: [{name: a, image: i, args: [x, y]}]}",
        ".spec.containers[name=\"a\"] .spec.containers[name=\"a\"].args .spec.containers[name=\"a\"].image .spec.containers[name=\"a\"].name");
    row("key by default", "spec: {containers: [{name: a, ports: [{containerPort: 80}]}]}",
        ".spec.containers[name=\"a\"] .spec.containers[name=\"a\"].name .spec.containers[name=\"a\"].ports[containerPort=80,protocol=\"TCP\"] "
        ".spec.containers[name=\"a\"].ports[containerPort=80,protocol=\"TCP\"].containerPort");
    row("atomic map", "spec: {nodeSelector: {a: b}}", ".spec.nodeSelector");
    row("atomic struct", "spec: {affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: []}}}",
        ".spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    row("atomic reference", "spec: {imagePullSecrets: [{name: s}]}", ".spec.imagePullSecrets[name=\"s\"]");
    row("null", "spec: {hostname: null}", ".spec.hostname");
    row("empty list", "spec: {containers: []}", "");
    row("unknown", "spec: {nonsense: 1}", "!.spec.nonsense: field not declared in schema");
    row("no key", "spec: {containers: [{image: i}]}", "!omits key field \"name\"");
    row("twice", "spec: {containers: [{name: a}, {name: a}]}", "!duplicate entries for key [name=\"a\"]");
    row("null element", "spec: {containers: [null]}", "!may not have a null element");
    row("two errors", "spec: {x: 1, y: 2}", "!errors:\n  .spec.x: field not declared in schema\n  .spec.y");
  }
  void configurations() {
    QFETCH(QByteArray, config);
    QFETCH(QByteArray, fields);
    auto r = appliedFields(yaml(config.toStdString()), pod());
    if (fields.startsWith('!')) {
      QVERIFY(!r.ok());
      QVERIFY2(QByteArray::fromStdString(r.status().message).contains(fields.mid(1)), r.status().message.c_str());
    } else {
      QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
      QCOMPARE(QByteArray::fromStdString(paths(*r)), fields);
    }
  }

  void longListsWithATwin() {
    JsonArray env;
    for (int i = 0; i < 100; ++i) env.push_back(JsonObject{{"name", "E" + std::to_string(i)}});
    auto config = [&] { return Json(JsonObject{{"spec", JsonObject{{"containers", JsonArray{JsonObject{{"name", "a"}, {"env", env}}}}}}}); };
    QVERIFY(appliedFields(config(), pod()).ok());
    env.push_back(JsonObject{{"name", "E7"}});
    auto r = appliedFields(config(), pod());
    QVERIFY(!r.ok() && r.status().message.find("duplicate entries for key [name=\"E7\"]") != std::string::npos);
  }

  void changes_data() {
    QTest::addColumn<QByteArray>("old");
    QTest::addColumn<QByteArray>("next");
    QTest::addColumn<QByteArray>("set");
    QTest::addColumn<QByteArray>("removed");
    auto row = [](const char* name, const char* a, const char* b, const char* s, const char* r) {
      QTest::newRow(name) << QByteArray(a) << QByteArray(b) << QByteArray(s) << QByteArray(r);
    };
    row("nothing", "spec: {hostname: a}", "spec: {hostname: a}", "", "");
    row("scalar", "spec: {hostname: a}", "spec: {hostname: b}", ".spec.hostname", "");
    row("a map comes", "metadata: {}", "metadata: {labels: {a: b}}", ".metadata.labels .metadata.labels.a", "");
    row("a map goes", "metadata: {labels: {a: b}}", "metadata: {}", "", ".metadata.labels .metadata.labels.a");
    row("a key comes", "metadata: {labels: {a: b}}", "metadata: {labels: {a: b, c: d}}", ".metadata.labels.c", "");
    row("plain structs are no members", "{}", "spec: {hostname: a}", ".spec.hostname", "");
    row("pointers are", "spec: {}", "spec: {securityContext: {runAsUser: 1}}", ".spec.securityContext .spec.securityContext.runAsUser", "");
    row("element comes", "spec: {containers: [{name: a}]}", "spec: {containers: [{name: a}, {name: b}]}",
        ".spec.containers[name=\"b\"] .spec.containers[name=\"b\"].name", "");
    row("element goes", "spec: {containers: [{name: a}, {name: b}]}", "spec: {containers: [{name: b}]}", "",
        ".spec.containers[name=\"a\"] .spec.containers[name=\"a\"].name");
    row("element changes", "spec: {containers: [{name: a, image: x}]}", "spec: {containers: [{name: a, image: y}]}",
        ".spec.containers[name=\"a\"].image", "");
    row("order is nobody's", "spec: {containers: [{name: a}, {name: b}]}", "spec: {containers: [{name: b}, {name: a}]}", "", "");
    row("atomic list", "spec: {containers: [{name: a, args: [x]}]}", "spec: {containers: [{name: a, args: [x, y]}]}",
        ".spec.containers[name=\"a\"].args", "");
    row("atomic map", "spec: {nodeSelector: {a: b}}", "spec: {nodeSelector: {a: b, c: d}}", ".spec.nodeSelector", "");
    row("set", "metadata: {finalizers: [a/b]}", "metadata: {finalizers: [c/d]}", ".metadata.finalizers[=\"c/d\"]", ".metadata.finalizers[=\"a/b\"]");
    row("twins stay", "spec: {containers: [{name: a, env: [{name: E, value: x}, {name: E, value: y}]}]}",
        "spec: {containers: [{name: a, env: [{name: E, value: x}, {name: E, value: y}]}], hostname: h}", ".spec.hostname", "");
    row("null is a value", "spec: {hostname: a}", "spec: {hostname: a, nodeSelector: null}", ".spec.nodeSelector", "");
  }
  void changes() {
    QFETCH(QByteArray, old);
    QFETCH(QByteArray, next);
    auto c = changedFields(yaml(old.toStdString()), yaml(next.toStdString()), pod());
    QTEST(QByteArray::fromStdString(paths(c.set)), "set");
    QTEST(QByteArray::fromStdString(paths(c.removed)), "removed");
  }

  void whatTheSchemaDoesNotKnow() {
    auto c = changedFields(yaml("{spec: {a: {b: 1}, l: [1]}}"), yaml("{spec: {a: {b: 2}, l: [1, 2], n: {}}}"), kFree);
    QCOMPARE(paths(c.set), std::string(".spec.a.b .spec.l .spec.n"));
    c = changedFields(yaml("{spec: {a: [1]}}"), yaml("{spec: {a: {x: 1}}}"), kFree);
    QCOMPARE(paths(c.set), std::string(".spec.a .spec.a.x"));
    auto f = appliedFields(yaml("{spec: {a: {b: 1}, l: [1]}, more: 1}"), kFree);
    QVERIFY(f.ok());
    QCOMPARE(paths(*f), std::string(".more .spec.a .spec.a.b .spec.l"));
  }

  void merging_data() {
    QTest::addColumn<QByteArray>("live");
    QTest::addColumn<QByteArray>("config");
    QTest::addColumn<QByteArray>("merged");
    auto row = [](const char* name, const char* a, const char* b, const char* m) { QTest::newRow(name) << QByteArray(a) << QByteArray(b) << QByteArray(m); };
    row("members", "spec: {hostname: a, subdomain: s}", "spec: {hostname: b}", "spec: {hostname: b, subdomain: s}");
    row("elements", "spec: {containers: [{name: a, image: x}, {name: b}]}", "spec: {containers: [{name: a, workingDir: /w}]}",
        "spec: {containers: [{name: a, image: x, workingDir: /w}, {name: b}]}");
    row("new elements come last", "spec: {containers: [{name: a}, {name: b}]}", "spec: {containers: [{name: c}]}",
        "spec: {containers: [{name: a}, {name: b}, {name: c}]}");
    row("the configuration's order", "spec: {containers: [{name: a}, {name: x}, {name: b}]}", "spec: {containers: [{name: b}, {name: a}]}",
        "spec: {containers: [{name: x}, {name: b}, {name: a}]}");
    row("between", "spec: {containers: [{name: a}, {name: x}, {name: b}]}", "spec: {containers: [{name: a}, {name: n}, {name: b}]}",
        "spec: {containers: [{name: a}, {name: x}, {name: n}, {name: b}]}");
    row("atomic", "spec: {containers: [{name: a, args: [x]}], nodeSelector: {a: b}}",
        "spec: {containers: [{name: a, args: [y]}], nodeSelector: {c: d}}", "spec: {containers: [{name: a, args: [y]}], nodeSelector: {c: d}}");
    row("ports by both keys", "spec: {containers: [{name: a, ports: [{containerPort: 80, protocol: TCP, name: p}]}]}",
        "spec: {containers: [{name: a, ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]}]}",
        "spec: {containers: [{name: a, ports: [{containerPort: 80, protocol: TCP, name: p}, {containerPort: 80, protocol: UDP}]}]}");
    row("sets", "metadata: {finalizers: [a/b, c/d]}", "metadata: {finalizers: [c/d, e/f]}", "metadata: {finalizers: [a/b, c/d, e/f]}");
    row("another form", "spec: {hostname: {a: b}}", "spec: {hostname: x}", "spec: {hostname: x}");
  }
  void merging() {
    QFETCH(QByteArray, live);
    QFETCH(QByteArray, config);
    QFETCH(QByteArray, merged);
    Json m = mergeApplied(yaml(live.toStdString()), yaml(config.toStdString()), pod());
    QCOMPARE(QByteArray::fromStdString(toText(m)), QByteArray::fromStdString(toText(yaml(merged.toStdString()))));
  }

  void whatIsNoLongerAppliedGoes() {
    FieldSet own, none;
    Json live = apply(JsonObject(), yaml("{metadata: {labels: {a: b, c: d}}, spec: {hostname: h, containers: [{name: a, image: x}, {name: b}]}}"), own, none, pod());
    // Someone else writes into an element and beside the labels.
    FieldSet others = set("{'f:metadata':{'f:labels':{'f:c':{},'f:z':{}}},'f:spec':{'f:containers':{'k:{\"name\":\"b\"}':{'f:image':{}}}}}");
    live.at("metadata").at("labels").as_object()["z"] = "y";
    live = apply(live, yaml("{metadata: {labels: {}}, spec: {containers: [{name: a}]}}"), own, others, pod());
    // c is owned by another still; b's element is not, whatever stands in it.
    QCOMPARE(toText(live), std::string("{\"metadata\":{\"labels\":{\"c\":\"d\",\"z\":\"y\"}},\"spec\":{\"containers\":[{\"name\":\"a\"}]}}"));
    live = apply(live, yaml("{metadata: {}}"), own, set("{\"f:metadata\":{\"f:labels\":{\"f:z\":{}}}}"), pod());
    QCOMPARE(toText(live), std::string("{\"metadata\":{\"labels\":{\"c\":\"d\",\"z\":\"y\"}}}"));
  }

  void applyingTwiceIsApplyingOnce() {
    for (uint64_t seed = 0; seed < 300; ++seed) {
      auto random = seededRandom(seed);
      FieldSet own, others;
      Json live = randomPod(*random);
      if (seed % 2) others = changedFields(JsonObject(), live, pod()).set;
      Json first = randomPod(*random), second = randomPod(*random);
      live = apply(live, first, own, others, pod());
      Json once = apply(live, second, own, others, pod());
      auto ownOnce = own;
      Json twice = apply(once, second, own, others, pod());
      QVERIFY2(once == twice, (std::to_string(seed) + ": " + toText(once) + " -> " + toText(twice)).c_str());
      QVERIFY(own == ownOnce);
      // Everything that was applied is there, and everything there that changed is told.
      auto changes = changedFields(live, once, pod());
      auto back = changedFields(once, live, pod());
      auto gone = changes.removed, come = back.set;
      gone.subtract(come);
      QVERIFY2(gone.empty(), paths(gone).c_str());
      QVERIFY(changedFields(once, mergeApplied(once, second, pod()), pod()).empty());
      // FieldsV1 and back.
      for (auto* s : {&own, &changes.set, &changes.removed}) {
        auto again = FieldSet::fromJson(s->toJson(), false);
        QVERIFY(again.ok() && *again == *s);
        auto trusted = FieldSet::fromJson(s->toJson(), true);
        QVERIFY(trusted.ok() && *trusted == *s);
      }
    }
  }
};

QTEST_GUILESS_MAIN(FieldsTest)
#include "fields_test.moc"
