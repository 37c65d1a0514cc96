// Volumes: the claims, volumes and storage classes that decide where pods may run, and which node a claim is used on already.
// Threads: none of its own; the scheduler's strand.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/scheduler/framework/types.h"

namespace ph::scheduler {

// What one claim asks of a node.
struct ClaimNeeds {
  std::string problem;                    // why no node will do now; empty: none
  std::vector<api::ObjectPtr> volumes;    // one of these must reach the node; none: any node
  bool bound = false;                     // the one volume is the claim's already
  std::string onlyNode;                   // a pod that uses the claim, not bound yet, is there
};

class Volumes {
 public:
  // By key; null: it is gone.
  void setClaim(const std::string& key, const api::ObjectPtr& claim) { set(claims_, key, claim); }
  void setVolume(const std::string& name, const api::ObjectPtr& volume) { set(volumes_, name, volume); }
  void setClass(const std::string& name, const api::ObjectPtr& storageClass) { set(classes_, name, storageClass); }
  // A pod with these claims came to a node (1) or left it (-1).
  void use(const PodInfo& pod, const std::string& node, int by);

  ClaimNeeds needsOf(const std::string& ns, const std::string& claim) const;

 private:
  using Objects = std::map<std::string, api::ObjectPtr>;
  static void set(Objects& objects, const std::string& key, const api::ObjectPtr& object) {
    if (object) objects[key] = object;
    else objects.erase(key);
  }
  Objects claims_, volumes_, classes_;
  std::unordered_map<std::string, std::map<std::string, int>> users_;  // by claim key: how many of its pods are on which node
};

}  // namespace ph::scheduler
