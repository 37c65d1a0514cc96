#include "engine/metrics/collector.h"

#include "engine/api/codec.h"
#include "engine/base/log.h"

namespace ph::metrics {
namespace {

using api::Json;
using api::JsonObject;

const JsonObject* objectAt(const JsonObject* parent, std::string_view key) {
  auto* m = parent ? parent->if_contains(key) : nullptr;
  return m ? m->if_object() : nullptr;
}
std::string textAt(const JsonObject* parent, std::string_view key) {
  auto* m = parent ? parent->if_contains(key) : nullptr;
  auto* s = m ? m->if_string() : nullptr;
  return s ? std::string(s->data(), s->size()) : std::string();
}
uint64_t numberAt(const JsonObject* parent, std::string_view key) {
  auto* m = parent ? parent->if_contains(key) : nullptr;
  if (!m) return 0;
  if (auto* u = m->if_uint64()) return *u;
  auto* n = m->if_int64();
  return n && *n > 0 ? uint64_t(*n) : 0;
}

client::Use useAt(const JsonObject* of) {
  return {numberAt(objectAt(of, "cpu"), "usageNanoCores"), numberAt(objectAt(of, "memory"), "workingSetBytes")};
}

Point pointOf(WallTime at, const client::Use& use) {
  auto fit = [](uint64_t n) { return uint32_t(std::min<uint64_t>(n, UINT32_MAX)); };
  return {at, fit(use.cpuNanoCores / 1000000), fit(use.memoryBytes / 1024)};
}

}  // namespace

std::shared_ptr<Collector> Collector::make(client::Client& client, std::shared_ptr<Executor> executor, CollectorOptions options) {
  return std::shared_ptr<Collector>(new Collector(client, std::move(executor), options));
}

Collector::Collector(client::Client& client, std::shared_ptr<Executor> executor, CollectorOptions options)
    : client_(client), strand_(executor->strand()), options_(options) {}

void Collector::setDialer(std::shared_ptr<client::NodeDialer> dialer) {
  std::lock_guard lock(mutex_);
  dialer_ = std::move(dialer);
}

void Collector::start() {
  strand_->post([self = shared_from_this()] { self->round(); });
}

void Collector::stop() {
  setDialer(nullptr);
  strand_->post([self = shared_from_this()] {
    self->stopped_ = true;
    self->timer_.cancel();
    self->waiting_.clear();
    self->inUse_.clear();
  });
}

void Collector::round() {
  if (stopped_) return;
  std::weak_ptr<Collector> weak = weak_from_this();
  timer_ = strand_->after(options_.interval, [weak] {
    if (auto self = weak.lock()) self->round();
  });
  // A round that is slow goes on; the next one waits for it.
  if (asked_ > 0 || !waiting_.empty()) return;
  auto* nodes = client_.registry().storage("", "nodes");
  if (!nodes) return;
  client_.list(*nodes, {}, [weak](Result<client::ListResult> listed) {
    auto self = weak.lock();
    if (!self || !listed.ok()) return;
    self->strand_->post([self, listed = std::move(listed)] {
      if (self->stopped_ || self->asked_ > 0) return;
      self->waiting_.clear();
      for (auto& node : listed->items) self->waiting_.push_back(node->name());
      self->askNext();
    });
  });
}

void Collector::askNext() {
  std::shared_ptr<client::NodeDialer> dialer;
  {
    std::lock_guard lock(mutex_);
    dialer = dialer_;
  }
  while (!stopped_ && asked_ < options_.maxAtOnce && !waiting_.empty()) {
    auto name = std::move(waiting_.back());
    waiting_.pop_back();
    auto agent = dialer ? dialer->agent(name) : nullptr;
    if (!agent) continue;
    ++asked_;
    net::Request request;
    request.path = "/stats/summary";
    std::weak_ptr<Collector> weak = weak_from_this();
    inUse_.insert(agent);
    agent->send(std::move(request), options_.timeout, [weak, name](Result<net::Response> answer) {
      auto self = weak.lock();
      if (!self) return;
      if (answer.ok() && answer->status == 200) {
        auto taken = self->take(name, answer->bodyText());
        if (!taken.ok()) PH_LOG(Warn, "metrics", "node {}: {}", name, taken.status().message);
      }
      self->strand_->post([self] { self->answered(); });
    });
  }
}

void Collector::answered() {
  if (asked_ > 0) --asked_;
  askNext();
  if (asked_ == 0) inUse_.clear();
}

Result<> Collector::take(const std::string& node, std::string_view summary) {
  PH_ASSIGN(auto tree, api::parseJson(summary));
  auto* all = tree.if_object();
  auto* about = objectAt(all, "node");
  if (!about) return Status::badRequest("the agent's statistics have no node");
  auto now = strand_->wallNow();
  std::lock_guard lock(mutex_);
  auto windowSince = [&](WallTime last) {
    Duration window = now - last;
    return last == WallTime{} || window <= Duration::zero() || window > options_.interval * 4 ? options_.interval : window;
  };
  auto& kept = nodes_[node];
  kept.now = {useAt(about), now, windowSince(kept.now.at)};
  kept.series.add(pointOf(now, kept.now.use));
  auto* pods = all->if_contains("pods");
  if (pods && pods->is_array())
    for (auto& entry : pods->get_array()) {
      auto* pod = entry.if_object();
      auto uid = textAt(objectAt(pod, "podRef"), "uid");
      if (uid.empty()) continue;
      auto& mine = pods_[uid];
      client::PodUse use{{}, now, windowSince(mine.now.at)};
      client::Use sum;
      auto* containers = pod->if_contains("containers");
      if (containers && containers->is_array())
        for (auto& c : containers->get_array()) {
          auto one = useAt(c.if_object());
          sum.cpuNanoCores += one.cpuNanoCores;
          sum.memoryBytes += one.memoryBytes;
          use.containers.push_back({textAt(c.if_object(), "name"), one});
        }
      mine.now = std::move(use);
      mine.series.add(pointOf(now, sum));
    }
  trim(nodes_);
  trim(pods_);
  return {};
}

// A day after it was last heard of, a thing is forgotten; sooner when there are too many.
template <class Map> void Collector::trim(Map& map) {
  auto now = strand_->wallNow();
  if (map.size() > options_.maxSeries) {
    std::vector<WallTime> times;
    for (auto& [key, kept] : map) times.push_back(kept.now.at);
    auto nth = times.begin() + long(map.size() - options_.maxSeries);
    std::nth_element(times.begin(), nth, times.end());
    std::erase_if(map, [&, limit = *nth](auto& entry) { return entry.second.now.at < limit && map.size() > 0; });
  }
  std::erase_if(map, [&](auto& entry) { return now - entry.second.now.at > Series::kDay; });
}

std::optional<client::NodeUse> Collector::node(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto it = nodes_.find(name);
  if (it == nodes_.end() || strand_->wallNow() - it->second.now.at > options_.stale) return std::nullopt;
  return it->second.now;
}

std::optional<client::PodUse> Collector::pod(const std::string& uid) const {
  std::lock_guard lock(mutex_);
  auto it = pods_.find(uid);
  if (it == pods_.end() || strand_->wallNow() - it->second.now.at > options_.stale) return std::nullopt;
  return it->second.now;
}

std::vector<Point> Collector::nodeHistory(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto it = nodes_.find(name);
  return it == nodes_.end() ? std::vector<Point>{} : it->second.series.points();
}

std::vector<Point> Collector::podHistory(const std::string& uid) const {
  std::lock_guard lock(mutex_);
  auto it = pods_.find(uid);
  return it == pods_.end() ? std::vector<Point>{} : it->second.series.points();
}

}  // namespace ph::metrics
