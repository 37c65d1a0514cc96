// Patches: tables of before, patch and after.
#include <QtTest>

#include "engine/api/codec.h"
#include "engine/api/patch.h"
#include "engine/api/registry.h"
#include "engine/api/types/core.h"
#include "engine/base/random.h"

using namespace ph;
using namespace ph::api;

namespace {
Json json(const QByteArray& text) {
  auto v = parseJson(text.toStdString());
  if (!v.ok()) qFatal("%s", v.status().message.c_str());
  return *v;
}
}  // namespace

class PatchTest : public QObject {
  Q_OBJECT
  std::shared_ptr<Registry> registry_ = Registry::builtin();

 private slots:
  void jsonPatch_data() {
    QTest::addColumn<QByteArray>("before");
    QTest::addColumn<QByteArray>("patch");
    QTest::addColumn<QByteArray>("after");  // or "422", "400"
    auto row = [](const char* name, const char* a, const char* p, const char* b) { QTest::newRow(name) << QByteArray(a) << QByteArray(p) << QByteArray(b); };
    row("add member", R"({"a":1})", R"([{"op":"add","path":"/b","value":[2]}])", R"({"a":1,"b":[2]})");
    row("add replaces", R"({"a":1})", R"([{"op":"add","path":"/a","value":null}])", R"({"a":null})");
    row("add in list", R"({"a":[1,3]})", R"([{"op":"add","path":"/a/1","value":2}])", R"({"a":[1,2,3]})");
    row("append", R"({"a":[1]})", R"([{"op":"add","path":"/a/-","value":2}])", R"({"a":[1,2]})");
    row("add at end", R"({"a":[1]})", R"([{"op":"add","path":"/a/1","value":2}])", R"({"a":[1,2]})");
    row("add past end", R"({"a":[1]})", R"([{"op":"add","path":"/a/2","value":2}])", "422");
    row("add to nothing", R"({})", R"([{"op":"add","path":"/a/b","value":2}])", "422");
    row("remove", R"({"a":1,"b":2,"c":3})", R"([{"op":"remove","path":"/b"}])", R"({"a":1,"c":3})");
    row("remove from list", R"({"a":[1,2,3]})", R"([{"op":"remove","path":"/a/0"}])", R"({"a":[2,3]})");
    row("remove missing", R"({})", R"([{"op":"remove","path":"/a"}])", "422");
    row("replace", R"({"a":{"b":1}})", R"([{"op":"replace","path":"/a/b","value":"x"}])", R"({"a":{"b":"x"}})");
    row("replace missing", R"({})", R"([{"op":"replace","path":"/a","value":1}])", "422");
    row("replace all", R"({"a":1})", R"([{"op":"replace","path":"","value":{"z":1}}])", R"({"z":1})");
    row("move", R"({"a":{"x":1},"b":{}})", R"([{"op":"move","from":"/a/x","path":"/b/y"}])", R"({"a":{},"b":{"y":1}})");
    row("move into itself", R"({"a":{"x":1}})", R"([{"op":"move","from":"/a","path":"/a/x"}])", "422");
    row("copy", R"({"a":[1]})", R"([{"op":"copy","from":"/a","path":"/b"}])", R"({"a":[1],"b":[1]})");
    row("test passes", R"({"a":{"x":[1]}})", R"([{"op":"test","path":"/a","value":{"x":[1]}}])", R"({"a":{"x":[1]}})");
    row("test fails", R"({"a":1})", R"([{"op":"test","path":"/a","value":2}])", "422");
    row("escapes", R"({"a/b":1,"c~d":2})", R"([{"op":"remove","path":"/a~1b"},{"op":"replace","path":"/c~0d","value":3}])", R"({"c~d":3})");
    row("no array", R"({})", R"({"op":"add"})", "400");
    row("no path", R"({})", R"([{"op":"add","value":1}])", "400");
    row("no value", R"({})", R"([{"op":"add","path":"/a"}])", "400");
    row("unknown op", R"({})", R"([{"op":"frob","path":"/a"}])", "400");
    row("path without slash", R"({})", R"([{"op":"add","path":"a","value":1}])", "400");
    row("leading zero", R"({"a":[1,2]})", R"([{"op":"remove","path":"/a/01"}])", "422");
    row("dash can't be removed", R"({"a":[1]})", R"([{"op":"remove","path":"/a/-"}])", "422");
  }
  void jsonPatch() {
    QFETCH(QByteArray, before);
    QFETCH(QByteArray, patch);
    QFETCH(QByteArray, after);
    Json target = json(before);
    auto r = applyJsonPatch(target, json(patch));
    if (after.size() == 3) {
      QVERIFY(!r.ok());
      QCOMPARE(r.status().code, after.toInt());
    } else {
      QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
      QCOMPARE(QByteArray::fromStdString(toText(target)), after);
    }
  }

