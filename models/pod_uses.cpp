// What pods name of other objects.
#include "models/json_read.h"
#include "models/related_model.h"

namespace ph::models {

const boost::json::value* podSpecOf(const boost::json::value& tree) {
  const auto kind = json::view(&tree, {"kind"});
  if (kind == "Pod") return json::find(&tree, {"spec"});
  if (kind == "CronJob") return json::find(&tree, {"spec", "jobTemplate", "spec", "template", "spec"});
  return json::find(&tree, {"spec", "template", "spec"});
}

QList<PodUse> usesOf(const boost::json::value* spec) {
  QList<PodUse> out;
  auto add = [&](const char* kind, const QString& name, const QString& how, bool optional = false) {
    if (name.isEmpty()) return;
    for (auto& u : out) {
      if (u.kind == QLatin1String(kind) && u.name == name) {
        if (!u.how.contains(how)) u.how += QStringLiteral(", ") + how;
        u.optional = u.optional && optional;
        return;
      }
    }
    out.append({QLatin1String(kind), name, how, optional});
  };
  auto addSource = [&](const boost::json::value* at, const QString& how) {
    if (auto* c = json::find(at, {"configMap"})) add("ConfigMap", json::text(c, {"name"}), how, json::flag(c, {"optional"}));
    if (auto* s = json::find(at, {"secret"})) {
      const QString name = json::text(s, {"secretName"});
      add("Secret", name.isEmpty() ? json::text(s, {"name"}) : name, how, json::flag(s, {"optional"}));
    }
  };
  const QString volume = RelatedModel::tr("volume"), variables = RelatedModel::tr("variables");
  for (auto& v : json::list(spec, {"volumes"})) {
    addSource(&v, volume);
    add("PersistentVolumeClaim", json::text(&v, {"persistentVolumeClaim", "claimName"}), volume);
    for (auto& s : json::list(&v, {"projected", "sources"})) addSource(&s, volume);
  }
  for (auto* list : {"initContainers", "containers"}) {
    for (auto& c : json::list(spec, {list})) {
      for (auto& e : json::list(&c, {"envFrom"})) {
        if (auto* r = json::find(&e, {"configMapRef"})) add("ConfigMap", json::text(r, {"name"}), variables, json::flag(r, {"optional"}));
        if (auto* r = json::find(&e, {"secretRef"})) add("Secret", json::text(r, {"name"}), variables, json::flag(r, {"optional"}));
      }
      for (auto& e : json::list(&c, {"env"})) {
        if (auto* r = json::find(&e, {"valueFrom", "configMapKeyRef"})) add("ConfigMap", json::text(r, {"name"}), variables, json::flag(r, {"optional"}));
        if (auto* r = json::find(&e, {"valueFrom", "secretKeyRef"})) add("Secret", json::text(r, {"name"}), variables, json::flag(r, {"optional"}));
      }
    }
  }
  for (auto& s : json::list(spec, {"imagePullSecrets"})) add("Secret", json::text(&s, {"name"}), RelatedModel::tr("pulls images"));
  const QString account = json::text(spec, {"serviceAccountName"});
  if (account != u"default") add("ServiceAccount", account, RelatedModel::tr("runs as"));
  return out;
}

KindRef coreKind(const QString& kind) {
  static const QHash<QString, QString> plurals{{"ConfigMap", "configmaps"}, {"Secret", "secrets"},
      {"PersistentVolumeClaim", "persistentvolumeclaims"}, {"ServiceAccount", "serviceaccounts"}, {"Service", "services"},
      {"Pod", "pods"}, {"Node", "nodes"}, {"PersistentVolume", "persistentvolumes"}};
  return {{}, QStringLiteral("v1"), kind, plurals.value(kind), kind != u"Node" && kind != u"PersistentVolume"};
}

}  // namespace ph::models
