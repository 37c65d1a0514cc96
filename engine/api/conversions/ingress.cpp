// Ingress before v1: a backend was serviceName and servicePort, and a path needed no type.
#include "engine/api/conversions/conversions.h"

namespace ph::api::conversions {
namespace {

template <class Each> void eachPath(JsonObject& spec, Each&& each) {
  auto* rules = spec.if_contains("rules");
  if (!rules || !rules->is_array()) return;
  for (auto& rule : rules->get_array()) {
    auto* http = objectIn(rule, "http");
    auto* paths = http ? http->if_contains("paths") : nullptr;
    if (!paths || !paths->is_array()) continue;
    for (auto& path : paths->get_array())
      if (auto* o = path.if_object()) each(*o);
  }
}

void backendToStored(Json* backend) {
  auto* b = backend ? backend->if_object() : nullptr;
  if (!b) return;
  Json name = take(*b, "serviceName"), port = take(*b, "servicePort");
  if (name.is_null() && port.is_null()) return;
  JsonObject service;
  if (!name.is_null()) service["name"] = std::move(name);
  if (port.is_string()) service["port"] = JsonObject{{"name", std::move(port)}};
  else if (!port.is_null()) service["port"] = JsonObject{{"number", std::move(port)}};
  (*b)["service"] = std::move(service);
}

void backendFromStored(Json* backend) {
  auto* b = backend ? backend->if_object() : nullptr;
  if (!b) return;
  Json service = take(*b, "service");
  auto* s = service.if_object();
  if (!s) return;
  if (auto* name = s->if_contains("name")) (*b)["serviceName"] = *name;
  auto* port = s->if_contains("port");
  if (!port || !port->is_object()) return;
  auto* named = port->get_object().if_contains("name");
  auto* number = port->get_object().if_contains("number");
  if (named && named->is_string() && !named->get_string().empty()) (*b)["servicePort"] = *named;
  else if (number) (*b)["servicePort"] = *number;
}

void toStored(Json& ingress) {
  auto* spec = objectIn(ingress, "spec");
  if (!spec) return;
  rename(*spec, "backend", "defaultBackend");
  backendToStored(spec->if_contains("defaultBackend"));
  eachPath(*spec, [](JsonObject& path) {
    strategies::setDefault(path, "pathType", "ImplementationSpecific");
    backendToStored(path.if_contains("backend"));
  });
}

void fromStored(Json& ingress) {
  auto* spec = objectIn(ingress, "spec");
  if (!spec) return;
  rename(*spec, "defaultBackend", "backend");
  backendFromStored(spec->if_contains("backend"));
  eachPath(*spec, [](JsonObject& path) { backendFromStored(path.if_contains("backend")); });
}

}  // namespace

const Conversion ingressV1beta1{toStored, fromStored};

}  // namespace ph::api::conversions
