// What the cache tests share: config maps as objects, short writes, and a store that can be held back and
// made to fail.
#pragma once

#include <QTest>
#include <deque>
#include <mutex>
#include <string>

#include "engine/api/registry.h"
#include "engine/cache/cache.h"

namespace ph::cache::testing {

inline ObjectPtr configMap(const ResourceInfo* info, const std::string& key, const std::string& value) {
  size_t slash = key.find('/');
  std::string json = "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" +
                     key.substr(slash + 1) + "\",\"namespace\":\"" + key.substr(0, slash) +
                     "\"},\"data\":{\"value\":\"" + value + "\"}}";
  auto object = api::Object::parse(info, json);
  PH_CHECK(object.ok());
  return *object;
}

inline std::string valueOf(const ObjectPtr& object) {
  if (!object) return "none";
  auto& json = object->stored();
  size_t at = json.find("\"value\":\"") + 9;
  return json.substr(at, json.find('"', at) - at);
}

inline Mutation putting(const ResourceInfo* info, const std::string& key, const std::string& value,
                        std::function<void(Result<ObjectPtr>)> done = nullptr) {
  return {info, key,
          [=](const ObjectPtr&) -> Result<Decision> {
            return Decision{Decision::Kind::Put, configMap(info, key, value)};
          },
          std::move(done)};
}
inline Mutation removing(const ResourceInfo* info, const std::string& key,
                         std::function<void(Result<ObjectPtr>)> done = nullptr) {
  return {info, key,
          [](const ObjectPtr&) -> Result<Decision> {
            return Decision{Decision::Kind::Delete, nullptr};
          },
          std::move(done)};
}

// "+ns/a=1@2" added, "~" modified ("~ns/a=2<1@3" with the old value), "-" deleted.
inline std::string textOf(const Event& e) {
  std::string text = e.type == EventType::Added ? "+" : e.type == EventType::Modified ? "~" : "-";
  text += e.object->key() + "=" + valueOf(e.object);
  if (e.old) text += "<" + valueOf(e.old);
  return text + "@" + std::to_string(e.revision);
}

// A watch that writes down what it gets.
struct Seen {
  mutable std::mutex mutex;
  std::vector<EventPtr> events;
  std::string text;
  int batches = 0;
  std::optional<Status> end;
  std::unique_ptr<WatchHandle> handle;

  Result<> begin(Cache& cache, WatchRequest request) {
    request.onEvents = [this](std::vector<EventPtr> batch) {
      std::lock_guard lock(mutex);
      ++batches;
      for (auto& e : batch) {
        text += (text.empty() ? "" : " ") + textOf(*e);
        events.push_back(std::move(e));
      }
    };
    request.onEnd = [this](Status status) {
      std::lock_guard lock(mutex);
      PH_CHECK(!end);
      end = std::move(status);
    };
    auto h = cache.watch(std::move(request));
    if (!h.ok()) return h.status();
    handle = std::move(*h);
    return {};
  }
  size_t count() const {
    std::lock_guard lock(mutex);
    return events.size();
  }
};

// Passes on to another store; commits can be held, and made to fail from some point on.
class FaultyStore : public store::Store {
 public:
  FaultyStore(std::unique_ptr<store::Store> inner, std::function<void(std::function<void()>)> post)
      : inner_(std::move(inner)), post_(std::move(post)) {}

  void commitAll(std::vector<store::Txn> txns) override {
    for (auto& txn : txns) {
      std::unique_lock lock(mutex_);
      if (held_) {
        waiting_.push_back(std::move(txn));
        continue;
      }
      lock.unlock();
      pass(std::move(txn));
    }
  }
  void hold() { held_ = true; }
  size_t waiting() const { return waiting_.size(); }
  void release() {
    held_ = false;
    while (!waiting_.empty()) {
      store::Txn txn = std::move(waiting_.front());
      waiting_.pop_front();
      pass(std::move(txn));
    }
  }
  // After so many more commits the disk is full.
  void failAfter(int commits) { left_ = commits; }

  void afterEachCommit(std::function<void()> callback) override { inner_->afterEachCommit(std::move(callback)); }
  Result<> load(const std::function<void(store::Record)>& each) override { return inner_->load(each); }
  Result<> history(int64_t after, const std::function<bool(store::Record)>& each) override {
    ++histories;
    return inner_->history(after, each);
  }
  Result<std::optional<store::Record>> recordAt(const std::string& key, int64_t revision) override {
    return inner_->recordAt(key, revision);
  }
  void compact(int64_t revision, std::function<void(Result<>)> done) override {
    inner_->compact(revision, std::move(done));
  }
  int64_t revision() const override { return inner_->revision(); }
  int64_t compactedRevision() const override { return inner_->compactedRevision(); }
  Result<> snapshot(const std::string& path) override { return inner_->snapshot(path); }
  Result<> health() const override {
    if (left_ < 0) return Status::unavailable("the store is read-only: the disk is full");
    return inner_->health();
  }
  int histories = 0;

 private:
  void pass(store::Txn txn) {
    if (left_ <= 0) {
      left_ = -1;
      return post_([done = std::move(txn.done), status = health().status()] { done(status); });
    }
    --left_;
    inner_->commit(std::move(txn));
  }

  std::unique_ptr<store::Store> inner_;
  std::function<void(std::function<void()>)> post_;
  std::mutex mutex_;
  std::deque<store::Txn> waiting_;
  bool held_ = false;
  int left_ = INT32_MAX;
};

}  // namespace ph::cache::testing
