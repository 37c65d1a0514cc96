// Pods through the whole engine: created -> bound -> Running, on hollow nodes.
#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/base/check.h"
#include "tests/bench/engine_under_test.h"
#include "tests/bench/row.h"

using namespace ph;
using namespace ph::bench;
using namespace std::chrono_literals;

namespace {

net::Request request(std::string method, std::string path, std::string body = {}) {
  net::Request r;
  r.method = std::move(method);
  r.path = std::move(path);
  if (!body.empty()) r.headers.add("content-type", "application/json");
  r.body = std::move(body);
  return r;
}

std::string text(net::HttpClient& client, net::Request r) {
  std::mutex m;
  std::condition_variable cv;
  bool done = false;
  std::string body;
  client.send(std::move(r), 60s, [&](Result<net::Response> answer) {
    PH_CHECK_MSG(answer.ok() && answer->status < 300, answer.ok() ? answer->bodyText() : answer.status().message);
    std::lock_guard lock(m);
    body = answer->bodyText();
    done = true;
    cv.notify_one();
  });
  std::unique_lock lock(m);
  cv.wait(lock, [&] { return done; });
  return body;
}

size_t count(const std::string& in, std::string_view what) {
  size_t n = 0;
  for (size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + what.size())) ++n;
  return n;
}

// Polls a list, since what is measured is what any client could see. The poll itself is paced by its own answer.
double until(const std::function<bool()>& holds, double limit) {
  double begin = seconds();
  while (!holds()) {
    PH_CHECK_MSG(seconds() - begin < limit, "it did not happen in time");
    std::this_thread::sleep_for(50ms);
  }
  return seconds();
}

size_t pods(net::HttpClient& client, const char* selector) {
  auto r = request("GET", "/api/v1/namespaces/default/pods");
  r.query = selector;
  r.headers.add("accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
  return count(text(client, std::move(r)), "\"uid\":");
}

// `total` requests, 64 under way at a time; answers when all are done.
void sendAll(net::HttpClient& client, int total, const std::function<net::Request(int)>& make) {
  struct Load {
    std::atomic<int> next{0};
    std::mutex mutex;
    std::condition_variable done;
    int left;
  };
  auto load = std::make_shared<Load>();
  load->left = total;
  std::function<void()> step = [load, total, &client, &make, &step] {
    int i = load->next++;
    if (i >= total) return;
    client.send(make(i), 60s, [load, &step](Result<net::Response> r) {
      PH_CHECK_MSG(r.ok() && r->status < 300, r.ok() ? r->bodyText() : r.status().message);
      step();
      std::lock_guard lock(load->mutex);
      if (--load->left == 0) load->done.notify_one();
    });
  };
  for (int i = 0; i < 64; ++i) step();
  std::unique_lock lock(load->mutex);
  load->done.wait(lock, [&] { return load->left == 0; });
}

net::Request newPod(int i) {
  return request("POST", "/api/v1/namespaces/default/pods",
                 fmt::format(R"({{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p{}"}},"spec":{{"containers":[{{"name":"c","image":"web:1"}}]}}}})", i));
}

// Asked for one that is not yet so: the answer is small, and cheap beside what is measured.
bool allBound(net::HttpClient& client) { return pods(client, "fieldSelector=spec.nodeName%3D&limit=1") == 0; }
bool allRunning(net::HttpClient& client) { return pods(client, "fieldSelector=status.phase%21%3DRunning&limit=1") == 0; }

// Nodes that nobody stands behind: what the engine alone does.
void onFakeNodes(const std::shared_ptr<net::Io>& io, int nodes, int podCount) {
  EngineUnderTest engine(temporaryDir() + "/data");
  auto client = engine.client(io);
  sendAll(*client, nodes, [](int i) {
    return request("POST", "/api/v1/nodes", fmt::format(R"({{"apiVersion":"v1","kind":"Node","metadata":{{"name":"fake-{}"}}}})", i));
  });
  sendAll(*client, nodes, [](int i) {
    auto r = request("PATCH", fmt::format("/api/v1/nodes/fake-{}/status", i), R"({"status":{"capacity":{"cpu":"8","memory":"16Gi","pods":"110"},
      "allocatable":{"cpu":"8","memory":"16Gi","pods":"110"},"conditions":[{"type":"Ready","status":"True"}]}})");
    r.headers.set("content-type", "application/merge-patch+json");
    return r;
  });
  double begin = seconds(), cpu = engine.cpuSeconds();
  sendAll(*client, podCount, newPod);
  double bound = until([&] { return allBound(*client); }, 300);
  row(fmt::format("pods created -> bound, {} fake nodes", nodes), podCount / (bound - begin), "pods/s", ">= 4000");
  row(fmt::format("pods created -> bound, {} fake nodes, engine CPU a pod", nodes), (engine.cpuSeconds() - cpu) / podCount * 1e6, "us", "-");
  row(fmt::format("engine resident, {} fake nodes, {} pods", nodes, podCount), engine.residentMiB(), "MiB", nodes == 1000 ? "<= 150" : "-");
}

void onHollowNodes(const std::shared_ptr<net::Io>& io, int nodes, int podCount) {
  EngineUnderTest engine(temporaryDir() + "/data");
  Companion hollow({binDir() + "/pilothouse-agent", "--hollow", std::to_string(nodes), "--kubeconfig", engine.kubeconfig()});
  auto client = engine.client(io);
  until([&] { return count(text(*client, request("GET", "/api/v1/nodes")), "\"kubeletVersion\"") >= size_t(nodes); }, 120);
  double begin = seconds();
  sendAll(*client, podCount, newPod);
  double running = until([&] { return allRunning(*client); }, 300);
  row(fmt::format("pods created -> Running, {} hollow nodes", nodes), podCount / (running - begin), "pods/s", ">= 1000");
  row(fmt::format("engine resident, {} hollow nodes connected, {} pods", nodes, podCount), engine.residentMiB(), "MiB", "<= 250");
}

}  // namespace

int main(int argc, char** argv) {
  int nodes = argc > 1 ? std::atoi(argv[1]) : 1000, podCount = argc > 2 ? std::atoi(argv[2]) : 7000;
  auto io = net::Io::make(1);
  onFakeNodes(io, nodes, podCount);
  onFakeNodes(io, nodes * 5, podCount);
  onHollowNodes(io, nodes, podCount);
}
