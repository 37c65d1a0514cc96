#include "engine/client/reflector.h"

#include <QtTest>

#include "tests/support/fake_client.h"

using namespace ph;
using client::Change;
using client::Reflector;
using namespace std::chrono_literals;

class ReflectorTest : public QObject {
  Q_OBJECT

  std::shared_ptr<SimExecutor> sim_;
  std::unique_ptr<test::FakeClient> api_;
  std::vector<std::string> seen_;  // "+a", "~a", "-a"
  int synced_ = 0;

  std::string manifest(const std::string& name, const std::string& value = "1",
                       const std::string& label = "x") {
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", labels: {l: " + label +
           "}}\ndata: {v: '" + value + "'}";
  }
  const api::ResourceInfo* maps() { return api_->kind("configmaps"); }
  std::shared_ptr<Reflector> follow(Reflector::Options o = {}) {
    Reflector::Handlers h;
    h.onChanges = [this](const std::vector<Change>& changes) {
      for (auto& c : changes) seen_.push_back((!c.old ? "+" : c.now ? "~" : "-") + c.any()->name());
    };
    h.onSynced = [this] { ++synced_; };
    return Reflector::start(*api_, *maps(), sim_->strand(), o, h);
  }
  void setValue(const std::string& name, const std::string& v) {
    api_->edit(maps(), "default/" + name, [&](api::Json& t) { t.at("data").as_object()["v"] = v; });
  }
  std::vector<std::string> keys(const Reflector& r) {
    std::vector<std::string> out;
    for (auto& [k, v] : r.snapshot()) out.push_back(k);
    return out;
  }

 private slots:
  void init() {
    sim_ = SimExecutor::make(7);
    api_ = std::make_unique<test::FakeClient>(sim_);
    seen_.clear();
    synced_ = 0;
  }
  void cleanup() { sim_->runFor(1s); }

  void listsInPagesThenWatches() {
    for (int i = 0; i < 7; ++i) api_->create(manifest("m" + std::to_string(i)));
    auto r = follow({.pageSize = 3});
    QVERIFY(!r->synced());
    QVERIFY(sim_->runUntil([&] { return r->connected(); }, 10s));
    QCOMPARE(synced_, 1);
    QCOMPARE(seen_.size(), size_t(7));
    seen_.clear();
    api_->create(manifest("new"));
    setValue("m3", "2");
    api_->remove(maps(), "default/m4");
    sim_->runFor(1s);
    QCOMPARE(seen_, (std::vector<std::string>{"+new", "~m3", "-m4"}));
    QCOMPARE(r->snapshot().size(), size_t(7));
    QCOMPARE(r->revision(), api_->revision());
    r->stop();
  }

  void listsAgainAfter410AndTellsOnlyTheDifference() {
    for (auto* n : {"a", "b", "c"}) api_->create(manifest(n));
    auto r = follow();
    QVERIFY(sim_->runUntil([&] { return r->connected(); }, 10s));
    seen_.clear();
    api_->endWatches(Status::internal("gone"));
    setValue("b", "2");
    api_->remove(maps(), "default/a");
    api_->create(manifest("d"));
    api_->compact();
    sim_->runFor(5s);
    QCOMPARE(seen_, (std::vector<std::string>{"-a", "~b", "+d"}));
    QCOMPARE(keys(*r), (std::vector<std::string>{"default/b", "default/c", "default/d"}));
    QCOMPARE(synced_, 1);
    r->stop();
  }

  void watchesOnFromItsRevisionAfterOtherEnds() {
    api_->create(manifest("a"));
    auto r = follow();
    QVERIFY(sim_->runUntil([&] { return r->connected(); }, 10s));
    seen_.clear();
    int lists = 0;
    api_->onList = [&](auto&) {
      ++lists;
      return std::optional<Status>();
    };
    api_->endWatches(Status::unavailable("restarting"));
    setValue("a", "2");
    QVERIFY(sim_->runUntil([&] { return !r->connected(); }, 1s));
    sim_->runFor(5s);
    QVERIFY(r->connected());
    QCOMPARE(seen_, (std::vector<std::string>{"~a"}));
    QCOMPARE(lists, 0);
    r->stop();
  }

