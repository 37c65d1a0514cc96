// A Machine's labels, taints and `unschedulable` are carried over to its Node. What was carried over before stands in an
// annotation, so that what others put on the Node stays theirs.
#include "engine/api/codec.h"
#include "engine/api/types/core.h"
#include "engine/base/log.h"
#include "engine/fleet/controller.h"
#include "engine/fleet/node_patch.h"

namespace ph::fleet {

void Controller::syncNode(const Record& r) {
  const int64_t generation = r->object->meta().generation;
  auto node = nodeCache_->get(r->name);
  if (!node || r->nodeWriting || (r->syncedNode == generation && r->syncedUid == node->uid())) return;
  std::string body = nodePatch(*node, r->spec());
  if (body.empty()) {
    r->syncedNode = generation;
    r->syncedUid = node->uid();
    return;
  }
  r->nodeWriting = true;
  client::Write w;
  w.verb = client::Verb::Patch;
  w.info = nodes_;
  w.name = r->name;
  w.uid = node->uid();
  w.revision = node->revision();
  w.body = std::move(body);
  write(std::move(w), [r, generation, uid = node->uid()](Controller& self, const Result<api::ObjectPtr>& result) {
    r->nodeWriting = false;
    if (result.ok()) {
      r->syncedNode = generation;
      r->syncedUid = uid;
    }
    // A conflict: the Node's newer version is on its way, and brings us here again.
    else if (!result.status().isConflict()) PH_LOG(Warn, "fleet", "{}: its node could not be changed: {}", r->name, result.status().message);
    if (result.ok() && r->object && r->object->meta().generation != generation) self.syncNode(r);
  });
}

}  // namespace ph::fleet
