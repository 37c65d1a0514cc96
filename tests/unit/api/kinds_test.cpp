// Every kind: an example of it is taken, gets its defaults, and comes through protobuf as it was; bad ones are refused in Kubernetes' words.
#include <QtTest>
#include <set>

#include "engine/api/convert.h"
#include "engine/api/protobuf.h"
#include "kind_samples.h"
#include "support.h"

using namespace ph;
using namespace ph::api;
using namespace ph::api::test;

namespace {

// Whether all of `part` is in `whole`.
bool within(const Json& part, const Json& whole) {
  if (auto* o = part.if_object()) {
    auto* w = whole.if_object();
    if (!w) return false;
    for (auto& kv : *o) {
      auto* v = w->if_contains(kv.key());
      if (!v || !within(kv.value(), *v)) return false;
    }
    return true;
  }
  if (auto* a = part.if_array()) {
    auto* w = whole.if_array();
    if (!w || w->size() != a->size()) return false;
    for (size_t i = 0; i < a->size(); ++i)
      if (!within((*a)[i], (*w)[i])) return false;
    return true;
  }
  return part == whole;
}

std::string text(const Json& v) { return toText(v); }

}  // namespace

class KindsTest : public QObject {
  Q_OBJECT
  std::shared_ptr<Registry> registry_ = Registry::builtin();

  const ResourceInfo* info(const Json& tree) {
    std::string version(tree.at("apiVersion").as_string().c_str());
    size_t slash = version.find('/');
    auto* found = registry_->findKind(slash == std::string::npos ? "" : version.substr(0, slash),
                                      slash == std::string::npos ? version : version.substr(slash + 1), tree.at("kind").as_string().c_str());
    if (!found) qFatal("no kind for %s", toText(tree).c_str());
    return found;
  }

 private slots:
  void everyKindHasASample() {
    std::set<std::string> seen;
    for (auto& s : kKindSamples) seen.insert(info(yaml(s.object))->storageGroupKind);
    std::string missing;
    for (auto* r : registry_->all())
      if (r->stored && r->storedVersion && !seen.contains(r->storageGroupKind)) missing += r->storageGroupKind + " ";
    QCOMPARE(missing, std::string());
  }

  void samples_data() {
    QTest::addColumn<QByteArray>("object");
    QTest::addColumn<QByteArray>("defaults");
    for (auto& s : kKindSamples) QTest::addRow("%.50s", s.object) << QByteArray(s.object) << QByteArray(s.defaults);
  }
  void samples() {
    QFETCH(QByteArray, object);
    QFETCH(QByteArray, defaults);
    Json tree = yaml(object.constData());
    auto* r = info(tree);
    if (r->namespaced) tree.at("metadata").as_object()["namespace"] = "default";
    tree.at("metadata").as_object()["uid"] = "u-1";
    ErrorList errors;
    std::vector<std::string> unknown;
    conform(tree, *r->type, errors, &unknown);
    QVERIFY2(unknown.empty(), unknown.empty() ? "" : unknown.front().c_str());
    auto c = context(r, Operation::Create);
    if (r->strategy->prepareCreate) r->strategy->prepareCreate(tree, c);
    validateObject(tree, c, errors);
    std::string said;
    for (auto& e : errors.causes()) said += e.field + ": " + e.message + "\n";
    QVERIFY2(said.empty(), said.c_str());
    QVERIFY2(within(yaml(defaults.constData()), tree), text(tree).c_str());

    // Conforming again changes nothing, and JSON and protobuf hold the same.
    Json again = tree;
    ErrorList none;
    conform(again, *r->type, none, nullptr);
    QVERIFY(none.empty());
    QCOMPARE(text(again), text(tree));
    auto back = objectFromProtobuf(objectToProtobuf(tree, *r->type), *r->type);
    QVERIFY2(back.ok(), back.ok() ? "" : back.status().message.c_str());
    ErrorList fresh;
    conform(*back, *r->type, fresh, nullptr);
    QVERIFY(fresh.empty());
    conform(tree, *r->type, fresh, nullptr);
    QVERIFY2(within(*back, tree), ("protobuf: " + text(*back) + "\nJSON: " + text(tree)).c_str());

    // An update to itself is fine.
    auto u = context(r, Operation::Update);
    Json next = tree;
    if (r->strategy->prepareUpdate) r->strategy->prepareUpdate(next, tree, u);
    ErrorList update;
    validateObjectUpdate(next, tree, u, update);
    QVERIFY2(update.empty(), update.empty() ? "" : (update.causes()[0].field + ": " + update.causes()[0].message).c_str());
    QCOMPARE(text(next), text(tree));
  }

