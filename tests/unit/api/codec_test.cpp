// Trees to structs and back; conforming; objects.
#include <QtTest>
#include <functional>
#include <set>

#include "engine/api/codec.h"
#include "engine/api/registry.h"
#include "engine/api/struct_ops.h"
#include "engine/api/types/apps.h"
#include "engine/api/types/coordination.h"
#include "engine/api/types/core.h"
#include "engine/api/types/fleet.h"
#include "engine/base/random.h"

using namespace ph;
using namespace ph::api;

namespace {

Json json(std::string_view text) {
  auto v = parseJson(text);
  if (!v.ok()) qFatal("%s", v.status().message.c_str());
  return *v;
}

// A random tree that fits a type; `full` fills every field once.
class Maker {
 public:
  Maker(Random& random, bool full) : random_(random), full_(full) {}

  Json make(const Type& type, const Field* field, int depth) {
    switch (type.form) {
      case Form::String: return field && !field->enumValues.empty() ? Json(firstWord(field->enumValues)) : Json("s" + std::to_string(random_.below(1000)));
      case Form::Bool: return true;
      case Form::Int32:
      case Form::Int64: return int64_t(field && field->hasMin ? field->min + 1 : 1 + int64_t(random_.below(60)));
      case Form::Double: return 1.5 + double(random_.below(10));
      case Form::Bytes: return "cGlsb3Q=";
      case Form::Time: return "2026-03-04T05:06:07Z";
      case Form::MicroTime: return "2026-03-04T05:06:07.123456Z";
      case Form::Quantity: return Json(std::to_string(1 + random_.below(9)) + "Gi");
      case Form::IntOrString: return random_.below(2) ? Json(int64_t(8080)) : Json("25%");
      case Form::Any: return json(R"({"free":[1,"x",{"y":null}]})");
      case Form::Object: {
        JsonObject o;
        fill(type, o, depth);
        return o;
      }
      case Form::Map: {
        JsonObject o;
        for (size_t i = 0; i < 1 + random_.below(2); ++i) o["k" + std::to_string(i)] = make(*type.item, nullptr, depth + 1);
        return o;
      }
      case Form::List: {
        JsonArray a;
        for (size_t i = 0; i < 1 + random_.below(2); ++i) a.push_back(make(*type.item, nullptr, depth + 1));
        return a;
      }
    }
    return nullptr;
  }

 private:
  static std::string firstWord(std::string_view s) { return std::string(s.substr(0, s.find('|'))); }
  void fill(const Type& type, JsonObject& o, int depth) {
    for (uint32_t i = 0; i < type.fieldCount; ++i) {
      const Field& f = type.fields[i];
      if (f.offset == kNoMember) continue;
      if (f.inlined) {
        fill(*f.type, o, depth);
        continue;
      }
      if (depth > 12 && !f.required && f.omitEmpty) continue;
      if (!full_ && !f.required && f.omitEmpty && random_.below(3)) continue;
      Json v = make(*f.type, &f, depth + 1);
      // An empty plain struct is the same as none.
      if (v.is_object() && v.get_object().empty() && f.type->form == Form::Object && !f.pointer && f.omitEmpty) continue;
      o.emplace(boost::json::string_view(f.name.data(), f.name.size()), std::move(v));
    }
  }
  Random& random_;
  bool full_;
};

void sortKeys(Json& v) {
  if (auto* a = v.if_array()) {
    for (auto& e : *a) sortKeys(e);
  } else if (auto* o = v.if_object()) {
    std::vector<std::pair<std::string, Json>> all;
    for (auto& kv : *o) {
      sortKeys(kv.value());
      all.emplace_back(std::string(kv.key().data(), kv.key().size()), kv.value());
    }
    std::sort(all.begin(), all.end(), [](auto& x, auto& y) { return x.first < y.first; });
    JsonObject sorted;
    for (auto& [k, x] : all) sorted.emplace(k, std::move(x));
    *o = std::move(sorted);
  }
}

std::string sorted(Json v) {
  sortKeys(v);
  return toText(v);
}

Json throughStruct(const Type& type, const Json& tree, QString& problem) {
  std::shared_ptr<void> p(type.ops->create(), type.ops->destroy);
  auto r = decode(tree, type, p.get());
  if (!r.ok()) problem = QString::fromStdString(r.status().message);
  return encode(type, p.get());
}

}  // namespace

