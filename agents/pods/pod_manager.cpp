#include "agents/pods/pod_manager.h"

#include <algorithm>
#include <chrono>

#include "engine/base/log.h"

namespace ph::agents {

using std::chrono::seconds;

PodManager::PodManager(client::Client& client, std::shared_ptr<NodeContext> node, PodManagerOptions options)
    : client_(client), node_(std::move(node)), options_(std::move(options)),
      store_(options_.stateFolder, client.registry().find("", "v1", "pods")) {}

PodManager::~PodManager() { stop(); }

void PodManager::start() {
  std::weak_ptr<PodManager> weak = weak_from_this();
  node_->runtime->onChange([weak](std::string id) {
    if (auto self = weak.lock()) self->onRuntime(id);
  });
  if (node_->inputs)
    node_->inputs->onChange([weak](std::string uid) {
      auto self = weak.lock();
      if (!self) return;
      if (auto it = self->workers_.find(uid); it != self->workers_.end()) it->second->wake();
    });
  node_->runtime->listSandboxes([weak](Result<std::vector<Sandbox>> sandboxes) {
    if (auto self = weak.lock()) self->listed(std::move(sandboxes));
  });
}

void PodManager::stop() {
  stopped_ = true;
  if (pods_) pods_->stop();
  timer_.cancel();
  startTimer_.cancel();
}

void PodManager::listed(Result<std::vector<Sandbox>> sandboxes) {
  if (stopped_) return;
  std::weak_ptr<PodManager> weak = weak_from_this();
  auto again = [this, weak](const Status& why) {
    PH_LOG(Warn, "pods", "the runtime does not answer: {}", why.message);
    startTimer_ = node_->strand->after(seconds(1), [weak] {
      if (auto self = weak.lock()) self->start();
    });
  };
  if (!sandboxes.ok()) return again(sandboxes.status());
  found_.clear();
  for (auto& s : *sandboxes) found_[s.uid].push_back(s);
  for (auto& [uid, list] : found_)
    std::sort(list.begin(), list.end(), [](auto& a, auto& b) { return a.attempt < b.attempt; });
  node_->runtime->listContainers([weak, again](Result<std::vector<Container>> containers) {
    auto self = weak.lock();
    if (!self || self->stopped_) return;
    if (!containers.ok()) return again(containers.status());
    self->fetchStatuses(std::make_shared<std::vector<Container>>(std::move(*containers)), 0);
  });
}

// A list has neither times nor exit codes: each container is asked, and each sandbox for its addresses.
void PodManager::fetchStatuses(std::shared_ptr<std::vector<Container>> containers, size_t next) {
  std::weak_ptr<PodManager> weak = weak_from_this();
  if (next < containers->size()) {
    node_->runtime->containerStatus((*containers)[next].id, [weak, containers, next](Result<Container> status) {
      auto self = weak.lock();
      if (!self || self->stopped_) return;
      if (status.ok()) {
        auto known = (*containers)[next];
        (*containers)[next] = std::move(*status);
        (*containers)[next].sandboxId = known.sandboxId;
        (*containers)[next].podUid = known.podUid;
      }
      self->fetchStatuses(containers, next + 1);
    });
    return;
  }
  for (auto& [uid, list] : found_)
    for (auto& sandbox : list) {
      if (!sandbox.ready || !sandbox.ips.empty() || sandbox.created == WallTime{}) continue;
      auto id = sandbox.id;
      sandbox.created = {};  // asked once
      node_->runtime->sandboxStatus(id, [weak, containers, uid = uid, id](Result<Sandbox> status) {
        auto self = weak.lock();
        if (!self || self->stopped_) return;
        for (auto& s : self->found_[uid])
          if (s.id == id && status.ok()) {
            auto ips = std::move(status->ips);
            s.ips = std::move(ips);
            s.ready = status->ready;
          }
        self->fetchStatuses(containers, containers->size());
      });
      return;
    }
  adoptAll(*containers);
}

void PodManager::adoptAll(const std::vector<Container>& containers) {
  foundContainers_.clear();
  for (auto& c : containers) foundContainers_[c.podUid].push_back(c);
  for (auto& [uid, list] : foundContainers_)
    std::sort(list.begin(), list.end(), [](auto& a, auto& b) { return a.attempt < b.attempt; });
  for (auto& pod : store_.load()) {
    auto worker = add(pod);
    if (pod->meta().deleting) worker->terminate(seconds(pod->meta().deletionGraceSeconds), true);
  }
  follow();
}

void PodManager::follow() {
  auto* info = client_.registry().find("", "v1", "pods");
  client::Reflector::Options options;
  options.fieldSelector = "spec.nodeName=" + node_->config.nodeName;
  options.maxBackoff = seconds(5);
  std::weak_ptr<PodManager> weak = weak_from_this();
  client::Reflector::Handlers handlers;
  handlers.onChanges = [weak](const std::vector<client::Change>& changes) {
    auto self = weak.lock();
    if (!self || self->stopped_) return;
    for (auto& change : changes) self->apply(change);
  };
  handlers.onSynced = [weak] {
    auto self = weak.lock();
    if (self && !self->stopped_) self->onSynced();
  };
  pods_ = client::Reflector::start(client_, *info, node_->strand, std::move(options), std::move(handlers));
  if (options_.relist > Duration::zero()) {
    timer_ = node_->strand->after(options_.relist, [weak] {
      if (auto self = weak.lock()) self->relist();
    });
  }
}

std::shared_ptr<PodWorker> PodManager::add(const api::ObjectPtr& pod) {
  std::weak_ptr<PodManager> weak = weak_from_this();
  auto worker = std::make_shared<PodWorker>(node_, pod, [weak](const std::string& uid) {
    auto self = weak.lock();
    if (!self) return;
    self->store_.remove(uid);
    self->node_->status->forget(uid);
    self->workers_.erase(uid);
  });
  workers_[pod->uid()] = worker;
  auto sandboxes = found_.extract(pod->uid());
  auto containers = foundContainers_.extract(pod->uid());
  if (sandboxes || containers)
    worker->adopt(sandboxes ? sandboxes.mapped() : std::vector<Sandbox>{}, containers ? containers.mapped() : std::vector<Container>{});
  worker->wake();
  return worker;
}

void PodManager::apply(const client::Change& change) {
  if (change.old && (!change.now || change.now->uid() != change.old->uid())) {
    // Gone from the API (or another of its name came): what runs is ended with the grace it was promised.
    if (auto it = workers_.find(change.old->uid()); it != workers_.end())
      it->second->terminate(seconds(terminationGrace(*it->second->pod())), false);
  }
  if (!change.now) return;
  auto& pod = change.now;
  auto it = workers_.find(pod->uid());
  std::shared_ptr<PodWorker> worker;
  if (it == workers_.end()) {
    store_.save(*pod);
    worker = add(pod);
  } else {
    worker = it->second;
    // A status of our own coming back needs no file: only what is wanted is kept.
    auto& old = *worker->pod();
    bool wish = old.meta().deleting != pod->meta().deleting || old.meta().generation != pod->meta().generation ||
                old.meta().labels != pod->meta().labels || old.meta().generation == 0;
    if (wish) store_.save(*pod);
    worker->update(pod);
    node_->status->seen(pod);
  }
  if (pod->meta().deleting) worker->terminate(seconds(pod->meta().deletionGraceSeconds), true);
}

void PodManager::onSynced() {
  synced_ = true;
  auto wanted = pods_->snapshot();
  std::vector<std::shared_ptr<PodWorker>> gone;
  for (auto& [uid, worker] : workers_) {
    auto pod = pods_->get(worker->pod()->key());
    if (!pod || pod->uid() != uid) gone.push_back(worker);
  }
  for (auto& worker : gone) worker->terminate(seconds(terminationGrace(*worker->pod())), false);
  removeOrphans();
}

void PodManager::removeOrphans() {
  auto orphans = std::move(found_);
  found_.clear();
  auto containers = std::move(foundContainers_);
  foundContainers_.clear();
  for (auto& [uid, list] : orphans) {
    std::vector<std::string> ids;
    for (auto& s : list) ids.push_back(s.id);
    PH_LOG(Info, "pods", "removing pod {} ({}), which nobody wants any more", list.front().name, uid);
    removeOrphan(uid, std::move(ids));
  }
  if (!node_->inputs) return;
  for (auto& uid : node_->inputs->known())
    if (!workers_.count(uid) && !orphans.count(uid)) removeOrphan(uid, {});
}

void PodManager::removeOrphan(const std::string& uid, std::vector<std::string> sandboxes) {
  std::weak_ptr<PodManager> weak = weak_from_this();
  if (sandboxes.empty()) {
    if (node_->inputs) node_->inputs->tearDown(uid, [](Result<>) {});
    if (node_->removeHostTraces) node_->removeHostTraces(uid);
    return;
  }
  auto id = sandboxes.back();
  auto retry = [weak, uid, sandboxes](const Status& why) {
    auto self = weak.lock();
    if (!self || self->stopped_) return;
    PH_LOG(Warn, "pods", "removing a left-over sandbox: {}", why.message);
    self->node_->strand->after(seconds(5), [weak, uid, sandboxes] {
      if (auto self = weak.lock()) self->removeOrphan(uid, sandboxes);
    }).detach();
  };
  node_->runtime->stopSandbox(id, [weak, uid, sandboxes, id, retry](Result<> stopped) {
    auto self = weak.lock();
    if (!self || self->stopped_) return;
    if (!stopped.ok()) return retry(stopped.status());
    self->node_->runtime->removeSandbox(id, [weak, uid, sandboxes, retry](Result<> removed) {
      auto self = weak.lock();
      if (!self || self->stopped_) return;
      if (!removed.ok()) return retry(removed.status());
      auto rest = sandboxes;
      rest.pop_back();
      self->removeOrphan(uid, std::move(rest));
    });
  });
}

void PodManager::onRuntime(const std::string& id) {
  if (stopped_) return;
  if (id.empty()) return relist();
  for (auto& [uid, worker] : workers_)
    if (worker->owns(id)) return worker->runtimeChanged(id);
}

void PodManager::relist() {
  std::weak_ptr<PodManager> weak = weak_from_this();
  if (options_.relist > Duration::zero())
    timer_ = node_->strand->after(options_.relist, [weak] {
      if (auto self = weak.lock()) self->relist();
    });
  if (relisting_) {
    relistAgain_ = true;
    return;
  }
  relisting_ = true;
  node_->runtime->listContainers([weak](Result<std::vector<Container>> containers) {
    auto self = weak.lock();
    if (!self || self->stopped_) return;
    if (!containers.ok()) {
      self->relisting_ = false;
      return;
    }
    auto held = std::make_shared<std::vector<Container>>(std::move(*containers));
    self->node_->runtime->listSandboxes([weak, held](Result<std::vector<Sandbox>> sandboxes) {
      auto self = weak.lock();
      if (!self || self->stopped_) return;
      self->relisting_ = false;
      if (sandboxes.ok())
        for (auto& [uid, worker] : self->workers_) worker->observe(*held, *sandboxes);
      if (self->relistAgain_) {
        self->relistAgain_ = false;
        self->relist();
      }
    });
  });
}

std::shared_ptr<PodWorker> PodManager::find(const std::string& ns, const std::string& name) const {
  std::shared_ptr<PodWorker> found;
  for (auto& [uid, worker] : workers_)
    if (worker->pod()->ns() == ns && worker->pod()->name() == name && (!found || found->terminating())) found = worker;
  return found;
}

}  // namespace ph::agents
