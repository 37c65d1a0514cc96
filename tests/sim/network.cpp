#include "tests/sim/network.h"

namespace ph::sim {

using client::Callback;
using client::WatchEvent;

void Network::engineChanged() {
  ++life_;
  for (auto* l : links_) l->breakAll();
}

struct Link::Stream {
  std::unique_ptr<client::Watch> inner;
  std::function<void(std::vector<WatchEvent>)> onEvents;
  std::function<void(Status)> onEnd;
  MonoTime last{};      // when the newest batch arrives: batches keep their order
  bool over = false;    // dropped by its owner, or ended
  bool broken = false;  // it will end, but its owner does not know yet
};

namespace {

struct Handle : client::Watch {
  explicit Handle(std::function<void()> f) : drop(std::move(f)) {}
  ~Handle() override { drop(); }
  std::function<void()> drop;
};

Status noAnswer() {
  return Status::unavailable("no answer");
}

}  // namespace

Link::Link(Network& network, std::string user) : network_(network), user_(std::move(user)) {
  network_.links_.push_back(this);
}

Link::~Link() {
  *alive_ = false;
  std::erase(network_.links_, this);
}

std::shared_ptr<client::Client> Link::engine() {
  if (cut_) return nullptr;
  if (clientLife_ != network_.life() || !client_) {
    client_ = network_.connect(user_);
    clientLife_ = network_.life();
  }
  return client_;
}

void Link::cut(bool yes) {
  cut_ = yes;
  if (yes) breakAll();
}

// Nothing in flight arrives any more.
void Link::breakAll() {
  client_.reset();
  for (auto& [id, fail] : std::exchange(waiting_, {}))
    network_.sim->after(network_.patience(), fail).detach();
  for (auto& [id, s] : std::exchange(streams_, {})) {
    s->broken = true;
    s->inner.reset();
    network_.sim
        ->after(network_.patience(),
                [s = s] {
                  if (!std::exchange(s->over, true)) s->onEnd(noAnswer());
                })
        .detach();
  }
}

template <class T>
void Link::call(std::function<void(client::Client&, Callback<T>)> ask, Callback<T> done) {
  uint64_t id = ++next_;
  waiting_[id] = [done] { done(noAnswer()); };
  auto sim = network_.sim;
  auto giveUp = [this, alive = alive_, id] {
    if (!*alive) return;
    auto it = waiting_.find(id);
    if (it == waiting_.end()) return;
    auto fail = std::move(it->second);
    waiting_.erase(it);
    network_.sim->after(network_.patience(), fail).detach();
  };
  sim->after(network_.delay(),
             [this, alive = alive_, id, ask, done, giveUp, sim] {
               if (!*alive || !waiting_.contains(id)) return;
               auto client = engine();
               if (!client || network_.lost()) return giveUp();
               ask(*client, [this, alive, id, done, giveUp, sim, client](Result<T> result) {
                 if (!*alive || !waiting_.contains(id)) return;
                 if (network_.lost()) return giveUp();  // done, but nobody is told
                 auto shared = std::make_shared<Result<T>>(std::move(result));
                 sim->after(network_.delay(),
                            [this, alive, id, done, shared] {
                              if (!*alive || !waiting_.erase(id)) return;
                              done(std::move(*shared));
                            })
                     .detach();
               });
             })
      .detach();
}

void Link::get(const api::ResourceInfo& info, std::string ns, std::string name,
               Callback<api::ObjectPtr> done) {
  call<api::ObjectPtr>(
      [&info, ns, name](client::Client& c, Callback<api::ObjectPtr> d) { c.get(info, ns, name, d); }, done);
}

void Link::list(const api::ResourceInfo& info, client::ListOptions options,
                Callback<client::ListResult> done) {
  call<client::ListResult>(
      [&info, options](client::Client& c, Callback<client::ListResult> d) { c.list(info, options, d); },
      done);
}

void Link::write(client::Write write, Callback<api::ObjectPtr> done) {
  call<api::ObjectPtr>([write](client::Client& c, Callback<api::ObjectPtr> d) { c.write(write, d); }, done);
}

void Link::writeAll(std::vector<client::Write> writes,
                    std::function<void(std::vector<Result<api::ObjectPtr>>)> done) {
  using All = std::vector<Result<api::ObjectPtr>>;
  size_t count = writes.size();
  call<All>(
      [writes](client::Client& c, Callback<All> d) {
        c.writeAll(writes, [d](All all) { d(Result<All>(std::move(all))); });
      },
      [done, count](Result<All> r) { done(r.ok() ? std::move(*r) : All(count, r.status())); });
}

std::unique_ptr<client::Watch> Link::watch(const api::ResourceInfo& info, client::WatchOptions options,
                                           std::function<void(std::vector<WatchEvent>)> onEvents,
                                           std::function<void(Status)> onEnd) {
  auto s = std::make_shared<Stream>();
  s->onEvents = std::move(onEvents);
  s->onEnd = std::move(onEnd);
  uint64_t id = ++next_;
  streams_[id] = s;
  auto sim = network_.sim;
  auto snap = [this, alive = alive_, id] {
    if (!*alive) return;
    auto it = streams_.find(id);
    if (it == streams_.end()) return;
    auto stream = it->second;
    streams_.erase(it);
    stream->broken = true;
    stream->inner.reset();
    network_.sim
        ->after(network_.patience(),
                [stream] {
                  if (!std::exchange(stream->over, true)) stream->onEnd(noAnswer());
                })
        .detach();
  };
  sim->after(network_.delay(),
             [this, alive = alive_, s, snap, sim, &info, options] {
               if (!*alive || s->over || s->broken) return;
               auto client = engine();
               if (!client || network_.lost()) return snap();
               auto arrive = [this, s, sim](std::function<void()> task) {
                 s->last = std::max(s->last + Duration(1), sim->monoNow() + network_.delay());
                 sim->after(s->last - sim->monoNow(),
                            [s, task = std::move(task)] {
                              if (!s->over && !s->broken) task();
                            })
                     .detach();
               };
               auto weak = std::weak_ptr(s);
               s->inner = client->watch(
                   info, options,
                   [this, alive, weak, arrive, snap](std::vector<WatchEvent> events) {
                     auto stream = weak.lock();
                     if (!*alive || !stream || stream->over || stream->broken) return;
                     if (network_.lost()) return snap();
                     auto batch = std::make_shared<std::vector<WatchEvent>>(std::move(events));
                     arrive([stream = stream.get(), batch] { stream->onEvents(std::move(*batch)); });
                   },
                   [alive, weak, arrive](Status status) {
                     auto stream = weak.lock();
                     if (!*alive || !stream || stream->over || stream->broken) return;
                     arrive([stream = stream.get(), status] {
                       stream->over = true;
                       stream->onEnd(status);
                     });
                   });
             })
      .detach();
  return std::make_unique<Handle>([this, alive = alive_, id, s] {
    s->over = true;
    s->inner.reset();
    if (*alive) streams_.erase(id);
  });
}

std::shared_ptr<void> Link::raw(std::string, std::string, std::string, std::string,
                                std::function<void(std::string_view)>, Callback<std::string> done) {
  network_.sim->post([done] { done(noAnswer()); });
  return nullptr;
}

}  // namespace ph::sim
