#include "engine/client/http_client.h"

#include <fmt/format.h>

#include "engine/client/http_requests.h"
#include "engine/client/watch_decoder.h"

namespace ph::client {

namespace {

constexpr size_t kMaxPending = 64 * 1024 * 1024;  // bytes of a stream not yet taken by the executor

// What callbacks under way share with the client; empty once the client is gone.
struct Shared {
  std::atomic<bool> gone{false};
  std::shared_ptr<Executor> executor;
  void run(Task task) const {
    if (executor) {
      executor->post(std::move(task));
    } else {
      task();
    }
  }
};
using SharedPtr = std::shared_ptr<Shared>;

// A stream whose events are taken on a strand of the executor. The user holds it; dropping it cancels.
class StreamTask : public std::enable_shared_from_this<StreamTask> {
 public:
  struct Events {
    std::function<void(int status)> onHead;
    std::function<void(std::string_view)> onData;
    std::function<void(std::optional<Status>)> onEnd;  // nullopt: ended in order
  };
  StreamTask(SharedPtr shared, Events events) : shared_(std::move(shared)), events_(std::move(events)) {
    if (shared_->executor) strand_ = shared_->executor->strand();
  }
  void start(net::HttpClient& http, net::Request request);
  void cancel() {
    cancelled_ = true;
    std::shared_ptr<net::StreamHandle> handle;
    std::lock_guard lock(mutex_);
    handle.swap(handle_);
  }

 private:
  void run(Task task) {
    if (strand_) {
      strand_->post(std::move(task));
    } else {
      task();
    }
  }
  bool dead() const { return cancelled_ || shared_->gone; }
  void end(std::optional<Status> why) {
    if (std::exchange(ended_, true)) return;
    auto events = std::move(events_);
    events_ = Events();
    if (!dead()) events.onEnd(std::move(why));
  }

  const SharedPtr shared_;
  std::shared_ptr<Executor> strand_;
  Events events_;  // on the strand
  bool ended_ = false;
  std::atomic<bool> cancelled_{false};
  std::atomic<size_t> pending_{0};
  std::mutex mutex_;
  std::shared_ptr<net::StreamHandle> handle_;
};

void StreamTask::start(net::HttpClient& http, net::Request request) {
  net::StreamCallbacks callbacks;
  std::weak_ptr<StreamTask> weak = weak_from_this();
  callbacks.onHeaders = [weak](int status, const net::Headers&) {
    auto self = weak.lock();
    if (!self) return;
    self->run([self, status] {
      if (!self->ended_ && !self->dead()) self->events_.onHead(status);
    });
  };
  callbacks.onData = [weak](std::string_view data) {
    auto self = weak.lock();
    if (!self || self->dead()) return;
    if (!self->strand_) {
      if (!self->ended_) self->events_.onData(data);
      return;
    }
    bool full = self->pending_.fetch_add(data.size()) + data.size() > kMaxPending;
    self->strand_->post([self, bytes = full ? std::string() : std::string(data), size = data.size(), full] {
      self->pending_.fetch_sub(size);
      if (self->ended_ || self->dead()) return;
      if (!full) return self->events_.onData(bytes);
      self->end(Status::tooLarge("the stream came faster than it was taken"));
      self->cancel();
    });
  };
  callbacks.onEnd = [weak](Result<net::Headers> trailers) {
    auto self = weak.lock();
    if (!self) return;
    std::optional<Status> why;
    if (!trailers.ok()) why = trailers.status();
    self->run([self, why = std::move(why)] { self->end(why); });
  };
  auto handle = http.stream(std::move(request), std::move(callbacks));
  std::lock_guard lock(mutex_);
  if (!cancelled_) handle_ = std::move(handle);
}

class StreamWatch final : public Watch {
 public:
  explicit StreamWatch(std::shared_ptr<StreamTask> task) : task_(std::move(task)) {}
  ~StreamWatch() override { task_->cancel(); }

 private:
  std::shared_ptr<StreamTask> task_;
};

class HttpApiClient final : public Client, public std::enable_shared_from_this<HttpApiClient> {
 public:
  explicit HttpApiClient(HttpClientOptions options)
      : options_(std::move(options)), shared_(std::make_shared<Shared>()) {
    shared_->executor = options_.executor;
    http_ = net::HttpClient::make(options_.io, options_.http);
  }
  ~HttpApiClient() override { shared_->gone = true; }

