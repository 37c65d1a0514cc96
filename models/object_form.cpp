#include "models/object_form.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <QSet>

#include "engine/api/quantity.h"
#include "engine/api/validation.h"
#include "models/json_read.h"
#include "models/yaml_text.h"

namespace ph::models {

namespace {

namespace bj = boost::json;
using Kind = ObjectForm::Kind;
using Entry = ObjectForm::Entry;

struct ObjectForms {
  Q_DECLARE_TR_FUNCTIONS(ObjectForms)
};

bj::string str(const QString& s) {
  return bj::string(s.toStdString());
}

constexpr qsizetype kMaxData = 1 << 20;  // bytes, of a ConfigMap's or Secret's values together

// Text when it is valid UTF-8 without control characters, else its base64.
Entry fromBytes(const QString& key, const QByteArray& bytes) {
  auto decoder = QStringDecoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
  const QString text = decoder(bytes);
  bool plain = !decoder.hasError();
  for (QChar c : text) plain = plain && (c >= QChar(0x20) || c == '\n' || c == '\t' || c == '\r');
  if (plain) return {key, text, false};
  return {key, QString::fromLatin1(bytes.toBase64()), true};
}

QByteArray bytesOf(const Entry& e) {
  return e.binary ? QByteArray::fromBase64(e.value.toLatin1()) : e.value.toUtf8();
}

bj::object entriesAs(const ObjectForm& f, bool binary, bool base64) {
  bj::object out;
  for (auto& e : f.entries) {
    if (f.kind == Kind::ConfigMap && e.binary != binary) continue;
    out[e.key.toStdString()] = base64 ? str(QString::fromLatin1(bytesOf(e).toBase64())) : str(e.value);
  }
  return out;
}

void put(bj::object& o, const char* key, bj::object value) {
  if (value.empty())
    o.stable_erase(key);
  else
    o[key] = std::move(value);
}

void checkEntries(const ObjectForm& f, QList<FieldProblem>& out) {
  QSet<QString> seen;
  qsizetype size = 0;
  static const QRegularExpression dataKey(QStringLiteral("^[-._a-zA-Z0-9]{1,253}$"));
  for (auto& e : f.entries) {
    const QString field = QStringLiteral("entry:") + e.key;
    if (e.key.isEmpty()) {
      out.append({QStringLiteral("entries"), ObjectForms::tr("A value needs a name.")});
      continue;
    }
    if (seen.contains(e.key)) out.append({field, ObjectForms::tr("“%1” stands there twice.").arg(e.key)});
    seen.insert(e.key);
    switch (f.kind) {
      case Kind::ConfigMap:
      case Kind::Secret:
        size += e.key.size() + bytesOf(e).size();
        if (!dataKey.match(e.key).hasMatch() || e.key == u"." || e.key.startsWith(u".."))
          out.append({field, ObjectForms::tr("“%1”: letters, digits, dashes, dots and underscores only.").arg(e.key)});
        break;
      case Kind::Namespace:
        if (!api::checkQualifiedName(e.key.toStdString()).empty() || !api::checkLabelValue(e.value.toStdString()).empty())
          out.append({field, ObjectForms::tr("“%1=%2” is no label.").arg(e.key, e.value)});
        break;
      case Kind::Quota: {
        auto q = api::Quantity::parse(e.value.toStdString());
        if (!q || q->negative())
          out.append({field, ObjectForms::tr("“%1” is no amount. For example: 10, 500m, 2Gi").arg(e.value)});
        break;
      }
    }
  }
  if (size > kMaxData) out.append({QStringLiteral("entries"), ObjectForms::tr("All values together may have 1 MiB.")});
  if (f.kind == Kind::Quota && f.entries.isEmpty())
    out.append({QStringLiteral("entries"), ObjectForms::tr("A quota limits at least one thing.")});
}

}  // namespace

QList<KnownEntry> knownEntries(Kind kind) {
  auto entry = [](const char* key, const QString& what, const char* example) {
    return KnownEntry{QString::fromLatin1(key), what, QString::fromLatin1(example)};
  };
  if (kind == Kind::Namespace)
    return {entry("pilothouse.io/rebalance", ObjectForms::tr("enabled: copies move, one at a time, when a machine comes or is much emptier than theirs."), "enabled"),
            entry("pod-security.kubernetes.io/enforce", ObjectForms::tr("Refuses pods that may do more than this: privileged, baseline or restricted."), "baseline"),
            entry("pod-security.kubernetes.io/warn", ObjectForms::tr("Warns of pods that may do more than this: privileged, baseline or restricted."), "restricted")};
  if (kind == Kind::Quota)
    return {entry("pods", ObjectForms::tr("How many pods there may be."), "20"),
            entry("requests.cpu", ObjectForms::tr("Cores that all pods together may ask for: 4, or 500m for half of one. Each container must then say what it asks for."), "4"),
            entry("requests.memory", ObjectForms::tr("Memory that all pods together may ask for. Each container must then say what it asks for."), "8Gi"),
            entry("limits.cpu", ObjectForms::tr("Cores that all pods together may use at most. Each container must then have a limit."), "8"),
            entry("limits.memory", ObjectForms::tr("Memory that all pods together may use at most. Each container must then have a limit."), "16Gi"),
            entry("requests.storage", ObjectForms::tr("Disk space that all claims together may ask for."), "100Gi"),
            entry("persistentvolumeclaims", ObjectForms::tr("How many claims for storage there may be."), "10"),
            entry("services", ObjectForms::tr("How many services there may be."), "10"),
            entry("services.nodeports", ObjectForms::tr("How many services may open a port on every machine."), "2"),
            entry("configmaps", ObjectForms::tr("How many ConfigMaps there may be."), "50"),
            entry("secrets", ObjectForms::tr("How many Secrets there may be."), "50")};
  return {};
}

const FormKind& kindOf(Kind kind) {
  static const FormKind kinds[] = {{"Namespace", "namespaces", "namespace", false},
                                   {"ConfigMap", "configmaps", "configmap", true},
                                   {"Secret", "secrets", "secret", true},
                                   {"ResourceQuota", "resourcequotas", "resourcequota", true}};
  return kinds[size_t(kind)];
}

bool hasForm(const QString& group, const QString& kind, Kind* out) {
  if (!group.isEmpty()) return false;
  for (auto one : {Kind::Namespace, Kind::ConfigMap, Kind::Secret, Kind::Quota}) {
    if (kind != QLatin1String(kindOf(one).kind)) continue;
    if (out) *out = one;
    return true;
  }
  return false;
}

QList<FieldProblem> check(const ObjectForm& f) {
  QList<FieldProblem> out;
  if (f.name.isEmpty()) {
    out.append({QStringLiteral("name"), ObjectForms::tr("Give it a name.")});
  } else if (f.kind == Kind::Namespace ? !api::checkDnsLabel(f.name.toStdString()).empty()
                                       : !api::checkDnsSubdomain(f.name.toStdString()).empty()) {
    out.append({QStringLiteral("name"), ObjectForms::tr("Small letters, digits, dashes%1 only, a letter or digit first and last.")
                                            .arg(f.kind == Kind::Namespace ? QString() : ObjectForms::tr(" and dots"))});
  }
  if (kindOf(f.kind).namespaced && !api::checkDnsLabel(f.ns.toStdString()).empty())
    out.append({QStringLiteral("namespace"), ObjectForms::tr("Not a namespace's name.")});
  if (f.kind == Kind::Secret && f.type.isEmpty())
    out.append({QStringLiteral("type"), ObjectForms::tr("A kind of secret; mostly Opaque.")});
  checkEntries(f, out);
  return out;
}

bj::value object(const ObjectForm& f) {
  bj::object tree = f.live.is_object() ? f.live.get_object()
                                       : bj::object{{"apiVersion", "v1"}, {"kind", kindOf(f.kind).kind}};
  bj::object metadata = tree.contains("metadata") && tree["metadata"].is_object() ? tree["metadata"].get_object()
                                                                                  : bj::object{};
  metadata["name"] = str(f.name);
  if (kindOf(f.kind).namespaced) metadata["namespace"] = str(f.ns);
  metadata.stable_erase("managedFields");
  if (f.kind == Kind::Namespace) put(metadata, "labels", entriesAs(f, false, false));
  tree["metadata"] = std::move(metadata);
  switch (f.kind) {
    case Kind::Namespace:
      break;
    case Kind::ConfigMap:
      put(tree, "data", entriesAs(f, false, false));
      put(tree, "binaryData", entriesAs(f, true, true));
      if (f.immutable) tree["immutable"] = true;
      break;
    case Kind::Secret:
      tree["type"] = str(f.type);
      put(tree, "data", entriesAs(f, false, true));
      if (f.immutable) tree["immutable"] = true;
      break;
    case Kind::Quota: {
      bj::object spec = tree.contains("spec") && tree["spec"].is_object() ? tree["spec"].get_object() : bj::object{};
      spec["hard"] = entriesAs(f, false, false);
      tree["spec"] = std::move(spec);
      break;
    }
  }
  return tree;
}

QString manifest(const ObjectForm& f) {
  bj::value tree = object(f);
  auto& o = tree.get_object();
  o.stable_erase("status");
  auto& metadata = o["metadata"].get_object();
  for (auto* key : {"uid", "creationTimestamp", "generation", "selfLink"}) metadata.stable_erase(key);
  if (f.kind == Kind::Secret && o.contains("data")) {
    for (auto& [key, value] : o["data"].get_object()) value = "••••••";
  }
  return toYaml(inReadingOrder(std::move(tree)));
}

QString command(const ObjectForm& f) {
  return QStringLiteral("kubectl %1 -f %2.yaml")
      .arg(f.isNew() ? QStringLiteral("create") : QStringLiteral("replace"), QLatin1String(kindOf(f.kind).kubectl));
}

QString removeCommand(const ObjectForm& f) {
  const QString ns = f.ns.isEmpty() || f.ns == u"default" ? QString() : QStringLiteral(" -n ") + f.ns;
  return QStringLiteral("kubectl delete %1 %2%3").arg(QLatin1String(kindOf(f.kind).kubectl), f.name, ns);
}

ObjectForm formOf(const bj::value& object) {
  ObjectForm f;
  f.live = object;
  hasForm({}, json::text(&object, {"kind"}), &f.kind);
  f.name = json::text(&object, {"metadata", "name"});
  f.ns = json::text(&object, {"metadata", "namespace"});
  f.immutable = json::flag(&object, {"immutable"});
  auto each = [&](json::Path path, auto make) {
    auto* found = json::find(&object, path);
    if (!found || !found->is_object()) return;
    for (auto& [key, value] : found->get_object())
      f.entries << make(QString::fromUtf8(key.data(), qsizetype(key.size())), json::text(&value));
  };
  auto plain = [](const QString& key, const QString& value) { return Entry{key, value, false}; };
  auto encoded = [](const QString& key, const QString& value) {
    return fromBytes(key, QByteArray::fromBase64(value.toLatin1()));
  };
  switch (f.kind) {
    case Kind::Namespace:
      each({"metadata", "labels"}, plain);
      break;
    case Kind::ConfigMap:
      each({"data"}, plain);
      each({"binaryData"}, [](const QString& key, const QString& value) { return Entry{key, value, true}; });
      break;
    case Kind::Secret:
      f.type = json::text(&object, {"type"});
      each({"data"}, encoded);
      break;
    case Kind::Quota:
      each({"spec", "hard"}, plain);
      break;
  }
  return f;
}

}  // namespace ph::models