class CodecTest : public QObject {
  Q_OBJECT
  std::shared_ptr<Registry> registry_ = Registry::builtin();
  // The others are handled as JSON only.
  std::vector<const ResourceInfo*> withStruct_ = [this] {
    auto all = registry_->all();
    std::erase_if(all, [](auto* r) { return !r->type->ops->create; });
    return all;
  }();
  const ResourceInfo* info(const char* group, const char* plural) { return registry_->find(group, "v1", plural); }

 private slots:
  // Every member of every struct, once: wrong offsets or forms can't survive this.
  void everyKindRoundTrips_data() {
    QTest::addColumn<const void*>("kind");
    for (auto* r : withStruct_) QTest::newRow((r->apiVersion() + " " + r->kind).c_str()) << static_cast<const void*>(r);
  }
  void everyKindRoundTrips() {
    QFETCH(const void*, kind);
    auto* r = static_cast<const ResourceInfo*>(kind);
    auto random = seededRandom(7);
    Json tree = Maker(*random, true).make(*r->type, nullptr, 0);
    QString problem;
    Json back = throughStruct(*r->type, tree, problem);
    QCOMPARE(problem, QString());
    QCOMPARE(sorted(back), sorted(tree));
  }

  void randomTreesRoundTrip() {
    auto random = seededRandom(42);
    for (int round = 0; round < 300; ++round) {
      auto* r = withStruct_[random->below(withStruct_.size())];
      Json tree = Maker(*random, false).make(*r->type, nullptr, 0);
      QString problem;
      Json back = throughStruct(*r->type, tree, problem);
      QCOMPARE(problem, QString());
      QVERIFY2(sorted(back) == sorted(tree), (sorted(back) + "\n" + sorted(tree)).c_str());
      // Conforming a fitting tree finds nothing unknown and no wrong type, and a second time changes nothing.
      ErrorList errors;
      std::vector<std::string> unknown;
      Json first = back;
      conform(first, *r->type, errors, &unknown);
      QVERIFY2(unknown.empty(), unknown.empty() ? "" : unknown[0].c_str());
      QVERIFY2(!errors.hasTypeErrors(), errors.empty() ? "" : errors.causes()[0].field.c_str());
      Json second = first;
      conform(second, *r->type, errors, nullptr);
      QCOMPARE(sorted(second), sorted(first));
    }
  }

  // Whatever is thrown at it, the interpreter answers.
  void mutatedTreesNeverBreakIt() {
    auto random = seededRandom(99);
    const char* odd[] = {"null", "true", "-1", "1e300", "\"\"", "\"x\"", "[]", "{}", "[null]", "[[1]]", "{\"a\":{}}", "18446744073709551615"};
    std::function<void(Json&)> spoil = [&](Json& v) {
      if (auto* o = v.if_object(); o && !o->empty() && random->below(8)) return spoil((o->begin() + random->below(o->size()))->value());
      if (auto* a = v.if_array(); a && !a->empty() && random->below(8)) return spoil((*a)[random->below(a->size())]);
      v = json(odd[random->below(std::size(odd))]);
    };
    int refused = 0;
    for (int round = 0; round < 600; ++round) {
      auto* r = withStruct_[random->below(withStruct_.size())];
      Json tree = Maker(*random, false).make(*r->type, nullptr, 0);
      for (size_t i = 0; i <= random->below(3); ++i) spoil(tree);
      ErrorList errors;
      std::vector<std::string> unknown;
      Json copy = tree;
      conform(copy, *r->type, errors, &unknown);
      refused += errors.hasTypeErrors();
      std::shared_ptr<void> p(r->type->ops->create(), r->type->ops->destroy);
      auto strict = decode(copy, *r->type, p.get());
      if (!errors.hasTypeErrors()) QVERIFY2(strict.ok(), strict.ok() ? "" : strict.status().message.c_str());
      std::shared_ptr<void> q(r->type->ops->create(), r->type->ops->destroy);
      decodeLenient(tree, *r->type, q.get());
      encode(*r->type, q.get());
    }
    QVERIFY(refused > 100);
  }

