#include "agents/proxy/service_table.h"

#include <chrono>
#include <sstream>

#include "agents/os/files.h"
#include "engine/base/log.h"

namespace ph::agents::proxy {

ServiceTable::ServiceTable(client::Client& client, std::shared_ptr<Executor> strand, std::string file)
    : client_(client), strand_(std::move(strand)), file_(std::move(file)) {}

ServiceTable::~ServiceTable() { stop(); }

void ServiceTable::listen(Listener services, Listener endpoints, std::function<void()> onKnown) {
  listeners_.push_back({std::move(services), std::move(endpoints), std::move(onKnown)});
}

void ServiceTable::start() {
  load();
  serviceReflector_ = follow(true);
  endpointsReflector_ = follow(false);
}

void ServiceTable::stop() {
  if (serviceReflector_) serviceReflector_->stop();
  if (endpointsReflector_) endpointsReflector_->stop();
  saveTimer_.cancel();
}

std::shared_ptr<client::Reflector> ServiceTable::follow(bool services) {
  client::Reflector::Options options;
  options.maxBackoff = std::chrono::seconds(5);
  client::Reflector::Handlers handlers;
  std::weak_ptr<ServiceTable> weak = weak_from_this();
  handlers.onChanges = [weak, services](const std::vector<client::Change>& changes) {
    auto self = weak.lock();
    if (!self) return;
    self->apply(services, changes);
    self->saveSoon();
  };
  handlers.onSynced = [weak] {
    if (auto self = weak.lock()) self->synced();
  };
  return client::Reflector::start(client_, *client_.registry().find("", "v1", services ? "services" : "endpoints"), strand_,
                                  std::move(options), std::move(handlers));
}

void ServiceTable::apply(bool services, const std::vector<client::Change>& changes) {
  auto& map = services ? services_ : endpoints_;
  for (auto& change : changes) {
    if (change.now) map[change.now->key()] = change.now;
    else map.erase(change.old->key());
  }
  for (auto& l : listeners_) (services ? l.services : l.endpoints)(changes);
}

// What only the disk remembered is gone.
void ServiceTable::prune(bool services, client::Reflector& reflector) {
  std::vector<client::Change> gone;
  for (auto& [key, object] : services ? services_ : endpoints_)
    if (!reflector.get(key)) gone.push_back({object, nullptr});
  if (!gone.empty()) apply(services, gone);
}

void ServiceTable::synced() {
  if (synced_ || !serviceReflector_ || !endpointsReflector_ || !serviceReflector_->synced() || !endpointsReflector_->synced()) return;
  prune(true, *serviceReflector_);
  prune(false, *endpointsReflector_);
  bool first = !known();
  synced_ = true;
  if (first)
    for (auto& l : listeners_) l.onKnown();
  saveSoon();
}

void ServiceTable::load() {
  if (file_.empty()) return;
  std::istringstream lines(readFile(file_, 64 << 20));
  std::string line;
  std::vector<client::Change> services, endpoints;
  while (std::getline(lines, line)) {
    if (line.size() < 3) continue;
    bool service = line[0] == 'S';
    auto object = api::Object::parse(client_.registry().find("", "v1", service ? "services" : "endpoints"), std::string_view(line).substr(2));
    if (object.ok()) (service ? services : endpoints).push_back({nullptr, *object});
  }
  if (services.empty() && endpoints.empty()) return;
  apply(true, services);
  apply(false, endpoints);
  loaded_ = true;
  for (auto& l : listeners_) l.onKnown();
}

void ServiceTable::saveSoon() {
  if (file_.empty() || saveTimer_.armed()) return;
  std::weak_ptr<ServiceTable> weak = weak_from_this();
  saveTimer_ = strand_->after(std::chrono::seconds(5), [weak] {
    if (auto self = weak.lock()) {
      self->saveTimer_.cancel();
      self->save();
    }
  });
}

void ServiceTable::save() {
  if (!synced_) return;
  std::string text;
  for (auto& [key, object] : services_) text += "S " + object->json() + "\n";
  for (auto& [key, object] : endpoints_) text += "E " + object->json() + "\n";
  if (auto written = writeFile(file_, text, 0600); !written.ok()) PH_LOG(Warn, "proxy", "{}", written.status().message);
}

}  // namespace ph::agents::proxy
