#include "engine/server/local_client.h"

#include "engine/server/authz.h"
#include "engine/server/local_responder.h"
#include "engine/server/reads.h"
#include "engine/server/watch_session.h"
#include "engine/server/writes.h"

namespace ph::server {
namespace {

ApiRequest toRequest(client::Write& write, const User& user) {
  ApiRequest r;
  r.info = write.info;
  r.ns = std::move(write.ns);
  r.name = std::move(write.name);
  r.subresource = std::move(write.subresource);
  r.body = std::move(write.body);
  r.user = user;
  r.internal = true;
  auto& o = r.options;
  o.dryRun = write.dryRun;
  o.fieldManager = std::move(write.fieldManager);
  o.fieldValidation = FieldValidation::Ignore;
  o.gracePeriodSeconds = write.gracePeriodSeconds;
  o.preconditionUid = std::move(write.uid);
  if (write.revision > 0) o.preconditionRevision = std::to_string(write.revision);
  switch (write.propagation) {
    case client::Propagation::Default: break;
    case client::Propagation::Background: o.propagation = Propagation::Background; break;
    case client::Propagation::Foreground: o.propagation = Propagation::Foreground; break;
    case client::Propagation::Orphan: o.propagation = Propagation::Orphan; break;
  }
  switch (write.verb) {
    case client::Verb::Create: r.verb = Verb::Create; break;
    case client::Verb::Update: r.verb = Verb::Update; break;
    case client::Verb::Delete: r.verb = Verb::Delete; break;
    case client::Verb::Patch: {
      static constexpr const char* types[] = {"application/merge-patch+json", "application/json-patch+json",
                                              "application/strategic-merge-patch+json", "application/apply-patch+yaml"};
      r.verb = Verb::Patch;
      r.contentType = types[size_t(write.patchType)];
    }
  }
  return r;
}

Result<ObjectPtr> toObject(Result<WriteAnswer> result) {
  if (!result.ok()) return std::move(result).status();
  return std::move(result->object);
}

class LocalWatch : public client::Watch, public std::enable_shared_from_this<LocalWatch> {
 public:
  Filter filter;
  std::function<void(std::vector<client::WatchEvent>)> onEvents;
  std::function<void(Status)> onEnd;
  std::shared_ptr<Executor> strand;  // null: callbacks on the cache's executor are fine as they come
  std::atomic<bool> over{false};
  std::unique_ptr<cache::WatchHandle> handle;

  void deliver(const std::vector<cache::EventPtr>& events) {
    std::vector<client::WatchEvent> out;
    for (auto& event : events) {
      auto seen = seenBy(filter, *event);
      if (!seen) continue;
      auto type = seen->first == Seen::Added     ? client::EventType::Added
                  : seen->first == Seen::Deleted ? client::EventType::Deleted
                                                 : client::EventType::Modified;
      out.push_back({type, std::move(seen->second), event->revision});
    }
    if (!events.empty() && out.empty()) out.push_back({client::EventType::Bookmark, nullptr, events.back()->revision});
    if (out.empty() || over.load(std::memory_order_acquire)) return;
    if (!strand) return onEvents(std::move(out));
    strand->post([self = shared_from_this(), out = std::move(out)]() mutable {
      if (!self->over.load(std::memory_order_acquire)) self->onEvents(std::move(out));
    });
  }
  void end(Status status) {
    if (over.exchange(true, std::memory_order_acq_rel)) return;
    if (!strand) return onEnd(std::move(status));
    strand->post([self = shared_from_this(), status = std::move(status)] { self->onEnd(status); });
  }
};

// What the caller holds: dropping it ends the watch.
class WatchOwner : public client::Watch {
 public:
  explicit WatchOwner(std::shared_ptr<LocalWatch> watch) : watch_(std::move(watch)) {}
  ~WatchOwner() override {
    watch_->over.store(true, std::memory_order_release);
    watch_->handle.reset();
  }

 private:
  std::shared_ptr<LocalWatch> watch_;
};

class LocalClient : public client::Client {
 public:
  LocalClient(std::shared_ptr<Core> core, std::shared_ptr<Executor> executor, std::shared_ptr<ApiServer> server, User user)
      : core_(std::move(core)), executor_(std::move(executor)), server_(std::move(server)), user_(std::move(user)) {}

  const api::Registry& registry() const override { return *core_->registry; }

  void get(const ResourceInfo& info, std::string ns, std::string name, client::Callback<ObjectPtr> done) override {
    ApiRequest r;
    r.info = &info;
    r.ns = std::move(ns);
    r.name = std::move(name);
    r.user = user_;
    auto allowed = authorize(*core_, r);
    auto result = allowed.ok() ? server::get(*core_, r) : Result<ObjectPtr>(allowed.status());
    executor_->post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
  }

  void list(const ResourceInfo& info, client::ListOptions options, client::Callback<client::ListResult> done) override {
    ApiRequest r;
    r.verb = Verb::List;
    r.info = &info;
    r.ns = std::move(options.ns);
    r.user = user_;
    r.options.labelSelector = std::move(options.labelSelector);
    r.options.fieldSelector = std::move(options.fieldSelector);
    r.options.limit = options.limit;
    r.options.continueToken = std::move(options.continueToken);
    executor_->post([core = core_, r = std::move(r), done = std::move(done)] {
      if (auto allowed = authorize(*core, r); !allowed.ok()) return done(std::move(allowed).status());
      auto listing = server::list(*core, r);
      if (!listing.ok()) return done(std::move(listing).status());
      done(client::ListResult{std::move(listing->items), listing->revision, std::move(listing->continueToken)});
    });
  }

