// Facts: what the window needs to know of an object, as plain values. Decoded once from an object's bytes on
// the engine's executor (facts_decode.h), then owned by the GUI thread. The object itself rides along for the
// YAML page. Units: times are milliseconds since the Unix epoch (0: unknown), CPU is milli-cores, memory is
// bytes. Threads: plain values.
#pragma once

#include <QHash>
#include <QList>
#include <QPair>
#include <QSet>
#include <QString>
#include <QStringList>
#include <cstdint>
#include <vector>

#include "engine/api/object.h"

namespace ph::models {

using Labels = QList<QPair<QString, QString>>;  // sorted by key

// What a pod looks like from outside; each has a shape of its own on the map.
enum class PodState : uint8_t { Waiting, Starting, Ready, Failing, Leaving, Finished };
constexpr int kPodStates = 6;

struct ContainerFacts {
  QString name, image;
  QString state;   // "running", "waiting", "terminated"
  QString reason;  // CrashLoopBackOff, ImagePullBackOff...
  QString message;
  int exitCode = 0;  // of the last exit
  int restarts = 0;
  bool ready = false;
  int64_t startedAt = 0;
  int64_t lastExitAt = 0;
  QStringList ports;  // "8080/TCP"
};

struct PodFacts {
  QString key, ns, name, uid;  // key: "ns/name"
  QString node;                // empty: not scheduled
  QString app;                 // AppKey of the workload that owns it; its own key when nobody does
  PodState state = PodState::Waiting;
  QString reason, message;  // of what stops it
  QString phase;            // the API's word
  QString address;
  int64_t created = 0, started = 0;
  int restarts = 0;
  int64_t cpuRequest = 0, memoryRequest = 0;
  Labels labels;
  std::vector<ContainerFacts> containers;
  api::ObjectPtr object;
};

struct NodeFacts {
  QString key, name;  // key == name
  bool ready = false;
  bool known = true;  // false: the node's state is Unknown (nobody hears from it)
  bool cordoned = false;
  QString arch, os, kernel, runtime, version, address, podCidr, zone;
  int64_t cpu = 0, memory = 0;  // capacity
  int64_t cpuAllocatable = 0, memoryAllocatable = 0;
  int podsAllocatable = 0;
  int64_t readySince = 0;  // last transition of the Ready condition
  int64_t heardAt = 0;     // last heartbeat
  int64_t created = 0;
  QStringList pressure;  // "memory", "disk", "processes"
  QString message;
  Labels labels;
  api::ObjectPtr object;
};

// One thing that the preflight looked at.
struct Finding {
  QString name;   // what was looked at
  QString level;  // "ok", "warning", "error"
  QString message, fix;
};

struct MachineFacts {
  QString key, name;
  QString address, user;
  int port = 22;
  QString phase, message;  // Pending, Connecting, Untrusted, Preflight, Installing, Joining, Ready, Lost,
                           // Failed, Removing
  QString trustedHostKey;  // spec
  QString seenHostKey;     // status: what the host showed last
  QString seenHostKeyType;
  QString identityFile;
  QString node;  // name of its Node once it has one
  std::vector<Finding> findings;
  QString step;      // under way; empty: none
  int percent = -1;  // of the step; -1: unknown
  int attempts = 0;  // failed ones since the last success
  int64_t nextAttempt = 0;
  int64_t joinStarted = 0, joinFinished = 0;
  int64_t lostSince = 0;  // when the connection went; 0: it stands, or never did
  bool deleting = false;
  int64_t created = 0;
  QString zone;  // that its Node will have
  api::ObjectPtr object;
};

// A Deployment, or whatever owns pods by itself.
struct WorkloadFacts {
  QString key, ns, name, kind;  // key: AppKey
  int wanted = 0, ready = 0, updated = 0, available = 0, total = 0;
  bool paused = false;
  bool settled = true;  // the controller has seen the newest spec
  QStringList images;
  QString strategy;
  int revision = 0;
  int64_t created = 0;
  int64_t cpuRequest = 0, memoryRequest = 0;  // of one copy
  QString problem;                            // ReplicaFailure, ProgressDeadlineExceeded: its message
  Labels selector;                            // matchLabels
  Labels nodeSelector;
  api::ObjectPtr object;
};

struct ServicePort {
  QString name, protocol, target;
  int port = 0;
};

struct ServiceFacts {
  QString key, ns, name, type, clusterIp;
  std::vector<ServicePort> ports;
  Labels selector;
  int64_t created = 0;
  api::ObjectPtr object;
};

struct EventFacts {
  QString key, ns, name;
  QString kind, objectNs, objectName;  // what it is about
  QString reason, message, source;
  bool warning = false;
  int count = 1;
  int64_t first = 0, last = 0;
};

// "Deployment/ns/name"
inline QString appKey(const QString& kind, const QString& ns, const QString& name) {
  return kind + '/' + ns + '/' + name;
}
inline QString appName(const QString& key) {
  return key.section('/', 2);
}
inline QString appNamespace(const QString& key) {
  return key.section('/', 1, 1);
}
inline QString appKind(const QString& key) {
  return key.section('/', 0, 0);
}

// One value's change. `before` is empty when it is new, `now` when it is gone.
template <class F>
struct Delta {
  std::vector<F> put;
  std::vector<QString> gone;
  bool empty() const { return put.empty() && gone.empty(); }
};

// What changed since the last one, coalesced: each key at most once.
struct Diff {
  Delta<PodFacts> pods;
  Delta<NodeFacts> nodes;
  Delta<MachineFacts> machines;
  Delta<WorkloadFacts> workloads;
  Delta<ServiceFacts> services;
  Delta<EventFacts> events;
  bool empty() const {
    return pods.empty() && nodes.empty() && machines.empty() && workloads.empty() && services.empty() &&
           events.empty();
  }
};

// What is selected in the window. An Object is anything else of the API; its key is an ObjectRef's (object_ref.h).
struct Subject {
  enum class Kind : uint8_t { None, Machine, App, Pod, Object } kind = Kind::None;
  QString key;
  bool operator==(const Subject&) const = default;
  explicit operator bool() const { return kind != Kind::None; }
};

}  // namespace ph::models
