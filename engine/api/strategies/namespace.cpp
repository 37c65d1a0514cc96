#include <algorithm>

#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void nameLabel(Json& ns) {
  auto name = text(str(ns, "metadata.name"));
  if (!name.empty()) ensureObject(ensureObject(ns, "metadata"), "labels")["kubernetes.io/metadata.name"] = name;
}

void prepareCreate(Json& ns, const WriteContext&) {
  nameLabel(ns);
  auto& finalizers = ensureObject(ns, "spec")["finalizers"];
  if (!finalizers.is_array()) finalizers.emplace_array();
  auto& all = finalizers.get_array();
  if (std::find(all.begin(), all.end(), Json("kubernetes")) == all.end()) all.emplace_back("kubernetes");
  ns.get_object()["status"] = JsonObject{{"phase", "Active"}};
}

// The finalizers of the contents change only through the finalize subresource.
void prepareUpdate(Json& ns, const Json& old, const WriteContext& context) {
  nameLabel(ns);
  if (context.subresource == "finalize") return;
  auto& spec = ensureObject(ns, "spec");
  if (auto* v = at(old, "spec.finalizers")) spec["finalizers"] = *v;
  else spec.erase("finalizers");
}

void validate(const Json& ns, const WriteContext&, ErrorList& errors) {
  auto& finalizers = list(ns, "spec.finalizers");
  for (size_t i = 0; i < finalizers.size(); ++i) {
    if (!finalizers[i].is_string()) continue;
    auto f = text(view(finalizers[i].get_string()));
    if (auto why = checkQualifiedName(f); !why.empty()) errors.invalid("spec.finalizers", f, why);
    else if (f.find('/') == std::string::npos && f != "kubernetes")
      errors.invalid(indexed("spec.finalizers", i), f, "name is neither a standard finalizer name nor is it fully qualified");
  }
}

constexpr std::string_view kSelectable[] = {"status.phase", ""};

}  // namespace

const Strategy namespaceStrategy{.prepareCreate = prepareCreate,
                                 .prepareUpdate = prepareUpdate,
                                 .validate = validate,
                                 .checkName = checkDnsLabel,
                                 .selectableFields = kSelectable};

}  // namespace ph::api::strategies
