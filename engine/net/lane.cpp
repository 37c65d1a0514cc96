#include "engine/net/lane.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <ctime>

namespace ph::net {

namespace asio = boost::asio;

namespace {
thread_local Lane* currentLane = nullptr;
}

Lane::Lane() : context_(std::make_unique<asio::io_context>(1)), readBuffer_(new char[kReadRoom]) {}
Lane::~Lane() = default;

Lane* Lane::current() {
  return currentLane;
}

void Lane::run() {
  currentLane = this;
  auto guard = asio::make_work_guard(*context_);
  context_->run();
  currentLane = nullptr;
}

void Lane::halt() {
  post([this] { context_->stop(); });
}

void Lane::dispose() {
  std::vector<std::shared_ptr<Wakeable>> dropped;
  {
    std::lock_guard lock(mutex_);
    alive_ = false;
    dropped.swap(wakes_);
  }
  dropped.clear();
  context_.reset();
}

void Lane::post(Task task) {
  std::lock_guard lock(mutex_);
  if (alive_) asio::post(*context_, std::move(task));
}

void Lane::wake(std::shared_ptr<Wakeable> who) {
  std::lock_guard lock(mutex_);
  if (!alive_) return;
  wakes_.push_back(std::move(who));
  if (wakes_.size() == 1) asio::post(*context_, [this] { runWakes(); });
}

void Lane::runWakes() {
  {
    std::lock_guard lock(mutex_);
    running_.swap(wakes_);
  }
  for (auto& who : running_) who->onWake();
  running_.clear();
}

void Lane::after(Duration delay, Task task, std::shared_ptr<std::atomic<bool>> cancelled) {
  // The timer belongs to the event loop's thread, so it is made there; the delay counts from now.
  auto due = std::chrono::steady_clock::now() + delay;
  post([this, due, task = std::move(task), cancelled = std::move(cancelled)]() mutable {
    auto timer = std::make_shared<asio::steady_timer>(*context_, due);
    timer->async_wait([timer, task = std::move(task), cancelled = std::move(cancelled)](auto error) {
      if (!error && !cancelled->load(std::memory_order_acquire)) task();
    });
  });
}

const std::string& Lane::httpDate() {
  auto second =
      std::chrono::duration_cast<std::chrono::seconds>(systemClock().wallNow().time_since_epoch()).count();
  if (second != dateSecond_) {
    dateSecond_ = second;
    time_t t = second;
    tm parts{};
    gmtime_r(&t, &parts);
    static const char* const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char* const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[64];
    int n =
        snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday], parts.tm_mday,
                 months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
    date_.assign(text, size_t(n));
  }
  return date_;
}

struct Deadline::State : std::enable_shared_from_this<Deadline::State> {
  State(Lane& lane, Task task) : timer(lane.context()), onExpired(std::move(task)) {}

  void arm() {
    armedFor = wanted;
    armed = true;
    timer.expires_after(std::max(wanted - systemClock().monoNow(), Duration::zero()));
    timer.async_wait([self = shared_from_this(), round = ++round](auto) {
      if (self->round == round) self->fired();
    });
  }

  void fired() {
    armed = false;
    if (!active || !onExpired) return;
    if (systemClock().monoNow() < wanted) return arm();
    active = false;
    onExpired();
  }

  asio::steady_timer timer;
  Task onExpired;
  MonoTime wanted{}, armedFor{};
  bool active = false, armed = false;
  uint64_t round = 0;
};

Deadline::Deadline(Lane& lane, Task onExpired)
    : state_(std::make_shared<State>(lane, std::move(onExpired))) {}

Deadline::~Deadline() {
  ++state_->round;
  state_->active = false;
  state_->timer.cancel();
  // The callback may be what is destroying us: it goes with the state.
}

void Deadline::set(MonoTime at) {
  state_->wanted = at;
  state_->active = true;
  if (!state_->armed || at < state_->armedFor) state_->arm();
}

void Deadline::clear() {
  state_->active = false;
}

}  // namespace ph::net
