#include "agents/agent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <future>

#include "agents/archive_source.h"
#include "agents/dns/server.h"
#include "agents/host_traces.h"
#include "agents/node/network.h"
#include "agents/os/files.h"
#include "agents/os/machine.h"
#include "agents/os/poller.h"
#include "agents/os/process.h"
#include "agents/probes/node_checker.h"
#include "agents/proxy/service_proxy.h"
#include "agents/proxy/service_table.h"
#include "agents/runtime/containerd.h"
#include "agents/runtime/cri_runtime.h"
#include "agents/serve/agent_server.h"
#include "agents/serve/log_keeper.h"
#include "agents/volumes/pod_volumes.h"
#include "engine/api/types/core.h"
#include "engine/base/log.h"
#include "engine/client/http_client.h"
#include "engine/client/kubeconfig.h"

namespace ph::agents {

using std::chrono::milliseconds;
using std::chrono::seconds;
namespace core = api::core;

namespace {

class RealAgent : public Agent {
 public:
  explicit RealAgent(AgentOptions options) : o_(std::move(options)) {}
  ~RealAgent() override { stop(); }
  Result<> prepare();
  Result<> start() override;
  void stop() override;

 private:
  Result<> lock();
  Result<> connect();
  void makeRuntime();
  void makePods();
  void makeNetwork();
  void makeProxy();
  void startDns();
  void listenDns();
  Result<> serve();
  void runtimeReady();
  std::string cniDir() const { return o_.runDir + "/cni"; }

  AgentOptions o_;
  MachineFacts machine_;
  int lock_ = -1;
  bool stopped_ = false;
  std::shared_ptr<net::Io> io_;
  std::shared_ptr<Executor> strand_, blocking_;
  std::shared_ptr<Poller> poller_;
  std::shared_ptr<const api::Registry> registry_;
  std::shared_ptr<client::Client> client_;
  std::shared_ptr<Containerd> containerd_;
  std::shared_ptr<CriRuntime> runtime_;
  std::shared_ptr<PodVolumes> volumes_;
  std::shared_ptr<NodeContext> context_;
  std::shared_ptr<NodeAgent> node_;
  std::shared_ptr<Network> network_;
  std::shared_ptr<proxy::ServiceTable> services_;
  std::shared_ptr<proxy::ServiceProxy> proxy_;
  std::shared_ptr<dns::DnsServer> dns_;
  std::shared_ptr<LogKeeper> logKeeper_;
  std::shared_ptr<AgentServer> server_;
  std::unique_ptr<net::Server> unixServer_, tcpServer_;
  Timer dnsTimer_;
};

Result<> RealAgent::lock() {
  PH_TRY(makeFolders(o_.stateDir, 0700));
  PH_TRY(makeFolders(o_.runDir, 0700));
  auto path = o_.runDir + "/agent.lock";
  lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) return fileError("open", path, errno);
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0)
    return Status::alreadyExists(fmt::format("an agent runs here already (pid {}); it holds {}", readTrimmed(path), path));
  auto pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(lock_, 0) != 0 || ::pwrite(lock_, pid.data(), pid.size(), 0) < 0) return fileError("write", path, errno);
  return {};
}

Result<> RealAgent::connect() {
  client::HttpClientOptions http;
  if (!o_.kubeconfig.empty()) {
    PH_ASSIGN(auto config, client::loadKubeconfig(o_.kubeconfig));
    PH_ASSIGN(http, client::clientOptions(config));
  } else if (!o_.engine.empty()) {
    http.http.endpoint = o_.engine;
  } else {
    return Status::badRequest("where is the engine? Give --engine unix:SOCKET or --kubeconfig FILE");
  }
  http.http.connectTimeout = seconds(5);
  http.io = io_;
  http.executor = strand_;
  http.registry = registry_;
  http.timeout = seconds(20);
  client_ = client::makeHttpClient(std::move(http));
  return {};
}

