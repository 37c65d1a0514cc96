#include "tests/sim/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/api/types/apps.h"
#include "engine/api/types/core.h"
#include "engine/cache/cache.h"
#include "engine/server/local_client.h"

namespace ph::sim {

using api::core::Pod;
using namespace std::chrono_literals;

// One life of the engine, made as engine/runtime makes it, without the parts that reach outside the process.
struct World::Engine {
  std::shared_ptr<server::Core> core;
  std::shared_ptr<client::Client> client;
  std::unique_ptr<controllers::Controllers> controllers;
  std::unique_ptr<scheduler::Scheduler> scheduler;
  void stop() {
    if (scheduler) scheduler->stop();
    if (controllers) controllers->stop();
  }
};

std::string Report::text() const {
  return fmt::format(
      "{} pods made, {} bound, {} nodes lost, {} links cut, {} engines killed, {} writes acknowledged, "
      "revision {}, settled in {} ms",
      podsMade, bindings, nodesLost, cuts, crashes, acknowledged, revisions, settled / 1ms);
}

World::World(uint64_t seed, Options options)
    : options_(options),
      sim_(SimExecutor::make(seed)),
      registry_(api::Registry::builtin()),
      watcher_(sim_),
      disk_(sim_),
      network_(sim_, *registry_) {
  watcher_.tell = options_.tell;
  disk_.onDurable = [this](int64_t revision, const store::Op& op) { watcher_.see(revision, op); };
  network_.connect = [this](const std::string& user) -> std::shared_ptr<client::Client> {
    if (!engine_) return nullptr;
    server::User who = server::systemAdmin();
    if (user.starts_with("system:node:")) who = {user, {"system:nodes", "system:authenticated"}};
    return server::makeLocalClient(engine_->core, sim_, nullptr, std::move(who));
  };
  user_ = std::make_unique<Link>(network_, "admin");
  network_.maxDelay = ms(1, 150);
  network_.loss = below(3) ? double(below(20)) / 1000 : 0;
  startEngine();
  machines_.resize(size_t(options_.nodes));
  for (uint32_t i = 0; i < machines_.size(); ++i) {
    machines_[i].name = "n" + std::to_string(i + 1);
    machines_[i].number = i + 1;
    machines_[i].link = std::make_unique<Link>(network_, "system:node:" + machines_[i].name);
    powerOn(machines_[i]);
  }
}

World::~World() {
  for (auto& m : machines_) m.node.reset();
  if (engine_) engine_->stop();
  sim_->runFor(100ms);  // what stops does so in tasks
}

const api::ResourceInfo* World::kind(std::string_view group, std::string_view plural) const {
  return registry_->storage(group, plural);
}

void World::startEngine() {
  auto e = std::make_unique<Engine>();
  auto cache = cache::Cache::open(disk_.open(), registry_, sim_);
  PH_CHECK_MSG(cache.ok(), cache.ok() ? "" : cache.status().message);
  auto core = server::makeCore(registry_, sim_, std::move(*cache));
  PH_CHECK_MSG(core.ok(), core.ok() ? "" : core.status().message);
  e->core = *core;
  server::createDefaults(e->core, 6443, [](Result<>) {});
  e->client = server::makeLocalClient(e->core, sim_, nullptr);
  auto controllers = controllers::startControllers(*e->client, sim_, {});
  PH_CHECK(controllers.ok());
  e->controllers = std::move(*controllers);
  e->scheduler = scheduler::Scheduler::make(*e->client, sim_);
  e->scheduler->start();
  engine_ = std::move(e);
  network_.engineChanged();
}

void World::crashEngine() {
  disk_.crash();
  engine_->stop();  // only so that its timers end: it reaches neither the disk nor anyone else any more
  past_.push_back(std::move(engine_));
  network_.engineChanged();
  ++report_.crashes;
}

void World::powerOn(Machine& m) {
  agents::HollowOptions o;
  o.name = m.name;
  o.number = m.number;
  o.cpuMilli = 4000;
  o.memoryBytes = int64_t(8) << 30;
  o.maxPods = 20;
  o.startDelay = ms(20, 400);
  o.stopDelay = ms(10, 200);
  m.node = agents::makeHollowNode(*m.link, sim_, std::move(o));
}

void World::powerOff(Machine& m) {
  m.node.reset();
  ++report_.nodesLost;
}

// ---- users ----

std::string World::manifest(const std::string& name, const App& app) const {
  std::string amount = fmt::format("\"replicas\":{}", app.replicas);
  if (app.everywhere)
    amount = fmt::format(R"("updateStrategy":{{"rollingUpdate":{{"maxSurge":{},"maxUnavailable":{}}}}})",
                         app.surge ? 2 : 0, app.surge ? 0 : 2);
  return fmt::format(
      R"({{"apiVersion":"apps/v1","kind":"{4}","metadata":{{"name":"{0}"}},"spec":{{{1},)"
      R"("selector":{{"matchLabels":{{"app":"{0}"}}}},"template":{{"metadata":{{"labels":{{"app":"{0}"}}}},)"
      R"("spec":{{"terminationGracePeriodSeconds":2,"containers":[{{"name":"c","image":"app:{2}",)"
      R"("resources":{{"requests":{{"cpu":"{3}m","memory":"16Mi"}}}}}}]}}}}}}}})",
      name, amount, app.image, app.cpu, kindOf(app)->kind);
}

void World::asUser(client::Write write, std::function<void(Result<client::ObjectPtr>)> done) {
  user_->write(std::move(write), [this, done = std::move(done)](Result<client::ObjectPtr> r) {
    if (r.ok()) ++report_.acknowledged;
    done(std::move(r));
  });
}

// Until it holds: makes the Deployment or DaemonSet, or brings it to what it should be by now.
void World::applyApp(const std::string& name) {
  App& app = apps_[name];
  client::Write w;
  w.info = kindOf(app);
  w.ns = "default";
  w.name = name;
  w.body = manifest(name, app);
  w.verb = client::Verb::Patch;
  auto retry = [this, name] {
    sim_->after(ms(100, 1500), [this, name] { apps_[name].wanted ? applyApp(name) : deleteApp(name); })
        .detach();
  };
  asUser(w, [this, w, name, retry](Result<client::ObjectPtr> r) mutable {
    if (r.ok() && !(*r)->meta().deleting) return;
    if (r.ok() || !r.status().isNotFound()) return retry();
    w.verb = client::Verb::Create;
    asUser(std::move(w), [this, name, retry](Result<client::ObjectPtr> made) {
      // Meanwhile unwanted: the deletion may have come before it, and found nothing.
      if (!made.ok() || !apps_[name].wanted) retry();
    });
  });
}

void World::deleteApp(const std::string& name) {
  client::Write w;
  w.verb = client::Verb::Delete;
  w.info = kindOf(apps_[name]);
  w.ns = "default";
  w.name = name;
  w.propagation = below(2) ? client::Propagation::Background : client::Propagation::Foreground;
  asUser(std::move(w), [this, name](Result<client::ObjectPtr> r) {
    if (r.ok() || r.status().isNotFound()) return;
    sim_->after(ms(100, 1500), [this, name] { apps_[name].wanted ? applyApp(name) : deleteApp(name); })
        .detach();
  });
}

void World::userMakesApps() {
  int left = options_.pods;
  for (int i = 1; left > 0; ++i) {
    App app;
    app.replicas = std::min(left, 4 + int(below(20)));
    app.cpu = 50 + int(below(5)) * 50;
    left -= app.replicas;
    std::string name = "app" + std::to_string(i);
    apps_[name] = app;
    applyApp(name);
  }
  rebalances_ = below(8) == 0;
  if (rebalances_) askToRebalance();
  App agent;
  agent.replicas = int(machines_.size());
  agent.cpu = 10;
  agent.everywhere = true;
  agent.surge = below(2);
  apps_["agent"] = agent;
  applyApp("agent");
}

void World::askToRebalance() {
  client::Write w;
  w.verb = client::Verb::Patch;
  w.info = kind("", "namespaces");
  w.name = "default";
  w.body = R"({"metadata":{"labels":{"pilothouse.io/rebalance":"enabled"}}})";
  asUser(std::move(w), [this](Result<client::ObjectPtr> r) {
    if (!r.ok()) sim_->after(ms(100, 1500), [this] { askToRebalance(); }).detach();
  });
}

// A ConfigMap whose value must be what was acknowledged last, or what was asked for since.
void World::userWrites() {
  std::string name = "c" + std::to_string(below(12));
  Promise& p = promises_[name];
  if (p.busy) return;
  p.busy = true;
  std::string value = std::to_string(++writes_);
  p.asked.insert(value);
  client::Write w;
  w.info = kind("", "configmaps");
  w.ns = "default";
  w.name = name;
  w.verb = p.acknowledged.empty() ? client::Verb::Create : client::Verb::Patch;
  w.body = fmt::format(
      R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{}"}},"data":{{"v":"{}"}}}})", name,
      value);
  asUser(std::move(w), [this, name, value](Result<client::ObjectPtr> r) {
    Promise& p = promises_[name];
    p.busy = false;
    if (!r.ok() && r.status().isAlreadyExists() && p.acknowledged.empty())
      p.acknowledged = "?";  // an unanswered create held
    if (!r.ok()) return;
    p.acknowledged = value;
    p.asked.clear();
  });
}

std::string World::lostPromise() {
  for (auto& [name, p] : promises_) {
    auto o = engine_->core->cache->get(*kind("", "configmaps"), "default/" + name);
    if (p.acknowledged.empty()) continue;
    if (!o) return fmt::format("configmap {} was acknowledged ({}) and is gone", name, p.acknowledged);
    auto tree = o->tree();
    auto* v = api::at(tree, "data.v");
    std::string value = v ? std::string(v->as_string()) : "";
    if (p.acknowledged == "?") continue;
    if (value != p.acknowledged && !p.asked.contains(value))
      return fmt::format("configmap {} holds {}, but {} was acknowledged", name, value, p.acknowledged);
  }
  return {};
}

// ---- what goes wrong ----

void World::trouble() {
  if (!troubled_) return;
  sim_->after(ms(100, 2500), [this] { trouble(); }).detach();
  Machine& m = machines_[below(machines_.size())];
  auto app = std::next(apps_.begin(), ptrdiff_t(below(apps_.size())));
  switch (below(14)) {
    case 0:
    case 1:  // a machine loses power, and comes back
      if (!m.node) break;
      powerOff(m);
      sim_->after(ms(1000, 25000),
                  [this, &m] {
                    if (troubled_ && !m.node) powerOn(m);
                  })
          .detach();
      break;
    case 2:
    case 3:  // a machine can't be reached for a while
      if (m.link->isCut()) break;
      m.link->cut(true);
      ++report_.cuts;
      sim_->after(ms(500, 25000), [&m] { m.link->cut(false); }).detach();
      break;
    case 4:
    case 5:  // the engine dies
      if (!engine_) break;
      crashEngine();
      sim_->after(ms(10, 3000),
                  [this] {
                    if (!engine_) startEngine();
                  })
          .detach();
      break;
    case 6:
    case 7:  // a user scales
      if (!app->second.everywhere) app->second.replicas = int(below(24));
      if (app->second.wanted) applyApp(app->first);
      break;
    case 8:  // a user rolls out
      app->second.image = 1 + app->second.image % 3;
      if (app->second.wanted) applyApp(app->first);
      break;
    case 9:  // a user deletes an application, or brings it back
      app->second.wanted = !app->second.wanted;
      app->second.wanted ? applyApp(app->first) : deleteApp(app->first);
      break;
    case 10: {  // a container dies
      if (!m.node || m.node->runtime().containers().empty()) break;
      auto& all = m.node->runtime().containers();
      m.node->runtime().exitContainer(std::next(all.begin(), ptrdiff_t(below(all.size())))->first, 1);
      break;
    }
    case 11:  // the engine's machine slept, or its clock was set
      if (below(3) == 0) sim_->jumpWall(std::chrono::seconds(below(7200)));
      break;
    default:
      userWrites();
  }
}

void World::heal() {
  troubled_ = false;
  network_.loss = 0;
  network_.maxDelay = std::min<Duration>(network_.maxDelay, 20ms);
  if (!engine_) startEngine();
  for (auto& m : machines_) {
    m.link->cut(false);
    if (!m.node) powerOn(m);
  }
}

bool World::saysSo(const api::Object& object, const App& app) {
  auto right = [&](auto& status, int available, int updated) {
    return available == app.replicas && updated == app.replicas &&
           status.observedGeneration == object.meta().generation;
  };
  if (app.everywhere) {
    auto& s = object.as<api::apps::DaemonSet>().status;
    return s.desiredNumberScheduled == app.replicas && right(s, s.numberAvailable, s.updatedNumberScheduled);
  }
  auto& s = object.as<api::apps::Deployment>().status;
  return right(s, s.availableReplicas, s.updatedReplicas);
}

// In the end the wanted is running, and nothing else is.
std::string World::unsettled() {
  auto& cache = *engine_->core->cache;
  std::map<std::string, int> running, seen;
  std::map<std::string, std::set<std::string>> nodesOf;
  size_t containers = 0;
  for (auto& [key, o] : cache.snapshot(*kind("", "pods")).objects) {
    auto& pod = o->as<Pod>();
    if (o->meta().deleting) return "pod " + key + " is still going: " + o->json();
    if (pod.status.phase == "Failed" || pod.status.phase == "Succeeded") return "pod " + key + " has ended";
    ++seen[std::string(o->meta().label("app"))];
    nodesOf[std::string(o->meta().label("app"))].insert(pod.spec.nodeName);
    for (auto& c : pod.status.conditions)
      if (c.type == "Ready" && c.status == "True") {
        ++running[pod.spec.containers[0].image + "@" + std::string(o->meta().label("app"))];
        containers += pod.spec.containers.size();
      }
  }
  for (auto& [name, app] : apps_) {
    auto o = cache.get(*kindOf(app), "default/" + name);
    if (!app.wanted) {
      if (o) return name + " is still there";
      if (seen[name]) return fmt::format("{} pods of the deleted {}", seen[name], name);
      continue;
    }
    if (!o) return name + " is not there";
    int ready = running[fmt::format("app:{}@{}", app.image, name)];
    if (ready != app.replicas || seen[name] != app.replicas)
      return fmt::format("{}: {} of {} wanted pods are ready, {} there are", name, ready, app.replicas,
                         seen[name]);
    if (app.everywhere && nodesOf[name].size() != machines_.size())
      return fmt::format("{} is on {} of {} nodes", name, nodesOf[name].size(), machines_.size());
    if (!saysSo(*o, app)) return name + ": its status does not say so";
  }
  size_t real = 0;
  for (auto& m : machines_) real += m.node->runningContainers();
  if (real != containers) return fmt::format("{} containers run, {} are wanted", real, containers);
  for (auto& [name, o] : cache.snapshot(*kind("", "nodes")).objects)
    if (!o->as<api::core::Node>().spec.taints.empty()) return "node " + name + " is tainted";
  return {};
}

// Moves of pods come to an end, and leave all as it was wanted.
std::string World::restless() {
  sim_->runFor(8min);
  int made = watcher_.podsMade();
  sim_->runFor(2min);
  if (watcher_.podsMade() != made) return "pods are still moved about, ten minutes after all was well";
  return unsettled();
}

Report World::run() {
  sim_->runFor(2s);
  userMakesApps();
  sim_->runFor(3s);
  troubled_ = true;
  trouble();
  MonoTime end = sim_->monoNow() + options_.trouble;
  while (sim_->monoNow() < end && watcher_.broken().empty()) sim_->runFor(100ms);
  heal();
  MonoTime healed = sim_->monoNow();
  std::string why = "x";
  while (!why.empty() && watcher_.broken().empty() && sim_->monoNow() - healed < options_.healing) {
    sim_->runFor(500ms);
    why = unsettled();
  }
  report_.settled = sim_->monoNow() - healed;
  report_.broken = watcher_.broken();
  if (report_.broken.empty() && !why.empty())
    report_.broken = fmt::format("not as wanted after {} s: {}", options_.healing / 1s, why);
  if (report_.broken.empty() && rebalances_) report_.broken = restless();
  if (report_.broken.empty()) report_.broken = lostPromise();
  report_.trace = watcher_.trace();
  report_.podsMade = watcher_.podsMade();
  report_.bindings = watcher_.bindings();
  report_.revisions = disk_.revision();
  return report_;
}

}  // namespace ph::sim