  void refused_data() {
    QTest::addColumn<QByteArray>("object");
    QTest::addColumn<QByteArray>("says");
    for (auto& s : kRefusedKinds) QTest::addRow("%.60s", s.says) << QByteArray(s.object) << QByteArray(s.says);
  }
  void refused() {
    QFETCH(QByteArray, object);
    QFETCH(QByteArray, says);
    Json tree = yaml(object.constData());
    auto errors = create(tree);
    QVERIFY2(errors.find(says.toStdString()) != std::string::npos, errors.c_str());
  }

  void updatesRefused_data() {
    QTest::addColumn<QByteArray>("object");
    QTest::addColumn<QByteArray>("patch");
    QTest::addColumn<QByteArray>("says");
    for (auto& s : kRefusedUpdates) QTest::addRow("%.60s", s.says) << QByteArray(s.object) << QByteArray(s.patch) << QByteArray(s.says);
  }
  void updatesRefused() {
    QFETCH(QByteArray, object);
    QFETCH(QByteArray, patch);
    QFETCH(QByteArray, says);
    Json old = yaml(object.constData());
    auto errors = create(old);
    QVERIFY2(errors.empty(), errors.c_str());
    Json next = old;
    Json change = yaml(patch.constData());
    for (auto& kv : change.as_object()) {
      if (!kv.value().is_object() || !next.as_object().contains(kv.key())) next.as_object()[kv.key()] = kv.value();
      else
        for (auto& inner : kv.value().as_object()) next.at(kv.key()).as_object()[inner.key()] = inner.value();
    }
    errors = update(next, old);
    QVERIFY2(errors.find(says.toStdString()) != std::string::npos, errors.c_str());
  }

  // Each sample in another version becomes the stored one and back: what the version can say is kept.
  void versions_data() {
    QTest::addColumn<QByteArray>("object");
    QTest::addColumn<QByteArray>("stored");
    for (auto& s : kVersionSamples) QTest::addRow("%.60s", s.object) << QByteArray(s.object) << QByteArray(s.stored);
  }
  void versions() {
    QFETCH(QByteArray, object);
    QFETCH(QByteArray, stored);
    Json tree = yaml(object.constData());
    auto* version = info(tree);
    QVERIFY(!version->storedVersion);
    auto* kept = registry_->stored(*version);
    QVERIFY(kept->storedVersion);
    Json before = tree;
    convertTree(tree, *version, *kept);
    QCOMPARE(std::string(tree.at("apiVersion").as_string().c_str()), kept->apiVersion());
    QVERIFY2(within(yaml(stored.constData()), tree), text(tree).c_str());
    ErrorList errors;
    std::vector<std::string> unknown;
    Json checked = tree;
    conform(checked, *kept->type, errors, &unknown);
    QVERIFY2(unknown.empty(), unknown.empty() ? "" : unknown.front().c_str());
    QVERIFY2(errors.empty(), errors.empty() ? "" : (errors.causes()[0].field + errors.causes()[0].message).c_str());
    auto shown = Object::make(kept, tree, 7);
    auto back = asVersion(shown, *version);
    QCOMPARE(&back->info(), version);
    QCOMPARE(back->revision(), int64_t(7));
    QVERIFY2(within(before, back->tree()), back->json().c_str());
    QCOMPARE(asVersion(shown, *kept).get(), shown.get());
  }

  // What is in the way of a conversion is left alone, never a crash.
  void conversionsTakeAnything() {
    for (auto* r : registry_->all()) {
      if (r->storedVersion) continue;
      auto* kept = registry_->stored(*r);
      for (auto* odd : {"{}", "{spec: 5, endpoints: {}, status: []}", "{spec: {rules: [5, {http: {paths: [null, {backend: x}]}}], backend: [], selector: 3, metrics: [{}]}, endpoints: [1, {topology: []}], metadata: {annotations: []}}",
                        "{metadata: {annotations: {autoscaling.alpha.kubernetes.io/metrics: '[5', autoscaling.alpha.kubernetes.io/behavior: 7}}, spec: {metrics: [5, {type: Pods, pods: 4}]}, status: {conditions: 5}}"}) {
        Json tree = yaml(odd);
        convertTree(tree, *r, *kept);
        convertTree(tree, *kept, *r);
        QCOMPARE(std::string(tree.at("kind").as_string().c_str()), r->kind);
      }
    }
  }

  void eventSelectors() {
    auto* r = registry_->findKind("events.k8s.io", "v1", "Event");
    QCOMPARE(storedFieldSelector(*r, "regarding.kind=Pod,reportingController=x,type!=Normal"),
             std::string("involvedObject.kind=Pod,reportingComponent=x,type!=Normal"));
    auto* core = registry_->stored(*r);
    QCOMPARE(storedFieldSelector(*core, "regarding.kind=Pod"), std::string("regarding.kind=Pod"));
  }
};

QTEST_GUILESS_MAIN(KindsTest)
#include "kinds_test.moc"
