// The API as clients see it: durable creates, gets, patches, watch fan-out; start-up and memory.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "engine/base/check.h"
#include "tests/bench/engine_under_test.h"
#include "tests/bench/kubernetes_under_test.h"
#include "tests/bench/row.h"

using namespace ph;
using namespace ph::bench;
using namespace std::chrono_literals;

namespace {

constexpr int kClients = 64;
const std::string kBase = "/api/v1/namespaces/default/configmaps";

net::Request request(std::string method, std::string path, std::string body = {}, std::string type = "application/json") {
  net::Request r;
  r.method = std::move(method);
  r.path = std::move(path);
  if (!body.empty()) r.headers.add("content-type", std::move(type));
  r.body = std::move(body);
  return r;
}

std::string configMap(int i) {
  return fmt::format(R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"c{}"}},"data":{{"k":"{}"}}}})", i,
                     std::string(1024, 'x'));
}

struct Load {
  double perSecond, p50, p99;  // latencies in milliseconds
  double cpuMicros;            // of the server's CPU a call
};

// `total` requests by kClients clients, each with one under way at a time.
template <class Server>
Load run(const Server& server, std::vector<std::shared_ptr<net::HttpClient>>& clients, int total,
         const std::function<net::Request(int)>& make) {
  std::mutex mutex;
  std::condition_variable done;
  std::vector<double> latencies;
  latencies.reserve(size_t(total));
  std::atomic<int> next{0};
  int finished = 0;
  std::function<void(size_t)> step = [&](size_t c) {
    int i = next++;
    if (i >= total) return;
    double begin = seconds();
    clients[c]->send(make(i), 30s, [&, c, begin](Result<net::Response> r) {
      double took = (seconds() - begin) * 1000;
      PH_CHECK_MSG(r.ok() && r->status < 300, r.ok() ? r->bodyText() : r.status().message);
      step(c);
      // Last: when all have finished, what is captured here goes.
      std::lock_guard lock(mutex);
      latencies.push_back(took);
      if (++finished == total) done.notify_one();
    });
  };
  double cpu = server.cpuSeconds(), begin = seconds();
  for (size_t c = 0; c < clients.size(); ++c) step(c);
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return finished == total; });
  double took = seconds() - begin;
  std::sort(latencies.begin(), latencies.end());
  return {total / took, latencies[latencies.size() / 2], latencies[latencies.size() * 99 / 100],
          (server.cpuSeconds() - cpu) / total * 1e6};
}

// What the disk itself can do in this round: appends of 4 KB, each with an fsync.
double fsyncsPerSecond(const std::string& dir) {
  int fd = open((dir + "/fsync").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  PH_CHECK(fd >= 0);
  std::string block(4096, 'x');
  int count = 0;
  double begin = seconds();
  for (; seconds() - begin < 1; ++count) PH_CHECK(write(fd, block.data(), block.size()) == 4096 && fdatasync(fd) == 0);
  close(fd);
  return count / (seconds() - begin);
}

class Watchers {
 public:
  Watchers(const EngineUnderTest& engine, const std::shared_ptr<net::Io>& io, int count) : clients_(size_t(count)) {
    std::atomic<int> open{0};
    for (auto& client : clients_) {
      client = engine.client(io);
      auto r = request("GET", kBase);
      r.query = "watch=true&resourceVersion=" + std::to_string(revision(client));
      streams_.push_back(client->stream(std::move(r), {.onHeaders = [&open](int status, auto&) { PH_CHECK(status == 200); ++open; },
                                                        .onData = [seen = seen_](std::string_view d) { seen->take(d); },
                                                        .onEnd = [](auto) {}}));
    }
    while (open < count) std::this_thread::yield();
  }
  int64_t events() const { return seen_->events; }
  std::vector<double> delays() {
    std::lock_guard lock(seen_->mutex);
    return seen_->delays;
  }

 private:
  // What came; a callback may outlive the watchers by a moment.
  struct Seen {
    std::atomic<int64_t> events{0};
    std::mutex mutex;
    std::vector<double> delays;

    // Each event ends in a newline; "sent":"SECONDS" in it says when the write was sent.
    void take(std::string_view data) {
      double now = seconds();
      events += std::count(data.begin(), data.end(), '\n');
      size_t at = data.find("\"sent\":\"");
      if (at == std::string_view::npos || data.size() < at + 28) return;
      double sent = std::atof(std::string(data.substr(at + 8, 20)).c_str());
      std::lock_guard lock(mutex);
      if (sent > 0) delays.push_back((now - sent) * 1000);
    }
  };

  static int64_t revision(const std::shared_ptr<net::HttpClient>& client) {
    std::mutex m;
    std::condition_variable cv;
    int64_t result = -1;
    auto r = request("GET", kBase);
    r.query = "limit=1";
    client->send(std::move(r), 10s, [&](Result<net::Response> answer) {
      PH_CHECK(answer.ok());
      std::string text = answer->bodyText();
      size_t at = text.find("\"resourceVersion\":\"") + 19;
      std::lock_guard lock(m);
      result = std::stoll(text.substr(at));
      cv.notify_one();
    });
    std::unique_lock lock(m);
    cv.wait(lock, [&] { return result >= 0; });
    return result;
  }

  std::vector<std::shared_ptr<net::HttpClient>> clients_;
  std::vector<std::shared_ptr<net::StreamHandle>> streams_;
  std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
};

void fanOut(EngineUnderTest& engine, const std::shared_ptr<net::Io>& io,
            std::vector<std::shared_ptr<net::HttpClient>>& clients, int firstName) {
  constexpr int kWatchers = 100, kWrites = 5000, kSlow = 400;
  Watchers watchers(engine, io, kWatchers);
  double begin = seconds();
  run(engine, clients, kWrites, [&](int i) { return request("POST", kBase, configMap(firstName + i)); });
  while (watchers.events() < int64_t(kWatchers) * kWrites) std::this_thread::yield();
  row("watch fan-out, 100 watchers, flat out", kWatchers * kWrites / (seconds() - begin), "events/s", ">= 150000");
  // 200 writes a second, evenly.
  std::atomic<int> answered{0};
  double start = seconds();
  for (int i = 0; i < kSlow; ++i) {
    while (seconds() < start + i / 200.0) std::this_thread::sleep_for(500us);
    std::string body = fmt::format(
        R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"slow{}"}},"data":{{"sent":"{:020.6f}"}}}})", i, seconds());
    clients[size_t(i) % clients.size()]->send(request("POST", kBase, body), 10s, [&](auto) { ++answered; });
  }
  while (answered < kSlow || watchers.events() < int64_t(kWatchers) * (kWrites + kSlow)) std::this_thread::yield();
  auto delays = watchers.delays();
  std::sort(delays.begin(), delays.end());
  PH_CHECK(!delays.empty());
  row("watch delay p50, 100 watchers, 200 writes/s", delays[delays.size() / 2], "ms", "<= 2");
}

