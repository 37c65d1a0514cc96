// Admission: a table of small steps that every create and update passes. Those that change the object run between decoding
// and validation, those that only judge it after validation; what a step reserves, it reserves last.
// Threads: any; steps read snapshots. What reserves (addresses, quota) has its own lock.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/validation.h"
#include "engine/server/api_request.h"
#include "engine/server/core.h"

namespace ph::server {

struct QuotaHold;  // quota_ledger.h

// One object on its way in. `taken` and `hold` are what admission reserved for it: given back when the write does not come
// about.
struct Admission {
  Core& core;
  const ApiRequest& request;
  const ResourceInfo& info;
  Json& object;
  const Json* old = nullptr;                      // null: create
  std::vector<std::string>* warnings = nullptr;   // for the client; may be null
  ServiceClaim taken{};
  std::shared_ptr<QuotaHold> hold{};

  bool creates() const { return !old; }
  std::string_view subresource() const { return request.subresource; }
  void warn(std::string text) {
    if (warnings) warnings->push_back(std::move(text));
  }
  // 403 about this object.
  Status refuse(std::string_view why) const;
};

// Before validation: fills in.
Result<> admitChanges(Admission& admission);
// After it: judges, and reserves.
Result<> admitJudging(Admission& admission);

// The namespace of a namespaced create must exist and not be on its way out.
Result<> checkNamespace(Core& core, const ResourceInfo& info, std::string_view ns, std::string_view name);
// default, kube-system and kube-public stay.
bool isImmortal(std::string_view ns);

}  // namespace ph::server