  void write(client::Write write, client::Callback<ObjectPtr> done) override {
    auto r = toRequest(write, user_);
    auto reply = [executor = executor_, done = std::move(done)](Result<WriteAnswer> result) {
      executor->post([done, object = toObject(std::move(result))]() mutable { done(std::move(object)); });
    };
    if (auto allowed = authorize(*core_, r); !allowed.ok()) return reply(std::move(allowed).status());
    server::write(core_, std::move(r), std::move(reply));
  }

  void writeAll(std::vector<client::Write> writes, std::function<void(std::vector<Result<ObjectPtr>>)> done) override {
    struct Batch {
      std::vector<Result<ObjectPtr>> results;
      std::vector<size_t> places;  // of the requests sent on
    };
    auto batch = std::make_shared<Batch>();
    batch->results.resize(writes.size(), ObjectPtr());
    std::vector<ApiRequest> requests;
    for (size_t i = 0; i < writes.size(); ++i) {
      auto r = toRequest(writes[i], user_);
      if (auto allowed = authorize(*core_, r); !allowed.ok()) {
        batch->results[i] = std::move(allowed).status();
        continue;
      }
      batch->places.push_back(i);
      requests.push_back(std::move(r));
    }
    server::writeAll(core_, std::move(requests),
                     [batch, executor = executor_, done = std::move(done)](std::vector<Result<WriteAnswer>> answers) {
                       for (size_t i = 0; i < answers.size(); ++i)
                         batch->results[batch->places[i]] = toObject(std::move(answers[i]));
                       executor->post([batch, done] { done(std::move(batch->results)); });
                     });
  }

  std::unique_ptr<client::Watch> watch(const ResourceInfo& info, client::WatchOptions options,
                                       std::function<void(std::vector<client::WatchEvent>)> onEvents,
                                       std::function<void(Status)> onEnd) override {
    auto watch = std::make_shared<LocalWatch>();
    watch->onEvents = std::move(onEvents);
    watch->onEnd = std::move(onEnd);
    watch->strand = executor_ == core_->executor ? nullptr : executor_->strand();
    ApiRequest r;
    r.verb = Verb::Watch;
    r.info = &info;
    r.ns = options.ns;
    r.user = user_;
    r.options.labelSelector = std::move(options.labelSelector);
    r.options.fieldSelector = std::move(options.fieldSelector);
    auto owner = std::make_unique<WatchOwner>(watch);
    auto fail = [&](Status status) {
      executor_->post([watch, status = std::move(status)] {
        if (!watch->over.exchange(true, std::memory_order_acq_rel)) watch->onEnd(status);
      });
    };
    if (auto allowed = authorize(*core_, r); !allowed.ok()) return fail(allowed.status()), std::move(owner);
    auto filter = parseFilter(r);
    if (!filter.ok()) return fail(filter.status()), std::move(owner);
    watch->filter = std::move(*filter);
    cache::WatchRequest request;
    request.info = core_->registry->stored(info);
    request.ns = options.ns;
    request.after = options.revision;
    indexWatch(*core_, watch->filter, request);
    std::weak_ptr<LocalWatch> weak = watch;
    request.onEvents = [weak](std::vector<cache::EventPtr> events) {
      if (auto w = weak.lock()) w->deliver(events);
    };
    request.onEnd = [weak](Status status) {
      if (auto w = weak.lock()) w->end(std::move(status));
    };
    auto handle = core_->cache->watch(std::move(request));
    if (!handle.ok()) return fail(handle.status()), std::move(owner);
    watch->handle = std::move(*handle);
    return owner;
  }

  std::shared_ptr<void> raw(std::string method, std::string pathAndQuery, std::string body, std::string contentType,
                            std::function<void(std::string_view)> onData, client::Callback<std::string> done) override {
    auto responder = std::make_shared<LocalResponder>(executor_->strand(), std::move(onData), std::move(done));
    net::Request request;
    request.method = std::move(method);
    size_t mark = pathAndQuery.find('?');
    request.path = pathAndQuery.substr(0, mark);
    if (mark != std::string::npos) request.query = pathAndQuery.substr(mark + 1);
    request.body = std::move(body);
    if (!contentType.empty())
      request.headers.add(request.method == "GET" ? "accept" : "content-type", std::move(contentType));
    request.peer.address = "local";
    request.peer.pinnedUser = user_.name;
    request.peer.pinnedGroups = user_.groups;
    if (server_)
      server_->handle(std::move(request), responder);
    else
      responder->fail(Status::unavailable("this client has no server behind it"));
    return std::shared_ptr<void>(responder.get(), [responder](void*) { responder->cancel(); });
  }

 private:
  std::shared_ptr<Core> core_;
  std::shared_ptr<Executor> executor_;
  std::shared_ptr<ApiServer> server_;
  User user_;
};

}  // namespace

std::shared_ptr<client::Client> makeLocalClient(std::shared_ptr<Core> core, std::shared_ptr<Executor> executor,
                                                std::shared_ptr<ApiServer> server, User user) {
  return std::make_shared<LocalClient>(std::move(core), std::move(executor), std::move(server), std::move(user));
}

}  // namespace ph::server
