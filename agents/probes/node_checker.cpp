#include "agents/probes/node_checker.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace ph::agents {

using std::chrono::seconds;
namespace core = api::core;

int probePort(const api::IntOrString& port, const core::Container* container) {
  if (!port.isString) return port.i > 0 && port.i < 65536 ? int(port.i) : 0;
  if (container)
    for (auto& p : container->ports)
      if (p.name == port.s) return int(p.containerPort);
  char* end = nullptr;
  long number = std::strtol(port.s.c_str(), &end, 10);
  return end && *end == 0 && number > 0 && number < 65536 ? int(number) : 0;
}

NodeChecker::NodeChecker(std::shared_ptr<net::Io> io, std::shared_ptr<Executor> strand, std::shared_ptr<Poller> poller, std::shared_ptr<Runtime> runtime)
    : io_(std::move(io)), strand_(std::move(strand)), poller_(std::move(poller)), runtime_(std::move(runtime)) {}

void NodeChecker::later(Done<ProbeOutcome> done, ProbeOutcome outcome) {
  strand_->post([done = std::move(done), outcome = std::move(outcome)]() mutable { done(std::move(outcome)); });
}

void NodeChecker::check(const core::Probe& probe, const ProbeTarget& target, Done<ProbeOutcome> done) {
  auto timeout = seconds(std::max(1, int(probe.timeoutSeconds)));
  auto& handler = static_cast<const core::ProbeHandler&>(probe);
  if (handler.exec) return exec(handler.exec->command, target, timeout, std::move(done));
  if (handler.httpGet) return http(*handler.httpGet, target, timeout, std::move(done));
  if (handler.tcpSocket) {
    int port = probePort(handler.tcpSocket->port, target.container);
    if (!port) return later(std::move(done), {false, "unknown port " + handler.tcpSocket->port.text()});
    return tcp(handler.tcpSocket->host.empty() ? target.podIp : handler.tcpSocket->host, port, timeout, std::move(done));
  }
  later(std::move(done), {false, "this kind of probe is not known to this node"});
}

void NodeChecker::hook(const core::LifecycleHandler& hook, const ProbeTarget& target, Duration limit, Done<ProbeOutcome> done) {
  if (hook.exec) return exec(hook.exec->command, target, limit, std::move(done));
  if (hook.httpGet) return http(*hook.httpGet, target, limit, std::move(done));
  if (hook.sleep) {
    auto wait = std::min<Duration>(seconds(hook.sleep->seconds), limit);
    strand_->after(wait, [done = std::move(done)] { done(ProbeOutcome{true, ""}); }).detach();
    return;
  }
  later(std::move(done), {true, ""});
}

void NodeChecker::exec(const std::vector<std::string>& command, const ProbeTarget& target, Duration timeout, Done<ProbeOutcome> done) {
  runtime_->exec(target.containerId, command, timeout, [done = std::move(done), timeout](Result<ExecResult> result) {
    if (!result.ok()) {
      bool late = result.status().code == 504;
      return done(ProbeOutcome{false, late ? fmt::format("command timed out after {}s", timeout / seconds(1)) : result.status().message});
    }
    if (result->exitCode == 0) return done(ProbeOutcome{true, ""});
    auto text = result->out + result->err;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    if (text.empty()) text = fmt::format("command exited with {}", result->exitCode);
    done(ProbeOutcome{false, text.substr(0, 1000)});
  });
}

void NodeChecker::http(const core::HTTPGetAction& action, const ProbeTarget& target, Duration timeout, Done<ProbeOutcome> done) {
  int port = probePort(action.port, target.container);
  if (!port) return later(std::move(done), {false, "unknown port " + action.port.text()});
  auto host = action.host.empty() ? target.podIp : action.host;
  if (host.empty()) return later(std::move(done), {false, "the pod has no address yet"});
  bool tls = action.scheme == "HTTPS";
  net::ClientOptions options;
  options.endpoint = fmt::format("{}:{}", host, port);
  options.http2 = false;
  options.connectTimeout = timeout;
  options.maxBody = 1 << 20;
  options.http1Connections = 1;
  if (tls) {
    options.tls.emplace();
    options.tls->insecureSkipVerify = true;  // as kubelet: a probe asks whether it answers, not who it is
  }
  net::Request request;
  auto path = action.path.empty() ? std::string("/") : action.path.front() == '/' ? action.path : "/" + action.path;
  auto question = path.find('?');
  request.path = path.substr(0, question);
  if (question != std::string::npos) request.query = path.substr(question + 1);
  std::string hostHeader = options.endpoint;
  request.headers.add("User-Agent", "kube-probe/1.32");
  request.headers.add("Accept", "*/*");
  request.headers.add("Connection", "close");
  for (auto& h : action.httpHeaders) {
    if (h.name == "Host" || h.name == "host") hostHeader = h.value;
    else request.headers.set(h.name, h.value);
  }
  request.headers.set("Host", hostHeader);
  auto url = fmt::format("{}://{}{}", tls ? "https" : "http", options.endpoint, path);
  auto client = net::HttpClient::make(io_, std::move(options));
  auto* raw = client.get();
  raw->send(std::move(request), timeout, [strand = strand_, client = std::move(client), done = std::move(done), url](Result<net::Response> response) mutable {
    ProbeOutcome outcome;
    if (!response.ok()) {
      outcome.text = fmt::format("Get \"{}\": {}", url, response.status().message);
    } else {
      outcome.ok = response->status >= 200 && response->status < 400;
      if (!outcome.ok) outcome.text = fmt::format("HTTP probe failed with statuscode: {}", response->status);
    }
    // The client ends on the strand, not inside its own callback.
    strand->post([client = std::move(client), done = std::move(done), outcome = std::move(outcome)]() mutable {
      client.reset();
      done(std::move(outcome));
    });
  });
}

void NodeChecker::tcp(const std::string& host, int port, Duration timeout, Done<ProbeOutcome> done) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(uint16_t(port));
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return later(std::move(done), {false, fmt::format("no address: \"{}\"", host)});
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return later(std::move(done), {false, std::strerror(errno)});
  auto where = fmt::format("dial tcp {}:{}: ", host, port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
    auto text = where + std::strerror(errno);
    ::close(fd);
    return later(std::move(done), {false, text});
  }
  // Whichever comes first, the socket or the time, takes `done`.
  struct Attempt {
    int fd;
    Done<ProbeOutcome> done;
    Timer timer;
  };
  auto attempt = std::make_shared<Attempt>(Attempt{fd, std::move(done), {}});
  auto finish = [attempt, poller = poller_](ProbeOutcome outcome) {
    if (attempt->fd < 0) return;
    poller->unwatch(attempt->fd);
    ::close(attempt->fd);
    attempt->fd = -1;
    attempt->timer.cancel();
    auto done = std::move(attempt->done);
    done(std::move(outcome));
  };
  attempt->timer = strand_->after(timeout, [finish, where] { finish({false, where + "i/o timeout"}); });
  poller_->watch(fd, Poller::Writable, strand_, [finish, attempt, where] {
    int error = 0;
    socklen_t size = sizeof error;
    if (attempt->fd >= 0) ::getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    finish(error ? ProbeOutcome{false, where + std::strerror(error)} : ProbeOutcome{true, ""});
  });
}

}  // namespace ph::agents
