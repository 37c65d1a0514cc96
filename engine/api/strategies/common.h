// What the strategies share: reaching into trees, and checks that several kinds need.
// Threads: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/codec.h"
#include "engine/api/int_or_string.h"
#include "engine/api/registry.h"
#include "engine/api/validation.h"

namespace ph::api::strategies {

// Reading; what is absent or of another type reads as empty. Paths as for api::at.
std::string_view str(const Json& v, std::string_view path);
int64_t num(const Json& v, std::string_view path, int64_t otherwise = 0);
bool flag(const Json& v, std::string_view path);
const JsonArray& list(const Json& v, std::string_view path);
const JsonObject& object(const Json& v, std::string_view path);
bool has(const Json& v, std::string_view path);
WallTime time(const Json& v, std::string_view path);  // the epoch when absent

inline std::string_view view(boost::json::string_view s) { return {s.data(), s.size()}; }
inline boost::json::string_view boosted(std::string_view s) { return {s.data(), s.size()}; }
inline std::string text(std::string_view s) { return std::string(s); }

// Writing.
JsonObject& ensureObject(Json& parent, std::string_view key);
JsonObject& ensureObject(JsonObject& parent, std::string_view key);
Json* member(Json& parent, std::string_view key);  // nullptr when absent
void setDefault(JsonObject& o, std::string_view key, Json value);

std::string indexed(const std::string& path, size_t i);  // "path[i]"

// "a=1,b=2" sorted, or "<none>".
std::string labelsText(const JsonObject& labels);
// The first few, and how many more there are: "a,b + 3 more...".
std::string firstFew(const std::vector<std::string>& all, size_t shown, const char* more);
Json orUnset(const Json* value);  // "<unset>" when absent
// A LabelSelector object as kubectl shows it.
std::string selectorText(const Json& object, std::string_view path);
// Names and images of a pod template's containers, comma separated.
void containerCells(const Json& object, std::string_view podSpecPath, std::vector<Json>& out);
Json orNone(std::string_view s);

// Checks.
void checkPort(int64_t port, const std::string& path, ErrorList& errors);
void checkPortValue(const Json* value, const std::string& path, ErrorList& errors);  // a number, or a port's name
void checkLabelSelector(const Json& selector, const std::string& path, ErrorList& errors);
void checkTaints(const JsonArray& taints, const std::string& path, ErrorList& errors);
// A number or a percentage: `amount` reads it, `checkAmount` checks it (`atMostAll`: no more than 100 %).
IntOrString amount(const Json& v, std::string_view path);
void checkAmount(const Json& v, std::string_view path, bool atMostAll, ErrorList& errors);
void notNegative(const Json& object, std::string_view path, ErrorList& errors);
// Both given and different: `field is immutable`.
void immutable(const Json& now, const Json& old, std::string_view path, ErrorList& errors);

// Pod specs, in pods and in templates (pod_defaults.cpp, pod_spec.cpp).
void defaultPodSpec(Json& spec);
void validatePodSpec(const Json& spec, const std::string& path, ErrorList& errors);
// A template of a controller that keeps pods running: metadata, spec, restart policy; its labels must match `selector`.
void validateTemplate(const Json& workload, const char* kind, ErrorList& errors);
// A template standing at `path`; `policies`: the restart policies that it may have.
void validatePodTemplate(const Json& tmpl, const std::string& path, const std::vector<std::string>& policies, ErrorList& errors);
void checkSelects(const Json& workload, std::string_view selectorPath, std::string_view labelsPath, ErrorList& errors);
void defaultTemplate(Json& workload);  // of spec.template.spec
std::string qosClass(const Json& spec);

// Jobs, and the templates of CronJobs (job.cpp).
void defaultJobSpec(JsonObject& spec);
void validateJobSpec(const Json& spec, const std::string& path, ErrorList& errors);

// The strategies themselves.
extern const Strategy podStrategy, deploymentStrategy, replicaSetStrategy, serviceStrategy, endpointsStrategy, nodeStrategy,
    namespaceStrategy, configMapStrategy, secretStrategy, serviceAccountStrategy, eventStrategy, leaseStrategy, machineStrategy, statefulSetStrategy, daemonSetStrategy, replicationControllerStrategy, podTemplateStrategy,
    controllerRevisionStrategy, jobStrategy, cronJobStrategy, autoscalerStrategy, disruptionBudgetStrategy, ingressStrategy,
    ingressClassStrategy, networkPolicyStrategy, endpointSliceStrategy, roleStrategy, clusterRoleStrategy, roleBindingStrategy, clusterRoleBindingStrategy,
    persistentVolumeStrategy, persistentVolumeClaimStrategy, storageClassStrategy, volumeAttachmentStrategy, csiDriverStrategy,
    csiNodeStrategy, csiStorageCapacityStrategy, limitRangeStrategy, resourceQuotaStrategy, priorityClassStrategy, runtimeClassStrategy,
    certificateSigningRequestStrategy, componentStatusStrategy, podMetricsStrategy, webhooksStrategy;

}  // namespace ph::api::strategies
