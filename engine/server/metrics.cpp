#include "engine/server/metrics.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "engine/server/audit/audit_log.h"
#include "engine/server/fairness/limits.h"

namespace ph::server {
namespace {

constexpr std::string_view kNames[] = {"get",   "list",   "watch",            "create",  "update",
                                       "patch", "delete", "deletecollection", "connect", "other"};
constexpr std::string_view kShown[] = {"GET",   "LIST",   "WATCH",            "POST",    "PUT",
                                       "PATCH", "DELETE", "DELETECOLLECTION", "CONNECT", "OTHER"};
constexpr std::string_view kMethods[] = {"get", "", "", "post", "put", "patch", "delete"};  // outside the resources
constexpr double kBounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30};

uint8_t verbIndex(std::string_view verb) {
  for (size_t i = 0; i + 1 < std::size(kNames); ++i)
    if (kNames[i] == verb || (i < std::size(kMethods) && kMethods[i] == verb && !verb.empty())) return uint8_t(i);
  return uint8_t(std::size(kNames) - 1);
}

// A static text for what clients may ask for; the rest is one.
std::string_view known(std::string_view subresource) {
  static constexpr std::string_view names[] = {"",      "status", "scale",       "binding", "eviction", "log",
                                               "exec",  "attach", "portforward", "proxy",   "finalize", "token",
                                               "approval", "ephemeralcontainers"};
  for (auto name : names)
    if (name == subresource) return name;
  return "other";
}

size_t residentBytes() {
  std::ifstream in("/proc/self/statm");
  size_t total = 0, resident = 0;
  in >> total >> resident;
  return resident * size_t(sysconf(_SC_PAGESIZE));
}

double cpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void appendFlights(std::string& out, const Limits& limits) {
  auto flying = [&](std::initializer_list<Traffic> kinds) {
    int64_t n = 0;
    for (auto k : kinds) n += limits.inFlight(k);
    return n;
  };
  head(out, "apiserver_current_inflight_requests", "gauge", "Requests in flight, without watches and streams.");
  out += fmt::format("apiserver_current_inflight_requests{{request_kind=\"mutating\"}} {}\n", flying({Traffic::Change}));
  out += fmt::format("apiserver_current_inflight_requests{{request_kind=\"readOnly\"}} {}\n",
                     flying({Traffic::Get, Traffic::List}));
  head(out, "apiserver_longrunning_requests", "gauge", "Watches and streams that are open.");
  out += fmt::format("apiserver_longrunning_requests{{verb=\"WATCH\"}} {}\n", flying({Traffic::Watch}));
  out += fmt::format("apiserver_longrunning_requests{{verb=\"CONNECT\"}} {}\n", flying({Traffic::Connect}));
  head(out, "apiserver_dropped_requests_total", "counter", "Requests refused with 429, because too many were in flight.");
  constexpr std::pair<std::string_view, Traffic> kinds[] = {{"get", Traffic::Get},
                                                            {"list", Traffic::List},
                                                            {"mutating", Traffic::Change},
                                                            {"watch", Traffic::Watch},
                                                            {"connect", Traffic::Connect}};
  for (auto& [name, kind] : kinds)
    out += fmt::format("apiserver_dropped_requests_total{{request_kind=\"{}\"}} {}\n", name, limits.refused(kind));
}

void appendStore(std::string& out, const Core& core) {
  head(out, "apiserver_storage_objects", "gauge", "Objects stored, by kind.");
  for (auto* info : core.registry->all())
    if (info->stored && core.registry->storage(info->group, info->plural) == info)
      out += fmt::format("apiserver_storage_objects{{resource=\"{}\"}} {}\n", info->groupResource(),
                         core.cache->snapshot(*info).objects.size());
  head(out, "pilothouse_store_revision", "gauge", "The newest revision.");
  out += fmt::format("pilothouse_store_revision {}\n", core.cache->revision());
  head(out, "pilothouse_store_read_only", "gauge", "1 after the store failed and takes no writes any more.");
  out += fmt::format("pilothouse_store_read_only {}\n", core.cache->readOnly() ? 1 : 0);
}

}  // namespace