template <class Server>
std::vector<std::shared_ptr<net::HttpClient>> connected(const Server& server, const std::shared_ptr<net::Io>& io) {
  std::vector<std::shared_ptr<net::HttpClient>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(server.client(io));
  run(server, clients, kClients, [](int) { return request("GET", "/version"); });
  return clients;
}

// The same creates for Kubernetes, in the same round: the machine's pace is in both.
void besideKubernetes(const char* programs, const std::string& dir, const std::shared_ptr<net::Io>& io, const Load& ours) {
  KubernetesUnderTest kubernetes(programs, dir);
  auto clients = connected(kubernetes, io);
  Load theirs = run(kubernetes, clients, 8000, [](int i) { return request("POST", kBase, configMap(i)); });
  row("the same of Kubernetes' API server and etcd", theirs.perSecond, "/s", "-");
  row("the same of theirs, p99", theirs.p99, "ms", "-");
  row("the same of theirs, CPU a call", theirs.cpuMicros, "us", "-");
  row("engine CPU of a create, share of theirs", ours.cpuMicros / theirs.cpuMicros * 100, "%", "<= 6");
}

}  // namespace

int main() {
  std::string dir = temporaryDir();
  row("disk: 4 KB appends with fsync (this round's yardstick)", fsyncsPerSecond(dir), "/s", "-");
  auto io = net::Io::make(1);
  {
    EngineUnderTest engine(dir + "/data");
    row("engine: start to ready, empty", engine.secondsToReady() * 1000, "ms", "<= 100");
    row("engine resident, empty", engine.residentMiB(), "MiB", "<= 25");
    auto clients = connected(engine, io);
    constexpr int kCreates = 20000;
    Load creates = run(engine, clients, kCreates, [](int i) { return request("POST", kBase, configMap(i)); });
    row("durable creates, 64 TLS clients, 1 KB", creates.perSecond, "/s", ">= 9000");
    row("durable creates, p99", creates.p99, "ms", "<= 25");
    row("durable creates, engine CPU a call", creates.cpuMicros, "us", "<= 60");
    if (auto* programs = std::getenv("PH_BENCH_KUBERNETES")) besideKubernetes(programs, dir + "/kubernetes", io, creates);
    Load gets = run(engine, clients, 40000, [](int i) { return request("GET", fmt::format("{}/c{}", kBase, i % kCreates)); });
    row("gets, 64 TLS clients", gets.perSecond, "/s", ">= 20000");
    row("gets, engine CPU a call", gets.cpuMicros, "us", "-");
    Load patches = run(engine, clients, 20000, [](int i) {
      return request("PATCH", fmt::format("{}/c{}", kBase, i % kCreates), fmt::format(R"({{"data":{{"n":"{}"}}}})", i),
                     "application/merge-patch+json");
    });
    row("patches, 64 TLS clients", patches.perSecond, "/s", ">= 8000");
    fanOut(engine, io, clients, kCreates);
  }
  {
    std::string data = dir + "/restart";
    {
      EngineUnderTest engine(data);
      auto clients = connected(engine, io);
      run(engine, clients, 8000, [](int i) { return request("POST", kBase, configMap(i)); });
    }
    EngineUnderTest again(data);
    row("engine: start to ready, 8000 objects", again.secondsToReady() * 1000, "ms", "<= 500");
  }
}
