#include "agents/proxy/service_proxy.h"

#include "engine/base/log.h"

namespace ph::agents::proxy {

std::shared_ptr<ServiceProxy> ServiceProxy::make(std::shared_ptr<Executor> strand, Apply apply, Options options) {
  return std::make_shared<ServiceProxy>(Private{}, std::move(strand), std::move(apply), std::move(options));
}

ServiceProxy::ServiceProxy(Private, std::shared_ptr<Executor> strand, Apply apply, Options options)
    : strand_(std::move(strand)), apply_(std::move(apply)), options_(std::move(options)) {}

void ServiceProxy::onServices(const std::vector<client::Change>& changes) {
  for (auto& c : changes) {
    entries_[c.any()->key()].service = c.now;
    update(c.any()->key());
  }
}

void ServiceProxy::onEndpoints(const std::vector<client::Change>& changes) {
  for (auto& c : changes) {
    entries_[c.any()->key()].endpoints = c.now;
    update(c.any()->key());
  }
}

void ServiceProxy::setNetwork(NodeNetwork network) {
  options_.network = std::move(network);
  soon(options_.gather);
}

void ServiceProxy::setHostPorts(const std::string& pod, std::vector<ServicePort> ports) {
  auto it = hostPorts_.find(pod);
  if (it == hostPorts_.end() ? ports.empty() : it->second == ports) return;
  if (ports.empty()) hostPorts_.erase(it);
  else hostPorts_[pod] = std::move(ports);
  soon(options_.gather);
}

void ServiceProxy::update(const std::string& key) {
  auto it = entries_.find(key);
  Entry& e = it->second;
  auto ports = e.service ? servicePorts(*e.service, e.endpoints.get()) : std::vector<ServicePort>();
  bool changed = ports != e.ports;
  e.ports = std::move(ports);
  if (!e.service && !e.endpoints) entries_.erase(it);
  if (changed) soon(options_.gather);
}

void ServiceProxy::soon(Duration delay) {
  dirty_ = true;
  if (synced_ < 2 || loading_ || timer_.armed()) return;
  timer_ = strand_->after(delay, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->load();
  });
}

void ServiceProxy::load() {
  timer_.detach();
  dirty_ = false;
  std::vector<ServicePort> ports;
  for (auto& [key, e] : entries_) ports.insert(ports.end(), e.ports.begin(), e.ports.end());
  for (auto& [pod, own] : hostPorts_) ports.insert(ports.end(), own.begin(), own.end());
  std::string script = ruleset(ports, options_.network);
  if (script == loaded_) return;
  loading_ = true;
  apply_(script, [weak = weak_from_this(), strand = strand_, script](Result<> r) {
    strand->post([weak, script, r = std::move(r)] {
      auto self = weak.lock();
      if (!self) return;
      self->loading_ = false;
      self->error_ = r.ok() ? std::string() : r.status().message;
      if (r.ok()) self->loaded_ = script;
      else PH_LOG(Warn, "proxy", "service rules: {}", self->error_);
      if (!r.ok()) self->soon(self->options_.retry);
      else if (self->dirty_) self->soon(self->options_.gather);
    });
  });
}

}  // namespace ph::agents::proxy
