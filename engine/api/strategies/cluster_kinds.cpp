// Small kinds of the whole cluster: priorities, runtimes, certificate requests, webhooks; and those that are only read.
#include "engine/api/human.h"
#include "engine/api/quantity.h"
#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void validatePriority(const Json& p, const WriteContext&, ErrorList& errors) {
  auto name = text(str(p, "metadata.name"));
  if (name.starts_with("system-")) {
    bool known = (name == "system-node-critical" && num(p, "value") == 2000001000) || (name == "system-cluster-critical" && num(p, "value") == 2000000000);
    if (!known) errors.forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for system use only");
  } else if (num(p, "value") > 1'000'000'000) {
    errors.forbidden("value", "maximum allowed value of a user defined priority is 1000000000");
  }
}
void samePriority(const Json& p, const Json& old, const WriteContext&, ErrorList& errors) {
  if (num(p, "value") != num(old, "value")) errors.forbidden("Value", "may not be changed in an update.");
  immutable(p, old, "preemptionPolicy", errors);
}
void cellsOfPriority(const Json& p, WallTime, std::vector<Json>& out) { out.emplace_back(flag(p, "globalDefault")); }

void validateRuntime(const Json& r, const WriteContext&, ErrorList& errors) {
  auto handler = text(str(r, "handler"));
  if (auto why = checkDnsLabel(handler); !handler.empty() && !why.empty()) errors.invalid("handler", handler, why);
}
void sameHandler(const Json& r, const Json& old, const WriteContext&, ErrorList& errors) { immutable(r, old, "handler", errors); }

void cellsOfWebhooks(const Json& w, WallTime, std::vector<Json>& out) { out.emplace_back(list(w, "webhooks").size()); }

void cellsOfRevision(const Json& r, WallTime, std::vector<Json>& out) {
  std::string owner;
  for (auto& o : list(r, "metadata.ownerReferences"))
    if (flag(o, "controller")) {
      auto version = str(o, "apiVersion");
      size_t slash = version.find('/');
      owner = text(str(o, "kind"));
      for (char& c : owner) c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
      if (slash != std::string_view::npos) owner += "." + text(version.substr(0, slash));
      owner += "/" + text(str(o, "name"));
    }
  out.push_back(orNone(owner));
}
void sameRevision(const Json& r, const Json& old, const WriteContext&, ErrorList& errors) { immutable(r, old, "data", errors); }

void cellsOfComponent(const Json& c, WallTime, std::vector<Json>& out) {
  std::string status = "Unknown", message, error;
  for (auto& condition : list(c, "conditions"))
    if (str(condition, "type") == "Healthy") {
      status = str(condition, "status") == "True" ? "Healthy" : "Unhealthy";
      message = text(str(condition, "message"));
      error = text(str(condition, "error"));
    }
  out.emplace_back(status);
  out.emplace_back(message);
  out.emplace_back(error);
}

void cellsOfPodMetrics(const Json& m, WallTime, std::vector<Json>& out) {
  for (auto* resource : {"cpu", "memory"}) {
    Quantity sum;
    for (auto& c : list(m, "containers"))
      if (auto q = Quantity::parse(str(c, std::string("usage.") + resource))) sum = sum.isZero() ? *q : sum + *q;
    out.emplace_back(sum.text());
  }
}

}  // namespace

const Strategy priorityClassStrategy{.validate = validatePriority, .validateUpdate = samePriority, .cells = cellsOfPriority};
const Strategy runtimeClassStrategy{.validate = validateRuntime, .validateUpdate = sameHandler};
const Strategy webhooksStrategy{.cells = cellsOfWebhooks};
const Strategy controllerRevisionStrategy{.validateUpdate = sameRevision, .cells = cellsOfRevision};
const Strategy componentStatusStrategy{.cells = cellsOfComponent};
const Strategy podMetricsStrategy{.cells = cellsOfPodMetrics};

}  // namespace ph::api::strategies