  void backsOffWhileTheServerIsDown() {
    int lists = 0;
    api_->onList = [&](auto&) {
      ++lists;
      return std::optional(Status::unavailable("down"));
    };
    auto r = follow();
    sim_->runFor(60s);
    QVERIFY2(lists > 5 && lists < 15, QByteArray::number(lists));
    QVERIFY(!r->synced());
    QVERIFY(r->lastError().find("down") != std::string::npos);
    api_->onList = nullptr;
    sim_->runFor(60s);
    QVERIFY(r->synced());
    r->stop();
  }

  void followsASelector() {
    api_->create(manifest("a", "1", "x"));
    api_->create(manifest("b", "1", "other"));
    auto r = follow({.labelSelector = "l=x"});
    QVERIFY(sim_->runUntil([&] { return r->connected(); }, 10s));
    QCOMPARE(seen_, (std::vector<std::string>{"+a"}));
    auto relabel = [&](const char* name, const char* l) {
      api_->edit(maps(), std::string("default/") + name,
                 [&](api::Json& t) { t.at("metadata").at("labels").as_object()["l"] = l; });
    };
    relabel("a", "z");
    relabel("b", "x");
    sim_->runFor(1s);
    QCOMPARE(seen_, (std::vector<std::string>{"+a", "-a", "+b"}));
    r->stop();
  }

  void saysNothingAfterStop() {
    auto r = follow();
    QVERIFY(sim_->runUntil([&] { return r->connected(); }, 10s));
    r->stop();
    api_->create(manifest("a"));
    sim_->runFor(5s);
    QVERIFY(seen_.empty());
    QCOMPARE(api_->openWatches(), size_t(0));
  }

  void refusesToGrowWithoutLimit() {
    auto r = follow({.maxObjects = 3});
    QVERIFY(sim_->runUntil([&] { return r->connected(); }, 10s));
    for (auto* n : {"a", "b", "c", "d", "e"}) api_->create(manifest(n));
    sim_->runFor(1s);
    QVERIFY(!r->connected());
    QVERIFY(r->lastError().find("limit") != std::string::npos);
    r->stop();
  }

  // Whatever the faults and delays: in the end the cache is the truth, and the changes told add up to it.
  void convergesUnderFaults() {
    for (uint64_t seed = 1; seed <= 50; ++seed) {
      sim_ = SimExecutor::make(seed);
      api_ = std::make_unique<test::FakeClient>(sim_);
      auto& random = sim_->random();
      api_->delay = [&] { return Duration(std::chrono::milliseconds(random.below(50))); };
      std::map<std::string, int64_t> told;
      Reflector::Handlers h;
      h.onChanges = [&](const std::vector<Change>& changes) {
        for (auto& c : changes) {
          auto it = told.find(c.any()->key());
          QCOMPARE(it != told.end(), c.old != nullptr);
          if (c.old) QCOMPARE(it->second, c.old->revision());
          if (c.now)
            told[c.now->key()] = c.now->revision();
          else
            told.erase(it);
        }
      };
      auto r = Reflector::start(*api_, *maps(), sim_->strand(), {.pageSize = 4}, h);
      for (int i = 0; i < 300; ++i) {
        std::string name = "m" + std::to_string(random.below(20));
        bool there = api_->find(maps(), "default/" + name) != nullptr;
        switch (random.below(6)) {
          case 0:
            api_->endWatches(Status::unavailable("cut"));
            break;
          case 1:
            api_->compact();
            break;
          case 2:
            api_->remove(maps(), "default/" + name);
            break;
          default:
            if (there)
              setValue(name, std::to_string(i));
            else
              api_->create(manifest(name));
        }
        sim_->runFor(std::chrono::milliseconds(random.below(100)));
      }
      sim_->runFor(60s);
      QVERIFY2(r->connected(), QByteArray::number(qulonglong(seed)));
      auto truth = api_->all(maps());
      QCOMPARE(told.size(), truth.size());
      for (auto& [k, o] : truth) QCOMPARE(told.at(k), o->revision());
      QCOMPARE(r->snapshot().size(), truth.size());
      r->stop();
      sim_->runFor(1s);
    }
  }
};

QTEST_GUILESS_MAIN(ReflectorTest)
#include "reflector_test.moc"
