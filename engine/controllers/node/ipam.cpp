#include "engine/controllers/node/ipam.h"

#include <fmt/format.h>

#include <charconv>

#include "engine/api/types/core.h"

namespace ph::controllers {

namespace {

constexpr size_t kMostAtOnce = 500;

// "a.b.c.d/n"
std::optional<std::pair<uint32_t, int>> parseCidr(std::string_view text) {
  uint32_t address = 0;
  const char *p = text.data(), *end = p + text.size();
  for (int i = 0; i < 5; ++i) {
    unsigned n = 0;
    auto [next, error] = std::from_chars(p, end, n);
    if (error != std::errc() || n > (i < 4 ? 255u : 32u)) return std::nullopt;
    if (i == 4) return next == end ? std::optional(std::pair(address, int(n))) : std::nullopt;
    if (next == end || *next != (i < 3 ? '.' : '/')) return std::nullopt;
    address = address << 8 | n;
    p = next + 1;
  }
  return std::nullopt;
}

}  // namespace

Result<CidrPool> CidrPool::parse(const std::string& cidr, int nodePrefix) {
  auto parsed = parseCidr(cidr);
  if (!parsed) return Status::badRequest("not an IPv4 network: " + cidr);
  auto [address, prefix] = *parsed;
  if (nodePrefix < prefix || nodePrefix > 30 || nodePrefix - prefix > 16 || prefix < 8)
    return Status::badRequest(fmt::format("{} can't be cut into /{} for nodes", cidr, nodePrefix));
  uint32_t mask = ~uint32_t(0) << (32 - prefix);
  return CidrPool{address & mask, prefix, nodePrefix};
}

std::string CidrPool::at(uint32_t index) const {
  uint32_t a = base + (index << (32 - nodePrefix));
  return fmt::format("{}.{}.{}.{}/{}", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255, nodePrefix);
}

std::optional<uint32_t> CidrPool::indexOf(const std::string& cidr) const {
  auto parsed = parseCidr(cidr);
  if (!parsed || parsed->second != nodePrefix) return std::nullopt;
  uint32_t index = (parsed->first - base) >> (32 - nodePrefix);
  if (parsed->first < base || index >= size()) return std::nullopt;
  return index;
}

Plan assignCidrs(const Snapshot& snapshot, const CidrPool& pool) {
  Plan plan;
  std::vector<bool> used(pool.size());
  std::vector<ObjectPtr> without;
  for (auto& [name, node] : snapshot.all(snapshot.kinds().nodes)) {
    auto& cidr = node->as<api::core::Node>().spec.podCIDR;
    if (cidr.empty())
      without.push_back(node);
    else if (auto index = pool.indexOf(cidr))
      used[*index] = true;
  }
  uint32_t next = 0;
  for (auto& node : without) {
    while (next < used.size() && used[next]) ++next;
    if (next == used.size()) {
      plan.notes.push_back({client::ObjectReference::to(*node), "Warning", "CIDRNotAvailable",
                            "No part of the cluster's pod network is left for this node"});
      continue;
    }
    if (plan.steps.size() == kMostAtOnce) {
      plan.lookAgain({});
      break;
    }
    used[next] = true;
    std::string cidr = pool.at(next);
    plan.patchNewest(
        *node, JsonObject{{"spec", JsonObject{{"podCIDR", cidr}, {"podCIDRs", JsonArray{Json(cidr)}}}}});
  }
  return plan;
}

ControllerSpec ipamController(const Kinds& kinds, CidrPool pool) {
  ControllerSpec spec;
  spec.name = "node-ipam-controller";
  // Not at each heartbeat of a node for which nothing is left: when one comes without, loses it, or gives one back.
  auto lacks = [](const ObjectPtr& node) { return node->as<api::core::Node>().spec.podCIDR.empty(); };
  spec.watches = {{kinds.nodes, [lacks](const Snapshot&, const client::Change& c, Keys& keys) {
                     if (!c.now || (lacks(c.now) && (!c.old || !lacks(c.old)))) keys.push_back("nodes");
                   }}};
  spec.reconcile = [pool](const Snapshot& s, const Key&, Moment) { return assignCidrs(s, pool); };
  return spec;
}

}  // namespace ph::controllers