  void jsonPatchHasLimits() {
    Json target = json(R"({"a":["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]})");
    JsonArray many;
    for (int i = 0; i < 10001; ++i) many.push_back(json(R"({"op":"test","path":"/a","value":1})"));
    QCOMPARE(applyJsonPatch(target, many).status().code, 413);
    JsonArray doubling;
    for (int i = 0; i < 60; ++i) doubling.push_back(json(R"({"op":"copy","from":"/a","path":"/a/-"})"));
    QCOMPARE(applyJsonPatch(target, doubling).status().code, 413);
  }

  // The table of RFC 7386, appendix A.
  void mergePatch_data() {
    QTest::addColumn<QByteArray>("before");
    QTest::addColumn<QByteArray>("patch");
    QTest::addColumn<QByteArray>("after");
    int n = 0;
    auto row = [&](const char* a, const char* p, const char* b) { QTest::addRow("%d", ++n) << QByteArray(a) << QByteArray(p) << QByteArray(b); };
    row(R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})");
    row(R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})");
    row(R"({"a":"b"})", R"({"a":null})", R"({})");
    row(R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})");
    row(R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})");
    row(R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})");
    row(R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})");
    row(R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})");
    row(R"(["a","b"])", R"(["c","d"])", R"(["c","d"])");
    row(R"({"a":"b"})", R"(["c"])", R"(["c"])");
    row(R"({"a":"foo"})", "null", "null");
    row(R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})");
    row(R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})");
    row(R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})");
  }
  void mergePatch() {
    QFETCH(QByteArray, before);
    QFETCH(QByteArray, patch);
    QFETCH(QByteArray, after);
    Json target = json(before);
    applyMergePatch(target, json(patch));
    QCOMPARE(QByteArray::fromStdString(toText(target)), after);
  }

  void madePatchesWork() {
    auto random = seededRandom(5);
    std::function<Json(int)> make = [&](int depth) -> Json {
      switch (random->below(depth > 3 ? 3 : 5)) {
        case 0: return int64_t(random->below(3));
        case 1: return Json("s" + std::to_string(random->below(3)));
        case 2: return true;
        case 3: {
          JsonArray a;
          for (uint64_t i = random->below(3); i > 0; --i) a.push_back(make(depth + 1));
          return a;
        }
        default: {
          JsonObject o;
          for (uint64_t i = random->below(4); i > 0; --i) o["k" + std::to_string(random->below(5))] = make(depth + 1);
          return o;
        }
      }
    };
    for (int i = 0; i < 500; ++i) {
      Json from = JsonObject{{"x", make(0)}, {"y", make(0)}}, to = JsonObject{{"x", make(0)}, {"z", make(0)}};
      Json patched = from;
      applyMergePatch(patched, makeMergePatch(from, to));
      QVERIFY2(patched == to, toText(makeMergePatch(from, to)).c_str());
      QCOMPARE(toText(makeMergePatch(to, to)), std::string("{}"));
    }
  }

  void strategic_data() {
    QTest::addColumn<QByteArray>("before");
    QTest::addColumn<QByteArray>("patch");
    QTest::addColumn<QByteArray>("after");  // "400" when refused
    auto row = [](const char* name, const char* a, const char* p, const char* b) { QTest::newRow(name) << QByteArray(a) << QByteArray(p) << QByteArray(b); };
    row("scalars and maps", R"({"spec":{"nodeName":"a"},"metadata":{"labels":{"a":"1","b":"2"}}})", R"({"spec":{"nodeName":"b"},"metadata":{"labels":{"a":null,"c":"3"}}})",
        R"({"spec":{"nodeName":"b"},"metadata":{"labels":{"b":"2","c":"3"}}})");
    row("containers by name", R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"}]}})", R"({"spec":{"containers":[{"name":"b","image":"2"}]}})",
        R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]}})");
    row("new container", R"({"spec":{"containers":[{"name":"a"}]}})", R"({"spec":{"containers":[{"name":"b","image":null,"command":["x"]}]}})",
        R"({"spec":{"containers":[{"name":"b","command":["x"]},{"name":"a"}]}})");
    row("delete an element", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})", R"({"spec":{"containers":[{"name":"a","$patch":"delete"}]}})",
        R"({"spec":{"containers":[{"name":"b"}]}})");
    row("replace a list", R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b"}]}})", R"({"spec":{"containers":[{"name":"a"},{"$patch":"replace"}]}})",
        R"({"spec":{"containers":[{"name":"a"}]}})");
    row("replace a map", R"({"metadata":{"labels":{"a":"1"}}})", R"({"metadata":{"labels":{"$patch":"replace","b":"2"}}})", R"({"metadata":{"labels":{"b":"2"}}})");
    row("delete a map", R"({"metadata":{"labels":{"a":"1"},"name":"n"}})", R"({"metadata":{"labels":{"$patch":"delete"}}})", R"({"metadata":{"name":"n"}})");
    row("atomic list", R"({"spec":{"containers":[{"name":"a","args":["1","2"]}]}})", R"({"spec":{"containers":[{"name":"a","args":["3"]}]}})",
        R"({"spec":{"containers":[{"name":"a","args":["3"]}]}})");
    row("atomic list of objects", R"({"spec":{"tolerations":[{"key":"a"}]}})", R"({"spec":{"tolerations":[{"key":"b"}]}})", R"({"spec":{"tolerations":[{"key":"b"}]}})");
    row("primitive set", R"({"metadata":{"finalizers":["x/a","x/b"]}})", R"({"metadata":{"finalizers":["x/c","x/a"]}})", R"({"metadata":{"finalizers":["x/c","x/a","x/b"]}})");
    row("delete primitives", R"({"metadata":{"finalizers":["x/a","x/b"]}})", R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["x/a"]}})", R"({"metadata":{"finalizers":["x/b"]}})");
    row("order", R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}})",
        R"({"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"a"}],"containers":[{"name":"a","image":"2"}]}})",
        R"({"spec":{"containers":[{"name":"b"},{"name":"c"},{"name":"a","image":"2"}]}})");
    row("only order", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})", R"({"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}})",
        R"({"spec":{"containers":[{"name":"b"},{"name":"a"}]}})");
    row("apply removes one and adds one", R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"}]}})",
        R"({"spec":{"$setElementOrder/containers":[{"name":"a"},{"name":"c"}],"containers":[{"name":"b","$patch":"delete"},{"name":"c","image":"3"}]}})",
        R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"c","image":"3"}]}})");
    row("env keeps order", R"({"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]}]}})",
        R"({"spec":{"containers":[{"name":"a","$setElementOrder/env":[{"name":"X"},{"name":"Y"}],"env":[{"name":"Y","value":"3"}]}]}})",
        R"({"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"Y","value":"3"}]}]}})");
    row("retain keys", R"({"spec":{"volumes":[{"name":"v","emptyDir":{}}]}})",
        R"({"spec":{"volumes":[{"name":"v","$retainKeys":["name","configMap"],"configMap":{"name":"c"}}]}})", R"({"spec":{"volumes":[{"name":"v","configMap":{"name":"c"}}]}})");
    row("null to a list", R"({"spec":{"containers":[{"name":"a","env":[{"name":"X"}]}]}})", R"({"spec":{"containers":[{"name":"a","env":null}]}})",
        R"({"spec":{"containers":[{"name":"a"}]}})");
    row("unknown field merges", R"({"spec":{"strange":{"a":1}}})", R"({"spec":{"strange":{"b":2}}})", R"({"spec":{"strange":{"a":1,"b":2}}})");
    row("quantities", R"({"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"1"}}}]}})", R"({"spec":{"containers":[{"name":"a","resources":{"limits":{"memory":"1Gi"}}}]}})",
        R"({"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"1","memory":"1Gi"}}}]}})");
    row("type change", R"({"spec":{"nodeName":"a"}})", R"({"spec":{"nodeName":{"a":1}}})", R"({"spec":{"nodeName":{"a":1}}})");
    row("missing merge key", R"({"spec":{"containers":[{"name":"a"}]}})", R"({"spec":{"containers":[{"image":"x"}]}})", "400");
    row("scalar in a keyed list", R"({"spec":{"containers":[{"name":"a"}]}})", R"({"spec":{"containers":["x"]}})", "400");
    row("bad directive", R"({"spec":{}})", R"({"spec":{"$patch":"explode"}})", "400");
    row("bad retain keys", R"({"spec":{}})", R"({"spec":{"$retainKeys":["a"],"b":1}})", "400");
    row("bad order", R"({"spec":{"containers":[]}})", R"({"spec":{"$setElementOrder/containers":{}}})", "400");
    row("not an object", R"({})", "[]", "400");
  }
  void strategic() {
    QFETCH(QByteArray, before);
    QFETCH(QByteArray, patch);
    QFETCH(QByteArray, after);
    Json target = json(before);
    auto r = applyStrategicPatch(target, json(patch), *registry_->find("", "v1", "pods")->type);
    if (after == "400") {
      QVERIFY(!r.ok());
      QCOMPARE(r.status().code, 400);
      QCOMPARE(QByteArray::fromStdString(toText(target)), before);
    } else {
      QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
      QCOMPARE(QByteArray::fromStdString(toText(target)), after);
    }
  }
};

QTEST_GUILESS_MAIN(PatchTest)
#include "patch_test.moc"
