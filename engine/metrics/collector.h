// Collector: asks each node's agent what it and its pods use, four times a minute, and keeps a bounded day of it.
// Threads: start() and stop() once, from any; reading from any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "engine/base/executor.h"
#include "engine/client/client.h"
#include "engine/client/node_dialer.h"
#include "engine/client/usage_source.h"
#include "engine/metrics/series.h"

namespace ph::metrics {

struct CollectorOptions {
  Duration interval = std::chrono::seconds(15);
  Duration timeout = std::chrono::seconds(10);  // of one node's answer
  Duration stale = std::chrono::seconds(60);    // older use is not told any more
  size_t maxAtOnce = 32;                        // nodes asked at the same time
  size_t maxSeries = 20000;                     // kept; what was heard of longest ago goes first
};

class Collector : public client::UsageSource, public std::enable_shared_from_this<Collector> {
 public:
  // `client` must outlive stop().
  static std::shared_ptr<Collector> make(client::Client& client, std::shared_ptr<Executor> executor, CollectorOptions options = {});
  // The way to the agents; null: none.
  void setDialer(std::shared_ptr<client::NodeDialer> dialer);
  void start();
  void stop();

  std::optional<client::NodeUse> node(const std::string& name) const override;
  std::optional<client::PodUse> pod(const std::string& uid) const override;
  // The last day, oldest first.
  std::vector<Point> nodeHistory(const std::string& name) const;
  std::vector<Point> podHistory(const std::string& uid) const;

  // One node's answer (/stats/summary), as if it had just come. An error: it is none.
  Result<> take(const std::string& node, std::string_view summary);

 private:
  Collector(client::Client& client, std::shared_ptr<Executor> executor, CollectorOptions options);
  void round();
  void askNext();
  void answered();
  template <class T> struct Kept {
    T now;
    Series series;
  };
  template <class Map> void trim(Map& map);

  client::Client& client_;
  const std::shared_ptr<Executor> strand_;
  const CollectorOptions options_;
  // Strand only.
  bool stopped_ = false;
  Timer timer_;
  std::vector<std::string> waiting_;
  size_t asked_ = 0;
  std::set<std::shared_ptr<net::HttpClient>> inUse_;
  mutable std::mutex mutex_;  // guards the rest
  std::shared_ptr<client::NodeDialer> dialer_;
  std::map<std::string, Kept<client::NodeUse>> nodes_;
  std::map<std::string, Kept<client::PodUse>> pods_;  // by uid
};

}  // namespace ph::metrics
