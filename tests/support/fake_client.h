// FakeClient: an API server in memory for tests: optimistic concurrency, generations, defaults, graceful
// deletion, finalizers, selectors, pages, watches, 410. No storage, no authorization, no admission. With
// faults to inject. Threads: calls from any thread; answers and events come on the given executor, in order
// per watch. The functions under "For the test" work at once and may be called from any thread too.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/codec.h"
#include "engine/base/executor.h"
#include "engine/client/client.h"
#include "engine/client/reflector.h"

namespace ph::test {

using api::Json;
using api::JsonArray;
using api::JsonObject;
using api::ObjectPtr;
using api::ResourceInfo;

class FakeClient : public client::Client {
 public:
  explicit FakeClient(std::shared_ptr<Executor> executor,
                      std::shared_ptr<api::Registry> registry = api::Registry::builtin());
  ~FakeClient() override;

  const api::Registry& registry() const override { return *registry_; }
  void get(const ResourceInfo& info, std::string ns, std::string name,
           client::Callback<ObjectPtr> done) override;
  void list(const ResourceInfo& info, client::ListOptions options,
            client::Callback<client::ListResult> done) override;
  void write(client::Write write, client::Callback<ObjectPtr> done) override;
  void writeAll(std::vector<client::Write> writes,
                std::function<void(std::vector<Result<ObjectPtr>>)> done) override;
  std::unique_ptr<client::Watch> watch(const ResourceInfo& info, client::WatchOptions options,
                                       std::function<void(std::vector<client::WatchEvent>)> onEvents,
                                       std::function<void(Status)> onEnd) override;
  std::shared_ptr<void> raw(std::string method, std::string pathAndQuery, std::string body,
                            std::string contentType, std::function<void(std::string_view)> onData,
                            client::Callback<std::string> done) override;

  // For the test: state.
  const ResourceInfo* kind(std::string_view group, std::string_view plural) const;
  const ResourceInfo* kind(std::string_view plural) const;  // by plural alone; built-ins' plurals are unique
  Result<ObjectPtr> apply(client::Write write);             // one write, now
  ObjectPtr create(const std::string& yaml);  // a manifest; the test fails hard when it is refused
  // As the owner of the truth: status and all are taken as given, no preconditions.
  ObjectPtr put(const Json& object);
  ObjectPtr edit(const ResourceInfo* kind, const std::string& key, const std::function<void(Json&)>& change);
  void remove(const ResourceInfo* kind, const std::string& key);  // at once, whatever its finalizers
  ObjectPtr find(const ResourceInfo* kind, const std::string& key) const;
  client::ObjectMap all(const ResourceInfo* kind) const;
  int64_t revision() const;

  // For the test: faults.
  // Called for each write before it is done; a Status refuses it.
  std::function<std::optional<Status>(const client::Write&)> onWrite;
  std::function<std::optional<Status>(const ResourceInfo&)> onList, onWatch;
  // Time that a request or a batch of events is on its way; drawn anew for each.
  std::function<Duration()> delay;
  void endWatches(Status status);  // ends all now open
  void compact();                  // forgets history: older watches get 410, pages in progress too
  struct Logged {
    client::Write write;
    bool ok;
  };
  std::vector<Logged> writes() const;  // all that were tried, in order
  size_t openWatches() const;

 private:
  struct Stream;
  struct Kind {
    client::ObjectMap objects;
    std::vector<std::pair<client::WatchEvent, ObjectPtr>> history;  // and what was there before
  };
  Result<ObjectPtr> doWrite(client::Write& w);
  Result<ObjectPtr> doCreate(const client::Write& w);
  Result<ObjectPtr> doUpdate(const client::Write& w);
  Result<ObjectPtr> doDelete(const client::Write& w);
  Result<ObjectPtr> evict(const client::Write& w);
  Result<ObjectPtr> bind(const client::Write& w);
  ObjectPtr commit(const ResourceInfo* info, Json tree, const ObjectPtr& old);
  ObjectPtr finish(const ResourceInfo* info, Json tree, const ObjectPtr& old);
  ObjectPtr erase(const ResourceInfo* info, Json tree, const ObjectPtr& old);
  void publish(const ResourceInfo* info, client::WatchEvent event, const ObjectPtr& old);
  void later(std::function<void()> task);
  Result<client::ListResult> doList(const ResourceInfo& info, const client::ListOptions& o);

  const std::shared_ptr<Executor> executor_;
  const std::shared_ptr<api::Registry> registry_;
  mutable std::recursive_mutex mutex_;
  std::map<std::string, Kind> kinds_;  // by keyPrefix
  std::map<std::string, client::ObjectMap> pages_;
  std::vector<std::weak_ptr<Stream>> streams_;
  std::vector<Logged> log_;
  int64_t revision_ = 1, compacted_ = 0;
};

}  // namespace ph::test
