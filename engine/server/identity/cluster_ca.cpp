#include "engine/server/identity/cluster_ca.h"

#include <algorithm>
#include <set>

#include "engine/api/types/certificates.h"

namespace ph::server {
namespace {

namespace v1 = api::certificates;
using std::chrono::hours;
using std::chrono::minutes;
constexpr auto kLongest = hours(24 * 365);
constexpr auto kBackdate = minutes(5);  // against clocks that are behind
constexpr std::string_view kMasters = "system:masters", kNodeGroup = "system:nodes", kNodeUser = "system:node:";

struct Usage {
  std::string_view word, openssl;
  bool extended;
};
constexpr Usage kUsages[] = {{"signing", "digitalSignature", false},
                             {"digital signature", "digitalSignature", false},
                             {"content commitment", "nonRepudiation", false},
                             {"key encipherment", "keyEncipherment", false},
                             {"key agreement", "keyAgreement", false},
                             {"data encipherment", "dataEncipherment", false},
                             {"cert sign", "keyCertSign", false},
                             {"crl sign", "cRLSign", false},
                             {"encipher only", "encipherOnly", false},
                             {"decipher only", "decipherOnly", false},
                             {"any", "anyExtendedKeyUsage", true},
                             {"server auth", "serverAuth", true},
                             {"client auth", "clientAuth", true},
                             {"code signing", "codeSigning", true},
                             {"email protection", "emailProtection", true},
                             {"s/mime", "emailProtection", true},
                             {"ipsec end system", "ipsecEndSystem", true},
                             {"ipsec tunnel", "ipsecTunnel", true},
                             {"ipsec user", "ipsecUser", true},
                             {"timestamping", "timeStamping", true},
                             {"ocsp signing", "OCSPSigning", true},
                             {"microsoft sgc", "msSGC", true},
                             {"netscape sgc", "nsSGC", true}};

using Words = std::set<std::string_view>;

bool has(const std::vector<std::string>& list, std::string_view one) { return std::find(list.begin(), list.end(), one) != list.end(); }

// `needed` is there, and nothing beyond the two that go with it.
std::string checkUsages(const Words& usages, std::string_view needed) {
  if (!usages.contains(needed)) return "missing required usage: " + std::string(needed);
  for (auto u : usages)
    if (u != needed && u != "digital signature" && u != "key encipherment") return "usage not allowed: " + std::string(u);
  return {};
}

// A kubelet's certificates: exactly these usages, key encipherment only where the key can do it.
std::string checkNodeUsages(const Words& usages, std::string_view needed) {
  if (!usages.contains("digital signature")) return "missing required usage: digital signature";
  return checkUsages(usages, needed);
}

std::string checkNodeSubject(const net::CertRequest& r) {
  if (r.organizations.size() != 1 || r.organizations[0] != kNodeGroup) return "subject organization is not system:nodes";
  if (!r.commonName.starts_with(kNodeUser) || r.commonName.size() == kNodeUser.size())
    return "subject common name does not begin with system:node:";
  return {};
}

}  // namespace

std::string refusal(std::string_view signer, const net::CertRequest& r, const std::vector<std::string>& list) {
  Words usages(list.begin(), list.end());
  if (r.otherNames) return "only DNS names, addresses, email addresses and URIs may be alternative names";
  // The one group that no rule holds back is given by the cluster's owner, never by a signature.
  if ((signer == kClientSigner || signer == kUnknownSigner) && has(r.organizations, kMasters))
    return "the group system:masters is not given by certificate requests";
  if (signer == kClientSigner) return checkUsages(usages, "client auth");
  if (signer == kNodeClientSigner) {
    if (auto why = checkNodeSubject(r); !why.empty()) return why;
    if (!r.dnsNames.empty()) return "DNS subjectAltNames are not allowed";
    if (!r.ipAddresses.empty()) return "IP subjectAltNames are not allowed";
    if (!r.emails.empty()) return "Email subjectAltNames are not allowed";
    if (!r.uris.empty()) return "URI subjectAltNames are not allowed";
    return checkNodeUsages(usages, "client auth");
  }
  if (signer == kNodeServingSigner) {
    if (auto why = checkNodeSubject(r); !why.empty()) return why;
    if (r.dnsNames.empty() && r.ipAddresses.empty()) return "DNS or IP subjectAltName is required";
    if (!r.emails.empty()) return "Email subjectAltNames are not allowed";
    if (!r.uris.empty()) return "URI subjectAltNames are not allowed";
    return checkNodeUsages(usages, "server auth");
  }
  return signer == kUnknownSigner ? std::string() : "this authority is not that signer";
}

Result<std::string> ClusterCa::sign(const api::Object& object, WallTime now) const {
  auto& csr = object.as<v1::CertificateSigningRequest>();
  auto request = net::readCertRequest(csr.spec.request);
  if (!request.ok()) return Status::invalid(request.status().message);
  if (auto why = refusal(csr.spec.signerName, *request, csr.spec.usages); !why.empty()) return Status::invalid(why);
  net::RequestedCert cert;
  std::set<std::string_view> seen;
  for (auto& word : csr.spec.usages) {
    auto* usage = std::find_if(std::begin(kUsages), std::end(kUsages), [&](auto& u) { return u.word == word; });
    if (usage == std::end(kUsages)) return Status::invalid("unknown usage: " + word);
    if (!seen.insert(usage->openssl).second) continue;
    auto& list = usage->extended ? cert.extendedKeyUsage : cert.keyUsage;
    list += (list.empty() ? "" : ",") + std::string(usage->openssl);
  }
  Duration life = kLongest;
  if (csr.spec.expirationSeconds) life = std::min<Duration>(life, std::chrono::seconds(*csr.spec.expirationSeconds));
  cert.notBefore = now - kBackdate;
  cert.notAfter = std::chrono::time_point_cast<WallTime::duration>(now + life);
  return net::signCertRequest(ca_, csr.spec.request, cert);
}

}  // namespace ph::server
