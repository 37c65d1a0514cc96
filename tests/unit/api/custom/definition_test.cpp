// The rules for CustomResourceDefinitions: each row breaks one, and the message is Kubernetes'.
#include <QTest>

#include "engine/api/codec.h"
#include "engine/api/custom/definition.h"

using namespace ph;
using namespace ph::api;

namespace {

Json yaml(std::string_view text) {
  auto v = parseYaml(text);
  if (!v.ok()) qFatal("%s", v.status().message.c_str());
  return *v;
}

Json good() {
  return yaml(R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, listKind: CronTabList}
  conversion: {strategy: None}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {a: {type: string}}}}}}
status: {storedVersions: [v1]}
)");
}

// Replaces what stands at a path ("/spec/group"); "" removes it.
void put(Json& tree, const std::string& pointer, const QString& value) {
  auto slash = pointer.rfind('/');
  auto& parent = tree.at_pointer(pointer.substr(0, slash));
  auto key = pointer.substr(slash + 1);
  if (value.isEmpty()) parent.as_object().erase(key);
  else parent.as_object()[key] = yaml(value.toStdString());
}

std::string errorsOf(const Json& crd, const custom::DefinitionContext& context = {}) {
  ErrorList errors;
  custom::validateDefinition(crd, context, errors);
  std::string out;
  for (auto& c : errors.causes()) out += (out.empty() ? "" : "; ") + c.field + ": " + c.message;
  return out;
}

const std::string kSchema = "/spec/versions/0/schema/openAPIV3Schema";
const QString kAt = "spec.versions[0].schema.openAPIV3Schema";

}  // namespace

class DefinitionTest : public QObject {
  Q_OBJECT
 private slots:
  void aGoodOnePasses() { QCOMPARE(errorsOf(good()), ""); }

