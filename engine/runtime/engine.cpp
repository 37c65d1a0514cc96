#include "engine/runtime/engine.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <future>

#include "engine/base/log.h"
#include "engine/cache/cache.h"
#include "engine/controllers/controllers.h"
#include "engine/fleet/fleet.h"
#include "engine/metrics/collector.h"
#include "engine/runtime/advertised.h"
#include "engine/runtime/insight.h"
#include "engine/runtime/pki_files.h"
#include "engine/runtime/usage_kinds.h"
#include "engine/scheduler/scheduler.h"
#include "engine/server/api_server.h"
#include "engine/server/identity/cluster_ca.h"
#include "engine/server/identity/kubelet_requests.h"
#include "engine/server/identity/token_authority.h"
#include "engine/server/identity/token_request.h"
#include "engine/server/local_client.h"
#include "engine/server/write_times.h"

namespace ph::runtime {
namespace {

std::string hostOf(const std::string& address) {
  auto host = address.substr(0, address.rfind(':'));
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return host;
}

// Where clients on this machine reach a server that listens on every address.
std::string reachable(const std::string& bound) {
  auto host = hostOf(bound);
  auto port = bound.substr(bound.rfind(':'));
  if (host.empty() || host == "0.0.0.0") return "127.0.0.1" + port;
  if (host == "::") return "[::1]" + port;
  return bound;
}

std::string programDir() {
  char path[4096];
  auto n = ::readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 0) return ".";
  std::string file(path, size_t(n));
  return file.substr(0, file.rfind('/'));
}

Result<> makeDir(const std::string& dir, int mode) {
  for (size_t at = 1; at != std::string::npos;) {
    at = dir.find('/', at + 1);
    auto part = dir.substr(0, at);
    if (::mkdir(part.c_str(), mode_t(mode)) != 0 && errno != EEXIST)
      return Status::internal(part + ": can't be made: " + std::strerror(errno));
  }
  return {};
}

class EngineImpl final : public Engine {
 public:
  explicit EngineImpl(Options options) : options_(std::move(options)) {}
  ~EngineImpl() override { stop(); }

  Result<> run() {
    if (options_.dataDir.empty()) return Status::badRequest("a data directory is needed");
    PH_TRY(makeDir(options_.dataDir, 0700));
    executor_ = makeThreadExecutor(options_.workThreads, "engine");
    blocking_ = makeThreadExecutor(1, "files");
    registry_ = api::Registry::builtin();
    PH_ASSIGN(auto store, store::openSqlite(options_.dataDir));
    PH_ASSIGN(auto cache, cache::Cache::open(std::shared_ptr<store::Store>(std::move(store)), registry_, executor_));
    PH_ASSIGN(core_, server::makeCore(registry_, executor_, std::move(cache)));
    PH_ASSIGN(pki_, loadPki(options_.dataDir, hostOf(options_.listen), executor_->wallNow()));
    PH_ASSIGN(auto accountKey, net::SigningKey::fromPem(pki_.accountKey));
    core_->tokens = std::make_shared<server::TokenAuthority>(*core_, std::move(accountKey));
    core_->ca = std::make_shared<server::ClusterCa>(pki_.ca);
    PH_TRY(serve());
    PH_TRY(writeKubeconfig(kubeconfig(), address_, pki_));
    PH_TRY(makeDefaults());
    return startOthers();
  }

  void stop() override {
    if (stopped_) return;
    stopped_ = true;
    if (usage_) usage_->stop();
    if (fleet_) fleet_->stop();
    if (core_) withdrawInsight(*core_);
    if (timelines_) timelines_->stop();
    if (scheduler_) scheduler_->stop();
    if (controllers_) controllers_->stop();
    if (api_) api_->setReady(false);
    if (http_) http_->stop();
    // What stops does so on its strand, a task after the other, and uses the client until then: each round lets such a chain go on
    // by a step.
    constexpr int kRounds = 100;
    for (int i = 0; i < kRounds; ++i) drain();
    // The client goes first: it holds the server, and the server the core.
    fleet_.reset();
    timelines_.reset();
    scheduler_.reset();
    controllers_.reset();
    usage_.reset();
    if (core_) stopServingUsage(*core_);
    client_.reset();
    http_.reset();
    api_.reset();
    drain();
    releaseCore();
    executor_.reset();
    blocking_.reset();
    io_.reset();
  }

  std::shared_ptr<client::Client> client() override { return client_; }
  std::shared_ptr<Executor> executor() override { return executor_; }
  std::shared_ptr<net::Io> io() override { return io_; }
  std::string address() const override { return address_; }
  std::string kubeconfig() const override { return options_.dataDir + "/admin.kubeconfig"; }

 private:
  Result<> serve() {
    auto tokens = options_.dataDir + "/tokens";
    PH_TRY(ensureTokens(tokens, executor_->random()));
    server::ApiServer::Parts parts;
    parts.core = core_;
    PH_ASSIGN(parts.authenticator, server::Authenticator::load(tokens));
    parts.images = std::make_shared<server::ImageStore>(options_.dataDir + "/images");
    parts.blocking = blocking_;
    if (options_.auditLog != "off") {
      server::AuditLog::Options audit;
      audit.file = options_.auditLog.empty() ? options_.dataDir + "/audit.log" : options_.auditLog;
      PH_ASSIGN(parts.audit, server::AuditLog::open(std::move(audit), blocking_));
    }
    api_ = std::make_shared<server::ApiServer>(std::move(parts));
    client_ = server::makeLocalClient(core_, executor_, api_);
    usage_ = metrics::Collector::make(*client_, executor_);
    serveUsage(core_, usage_);
    io_ = net::Io::make(options_.ioThreads);
    http_ = net::Server::make(io_, api_->handler());
    api_->setConnections([http = http_.get()] { return http->connections(); });
    net::ServerTls tls{pki_.server.certPem, pki_.server.keyPem, pki_.ca.certPem};
    PH_ASSIGN(bound_, http_->listenTcp(options_.listen, &tls));
    address_ = reachable(bound_);
    return {};
  }