  const api::Registry& registry() const override { return *options_.registry; }
  void get(const ResourceInfo& info, std::string ns, std::string name, Callback<ObjectPtr> done) override;
  void list(const ResourceInfo& info, ListOptions options, Callback<ListResult> done) override;
  void write(Write write, Callback<ObjectPtr> done) override;
  void writeAll(std::vector<Write> writes, std::function<void(std::vector<Result<ObjectPtr>>)> done) override;
  std::unique_ptr<Watch> watch(const ResourceInfo& info, WatchOptions options,
                               std::function<void(std::vector<WatchEvent>)> onEvents,
                               std::function<void(Status)> onEnd) override;
  std::shared_ptr<void> raw(std::string method, std::string pathAndQuery, std::string body,
                            std::string contentType, std::function<void(std::string_view)> onData,
                            Callback<std::string> done) override;

 private:
  void finish(net::Request& request) const {
    request.path = options_.pathPrefix + request.path;
    if (!options_.bearerToken.empty()) request.headers.set("authorization", "Bearer " + options_.bearerToken);
    if (!request.headers.has("accept")) request.headers.add("accept", "application/json");
    request.headers.set("user-agent", "pilothouse/" PH_VERSION);
  }
  // Sends, and hands the body of a success to `parse`, on the executor.
  template <class T>
  void call(net::Request request, std::function<Result<T>(std::string)> parse, Callback<T> done);

