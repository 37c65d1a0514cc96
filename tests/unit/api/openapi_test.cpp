// The OpenAPI documents: whole, and with what the two generations of kubectl look for.
#include <QtTest>
#include <set>

#include "engine/api/openapi.h"
#include "tests/unit/api/support.h"

using namespace ph;
using namespace ph::api;
using namespace ph::api::test;

namespace {

void collectRefs(const Json& v, std::set<std::string>& out) {
  if (auto* a = v.if_array()) {
    for (auto& e : *a) collectRefs(e, out);
  } else if (auto* o = v.if_object()) {
    for (auto& kv : *o) {
      if (kv.key() == "$ref" && kv.value().is_string()) out.insert(std::string(kv.value().get_string().c_str()));
      collectRefs(kv.value(), out);
    }
  }
}

// A reader of the wire format, written apart from the writer.
struct Message {
  std::multimap<int, std::string> bytes;
  std::multimap<int, uint64_t> numbers;
  bool ok = true;

  explicit Message(std::string_view in) {
    size_t i = 0;
    auto varint = [&] {
      uint64_t v = 0;
      for (int shift = 0; shift < 64; shift += 7) {
        if (i >= in.size()) {
          ok = false;
          return v;
        }
        auto b = static_cast<unsigned char>(in[i++]);
        v |= uint64_t(b & 0x7f) << shift;
        if (!(b & 0x80)) break;
      }
      return v;
    };
    while (ok && i < in.size()) {
      uint64_t tag = varint();
      int field = int(tag >> 3);
      if ((tag & 7) == 0) {
        numbers.emplace(field, varint());
      } else if ((tag & 7) == 1) {
        i += 8;
        ok = i <= in.size();
      } else if ((tag & 7) == 2) {
        uint64_t n = varint();
        ok = ok && i + n <= in.size();
        if (ok) bytes.emplace(field, std::string(in.substr(i, n)));
        i += n;
      } else {
        ok = false;
      }
    }
  }
  std::string text(int field) const {
    auto it = bytes.find(field);
    return it == bytes.end() ? std::string() : it->second;
  }
  // The value of an entry (name = 1, value = 2) among the repeated `field`.
  std::string entry(int field, const std::string& name) const {
    auto [from, to] = bytes.equal_range(field);
    for (auto it = from; it != to; ++it) {
      Message m(it->second);
      if (m.text(1) == name) return m.text(2);
    }
    return {};
  }
};

}  // namespace

class OpenApiTest : public QObject {
  Q_OBJECT
  std::shared_ptr<Registry> registry_ = Registry::builtin();
  OpenApi all_ = makeOpenApi(*registry_, "v0.1");

 private slots:
  void everyReferenceLeadsSomewhere() {
    Json v2 = *parseJson(all_.v2Json);
    std::set<std::string> refs;
    collectRefs(v2, refs);
    QVERIFY(refs.size() > 100);
    auto& definitions = v2.at("definitions").get_object();
    for (auto& r : refs) QVERIFY2(r.starts_with("#/definitions/") && definitions.contains(r.substr(14)), r.c_str());
    for (auto& [key, text] : all_.v3) {
      Json doc = *parseJson(text);
      refs.clear();
      collectRefs(doc, refs);
      auto& schemas = doc.at("components").at("schemas").get_object();
      for (auto& r : refs) QVERIFY2(r.starts_with("#/components/schemas/") && schemas.contains(r.substr(21)), (key + " " + r).c_str());
    }
  }

  void index() {
    Json index = *parseJson(all_.v3Index);
    auto& paths = index.at("paths").get_object();
    QCOMPARE(paths.size(), all_.v3.size());
    for (auto* key : {"api/v1", "apis/apps/v1", "apis/coordination.k8s.io/v1", "apis/fleet.pilothouse.io/v1"}) {
      QVERIFY(paths.contains(key));
      auto url = std::string(paths.at(key).at("serverRelativeURL").as_string().c_str());
      QVERIFY(url.starts_with(std::string("/openapi/v3/") + key + "?hash="));
    }
  }

  // Both generations of kubectl ask the same of every kind: a PATCH that names its kind and knows these queries.
  void patchesAnnounceThemselves_data() {
    QTest::addColumn<QByteArray>("name");
    for (auto* r : registry_->all())
      if (allows(*r, "patch")) QTest::newRow(r->kind.c_str()) << QByteArray::fromStdString(r->kind);
  }
  void patchesAnnounceThemselves() {
    QFETCH(QByteArray, name);
    auto* r = kind(name.toStdString());
    auto base = r->group.empty() ? "api/" + r->version : "apis/" + r->group + "/" + r->version;
    auto path = "/" + base + (r->namespaced ? "/namespaces/{namespace}/" : "/") + r->plural + "/{name}";
    for (const Json& doc : {*parseJson(all_.v2Json), *parseJson(all_.v3.at(base))}) {
      auto* item = doc.at("paths").get_object().if_contains(path);
      QVERIFY2(item, path.c_str());
      auto& patch = item->at("patch");
      QCOMPARE(std::string(patch.at("x-kubernetes-group-version-kind").at("kind").as_string().c_str()), r->kind);
      std::set<std::string> queries;
      for (auto& p : patch.at("parameters").get_array())
        if (p.at("in") == "query") queries.insert(std::string(p.at("name").as_string().c_str()));
      QVERIFY(queries.contains("fieldValidation") && queries.contains("dryRun") && queries.contains("force"));
      QCOMPARE(item->get_object().contains("delete"), true);
    }
  }

