#include "engine/controllers/serviceaccount/root_ca.h"

#include "engine/api/types/core.h"

namespace ph::controllers {

namespace {
constexpr const char* kName = "kube-root-ca.crt";
constexpr const char* kFile = "ca.crt";
}  // namespace

Plan reconcileRootCa(const Snapshot& snapshot, const Key& key, const std::string& rootCa) {
  Plan plan;
  auto& kinds = snapshot.kinds();
  ObjectPtr ns = snapshot.get(kinds.namespaces, key.text);
  if (!ns || ns->meta().deleting) return plan;
  ObjectPtr map = snapshot.get(kinds.configMaps, key.text + "/" + kName);
  if (!map) {
    plan.create(kinds.configMaps, key.text,
                JsonObject{{"apiVersion", "v1"},
                           {"kind", "ConfigMap"},
                           {"metadata", JsonObject{{"name", kName}, {"namespace", key.text}}},
                           {"data", JsonObject{{kFile, rootCa}}}});
    return plan;
  }
  auto& data = map->as<api::core::ConfigMap>().data;
  JsonObject change;
  for (auto& [name, value] : data)
    if (name != kFile) change[name] = nullptr;
  if (auto it = data.find(kFile); it == data.end() || it->second != rootCa) change[kFile] = rootCa;
  if (!change.empty()) plan.patch(*map, JsonObject{{"data", std::move(change)}});
  return plan;
}

ControllerSpec rootCaController(const Kinds& kinds, std::string rootCa) {
  ControllerSpec spec;
  spec.name = "root-ca-certificate-publisher";
  spec.watches = {{kinds.namespaces, keySelf},
                  {kinds.configMaps, [](const Snapshot&, const client::Change& c, Keys& keys) {
                     auto& map = c.now ? *c.now : *c.old;
                     if (map.name() == kName) keys.push_back(map.ns());
                   }}};
  spec.reconcile = [rootCa = std::move(rootCa)](const Snapshot& snapshot, const Key& key, Moment) {
    return reconcileRootCa(snapshot, key, rootCa);
  };
  return spec;
}

}  // namespace ph::controllers
