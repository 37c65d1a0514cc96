#include "engine/controllers/controllers.h"

#include "engine/controllers/autoscaling/autoscaling.h"
#include "engine/controllers/certificates/certificates.h"
#include "engine/controllers/clusterrole/clusterrole.h"
#include "engine/controllers/daemonset/daemonset.h"
#include "engine/controllers/cronjob/cronjob.h"
#include "engine/controllers/deployment/deployment.h"
#include "engine/controllers/disruption/disruption.h"
#include "engine/controllers/endpoints/endpoints.h"
#include "engine/controllers/endpointslice/endpointslice.h"
#include "engine/controllers/events/events.h"
#include "engine/controllers/gc/gc.h"
#include "engine/controllers/job/job.h"
#include "engine/controllers/job/ttl.h"
#include "engine/controllers/namespaces/namespaces.h"
#include "engine/controllers/node/eviction.h"
#include "engine/controllers/node/ipam.h"
#include "engine/controllers/podgc/podgc.h"
#include "engine/controllers/replicaset/replicaset.h"
#include "engine/controllers/serviceaccount/root_ca.h"
#include "engine/controllers/replicationcontroller/replicationcontroller.h"
#include "engine/controllers/resourcequota/resourcequota.h"
#include "engine/controllers/serviceaccount/serviceaccount.h"
#include "engine/controllers/statefulset/statefulset.h"
#include "engine/controllers/volumebinding/volumebinding.h"
#include "engine/controllers/volumeprotection/volumeprotection.h"

namespace ph::controllers {

Result<std::vector<ControllerSpec>> allControllers(const Kinds& kinds, const Options& options) {
  PH_ASSIGN(CidrPool pool, CidrPool::parse(options.clusterCidr, options.nodeCidrPrefix));
  std::vector<ControllerSpec> specs;
  specs.push_back(deploymentController(kinds));
  specs.push_back(replicaSetController(kinds));
  specs.push_back(replicationControllerController(kinds));
  specs.push_back(daemonSetController(kinds));
  specs.push_back(statefulSetController(kinds));
  specs.push_back(autoscalingController(kinds, options.usage));
  specs.push_back(disruptionController(kinds));
  specs.push_back(endpointsController(kinds));
  specs.push_back(endpointSliceController(kinds));
  specs.push_back(resourceQuotaController(kinds));
  specs.push_back(claimProtectionController(kinds));
  specs.push_back(volumeProtectionController(kinds));
  specs.push_back(claimBindingController(kinds));
  specs.push_back(volumeBindingController(kinds));
  specs.push_back(cronJobController(kinds));
  specs.push_back(jobController(kinds));
  specs.push_back(strayJobPodsController(kinds));
  specs.push_back(ttlController(kinds));
  specs.push_back(namespaceController(kinds));
  specs.push_back(serviceAccountController(kinds));
  if (!options.rootCa.empty()) specs.push_back(rootCaController(kinds, options.rootCa));
  if (options.secretToken) specs.push_back(tokenSecretsController(kinds, options.rootCa, options.secretToken));
  if (options.secretToken && options.accountSecrets) specs.push_back(accountSecretsController(kinds));
  specs.push_back(certificatesController(kinds, options.certificates));
  specs.push_back(nodeLifecycleController(kinds, options.node));
  specs.push_back(evictionController(kinds, options.node.grace));
  specs.push_back(ipamController(kinds, pool));
  specs.push_back(podGcController(kinds));
  specs.push_back(endedPodsController(kinds, options.endedPods));
  specs.push_back(clusterRoleController(kinds));
  specs.push_back(gcController());
  specs.push_back(eventsController(kinds, options.eventTtl));
  return specs;
}

Result<std::unique_ptr<Controllers>> startControllers(client::Client& client,
                                                      std::shared_ptr<Executor> executor, Options options) {
  auto runner = Runner::make(client, std::move(executor), options.runner);
  PH_ASSIGN(auto specs, allControllers(Kinds(client.registry()), options));
  for (auto& spec : specs) runner->add(std::move(spec));
  runner->start();
  return std::make_unique<Controllers>(std::move(runner));
}

}  // namespace ph::controllers