  HttpClientOptions options_;
  SharedPtr shared_;
  std::shared_ptr<net::HttpClient> http_;
};

template <class T>
void HttpApiClient::call(net::Request request, std::function<Result<T>(std::string)> parse,
                         Callback<T> done) {
  finish(request);
  http_->send(
      std::move(request), options_.timeout,
      [shared = shared_, parse = std::move(parse), done = std::move(done)](Result<net::Response> answer) {
        shared->run([shared, parse, done, answer = std::move(answer)] {
          if (shared->gone) return;
          if (!answer.ok()) return done(answer.status());
          if (answer->status >= 300) return done(statusOf(answer->status, answer->bodyText()));
          done(parse(answer->bodyText()));
        });
      });
}

void HttpApiClient::get(const ResourceInfo& info, std::string ns, std::string name,
                        Callback<ObjectPtr> done) {
  call<ObjectPtr>(
      getRequest(info, ns, name), [&info](std::string body) { return decodeObject(info, body); },
      std::move(done));
}

void HttpApiClient::list(const ResourceInfo& info, ListOptions options, Callback<ListResult> done) {
  call<ListResult>(
      listRequest(info, options), [&info](std::string body) { return decodeList(info, body); },
      std::move(done));
}

void HttpApiClient::write(Write write, Callback<ObjectPtr> done) {
  auto request = writeRequest(write);
  if (!request.ok()) {
    // Never inline: a batch of thousands of bad writes must not recurse.
    auto executor = options_.executor ? options_.executor : options_.io->executor();
    executor->post([done = std::move(done), why = request.status()] { done(why); });
    return;
  }
  call<ObjectPtr>(
      std::move(*request), [info = write.info](std::string body) { return decodeAnswer(*info, body); },
      std::move(done));
}

void HttpApiClient::writeAll(std::vector<Write> writes,
                             std::function<void(std::vector<Result<ObjectPtr>>)> done) {
  // Its own state: the answers come on any thread of the executor.
  struct Batch {
    std::mutex mutex;
    std::vector<Write> writes;
    std::vector<std::optional<Result<ObjectPtr>>> results;
    size_t next = 0, left = 0;
    std::function<void(std::vector<Result<ObjectPtr>>)> done;
    std::weak_ptr<HttpApiClient> client;

    static void sendNext(const std::shared_ptr<Batch>& batch) {
      auto client = batch->client.lock();
      if (!client) return;
      size_t index;
      Write write;
      {
        std::lock_guard lock(batch->mutex);
        if (batch->next == batch->writes.size()) return;
        index = batch->next++;
        write = std::move(batch->writes[index]);
      }
      client->write(std::move(write), [batch, index](Result<ObjectPtr> result) {
        bool last;
        {
          std::lock_guard lock(batch->mutex);
          batch->results[index].emplace(std::move(result));
          last = --batch->left == 0;
        }
        if (!last) return sendNext(batch);
        std::vector<Result<ObjectPtr>> all;
        all.reserve(batch->results.size());
        for (auto& one : batch->results) all.push_back(std::move(*one));
        batch->done(std::move(all));
      });
    }
  };
  if (writes.empty()) {
    shared_->run([done = std::move(done)] { done({}); });
    return;
  }
  auto batch = std::make_shared<Batch>();
  batch->left = writes.size();
  batch->results.resize(writes.size());
  batch->writes = std::move(writes);
  batch->done = std::move(done);
  batch->client = weak_from_this();
  size_t first = std::min(batch->left, size_t(std::max(options_.writesInFlight, 1)));
  for (size_t i = 0; i < first; ++i) Batch::sendNext(batch);
}

std::unique_ptr<Watch> HttpApiClient::watch(const ResourceInfo& info, WatchOptions options,
                                            std::function<void(std::vector<WatchEvent>)> onEvents,
                                            std::function<void(Status)> onEnd) {
  struct State {
    WatchDecoder decoder;
    int status = 0;
    std::string errorBody;
    std::optional<Status> why;  // the server said so in an ERROR event
    explicit State(const ResourceInfo& info) : decoder(info) {}
  };
  auto state = std::make_shared<State>(info);
  StreamTask::Events events;
  events.onHead = [state](int status) { state->status = status; };
  events.onData = [state, onEvents = std::move(onEvents)](std::string_view data) {
    if (state->status >= 300) {
      if (state->errorBody.size() < 65536) state->errorBody.append(data);
      return;
    }
    if (state->why) return;
    std::vector<WatchEvent> batch;
    auto decoded = state->decoder.feed(data, batch);
    if (!decoded.ok()) state->why = decoded.status();
    if (!batch.empty()) onEvents(std::move(batch));
  };
  events.onEnd = [state, onEnd = std::move(onEnd)](std::optional<Status> why) {
    if (state->status >= 300) return onEnd(statusOf(state->status, state->errorBody));
    if (state->why) return onEnd(*state->why);
    onEnd(why ? *why : Status::unavailable("the server ended the watch"));
  };
  auto request = watchRequest(info, options);
  finish(request);
  auto task = std::make_shared<StreamTask>(shared_, std::move(events));
  task->start(*http_, std::move(request));
  return std::make_unique<StreamWatch>(std::move(task));
}

std::shared_ptr<void> HttpApiClient::raw(std::string method, std::string pathAndQuery, std::string body,
                                         std::string contentType,
                                         std::function<void(std::string_view)> onData,
                                         Callback<std::string> done) {
  net::Request request;
  request.method = std::move(method);
  size_t mark = pathAndQuery.find('?');
  request.path = pathAndQuery.substr(0, mark);
  if (mark != pathAndQuery.npos) request.query = pathAndQuery.substr(mark + 1);
  request.body = std::move(body);
  const bool wanted = request.method == "GET" && !contentType.empty();
  if (!wanted && !contentType.empty()) request.headers.add("content-type", contentType);
  request.headers.add("accept", wanted ? contentType : "application/json, */*");
  finish(request);
  struct State {
    int status = 0;
    std::string body;
    bool tooLarge = false;
  };
  auto state = std::make_shared<State>();
  StreamTask::Events events;
  events.onHead = [state](int status) { state->status = status; };
  events.onData = [state, onData = std::move(onData), limit = options_.http.maxBody](std::string_view data) {
    if (state->status < 300 && onData) return onData(data);
    if (state->body.size() + data.size() > limit) {
      state->tooLarge = true;
    } else {
      state->body.append(data);
    }
  };
  events.onEnd = [state, done = std::move(done)](std::optional<Status> why) {
    if (state->tooLarge) return done(Status::tooLarge("the answer is too large"));
    if (state->status >= 300) return done(statusOf(state->status, state->body));
    if (why) return done(*why);
    done(std::move(state->body));
  };
  auto task = std::make_shared<StreamTask>(shared_, std::move(events));
  task->start(*http_, std::move(request));
  auto watch = std::make_shared<StreamWatch>(std::move(task));
  return watch;
}

}  // namespace

std::shared_ptr<Client> makeHttpClient(HttpClientOptions options) {
  return std::make_shared<HttpApiClient>(std::move(options));
}

}  // namespace ph::client
