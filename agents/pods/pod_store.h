// PodStore: the pods the node last knew, one file each, so that they go on when the engine is away.
// Threads: the node's strand (small files).
#pragma once

#include <string>
#include <vector>

#include "engine/api/object.h"

namespace ph::agents {

class PodStore {
 public:
  // Makes the folder. An empty path: nothing is kept.
  PodStore(std::string folder, const api::ResourceInfo* pods);
  void save(const api::Object& pod);
  void remove(const std::string& uid);
  std::vector<api::ObjectPtr> load() const;  // unreadable files are left out and removed

 private:
  std::string folder_;
  const api::ResourceInfo* pods_;
};

}  // namespace ph::agents
