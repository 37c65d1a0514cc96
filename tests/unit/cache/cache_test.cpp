// The cache on a virtual clock: every order of things here is one drawn from a seed.
#include "tests/unit/cache/cache_fixture.h"

using namespace ph;
using namespace ph::cache;
using namespace ph::cache::testing;
using namespace std::chrono_literals;

namespace {
std::string_view byValue(const api::Object& object) {
  auto& json = object.stored();
  size_t at = json.find("\"value\":\"") + 9;
  return std::string_view(json).substr(at, json.find('"', at) - at);
}
}  // namespace

class CacheTest : public QObject {
  Q_OBJECT

  std::shared_ptr<SimExecutor> sim_;
  std::shared_ptr<api::Registry> registry_;
  std::shared_ptr<FaultyStore> store_;
  std::unique_ptr<Cache> cache_;
  const ResourceInfo* maps_ = nullptr;

  void openCache() {
    auto opened = Cache::open(store_, registry_, sim_);
    PH_CHECK(opened.ok());
    cache_ = std::move(*opened);
  }
  void settle() { sim_->runFor(10ms); }
  // The revision, or minus the status code; noted when the answer comes.
  std::shared_ptr<int64_t> put(const std::string& key, const std::string& value) {
    auto answer = std::make_shared<int64_t>(0);
    cache_->mutate(putting(maps_, key, value, [answer](Result<ObjectPtr> r) {
      *answer = r.ok() ? (*r)->revision() : -r.status().code;
    }));
    return answer;
  }
  int64_t putNow(const std::string& key, const std::string& value) {
    auto answer = put(key, value);
    settle();
    return *answer;
  }
  int64_t removeNow(const std::string& key) {
    int64_t answer = 0;
    cache_->mutate(removing(
        maps_, key, [&](Result<ObjectPtr> r) { answer = r.ok() ? (*r)->revision() : -r.status().code; }));
    settle();
    return answer;
  }
  std::string contents(const KindSnapshot& snapshot) {
    std::string text;
    for (auto& [key, object] : snapshot.objects)
      text += (text.empty() ? "" : " ") + key + "=" + valueOf(object);
    return text;
  }

 private slots:
  void init() {
    sim_ = SimExecutor::make(7);
    registry_ = api::Registry::builtin();
    maps_ = registry_->storage("", "configmaps");
    QVERIFY(maps_);
    auto post = [this](std::function<void()> task) { sim_->post(std::move(task)); };
    store_ = std::make_shared<FaultyStore>(store::makeMemoryStore(post), post);
    openCache();
  }
  void cleanup() {
    cache_.reset();
    store_.reset();
  }

  void writesAndReads() {
    QCOMPARE(cache_->revision(), 1);
    QVERIFY(!cache_->get(*maps_, "ns/a"));
    QCOMPARE(putNow("ns/a", "1"), 2);
    QCOMPARE(putNow("ns/a", "2"), 3);
    QCOMPARE(putNow("ns/b", "1"), 4);
    QCOMPARE(valueOf(cache_->get(*maps_, "ns/a")), std::string("2"));
    QCOMPARE(cache_->get(*maps_, "ns/a")->revision(), 3);
    QCOMPARE(removeNow("ns/a"), 5);
    QVERIFY(!cache_->get(*maps_, "ns/a"));
    QCOMPARE(removeNow("ns/a"), -404);
    QCOMPARE(cache_->revision(), 5);
    auto snapshot = cache_->snapshot(*maps_);
    QCOMPARE(snapshot.revision, 5);
    QCOMPARE(contents(snapshot), std::string("ns/b=1"));
    // Another kind: empty, at the same revision.
    QCOMPARE(cache_->snapshot(*registry_->storage("", "secrets")).revision, 5);
  }

  void nothingIsSeenBeforeItIsDurable() {
    Seen seen;
    QVERIFY(seen.begin(*cache_, {.info = maps_, .after = 1}).ok());
    store_->hold();
    auto answer = put("ns/a", "1");
    settle();
    QCOMPARE(*answer, 0);
    QVERIFY(!cache_->get(*maps_, "ns/a"));
    QCOMPARE(seen.text, std::string());
    store_->release();
    settle();
    QCOMPARE(*answer, 2);
    QCOMPARE(seen.text, std::string("+ns/a=1@2"));
  }

