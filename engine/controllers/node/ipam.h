// Node IPAM: each node gets its own part of the cluster's pod network (spec.podCIDR), the lowest that is
// free. One key serves all nodes, so that no two get the same. Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

struct CidrPool {
  uint32_t base = 0;    // IPv4 network address
  int prefix = 16;      // of the whole
  int nodePrefix = 24;  // of one node's part
  // "10.244.0.0/16" in parts of /24.
  static Result<CidrPool> parse(const std::string& cidr, int nodePrefix);
  uint32_t size() const { return 1u << (nodePrefix - prefix); }
  std::string at(uint32_t index) const;
  std::optional<uint32_t> indexOf(const std::string& cidr) const;  // nullopt: not a part of this pool
};

Plan assignCidrs(const Snapshot& snapshot, const CidrPool& pool);
ControllerSpec ipamController(const Kinds& kinds, CidrPool pool);

}  // namespace ph::controllers
