#include "engine/base/cow_map.h"

#include <QTest>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>

using ph::CowMap;

namespace {

using Text = CowMap<std::string, std::shared_ptr<int>>;

std::string keyOf(unsigned n) {
  char text[16];
  std::snprintf(text, sizeof text, "k%06u", n);
  return text;
}

template <class A, class B>
bool same(const A& map, const B& model) {
  if (map.size() != model.size()) return false;
  auto it = map.begin();
  for (auto& [key, value] : model) {
    if (it == map.end() || it->first != key || it->second != value) return false;
    ++it;
  }
  return it == map.end();
}

}  // namespace

class CowMapTest : public QObject {
  Q_OBJECT
 private slots:
  void basics() {
    CowMap<std::string, int> m;
    QVERIFY(m.empty() && m.begin() == m.end());
    QVERIFY(!m.erase("x"));
    QVERIFY(!m.assign("a", 1));
    QCOMPARE(m.assign("a", 2).value(), 1);
    QVERIFY(!m.insert("a", 3));
    QVERIFY(m.insert("b", 3));
    QCOMPARE(m.get(std::string_view("a")), 2);
    QCOMPARE(m.get("none"), 0);
    QCOMPARE(*m.edit("b") = 7, 7);
    QCOMPARE(m.get("b"), 7);
    QVERIFY(!m.edit("c"));
    QCOMPARE(m.erase("a").value(), 2);
    QCOMPARE(m.size(), size_t(1));
    auto moved = std::move(m);
    QVERIFY(m.empty() && moved.size() == 1);
  }

  void likeAModel_data() {
    QTest::addColumn<int>("range");
    QTest::addColumn<int>("steps");
    QTest::newRow("tiny") << 40 << 20000;
    QTest::newRow("small") << 1000 << 60000;
    QTest::newRow("large") << 50000 << 200000;
  }
  // Random changes beside std::map, with snapshots in between that must never change afterwards.
  void likeAModel() {
    QFETCH(int, range);
    QFETCH(int, steps);
    std::mt19937 random(unsigned(range) * 7u);
    CowMap<std::string, int> map;
    std::map<std::string, int> model;
    std::vector<std::pair<CowMap<std::string, int>, std::map<std::string, int>>> kept;
    for (int i = 0; i < steps; ++i) {
      std::string key = keyOf(random() % unsigned(range));
      // Phases of growth and of shrinking, so that the tree merges down to nothing too.
      bool growing = (i / (steps / 4)) % 2 == 0;
      if (int(random() % 10) < (growing ? 7 : 2)) {
        auto old = map.assign(key, i);
        auto it = model.find(key);
        QCOMPARE(old.has_value(), it != model.end());
        if (old) QCOMPARE(*old, it->second);
        model[key] = i;
      } else {
        auto old = map.erase(key);
        QCOMPARE(size_t(old.has_value()), model.erase(key));
      }
      if (i % (steps / 10) == 3) kept.emplace_back(map, model);
      if (i % 997 == 0) {
        std::string probe = keyOf(random() % unsigned(range));
        auto a = map.lowerBound(probe);
        auto b = model.lower_bound(probe);
        QCOMPARE(a == map.end(), b == model.end());
        if (b != model.end()) QCOMPARE(a->first, b->first);
        auto c = map.upperBound(probe);
        auto d = model.upper_bound(probe);
        QCOMPARE(c == map.end(), d == model.end());
        if (d != model.end()) QCOMPARE(c->first, d->first);
      }
    }
    QVERIFY(same(map, model));
    for (auto& [m, expected] : kept) QVERIFY(same(m, expected));
    while (!model.empty()) {
      QVERIFY(map.erase(model.begin()->first).has_value());
      model.erase(model.begin());
    }
    QVERIFY(map.empty() && map.begin() == map.end());
  }