  void decisions() {
    putNow("ns/a", "1");
    auto decide = [&](std::function<Result<Decision>(const ObjectPtr&)> f) {
      std::string answer = "none";
      cache_->mutate({maps_, "ns/a", std::move(f), [&](Result<ObjectPtr> r) {
                        answer = r.ok() ? valueOf(*r) + "@" + std::to_string((*r)->revision())
                                        : r.status().message;
                      }});
      settle();
      return answer;
    };
    QCOMPARE(decide([](const ObjectPtr&) -> Result<Decision> {
               return Decision{Decision::Kind::NoChange, nullptr};
             }),
             std::string("1@2"));
    QCOMPARE(decide([](const ObjectPtr&) -> Result<Decision> { return Status::conflict("no"); }),
             std::string("no"));
    QCOMPARE(cache_->revision(), 2);
    // A delete may bring the final state.
    Seen seen;
    QVERIFY(seen.begin(*cache_, {.info = maps_, .after = 2}).ok());
    QCOMPARE(decide([&](const ObjectPtr&) -> Result<Decision> {
               return Decision{Decision::Kind::Delete, configMap(maps_, "ns/a", "final")};
             }),
             std::string("final@3"));
    QCOMPARE(seen.text, std::string("-ns/a=final<1@3"));
  }

  // Each write to a key sees what the one before it stored, in the order of arrival.
  void writesToOneKeyQueueUp() {
    std::string order;
    for (int i = 0; i < 50; ++i)
      cache_->mutate(
          {maps_, "ns/a",
           [this, i, &order](const ObjectPtr& now) -> Result<Decision> {
             order += std::to_string(i) + " ";
             std::string before = now ? valueOf(now) : "";
             return Decision{Decision::Kind::Put, configMap(maps_, "ns/a", before + char('A' + i % 26))};
           },
           nullptr});
    settle();
    QCOMPARE(QString::fromStdString(valueOf(cache_->get(*maps_, "ns/a"))),
             QString("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWX"));
    QVERIFY(order.starts_with("0 1 2 3 ") && order.ends_with("48 49 "));
    QCOMPARE(cache_->revision(), 51);
  }

  void theQueueOfAKeyIsBounded() {
    store_->hold();
    std::vector<std::shared_ptr<int64_t>> answers;
    for (int i = 0; i < 1100; ++i) answers.push_back(put("ns/a", "x"));
    QCOMPARE(*answers.back(), -429);
    QCOMPARE(store_->waiting(), size_t(1));
    store_->release();
    sim_->runFor(1s);
    int done = 0, refused = 0;
    for (auto& a : answers) *a > 0 ? ++done : ++refused;
    QCOMPARE(done, 1001);
    QCOMPARE(refused, 99);
  }

  void manyAtOnce() {
    std::vector<Mutation> all;
    int done = 0;
    for (int i = 0; i < 100; ++i)
      all.push_back(putting(maps_, "ns/k" + std::to_string(i % 60), std::to_string(i),
                            [&](Result<ObjectPtr> r) { done += r.ok(); }));
    cache_->mutateAll(std::move(all));
    settle();
    QCOMPARE(done, 100);
    QCOMPARE(cache_->snapshot(*maps_).objects.size(), size_t(60));
    QCOMPARE(valueOf(cache_->get(*maps_, "ns/k39")), std::string("99"));
  }