  void structsAsOthersUseThem() {
    apps::Deployment d;
    d.metadata.name = "web";
    d.spec.replicas = 3;
    d.spec.selector.ensure().matchLabels["app"] = "web";
    core::Container c;
    c.name = "main";
    c.image = "web:1";
    c.resources.limits["cpu"] = *Quantity::parse("500m");
    d.spec.template_.spec.containers.push_back(c);
    d.spec.strategy.rollingUpdate.ensure().maxSurge = IntOrString("25%");
    Json tree = toObjectJson(*info("apps", "deployments"), d);
    QCOMPARE(toText(tree),
             std::string(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":3,"selector":)"
                         R"({"matchLabels":{"app":"web"}},"template":{"spec":{"containers":[{"name":"main","image":"web:1","resources":)"
                         R"({"limits":{"cpu":"500m"}}}]}},"strategy":{"rollingUpdate":{"maxSurge":"25%"}}}})"));
    auto back = fromJson<apps::Deployment>(tree);
    QVERIFY(back.ok());
    QCOMPARE(back->spec.template_.spec.containers[0].resources.limits["cpu"].milli(), int64_t(500));
    QCOMPARE(back->spec.strategy.rollingUpdate->maxSurge->resolve(3, true), std::optional<int64_t>(1));
    // Deep copies.
    auto copy = *back;
    copy.spec.selector->matchLabels["app"] = "other";
    QCOMPARE(back->spec.selector->matchLabels["app"], std::string("web"));
    // Inlined structs are bases.
    core::Volume v;
    v.name = "data";
    v.configMap.ensure().name = "settings";
    QCOMPARE(toText(toJson(v)), std::string(R"({"name":"data","configMap":{"name":"settings"}})"));
  }

