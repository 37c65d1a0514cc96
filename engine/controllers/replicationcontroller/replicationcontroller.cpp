#include "engine/controllers/replicationcontroller/replicationcontroller.h"

#include "engine/controllers/replicaset/replicas.h"

namespace ph::controllers {
namespace {

struct ReplicationForm {
  using Object = api::core::ReplicationController;
  static constexpr std::string_view word = "ReplicationController";
  static const ResourceInfo* kind(const Kinds& kinds) { return kinds.replicationControllers; }
  static api::LabelSelector selector(const Object& rc) {
    api::LabelSelector out;
    auto& wanted = rc.spec.selector.empty() ? labels(rc) : rc.spec.selector;
    for (auto& [key, value] : wanted) out.add({key, api::LabelSelector::Op::In, {value}});
    return out;
  }
  static const std::map<std::string, std::string, std::less<>>& labels(const Object& rc) {
    return rc.spec.template_.orEmpty().metadata.labels;
  }
};

}  // namespace

Plan reconcileReplicationController(const Snapshot& snapshot, const Key& key, Moment now) {
  auto object = snapshot.get(snapshot.kinds().replicationControllers, key.text);
  if (object && !object->as<api::core::ReplicationController>().spec.template_) return {};
  return replicas::reconcile<ReplicationForm>(snapshot, key, now);
}

ControllerSpec replicationControllerController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "replication-controller";
  spec.watches = {{kinds.replicationControllers, keySelf}, {kinds.pods, replicas::keysOfPod<ReplicationForm>}};
  spec.reconcile = reconcileReplicationController;
  return spec;
}

}  // namespace ph::controllers
