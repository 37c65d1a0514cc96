// pilothouse-agent: the node agent, its bridge, its clean-up, and hollow nodes for tests of scale.
#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "agents/agent.h"
#include "agents/flags.h"
#include "agents/hollow.h"
#include "agents/serve/bridge.h"
#include "engine/base/log.h"
#include "engine/client/http_client.h"
#include "engine/client/kubeconfig.h"

namespace {

using namespace ph;
using namespace ph::agents;

constexpr const char* kUsage = R"(pilothouse-agent run [--engine unix:SOCKET | --kubeconfig FILE] [flags]   a node of a cluster
pilothouse-agent cleanup [--state-dir D] [--run-dir D]                    removes all that `run` made
pilothouse-agent bridge --listen SOCKET | --connect SOCKET                standard streams to a socket
pilothouse-agent --hollow N --kubeconfig FILE [--name-prefix P]           N nodes that only pretend

flags of run:
  --node-name N        default: the host's name       --node-ip A         default: of the default route
  --labels a=b,...     of the Node                    --taints k=v:E,...  of the Node
  --state-dir D        /var/lib/pilothouse            --run-dir D         /run/pilothouse
  --log-dir D          /var/log/pods                  --cri SOCKET        an existing runtime instead of our own
  --lease-duration T   8s                             --max-pods N        110
  --cluster-dns A      10.96.0.10                     --cluster-domain D  cluster.local
  --bridge NAME        phbr0                          --cgroup-root C     /pilothouse
  --no-network  --no-proxy  --no-dns                  --log LEVEL         debug, info, warn, error
  --listen A:P --tls-cert F --tls-key F --client-ca F the agent's server on a port
flags of --hollow:
  --cpu N --memory-gb N --max-pods N --lease-duration T --events
)";

int fail(const std::string& why) {
  std::fprintf(stderr, "pilothouse-agent: %s\n", why.c_str());
  return 1;
}

// Ends when one of these comes; they are blocked in every thread that is made after this.
sigset_t blockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, s);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return set;
}

void waitForSignal(const sigset_t& set) {
  for (int got = 0; sigwait(&set, &got) == 0;)
    if (got != SIGHUP) {
      PH_LOG(Info, "agent", "signal {}: stopping", got);
      return;
    }
}

Result<std::vector<Taint>> parseTaints(const std::string& text) {
  std::vector<Taint> out;
  for (size_t at = 0; at < text.size();) {
    auto end = std::min(text.find(',', at), text.size());
    auto part = text.substr(at, end - at);
    auto colon = part.rfind(':');
    if (colon == std::string::npos || colon == 0) return Status::badRequest(fmt::format("--taints: \"{}\" is not of the form key=value:Effect", part));
    auto eq = part.find('=');
    Taint t{part.substr(0, std::min(eq, colon)), eq < colon ? part.substr(eq + 1, colon - eq - 1) : "", part.substr(colon + 1)};
    if (t.effect != "NoSchedule" && t.effect != "PreferNoSchedule" && t.effect != "NoExecute")
      return Status::badRequest(fmt::format("--taints: the effect \"{}\" is none of NoSchedule, PreferNoSchedule, NoExecute", t.effect));
    out.push_back(std::move(t));
    at = end + 1;
  }
  return out;
}

Result<AgentOptions> agentOptions(const Flags& f) {
  AgentOptions o;
  o.nodeName = f.get("node-name");
  o.nodeIp = f.get("node-ip");
  o.engine = f.get("engine");
  o.kubeconfig = f.get("kubeconfig");
  o.stateDir = f.get("state-dir", o.stateDir);
  o.runDir = f.get("run-dir", o.runDir);
  o.logDir = f.get("log-dir", o.logDir);
  o.criSocket = f.get("cri");
  if (o.criSocket.rfind("unix:", 0) == 0) o.criSocket = o.criSocket.substr(o.criSocket.rfind("unix://", 0) == 0 ? 7 : 5);
  o.clusterDns = f.get("cluster-dns", o.clusterDns);
  o.clusterDomain = f.get("cluster-domain", o.clusterDomain);
  o.bridge = f.get("bridge", o.bridge);
  o.cgroupRoot = f.get("cgroup-root", o.cgroupRoot);
  o.network = !f.has("no-network");
  o.proxy = !f.has("no-proxy");
  o.dns = !f.has("no-dns");
  o.listen = f.get("listen");
  o.tlsCert = f.get("tls-cert");
  o.tlsKey = f.get("tls-key");
  o.clientCa = f.get("client-ca");
  PH_ASSIGN(o.leaseDuration, f.duration("lease-duration", o.leaseDuration));
  PH_ASSIGN(o.labels, f.pairs("labels"));
  PH_ASSIGN(o.taints, parseTaints(f.get("taints")));
  PH_ASSIGN(auto maxPods, f.number("max-pods", o.maxPods, 1, 1000));
  o.maxPods = int(maxPods);
  return o;
}