void Metrics::request(const Request& r, Duration took) {
  uint8_t verb = verbIndex(r.verb);
  static std::atomic<size_t> threads{0};
  thread_local const size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
  {
    auto& shard = shards_[mine % kShards];
    std::lock_guard lock(shard.mutex);
    Key key{r.info, verb, uint16_t(r.code), known(r.subresource)};
    auto found = shard.counts.find(key);
    if (found != shard.counts.end())
      ++found->second;
    else if (shard.counts.size() < kMaxSeries)
      shard.counts.emplace(key, 1);
  }
  if (r.verb == "watch" || r.verb == "connect") return;  // how long these last says nothing
  auto& v = verbs_[verb];
  double seconds = std::chrono::duration<double>(took).count();
  size_t bucket = 0;
  while (bucket < kBuckets && seconds > kBounds[bucket]) ++bucket;
  v.buckets[bucket].fetch_add(1, std::memory_order_relaxed);
  v.micros.fetch_add(uint64_t(seconds * 1e6), std::memory_order_relaxed);
}

void Metrics::appendRequests(std::string& out) const {
  head(out, "apiserver_request_total", "counter", "Requests answered.");
  std::map<std::string, uint64_t> lines;
  for (auto& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    for (auto& [key, n] : shard.counts)
      lines[fmt::format("apiserver_request_total{{verb=\"{}\",group=\"{}\",version=\"{}\",resource=\"{}\",subresource=\"{}\","
                        "code=\"{}\"}}",
                        kShown[key.verb], key.info ? key.info->group : "", key.info ? key.info->version : "",
                        key.info ? key.info->plural : "", key.subresource, key.code)] += n;
  }
  for (auto& [line, n] : lines) out += fmt::format("{} {}\n", line, n);
}

void Metrics::appendDurations(std::string& out) const {
  constexpr std::string_view name = "apiserver_request_duration_seconds";
  head(out, name, "histogram", "Time from a request's arrival to its answer (watches and streams left out).");
  for (size_t i = 0; i < kVerbs; ++i) {
    uint64_t sum = 0;
    for (auto& b : verbs_[i].buckets) sum += b.load(std::memory_order_relaxed);
    if (!sum) continue;
    uint64_t below = 0;
    for (size_t b = 0; b < kBuckets; ++b) {
      below += verbs_[i].buckets[b].load(std::memory_order_relaxed);
      out += fmt::format("{}_bucket{{verb=\"{}\",le=\"{}\"}} {}\n", name, kShown[i], kBounds[b], below);
    }
    out += fmt::format("{}_bucket{{verb=\"{}\",le=\"+Inf\"}} {}\n", name, kShown[i], sum);
    out += fmt::format("{}_sum{{verb=\"{}\"}} {}\n", name, kShown[i], double(verbs_[i].micros.load()) / 1e6);
    out += fmt::format("{}_count{{verb=\"{}\"}} {}\n", name, kShown[i], sum);
  }
}

std::string Metrics::text(const Core& core, const Others& others) const {
  std::string out;
  appendRequests(out);
  appendDurations(out);
  if (others.limits) appendFlights(out, *others.limits);
  head(out, "apiserver_registered_watchers", "gauge", "Watches over HTTP.");
  out += fmt::format("apiserver_registered_watchers {}\n", watchers_.load());
  if (others.audit) {
    head(out, "apiserver_audit_event_total", "counter", "Audit events written.");
    out += fmt::format("apiserver_audit_event_total {}\n", others.audit->recorded());
    head(out, "apiserver_audit_error_total", "counter", "Audit events lost: the disk was too slow, full or gone.");
    out += fmt::format("apiserver_audit_error_total {}\n", others.audit->lost());
  }
  appendStore(out, core);
  head(out, "pilothouse_connections", "gauge", "Open connections of clients.");
  out += fmt::format("pilothouse_connections {}\n", others.connections);
  head(out, "process_resident_memory_bytes", "gauge", "Resident memory.");
  out += fmt::format("process_resident_memory_bytes {}\n", residentBytes());
  head(out, "process_cpu_seconds_total", "counter", "User and system time used.");
  out += fmt::format("process_cpu_seconds_total {:.3f}\n", cpuSeconds());
  return out;
}

}  // namespace ph::server
