// What the controller keeps of one Machine between events.
// Threads: the controller's strand; `link` is shared with the clients that agent() hands out.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "engine/api/object.h"
#include "engine/api/types/fleet.h"
#include "engine/base/executor.h"
#include "engine/fleet/ssh_poller.h"
#include "engine/fleet/ssh_session.h"

namespace ph::fleet {

struct MachineRecord {
  enum class Doing { Nothing, Joining, Linked, Removing };

  std::string name;
  api::ObjectPtr object;             // the newest seen; null when it is gone
  api::fleet::MachineStatus status;  // what it should say
  bool statusDirty = false, statusWriting = false, finalizerAsked = false;
  Doing doing = Doing::Nothing;
  uint64_t epoch = 0;                // of the work under way; answers of older work are dropped
  std::shared_ptr<Cancel> cancel;
  std::shared_ptr<std::atomic<SshPoller::Id>> link = std::make_shared<std::atomic<SshPoller::Id>>(0);
  Timer timer;                       // the next try, or the end of patience
  bool waiting = false;              // for a change of the Machine, or for `timer`
  int failures = 0;
  std::string accessKey;             // the parts of the spec that the work under way is based on
  MonoTime began{};                  // of the work under way
  bool joining = false;              // until the Node is ready for the first time after a join began
  int64_t syncedNode = -1;           // the machine's generation that its Node was last made to follow,
  std::string syncedUid;             // and that Node
  bool nodeWriting = false;

  const api::fleet::MachineSpec& spec() const { return object->as<api::fleet::Machine>().spec; }
  bool everJoined() const { return status.joinFinished.has_value(); }
};

}  // namespace ph::fleet
