#include "engine/controllers/job/ttl.h"

#include "engine/controllers/job/run.h"

namespace ph::controllers {

Plan reconcileTtl(const Snapshot& snapshot, const Key& key, Moment now) {
  Plan plan;
  ObjectPtr object = snapshot.get(snapshot.kinds().jobs, key.text);
  if (!object || object->meta().deleting) return plan;
  auto& job = object->as<api::batch::Job>();
  auto* end = job::finished(job.status);
  if (!job.spec.ttlSecondsAfterFinished || !end || !end->lastTransitionTime) return plan;
  Duration left = *end->lastTransitionTime + std::chrono::seconds(*job.spec.ttlSecondsAfterFinished) - now.wall;
  if (left > Duration::zero()) {
    plan.lookAgain(left);
    return plan;
  }
  Step& s = plan.remove(*object, {}, client::Propagation::Background);
  s.write.revision = object->revision();  // its time may just have been made longer
  return plan;
}

ControllerSpec ttlController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "ttl-after-finished-controller";
  spec.watches = {{kinds.jobs, keySelf}};
  spec.reconcile = reconcileTtl;
  return spec;
}

}  // namespace ph::controllers