  void inOrderAndReverse() {
    CowMap<int, int> up, down;
    for (int i = 0; i < 100000; ++i) {
      up.assign(i, i);
      down.assign(100000 - i, i);
    }
    int at = 0;
    for (auto& [k, v] : up) QCOMPARE(k, at++);
    QCOMPARE(at, 100000);
    at = 0;
    down.forEach([&](int k, int) { QVERIFY(k == ++at); });
    for (int i = 0; i < 100000; ++i) QVERIFY(up.erase(i).has_value());
    QVERIFY(up.empty());
  }

  void prefixes() {
    CowMap<std::string, int> m;
    for (int i = 0; i < 500; ++i) {
      m.assign("a/" + std::to_string(i), i);
      m.assign("ab/" + std::to_string(i), i);
    }
    int n = 0;
    for (auto& [k, v] : m.prefix("a/")) {
      QVERIFY(k.starts_with("a/"));
      ++n;
    }
    QCOMPARE(n, 500);
    QVERIFY(m.prefix("b/").empty());
    QVERIFY(!m.prefix("").empty());
    // What the prefix was made from may go at once: here its place on the heap is given to another string.
    const std::string ns(40, 'n');
    m.assign(ns + "/pod", 1);
    auto range = m.prefix(ns + "/");
    std::string other(ns.size() + 1, 'x');
    n = 0;
    for (auto& [k, v] : range) n += v;
    QCOMPARE(n, 1);
    QCOMPARE(other.size(), ns.size() + 1);
  }

  // Nothing is cloned while nobody shares: the value stays where it was; under a snapshot it moves.
  void inPlaceWhenUnshared() {
    Text m;
    for (unsigned i = 0; i < 10000; ++i) m.assign(keyOf(i), std::make_shared<int>(int(i)));
    const auto* before = m.find(keyOf(5000));
    m.assign(keyOf(5000), std::make_shared<int>(1));
    QCOMPARE(m.find(keyOf(5000)), before);
    Text copy = m;
    QVERIFY(copy.sameAs(m));
    QVERIFY(!m.erase("absent"));
    QVERIFY(copy.sameAs(m));
    m.assign(keyOf(5000), std::make_shared<int>(2));
    QVERIFY(!copy.sameAs(m));
    QVERIFY(m.find(keyOf(5000)) != before);
    QCOMPARE(*copy.get(keyOf(5000)), 1);
    QCOMPARE(*m.get(keyOf(5000)), 2);
    QCOMPARE(copy.find(keyOf(9000)), m.find(keyOf(9000)));  // what lies elsewhere is still shared
    std::weak_ptr<int> value = m.get(keyOf(1));
    m.clear();
    copy.clear();
    QVERIFY(value.expired());
  }

  void copiesReadWhileTheOriginalChanges() {
    CowMap<std::string, int> map;
    for (unsigned i = 0; i < 2000; ++i) map.assign(keyOf(i), 0);
    std::mutex mutex;
    std::atomic<bool> stop{false};
    std::atomic<int> torn{0}, seen{0};
    std::vector<std::thread> readers;
    for (int t = 0; t < 3; ++t)
      readers.emplace_back([&] {
        while (!stop) {
          CowMap<std::string, int> mine;
          {
            std::lock_guard lock(mutex);
            mine = map;
          }
          // The writer sets all keys to one value between two unlocks.
          int first = mine.begin()->second;
          for (auto& [k, v] : mine)
            if (v != first) ++torn;
          ++seen;
        }
      });
    for (int round = 1; round <= 50; ++round) {
      {
        std::lock_guard lock(mutex);
        for (unsigned i = 0; i < 2000; ++i) map.assign(keyOf(i), round);
      }
      // Without this the writer has the lock again at once, and on a busy machine nobody else ever gets it.
      while (seen < round) std::this_thread::yield();
    }
    stop = true;
    for (auto& r : readers) r.join();
    QCOMPARE(torn.load(), 0);
  }
};

QTEST_GUILESS_MAIN(CowMapTest)
#include "cow_map_test.moc"
