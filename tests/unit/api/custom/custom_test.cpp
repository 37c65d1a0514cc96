// Custom kinds: from a schema to a Type, pruning and defaulting, validation, JSONPath, columns, documents.
#include <malloc.h>

#include <QTest>

#include "engine/api/codec.h"
#include "engine/api/custom/json_path.h"
#include "engine/api/custom/kinds.h"
#include "engine/api/custom/walk.h"
#include "engine/base/random.h"

using namespace ph;
using namespace ph::api;

namespace {

Json yaml(std::string_view text) {
  auto v = parseYaml(text);
  if (!v.ok()) qFatal("%s", v.status().message.c_str());
  return *v;
}

Json definition(std::string_view schema, std::string_view more = "") {
  Json crd = yaml(R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, listKind: CronTabList, shortNames: [ct], categories: [all]}
  versions: [{name: v1, served: true, storage: true}]
)");
  auto& version = crd.at("spec").at("versions").as_array()[0].as_object();
  version["schema"] = JsonObject{{"openAPIV3Schema", yaml(schema)}};
  Json extra = more.empty() ? Json(JsonObject()) : yaml(more);
  for (auto& kv : extra.as_object()) version[kv.key()] = kv.value();
  return crd;
}

std::vector<ResourceInfo> kinds(const Json& crd) {
  auto made = custom::kindsOf(crd);
  if (!made.ok()) qFatal("%s", made.status().message.c_str());
  return *made;
}

// One property "x" of spec with this schema; the errors of a value.
std::string errorsOf(std::string_view schema, std::string_view value) {
  auto all = kinds(definition("{type: object, properties: {x: " + std::string(schema) + "}}"));
  Json object = yaml("{apiVersion: stable.example.com/v1, kind: CronTab, metadata: {name: a}, x: " + std::string(value) + "}");
  ErrorList errors;
  all[0].custom->conform(object, errors, nullptr);
  all[0].custom->validate(object, errors);
  std::string out;
  for (auto& c : errors.causes()) out += (out.empty() ? "" : "; ") + c.field + ": " + c.message;
  return out;
}

std::string conformed(std::string_view schema, std::string_view value, std::vector<std::string>* unknown = nullptr) {
  auto all = kinds(definition(schema));
  Json object = yaml(value);
  ErrorList errors;
  all[0].custom->conform(object, errors, unknown);
  std::string out;
  for (auto& c : errors.causes()) out += c.field + ": " + c.message + "\n";
  return out + toText(object);
}

}  // namespace

