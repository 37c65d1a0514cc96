// Pods through the whole engine: created -> bound -> Running, on hollow nodes.
#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
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

}  // namespace

int main(int argc, char** argv) {
  int nodes = argc > 1 ? std::atoi(argv[1]) : 1000, podCount = argc > 2 ? std::atoi(argv[2]) : 7000;
  auto io = net::Io::make(1);
  EngineUnderTest engine(temporaryDir() + "/data");
  Companion hollow({binDir() + "/pilothouse-agent", "--hollow", std::to_string(nodes), "--kubeconfig", engine.kubeconfig()});
  auto client = engine.client(io);
  until([&] { return count(text(*client, request("GET", "/api/v1/nodes")), "\"kubeletVersion\"") >= size_t(nodes); }, 120);

  std::atomic<int> next{0}, created{0};
  auto body = [](int i) {
    return fmt::format(R"({{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p{}"}},"spec":{{"containers":[{{"name":"c","image":"web:1"}}]}}}})", i);
  };
  double begin = seconds();
  std::function<void()> step = [&] {
    int i = next++;
    if (i >= podCount) return;
    client->send(request("POST", "/api/v1/namespaces/default/pods", body(i)), 60s, [&](Result<net::Response> r) {
      PH_CHECK_MSG(r.ok() && r->status == 201, r.ok() ? r->bodyText() : r.status().message);
      ++created;
      step();
    });
  };
  for (int i = 0; i < 64; ++i) step();
  double bound = until([&] { return created == podCount && pods(*client, "fieldSelector=spec.nodeName%3D") == 0; }, 300);
  row(fmt::format("pods created -> bound, {} nodes", nodes), podCount / (bound - begin), "pods/s", ">= 4000");
  double running = until([&] { return pods(*client, "fieldSelector=status.phase%3DRunning") == size_t(podCount); }, 300);
  row(fmt::format("pods created -> Running, {} hollow nodes", nodes), podCount / (running - begin), "pods/s", ">= 1000");
  row(fmt::format("engine resident, {} hollow nodes connected, {} pods", nodes, podCount), engine.residentMiB(), "MiB", "<= 250");
}
