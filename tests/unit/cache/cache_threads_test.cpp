// The cache with real threads and a real store: run it under the thread sanitizer.
#include <QTemporaryDir>
#include <atomic>
#include <future>
#include <map>
#include <thread>

#include "tests/unit/cache/cache_fixture.h"

using namespace ph;
using namespace ph::cache;
using namespace ph::cache::testing;
using namespace std::chrono_literals;

class CacheThreadsTest : public QObject {
  Q_OBJECT

  std::unique_ptr<QTemporaryDir> dir_;
  std::shared_ptr<Executor> executor_;
  std::shared_ptr<api::Registry> registry_ = api::Registry::builtin();
  std::unique_ptr<Cache> cache_;
  const ResourceInfo* maps_ = registry_->storage("", "configmaps");

  void openCache() {
    cache_.reset();
    auto store = store::openSqlite(dir_->path().toStdString());
    PH_CHECK(store.ok());
    auto cache = Cache::open(std::move(*store), registry_, executor_);
    PH_CHECK(cache.ok());
    cache_ = std::move(*cache);
  }

 private slots:
  void init() {
    dir_ = std::make_unique<QTemporaryDir>();
    executor_ = makeThreadExecutor(3, "test");
    openCache();
  }
  void cleanup() {
    cache_.reset();
    executor_.reset();
    dir_.reset();
  }

  // Every watcher, wherever it began, rebuilds the same state as the cache has.
  void watchersAgreeWithTheCache() {
    constexpr int kWriters = 4, kWrites = 400, kWatchers = 8;
    std::atomic<int> done{0};
    std::vector<std::thread> writers;
    for (int t = 0; t < kWriters; ++t)
      writers.emplace_back([&, t] {
        for (int i = 0; i < kWrites; ++i) {
          std::string key = (i % 2 ? "a/k" : "b/k") + std::to_string((i * 7 + t) % 40);
          auto after = [&](Result<ObjectPtr> r) { done += r.ok() || r.status().isNotFound(); };
          if (i % 5 == 4)
            cache_->mutate(removing(maps_, key, after));
          else
            cache_->mutate(putting(maps_, key, std::to_string(t) + "-" + std::to_string(i), after));
        }
      });
    std::vector<std::unique_ptr<Seen>> seen;
    std::vector<std::map<std::string, std::string>> states;
    for (int w = 0; w < kWatchers; ++w) {
      auto snapshot = cache_->snapshot(*maps_);
      std::map<std::string, std::string> state;
      bool one = w % 2 == 1;
      for (auto& [key, object] : snapshot.objects)
        if (!one || key.starts_with("a/")) state[key] = valueOf(object);
      states.push_back(std::move(state));
      seen.push_back(std::make_unique<Seen>());
      QVERIFY(seen.back()
                  ->begin(*cache_, {.info = maps_, .ns = one ? "a" : "", .after = snapshot.revision})
                  .ok());
      QTRY_VERIFY_WITH_TIMEOUT(done.load() > w * 150, 30000);
    }
    for (auto& t : writers) t.join();
    QTRY_COMPARE_WITH_TIMEOUT(done.load(), kWriters * kWrites, 60000);
    auto final = cache_->snapshot(*maps_);
    for (int w = 0; w < kWatchers; ++w) {
      QTRY_VERIFY_WITH_TIMEOUT(seen[size_t(w)]->handle->progress() >= final.revision, 30000);
      std::lock_guard lock(seen[size_t(w)]->mutex);
      auto& state = states[size_t(w)];
      int64_t last = 0;
      for (auto& e : seen[size_t(w)]->events) {
        QVERIFY(e->revision > last);
        last = e->revision;
        QCOMPARE(e->old ? valueOf(e->old) : std::string("absent"),
                 state.count(e->object->key()) ? state[e->object->key()] : std::string("absent"));
        if (e->type == EventType::Deleted)
          state.erase(e->object->key());
        else
          state[e->object->key()] = valueOf(e->object);
      }
      std::map<std::string, std::string> expected;
      for (auto& [key, object] : final.objects)
        if (w % 2 == 0 || key.starts_with("a/")) expected[key] = valueOf(object);
      QVERIFY(state == expected);
    }
  }

  // A counter raised from many threads: no write is lost, none happens twice, and it is all there after a
  // restart.
  void countersAreExact() {
    constexpr int kThreads = 6, kRounds = 150;
    std::atomic<int> done{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < kRounds; ++i) {
          std::string key = "ns/counter" + std::to_string(i % 3);
          cache_->mutate(
              {maps_, key,
               [this, key](const ObjectPtr& now) -> Result<Decision> {
                 int n = now ? std::stoi(valueOf(now)) : 0;
                 return Decision{Decision::Kind::Put, configMap(maps_, key, std::to_string(n + 1))};
               },
               [&](Result<ObjectPtr> r) { done += r.ok(); }});
        }
      });
    for (auto& t : threads) t.join();
    QTRY_COMPARE_WITH_TIMEOUT(done.load(), kThreads * kRounds, 60000);
    openCache();
    for (int c = 0; c < 3; ++c)
      QCOMPARE(valueOf(cache_->get(*maps_, "ns/counter" + std::to_string(c))),
               std::to_string(kThreads * kRounds / 3));
  }

  // Watches come and go while events flow.
  void watchesComeAndGo() {
    std::atomic<bool> stop{false};
    std::atomic<int> done{0}, sent{0};
    std::thread writer([&] {
      for (int i = 0; !stop; ++i) {
        ++sent;
        cache_->mutate(
            putting(maps_, "ns/k" + std::to_string(i % 50), std::to_string(i), [&](auto) { ++done; }));
        while (sent - done > 200) std::this_thread::yield();
      }
    });
    std::vector<std::thread> watchers;
    std::atomic<int> rounds{0};
    for (int t = 0; t < 3; ++t)
      watchers.emplace_back([&] {
        for (int i = 0; i < 60; ++i) {
          // The callback may still run while the handle goes: it owns what it uses.
          auto count = std::make_shared<std::atomic<int>>(0);
          WatchRequest request{.info = maps_, .after = cache_->revision()};
          request.onEvents = [count](std::vector<EventPtr> events) { *count += int(events.size()); };
          auto handle = cache_->watch(std::move(request));
          PH_CHECK(handle.ok());
          while (*count == 0) std::this_thread::yield();
          ++rounds;
        }
      });
    for (auto& w : watchers) w.join();
    stop = true;
    writer.join();
    QTRY_COMPARE_WITH_TIMEOUT(done.load(), sent.load(), 30000);
    QCOMPARE(rounds.load(), 180);
  }

  void closingUnderLoad() {
    std::atomic<int> answered{0};
    for (int i = 0; i < 2000; ++i)
      cache_->mutate(putting(maps_, "ns/k" + std::to_string(i % 500), "1", [&](auto) { ++answered; }));
    cache_.reset();
    QTRY_COMPARE_WITH_TIMEOUT(answered.load(), 2000, 30000);
  }
};

QTEST_GUILESS_MAIN(CacheThreadsTest)
#include "cache_threads_test.moc"
