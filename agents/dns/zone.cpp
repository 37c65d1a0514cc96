#include "agents/dns/zone.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/api/types/core.h"

namespace ph::agents::dns {

namespace core = api::core;
namespace {

constexpr uint32_t kTtl = 5;  // seconds: endpoints move

std::string lower(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return s;
}

bool endsWithDomain(std::string_view name, std::string_view domain) {
  return name == domain || (name.size() > domain.size() && name.ends_with(domain) &&
                            name[name.size() - domain.size() - 1] == '.');
}

std::string reverseName(const std::string& ipv4) {
  std::string bytes = addressData(ipv4);
  if (bytes.size() != 4) return {};
  return fmt::format("{}.{}.{}.{}.in-addr.arpa", uint8_t(bytes[3]), uint8_t(bytes[2]), uint8_t(bytes[1]),
                     uint8_t(bytes[0]));
}

// "10-244-1-3" -> "10.244.1.3"; empty when it is none.
std::string dashedAddress(std::string_view label) {
  std::string ip(label);
  std::replace(ip.begin(), ip.end(), '-', '.');
  return addressData(ip).empty() ? std::string() : ip;
}

std::string dashed(std::string ip) {
  std::replace(ip.begin(), ip.end(), '.', '-');
  return ip;
}

std::string srvName(const std::string& port, const std::string& protocol, const std::string& base) {
  return fmt::format("_{}._{}.{}", lower(port), lower(protocol.empty() ? "TCP" : protocol), base);
}

}  // namespace

void Zone::setService(const std::string& key, const api::ObjectPtr& service) {
  Owned& owned = services_[key];
  owned.service = service;
  rebuild(owned);
  if (!owned.service && !owned.endpoints) services_.erase(key);
}

void Zone::setEndpoints(const std::string& key, const api::ObjectPtr& endpoints) {
  Owned& owned = services_[key];
  owned.endpoints = endpoints;
  if (owned.service && owned.service->as<core::Service>().spec.clusterIP == "None") rebuild(owned);
  if (!owned.service && !owned.endpoints) services_.erase(key);
}

void Zone::add(Owned& owned, const std::string& name, uint16_t type, std::string data) {
  auto& records = records_[name];
  for (auto& r : records)
    if (r.type == type && r.data == data) return;
  records.push_back({name, type, kTtl, std::move(data)});
  if (std::find(owned.names.begin(), owned.names.end(), name) == owned.names.end()) owned.names.push_back(name);
}

void Zone::rebuild(Owned& owned) {
  for (auto& name : owned.names) records_.erase(name);
  owned.names.clear();
  if (!owned.service) return;
  auto& spec = owned.service->as<core::Service>().spec;
  std::string base = fmt::format("{}.{}.svc.{}", owned.service->name(), owned.service->ns(), domain_);
  if (spec.type == "ExternalName") {
    add(owned, base, kCname, nameData(lower(spec.externalName)));
  } else if (spec.clusterIP == "None") {
    addHeadless(owned, base);
  } else if (!spec.clusterIP.empty()) {
    add(owned, base, kA, addressData(spec.clusterIP));
    for (auto& port : spec.ports)
      if (!port.name.empty()) add(owned, srvName(port.name, port.protocol, base), kSrv, srvData(uint16_t(port.port), base));
    add(owned, reverseName(spec.clusterIP), kPtr, nameData(base));
  }
}

// Each address under the service's name, and under a name of its own: the pod's hostname, or its address with dashes.
void Zone::addHeadless(Owned& owned, const std::string& base) {
  records_[base];  // the name exists even while nothing is ready
  owned.names.push_back(base);
  if (!owned.endpoints) return;
  bool unready = owned.service->as<core::Service>().spec.publishNotReadyAddresses;
  for (auto& subset : owned.endpoints->as<core::Endpoints>().subsets) {
    auto addresses = subset.addresses;
    if (unready) addresses.insert(addresses.end(), subset.notReadyAddresses.begin(), subset.notReadyAddresses.end());
    for (auto& address : addresses) {
      std::string data = addressData(address.ip);
      if (data.empty()) continue;
      std::string host = (address.hostname.empty() ? dashed(address.ip) : lower(address.hostname)) + "." + base;
      add(owned, base, kA, data);
      add(owned, host, kA, data);
      for (auto& port : subset.ports)
        if (!port.name.empty()) add(owned, srvName(port.name, port.protocol, base), kSrv, srvData(uint16_t(port.port), host));
    }
  }
}

bool Zone::answers(const Query& q) const {
  return endsWithDomain(q.name, domain_) || (q.name.ends_with(".in-addr.arpa") && records_.contains(q.name));
}

Answer Zone::negative(Rcode rcode) const {
  Answer a;
  a.rcode = rcode;
  a.authority.push_back({domain_, kSoa, kTtl, soaData(domain_)});
  return a;
}

Answer Zone::answer(const Query& q) const {
  if (q.klass != 1) return negative(kRefused);
  auto it = records_.find(q.name);
  if (it == records_.end()) {
    // A-B-C-D.NS.pod.DOMAIN is the address that it spells.
    std::string_view rest(q.name);
    size_t dot = rest.find('.');
    if (dot != rest.npos && rest.ends_with(".pod." + domain_)) {
      std::string ip = dashedAddress(rest.substr(0, dot));
      if (!ip.empty() && (q.type == kA || q.type == kAny)) return {.answers = {{q.name, kA, kTtl, addressData(ip)}}};
      if (!ip.empty()) return negative(kNoError);
    }
    bool ofUs = q.name == domain_ || q.name == "svc." + domain_ || q.name == "pod." + domain_;
    return negative(ofUs ? kNoError : kNxDomain);
  }
  Answer a;
  for (auto& r : it->second) {
    if (r.type == q.type || r.type == kCname || q.type == kAny) a.answers.push_back(r);
  }
  if (a.answers.empty()) return negative(kNoError);  // the name exists, but not with this type
  if (q.type == kSrv) {
    for (auto& r : a.answers) {
      // The target's addresses save the asker a question. Its name stands behind priority, weight and port.
      for (auto& [name, records] : records_)
        if (nameData(name) == std::string_view(r.data).substr(6))
          for (auto& target : records)
            if (target.type == kA) a.additional.push_back(target);
    }
  }
  return a;
}

}  // namespace ph::agents::dns