  void watchFromARevision() {
    putNow("ns/a", "1");
    putNow("ns/a", "2");
    Seen all, late, other;
    QVERIFY(all.begin(*cache_, {.info = maps_, .after = 1}).ok());
    QVERIFY(late.begin(*cache_, {.info = maps_, .after = 3}).ok());
    QVERIFY(other.begin(*cache_, {.info = maps_, .ns = "elsewhere", .after = 1}).ok());
    settle();
    QCOMPARE(all.text, std::string("+ns/a=1@2 ~ns/a=2<1@3"));
    QCOMPARE(all.batches, 1);
    QCOMPARE(late.text, std::string());
    putNow("elsewhere/b", "1");
    removeNow("ns/a");
    QCOMPARE(all.text, std::string("+ns/a=1@2 ~ns/a=2<1@3 +elsewhere/b=1@4 -ns/a=2<2@5"));
    QCOMPARE(late.text, std::string("+elsewhere/b=1@4 -ns/a=2<2@5"));
    QCOMPARE(other.text, std::string("+elsewhere/b=1@4"));
    late.handle.reset();
    putNow("ns/c", "1");
    QCOMPARE(late.events.size(), size_t(2));
    QVERIFY(!late.end);
    QCOMPARE(all.events.back().get(), all.events.back().get());
    Seen future;
    auto refused = future.begin(*cache_, {.info = maps_, .after = 100});
    QVERIFY(refused.status().isGone());
  }

  void watchersShareEvents() {
    Seen a, b;
    QVERIFY(a.begin(*cache_, {.info = maps_, .after = 1}).ok());
    QVERIFY(b.begin(*cache_, {.info = maps_, .ns = "ns", .after = 1}).ok());
    putNow("ns/a", "1");
    QCOMPARE(a.events.at(0).get(), b.events.at(0).get());
  }

  // A watcher by index gets what enters, changes in, and leaves its value, and is not woken for anything
  // else.
  void watchByIndex() {
    Seen one, two;
    QVERIFY(one.begin(*cache_, {.info = maps_, .index = byValue, .indexValue = "one", .after = 1}).ok());
    putNow("ns/a", "one");
    putNow("ns/b", "two");
    putNow("ns/a", "two");
    putNow("ns/b", "two");
    QVERIFY(two.begin(*cache_, {.info = maps_, .index = byValue, .indexValue = "two", .after = 1}).ok());
    removeNow("ns/b");
    QCOMPARE(one.text, std::string("+ns/a=one@2 ~ns/a=two<one@4"));
    QCOMPARE(one.batches, 2);
    QCOMPARE(two.text, std::string("+ns/b=two@3 ~ns/a=two<one@4 ~ns/b=two<two@5 -ns/b=two<two@6"));
    QCOMPARE(one.handle->progress(), 6);
  }

  void aSlowWatcherEnds() {
    Seen slow, quick;
    QVERIFY(slow.begin(*cache_, {.info = maps_, .after = 1, .maxQueued = 20}).ok());
    QVERIFY(quick.begin(*cache_, {.info = maps_, .after = 1}).ok());
    for (int i = 0; i < 100; ++i) {
      put("ns/k" + std::to_string(i), "1");
      // The slow one's task never gets its turn; the store's and the hub's do.
    }
    int taken = 0;
    while (!slow.end && taken < 100000 && sim_->step()) ++taken;
    settle();
    QCOMPARE(quick.events.size(), size_t(100));
    if (slow.end) {
      QVERIFY(slow.end->isGone());
      QVERIFY(slow.events.size() < 100);
    } else {
      QCOMPARE(slow.events.size(), size_t(100));
    }
    // One batch larger than the limit always ends it.
    std::vector<Mutation> all;
    for (int i = 0; i < 100; ++i) all.push_back(putting(maps_, "ns/m" + std::to_string(i), "1"));
    Seen tiny;
    QVERIFY(tiny.begin(*cache_, {.info = maps_, .after = cache_->revision(), .maxQueued = 0}).ok());
    cache_->mutateAll(std::move(all));
    settle();
    QVERIFY(tiny.end && tiny.end->isGone());
    QCOMPARE(tiny.events.size(), size_t(0));
    // Its backlog does not count.
    Seen begins;
    QVERIFY(begins.begin(*cache_, {.info = maps_, .after = 1, .maxQueued = 5}).ok());
    settle();
    QCOMPARE(begins.events.size(), size_t(200));
  }

