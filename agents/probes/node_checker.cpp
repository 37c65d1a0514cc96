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
    return tcp(handler.tcpSocket->host.empty() ? target.podIp : handler.tcpSocket->host, port, "", timeout, [done = std::move(done)](Result<std::string> answer) {
      done(answer.ok() ? ProbeOutcome{true, ""} : ProbeOutcome{false, answer.status().message});
    });
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
  auto endpoint = fmt::format("{}:{}", host, port);
  net::Request request;
  auto path = action.path.empty() ? std::string("/") : action.path.front() == '/' ? action.path : "/" + action.path;
  auto question = path.find('?');
  request.path = path.substr(0, question);
  if (question != std::string::npos) request.query = path.substr(question + 1);
  std::string hostHeader = endpoint;
  request.headers.add("User-Agent", "kube-probe/1.32");
  request.headers.add("Accept", "*/*");
  request.headers.add("Connection", "close");
  for (auto& h : action.httpHeaders) {
    if (h.name.find_first_of("\r\n: ") != std::string::npos || h.value.find_first_of("\r\n") != std::string::npos) continue;
    if (h.name == "Host" || h.name == "host") hostHeader = h.value;
    else request.headers.set(h.name, h.value);
  }
  request.headers.set("Host", hostHeader);
  auto url = fmt::format("{}://{}{}", tls ? "https" : "http", endpoint, path);
  if (tls) return https(std::move(request), endpoint, url, timeout, std::move(done));
  std::string text = fmt::format("GET {} HTTP/1.1\r\n", path);
  for (auto& [name, value] : request.headers.all()) text += name + ": " + value + "\r\n";
  tcp(host, port, text + "\r\n", timeout, [done = std::move(done), url](Result<std::string> answer) {
    if (!answer.ok()) return done(ProbeOutcome{false, fmt::format("Get \"{}\": {}", url, answer.status().message)});
    int status = httpStatusOf(*answer);
    if (!status) return done(ProbeOutcome{false, fmt::format("Get \"{}\": malformed HTTP response \"{}\"", url, answer->substr(0, 60))});
    if (status < 200 || status >= 400) return done(ProbeOutcome{false, fmt::format("HTTP probe failed with statuscode: {}", status)});
    done(ProbeOutcome{true, ""});
  });
}

void NodeChecker::https(net::Request request, const std::string& endpoint, const std::string& url, Duration timeout, Done<ProbeOutcome> done) {
  net::ClientOptions options;
  options.endpoint = endpoint;
  options.http2 = false;
  options.connectTimeout = timeout;
  options.maxBody = 1 << 20;
  options.http1Connections = 1;
  options.tls.emplace();
  options.tls->insecureSkipVerify = true;  // as kubelet: a probe asks whether it answers, not who it is
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

int httpStatusOf(const std::string& line) {
  if (line.size() < 12 || line.compare(0, 5, "HTTP/") != 0) return 0;
  auto space = line.find(' ');
  if (space == std::string::npos || space + 4 > line.size()) return 0;
  int status = 0;
  for (size_t i = space + 1; i < space + 4; ++i) {
    if (line[i] < '0' || line[i] > '9') return 0;
    status = status * 10 + (line[i] - '0');
  }
  return status;
}

namespace {

// One connection of a probe. Whichever comes first, its end or the time, takes `done`.
class TcpAttempt : public std::enable_shared_from_this<TcpAttempt> {
 public:
  TcpAttempt(int fd, std::shared_ptr<Executor> strand, std::shared_ptr<Poller> poller, std::string request, std::string where, std::function<void(Result<std::string>)> done)
      : fd_(fd), strand_(std::move(strand)), poller_(std::move(poller)), request_(std::move(request)), where_(std::move(where)), done_(std::move(done)) {}
  void start(Duration timeout) {
    auto self = shared_from_this();
    timer_ = strand_->after(timeout, [self] { self->finish(Status::timeout(self->where_ + "i/o timeout")); });
    wait(Poller::Writable);
  }

 private:
  void wait(Poller::Interest interest) {
    poller_->watch(fd_, interest, strand_, [self = shared_from_this()] { self->step(); });
  }
  void fail(int error) { finish(Status::unavailable(where_ + std::strerror(error))); }
  void step() {
    if (fd_ < 0) return;
    if (!connected_) {
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error) return fail(error);
      connected_ = true;
      if (request_.empty()) return finish(std::string());
    }
    if (!request_.empty()) {
      ssize_t n = ::send(fd_, request_.data(), request_.size(), MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) return fail(errno);
      if (n > 0) request_.erase(0, size_t(n));
      return wait(request_.empty() ? Poller::Readable : Poller::Writable);
    }
    char buffer[512];
    ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return wait(Poller::Readable);
    if (n < 0) return fail(errno);
    answer_.append(buffer, size_t(n));
    auto end = answer_.find('\n');
    if (end == std::string::npos && n > 0 && answer_.size() < 4096) return wait(Poller::Readable);
    if (n == 0 && answer_.empty()) return finish(Status::unavailable("EOF"));
    finish(answer_.substr(0, end));
  }
  void finish(Result<std::string> result) {
    if (fd_ < 0) return;
    poller_->unwatch(fd_);
    ::close(fd_);
    fd_ = -1;
    timer_.cancel();
    auto done = std::move(done_);
    done(std::move(result));
  }

  int fd_;
  std::shared_ptr<Executor> strand_;
  std::shared_ptr<Poller> poller_;
  std::string request_, answer_;
  const std::string where_;
  std::function<void(Result<std::string>)> done_;
  Timer timer_;
  bool connected_ = false;
};

}  // namespace

void NodeChecker::tcp(const std::string& host, int port, std::string request, Duration timeout, std::function<void(Result<std::string>)> done) {
  auto refuse = [&](std::string why) { strand_->post([done = std::move(done), why = std::move(why)] { done(Status::unavailable(why)); }); };
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(uint16_t(port));
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return refuse(fmt::format("no address: \"{}\"", host));
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return refuse(std::strerror(errno));
  auto where = fmt::format("dial tcp {}:{}: ", host, port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
    auto text = where + std::strerror(errno);
    ::close(fd);
    return refuse(text);
  }
  std::make_shared<TcpAttempt>(fd, strand_, poller_, std::move(request), std::move(where), std::move(done))->start(timeout);
}

}  // namespace ph::agents
