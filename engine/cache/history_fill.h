// After a start the event rings are empty. The first watch that begins before it reads the store's history
// once, for all kinds, some records at a time so that no thread of the executor is held for long. Threads:
// start() from any; then one task after the other.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/cache/core.h"

namespace ph::cache {

class HistoryFill : public std::enable_shared_from_this<HistoryFill> {
 public:
  static void start(const std::shared_ptr<Core>& core);

 private:
  static constexpr int64_t kMaxRevisions = 10000;
  static constexpr int kRecordsAStep = 500;

  void begin();
  void step();
  void add(Core& core, store::Store& store, const store::Record& record);
  ObjectPtr before(store::Store& store, const store::Record& record, const ResourceInfo* info);

  std::weak_ptr<Core> core_;
  int64_t floor_ = 0, at_ = 0;
  std::unordered_map<std::string, ObjectPtr> known_;  // by store key: the newest seen; null for deleted
  std::map<Kind*, std::vector<EventPtr>> events_;
};

}  // namespace ph::cache