int runAgent(const Flags& flags) {
  auto options = agentOptions(flags);
  if (!options.ok()) return fail(options.status().message);
  // A few long-lived threads and small objects: one arena, and memory given back early.
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, 256 * 1024);
  auto signals = blockSignals();
  auto agent = Agent::make(std::move(*options));
  if (!agent.ok()) return fail(agent.status().message);
  if (auto started = (*agent)->start(); !started.ok()) return fail(started.status().message);
  waitForSignal(signals);
  (*agent)->stop();
  std::_Exit(0);  // all that is kept is on the disk by now
}

int runHollow(const Flags& flags) {
  auto count = flags.number("hollow", 0, 1, 100000);
  auto cpu = flags.number("cpu", 32, 1, 100000), memory = flags.number("memory-gb", 128, 1, 100000), maxPods = flags.number("max-pods", 110, 1, 100000);
  auto lease = flags.duration("lease-duration", std::chrono::seconds(8));
  for (auto* r : {&count, &cpu, &memory, &maxPods})
    if (!r->ok()) return fail(r->status().message);
  if (!lease.ok()) return fail(lease.status().message);
  auto config = client::loadKubeconfig(flags.get("kubeconfig"));
  if (!config.ok()) return fail(config.status().message);
  auto signals = blockSignals();
  auto io = net::Io::make(2);
  std::shared_ptr<const api::Registry> registry = api::Registry::builtin();
  // A hundred nodes share a connection: each has its watch on it.
  std::vector<std::shared_ptr<client::Client>> clients;
  std::vector<std::unique_ptr<HollowNode>> nodes;
  for (int64_t i = 0; i < *count; ++i) {
    if (i % 100 == 0) {
      auto http = client::clientOptions(*config);
      if (!http.ok()) return fail(http.status().message);
      http->io = io;
      http->executor = io->executor();
      http->registry = registry;
      clients.push_back(client::makeHttpClient(std::move(*http)));
    }
    HollowOptions o;
    o.name = flags.get("name-prefix", "hollow-") + std::to_string(i);
    o.number = uint32_t(i);
    o.cpuMilli = *cpu * 1000;
    o.memoryBytes = *memory << 30;
    o.maxPods = int(*maxPods);
    o.leaseDuration = *lease;
    o.events = flags.has("events");
    nodes.push_back(makeHollowNode(*clients.back(), io->executor(), std::move(o)));
  }
  PH_LOG(Info, "agent", "{} hollow nodes at {}", *count, config->server);
  waitForSignal(signals);
  std::_Exit(0);  // as machines whose power fails
}

int runBridge(const Flags& flags) {
  if (flags.has("listen") == flags.has("connect")) return fail("bridge needs --listen SOCKET or --connect SOCKET");
  return flags.has("listen") ? bridgeListen(flags.get("listen")) : bridgeConnect(flags.get("connect"));
}

}  // namespace

int main(int argc, char** argv) {
  static const std::set<std::string> known = {
      "node-name", "node-ip", "engine", "kubeconfig", "state-dir", "run-dir", "log-dir", "cri", "cluster-dns", "cluster-domain", "bridge", "cgroup-root",
      "lease-duration", "labels", "taints", "max-pods", "log", "listen", "connect", "tls-cert", "tls-key", "client-ca", "hollow", "name-prefix", "cpu", "memory-gb"};
  static const std::set<std::string> bare = {"no-network", "no-proxy", "no-dns", "events", "help", "version"};
  auto flags = Flags::parse({argv + 1, argv + argc}, known, bare);
  if (!flags.ok()) return fail(flags.status().message);
  auto command = flags->words().empty() ? std::string(flags->has("hollow") ? "hollow" : "") : flags->words().front();
  if (flags->has("version") || command == "version") return std::printf("pilothouse-agent %s\n", PH_VERSION) < 0;
  ph::log::setLevel(ph::log::parseLevel(flags->get("log", "info")));
  if (flags->words().size() <= 1 && !flags->has("help")) {
    if (command == "run") return runAgent(*flags);
    if (command == "hollow") return runHollow(*flags);
    if (command == "bridge") return runBridge(*flags);
    if (command == "cleanup") {
      auto options = agentOptions(*flags);
      if (!options.ok()) return fail(options.status().message);
      return cleanUp(*options) ? 0 : 1;
    }
  }
  std::fputs(kUsage, flags->has("help") ? stdout : stderr);
  return flags->has("help") ? 0 : 2;
}