  void progressFollowsDelivery() {
    Seen seen;
    QVERIFY(seen.begin(*cache_, {.info = maps_, .after = 1}).ok());
    settle();
    QCOMPARE(seen.handle->progress(), 1);
    put("ns/a", "1");
    bool early = false;
    while (sim_->pending() > 1) {  // the housekeeping timer stays
      if (seen.handle->progress() >= 2 && seen.count() == 0) early = true;
      sim_->step();
    }
    QVERIFY(!early);
    QCOMPARE(seen.handle->progress(), 2);
    // Events of other kinds move it too: that is what bookmarks are for.
    cache_->mutate(putting(registry_->storage("", "secrets"), "ns/s", "1"));
    settle();
    QCOMPARE(seen.handle->progress(), 3);
  }

  void pagesComeFromOneSnapshot() {
    for (int i = 0; i < 5; ++i) putNow("ns/k" + std::to_string(i), "1");  // 2..6
    auto first = cache_->snapshot(*maps_);
    putNow("ns/k1", "changed");
    removeNow("ns/k2");
    putNow("ns/k9", "new");
    auto again = cache_->snapshotAt(*maps_, 6);
    QVERIFY(again.ok());
    QCOMPARE(contents(*again), contents(first));
    QCOMPARE(again->revision, 6);
    QCOMPARE(contents(*cache_->snapshotAt(*maps_, 3)), std::string("ns/k0=1 ns/k1=1"));
    QCOMPARE(contents(*cache_->snapshotAt(*maps_, 9)), contents(cache_->snapshot(*maps_)));
    QVERIFY(cache_->snapshotAt(*maps_, 10).status().isGone());
    QVERIFY(cache_->snapshotAt(*maps_, 0).status().isGone());
    // The events go after a minute; a snapshot that is in use stays for five.
    sim_->runFor(2min);
    QCOMPARE(contents(*cache_->snapshotAt(*maps_, 6)), contents(first));
    QVERIFY(cache_->snapshotAt(*maps_, 5).status().isGone());
    sim_->runFor(6min);
    QVERIFY(cache_->snapshotAt(*maps_, 6).status().isGone());
    Seen seen;
    QVERIFY(seen.begin(*cache_, {.info = maps_, .after = 5}).status().isGone());
  }

  void theEventRingIsBounded() {
    for (int i = 0; i < 20100; ++i) put("ns/k" + std::to_string(i % 100), std::to_string(i));
    sim_->runFor(1s);
    Seen old, held;
    QVERIFY(old.begin(*cache_, {.info = maps_, .after = 50}).status().isGone());
    QVERIFY(held.begin(*cache_, {.info = maps_, .after = 200}).ok());
    settle();
    QCOMPARE(held.events.size(), size_t(20101 - 200));
  }

  void restart() {
    putNow("ns/a", "1");
    putNow("ns/b", "1");
    putNow("ns/a", "2");
    removeNow("ns/b");
    openCache();
    QCOMPARE(cache_->revision(), 5);
    QCOMPARE(contents(cache_->snapshot(*maps_)), std::string("ns/a=2"));
    QCOMPARE(cache_->get(*maps_, "ns/a")->revision(), 4);
    QCOMPARE(putNow("ns/a", "3"), 6);
  }

  // After a start watches go on where they were: the events come from the store's history, read once for all
  // of them.
  void watchAcrossARestart() {
    putNow("ns/a", "1");
    putNow("ns/b", "1");
    putNow("ns/a", "2");
    removeNow("ns/b");
    openCache();
    Seen first, second, nothing;
    QVERIFY(first.begin(*cache_, {.info = maps_, .after = 1}).ok());
    QVERIFY(second.begin(*cache_, {.info = maps_, .after = 3}).ok());
    QVERIFY(nothing.begin(*cache_, {.info = registry_->storage("", "secrets"), .after = 3}).ok());
    put("ns/c", "1");  // while the history is read
    settle();
    QCOMPARE(first.text, std::string("+ns/a=1@2 +ns/b=1@3 ~ns/a=2<1@4 -ns/b=1<1@5 +ns/c=1@6"));
    QCOMPARE(second.text, std::string("~ns/a=2<1@4 -ns/b=1<1@5 +ns/c=1@6"));
    QCOMPARE(nothing.text, std::string());
    QVERIFY(!nothing.end);
    int reads = store_->histories;
    Seen third;
    QVERIFY(third.begin(*cache_, {.info = maps_, .after = 2}).ok());
    settle();
    QCOMPARE(third.events.size(), size_t(4));
    QCOMPARE(store_->histories, reads);
  }

