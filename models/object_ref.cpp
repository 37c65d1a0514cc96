#include "models/object_ref.h"

#include "models/cluster_state.h"

namespace ph::models {

Subject subjectOf(const ClusterState& state, const ObjectRef& ref) {
  if (ref.group.isEmpty() && ref.plural == u"pods") return {Subject::Kind::Pod, ref.ns + '/' + ref.name};
  if (ref.group.isEmpty() && ref.plural == u"nodes") {
    auto* machine = state.machineOfNode(ref.name);
    return {Subject::Kind::Machine, machine ? machine->key : ref.name};
  }
  if (ref.group == u"fleet.pilothouse.io" && ref.plural == u"machines") return {Subject::Kind::Machine, ref.name};
  if (ref.group == u"apps" && ref.plural == u"deployments") {
    const QString app = appKey(ref.kind, ref.ns, ref.name);
    if (state.workload(app)) return {Subject::Kind::App, app};
  }
  return ref.subject();
}

ObjectRef refOf(const ClusterState& state, const Subject& subject) {
  auto ref = [](const char* group, const char* version, const char* kind, const char* plural, const QString& ns,
                const QString& name) {
    return ObjectRef{QLatin1String(group), QLatin1String(version), QLatin1String(kind), QLatin1String(plural), ns, name};
  };
  switch (subject.kind) {
    case Subject::Kind::Pod:
      return ref("", "v1", "Pod", "pods", subject.key.section('/', 0, 0), subject.key.section('/', 1));
    case Subject::Kind::Machine:
      return state.machine(subject.key) ? ref("fleet.pilothouse.io", "v1", "Machine", "machines", {}, subject.key)
                                        : ref("", "v1", "Node", "nodes", {}, subject.key);
    case Subject::Kind::App: {
      const QString kind = appKind(subject.key);
      if (kind == u"Pod") return ref("", "v1", "Pod", "pods", appNamespace(subject.key), appName(subject.key));
      const bool batch = kind == u"Job" || kind == u"CronJob";
      return {batch ? QStringLiteral("batch") : QStringLiteral("apps"), QStringLiteral("v1"), kind, kind.toLower() + 's',
              appNamespace(subject.key), appName(subject.key)};
    }
    case Subject::Kind::Object:
      return ObjectRef::of(subject.key);
    case Subject::Kind::None:
      break;
  }
  return {};
}

}  // namespace ph::models