class CustomTest : public QObject {
  Q_OBJECT
 private slots:
  void entryOfAVersion() {
    auto all = kinds(definition(R"(
type: object
properties:
  spec:
    type: object
    required: [cronSpec]
    properties:
      cronSpec: {type: string}
      replicas: {type: integer, default: 1}
      ports:
        type: array
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [name, protocol]
        items: {type: object, required: [name], properties: {name: {type: string}, protocol: {type: string, default: TCP}}}
      tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
      size: {x-kubernetes-int-or-string: true}
      labels: {type: object, additionalProperties: {type: string}}
      open: {type: object, x-kubernetes-preserve-unknown-fields: true}
      ref: {type: object, x-kubernetes-map-type: atomic, properties: {name: {type: string}}}
      share: {type: number}
)",
                                R"(
subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector}}
additionalPrinterColumns: [{name: Spec, type: string, jsonPath: .spec.cronSpec, priority: 1}]
deprecated: true
)"));
    QCOMPARE(all.size(), size_t(1));
    auto& r = all[0];
    QCOMPARE(r.groupResource(), "crontabs.stable.example.com");
    QCOMPARE(r.keyPrefix(), "/registry/stable.example.com/crontabs/");
    QVERIFY(r.storedVersion && r.hasStatus && r.namespaced && r.generation && !r.builtin);
    QCOMPARE(r.scale.labelSelector, ".status.selector");
    QCOMPARE(r.deprecation, "stable.example.com/v1 CronTab is deprecated");
    QCOMPARE(r.columns.size(), size_t(2));
    QCOMPARE(r.columns[1].priority, 1);
    QCOMPARE(std::string(r.type->name), "com.example.stable.v1.CronTab");
    QVERIFY(r.type->field("metadata")->type->field("labels"));
    auto* spec = r.type->field("spec")->type;
    QVERIFY(spec->field("cronSpec")->required);
    QCOMPARE(std::string(spec->field("replicas")->defaultJson), "1");
    QVERIFY(spec->field("replicas")->type->form == Form::Int64);
    QVERIFY(spec->field("ports")->listKind == ph::api::ListKind::Map);
    QCOMPARE(std::string(spec->field("ports")->mapKeys), "name,protocol");
    QVERIFY(spec->field("tags")->listKind == ph::api::ListKind::Set);
    QVERIFY(spec->field("size")->type->form == Form::IntOrString);
    QVERIFY(spec->field("labels")->type->form == Form::Map && spec->field("labels")->type->item->form == Form::String);
    QVERIFY(spec->field("open")->type->preserveUnknown);
    QVERIFY(spec->field("ref")->atomic);
    QVERIFY(spec->field("share")->type->form == Form::Double);
  }

  void valuesAgainstRules_data() {
    QTest::addColumn<QString>("schema");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("errors");
    auto row = [](const char* schema, const char* value, const char* errors) { QTest::newRow(qPrintable(QString(schema) + " " + value)) << schema << value << errors; };
    row("{type: integer, maximum: 10}", "10", "");
    row("{type: integer, maximum: 10}", "11", "x: Invalid value: 11: x in body should be less than or equal to 10");
    row("{type: integer, maximum: 10, exclusiveMaximum: true}", "10", "x: Invalid value: 10: x in body should be less than 10");
    row("{type: integer, minimum: 1}", "0", "x: Invalid value: 0: x in body should be greater than or equal to 1");
    row("{type: integer, minimum: 1, exclusiveMinimum: true}", "1", "x: Invalid value: 1: x in body should be greater than 1");
    row("{type: number, maximum: 0.5}", "0.75", "x: Invalid value: 0.75: x in body should be less than or equal to 0.5");
    row("{type: integer, multipleOf: 3}", "9", "");
    row("{type: integer, multipleOf: 3}", "10", "x: Invalid value: 10: x in body should be a multiple of 3");
    row("{type: integer, format: int32}", "3000000000", "x: Invalid value: 3000000000: Checked value must be of type integer with format int32");
    row("{type: integer}", "3.5", "x: Invalid value: \"number\": x in body must be of type integer: \"number\"");
    row("{type: integer}", "'3'", "x: Invalid value: \"string\": x in body must be of type integer: \"string\"");
    row("{type: string}", "3", "x: Invalid value: \"integer\": x in body must be of type string: \"integer\"");
    row("{type: boolean}", "yes please", "x: Invalid value: \"string\": x in body must be of type boolean: \"string\"");
    row("{type: object}", "[1]", "x: Invalid value: \"array\": x in body must be of type object: \"array\"");
    row("{type: array, items: {type: string}}", "{a: 1}", "x: Invalid value: \"object\": x in body must be of type array: \"object\"");
    row("{type: array, items: {type: string}}", "[a, 1]", "x[1]: Invalid value: \"integer\": x[1] in body must be of type string: \"integer\"");
    row("{type: string, nullable: true}", "null", "");
    row("{type: array, items: {type: string}}", "[null]", "x[0]: Invalid value: \"null\": x[0] in body must be of type string: \"null\"");
    row("{type: string, minLength: 2, maxLength: 3}", "äöü", "");
    row("{type: string, minLength: 2}", "ä", "x: Invalid value: \"ä\": x in body should be at least 2 chars long");
    row("{type: string, maxLength: 3}", "abcd", "x: Too long: must have at most 3 bytes");
    row("{type: string, pattern: '^[a-z]+$'}", "abc", "");
    row("{type: string, pattern: '^[a-z]+$'}", "Abc", "x: Invalid value: \"Abc\": x in body should match '^[a-z]+$'");
    row("{type: string, pattern: b}", "abc", "");
    row("{type: string, enum: [a, b]}", "c", "x: Unsupported value: \"c\": supported values: \"a\", \"b\"");
    row("{type: integer, enum: [1, 2]}", "2", "");
    row("{type: integer, enum: [1, 2]}", "3", "x: Unsupported value: \"3\": supported values: \"1\", \"2\"");
    row("{type: array, minItems: 1, items: {type: string}}", "[]", "x: Invalid value: 0: x in body should have at least 1 items");
    row("{type: array, maxItems: 1, items: {type: string}}", "[a, b]", "x: Too many: 2: must have at most 1 items");
    row("{type: object, minProperties: 1, x-kubernetes-preserve-unknown-fields: true}", "{}", "x: Invalid value: 0: x in body should have at least 1 properties");
    row("{type: object, maxProperties: 1, additionalProperties: {type: string}}", "{a: b, c: d}", "x: Too many: 2: must have at most 1 items");
    row("{type: object, additionalProperties: {type: integer}}", "{a: b}", "x.a: Invalid value: \"string\": x.a in body must be of type integer: \"string\"");
    row("{type: object, required: [a], properties: {a: {type: string}}}", "{}", "x.a: Required value");
    row("{type: array, x-kubernetes-list-type: set, items: {type: string}}", "[a, b, a]", "x[2]: Duplicate value: \"\\\"a\\\"\"");
    row("{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: string}, v: {type: string}}}}",
        "[{k: a, v: b}, {k: a, v: c}]", "x[1]: Duplicate value: \"{\\\"k\\\":\\\"a\\\"}\"");
    row("{x-kubernetes-int-or-string: true}", "5", "");
    row("{x-kubernetes-int-or-string: true}", "5%", "");
    row("{x-kubernetes-int-or-string: true}", "true", "x: Invalid value: \"boolean\": x in body must be of type integer,string: \"boolean\"");
    row("{type: string, format: date-time}", "2026-02-29T00:00:00Z", "x: Invalid value: \"2026-02-29T00:00:00Z\": x in body must be of type date-time: \"2026-02-29T00:00:00Z\"");
    row("{type: string, format: something-new}", "anything", "");
    row("{type: integer, oneOf: [{minimum: 5}, {maximum: 7}]}", "6", "x: Invalid value: \"\": \"x\" must validate one and only one schema (oneOf). Found 2 valid alternatives");
    row("{type: integer, oneOf: [{minimum: 5}, {maximum: 3}]}", "4", "x: Invalid value: \"\": \"x\" must validate one and only one schema (oneOf). Found none valid");
    row("{type: integer, oneOf: [{minimum: 5}, {maximum: 3}]}", "8", "");
    row("{type: integer, anyOf: [{minimum: 5}, {maximum: 3}]}", "4",
        "x: Invalid value: \"\": \"x\" must validate at least one schema (anyOf); x: Invalid value: 4: x in body should be greater than or equal to 5");
    row("{type: integer, allOf: [{minimum: 5}, {maximum: 8}]}", "9",
        "x: Invalid value: 9: x in body should be less than or equal to 8; x: Invalid value: \"\": \"x\" must validate all the schemas (allOf)");
    row("{type: integer, not: {minimum: 5}}", "5", "x: Invalid value: \"\": \"x\" must not validate the schema (not)");
    row("{type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}", "{kind: Pod}", "x.apiVersion: Required value: must not be empty");
  }
  void valuesAgainstRules() {
    QFETCH(QString, schema);
    QFETCH(QString, value);
    QFETCH(QString, errors);
    QCOMPARE(QString::fromStdString(errorsOf(schema.toStdString(), value.toStdString())), errors);
  }

  void formats_data() {
    QTest::addColumn<QString>("format");
    QTest::addColumn<QString>("text");
    QTest::addColumn<bool>("fits");
    auto row = [](const char* format, const char* text, bool fits) { QTest::newRow(qPrintable(QString("%1 %2").arg(format, text))) << format << text << fits; };
    row("date", "2024-02-29", true);
    row("date", "2023-02-29", false);
    row("date-time", "2024-01-01T00:00:00.123+02:00", true);
    row("date-time", "2024-01-01", false);
    row("date-time", "2024-01-01T25:00:00Z", false);
    row("duration", "1h30m", true);
    row("duration", "1.5s", true);
    row("duration", "3 days", true);
    row("duration", "h", false);
    row("byte", "YWJj", true);
    row("byte", "YW!", false);
    row("ipv4", "10.0.0.1", true);
    row("ipv4", "10.0.0.256", false);
    row("ipv6", "fe80::1", true);
    row("ipv6", "10.0.0.1", false);
    row("cidr", "10.0.0.0/8", true);
    row("cidr", "10.0.0.0/33", false);
    row("uuid", "0f8fad5b-d9cb-469f-a165-70867728950e", true);
    row("uuid4", "0f8fad5b-d9cb-169f-a165-70867728950e", false);
    row("hostname", "a.example.com", true);
    row("hostname", "-a.example.com", false);
    row("email", "a@example.com", true);
    row("email", "a.example.com", false);
    row("uri", "https://example.com/x?y", true);
    row("uri", "not a uri", false);
    row("mac", "00:1B:44:11:3A:B7", true);
    row("mac", "00:1B:44:11:3A", false);
    row("isbn13", "978-3-16-148410-0", true);
    row("isbn10", "3-16-148410-0", false);
    row("creditcard", "4111 1111 1111 1111", true);
    row("creditcard", "4111 1111 1111 1112", false);
    row("hexcolor", "#a0b1c2", true);
    row("hexcolor", "#a0b1", false);
    row("rgbcolor", "rgb(1, 2, 255)", true);
    row("rgbcolor", "rgb(1, 2, 256)", false);
    row("bsonobjectid", "507f1f77bcf86cd799439011", true);
  }
  void formats() {
    QFETCH(QString, format);
    QFETCH(QString, text);
    QFETCH(bool, fits);
    QCOMPARE(custom::hasFormat(text.toStdString(), format.toStdString()), fits);
  }

  void unknownFieldsGoAndDefaultsCome() {
    const char* schema = R"(
type: object
properties:
  spec:
    type: object
    default: {}
    properties:
      a: {type: string, default: x}
      n: {type: string, nullable: true}
      d: {type: string, default: filled}
      kept: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {known: {type: object, properties: {z: {type: string}}}}}
      list: {type: array, items: {type: object, properties: {k: {type: string, default: v}}}}
      map: {type: object, additionalProperties: {type: object, properties: {k: {type: integer}}}}
      pod: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}
)";
    QCOMPARE(conformed(schema, "{metadata: {name: a}}"), R"({"metadata":{"name":"a"},"spec":{"a":"x","d":"filled"}})");
    std::vector<std::string> unknown;
    auto out = conformed(schema, R"(
metadata: {name: a, bogus: 1, labels: {x: one}}
other: 1
spec:
  foo: 1
  n: null
  d: null
  a: null
  kept: {anything: {deep: 1}, known: {z: s, gone: 1}}
  list: [{k: a, u: 1}, {}]
  map: {one: {k: 1, u: 2}}
  pod: {apiVersion: v1, kind: Pod, metadata: {name: p, bad: 1}, spec: {gone: 1}}
)",
                         &unknown);
    QCOMPARE(QString::fromStdString(out),
             QString(R"({"metadata":{"name":"a","labels":{"x":"one"}},"spec":{"n":null,"d":"filled","a":"x",)"
             R"("kept":{"anything":{"deep":1},"known":{"z":"s"}},"list":[{"k":"a"},{"k":"v"}],"map":{"one":{"k":1}},)"
             R"("pod":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{}}}})"));
    std::string all;
    for (auto& u : unknown) all += u + " ";
    QCOMPARE(all, "metadata.bogus other spec.foo spec.kept.known.gone spec.list[0].u spec.map.one.u spec.pod.metadata.bad spec.pod.spec.gone ");
  }

  void badMetadataIsAnError() {
    auto out = conformed("{type: object}", "{apiVersion: 3, metadata: {name: a, labels: [x]}}");
    QVERIFY2(QByteArray::fromStdString(out).contains("apiVersion: Invalid value"), out.c_str());
    QVERIFY2(QByteArray::fromStdString(out).contains("metadata.labels: Invalid value"), out.c_str());
  }

  // Whatever comes in: pruning twice is pruning once; what is left has no unknown field; restore() agrees.
  void pruningIsStable() {
    const char* schema = R"(
type: object
properties:
  spec:
    type: object
    properties:
      a: {type: string, default: x}
      b: {type: object, nullable: true, properties: {c: {type: array, items: {type: object, properties: {d: {type: integer, default: 3}}}}}}
      e: {type: object, additionalProperties: {type: object, default: {f: 1}, properties: {f: {type: integer}}}}
)";
    auto all = kinds(definition(schema));
    uint64_t seed = 1;
    auto next = [&](uint64_t n) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      return (seed >> 33) % n;
    };
    std::function<Json(int)> any = [&](int depth) -> Json {
      static const char* keys[] = {"spec", "a", "b", "c", "d", "e", "f", "zz"};
      switch (next(depth > 5 ? 4 : 6)) {
        case 0: return nullptr;
        case 1: return int64_t(next(5));
        case 2: return "s";
        case 3: return true;
        case 4: {
          JsonArray a;
          for (auto n = next(3); n-- > 0;) a.push_back(any(depth + 1));
          return a;
        }
        default: {
          JsonObject o;
          for (auto n = next(5); n-- > 0;) o[keys[next(8)]] = any(depth + 1);
          return o;
        }
      }
    };
    for (int i = 0; i < 3000; ++i) {
      Json tree = JsonObject{{"metadata", JsonObject{{"name", "a"}}}, {"spec", any(0)}};
      ErrorList errors;
      all[0].custom->conform(tree, errors, nullptr);
      Json once = tree;
      std::vector<std::string> unknown;
      all[0].custom->conform(tree, errors, &unknown);
      QVERIFY2(unknown.empty(), toText(once).c_str());
      QVERIFY2(tree == once, toText(once).c_str());
      all[0].custom->restore(tree);
      QVERIFY(tree == once);
    }
  }

  void jsonPaths_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("found");
    auto row = [](const char* path, const char* found) { QTest::newRow(path) << path << found; };
    row(".spec.replicas", "3");
    row("{.spec.replicas}", "3");
    row(".spec.list[0].n", "\"a\"");
    row(".spec.list[-1].n", "\"c\"");
    row(".spec.list[*].n", "\"a\" \"b\" \"c\"");
    row(".spec.list[0:2].n", "\"a\" \"b\"");
    row(".spec.list[0,2].n", "\"a\" \"c\"");
    row(".spec.list[?(@.v>1)].n", "\"b\" \"c\"");
    row(".spec.list[?(@.n==\"b\")].v", "2");
    row(".spec.list[?(@.n!='b')].v", "1 3");
    row(".spec.list[?(@.opt)].n", "\"c\"");
    row(".metadata.annotations.a\\.b/c", "\"dotted\"");
    row(".metadata.annotations['a.b/c']", "\"dotted\"");
    row("..opt", "true");
    row(".spec.none", "");
    row(".spec.list[7]", "");
    row(".spec.*", "3 [{\"n\":\"a\",\"v\":1},{\"n\":\"b\",\"v\":2},{\"n\":\"c\",\"v\":3,\"opt\":true}]");
  }
  void jsonPaths() {
    QFETCH(QString, path);
    QFETCH(QString, found);
    Json tree = yaml("{metadata: {annotations: {a.b/c: dotted}}, spec: {replicas: 3, list: [{n: a, v: 1}, {n: b, v: 2}, {n: c, v: 3, opt: true}]}}");
    auto parsed = custom::JsonPath::parse(path.toStdString());
    QVERIFY2(parsed.ok(), parsed.ok() ? "" : parsed.status().message.c_str());
    std::string out;
    for (auto* v : parsed->find(tree)) out += (out.empty() ? "" : " ") + toText(*v);
    QCOMPARE(QString::fromStdString(out), found);
  }
  void badJsonPaths() {
    for (auto* text : {".a[", ".a[?(", ".a[?(@.b==)]", ".a[x]", ".a['x]", ".a[0:3:0]", ".a.", "a", ".a[?(@.b==\"c\")"})
      QVERIFY2(!custom::JsonPath::parse(text).ok() || std::string(text) == ".a.", text);
    QVERIFY(!custom::JsonPath::parse(std::string(5000, 'a')).ok());
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += ".a";
    QVERIFY(!custom::JsonPath::parse(deep).ok());
  }

  void cells() {
    auto all = kinds(definition("{type: object, x-kubernetes-preserve-unknown-fields: true}", R"(
additionalPrinterColumns:
- {name: S, type: string, jsonPath: .s}
- {name: All, type: string, jsonPath: '.list[*].n'}
- {name: I, type: integer, jsonPath: .i}
- {name: F, type: number, jsonPath: .f}
- {name: B, type: boolean, jsonPath: .b}
- {name: D, type: date, jsonPath: .d}
- {name: Ready, type: string, jsonPath: '.conditions[?(@.type=="Ready")].status'}
- {name: Wrong, type: integer, jsonPath: .s}
- {name: None, type: string, jsonPath: .none}
- {name: BadDate, type: date, jsonPath: .s}
)"));
    Json object = yaml("{metadata: {name: thing}, s: text, i: 3, f: 0.5, b: true, d: '2026-01-01T00:00:00Z', list: [{n: a}, {n: b}], conditions: [{type: Other, status: 'False'}, {type: Ready, status: 'True'}]}");
    std::vector<Json> out;
    all[0].custom->cells(object, *parseTime("2026-01-01T01:00:00Z"), out);
    QCOMPARE(QString::fromStdString(toText(Json(JsonArray(out.begin(), out.end())))), R"(["thing","text","a b",3,0.5,true,"60m","True",null,null,"<invalid>"])");
  }

  void documents() {
    auto all = kinds(definition(R"(
type: object
properties:
  a: {type: string, nullable: true, default: x}
  b: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
  c: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {d: {type: string}}}
  e: {type: integer, minimum: 1, description: Words.}
)"));
    QVERIFY(at(all[0].custom->document(false), "properties.b.anyOf"));
    auto v2 = all[0].custom->document(true);
    QCOMPARE(toText(*at(v2, "properties.a")), "{}");
    QVERIFY(!at(v2, "properties.b.anyOf"));
    QVERIFY(!at(v2, "properties.c.properties"));
    QCOMPARE(toText(*at(v2, "properties.e")), R"({"type":"integer","minimum":1,"description":"Words."})");
  }

  // What a definition of usual size costs: twenty parts of forty fields, each with a pattern and a description.
  void memoryOfALargeKind() {
    JsonObject parts;
    for (int i = 0; i < 20; ++i) {
      JsonObject fields;
      for (int k = 0; k < 40; ++k)
        fields["field" + std::to_string(k)] = JsonObject{{"type", "string"}, {"maxLength", 100}, {"pattern", "^[a-z0-9-]*$"},
                                                         {"description", "What this field is good for, in words of the usual length of such descriptions."}};
      parts["part" + std::to_string(i)] = JsonObject{{"type", "object"}, {"properties", std::move(fields)}};
    }
    Json crd = definition("{type: object}");
    crd.at("spec").at("versions").as_array()[0].at("schema").at("openAPIV3Schema").as_object()["properties"] = std::move(parts);
    auto before = mallinfo2().uordblks;
    auto all = kinds(crd);
    auto bytes = mallinfo2().uordblks - before;
    qInfo("800 fields: %zu KiB", bytes / 1024);
#if !defined(__SANITIZE_ADDRESS__)
    QVERIFY2(bytes < 2 * 1024 * 1024, qPrintable(QString::number(bytes)));
#endif
    QVERIFY(all[0].type->field("part7"));
  }

  void severalVersions() {
    Json crd = definition("{type: object}");
    auto& versions = crd.at("spec").at("versions").as_array();
    versions.push_back(yaml("{name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}"));
    versions.push_back(yaml("{name: v1alpha1, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}"));
    auto all = kinds(crd);
    QCOMPARE(all.size(), size_t(2));
    auto registry = Registry::builtin();
    for (auto& r : all) QVERIFY(registry->add(r).ok());
    QCOMPARE(registry->stored(*registry->find("stable.example.com", "v1beta1", "crontabs"))->version, "v1");
    QCOMPARE(registry->storage("stable.example.com", "crontabs")->version, "v1");
  }

  void whatCantBeCompiledIsRefused() {
    QVERIFY(!custom::kindsOf(definition("{type: object, properties: {a: {type: nonsense}}}")).ok());
    QVERIFY(!custom::kindsOf(definition("{type: object, properties: {a: {type: string, pattern: '(((a{1000}){1000}){1000})'}}}")).ok());
    std::string deep = "{type: string}";
    for (int i = 0; i < 45; ++i) deep = "{type: object, properties: {a: " + deep + "}}";
    QVERIFY(custom::kindsOf(definition(deep)).ok());
    Json endless = JsonObject{{"type", "string"}};
    for (int i = 0; i < 150; ++i) endless = JsonObject{{"type", "array"}, {"items", endless}};
    Json crd = definition("{type: object}");
    crd.at("spec").at("versions").as_array()[0].at("schema").at("openAPIV3Schema").as_object()["properties"] = JsonObject{{"a", endless}};
    QVERIFY(!custom::kindsOf(crd).ok());
  }

  // A pattern that makes backtracking matchers run for ever answers at once.
  void patternsTakeBoundedTime() {
    auto errors = errorsOf("{type: string, pattern: '^(a+)+$'}", std::string(20000, 'a') + "b");
    QVERIFY(!errors.empty());
  }
};

QTEST_GUILESS_MAIN(CustomTest)
#include "custom_test.moc"
