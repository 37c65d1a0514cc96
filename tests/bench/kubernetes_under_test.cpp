#include "tests/bench/kubernetes_under_test.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "engine/base/check.h"
#include "engine/base/time.h"
#include "engine/net/pki.h"

namespace ph::bench {
namespace {

using namespace std::chrono_literals;

int freePort() {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  PH_CHECK(fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
           getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(fd);
  return ntohs(address.sin_port);
}

std::string write(const std::string& file, const std::string& text) {
  std::ofstream(file) << text;
  return file;
}

int statusOf(net::HttpClient& client, const std::string& path) {
  net::Request r;
  r.method = "GET";
  r.path = path;
  auto answer = std::make_shared<std::promise<int>>();
  client.send(std::move(r), 5s, [answer](Result<net::Response> response) { answer->set_value(response.ok() ? response->status : 0); });
  return answer->get_future().get();
}

}  // namespace

KubernetesUnderTest::KubernetesUnderTest(const std::string& programs, const std::string& dir) {
  std::filesystem::create_directories(dir);
  net::CertSpec spec{.commonName = "bench-ca", .notBefore = systemClock().wallNow() - 1h, .notAfter = systemClock().wallNow() + 24h};
  spec.isCa = true;
  auto ca = net::makeCa(spec);
  PH_CHECK(ca.ok());
  spec.isCa = false;
  spec.commonName = "bench";
  spec.serverAuth = true;
  spec.ipAddresses = {"127.0.0.1"};
  auto server = net::issue(*ca, spec);
  spec.serverAuth = false;
  spec.clientAuth = true;
  spec.organizations = {"system:masters"};
  auto admin = net::issue(*ca, spec);
  PH_CHECK(server.ok() && admin.ok());
  access_ = {.ca = ca->certPem, .cert = admin->certPem, .key = admin->keyPem};

  std::string store = fmt::format("http://127.0.0.1:{}", freePort()), peers = fmt::format("http://127.0.0.1:{}", freePort());
  etcd_ = std::make_unique<Companion>(std::vector<std::string>{
      programs + "/etcd", "--data-dir", dir + "/etcd", "--listen-client-urls", store, "--advertise-client-urls", store,
      "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default=" + peers});
  int port = freePort();
  access_.endpoint = fmt::format("127.0.0.1:{}", port);
  auto certificate = write(dir + "/server.crt", server->certPem), serverKey = write(dir + "/server.key", server->keyPem);
  server_ = std::make_unique<Companion>(std::vector<std::string>{
      programs + "/kube-apiserver", "--etcd-servers", store, "--bind-address", "127.0.0.1", "--secure-port", std::to_string(port),
      "--client-ca-file", write(dir + "/ca.crt", access_.ca), "--tls-cert-file", certificate,
      "--tls-private-key-file", serverKey, "--service-account-issuer", "https://bench", "--service-account-key-file", certificate,
      "--service-account-signing-key-file", serverKey, "--authorization-mode", "Node,RBAC", "--service-cluster-ip-range", "10.0.0.0/24",
      "--max-mutating-requests-inflight", "1000", "--max-requests-inflight", "3000"});
  auto io = net::Io::make(1);
  auto asked = client(io);
  auto until = std::chrono::steady_clock::now() + 60s;
  while (statusOf(*asked, "/readyz") != 200 || statusOf(*asked, "/api/v1/namespaces/default") != 200) {
    PH_CHECK_MSG(std::chrono::steady_clock::now() < until, "Kubernetes' API server did not become ready");
    std::this_thread::sleep_for(100ms);
  }
}

}  // namespace ph::bench
