#include "agents/proxy/service_table.h"

#include <chrono>
#include <sstream>

#include "agents/os/files.h"
#include "engine/base/log.h"

namespace ph::agents::proxy {

ServiceTable::ServiceTable(client::Client& client, std::shared_ptr<Executor> strand, std::string file)
    : client_(client), strand_(std::move(strand)), file_(std::move(file)) {}

ServiceTable::~ServiceTable() { stop(); }

void ServiceTable::start() {
  load();
  serviceReflector_ = follow("services", services_);
  endpointsReflector_ = follow("endpoints", endpoints_);
}

void ServiceTable::stop() {
  if (serviceReflector_) serviceReflector_->stop();
  if (endpointsReflector_) endpointsReflector_->stop();
  saveTimer_.cancel();
}

std::shared_ptr<client::Reflector> ServiceTable::follow(const char* plural, std::map<std::string, api::ObjectPtr>& to) {
  client::Reflector::Options options;
  options.maxBackoff = std::chrono::seconds(5);
  client::Reflector::Handlers handlers;
  std::weak_ptr<ServiceTable> weak = weak_from_this();
  handlers.onChanges = [weak, &to](const std::vector<client::Change>& changes) {
    if (auto self = weak.lock()) self->apply(to, changes);
  };
  handlers.onSynced = [weak] {
    if (auto self = weak.lock()) self->synced();
  };
  return client::Reflector::start(client_, *client_.registry().find("", "v1", plural), strand_, std::move(options), std::move(handlers));
}

void ServiceTable::apply(std::map<std::string, api::ObjectPtr>& to, const std::vector<client::Change>& changes) {
  for (auto& change : changes) {
    auto key = change.any()->key();
    if (change.now) to[key] = change.now;
    else to.erase(key);
    for (auto& listener : listeners_) listener(key);
  }
  saveSoon();
}

void ServiceTable::synced() {
  if (synced_ || !serviceReflector_ || !endpointsReflector_ || !serviceReflector_->synced() || !endpointsReflector_->synced()) return;
  // What only the disk remembered is gone.
  auto prune = [this](std::map<std::string, api::ObjectPtr>& map, client::Reflector& reflector) {
    std::vector<std::string> gone;
    for (auto& [key, object] : map)
      if (!reflector.get(key)) gone.push_back(key);
    for (auto& key : gone) {
      map.erase(key);
      for (auto& listener : listeners_) listener(key);
    }
  };
  prune(services_, *serviceReflector_);
  prune(endpoints_, *endpointsReflector_);
  bool first = !known();
  synced_ = true;
  if (first)
    for (auto& callback : onKnown_) callback();
  saveSoon();
}

void ServiceTable::load() {
  if (file_.empty()) return;
  std::istringstream lines(readFile(file_, 64 << 20));
  std::string line;
  size_t count = 0;
  while (std::getline(lines, line)) {
    if (line.size() < 3) continue;
    bool service = line[0] == 'S';
    auto object = api::Object::parse(client_.registry().find("", "v1", service ? "services" : "endpoints"), std::string_view(line).substr(2));
    if (!object.ok()) continue;
    (service ? services_ : endpoints_)[(*object)->key()] = *object;
    ++count;
    for (auto& listener : listeners_) listener((*object)->key());
  }
  if (!count) return;
  loaded_ = true;
  for (auto& callback : onKnown_) callback();
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