Result<> RealAgent::prepare() {
  PH_TRY(lock());
  io_ = net::Io::make(1);
  strand_ = io_->executor()->strand();
  blocking_ = makeThreadExecutor(2, "work");
  PH_ASSIGN(poller_, Poller::make());
  registry_ = api::Registry::builtin();
  machine_ = readMachine(o_.stateDir, systemRandom());
  if (o_.nodeName.empty()) {
    o_.nodeName = machine_.hostname;
    std::transform(o_.nodeName.begin(), o_.nodeName.end(), o_.nodeName.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  }
  if (o_.nodeIp.empty()) o_.nodeIp = primaryAddress();
  PH_TRY(connect());
  makeRuntime();
  makePods();
  if (o_.network) makeNetwork();
  if (o_.proxy) makeProxy();
  if (o_.dns) startDns();
  return serve();
}

void RealAgent::makeRuntime() {
  CriOptions cri;
  if (o_.criSocket.empty()) {
    containerd_ = std::make_shared<Containerd>(strand_, blocking_, ContainerdOptions{o_.stateDir, o_.runDir, cniDir()});
    cri.socket = containerd_->socket();
    cri.import = [weak = std::weak_ptr(containerd_)](const std::string& path, Done<void> done) {
      if (auto c = weak.lock()) c->import(path, std::move(done));
    };
  } else {
    cri.socket = o_.criSocket;
    if (o_.criSocket.find("containerd") != std::string::npos)
      cri.import = [this](const std::string& path, Done<void> done) {
        runAsync(blocking_, strand_, {"ctr", "-a", o_.criSocket, "-n", "k8s.io", "images", "import", path}, "", std::chrono::minutes(10),
                 [done = std::move(done)](Result<ProcessResult> r) { r.ok() ? done({}) : done(std::move(r).status()); });
      };
  }
  runtime_ = std::make_shared<CriRuntime>(io_, strand_, std::move(cri));
}

void RealAgent::makePods() {
  context_ = std::make_shared<NodeContext>();
  auto& c = *context_;
  auto resolv = readResolv();
  c.hostIp = o_.nodeIp;
  c.config.nodeName = o_.nodeName;
  c.config.logRoot = o_.logDir;
  c.config.cgroupRoot = o_.cgroupRoot;
  c.config.clusterDns = o_.dns ? o_.clusterDns : "";
  c.config.clusterDomain = o_.clusterDomain;
  c.config.hostNameservers = resolv.nameservers;
  c.config.hostSearches = resolv.searches;
  c.config.memoryCapacity = machine_.memoryBytes;
  c.strand = strand_;
  c.runtime = runtime_;
  auto archives = std::make_shared<EngineArchives>(*client_, strand_, o_.stateDir + "/archives");
  c.images = std::make_shared<ImageManager>(strand_, runtime_, [archives](const std::string& ref, Done<std::optional<std::string>> done) { archives->fetch(ref, std::move(done)); });
  VolumeOptions volumes;
  volumes.folder = o_.stateDir + "/pods";
  volumes.logRoot = o_.logDir;
  volumes.nodeName = o_.nodeName;
  volumes.clusterDomain = o_.clusterDomain;
  volumes.cpuMilli = machine_.cpuMilli;
  volumes.memoryBytes = machine_.memoryBytes;
  volumes.diskBytes = int64_t(totalBytes(o_.stateDir));
  volumes.serviceVariables = [this](const std::string& ns, bool links) {
    Environment out;
    if (!services_) return out;
    for (auto& [key, service] : services_->services())
      if ((links && service->ns() == ns) || key == "default/kubernetes") addServiceVariables(*service, out);
    return out;
  };
  volumes_ = std::make_shared<PodVolumes>(*client_, strand_, blocking_, std::move(volumes));
  volumes_->start();
  c.inputs = volumes_;
  c.checker = std::make_shared<NodeChecker>(io_, strand_, poller_, runtime_);
  c.status = std::make_shared<StatusWriter>(*client_, strand_);
  c.events = client::EventRecorder::make(*client_, strand_, {"kubelet", o_.nodeName});
  c.removeHostTraces = [blocking = blocking_, logs = o_.logDir, cgroup = o_.cgroupRoot](const std::string& uid) {
    blocking->post([logs, cgroup, uid] { removeHostTraces(logs, cgroup, uid); });
  };
  NodeOptions node;
  node.name = o_.nodeName;
  node.ip = o_.nodeIp;
  node.labels = o_.labels;
  node.taints = o_.taints;
  node.leaseDuration = o_.leaseDuration;
  auto& m = node.machine;
  m.hostname = machine_.hostname;
  m.machineId = machine_.machineId;
  m.systemUuid = machine_.systemUuid;
  m.bootId = machine_.bootId;
  m.kernel = machine_.kernel;
  m.osImage = machine_.osImage;
  m.arch = machine_.arch;
  m.cpuMilli = machine_.cpuMilli;
  m.memoryBytes = machine_.memoryBytes;
  m.diskBytes = int64_t(totalBytes(o_.stateDir));
  m.maxPods = o_.maxPods;
  node.pods.stateFolder = o_.stateDir + "/manifests";
  node.pods.relist = seconds(30);
  node_ = std::make_shared<NodeAgent>(*client_, context_, std::move(node));
  node_->setPressure([folder = o_.stateDir] {
    MachinePressure p;
    p.memory = readMemory().available < (int64_t(100) << 20);
    auto total = totalBytes(folder);
    p.disk = total > 0 && freeBytes(folder) < std::min<uint64_t>(total / 10, uint64_t(1) << 30);
    p.pids = pidsScarce();
    return p;
  });
  logKeeper_ = std::make_shared<LogKeeper>(context_, blocking_, node_->podManager());
}

void RealAgent::makeNetwork() {
  NetworkOptions options;
  options.nodeName = o_.nodeName;
  options.nodeIp = o_.nodeIp;
  options.cniConfDir = cniDir();
  options.runDir = o_.runDir;
  options.bridge = o_.bridge;
  network_ = std::make_shared<Network>(*client_, strand_, blocking_, std::move(options));
  node_->onNode([this](const api::ObjectPtr& node) {
    if (network_) network_->setNode(node);
  });
}

void RealAgent::makeProxy() {
  services_ = std::make_shared<proxy::ServiceTable>(*client_, strand_, o_.stateDir + "/services");
  proxy::ServiceProxy::Options options;
  options.network.nodeIps = {o_.nodeIp};
  auto apply = [this](std::string script, std::function<void(Result<>)> done) {
    runAsync(blocking_, strand_, {"nft", "-f", "-"}, std::move(script), seconds(60),
             [done = std::move(done)](Result<ProcessResult> r) { r.ok() ? done({}) : done(std::move(r).status()); });
  };
  proxy_ = proxy::ServiceProxy::make(strand_, std::move(apply), std::move(options));
  services_->listen([this](auto& changes) { proxy_->onServices(changes); }, [this](auto& changes) { proxy_->onEndpoints(changes); },
                    [this] {
                      proxy_->onSynced();
                      proxy_->onSynced();
                    });
  if (network_)
    network_->onPodNetworks([this](std::vector<std::string> networks) {
      proxy::NodeNetwork n;
      n.nodeIps = {o_.nodeIp};
      n.podNetworks = std::move(networks);
      std::sort(n.podNetworks.begin(), n.podNetworks.end());
      proxy_->setNetwork(std::move(n));
    });
  context_->podAddress = [this](const api::Object& pod, const std::string& ip) {
    std::vector<proxy::ServicePort> ports;
    auto& spec = pod.as<core::Pod>().spec;
    if (!ip.empty() && !spec.hostNetwork)
      for (auto& c : spec.containers)
        for (auto& p : c.ports) {
          if (p.hostPort <= 0) continue;
          proxy::ServicePort port;
          port.name = "host port of " + pod.key();
          port.protocol = p.protocol.empty() ? "tcp" : p.protocol;
          std::transform(port.protocol.begin(), port.protocol.end(), port.protocol.begin(), [](unsigned char ch) { return char(std::tolower(ch)); });
          port.port = port.nodePort = p.hostPort;
          if (!p.hostIP.empty() && p.hostIP != "0.0.0.0") {
            port.externalIps = {p.hostIP};
            port.nodePort = 0;
          }
          port.backends = {{ip, p.containerPort}};
          ports.push_back(std::move(port));
        }
    proxy_->setHostPorts(pod.uid(), std::move(ports));
  };
}

void RealAgent::startDns() {
  if (!services_) services_ = std::make_shared<proxy::ServiceTable>(*client_, strand_, o_.stateDir + "/services");
  dns::DnsServer::Options options;
  options.domain = o_.clusterDomain;
  options.upstreams = dns::DnsServer::upstreamsIn(readFile("/etc/resolv.conf"), o_.clusterDns);
  dns_ = dns::DnsServer::make(io_, strand_, std::move(options));
  services_->listen([this](auto& changes) { dns_->onServices(changes); }, [this](auto& changes) { dns_->onEndpoints(changes); },
                    [this] { listenDns(); });
}

// The cluster's DNS address is one of this machine's own, so that pods find an answer right here.
void RealAgent::listenDns() {
  runAsync(blocking_, strand_, {"ip", "addr", "replace", o_.clusterDns + "/32", "dev", "lo"}, "", seconds(10), [this](Result<ProcessResult> added) {
    if (stopped_) return;
    Result<> result = added.ok() ? dns_->listen(o_.clusterDns + ":53") : Result<>(added.status());
    if (result.ok()) {
      PH_LOG(Info, "dns", "answers at {}", dns_->address());
      return;
    }
    PH_LOG(Error, "dns", "{}", result.status().message);
    dnsTimer_ = strand_->after(seconds(5), [this] { listenDns(); });
  });
}

Result<> RealAgent::serve() {
  server_ = std::make_shared<AgentServer>(io_, context_, blocking_, node_->podManager(), o_.stateDir);
  auto handler = [server = server_](net::Request request, std::shared_ptr<net::Responder> responder) { server->handle(std::move(request), std::move(responder)); };
  unixServer_ = net::Server::make(io_, handler);
  PH_TRY(unixServer_->listenUnix(o_.runDir + "/agent.sock"));
  if (o_.listen.empty()) return {};
  net::ServerTls tls{readFile(o_.tlsCert), readFile(o_.tlsKey), readFile(o_.clientCa)};
  if (tls.certPem.empty() || tls.keyPem.empty() || tls.clientCaPem.empty())
    return Status::badRequest("--listen needs --tls-cert, --tls-key and --client-ca: what the agent serves is not for everybody");
  // A certificate that the engine's CA signed is asked of everyone.
  auto checked = [handler](net::Request request, std::shared_ptr<net::Responder> responder) {
    if (!request.peer.certCommonName.empty()) return handler(std::move(request), std::move(responder));
    net::Response refused;
    refused.status = 401;
    refused.body.push_back(net::makeBuffer("a client certificate is needed\n"));
    responder->send(std::move(refused));
  };
  tcpServer_ = net::Server::make(io_, checked);
  PH_ASSIGN(auto bound, tcpServer_->listenTcp(o_.listen, &tls));
  PH_LOG(Info, "agent", "serves at {}", bound);
  return {};
}

void RealAgent::runtimeReady() {
  runtime_->start();
  runtime_->version([this](Result<RuntimeVersion> version) {
    if (stopped_) return;
    if (version.ok()) {
      context_->runtimeName = version->name;
      node_->setRuntimeVersion(version->name + "://" + version->version);
    }
    node_->reportSoon();
  });
}

Result<> RealAgent::start() {
  PH_LOG(Info, "agent", "pilothouse-agent {} as node {} at {}, engine {}", PH_VERSION, o_.nodeName, o_.nodeIp, o_.engine.empty() ? o_.kubeconfig : o_.engine);
  strand_->post([this] {
    if (network_) network_->start();
    if (services_) services_->start();
    if (containerd_) containerd_->start([this] { runtimeReady(); });
    else runtimeReady();
    node_->start();
    logKeeper_->start();
  });
  return {};
}

void RealAgent::stop() {
  if (std::exchange(stopped_, true) || !strand_) return;
  // All parts end on the strand; then the threads.
  std::promise<void> done;
  strand_->post([&] {
    if (node_) node_->stop();
    if (context_ && context_->events) context_->events->stop();
    if (network_) network_->stop();
    if (services_) services_->stop();
    if (containerd_) containerd_->stopWatching();
    dnsTimer_.cancel();
    done.set_value();
  });
  done.get_future().wait();
  unixServer_.reset();
  tcpServer_.reset();
}

}  // namespace

Result<std::unique_ptr<Agent>> Agent::make(AgentOptions options) {
  auto agent = std::make_unique<RealAgent>(std::move(options));
  PH_TRY(agent->prepare());
  return std::unique_ptr<Agent>(std::move(agent));
}

}  // namespace ph::agents
