#include "engine/server/metrics.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace ph::server {
namespace {

constexpr std::string_view kNames[] = {"get",   "list",   "watch",            "create",  "update",
                                       "patch", "delete", "deletecollection", "connect", "other"};
constexpr double kBounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5};

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

}  // namespace

size_t Metrics::indexOf(std::string_view verb) {
  for (size_t i = 0; i + 1 < kVerbs; ++i)
    if (kNames[i] == verb) return i;
  return kVerbs - 1;
}

void Metrics::request(std::string_view verb, int code, Duration took) {
  auto& v = verbs_[indexOf(verb)];
  v.byClass[size_t(code / 100) % 6].fetch_add(1, std::memory_order_relaxed);
  double seconds = std::chrono::duration<double>(took).count();
  size_t bucket = 0;
  while (bucket < kBuckets && seconds > kBounds[bucket]) ++bucket;
  v.buckets[bucket].fetch_add(1, std::memory_order_relaxed);
  v.micros.fetch_add(uint64_t(seconds * 1e6), std::memory_order_relaxed);
}

std::string Metrics::text(const Core& core, int connections) const {
  std::string out =
      "# HELP apiserver_request_total Requests answered, by verb and class of code.\n"
      "# TYPE apiserver_request_total counter\n";
  for (size_t i = 0; i < kVerbs; ++i)
    for (size_t c = 1; c < 6; ++c)
      if (auto n = verbs_[i].byClass[c].load())
        out += fmt::format("apiserver_request_total{{verb=\"{}\",code=\"{}xx\"}} {}\n", kNames[i], c, n);
  out +=
      "# HELP apiserver_request_duration_seconds Time from a request's arrival to its answer (watches left out).\n"
      "# TYPE apiserver_request_duration_seconds histogram\n";
  for (size_t i = 0; i < kVerbs; ++i) {
    uint64_t sum = 0;
    for (auto& b : verbs_[i].buckets) sum += b.load();
    if (!sum) continue;
    uint64_t below = 0;
    for (size_t b = 0; b < kBuckets; ++b) {
      below += verbs_[i].buckets[b].load();
      out += fmt::format("apiserver_request_duration_seconds_bucket{{verb=\"{}\",le=\"{}\"}} {}\n", kNames[i], kBounds[b],
                         below);
    }
    out += fmt::format("apiserver_request_duration_seconds_bucket{{verb=\"{}\",le=\"+Inf\"}} {}\n", kNames[i], sum);
    out += fmt::format("apiserver_request_duration_seconds_sum{{verb=\"{}\"}} {}\n", kNames[i],
                       double(verbs_[i].micros.load()) / 1e6);
    out += fmt::format("apiserver_request_duration_seconds_count{{verb=\"{}\"}} {}\n", kNames[i], sum);
  }
  out += "# TYPE apiserver_longrunning_requests gauge\n";
  out += fmt::format("apiserver_longrunning_requests{{verb=\"watch\"}} {}\n", watchers_.load());
  out += "# TYPE apiserver_storage_objects gauge\n";
  for (auto* info : core.registry->all())
    if (core.registry->storage(info->group, info->plural) == info)
      out += fmt::format("apiserver_storage_objects{{resource=\"{}\"}} {}\n", info->groupResource(),
                         core.cache->snapshot(*info).objects.size());
  out += "# TYPE pilothouse_store_revision gauge\n";
  out += fmt::format("pilothouse_store_revision {}\n", core.cache->revision());
  out += "# TYPE pilothouse_connections gauge\n";
  out += fmt::format("pilothouse_connections {}\n", connections);
  out += "# TYPE process_resident_memory_bytes gauge\n";
  out += fmt::format("process_resident_memory_bytes {}\n", residentBytes());
  out += "# TYPE process_cpu_seconds_total counter\n";
  out += fmt::format("process_cpu_seconds_total {:.3f}\n", cpuSeconds());
  return out;
}

}  // namespace ph::server
