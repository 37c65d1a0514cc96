#include "models/facts_decode.h"

#include <algorithm>

#include "engine/api/quantity.h"
#include "engine/base/time.h"
#include "models/json_read.h"

namespace ph::models {

namespace {

using json::Value;

int64_t timeMs(const Value* v, json::Path path) {
  auto t = parseTime(json::view(v, path));
  return t ? std::chrono::duration_cast<std::chrono::milliseconds>(t->time_since_epoch()).count() : 0;
}

int64_t toMs(WallTime t) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

std::string quantityText(const Value* v) {
  const QString s = json::text(v);
  return s.toStdString();
}
int64_t cpuMilli(const Value* v, json::Path path) {
  v = json::find(v, path);
  if (!v) return 0;
  auto q = api::Quantity::parse(quantityText(v));
  return q ? q->milli() : 0;
}
int64_t units(const Value* v, json::Path path) {
  v = json::find(v, path);
  if (!v) return 0;
  auto q = api::Quantity::parse(quantityText(v));
  return q ? q->units() : 0;
}

Labels labelsOf(const Value* v, json::Path path) {
  Labels out;
  v = json::find(v, path);
  if (!v || !v->is_object()) return out;
  for (auto& [key, value] : v->get_object()) {
    out.append({QString::fromUtf8(key.data(), qsizetype(key.size())), json::text(&value)});
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Only bytes that were stored are parsed here, so a failure means a broken engine; it reads as an empty
// object.
Value parse(const api::ObjectPtr& object) {
  boost::system::error_code failed;
  Value tree = boost::json::parse(object->stored(), failed);
  if (failed) tree = boost::json::object();
  return tree;
}

struct Requests {
  int64_t cpu = 0, memory = 0;
};

// What the scheduler counts: the containers' sum, or the largest init container where that is more.
Requests requestsOf(const Value* spec) {
  auto one = [](const Value& c) {
    Requests r;
    // A limit without a request is the request.
    auto* requests = json::find(&c, {"resources", "requests"});
    auto* limits = json::find(&c, {"resources", "limits"});
    r.cpu = json::find(requests, {"cpu"}) ? cpuMilli(requests, {"cpu"}) : cpuMilli(limits, {"cpu"});
    r.memory = json::find(requests, {"memory"}) ? units(requests, {"memory"}) : units(limits, {"memory"});
    return r;
  };
  Requests sum;
  for (auto& c : json::list(spec, {"containers"})) {
    const Requests r = one(c);
    sum.cpu += r.cpu;
    sum.memory += r.memory;
  }
  for (auto& c : json::list(spec, {"initContainers"})) {
    const Requests r = one(c);
    sum.cpu = std::max(sum.cpu, r.cpu);
    sum.memory = std::max(sum.memory, r.memory);
  }
  return sum;
}

const Value* condition(const Value* status, std::string_view type) {
  for (auto& c : json::list(status, {"conditions"})) {
    if (json::view(&c, {"type"}) == type) return &c;
  }
  return nullptr;
}

bool isTrue(const Value* condition) {
  return json::view(condition, {"status"}) == "True";
}

// "shop-web-7c9f4" of a ReplicaSet whose pods carry the hash "7c9f4" belongs to the Deployment shop-web.
QString appOf(const api::Object& object) {
  const QString ns = QString::fromStdString(object.ns());
  auto* owner = object.meta().controller();
  if (!owner) return appKey(QStringLiteral("Pod"), ns, QString::fromStdString(object.name()));
  QString kind = QString::fromStdString(owner->kind), name = QString::fromStdString(owner->name);
  if (kind == u"ReplicaSet") {
    const auto hash = object.meta().label("pod-template-hash");
    const QString tail = '-' + QString::fromUtf8(hash.data(), qsizetype(hash.size()));
    if (!hash.empty() && name.endsWith(tail)) {
      kind = QStringLiteral("Deployment");
      name.chop(tail.size());
    }
  }
  return appKey(kind, ns, name);
}

bool isTrouble(const QString& reason) {
  static const QSet<QString> known{QStringLiteral("CrashLoopBackOff"),
                                   QStringLiteral("ImagePullBackOff"),
                                   QStringLiteral("ErrImagePull"),
                                   QStringLiteral("ErrImageNeverPull"),
                                   QStringLiteral("InvalidImageName"),
                                   QStringLiteral("CreateContainerConfigError"),
                                   QStringLiteral("CreateContainerError"),
                                   QStringLiteral("RunContainerError"),
                                   QStringLiteral("Error"),
                                   QStringLiteral("OOMKilled")};
  return known.contains(reason);
}

PodState stateOf(const PodFacts& pod, const Value* status, bool deleting) {
  if (pod.phase == u"Succeeded") return PodState::Finished;
  if (deleting) return PodState::Leaving;
  if (pod.phase == u"Failed") return PodState::Failing;
  for (auto& c : pod.containers) {
    if (c.state != u"running" && isTrouble(c.reason)) return PodState::Failing;
  }
  if (isTrue(condition(status, "Ready"))) return PodState::Ready;
  return pod.node.isEmpty() ? PodState::Waiting : PodState::Starting;
}

ContainerFacts containerOf(const Value& spec, const Value* status) {
  ContainerFacts c;
  c.name = json::text(&spec, {"name"});
  c.image = json::text(&spec, {"image"});
  for (auto& p : json::list(&spec, {"ports"})) {
    const QString protocol = json::text(&p, {"protocol"});
    c.ports << QStringLiteral("%1/%2")
                   .arg(json::number(&p, {"containerPort"}))
                   .arg(protocol.isEmpty() ? QStringLiteral("TCP") : protocol);
  }
  for (auto& s : json::list(status, {"containerStatuses"})) {
    if (json::text(&s, {"name"}) != c.name) continue;
    c.ready = json::flag(&s, {"ready"});
    c.restarts = int(json::number(&s, {"restartCount"}));
    for (auto* state : {"running", "waiting", "terminated"}) {
      if (auto* at = json::find(&s, {"state", state})) {
        c.state = QLatin1String(state);
        c.reason = json::text(at, {"reason"});
        c.message = json::text(at, {"message"});
        c.startedAt = timeMs(at, {"startedAt"});
        c.exitCode = int(json::number(at, {"exitCode"}));
        c.lastExitAt = timeMs(at, {"finishedAt"});
      }
    }
    if (auto* last = json::find(&s, {"lastState", "terminated"})) {
      if (!c.exitCode) c.exitCode = int(json::number(last, {"exitCode"}));
      if (!c.lastExitAt) c.lastExitAt = timeMs(last, {"finishedAt"});
    }
  }
  return c;
}

}  // namespace

QString FactDecoder::once(const QString& text) {
  if (known_.size() > 100000) known_.clear();
  return *known_.insert(text);
}

PodFacts FactDecoder::pod(const api::ObjectPtr& object) {
  const Value tree = parse(object);
  const Value* spec = json::find(&tree, {"spec"});
  const Value* status = json::find(&tree, {"status"});
  PodFacts f;
  f.ns = once(QString::fromStdString(object->ns()));
  f.name = QString::fromStdString(object->name());
  f.key = f.ns + '/' + f.name;
  f.uid = QString::fromStdString(object->uid());
  f.node = once(json::text(spec, {"nodeName"}));
  f.app = once(appOf(*object));
  f.phase = once(json::text(status, {"phase"}));
  f.reason = json::text(status, {"reason"});
  f.message = json::text(status, {"message"});
  f.address = json::text(status, {"podIP"});
  f.created = toMs(object->meta().created);
  f.started = timeMs(status, {"startTime"});
  for (auto& [key, value] : object->meta().labels)
    f.labels.append({once(QString::fromStdString(key)), once(QString::fromStdString(value))});
  for (auto& c : json::list(spec, {"containers"})) {
    f.containers.push_back(containerOf(c, status));
    f.containers.back().name = once(f.containers.back().name);
    f.containers.back().image = once(f.containers.back().image);
    f.restarts += f.containers.back().restarts;
  }
  const Requests requests = requestsOf(spec);
  f.cpuRequest = requests.cpu;
  f.memoryRequest = requests.memory;
  if (auto* scheduled = condition(status, "PodScheduled"); scheduled && !isTrue(scheduled)) {
    f.message = json::text(scheduled, {"message"});
    f.reason = json::text(scheduled, {"reason"});
  }
  f.state = stateOf(f, status, object->meta().deleting);
  f.object = object;
  return f;
}

NodeFacts FactDecoder::node(const api::ObjectPtr& object) {
  const Value tree = parse(object);
  const Value* status = json::find(&tree, {"status"});
  NodeFacts f;
  f.key = f.name = QString::fromStdString(object->name());
  f.labels = labelsOf(&tree, {"metadata", "labels"});
  for (auto& [key, value] : f.labels) {
    if (key == u"topology.kubernetes.io/zone") f.zone = value;
  }
  f.cordoned = json::flag(&tree, {"spec", "unschedulable"});
  f.podCidr = json::text(&tree, {"spec", "podCIDR"});
  if (auto* info = json::find(status, {"nodeInfo"})) {
    f.arch = json::text(info, {"architecture"});
    f.os = json::text(info, {"osImage"});
    f.kernel = json::text(info, {"kernelVersion"});
    f.runtime = json::text(info, {"containerRuntimeVersion"});
    f.version = json::text(info, {"kubeletVersion"});
  }
  for (auto& a : json::list(status, {"addresses"})) {
    if (json::view(&a, {"type"}) == "InternalIP") f.address = json::text(&a, {"address"});
  }
  f.cpu = cpuMilli(status, {"capacity", "cpu"});
  f.memory = units(status, {"capacity", "memory"});
  f.cpuAllocatable =
      json::find(status, {"allocatable", "cpu"}) ? cpuMilli(status, {"allocatable", "cpu"}) : f.cpu;
  f.memoryAllocatable =
      json::find(status, {"allocatable", "memory"}) ? units(status, {"allocatable", "memory"}) : f.memory;
  f.podsAllocatable = int(units(status, {"allocatable", "pods"}));
  f.created = toMs(object->meta().created);
  if (auto* ready = condition(status, "Ready")) {
    f.ready = isTrue(ready);
    f.known = json::view(ready, {"status"}) != "Unknown";
    f.readySince = timeMs(ready, {"lastTransitionTime"});
    f.heardAt = timeMs(ready, {"lastHeartbeatTime"});
    if (!f.ready) f.message = json::text(ready, {"message"});
  }
  const std::pair<const char*, const char*> pressures[] = {
      {"MemoryPressure", QT_TRANSLATE_NOOP("Words", "memory")},
      {"DiskPressure", QT_TRANSLATE_NOOP("Words", "disk")},
      {"PIDPressure", QT_TRANSLATE_NOOP("Words", "processes")}};
  for (auto& [type, word] : pressures) {
    if (isTrue(condition(status, type))) f.pressure << QLatin1String(word);
  }
  f.object = object;
  return f;
}

MachineFacts FactDecoder::machine(const api::ObjectPtr& object) {
  const Value tree = parse(object);
  const Value* spec = json::find(&tree, {"spec"});
  const Value* status = json::find(&tree, {"status"});
  MachineFacts f;
  f.key = f.name = QString::fromStdString(object->name());
  f.address = json::text(spec, {"address"});
  f.user = json::text(spec, {"user"});
  f.port = int(json::number(spec, {"port"}));
  f.identityFile = json::text(spec, {"credentials", "identityFile"});
  f.trustedHostKey = json::text(spec, {"hostKey"});
  f.phase = json::text(status, {"phase"});
  f.message = json::text(status, {"message"});
  f.seenHostKey = json::text(status, {"hostKey"});
  f.seenHostKeyType = json::text(status, {"hostKeyType"});
  f.node = json::text(status, {"nodeName"});
  f.step = json::text(status, {"progress", "step"});
  f.percent =
      json::find(status, {"progress", "percent"}) ? int(json::number(status, {"progress", "percent"})) : -1;
  f.attempts = int(json::number(status, {"attempts"}));
  f.nextAttempt = timeMs(status, {"nextAttempt"});
  f.joinStarted = timeMs(status, {"joinStarted"});
  f.joinFinished = timeMs(status, {"joinFinished"});
  if (auto* c = condition(status, "Connected"); c && !isTrue(c))
    f.lostSince = timeMs(c, {"lastTransitionTime"});
  for (auto& item : json::list(status, {"findings"})) {
    f.findings.push_back({json::text(&item, {"name"}), json::text(&item, {"severity"}),
                          json::text(&item, {"message"}), json::text(&item, {"fix"})});
  }
  for (auto& [key, value] : labelsOf(spec, {"labels"})) {
    if (key == u"topology.kubernetes.io/zone") f.zone = value;
  }
  f.deleting = object->meta().deleting;
  f.created = toMs(object->meta().created);
  f.object = object;
  return f;
}

WorkloadFacts FactDecoder::deployment(const api::ObjectPtr& object) {
  const Value tree = parse(object);
  const Value* spec = json::find(&tree, {"spec"});
  const Value* status = json::find(&tree, {"status"});
  WorkloadFacts f;
  f.ns = QString::fromStdString(object->ns());
  f.name = QString::fromStdString(object->name());
  f.kind = QString::fromStdString(object->info().kind);
  f.key = appKey(f.kind, f.ns, f.name);
  f.wanted = json::find(spec, {"replicas"}) ? int(json::number(spec, {"replicas"})) : 1;
  f.total = int(json::number(status, {"replicas"}));
  f.ready = int(json::number(status, {"readyReplicas"}));
  f.updated = int(json::number(status, {"updatedReplicas"}));
  f.available = int(json::number(status, {"availableReplicas"}));
  f.paused = json::flag(spec, {"paused"});
  f.settled = json::number(status, {"observedGeneration"}) >= object->meta().generation;
  f.strategy = json::text(spec, {"strategy", "type"});
  const Value* pod = json::find(spec, {"template", "spec"});
  for (auto& c : json::list(pod, {"containers"})) f.images << json::text(&c, {"image"});
  const Requests requests = requestsOf(pod);
  f.cpuRequest = requests.cpu;
  f.memoryRequest = requests.memory;
  f.selector = labelsOf(spec, {"selector", "matchLabels"});
  f.nodeSelector = labelsOf(pod, {"nodeSelector"});
  f.revision = json::text(&tree, {"metadata", "annotations", "deployment.kubernetes.io/revision"}).toInt();
  f.created = toMs(object->meta().created);
  if (auto* c = condition(status, "ReplicaFailure"); isTrue(c)) f.problem = json::text(c, {"message"});
  if (auto* c = condition(status, "Progressing"); c && json::view(c, {"status"}) == "False")
    f.problem = json::text(c, {"message"});
  f.object = object;
  return f;
}

ServiceFacts FactDecoder::service(const api::ObjectPtr& object) {
  const Value tree = parse(object);
  const Value* spec = json::find(&tree, {"spec"});
  ServiceFacts f;
  f.ns = QString::fromStdString(object->ns());
  f.name = QString::fromStdString(object->name());
  f.key = f.ns + '/' + f.name;
  f.type = json::text(spec, {"type"});
  f.clusterIp = json::text(spec, {"clusterIP"});
  f.selector = labelsOf(spec, {"selector"});
  for (auto& p : json::list(spec, {"ports"})) {
    ServicePort port{json::text(&p, {"name"}), json::text(&p, {"protocol"}), json::text(&p, {"targetPort"}),
                     int(json::number(&p, {"port"}))};
    f.ports.push_back(port);
  }
  f.created = toMs(object->meta().created);
  f.object = object;
  return f;
}

EventFacts FactDecoder::event(const api::ObjectPtr& object) {
  const Value tree = parse(object);
  EventFacts f;
  f.ns = QString::fromStdString(object->ns());
  f.name = QString::fromStdString(object->name());
  f.key = f.ns + '/' + f.name;
  f.kind = json::text(&tree, {"involvedObject", "kind"});
  f.objectNs = json::text(&tree, {"involvedObject", "namespace"});
  f.objectName = json::text(&tree, {"involvedObject", "name"});
  f.reason = json::text(&tree, {"reason"});
  f.message = json::text(&tree, {"message"});
  f.source = json::text(&tree, {"source", "component"});
  if (f.source.isEmpty()) f.source = json::text(&tree, {"reportingComponent"});
  f.warning = json::view(&tree, {"type"}) == "Warning";
  f.count = std::max(1, int(json::number(&tree, {"count"})));
  f.first = timeMs(&tree, {"firstTimestamp"});
  f.last = timeMs(&tree, {"lastTimestamp"});
  if (!f.last) f.last = timeMs(&tree, {"eventTime"});
  if (!f.last) f.last = toMs(object->meta().created);
  if (!f.first) f.first = f.last;
  return f;
}

}  // namespace ph::models
