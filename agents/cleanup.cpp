#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <future>

#include "agents/agent.h"
#include "agents/host_traces.h"
#include "agents/node/network.h"
#include "agents/os/files.h"
#include "agents/os/process.h"
#include "agents/runtime/containerd.h"
#include "agents/runtime/cri_runtime.h"

namespace ph::agents {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

void endAgent(const std::string& runDir) {
  auto pid = pid_t(std::atoi(readTrimmed(runDir + "/agent.lock").c_str()));
  if (pid <= 1 || pid == ::getpid()) return;
  auto line = readFile(fmt::format("/proc/{}/cmdline", pid), 4096);
  if (line.find("pilothouse-agent") == std::string::npos) return;
  for (int tries = 0; tries < 100 && ::kill(pid, tries < 50 ? SIGTERM : SIGKILL) == 0; ++tries) ::poll(nullptr, 0, 100);
}

// The one thread here waits for an answer of the runtime's strand.
template <class T> Result<T> await(const std::function<void(Done<T>)>& begin) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  auto future = promise->get_future();
  begin([promise](Result<T> r) { promise->set_value(std::move(r)); });
  if (future.wait_for(seconds(60)) != std::future_status::ready) return Status::timeout("the runtime does not answer");
  return future.get();
}

bool removePods(const std::string& socket, const std::string& logDir, bool all) {
  auto io = net::Io::make(1);
  auto strand = io->executor()->strand();
  CriOptions options;
  options.socket = socket;
  auto runtime = std::make_shared<CriRuntime>(io, strand, options);
  auto list = await<std::vector<Sandbox>>([&](auto done) { strand->post([=] { runtime->listSandboxes(done); }); });
  if (!list.ok()) {
    std::fprintf(stderr, "pods: %s\n", list.status().message.c_str());
    return false;
  }
  bool fine = true;
  for (auto& s : *list) {
    // In a runtime that others use too, only the pods whose logs stand where ours do.
    if (!all && !exists(fmt::format("{}/{}_{}_{}", logDir, s.ns, s.name, s.uid))) continue;
    auto stopped = await<void>([&](auto done) { strand->post([=, id = s.id] { runtime->stopSandbox(id, done); }); });
    auto removed = await<void>([&](auto done) { strand->post([=, id = s.id] { runtime->removeSandbox(id, done); }); });
    if (!stopped.ok() || !removed.ok()) {
      std::fprintf(stderr, "pod %s/%s: %s\n", s.ns.c_str(), s.name.c_str(), (!removed.ok() ? removed : stopped).status().message.c_str());
      fine = false;
    }
    removeHostTraces(logDir, "", s.uid);
  }
  return fine;
}

}  // namespace

bool cleanUp(const AgentOptions& o) {
  bool fine = true;
  auto must = [&](Result<> r) {
    if (r.ok()) return;
    std::fprintf(stderr, "%s\n", r.status().message.c_str());
    fine = false;
  };
  endAgent(o.runDir);
  ContainerdOptions containerd{o.stateDir, o.runDir, o.runDir + "/cni"};
  auto socket = o.criSocket.empty() ? o.runDir + "/containerd/containerd.sock" : o.criSocket;
  if (exists(socket)) fine = removePods(socket, o.logDir, o.criSocket.empty()) && fine;
  for (auto& uid : listFolder(o.stateDir + "/pods")) removeHostTraces(o.logDir, "", uid);
  if (o.criSocket.empty()) must(Containerd::remove(containerd));
  for (int tries = 0; !removeCgroups(o.cgroupRoot); ++tries) {  // the kernel is a moment behind the last process
    if (tries == 50) {
      std::fprintf(stderr, "cgroups below %s are still in use\n", o.cgroupRoot.c_str());
      fine = false;
      break;
    }
    ::poll(nullptr, 0, 50);
  }
  NetworkOptions network;
  network.cniConfDir = o.runDir + "/cni";
  network.runDir = o.runDir;
  network.bridge = o.bridge;
  Network::remove(network);
  if (!findProgram("nft").empty())
    if (auto r = run({"nft", "-f", "-"}, "table ip pilothouse {}\ndelete table ip pilothouse\n", seconds(20)); !r.ok() || r->exitCode != 0) {
      std::fprintf(stderr, "nftables: %s\n", r.ok() ? r->err.c_str() : r.status().message.c_str());
      fine = false;
    }
  if (auto r = run({"ip", "addr", "delete", o.clusterDns + "/32", "dev", "lo"}, "", seconds(10)); !r.ok()) std::fprintf(stderr, "%s\n", r.status().message.c_str());
  must(unmountBelow(o.stateDir));
  must(unmountBelow(o.runDir));
  // The folders may hold what others put there (an installer's receipt): only what is ours goes, and they when they are empty.
  for (auto* name : {"pods", "manifests", "archives", "containerd", "containerd.log", "containerd.log.1", "services", "services.new", "machine-id", "certs.d"})
    must(removeTree(o.stateDir + "/" + name));
  for (auto* name : {"cni", "containerd", "ipam", "agent.sock", "agent.lock"}) must(removeTree(o.runDir + "/" + name));
  if (listFolder(o.logDir).empty()) ::rmdir(o.logDir.c_str());
  ::rmdir(o.stateDir.c_str());
  ::rmdir(o.runDir.c_str());
  return fine;
}

}  // namespace ph::agents
