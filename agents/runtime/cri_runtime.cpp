#include "agents/runtime/cri_runtime.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>

#include "agents/runtime/cri.pb.h"
#include "engine/base/log.h"

namespace ph::agents {

using std::chrono::seconds;
namespace cri = runtime::v1;

namespace {

constexpr Duration quick = std::chrono::seconds(15);       // questions
constexpr Duration slow = std::chrono::minutes(4);         // sandboxes and containers on a slow disk
constexpr Duration pulling = std::chrono::minutes(30);

WallTime fromNanos(int64_t nanos) { return nanos <= 0 ? WallTime{} : WallTime(std::chrono::microseconds(nanos / 1000)); }

void fillNamespaces(const SandboxSpec& spec, cri::NamespaceOption* out) {
  out->set_network(spec.hostNetwork ? 2 : 0);
  out->set_pid(spec.hostPid ? 2 : spec.sharePid ? 0 : 1);
  out->set_ipc(spec.hostIpc ? 2 : 0);
}

cri::PodSandboxConfig sandboxConfig(const SandboxSpec& spec) {
  cri::PodSandboxConfig out;
  auto* meta = out.mutable_metadata();
  meta->set_name(spec.name);
  meta->set_uid(spec.uid);
  meta->set_namespace_(spec.ns);
  meta->set_attempt(spec.attempt);
  out.set_hostname(spec.hostname);
  out.set_log_directory(spec.logDirectory);
  auto* dns = out.mutable_dns_config();
  for (auto& s : spec.dnsServers) dns->add_servers(s);
  for (auto& s : spec.dnsSearches) dns->add_searches(s);
  for (auto& s : spec.dnsOptions) dns->add_options(s);
  for (auto& p : spec.ports) {
    auto* port = out.add_port_mappings();
    port->set_protocol(int(p.protocol));
    port->set_container_port(p.containerPort);
    port->set_host_port(p.hostPort);
    port->set_host_ip(p.hostIp);
  }
  for (auto& [k, v] : spec.labels) (*out.mutable_labels())[k] = v;
  for (auto& [k, v] : spec.annotations) (*out.mutable_annotations())[k] = v;
  auto* os = out.mutable_linux();
  os->set_cgroup_parent(spec.cgroupParent);
  for (auto& [k, v] : spec.sysctls) (*os->mutable_sysctls())[k] = v;
  auto* security = os->mutable_security_context();
  fillNamespaces(spec, security->mutable_namespace_options());
  if (spec.runAsUser) security->mutable_run_as_user()->set_value(*spec.runAsUser);
  if (spec.runAsGroup) security->mutable_run_as_group()->set_value(*spec.runAsGroup);
  for (auto g : spec.supplementalGroups) security->add_supplemental_groups(g);
  security->set_privileged(spec.privileged);
  security->mutable_seccomp()->set_profile_type(1);
  return out;
}

void fillSecurity(const ContainerSpec& spec, const SandboxSpec& sandbox, cri::LinuxContainerSecurityContext* out) {
  fillNamespaces(sandbox, out->mutable_namespace_options());
  out->set_privileged(spec.privileged);
  if (spec.runAsUser) out->mutable_run_as_user()->set_value(*spec.runAsUser);
  // The runtime takes a group only beside a user.
  if (spec.runAsGroup && (spec.runAsUser || !spec.runAsUserName.empty())) out->mutable_run_as_group()->set_value(*spec.runAsGroup);
  out->set_run_as_username(spec.runAsUserName);
  for (auto g : spec.supplementalGroups) out->add_supplemental_groups(g);
  out->set_readonly_rootfs(spec.readOnlyRoot);
  out->set_no_new_privs(spec.noNewPrivileges);
  for (auto& c : spec.addCapabilities) out->mutable_capabilities()->add_add_capabilities(c);
  for (auto& c : spec.dropCapabilities) out->mutable_capabilities()->add_drop_capabilities(c);
  out->mutable_seccomp()->set_profile_type(1);
  if (spec.privileged) return;
  // What a container must not read or write of the host's kernel.
  for (auto* p : {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                  "/proc/sched_debug", "/proc/scsi", "/sys/firmware"})
    out->add_masked_paths(p);
  for (auto* p : {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}) out->add_readonly_paths(p);
}

cri::ContainerConfig containerConfig(const ContainerSpec& spec, const SandboxSpec& sandbox) {
  cri::ContainerConfig out;
  out.mutable_metadata()->set_name(spec.name);
  out.mutable_metadata()->set_attempt(spec.attempt);
  out.mutable_image()->set_image(spec.imageRef.empty() ? spec.image : spec.imageRef);
  for (auto& s : spec.command) out.add_command(s);
  for (auto& s : spec.args) out.add_args(s);
  out.set_working_dir(spec.workingDir);
  for (auto& [k, v] : spec.env) {
    auto* env = out.add_envs();
    env->set_key(k);
    env->set_value(v);
  }
  for (auto& m : spec.mounts) {
    auto* mount = out.add_mounts();
    mount->set_container_path(m.containerPath);
    mount->set_host_path(m.hostPath);
    mount->set_readonly(m.readOnly);
    mount->set_propagation(int(m.propagation));
  }
  for (auto& [k, v] : spec.labels) (*out.mutable_labels())[k] = v;
  for (auto& [k, v] : spec.annotations) (*out.mutable_annotations())[k] = v;
  out.set_log_path(spec.logPath);
  out.set_stdin(spec.stdinOpen);
  out.set_stdin_once(spec.stdinOnce);
  out.set_tty(spec.tty);
  auto* r = out.mutable_linux()->mutable_resources();
  r->set_cpu_shares(spec.cpuShares);
  r->set_cpu_quota(spec.cpuQuota);
  r->set_cpu_period(spec.cpuPeriod);
  r->set_memory_limit_in_bytes(spec.memoryLimit);
  r->set_oom_score_adj(spec.oomScoreAdj);
  fillSecurity(spec, sandbox, out.mutable_linux()->mutable_security_context());
  return out;
}

template <class M> std::string labelOf(const M& labels, const char* key) {
  auto it = labels.find(key);
  return it == labels.end() ? std::string() : it->second;
}

template <class M> Sandbox sandboxOf(const M& m) {
  Sandbox out;
  out.id = m.id();
  out.ns = m.metadata().namespace_();
  out.name = m.metadata().name();
  out.uid = m.metadata().uid();
  out.attempt = m.metadata().attempt();
  out.ready = m.state() == 0;
  out.created = fromNanos(m.created_at());
  return out;
}

template <class M> Container containerOf(const M& m) {
  Container out;
  out.id = m.id();
  out.podUid = labelOf(m.labels(), labelPodUid);
  out.name = m.metadata().name();
  out.attempt = m.metadata().attempt();
  out.image = m.image().image();
  out.imageRef = m.image_ref();
  out.state = m.state() >= 0 && m.state() <= 2 ? ContainerState(m.state()) : ContainerState::Unknown;
  out.created = fromNanos(m.created_at());
  for (auto& [k, v] : m.annotations()) out.annotations[k] = v;
  return out;
}

Done<cri::Empty> plain(Done<void> done, bool goneIsFine) {
  return [done = std::move(done), goneIsFine](Result<cri::Empty> result) {
    if (result.ok() || (goneIsFine && result.status().isNotFound())) return done({});
    done(std::move(result).status());
  };
}

}  // namespace

CriRuntime::CriRuntime(std::shared_ptr<net::Io> io, std::shared_ptr<Executor> strand, CriOptions options)
    : strand_(std::move(strand)), options_(std::move(options)) {
  net::ClientOptions http;
  http.endpoint = "unix:" + options_.socket;
  http.connectTimeout = seconds(3);
  // gRPC servers end connections that ping more often than every five minutes.
  http.pingInterval = std::chrono::hours(6);
  http_ = net::HttpClient::make(std::move(io), std::move(http));
  channel_ = std::make_shared<GrpcChannel>(http_, strand_);
}

template <class Response, class Request>
void CriRuntime::call(const char* service, const char* method, const Request& request, Duration timeout, std::function<void(Result<Response>)> done) {
  channel_->call(std::string("/runtime.v1.") + service + "/" + method, request.SerializeAsString(), timeout,
                 [done = std::move(done), method](Result<std::string> answer) {
                   if (!answer.ok()) return done(std::move(answer).status());
                   Response response;
                   if (!response.ParseFromString(*answer)) return done(Status::internal(std::string(method) + ": the runtime's answer is malformed"));
                   done(std::move(response));
                 });
}

void CriRuntime::start() { follow(); }

void CriRuntime::follow() {
  std::weak_ptr<CriRuntime> weak = weak_from_this();
  auto later = [weak](Duration wait) {
    if (auto self = weak.lock())
      self->timer_ = self->strand_->after(wait, [weak] {
        auto self = weak.lock();
        if (!self) return;
        if (self->onChange_) self->onChange_("");
        self->follow();
      });
  };
  if (!options_.containerdEvents || refused_) return later(seconds(1));
  cri::EventsSubscribeRequest request;
  request.add_filters("topic==\"/tasks/exit\"");
  eventsUp_ = true;
  events_ = channel_->subscribe(
      "/containerd.services.events.v1.Events/Subscribe", request.SerializeAsString(),
      [weak](std::string message) {
        if (auto self = weak.lock()) self->onEvent(message);
      },
      [weak, later](Status why) {
        auto self = weak.lock();
        if (!self) return;
        self->eventsUp_ = false;
        if (why.code == 501) self->refused_ = true;
        else PH_LOG(Info, "cri", "the runtime's events ended: {}", why.message);
        later(seconds(1));
      });
}

void CriRuntime::onEvent(const std::string& message) {
  cri::EventsEnvelope envelope;
  cri::EventsTaskExit exit;
  if (!envelope.ParseFromString(message) || !exit.ParseFromString(envelope.event().value())) return;
  // An exec's end has another id than its container.
  if (exit.id() != exit.container_id() || !onChange_) return;
  onChange_(exit.container_id());
}

void CriRuntime::version(Done<RuntimeVersion> done) {
  call<cri::VersionResponse>("RuntimeService", "Version", cri::VersionRequest(), quick, [done = std::move(done)](Result<cri::VersionResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    done(RuntimeVersion{r->runtime_name(), r->runtime_version()});
  });
}

void CriRuntime::health(Done<RuntimeHealth> done) {
  call<cri::StatusResponse>("RuntimeService", "Status", cri::StatusRequest(), quick, [done = std::move(done)](Result<cri::StatusResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    RuntimeHealth health;
    for (auto& c : r->status().conditions()) {
      if (c.type() == "RuntimeReady") health.ready = c.status();
      if (c.type() == "NetworkReady") health.networkReady = c.status();
      if (!c.status()) health.message += (health.message.empty() ? "" : "; ") + c.type() + ": " + c.message();
    }
    done(std::move(health));
  });
}

void CriRuntime::runSandbox(SandboxSpec spec, Done<Sandbox> done) {
  cri::RunPodSandboxRequest request;
  *request.mutable_config() = sandboxConfig(spec);
  std::weak_ptr<CriRuntime> weak = weak_from_this();
  call<cri::RunPodSandboxResponse>("RuntimeService", "RunPodSandbox", request, slow, [weak, done = std::move(done)](Result<cri::RunPodSandboxResponse> r) {
    auto self = weak.lock();
    if (!self) return;
    if (!r.ok()) return done(std::move(r).status());
    self->sandboxStatus(r->pod_sandbox_id(), done);
  });
}

void CriRuntime::sandboxStatus(std::string id, Done<Sandbox> done) {
  cri::PodSandboxStatusRequest request;
  request.set_pod_sandbox_id(id);
  call<cri::PodSandboxStatusResponse>("RuntimeService", "PodSandboxStatus", request, quick, [done = std::move(done)](Result<cri::PodSandboxStatusResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    auto sandbox = sandboxOf(r->status());
    if (!r->status().network().ip().empty()) sandbox.ips.push_back(r->status().network().ip());
    for (auto& more : r->status().network().additional_ips()) sandbox.ips.push_back(more.ip());
    done(std::move(sandbox));
  });
}

void CriRuntime::stopSandbox(std::string id, Done<void> done) {
  cri::StopPodSandboxRequest request;
  request.set_pod_sandbox_id(id);
  call<cri::Empty>("RuntimeService", "StopPodSandbox", request, slow, plain(std::move(done), true));
}

void CriRuntime::removeSandbox(std::string id, Done<void> done) {
  cri::RemovePodSandboxRequest request;
  request.set_pod_sandbox_id(id);
  call<cri::Empty>("RuntimeService", "RemovePodSandbox", request, slow, plain(std::move(done), true));
}

void CriRuntime::listSandboxes(Done<std::vector<Sandbox>> done) {
  call<cri::ListPodSandboxResponse>("RuntimeService", "ListPodSandbox", cri::ListPodSandboxRequest(), quick, [done = std::move(done)](Result<cri::ListPodSandboxResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    std::vector<Sandbox> all;
    for (auto& s : r->items()) all.push_back(sandboxOf(s));
    done(std::move(all));
  });
}

void CriRuntime::createContainer(std::string sandboxId, ContainerSpec spec, SandboxSpec sandbox, Done<std::string> done) {
  cri::CreateContainerRequest request;
  request.set_pod_sandbox_id(sandboxId);
  *request.mutable_config() = containerConfig(spec, sandbox);
  *request.mutable_sandbox_config() = sandboxConfig(sandbox);
  call<cri::CreateContainerResponse>("RuntimeService", "CreateContainer", request, slow, [done = std::move(done)](Result<cri::CreateContainerResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    done(r->container_id());
  });
}

void CriRuntime::startContainer(std::string id, Done<void> done) {
  cri::StartContainerRequest request;
  request.set_container_id(id);
  call<cri::Empty>("RuntimeService", "StartContainer", request, slow, plain(std::move(done), false));
}

void CriRuntime::stopContainer(std::string id, Duration grace, Done<void> done) {
  cri::StopContainerRequest request;
  request.set_container_id(id);
  auto whole = std::max<int64_t>(0, (grace + std::chrono::milliseconds(500)) / seconds(1));
  request.set_timeout(whole);
  call<cri::Empty>("RuntimeService", "StopContainer", request, grace + slow, plain(std::move(done), true));
}

void CriRuntime::removeContainer(std::string id, Done<void> done) {
  cri::RemoveContainerRequest request;
  request.set_container_id(id);
  call<cri::Empty>("RuntimeService", "RemoveContainer", request, slow, plain(std::move(done), true));
}

void CriRuntime::containerStatus(std::string id, Done<Container> done) {
  cri::ContainerStatusRequest request;
  request.set_container_id(id);
  call<cri::ContainerStatusResponse>("RuntimeService", "ContainerStatus", request, quick, [done = std::move(done)](Result<cri::ContainerStatusResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    auto& s = r->status();
    auto c = containerOf(s);
    c.started = fromNanos(s.started_at());
    c.finished = fromNanos(s.finished_at());
    c.exitCode = s.exit_code();
    c.reason = s.reason();
    c.message = s.message();
    c.logPath = s.log_path();
    done(std::move(c));
  });
}

void CriRuntime::listContainers(Done<std::vector<Container>> done) {
  call<cri::ListContainersResponse>("RuntimeService", "ListContainers", cri::ListContainersRequest(), quick, [done = std::move(done)](Result<cri::ListContainersResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    std::vector<Container> all;
    for (auto& m : r->containers()) {
      all.push_back(containerOf(m));
      all.back().sandboxId = m.pod_sandbox_id();
    }
    done(std::move(all));
  });
}

void CriRuntime::exec(std::string id, std::vector<std::string> command, Duration timeout, Done<ExecResult> done) {
  cri::ExecSyncRequest request;
  request.set_container_id(id);
  for (auto& s : command) request.add_cmd(s);
  request.set_timeout(std::max<int64_t>(1, timeout / seconds(1)));
  call<cri::ExecSyncResponse>("RuntimeService", "ExecSync", request, timeout + seconds(5), [done = std::move(done)](Result<cri::ExecSyncResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    done(ExecResult{r->exit_code(), r->stdout(), r->stderr()});
  });
}

void CriRuntime::stream(StreamSpec spec, Done<std::string> done) {
  auto answered = [done = std::move(done)](Result<cri::StreamResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    done(r->url());
  };
  auto fill = [&](auto& request) {
    request.set_container_id(spec.id);
    request.set_stdin(spec.in);
    request.set_stdout(spec.out);
    request.set_stderr(spec.err);
    request.set_tty(spec.tty);
  };
  if (spec.command.empty()) {
    cri::AttachRequest request;
    fill(request);
    return call<cri::StreamResponse>("RuntimeService", "Attach", request, quick, std::move(answered));
  }
  cri::ExecRequest request;
  fill(request);
  for (auto& s : spec.command) request.add_cmd(s);
  call<cri::StreamResponse>("RuntimeService", "Exec", request, quick, std::move(answered));
}

void CriRuntime::networkNamespace(std::string sandboxId, Done<std::string> done) {
  cri::PodSandboxStatusRequest request;
  request.set_pod_sandbox_id(sandboxId);
  request.set_verbose(true);
  call<cri::PodSandboxStatusResponse>("RuntimeService", "PodSandboxStatus", request, quick, [done = std::move(done)](Result<cri::PodSandboxStatusResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    // Runtimes put a JSON text there that has the specification of the sandbox's own container.
    auto info = r->info().find("info");
    boost::system::error_code error;
    auto tree = info == r->info().end() ? boost::json::value() : boost::json::parse(info->second, error);
    auto* namespaces = error ? nullptr : tree.find_pointer("/runtimeSpec/linux/namespaces", error);
    if (!namespaces || !namespaces->is_array()) return done(Status::internal("the runtime does not say where the pod's network is"));
    for (auto& entry : namespaces->get_array()) {
      auto text = [&](const char* key) {
        auto* o = entry.if_object();
        auto* v = o ? o->if_contains(key) : nullptr;
        return v && v->is_string() ? std::string(v->get_string().c_str()) : std::string();
      };
      if (text("type") != "network") continue;
      if (auto path = text("path"); !path.empty()) return done(path);
      // Made by the runtime for the process itself.
      if (auto* pid = tree.find_pointer("/pid", error); pid && pid->is_int64() && pid->get_int64() > 0)
        return done("/proc/" + std::to_string(pid->get_int64()) + "/ns/net");
      return done(Status::internal("the runtime does not say where the pod's network is"));
    }
    done(std::string());
  });
}

void CriRuntime::reopenLog(std::string id, Done<void> done) {
  cri::ReopenContainerLogRequest request;
  request.set_container_id(id);
  call<cri::Empty>("RuntimeService", "ReopenContainerLog", request, quick, plain(std::move(done), true));
}

void CriRuntime::imageStatus(std::string image, Done<std::optional<ImageInfo>> done) {
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(image);
  call<cri::ImageStatusResponse>("ImageService", "ImageStatus", request, quick, [done = std::move(done)](Result<cri::ImageStatusResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    if (!r->has_image() || r->image().id().empty()) return done(std::optional<ImageInfo>());
    ImageInfo info;
    auto& i = r->image();
    info.id = i.id();
    info.tags.assign(i.repo_tags().begin(), i.repo_tags().end());
    info.digests.assign(i.repo_digests().begin(), i.repo_digests().end());
    info.size = int64_t(i.size());
    if (i.has_uid()) info.uid = i.uid().value();
    info.userName = i.username();
    done(std::optional<ImageInfo>(std::move(info)));
  });
}

void CriRuntime::pullImage(std::string image, ImageAuth auth, Done<std::string> done) {
  cri::PullImageRequest request;
  request.mutable_image()->set_image(image);
  if (!auth.userName.empty()) {
    request.mutable_auth()->set_username(auth.userName);
    request.mutable_auth()->set_password(auth.password);
    request.mutable_auth()->set_server_address(auth.server);
  }
  call<cri::PullImageResponse>("ImageService", "PullImage", request, pulling, [done = std::move(done)](Result<cri::PullImageResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    done(r->image_ref());
  });
}

void CriRuntime::importImage(std::string archivePath, Done<void> done) {
  if (options_.import) return options_.import(archivePath, std::move(done));
  strand_->post([done = std::move(done)] { done(Status{501, "NotImplemented", "archives can't be imported into this runtime"}); });
}

void CriRuntime::usage(Done<std::vector<ContainerUsage>> done) {
  call<cri::ListContainerStatsResponse>("RuntimeService", "ListContainerStats", cri::ListContainerStatsRequest(), quick, [done = std::move(done)](Result<cri::ListContainerStatsResponse> r) {
    if (!r.ok()) return done(std::move(r).status());
    std::vector<ContainerUsage> all;
    for (auto& s : r->stats())
      all.push_back({s.attributes().id(), labelOf(s.attributes().labels(), labelPodUid), s.attributes().metadata().name(),
                     s.cpu().usage_core_nano_seconds().value(), s.memory().usage_bytes().value(), s.memory().working_set_bytes().value(),
                     s.writable_layer().used_bytes().value()});
    done(std::move(all));
  });
}

}  // namespace ph::agents
