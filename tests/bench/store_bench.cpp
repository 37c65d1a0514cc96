// The store and the cache alone, without the wire: durable writes, fan-out to watchers, the start with many
// objects.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "engine/api/registry.h"
#include "engine/base/check.h"
#include "engine/cache/cache.h"
#include "tests/bench/row.h"

using namespace ph;
using namespace ph::cache;
using Clock_ = std::chrono::steady_clock;

namespace {

// On the disk that holds the build, for what counts is its fsync.
struct Dir {
  std::string path = std::filesystem::read_symlink("/proc/self/exe").parent_path() /
                     ("store-bench-" + std::to_string(getpid()));
  ~Dir() { std::filesystem::remove_all(path); }
};

double secondsSince(Clock_::time_point begin) {
  return std::chrono::duration<double>(Clock_::now() - begin).count();
}
double cpuSeconds() {
  return double(std::clock()) / CLOCKS_PER_SEC;
}

struct Bench {
  std::shared_ptr<api::Registry> registry = api::Registry::builtin();
  const ResourceInfo* maps = registry->storage("", "configmaps");
  std::shared_ptr<Executor> executor = makeThreadExecutor(2, "bench");
  std::string filler = std::string(850, 'x');

  ObjectPtr object(const std::string& name) {
    std::string json =
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" + name +
        "\",\"namespace\":\"bench\",\"uid\":\"6f8d2a4e-58a5-4b3f-9d3e-0c8e7f6a5b4c\",\"creationTimestamp\":"
        "\"2026-01-01T00:00:00Z\"},\"data\":{\"filler\":\"" +
        filler + "\"}}";
    return *api::Object::parse(maps, json);
  }
  std::unique_ptr<Cache> open(const Dir& dir) {
    auto store = store::openSqlite(dir.path);
    PH_CHECK_MSG(store.ok(), store.status().message);
    auto cache = Cache::open(std::move(*store), registry, executor);
    PH_CHECK_MSG(cache.ok(), cache.status().message);
    return std::move(*cache);
  }
};

// `callers` writes are always under way: each answer sends the next.
class Writers {
 public:
  Writers(Cache& cache, Bench& bench, int total) : cache_(cache), bench_(bench), total_(total) {
    objects_.reserve(size_t(total));
    for (int i = 0; i < total; ++i) objects_.push_back(bench.object("object-" + std::to_string(i)));
    micros_.resize(size_t(total));
  }
  double run(int callers) {
    auto begin = Clock_::now();
    for (int i = 0; i < callers; ++i) next();
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return done_ == total_; });
    return secondsSince(begin);
  }
  double p99Millis() {
    std::sort(micros_.begin(), micros_.end());
    return micros_[micros_.size() * 99 / 100] / 1000.0;
  }

 private:
  void next() {
    int i = sent_.fetch_add(1);
    if (i >= total_) return;
    auto begin = Clock_::now();
    ObjectPtr object = objects_[size_t(i)];
    std::string key = object->key();
    cache_.mutate({bench_.maps, std::move(key),
                   [object](const ObjectPtr&) -> Result<Decision> {
                     return Decision{Decision::Kind::Put, object};
                   },
                   [this, i, begin](Result<ObjectPtr> result) {
                     PH_CHECK(result.ok());
                     micros_[size_t(i)] = int(secondsSince(begin) * 1e6);
                     bench_.executor->post([this] {
                       next();
                       std::lock_guard lock(mutex_);
                       if (++done_ == total_) wake_.notify_one();
                     });
                   }});
  }

  Cache& cache_;
  Bench& bench_;
  const int total_;
  std::vector<ObjectPtr> objects_;
  std::vector<int> micros_;
  std::atomic<int> sent_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  int done_ = 0;
};

void creates(Bench& bench) {
  Dir dir;
  auto cache = bench.open(dir);
  constexpr int kTotal = 60000;
  Writers writers(*cache, bench, kTotal);
  double cpu = cpuSeconds();
  double seconds = writers.run(64);
  bench::row("store: durable creates, 64 callers, 1 KB", kTotal / seconds, "writes/s", ">= 9000");
  bench::row("store: create p99", writers.p99Millis(), "ms", "<= 25");
  bench::row("store: CPU a create", (cpuSeconds() - cpu) / kTotal * 1e6, "us", "<= 60 (whole engine)");
}

void fanOut(Bench& bench) {
  Dir dir;
  auto cache = bench.open(dir);
  constexpr int kTotal = 20000, kWatchers = 100;
  std::atomic<int64_t> received{0};
  std::vector<std::unique_ptr<WatchHandle>> handles;
  for (int i = 0; i < kWatchers; ++i) {
    WatchRequest request{.info = bench.maps, .after = cache->revision()};
    request.onEvents = [&](std::vector<EventPtr> events) { received += int64_t(events.size()); };
    handles.push_back(std::move(*cache->watch(std::move(request))));
  }
  Writers writers(*cache, bench, kTotal);
  double cpu = cpuSeconds();
  auto begin = Clock_::now();
  writers.run(64);
  while (received < int64_t(kTotal) * kWatchers) std::this_thread::yield();
  double seconds = secondsSince(begin);
  bench::row("cache: fan-out to 100 watchers", kTotal * double(kWatchers) / seconds, "events/s", ">= 150000");
  bench::row("cache: CPU an event and watcher", (cpuSeconds() - cpu) / kTotal / kWatchers * 1e9, "ns", "-");
}

void start(Bench& bench) {
  Dir dir;
  {
    auto cache = bench.open(dir);
    Writers(*cache, bench, 8000).run(256);
  }
  auto begin = Clock_::now();
  auto cache = bench.open(dir);
  bench::row("cache: start with 8,000 objects", secondsSince(begin) * 1000, "ms", "<= 300");
  PH_CHECK(cache->snapshot(*bench.maps).objects.size() == 8000);
}

}  // namespace

int main() {
  Bench bench;
  creates(bench);
  fanOut(bench);
  start(bench);
}
