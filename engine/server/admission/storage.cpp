// DefaultStorageClass: a claim without a class gets the cluster's default. StorageObjectInUseProtection: claims and volumes
// carry a finalizer that their controllers take off when nothing uses them (engine/controllers/volumeprotection).
#include "engine/server/admission/default_class.h"
#include "engine/server/admission/steps.h"
#include "engine/server/json_util.h"

namespace ph::server::steps {
namespace {

constexpr std::string_view kClassBeta = "volume.beta.kubernetes.io/storage-class";

bool isCore(const ResourceInfo& info, std::string_view plural) { return info.group.empty() && info.plural == plural; }

void addFinalizer(Json& object, std::string_view name) {
  Json& list = makeObject(object, "metadata")["finalizers"];
  if (!list.is_array()) list.emplace_array();
  for (auto& f : list.get_array())
    if (f.is_string() && view(f.get_string()) == name) return;
  list.get_array().emplace_back(name);
}

}  // namespace

Result<> defaultStorageClass(Admission& a) {
  if (!a.creates() || !isCore(a.info, "persistentvolumeclaims")) return {};
  auto& spec = makeObject(a.object, "spec");
  // An empty name asks for a volume without a class.
  if (auto* asked = spec.if_contains("storageClassName"); asked && !asked->is_null()) return {};
  auto* metadata = objectAt(a.object, "metadata");
  auto* annotations = metadata ? metadata->if_contains("annotations") : nullptr;
  if (annotations && annotations->is_object() && annotations->get_object().contains(kClassBeta)) return {};
  static constexpr std::string_view kMarks[] = {"storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"};
  if (auto cls = defaultClass(a.core, "storage.k8s.io", "storageclasses", kMarks)) spec["storageClassName"] = cls->name();
  return {};
}

Result<> storageInUse(Admission& a) {
  if (!a.creates()) return {};
  if (isCore(a.info, "persistentvolumeclaims")) addFinalizer(a.object, "kubernetes.io/pvc-protection");
  if (isCore(a.info, "persistentvolumes")) addFinalizer(a.object, "kubernetes.io/pv-protection");
  return {};
}

}  // namespace ph::server::steps
