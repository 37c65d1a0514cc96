// PodVolumes: PodInputs on the disk: emptyDir, hostPath, claims of folders, configMap, secret, projected and downwardAPI volumes under
// FOLDER/UID/volumes/NAME, the hosts file, termination messages, sub-paths, and the environment.
// Secrets stand on a tmpfs, never on a disk.
// Threads: the node's strand; writing happens on `blocking`.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agents/pods/pod_inputs.h"
#include "agents/volumes/environment.h"
#include "agents/volumes/object_cache.h"
#include "agents/volumes/payload.h"
#include "agents/volumes/token_cache.h"

namespace ph::agents {

struct VolumeOptions {
  std::string folder;                   // "/var/lib/pilothouse/pods"
  std::string logRoot = "/var/log/pods";
  std::string nodeName;
  std::string clusterDomain = "cluster.local";
  int64_t cpuMilli = 0, memoryBytes = 0, diskBytes = 0;
  // Variables about services for a pod's namespace; null: none.
  std::function<Environment(const std::string& ns, bool links)> serviceVariables;
};

class PodVolumes : public PodInputs, public std::enable_shared_from_this<PodVolumes> {
 public:
  PodVolumes(client::Client& client, std::shared_ptr<Executor> strand, std::shared_ptr<Executor> blocking, VolumeOptions options);
  void start();  // before the first pod

  void prepare(api::ObjectPtr pod, Done<void> done) override;
  void update(api::ObjectPtr pod) override;
  Result<> fill(const api::ObjectPtr& pod, const std::string& container, uint32_t attempt, const PodAddresses& addresses, ContainerSpec& spec) override;
  std::string terminationMessage(const api::ObjectPtr& pod, const Container& container) override;
  ImageAuth imageAuth(const api::ObjectPtr& pod, const std::string& image) override;
  void tearDown(std::string uid, Done<void> done) override;
  std::vector<std::string> known() override;
  void onChange(std::function<void(std::string uid)> callback) override { onChange_ = std::move(callback); }

 private:
  struct Pod {
    api::ObjectPtr object;
    std::set<ObjectRef> refs;
    std::set<TokenKey> tokens;
    Done<void> waiting;       // prepare() not answered yet
    Timer deadline;
    bool made = false, busy = false, again = false;
  };
  // One volume, resolved to what is to be on the disk.
  struct Plan {
    std::string name;
    enum class Kind { EmptyDir, Memory, Payload, SecretPayload, HostPath, LocalFolder } kind = Kind::EmptyDir;
    int64_t sizeLimit = 0;
    Payload payload;
    std::string hostPath, hostType;
  };

  std::string podFolder(const std::string& uid) const { return options_.folder + "/" + uid; }
  std::string volumeFolder(const std::string& uid, const std::string& name, bool secret) const;
  DownwardContext downward(const PodAddresses& addresses) const;
  Result<std::vector<Plan>> plan(const api::Object& pod) const;
  Result<Plan> planVolume(const api::Object& pod, const api::core::Volume& volume) const;
  // The volume that a claim is bound to; null: none yet.
  api::ObjectPtr volumeOf(const std::string& ns, const std::string& claim) const;
  Result<> planClaim(Plan& plan, const std::string& ns, const std::string& claim) const;
  std::set<ObjectRef> wantedBy(const api::Object& pod) const;
  Result<> addKeys(Payload& payload, const ObjectRef& ref, const std::vector<api::core::KeyToPath>& items, bool optional, mode_t mode) const;
  Result<> addDownward(Payload& payload, const api::Object& pod, const std::vector<api::core::DownwardAPIVolumeFile>& items, mode_t mode) const;
  Result<> addToken(Payload& payload, const api::Object& pod, const api::core::ServiceAccountTokenProjection& source, mode_t mode) const;
  void tryPrepare(const std::string& uid);
  void make(const std::string& uid);
  void answer(const std::string& uid, Result<> result);
  void changed(const ObjectRef& ref);
  void renewed(const TokenKey& key);
  std::string missing(const Pod& pod) const;
  static Result<> makeAll(const std::string& folder, const std::vector<Plan>& plans, std::optional<int64_t> group, WallTime now);
  static Result<> makeOne(const std::string& folder, const Plan& plan, std::optional<int64_t> group, WallTime now);
  Result<> addMount(const api::Object& pod, const api::core::VolumeMount& mount, const std::string& container, size_t number,
                    const std::map<std::string, std::string>& env, ContainerSpec& spec);
  Result<std::string> subPath(const std::string& uid, const std::string& volume, const std::string& sub, const std::string& container, size_t number);
  Result<> writeHosts(const api::Object& pod, const PodAddresses& addresses);

  std::shared_ptr<Executor> strand_, blocking_;
  const VolumeOptions options_;
  std::shared_ptr<ObjectCache> cache_;
  std::shared_ptr<TokenCache> tokens_;
  std::map<std::string, Pod> pods_;
  std::function<void(std::string)> onChange_;
};

// Whether a pod's volume holds secrets, and so stands on a tmpfs.
bool holdsSecrets(const api::core::Volume& volume);
// A user and password for `image` in a kubernetes.io/dockerconfigjson text.
ImageAuth authFor(const std::string& dockerConfig, const std::string& image);

}  // namespace ph::agents
