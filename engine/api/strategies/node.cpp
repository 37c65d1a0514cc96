#include <algorithm>

#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void mirrorPodCidr(Json& node) {
  auto* spec = member(node, "spec");
  if (!spec || !spec->is_object()) return;
  auto first = text(str(node, "spec.podCIDR"));
  auto& all = list(node, "spec.podCIDRs");
  if (!first.empty() && all.empty()) spec->get_object()["podCIDRs"] = JsonArray{boosted(first)};
  else if (first.empty() && !all.empty()) spec->get_object()["podCIDR"] = Json(all[0]);
}

void defaultAllocatable(Json& node) {
  if (auto* capacity = at(node, "status.capacity"); capacity && !has(node, "status.allocatable")) {
    Json copy = *capacity;
    ensureObject(node, "status")["allocatable"] = std::move(copy);
  }
}

void prepareCreate(Json& node, const WriteContext&) {
  mirrorPodCidr(node);
  defaultAllocatable(node);
}

void prepareUpdate(Json& node, const Json&, const WriteContext&) {
  mirrorPodCidr(node);
  defaultAllocatable(node);
}

bool isCidr(std::string_view s) {
  size_t slash = s.find('/');
  if (slash == std::string_view::npos || !checkIp(s.substr(0, slash)).empty()) return false;
  auto bits = s.substr(slash + 1);
  int limit = s.find(':') == std::string_view::npos ? 32 : 128, n = 0;
  if (bits.empty() || bits.size() > 3 || !std::all_of(bits.begin(), bits.end(), [](char c) { return c >= '0' && c <= '9'; })) return false;
  for (char c : bits) n = n * 10 + (c - '0');
  return n <= limit;
}

void validate(const Json& node, const WriteContext&, ErrorList& errors) {
  checkTaints(list(node, "spec.taints"), "spec.taints", errors);
  auto& cidrs = list(node, "spec.podCIDRs");
  for (size_t i = 0; i < cidrs.size(); ++i)
    if (cidrs[i].is_string() && !isCidr(view(cidrs[i].get_string())))
      errors.invalid(indexed("spec.podCIDRs", i), text(view(cidrs[i].get_string())), "must be a valid CIDR value, (e.g. 10.9.8.0/24)");
  for (size_t i = 0; i < list(node, "status.addresses").size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (list(node, "status.addresses")[i] == list(node, "status.addresses")[j])
        errors.duplicate(indexed("status.addresses", i), text(str(list(node, "status.addresses")[i], "address")));
}

void validateUpdate(const Json& node, const Json& old, const WriteContext&, ErrorList& errors) {
  if (!str(old, "spec.podCIDR").empty() && str(node, "spec.podCIDR") != str(old, "spec.podCIDR"))
    errors.forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid");
  if (!str(old, "spec.providerID").empty() && str(node, "spec.providerID") != str(old, "spec.providerID"))
    errors.forbidden("spec.providerID", "node updates may not change providerID except from \"\" to valid");
}

std::string statusText(const Json& node) {
  std::string out = "Unknown";
  for (auto& c : list(node, "status.conditions"))
    if (str(c, "type") == "Ready") out = str(c, "status") == "True" ? "Ready" : "NotReady";
  if (flag(node, "spec.unschedulable")) out += ",SchedulingDisabled";
  return out;
}

std::string roles(const Json& node) {
  std::vector<std::string> found;
  for (auto& kv : object(node, "metadata.labels")) {
    auto key = view(kv.key());
    constexpr std::string_view prefix = "node-role.kubernetes.io/";
    if (key.starts_with(prefix) && key.size() > prefix.size()) found.emplace_back(key.substr(prefix.size()));
    else if (key == "kubernetes.io/role" && kv.value().is_string() && !kv.value().get_string().empty()) found.emplace_back(view(kv.value().get_string()));
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::string out;
  for (auto& r : found) out += (out.empty() ? "" : ",") + r;
  return out.empty() ? "<none>" : out;
}

std::string address(const Json& node, std::string_view type) {
  for (auto& a : list(node, "status.addresses"))
    if (str(a, "type") == type) return text(str(a, "address"));
  return "<none>";
}

void cells(const Json& node, WallTime, std::vector<Json>& out) {
  auto info = [&](const char* field) {
    auto s = str(node, std::string("status.nodeInfo.") + field);
    return Json(s.empty() ? "<unknown>" : boosted(s));
  };
  out.emplace_back(statusText(node));
  out.emplace_back(roles(node));
  out.emplace_back(address(node, "InternalIP"));
  out.emplace_back(address(node, "ExternalIP"));
  out.push_back(info("osImage"));
  out.push_back(info("kernelVersion"));
  out.push_back(info("containerRuntimeVersion"));
}

constexpr std::string_view kSelectable[] = {"spec.unschedulable", ""};

}  // namespace

const Strategy nodeStrategy{.prepareCreate = prepareCreate,
                            .prepareUpdate = prepareUpdate,
                            .validate = validate,
                            .validateUpdate = validateUpdate,
                            .cells = cells,
                            .selectableFields = kSelectable};

}  // namespace ph::api::strategies