  void operationIdsAreUnique() {
    Json v2 = *parseJson(all_.v2Json);
    std::set<std::string> ids;
    size_t operations = 0;
    for (auto& path : v2.at("paths").get_object())
      for (auto& verb : path.value().get_object())
        if (auto* op = verb.value().if_object()) {
          ++operations;
          ids.insert(std::string(op->at("operationId").as_string().c_str()));
        }
    QCOMPARE(ids.size(), operations);
  }

  void schemaWords() {
    Json v2 = *parseJson(all_.v2Json);
    auto& definitions = v2.at("definitions").get_object();
    auto& podSpec = definitions.at("io.k8s.api.core.v1.PodSpec");
    auto& containers = podSpec.at("properties").at("containers");
    QCOMPARE(containers.at("x-kubernetes-patch-merge-key"), Json("name"));
    QCOMPARE(containers.at("x-kubernetes-patch-strategy"), Json("merge"));
    QCOMPARE(podSpec.at("properties").at("volumes").at("x-kubernetes-patch-strategy"), Json("merge,retainKeys"));
    QCOMPARE(podSpec.at("required"), Json(JsonArray{"containers"}));
    auto& volume = definitions.at("io.k8s.api.core.v1.Volume").at("properties").get_object();
    QVERIFY(volume.contains("name") && volume.contains("configMap") && !volume.contains("volumeSource"));
    QCOMPARE(definitions.at("io.k8s.api.core.v1.ServicePort").at("properties").at("targetPort").at("format"), Json("int-or-string"));
    QCOMPARE(definitions.at("io.k8s.api.core.v1.ContainerPort").at("properties").at("protocol").at("type"), Json("string"));
    QCOMPARE(toText(definitions.at("io.k8s.api.apps.v1.Deployment").at("x-kubernetes-group-version-kind")), std::string(R"([{"group":"apps","version":"v1","kind":"Deployment"}])"));
    QVERIFY(definitions.contains("io.k8s.api.apps.v1.DeploymentList"));
    QVERIFY(!definitions.at("io.k8s.api.core.v1.Pod").at("description").as_string().empty());
    Json v3 = *parseJson(all_.v3.at("apis/apps/v1"));
    auto& replicas = v3.at("components").at("schemas").at("io.k8s.api.apps.v1.DeploymentSpec").at("properties").at("replicas");
    QCOMPARE(replicas.at("default"), Json(1));
    QCOMPARE(replicas.at("minimum"), Json(0));
  }

  void protobufSaysTheSame() {
    Json v2 = *parseJson(all_.v2Json);
    Message document(all_.v2Protobuf);
    QVERIFY(document.ok);
    QCOMPARE(document.text(1), std::string("2.0"));
    Message definitions(document.text(9));
    QCOMPARE(definitions.bytes.count(1), v2.at("definitions").get_object().size());
    for (auto& kv : v2.at("definitions").get_object()) {
      Message schema(definitions.entry(1, std::string(kv.key())));
      QVERIFY(schema.ok);
      Message properties(schema.text(25));
      auto* wanted = kv.value().get_object().if_contains("properties");
      QCOMPARE(properties.bytes.count(1), wanted ? wanted->get_object().size() : 0);
    }
    Message pod(definitions.entry(1, "io.k8s.api.core.v1.Pod"));
    QCOMPARE(Message(pod.text(22)).text(1), std::string("object"));
    QCOMPARE(Message(pod.entry(31, "x-kubernetes-group-version-kind")).text(2), std::string(R"([{"group":"","version":"v1","kind":"Pod"}])"));
    Message spec(Message(pod.text(25)).entry(1, "spec"));
    QCOMPARE(spec.text(1), std::string("#/definitions/io.k8s.api.core.v1.PodSpec"));
    Message paths(document.text(8));
    QCOMPARE(paths.bytes.count(2), v2.at("paths").get_object().size());
    Message item(paths.entry(2, "/api/v1/namespaces/{namespace}/pods/{name}"));
    Message patch(item.text(8));
    QVERIFY(!patch.entry(13, "x-kubernetes-group-version-kind").empty());
    bool dryRun = false;
    auto [from, to] = patch.bytes.equal_range(8);
    for (auto it = from; it != to; ++it) {
      Message query(Message(Message(Message(it->second).text(1)).text(2)).text(3));
      dryRun |= query.text(4) == "dryRun";
    }
    QVERIFY(dryRun);
  }

  void changesShowInTheEtag() {
    static constexpr Field fields[] = {{.name = "metadata", .type = &scalar::Any}};
    static constexpr Type type{.name = "com.example.v1.Boat", .form = Form::Object, .fields = fields, .fieldCount = 1};
    auto registry = Registry::builtin();
    QCOMPARE(makeOpenApi(*registry, "v0.1").etag, all_.etag);
    ResourceInfo info;
    info.group = "example.com";
    info.version = "v1";
    info.kind = "Boat";
    info.plural = "boats";
    info.type = &type;
    QVERIFY(registry->add(info).ok());
    auto changed = makeOpenApi(*registry, "v0.1");
    QVERIFY(changed.etag != all_.etag);
    QVERIFY(changed.v3.contains("apis/example.com/v1"));
  }
};

QTEST_GUILESS_MAIN(OpenApiTest)
#include "openapi_test.moc"
