#include "engine/server/core.h"

#include "engine/api/codec.h"
#include "engine/api/volumes.h"
#include "engine/server/custom/custom_kinds.h"
#include "engine/server/admission/quota_ledger.h"
#include "engine/server/api_service.h"
#include "engine/server/json_util.h"
#include "engine/server/rbac/defaults.h"
#include "engine/server/rbac/index.h"
#include "engine/server/virtual_sources.h"
#include "engine/server/write_times.h"
#include "engine/server/writes.h"

namespace ph::server {

Result<std::shared_ptr<Core>> makeCore(std::shared_ptr<api::Registry> registry, std::shared_ptr<Executor> executor,
                                       std::unique_ptr<cache::Cache> cache) {
  auto core = std::make_shared<Core>();
  core->namespaces = registry->find("", "v1", "namespaces");
  core->pods = registry->find("", "v1", "pods");
  core->services = registry->find("", "v1", "services");
  core->nodes = registry->find("", "v1", "nodes");
  if (!core->namespaces || !core->pods || !core->services || !core->nodes)
    return Status::internal("the registry lacks a core kind");
  core->registry = std::move(registry);
  core->sources = std::make_shared<VirtualSources>();
  core->writeTimes = std::make_shared<WriteTimes>();
  core->executor = std::move(executor);
  core->cache = std::move(cache);
  for (auto& [key, service] : core->cache->snapshot(*core->services).objects)
    core->addresses.take(claimOf(service->tree()));
  core->rbac = std::make_shared<RbacIndex>(*core->cache, *core->registry);
  core->customKinds = CustomKinds::make(core);
  core->quota = std::make_shared<QuotaLedger>(*core->cache, *core->registry);
  core->quota->load();
  return core;
}

namespace {

ApiRequest creation(const ResourceInfo* info, std::string ns, const Json& body) {
  ApiRequest r;
  r.verb = Verb::Create;
  r.info = info;
  r.ns = std::move(ns);
  r.body = api::toText(body);
  r.user = systemAdmin();
  return r;
}

JsonObject named(std::string_view apiVersion, std::string_view kind, std::string_view name) {
  return JsonObject{{"apiVersion", apiVersion}, {"kind", kind}, {"metadata", JsonObject{{"name", name}}}};
}

// The classes of what a cluster can't do without.
JsonObject systemPriority(std::string_view name, int64_t value, std::string_view what) {
  JsonObject cls = named("scheduling.k8s.io/v1", "PriorityClass", name);
  cls["value"] = value;
  cls["description"] = what;
  return cls;
}

void addPriorities(const Core& core, std::vector<ApiRequest>& requests) {
  auto* info = core.registry->storage("scheduling.k8s.io", "priorityclasses");
  if (!info) return;
  for (auto& [name, value, what] :
       {std::tuple{"system-node-critical", int64_t(2000001000), "For what a node can't do without."},
        std::tuple{"system-cluster-critical", int64_t(2000000000), "For what the cluster can't do without."}})
    if (!core.cache->get(*info, name)) requests.push_back(creation(info, "", systemPriority(name, value, what)));
}

// Only in a new cluster: who deletes it does not want it.
void addStorageClass(const Core& core, std::vector<ApiRequest>& requests) {
  auto* info = core.registry->storage("storage.k8s.io", "storageclasses");
  if (!info) return;
  JsonObject cls = named("storage.k8s.io/v1", "StorageClass", "local");
  cls["metadata"].as_object()["annotations"] = JsonObject{{"storageclass.kubernetes.io/is-default-class", "true"}};
  cls["provisioner"] = api::kLocalProvisioner;
  cls["volumeBindingMode"] = "WaitForFirstConsumer";
  cls["reclaimPolicy"] = "Retain";
  requests.push_back(creation(info, "", std::move(cls)));
}

std::function<void(std::vector<Result<WriteAnswer>>)> allThere(std::function<void(Result<>)> done) {
  return [done = std::move(done)](std::vector<Result<WriteAnswer>> results) {
    for (auto& r : results)
      if (!r.ok() && !r.status().isAlreadyExists() && !r.status().isConflict()) return done(std::move(r).status());
    done({});
  };
}

}  // namespace

void createDefaults(const std::shared_ptr<Core>& core, Advertised api, std::function<void(Result<>)> done) {
  std::vector<ApiRequest> namespaces;
  for (auto name : {"default", "kube-system", "kube-public", "kube-node-lease"})
    if (!core->cache->get(*core->namespaces, name))
      namespaces.push_back(creation(core->namespaces, "", named("v1", "Namespace", name)));
  bool fresh = !core->cache->get(*core->namespaces, "default");
  auto then = [core, api = std::move(api), done = std::move(done), fresh](Result<> made) {
    if (!made.ok()) return done(std::move(made).status());
    std::vector<ApiRequest> rest = missingPolicy(*core);
    publishApi(*core, api, rest);
    addPriorities(*core, rest);
    if (fresh) addStorageClass(*core, rest);
    auto finished = allThere(done);
    writeAll(core, std::move(rest), std::move(finished));
  };
  writeAll(core, std::move(namespaces), allThere(std::move(then)));
}

}  // namespace ph::server