  void conformDefaultsAndPrunes() {
    Json tree = json(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","foo":1},"spec":{"containers":[{"name":"c","image":"i","bar":2,
      "livenessProbe":{"httpGet":{"port":80}},"resources":{"limits":{"cpu":0.5,"memory":"1024Mi"}}}],"nodeName":null},"extra":{}})");
    ErrorList errors;
    std::vector<std::string> unknown;
    conform(tree, *info("", "pods")->type, errors, &unknown);
    QVERIFY(errors.empty());
    std::sort(unknown.begin(), unknown.end());
    QCOMPARE(unknown, (std::vector<std::string>{"extra", "metadata.foo", "spec.containers[0].bar"}));
    QCOMPARE(toText(*at(tree, "spec.restartPolicy")), std::string("\"Always\""));
    QCOMPARE(toText(*at(tree, "spec.terminationGracePeriodSeconds")), std::string("30"));
    QCOMPARE(toText(*at(tree, "spec.containers.0.livenessProbe")),
             std::string(R"({"httpGet":{"port":80,"path":"/","scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3})"));
    QCOMPARE(toText(*at(tree, "spec.containers.0.resources.limits")), std::string(R"({"cpu":"500m","memory":"1Gi"})"));
    QVERIFY(!at(tree, "spec.nodeName") && !at(tree, "extra") && !at(tree, "spec.containers.0.bar"));
  }

  void conformErrors_data() {
    QTest::addColumn<QByteArray>("plural");
    QTest::addColumn<QByteArray>("object");
    QTest::addColumn<QByteArray>("field");
    QTest::addColumn<QByteArray>("message");
    auto row = [](const char* name, const char* plural, const char* object, const char* field, const char* message) {
      QTest::newRow(name) << QByteArray(plural) << QByteArray(object) << QByteArray(field) << QByteArray(message);
    };
    row("string for number", "deployments", R"({"spec":{"replicas":"three","selector":{},"template":{"spec":{"containers":[{"name":"a"}]}}}})",
        "spec.replicas", "must be of type integer, not string");
    row("number too large", "deployments", R"({"spec":{"replicas":3000000000,"selector":{},"template":{"spec":{"containers":[{"name":"a"}]}}}})",
        "spec.replicas", "32 bits");
    row("fraction", "deployments", R"({"spec":{"replicas":1.5,"selector":{},"template":{"spec":{"containers":[{"name":"a"}]}}}})", "spec.replicas", "1.5");
    row("negative", "deployments", R"({"spec":{"replicas":-1,"selector":{},"template":{"spec":{"containers":[{"name":"a"}]}}}})", "spec.replicas",
        "Invalid value: -1: must be greater than or equal to 0");
    row("no spec at all", "deployments", "{}", "spec.selector", "Required value");
    row("template missing", "deployments", R"({"spec":{"selector":{}}})", "spec.template.spec.containers", "Required value");
    row("no containers", "pods", R"({"spec":{"containers":[]}})", "spec.containers", "Required value");
    row("enum", "pods", R"({"spec":{"restartPolicy":"Sometimes","containers":[{"name":"a"}]}})", "spec.restartPolicy",
        R"(Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure")");
    row("list for object", "pods", R"({"spec":[]})", "spec", "must be of type object, not array");
    row("object for list", "pods", R"({"spec":{"containers":{}}})", "spec.containers", "must be of type array, not object");
    row("number for label", "pods", R"({"metadata":{"labels":{"a":1}},"spec":{"containers":[{"name":"a"}]}})", "metadata.labels[a]", "must be of type string");
    row("bad quantity", "pods", R"({"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"lots"}}}]}})",
        "spec.containers[0].resources.limits[cpu]", "quantities must match");
    row("bad time", "pods", R"({"metadata":{"creationTimestamp":"yesterday"},"spec":{"containers":[{"name":"a"}]}})", "metadata.creationTimestamp", "RFC 3339");
    row("bad base64", "secrets", R"({"data":{"k":"%%%"}})", "data[k]", "illegal base64 data at input byte 0");
    row("bool for int-or-string", "services", R"({"spec":{"ports":[{"port":1,"targetPort":true}]}})", "spec.ports[0].targetPort", "integer or string");
    row("null container", "pods", R"({"spec":{"containers":[null]}})", "spec.containers[0].name", "Required value");
    row("scalar root", "pods", "5", "", "must be of type object, not number");
  }
  void conformErrors() {
    QFETCH(QByteArray, plural);
    QFETCH(QByteArray, object);
    QFETCH(QByteArray, field);
    QFETCH(QByteArray, message);
    Json tree = json(object.toStdString());
    ErrorList errors;
    auto* r = registry_->storage(plural == "deployments" ? "apps" : "", plural.toStdString());
    conform(tree, *r->type, errors, nullptr);
    bool found = false;
    std::string all;
    for (auto& c : errors.causes()) {
      all += c.field + ": " + c.message + "\n";
      found |= c.field == field.toStdString() && c.message.find(message.toStdString()) != std::string::npos;
    }
    QVERIFY2(found, all.c_str());
  }

  void statusOfErrors() {
    ErrorList errors;
    errors.required("spec.selector");
    auto s = errors.toStatus(*info("apps", "deployments"), "web");
    QCOMPARE(s.code, 422);
    QCOMPARE(s.message, std::string("Deployment.apps \"web\" is invalid: spec.selector: Required value"));
    QCOMPARE(s.causes.size(), size_t(1));
    errors.duplicate("spec.x", "y");
    QCOMPARE(errors.toStatus(*info("", "pods"), "p").message,
             std::string("Pod \"p\" is invalid: [spec.selector: Required value, spec.x: Duplicate value: \"y\"]"));
    errors.typeInvalid("spec.replicas", "string", "must be of type integer, not string");
    s = errors.toStatus(*info("apps", "deployments"), "web");
    QCOMPARE(s.code, 400);
    QVERIFY(s.message.starts_with("Deployment in version \"v1\" cannot be handled as a Deployment: spec.replicas: "));
  }

  void objects() {
    Json tree = json(R"({"kind":"x","spec":{"nodeName":"n1","containers":[{"name":"c"}]},"metadata":{"labels":{"b":"2","a":"1"},"resourceVersion":"5",
      "name":"p","namespace":"ns","uid":"u","generation":4,"creationTimestamp":"2026-01-02T03:04:05Z","finalizers":["a/b"],
      "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"rs","uid":"ru","controller":true}]},"status":{"phase":"Running"}})");
    auto o = Object::make(info("", "pods"), tree, 12);
    QVERIFY(o->stored().starts_with(R"({"apiVersion":"v1","kind":"Pod","metadata":{"labels":)"));
    QVERIFY(o->stored().find("resourceVersion") == std::string::npos);
    QVERIFY(o->json().starts_with(R"({"apiVersion":"v1","kind":"Pod","metadata":{"resourceVersion":"12","labels":)"));
    QCOMPARE(o->key(), std::string("ns/p"));
    QCOMPARE(o->meta().label("a"), std::string_view("1"));
    QCOMPARE(o->meta().label("zz"), std::string_view());
    QCOMPARE(o->meta().controller()->uid, std::string("ru"));
    QCOMPARE(o->meta().generation, int64_t(4));
    QCOMPARE(formatTime(o->meta().created), std::string("2026-01-02T03:04:05Z"));
    QVERIFY(!o->meta().deleting);
    QCOMPARE(o->as<core::Pod>().spec.nodeName, std::string("n1"));
    auto later = o->at(13);
    QCOMPARE(toText(*at(later->tree(), "metadata.resourceVersion")), std::string("\"13\""));
    QCOMPARE(&later->as<core::Pod>(), &o->as<core::Pod>());
    auto parsed = Object::parse(info("", "pods"), later->json());
    QVERIFY(parsed.ok());
    QCOMPARE((*parsed)->revision(), int64_t(13));
    QCOMPARE((*parsed)->stored(), o->stored());
    QVERIFY(!Object::parse(info("", "pods"), R"({"kind":"Pod"})").ok());
    QVERIFY(!Object::parse(info("", "pods"), "[1]").ok());
    auto bare = Object::make(info("", "pods"), json("{}"), 3);
    QCOMPARE(bare->json(), std::string(R"({"apiVersion":"v1","kind":"Pod","metadata":{"resourceVersion":"3"}})"));
  }

  void speed() {
    // 1 KB, as clients send it. The target holds for the release build; others only print.
    std::string text =
        R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-7f9c6d5b8-x2x5q","namespace":"default","labels":{"app":"web","pod-template-hash":"7f9c6d5b8"},)"
        R"("ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-7f9c6d5b8","uid":"0a6a1cf0-5c7b-4b0e-8a39-7b3b5d9f6f10","controller":true,"blockOwnerDeletion":true}]},)"
        R"("spec":{"containers":[{"name":"web","image":"registry.local/web:1.2.3","ports":[{"containerPort":8080,"protocol":"TCP"}],"env":[{"name":"A","value":"1"},{"name":"B","value":"2"}],)"
        R"("resources":{"limits":{"cpu":"500m","memory":"128Mi"},"requests":{"cpu":"100m","memory":"64Mi"}},"readinessProbe":{"httpGet":{"path":"/ready","port":8080}},"imagePullPolicy":"IfNotPresent"}],)"
        R"("restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","nodeSelector":{"kind":"lab"},"tolerations":[{"key":"a","operator":"Exists","effect":"NoSchedule"}],"schedulerName":"default-scheduler"}})";
    auto* r = info("", "pods");
    int n = 20000;
#ifndef NDEBUG
    n = 500;
#endif
    size_t bytes = 0;
    double parse = 0, fit = 0, make = 0;
    auto cpu = [] { return double(std::clock()) / CLOCKS_PER_SEC * 1e6; };
    for (int batch = 0; batch < n / 100; ++batch) {
      std::vector<Json> trees(100);
      double t0 = cpu();
      for (auto& tree : trees) tree = *parseJson(text);
      double t1 = cpu();
      ErrorList errors;
      for (auto& tree : trees) conform(tree, *r->type, errors, nullptr);
      double t2 = cpu();
      for (auto& tree : trees) bytes += Object::make(r, tree, 1)->stored().size();
      double t3 = cpu();
      parse += t1 - t0, fit += t2 - t1, make += t3 - t2;
    }
    qInfo("%zu bytes: parse %.1f + conform %.1f + encode %.1f us of CPU; sizeof Pod %zu, Container %zu, Node %zu", text.size(), parse / n, fit / n, make / n,
          sizeof(core::Pod), sizeof(core::Container), sizeof(core::Node));
    QVERIFY(bytes > 0);
  }
};

QTEST_GUILESS_MAIN(CodecTest)
#include "codec_test.moc"