  Result<> makeDefaults() {
    std::promise<Result<>> made;
    auto port = uint16_t(std::strtoul(bound_.substr(bound_.rfind(':') + 1).c_str(), nullptr, 10));
    server::Advertised api(port, advertisedAddresses(hostOf(bound_)));
    server::createDefaults(core_, std::move(api), [&made](Result<> result) { made.set_value(std::move(result)); });
    PH_TRY(made.get_future().get());
    api_->setReady(true);
    return {};
  }

  Result<> startOthers() {
    if (options_.controllers) {
      controllers::Options options;
      options.node.grace = options_.nodeGrace;
      options.rootCa = pki_.ca.certPem;
      options.accountSecrets = options_.accountSecrets;
      options.certificates.sign = [ca = core_->ca](const api::Object& request, WallTime now) { return ca->sign(request, now); };
      options.certificates.selfApproved = [core = core_.get()](const api::Object& request) {
        return server::selfApproved(*core, request);
      };
      options.secretToken = [core = core_.get()](const api::Object& account, const std::string& secret) {
        return server::secretToken(*core, account, secret);
      };
      options.usage = usage_;
      PH_ASSIGN(controllers_, controllers::startControllers(*client_, executor_, std::move(options)));
    }
    if (options_.scheduler) {
      scheduler_ = scheduler::Scheduler::make(*client_, executor_);
      scheduler_->start();
    }
    timelines_ = timeline::PodTimelines::start(*client_, executor_, [core = core_.get()](int64_t revision) -> std::optional<timeline::Written> {
      auto at = core->writeTimes->at(revision);
      if (!at) return std::nullopt;
      return timeline::Written{at->asked, at->durable};
    });
    offerInsight(core_, scheduler_.get(), timelines_.get());
    if (options_.fleet) startFleet();
    usage_->start();
    return {};
  }

  void startFleet() {
    fleet::Options options;
    options.agentDir = options_.agentDir.empty() ? programDir() : options_.agentDir;
    options.io = io_;
    options.acceptStream = [http = http_.get()](int fd, net::Peer peer) { http->serve(fd, std::move(peer)); };
    if (!options_.credentials) {
      ownCredentials_ = fleet::makeFileCredentialStore(options_.dataDir + "/credentials");
      options_.credentials = ownCredentials_.get();
    }
    options.credentials = options_.credentials;
    fleet_ = fleet::Fleet::make(*client_, executor_, std::move(options));
    // The server asks through a pointer that does not own: the fleet is stopped before it goes.
    std::shared_ptr<client::NodeDialer> dialer(std::shared_ptr<void>(), fleet_.get());
    api_->setDialer(dialer);
    usage_->setDialer(std::move(dialer));
    fleet_->start();
  }

  // Writes whose answers are on their way hold the core too. It must not end on the thread that brings them, for its end waits
  // for that thread.
  void releaseCore() {
    constexpr int kTurns = 100'000;  // of the executor: some seconds
    for (int i = 0; core_ && core_.use_count() > 1 && i < kTurns; ++i) drain();
    if (core_ && core_.use_count() > 1) PH_LOG(Error, "engine", "something still holds the server's core at the end");
    core_.reset();  // flushes the store
  }

  // Until what was posted so far has run.
  void drain() {
    for (int i = 0; i < options_.workThreads * 2; ++i) {
      std::promise<void> done;
      executor_->post([&done] { done.set_value(); });
      done.get_future().wait();
    }
  }

  Options options_;
  bool stopped_ = false;
  std::shared_ptr<Executor> executor_, blocking_;
  std::shared_ptr<net::Io> io_;
  std::shared_ptr<api::Registry> registry_;
  std::shared_ptr<server::Core> core_;
  PkiFiles pki_;
  std::shared_ptr<server::ApiServer> api_;
  std::shared_ptr<client::Client> client_;
  std::unique_ptr<net::Server> http_;
  std::unique_ptr<fleet::CredentialStore> ownCredentials_;
  std::unique_ptr<controllers::Controllers> controllers_;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  std::unique_ptr<timeline::PodTimelines> timelines_;
  std::unique_ptr<fleet::Fleet> fleet_;
  std::shared_ptr<metrics::Collector> usage_;
  std::string bound_, address_;
};

}  // namespace

Result<std::unique_ptr<Engine>> Engine::start(Options options) {
  auto engine = std::make_unique<EngineImpl>(std::move(options));
  PH_TRY(engine->run());
  return std::unique_ptr<Engine>(std::move(engine));
}

Result<std::string> addImage(const std::string& dataDir, const std::string& file, const std::string& name) {
  PH_TRY(makeDir(dataDir, 0700));
  server::ImageStore images(dataDir + "/images");
  PH_ASSIGN(auto entry, images.add(file, name));
  std::string out;
  for (auto& ref : entry.refs) out += (out.empty() ? "" : ", ") + ref;
  return out;
}

}  // namespace ph::runtime
