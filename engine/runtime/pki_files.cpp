#include "engine/runtime/pki_files.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "engine/base/base64.h"
#include "engine/net/signing.h"

namespace ph::runtime {
namespace {

using std::chrono::hours;
constexpr auto kYear = hours(24 * 365);

std::string readFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool fresh(const net::KeyPair& pair, WallTime now, Duration needed) {
  if (pair.certPem.empty() || pair.keyPem.empty()) return false;
  auto expiry = net::certExpiry(pair.certPem);
  return expiry.ok() && *expiry - now > needed;
}

net::KeyPair readPair(const std::string& base) { return {readFile(base + ".crt"), readFile(base + ".key")}; }

Result<> writePair(const std::string& base, const net::KeyPair& pair) {
  PH_TRY(writeFile(base + ".key", pair.keyPem, 0600));
  return writeFile(base + ".crt", pair.certPem, 0644);
}

void addOnce(std::vector<std::string>& list, std::string value) {
  if (!value.empty() && std::find(list.begin(), list.end(), value) == list.end()) list.push_back(std::move(value));
}

bool isAddress(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 || inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

void addOwnAddresses(std::vector<std::string>& list) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return;
  for (auto* i = all; i; i = i->ifa_next) {
    if (!i->ifa_addr || list.size() > 64) continue;
    char text[INET6_ADDRSTRLEN] = {};
    if (i->ifa_addr->sa_family == AF_INET)
      inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(i->ifa_addr)->sin_addr, text, sizeof text);
    else if (i->ifa_addr->sa_family == AF_INET6)
      inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(i->ifa_addr)->sin6_addr, text, sizeof text);
    addOnce(list, text);
  }
  freeifaddrs(all);
}

net::CertSpec serverSpec(const std::string& listenHost) {
  net::CertSpec spec;
  spec.commonName = "pilothouse-engine";
  spec.serverAuth = true;
  spec.dnsNames = {"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
                   "kubernetes.default.svc.cluster.local"};
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) == 0) addOnce(spec.dnsNames, host);
  spec.ipAddresses = {"127.0.0.1", "::1", "10.96.0.1"};
  addOwnAddresses(spec.ipAddresses);
  if (isAddress(listenHost))
    addOnce(spec.ipAddresses, listenHost);
  else
    addOnce(spec.dnsNames, listenHost);
  return spec;
}

std::string namesOf(const net::CertSpec& spec) {
  std::string out;
  for (auto& n : spec.dnsNames) out += n + "\n";
  for (auto& a : spec.ipAddresses) out += a + "\n";
  return out;
}

void setLife(net::CertSpec& spec, WallTime now, Duration life) {
  spec.notBefore = now - hours(1);
  spec.notAfter = std::chrono::time_point_cast<WallTime::duration>(now + life);
}

Result<net::KeyPair> loadCa(const std::string& base, WallTime now) {
  auto ca = readPair(base);
  if (!ca.certPem.empty() && ca.keyPem.empty())
    return Status::internal(base + ".key is missing beside its certificate: the cluster's own key can't be made again");
  if (!ca.certPem.empty()) return ca;
  net::CertSpec spec;
  spec.commonName = "pilothouse-ca";
  spec.isCa = true;
  setLife(spec, now, kYear * 10);
  PH_ASSIGN(ca, net::makeCa(spec));
  PH_TRY(writePair(base, ca));
  return ca;
}

// Tokens outlive restarts, so their key is made once; another may be laid in its place.
Result<std::string> loadAccountKey(const std::string& file) {
  auto pem = readFile(file);
  if (!pem.empty()) return pem;
  PH_ASSIGN(pem, net::SigningKey::makePem());
  PH_TRY(writeFile(file, pem, 0600));
  return pem;
}

std::string indentedField(const char* name, const std::string& pem) {
  return std::string("    ") + name + ": " + toBase64(pem) + "\n";
}

}  // namespace

Result<> writeFile(const std::string& file, const std::string& text, int mode) {
  auto part = file + ".part";
  auto failed = [&](const char* what) {
    return Status::internal(file + ": " + what + " failed: " + std::strerror(errno));
  };
  ::unlink(part.c_str());
  int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return failed("writing");
  size_t done = 0;
  while (done < text.size()) {
    auto n = ::write(fd, text.data() + done, text.size() - done);
    if (n <= 0) {
      auto status = failed("writing");
      ::close(fd);
      return status;
    }
    done += size_t(n);
  }
  ::fchmod(fd, mode_t(mode));
  ::fsync(fd);
  ::close(fd);
  if (::rename(part.c_str(), file.c_str()) != 0) return failed("renaming");
  return {};
}

Result<PkiFiles> loadPki(const std::string& dataDir, const std::string& listenHost, WallTime now) {
  std::string dir = dataDir + "/pki";
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST)
    return Status::internal(dir + ": can't be made: " + std::strerror(errno));
  PkiFiles out;
  PH_ASSIGN(out.ca, loadCa(dir + "/ca", now));

  PH_ASSIGN(out.accountKey, loadAccountKey(dir + "/sa.key"));

  auto spec = serverSpec(listenHost);
  out.server = readPair(dir + "/server");
  if (!fresh(out.server, now, kYear / 3) || readFile(dir + "/server.names") != namesOf(spec)) {
    setLife(spec, now, kYear);
    PH_ASSIGN(out.server, net::issue(out.ca, spec));
    PH_TRY(writePair(dir + "/server", out.server));
    PH_TRY(writeFile(dir + "/server.names", namesOf(spec), 0644));
  }
  out.admin = readPair(dir + "/admin");
  if (!fresh(out.admin, now, kYear / 3)) {
    net::CertSpec admin;
    admin.commonName = "admin";
    admin.organizations = {"system:masters"};
    admin.clientAuth = true;
    setLife(admin, now, kYear);
    PH_ASSIGN(out.admin, net::issue(out.ca, admin));
    PH_TRY(writePair(dir + "/admin", out.admin));
  }
  return out;
}

Result<> ensureTokens(const std::string& file, Random& random) {
  if (::access(file.c_str(), F_OK) == 0) return {};
  return writeFile(file, random.hex(24) + ",admin,admin,\"system:masters\"\n", 0600);
}

Result<> writeKubeconfig(const std::string& file, const std::string& address, const PkiFiles& pki) {
  std::string text =
      "apiVersion: v1\n"
      "kind: Config\n"
      "clusters:\n"
      "- name: pilothouse\n"
      "  cluster:\n"
      "    server: https://" + address + "\n" +
      indentedField("certificate-authority-data", pki.ca.certPem) +
      "users:\n"
      "- name: admin\n"
      "  user:\n" +
      indentedField("client-certificate-data", pki.admin.certPem) +
      indentedField("client-key-data", pki.admin.keyPem) +
      "contexts:\n"
      "- name: pilothouse\n"
      "  context:\n"
      "    cluster: pilothouse\n"
      "    user: admin\n"
      "current-context: pilothouse\n";
  return writeFile(file, text, 0600);
}

}  // namespace ph::runtime
