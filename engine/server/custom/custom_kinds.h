// CustomKinds: keeps the registry in step with the stored CustomResourceDefinitions. A definition whose names are free is
// accepted, its kind registered and only then called Established; a changed one replaces the kind's entries at once; a deleted
// one takes its objects with it (the finalizer customresourcecleanup.apiextensions.k8s.io) and ends the watches of the kind.
// Source: Kubernetes' documentation of CustomResourceDefinitions.
// Threads: make() before the first request; the rest from any thread. The work itself is done on a strand.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine/api/object.h"
#include "engine/server/core.h"

namespace ph::server {

using api::ObjectPtr;

class CustomKinds : public std::enable_shared_from_this<CustomKinds> {
 public:
  // Registers what the stored definitions say, before anything is served, and follows them from then on.
  // Null when the registry has no such kind.
  static std::shared_ptr<CustomKinds> make(const std::shared_ptr<Core>& core);

  // Its definition is being deleted: no new objects.
  bool terminating(const ResourceInfo& info) const;

 private:
  CustomKinds(const std::shared_ptr<Core>& core, const ResourceInfo* definitions);
  struct Registered {
    std::string uid, group, plural;
  };

  void watch(Core& core, int64_t after);
  void changed(std::vector<std::string> names);
  void process(const std::string& name);
  void gone(Core& core, const std::string& name);
  void accept(Core& core, const ObjectPtr& definition);
  // The entries of a definition, when they are not there already.
  void registerKinds(Core& core, const std::string& name, const api::Json& definition);
  void writeNames(Core& core, const ObjectPtr& definition);
  void terminate(Core& core, const ObjectPtr& definition);
  void deleteObjects(const std::shared_ptr<Core>& core, const ResourceInfo* stored, const std::string& name);
  void finish(Core& core, const std::string& name);
  void sweep(Core& core, const ResourceInfo& stored);
  void again(const std::string& name, Duration after);
  void othersOf(Core& core, const std::string& group, const std::string& besides);

  const std::weak_ptr<Core> core_;
  const ResourceInfo* const definitions_;
  const std::shared_ptr<Executor> strand_;
  std::unique_ptr<cache::WatchHandle> watch_;
  std::map<std::string, Registered> registered_;   // by definition; on the strand
  std::map<std::string, Timer> timers_;            // on the strand
  std::map<std::string, int> tries_;               // rounds of deletion

  mutable std::mutex mutex_;
  std::set<std::string> terminating_;              // group resources
};

// Whether an object may be made: 405 while the kind's definition is being deleted, 404 when it has gone.
Result<> checkKindStays(const Core& core, const ResourceInfo& info);

}  // namespace ph::server