  void rules_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("errors");
    auto row = [](const std::string& path, const char* value, const QString& errors) {
      QTest::newRow(qPrintable(QString::fromStdString(path) + " " + value)) << QString::fromStdString(path) << value << errors;
    };
    row("/metadata/name", "other.stable.example.com", "metadata.name: Invalid value: \"other.stable.example.com\": must be spec.names.plural+\".\"+spec.group");
    row("/spec/scope", "Everywhere", "spec.scope: Unsupported value: \"Everywhere\": supported values: \"Cluster\", \"Namespaced\"");
    row("/spec/scope", "", "spec.scope: Required value");
    row("/spec/names/singular", "", "spec.names.singular: Required value");
    row("/spec/names/listKind", "CronTab", "spec.names.listKind: Invalid value: \"CronTab\": kind and listKind may not be the same");
    row("/spec/versions/0/storage", "false", "spec.versions: Invalid value: [v1]: must have exactly one version marked as storage version");
    row("/spec/versions/0/schema", "", "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required");
    row("/spec/conversion", "{strategy: Webhook}", "spec.conversion.strategy: Unsupported value: \"Webhook\": supported values: \"None\"");
    row("/spec/preserveUnknownFields", "true",
        "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead");
    row("/status/storedVersions", "[v1, v0]", "status.storedVersions[1]: Invalid value: \"v0\": must appear in spec.versions");
    row("/status/storedVersions", "[]", "status.storedVersions: Invalid value: []: must have at least one stored version");
    row("/spec/versions/0/deprecationWarning", "old", "spec.versions[0].deprecationWarning: Invalid value: \"old\": can only be set for deprecated versions");
    row("/spec/versions/0/additionalPrinterColumns", "[{name: A, type: text, jsonPath: .a}]",
        "spec.versions[0].additionalPrinterColumns[0].type: Invalid value: \"text\": must be one of boolean,date,integer,number,string");
    row("/spec/versions/0/additionalPrinterColumns", "[{name: A, type: string, jsonPath: a}]",
        "spec.versions[0].additionalPrinterColumns[0].jsonPath: Invalid value: \"a\": must be a simple json path starting with .");
    row("/spec/versions/0/subresources", "{scale: {specReplicasPath: .status.x, statusReplicasPath: .status.x}}",
        "spec.versions[0].subresources.scale.specReplicasPath: Invalid value: \".status.x\": should be a json path under .spec");
    row("/spec/versions/0/selectableFields", "[{jsonPath: .spec.nothing}]",
        "spec.versions[0].selectableFields[0].jsonPath: Invalid value: \".spec.nothing\": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.");
    row("/spec/versions/0/selectableFields", "[{jsonPath: .spec.a}]", "");
  }
  void rules() {
    QFETCH(QString, path);
    QFETCH(QString, value);
    QFETCH(QString, errors);
    Json crd = good();
    put(crd, path.toStdString(), value);
    QCOMPARE(QString::fromStdString(errorsOf(crd)), errors);
  }

  void schemaRules_data() {
    QTest::addColumn<QString>("schema");
    QTest::addColumn<QString>("errors");
    auto row = [](const char* schema, const QString& errors) { QTest::newRow(schema) << schema << errors; };
    row("{type: object, properties: {a: {}}}", kAt + ".properties[a].type: Required value: must not be empty for specified object fields");
    row("{type: object, properties: {a: {type: array}}}", kAt + ".properties[a].items: Required value: must be specified");
    row("{type: object, properties: {a: {type: array, items: {}}}}", kAt + ".properties[a].items.type: Required value: must not be empty for specified array items");
    row("{type: string}", kAt + ".type: Invalid value: \"string\": must be object at the root");
    row("{type: object, additionalProperties: {type: string}}", kAt + ".additionalProperties: Forbidden: must not be used at the root");
    row("{type: object, properties: {a: {type: object, properties: {b: {type: string}}, additionalProperties: {type: string}}}}",
        kAt + ".properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive");
    row("{type: object, properties: {a: {type: object, additionalProperties: false}}}", kAt + ".properties[a].additionalProperties: Forbidden: additionalProperties cannot be set to false");
    row("{type: object, properties: {a: {type: 'null'}}}", kAt + ".properties[a].type: Forbidden: type cannot be set to null, use nullable as an alternative");
    row("{type: object, properties: {a: {type: file}}}",
        kAt + ".properties[a].type: Unsupported value: \"file\": supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"");
    row("{type: object, properties: {a: {type: array, uniqueItems: true, items: {type: string}}}}",
        kAt + ".properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
    row("{type: object, properties: {a: {$ref: x, type: string}}}", kAt + ".properties[a].$ref: Forbidden: $ref is not supported");
    row("{type: object, properties: {a: {type: string, pattern: '('}}}",
        kAt + ".properties[a].pattern: Invalid value: \"(\": must be a valid regular expression, but isn't: missing ): (");
    row("{type: object, properties: {a: {type: integer}}, anyOf: [{properties: {a: {type: integer}}}]}",
        kAt + ".anyOf[0].properties[a].type: Forbidden: must be empty to be structural");
    row("{type: object, properties: {a: {type: integer}}, anyOf: [{properties: {b: {minimum: 1}}}]}",
        kAt + ".properties[b]: Required value: because it is defined in " + kAt + ".anyOf[0].properties[b]");
    row("{type: object, properties: {a: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}}}", "");
    row("{type: object, properties: {a: {x-kubernetes-int-or-string: true, x-kubernetes-preserve-unknown-fields: true}}}",
        kAt + ".properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true");
    row("{type: object, properties: {a: {x-kubernetes-preserve-unknown-fields: false, type: object}}}",
        kAt + ".properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined");
    row("{type: object, properties: {metadata: {type: object, properties: {labels: {type: object}}}}}",
        kAt + ".properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified");
    row("{type: object, properties: {metadata: {type: object, properties: {name: {type: string, maxLength: 20}}}}}", "");
    row("{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, items: {type: object, properties: {n: {type: string}}}}}}",
        kAt + ".properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map");
    row("{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, properties: {k: {type: string}}}}}}",
        kAt + ".properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
    row("{type: object, properties: {a: {type: array, x-kubernetes-list-type: set, items: {type: object}}}}",
        kAt + ".properties[a].items.x-kubernetes-map-type: Invalid value: \"\": must be atomic as item of a list with x-kubernetes-list-type=set");
    row("{type: object, properties: {a: {type: integer, default: x}}}",
        kAt + ".properties[a].default: Invalid value: \"string\": " + kAt + ".properties[a].default in body must be of type integer: \"string\"");
    row("{type: object, properties: {a: {type: object, default: {zz: 1}, properties: {b: {type: string}}}}}",
        kAt + ".properties[a].default: Invalid value: {\"zz\":1}: must not have unknown fields: zz");
    row("{type: object, properties: {a: {type: object, x-kubernetes-embedded-resource: true}}}",
        kAt + ".properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields");
    row("{type: object, nullable: true}", kAt + ".nullable: Forbidden: nullable cannot be true at the root");
  }
  void schemaRules() {
    QFETCH(QString, schema);
    QFETCH(QString, errors);
    Json crd = good();
    put(crd, kSchema, schema);
    QCOMPARE(QString::fromStdString(errorsOf(crd)), errors);
  }

  void statusSubresourceNarrowsTheRoot() {
    Json crd = good();
    put(crd, "/spec/versions/0/subresources", "{status: {}}");
    put(crd, kSchema, "{type: object, anyOf: [{required: [spec]}], properties: {spec: {type: object}}}");
    QVERIFY(QString::fromStdString(errorsOf(crd)).contains("fields are allowed at the root of the schema if the status subresource is enabled"));
  }

  void groupsOfTheProjectNeedApproval() {
    Json crd = good();
    put(crd, "/spec/group", "thing.k8s.io");
    put(crd, "/metadata/name", "crontabs.thing.k8s.io");
    QVERIFY(errorsOf(crd).starts_with("metadata.annotations[api-approved.kubernetes.io]: Required value"));
    put(crd, "/metadata/annotations", "{api-approved.kubernetes.io: 'unapproved, a test'}");
    QCOMPARE(errorsOf(crd), "");
  }

  void whatNeverChanges() {
    Json old = good(), crd = good();
    put(old, "/status/conditions", "[{type: Established, status: 'True'}]");
    put(crd, "/spec/scope", "Cluster");
    put(crd, "/spec/names/kind", "Other");
    QCOMPARE(errorsOf(crd, {.old = &old}), "spec.scope: Invalid value: \"Cluster\": field is immutable; spec.names.kind: Invalid value: \"Other\": field is immutable");
    put(old, "/status/conditions", "[]");
    QCOMPARE(errorsOf(crd, {.old = &old}), "");
  }

  void theOldVersionAsksForLess() {
    Json crd = good();
    put(crd, "/spec/versions/0/schema", "");
    put(crd, "/spec/preserveUnknownFields", "true");
    QCOMPARE(errorsOf(crd, {.v1beta1 = true}), "");
    put(crd, "/spec/versions/0/schema", "{openAPIV3Schema: {type: object, properties: {a: {type: string, default: x}}}}");
    QVERIFY(QString::fromStdString(errorsOf(crd, {.v1beta1 = true})).contains("must use apiextensions.k8s.io/v1"));
  }

  void namesAreAcceptedOnce() {
    auto now = *parseTime("2026-01-01T00:00:00Z");
    Json first = good();
    QVERIFY(custom::acceptNames(first, {}, now));
    QVERIFY(custom::conditionTrue(first, "NamesAccepted") && custom::conditionTrue(first, "Established"));
    QVERIFY(!custom::acceptNames(first, {}, now));  // nothing more to say
    custom::TakenNames taken;
    custom::takeNames(first, taken);
    Json second = good();
    put(second, "/metadata/name", "tabs.stable.example.com");
    put(second, "/spec/names", "{plural: tabs, singular: tab, kind: CronTab, listKind: TabList, shortNames: [crontab, x]}");
    QVERIFY(custom::acceptNames(second, taken, now));
    QVERIFY(!custom::conditionTrue(second, "NamesAccepted") && !custom::conditionTrue(second, "Established"));
    QCOMPARE(toText(*at(second, "status.conditions.0.reason")), "\"KindConflict\"");
    QCOMPARE(toText(*at(second, "status.acceptedNames")), R"({"plural":"tabs","singular":"tab","listKind":"TabList"})");
    QVERIFY(custom::acceptNames(second, {}, now));  // the others went
    QVERIFY(custom::conditionTrue(second, "Established"));
  }
};

QTEST_GUILESS_MAIN(DefinitionTest)
#include "definition_test.moc"
