// EndpointSlice v1beta1 kept node and zone in a map of labels.
#include "engine/api/conversions/conversions.h"

namespace ph::api::conversions {
namespace {

constexpr const char *kHost = "kubernetes.io/hostname", *kZone = "topology.kubernetes.io/zone";

template <class Each> void eachEndpoint(Json& slice, Each&& each) {
  auto* list = strategies::member(slice, "endpoints");
  if (!list || !list->is_array()) return;
  for (auto& endpoint : list->get_array())
    if (auto* o = endpoint.if_object()) each(*o);
}

void toStored(Json& slice) {
  eachEndpoint(slice, [](JsonObject& e) {
    Json topology = take(e, "topology");
    auto* t = topology.if_object();
    if (!t) return;
    if (Json host = take(*t, kHost); host.is_string()) strategies::setDefault(e, "nodeName", std::move(host));
    if (Json zone = take(*t, kZone); zone.is_string()) e["zone"] = std::move(zone);
    if (!t->empty()) e["deprecatedTopology"] = std::move(topology);
  });
}

void fromStored(Json& slice) {
  eachEndpoint(slice, [](JsonObject& e) {
    Json topology = take(e, "deprecatedTopology");
    if (!topology.is_object()) topology.emplace_object();
    if (Json zone = take(e, "zone"); zone.is_string()) topology.get_object()[kZone] = std::move(zone);
    if (auto* node = e.if_contains("nodeName"); node && node->is_string()) topology.get_object()[kHost] = *node;
    if (!topology.get_object().empty()) e["topology"] = std::move(topology);
    e.erase("hints");
  });
}

}  // namespace

const Conversion endpointSliceV1beta1{toStored, fromStored};

}  // namespace ph::api::conversions
