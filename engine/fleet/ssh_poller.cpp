#include "engine/fleet/ssh_poller.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/base/log.h"
#include "engine/fleet/bridge.h"
#include "engine/fleet/problem.h"

namespace ph::fleet {
namespace {

using namespace std::chrono_literals;
constexpr Duration kMinListenPause = 100ms, kMaxListenPause = 5s;
constexpr Duration kQuickAnswer = 20s;  // a dialled bridge must be open by then

std::string oneLine(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

struct Dial {
  std::unique_ptr<Bridge> bridge;
  std::function<void(Result<int>)> done;  // null once answered
  MonoTime since{};
};

struct Link {
  LinkSpec spec;
  ssh_session_struct* session = nullptr;
  int fd = -1;
  ssh_counter_struct traffic{};  // libssh counts what it reads, in whichever call that happens
  uint64_t seenBytes = 0;        // of it, when last looked at
  MonoTime heard{};
  std::unique_ptr<Bridge> listener;
  MonoTime listenAt{};  // when the next one starts
  Duration listenPause = kMinListenPause;
  std::vector<Dial> dials;

  ~Link() {
    for (auto& d : dials)
      if (d.done) d.done(Status::unavailable("the connection to the machine was lost"));
    dials.clear();
    listener.reset();
    if (session) SshSession::closeHandle(session);
  }
};

class Poller : public SshPoller {
 public:
  Poller(Duration keepalive, Duration silence) : keepalive_(keepalive), silence_(silence) {
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    PH_CHECK(wake_ >= 0);
    thread_ = std::thread([this] { run(); });
  }

  ~Poller() override {
    command([this] { stopping_ = true; });
    thread_.join();
    ::close(wake_);
  }

  Id add(std::unique_ptr<SshSession> session, LinkSpec spec) override {
    const Id id = ++lastId_;
    auto link = std::make_shared<Link>();
    link->spec = std::move(spec);
    link->session = session->release();
    link->fd = ssh_get_fd(link->session);
    ssh_set_blocking(link->session, 0);
    ssh_set_counters(link->session, &link->traffic, nullptr);
    // libssh writes only after poll() said it may; with this, such a write never waits for the rest to fit.
    ::fcntl(link->fd, F_SETFL, ::fcntl(link->fd, F_GETFL) | O_NONBLOCK);
    command([this, id, link] {
      link->heard = now();
      links_[id] = link;
    });
    return id;
  }

  void remove(Id id) override {
    command([this, id] { links_.erase(id); });
  }

  void dial(Id id, std::function<void(Result<int>)> done) override {
    command([this, id, done = std::move(done)]() mutable {
      auto it = links_.find(id);
      if (it == links_.end()) return done(Status::unavailable("there is no connection to the machine"));
      Link& link = *it->second;
      if (static_cast<int>(link.dials.size()) >= link.spec.maxConnects)
        return done(Status::tooManyRequests("too many streams to this machine at once", 1));
      link.dials.push_back({std::make_unique<Bridge>(link.session, link.spec.connectCommand), std::move(done), now()});
    });
  }

 private:
  static MonoTime now() { return systemClock().monoNow(); }

  void command(std::function<void()> task) {
    {
      std::lock_guard lock(mutex_);
      commands_.push_back(std::move(task));
    }
    uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
  }

  void run() {
    ::pthread_setname_np(::pthread_self(), "fleet-ssh");
    std::vector<pollfd> fds;
    std::vector<Id> owner;
    while (!stopping_) {
      collect(fds, owner);
      ::poll(fds.data(), fds.size(), static_cast<int>(std::max<int64_t>(0, untilNextTick())));
      std::vector<Id> busy;
      if (fds[0].revents) drainWake();
      for (size_t i = 1; i < fds.size(); ++i)
        if (fds[i].revents && (busy.empty() || busy.back() != owner[i])) busy.push_back(owner[i]);
      runCommands();
      const bool tick = now() >= nextTick_;
      if (tick) {
        // Time in which nobody looked and asked is not the machines' silence.
        const Duration late = now() - nextTick_;
        if (nextTick_ != MonoTime{} && late > keepalive_)
          for (auto& [id, link] : links_) link->heard += late;
        nextTick_ = now() + keepalive_;
      }
      std::vector<Id> all;
      for (auto& [id, link] : links_) all.push_back(id);
      for (Id id : all)
        if (tick || dirty_ || std::binary_search(busy.begin(), busy.end(), id) || listenDue(id)) service(id, tick);
      dirty_ = false;
    }
    links_.clear();
    runCommands();
  }

  // Links stand in order of their ids, so `owner` is sorted.
  void collect(std::vector<pollfd>& fds, std::vector<Id>& owner) {
    fds.assign(1, {wake_, POLLIN, 0});
    owner.assign(1, 0);
    auto add = [&](Id id, int fd, short events) {
      if (fd < 0 || !events) return;
      fds.push_back({fd, events, 0});
      owner.push_back(id);
    };
    for (auto& [id, link] : links_) {
      add(id, link->fd, static_cast<short>(POLLIN | (ssh_get_poll_flags(link->session) & SSH_WRITE_PENDING ? POLLOUT : 0)));
      if (link->listener) add(id, link->listener->fd(), link->listener->pollEvents());
      for (auto& d : link->dials) add(id, d.bridge->fd(), d.bridge->pollEvents());
    }
  }

  int64_t untilNextTick() {
    MonoTime next = nextTick_;
    for (auto& [id, link] : links_)
      if (!link->listener) next = std::min(next, link->listenAt);
    return std::chrono::ceil<std::chrono::milliseconds>(next - now()).count();
  }

  bool listenDue(Id id) {
    auto it = links_.find(id);
    return it != links_.end() && !it->second->listener && now() >= it->second->listenAt;
  }

  void drainWake() {
    uint64_t count;
    while (::read(wake_, &count, sizeof count) > 0) {}
  }

  void runCommands() {
    std::vector<std::function<void()>> list;
    {
      std::lock_guard lock(mutex_);
      list.swap(commands_);
    }
    dirty_ = dirty_ || !list.empty();
    for (auto& task : list) task();
  }

  void service(Id id, bool tick) {
    auto it = links_.find(id);
    if (it == links_.end()) return;
    auto link = it->second;
    ssh_execute_message_callbacks(link->session);  // takes in what has come, whichever channel it is for
    // Asks, or takes the answer to the last question: so a question goes out every second tick.
    if (tick) ssh_send_keepalive(link->session);
    for (int round = 0; round < 8 && moveAll(*link); ++round) {}
    // Whatever the machine sends, an answer to a keep-alive too, shows that it lives.
    if (std::exchange(link->seenBytes, link->traffic.in_bytes) != link->traffic.in_bytes) link->heard = now();
    if (!ssh_is_connected(link->session)) {
      const std::string why = ssh_get_error(link->session);
      // libssh words an end of the stream as whatever errno was left.
      const bool ended = why.empty() || why.find("Resource temporarily") != std::string::npos || why.find("Success") != std::string::npos;
      return lose(id, ended ? "closed by the machine" : why);
    }
    if (now() - link->heard > silence_)
      return lose(id, fmt::format("no answer for {:.1f} s", std::chrono::duration<double>(now() - link->heard).count()));
  }

  bool moveAll(Link& link) {
    bool moved = serveListener(link);
    for (auto& d : link.dials) moved |= serveDial(d);
    std::erase_if(link.dials, [](const Dial& d) {
      const bool gaveUp = !d.done && d.bridge->state() != Bridge::State::Open;
      return gaveUp || d.bridge->state() == Bridge::State::Ended;
    });
    return moved;
  }

  bool serveListener(Link& link) {
    if (!link.listener) {
      if (now() < link.listenAt) return false;
      link.listener = std::make_unique<Bridge>(link.session, link.spec.listenCommand);
    }
    Bridge& b = *link.listener;
    bool moved = b.step();
    if (b.state() == Bridge::State::Open && b.heard() && !b.hasSocket()) {
      auto socket = b.makeSocket();
      if (socket.ok()) {
        link.spec.onStream(socket.value());
        link.listenPause = kMinListenPause;
        moved = true;
      } else {
        PH_LOG(Error, "fleet", "{}: {}", link.spec.name, socket.status().message);
      }
    }
    if (b.state() == Bridge::State::Ended) {
      if (!b.said().empty() || !b.failure().empty())
        PH_LOG(Warn, "fleet", "{}: the bridge to the engine ended: {} {}", link.spec.name, b.failure(), oneLine(b.said()));
      link.listener.reset();
      link.listenAt = now() + link.listenPause;
      link.listenPause = std::min(link.listenPause * 2, kMaxListenPause);
    }
    return moved;
  }

  bool serveDial(Dial& d) {
    Bridge& b = *d.bridge;
    bool moved = b.step();
    if (b.state() == Bridge::State::Open && d.done) {
      std::exchange(d.done, nullptr)(b.makeSocket());
      moved = true;
    }
    if (b.state() == Bridge::State::Ended && !b.said().empty())
      PH_LOG(Debug, "fleet", "a bridge to an agent ended: {}", oneLine(b.said()));
    if (d.done && b.state() == Bridge::State::Ended)
      std::exchange(d.done, nullptr)(Status::unavailable("no stream to the agent: " + b.failure()));
    if (d.done && now() - d.since > kQuickAnswer)
      std::exchange(d.done, nullptr)(Status::timeout("the machine does not start a stream to the agent"));
    return moved;
  }

  void lose(Id id, std::string reason) {
    auto it = links_.find(id);
    auto link = std::move(it->second);
    links_.erase(it);
    auto onLost = std::move(link->spec.onLost);
    link.reset();
    if (onLost) onLost(std::move(reason));
  }

  const Duration keepalive_, silence_;
  int wake_ = -1;
  std::thread thread_;
  std::mutex mutex_;
  std::vector<std::function<void()>> commands_;
  std::atomic<Id> lastId_{0};
  // The polling thread's own.
  std::map<Id, std::shared_ptr<Link>> links_;
  MonoTime nextTick_{};
  bool stopping_ = false, dirty_ = false;
};

}  // namespace

std::unique_ptr<SshPoller> SshPoller::make(Duration keepalive, Duration silence) {
  return std::make_unique<Poller>(keepalive, silence);
}

}  // namespace ph::fleet
