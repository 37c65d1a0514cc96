#include "engine/controllers/replicaset/replicaset.h"

#include "engine/api/types/apps.h"
#include "engine/controllers/replicaset/replicas.h"

namespace ph::controllers {
namespace {

struct ReplicaSetForm {
  using Object = api::apps::ReplicaSet;
  static constexpr std::string_view word = "ReplicaSet";
  static const ResourceInfo* kind(const Kinds& kinds) { return kinds.replicaSets; }
  static api::LabelSelector selector(const Object& set) { return selectorOf(set.spec.selector.orEmpty()); }
  static const auto& labels(const Object& set) { return set.spec.template_.metadata.labels; }
};

}  // namespace

Plan reconcileReplicaSet(const Snapshot& snapshot, const Key& key, Moment now) {
  return replicas::reconcile<ReplicaSetForm>(snapshot, key, now);
}

ControllerSpec replicaSetController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "replicaset-controller";
  spec.watches = {{kinds.replicaSets, keySelf}, {kinds.pods, replicas::keysOfPod<ReplicaSetForm>}};
  spec.reconcile = reconcileReplicaSet;
  return spec;
}

}  // namespace ph::controllers
