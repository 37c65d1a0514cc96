#include "engine/controllers/serviceaccount/serviceaccount.h"

namespace ph::controllers {

Plan reconcileServiceAccount(const Snapshot& snapshot, const Key& key, Moment) {
  Plan plan;
  auto& kinds = snapshot.kinds();
  ObjectPtr ns = snapshot.get(kinds.namespaces, key.text);
  if (!ns || ns->meta().deleting || snapshot.get(kinds.serviceAccounts, key.text + "/default")) return plan;
  plan.create(kinds.serviceAccounts, key.text,
              JsonObject{{"apiVersion", "v1"},
                         {"kind", "ServiceAccount"},
                         {"metadata", JsonObject{{"name", "default"}, {"namespace", key.text}}}});
  return plan;
}

ControllerSpec serviceAccountController(const Kinds& kinds) {
  ControllerSpec spec;
  spec.name = "service-account-controller";
  spec.watches = {{kinds.namespaces, keySelf},
                  {kinds.serviceAccounts, [](const Snapshot&, const client::Change& c, Keys& keys) {
                     if (!c.now && c.old->name() == "default") keys.push_back(c.old->ns());
                   }}};
  spec.reconcile = reconcileServiceAccount;
  return spec;
}

}  // namespace ph::controllers