  // Watches dropped while they wait for history come back to nobody.
  void watchDroppedDuringTheFill() {
    putNow("ns/a", "1");
    openCache();
    auto seen = std::make_unique<Seen>();
    QVERIFY(seen->begin(*cache_, {.info = maps_, .after = 1}).ok());
    seen.reset();
    settle();
    QCOMPARE(putNow("ns/b", "1"), 3);
  }

  void historyIsCompacted() {
    for (int i = 0; i < 3000; ++i) put("ns/k" + std::to_string(i % 10), std::to_string(i));
    sim_->runFor(4min);
    QCOMPARE(store_->compactedRevision(), 0);
    put("ns/late", "1");
    sim_->runFor(3min);
    QVERIFY2(store_->compactedRevision() >= 3001, qPrintable(QString::number(store_->compactedRevision())));
    openCache();
    Seen seen;
    // Whether the history reaches back so far is found out when it is read.
    auto begun = seen.begin(*cache_, {.info = maps_, .after = 100});
    settle();
    QVERIFY(begun.ok() ? seen.end && seen.end->isGone() : begun.status().isGone());
    QCOMPARE(cache_->snapshot(*maps_).objects.size(), size_t(11));
  }

  // The disk fills up in the middle of many writes: what was acknowledged is there, what was not is not, and
  // everybody is told.
  void theStoreFailsMidBatch() {
    Seen seen;
    QVERIFY(seen.begin(*cache_, {.info = maps_, .after = 1}).ok());
    store_->failAfter(30);
    std::vector<Mutation> all;
    std::map<std::string, int> answers;
    for (int i = 0; i < 50; ++i) {
      std::string key = "ns/k" + std::to_string(i);
      all.push_back(putting(
          maps_, key, "1", [&, key](Result<ObjectPtr> r) { answers[key] = r.ok() ? 200 : r.status().code; }));
    }
    cache_->mutateAll(std::move(all));
    settle();
    QCOMPARE(answers.size(), size_t(50));
    for (auto& [key, code] : answers) {
      QVERIFY(code == 200 || code == 503);
      QCOMPARE(cache_->get(*maps_, key) != nullptr, code == 200);
    }
    QCOMPARE(cache_->snapshot(*maps_).objects.size(), size_t(30));
    QCOMPARE(seen.events.size(), size_t(30));
    QVERIFY(cache_->readOnly());
    QCOMPARE(putNow("ns/later", "1"), -503);
    QCOMPARE(putNow("ns/k0", "2"), -503);  // its key's queue still moves
    QVERIFY(!seen.end);
  }

  // Objects of a kind that is defined only later are kept, and appear with it.
  void kindsThatComeLater() {
    auto widgets = [this] {
      ResourceInfo info;
      info.group = "example.org";
      info.version = "v1";
      info.kind = "Widget";
      info.plural = "widgets";
      info.singular = "widget";
      info.storageGroupKind = "example.org/Widget";
      info.builtin = false;
      info.type = maps_->type;
      return info;
    };
    auto added = registry_->add(widgets());
    QVERIFY(added.ok());
    cache_->mutate(putting(*added, "ns/w", "1"));
    settle();
    cache_.reset();
    registry_ = api::Registry::builtin();
    maps_ = registry_->storage("", "configmaps");
    openCache();
    QVERIFY(!registry_->storage("example.org", "widgets"));
    auto again = registry_->add(widgets());
    QVERIFY(again.ok());
    QCOMPARE(valueOf(cache_->get(**again, "ns/w")), std::string("1"));
  }

  void closingWithWritesUnderWay() {
    auto inStore = put("ns/a", "1");
    auto behindIt = put("ns/a", "2");
    cache_.reset();
    settle();
    QCOMPARE(*inStore, 2);
    QCOMPARE(*behindIt, -503);
  }
};

QTEST_GUILESS_MAIN(CacheTest)
#include "cache_test.moc"
