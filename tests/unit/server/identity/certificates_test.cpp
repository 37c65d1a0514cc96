// Certificate requests: what is read of them, which signer signs what, and what becomes of them with time.
#include <QTest>

#include "engine/base/base64.h"
#include "engine/controllers/certificates/certificates.h"
#include "engine/server/identity/cluster_ca.h"
#include "tests/unit/controllers/cluster.h"

using namespace ph;
using namespace ph::server;
using namespace std::chrono_literals;

namespace {

// Made with openssl: /O=team/O=second/CN=jane, with alternative names of each sort.
const std::string kJane = R"(-----BEGIN CERTIFICATE REQUEST-----
MIIBRTCB6wIBADAvMQ0wCwYDVQQKDAR0ZWFtMQ8wDQYDVQQKDAZzZWNvbmQxDTAL
BgNVBAMMBGphbmUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATfiRMIdBpMUV3N
BUS5DXYSVfW3LeZMTiBbf03cU+IktgfnY8Q8OunX4/owpfE0Q7+L28qyXsm6mEK2
TM+YQ3uOoFowWAYJKoZIhvcNAQkOMUswSTBHBgNVHREEQDA+gglhLmV4YW1wbGWH
BAoBAgOHEP0AAAAAAAAAAAAAAAAAAAGBDWpAZXhhbXBsZS5jb22GCnNwaWZmZTov
L3gwCgYIKoZIzj0EAwIDSQAwRgIhAPcGn4FurHLWUEA1dy4BFJl9RN7mYe7pdAUk
6gStKAwoAiEAlpXY7b6pU/AFb9oyJ6qZOnIVVmIDZiDoI/5k1z7E6VU=
-----END CERTIFICATE REQUEST-----
)";
const std::string kTwoNames = R"(-----BEGIN CERTIFICATE REQUEST-----
MIHZMIGAAgEAMB4xDTALBgNVBAMMBGphbmUxDTALBgNVBAMMBHJvb3QwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAATfiRMIdBpMUV3NBUS5DXYSVfW3LeZMTiBbf03c
U+IktgfnY8Q8OunX4/owpfE0Q7+L28qyXsm6mEK2TM+YQ3uOoAAwCgYIKoZIzj0E
AwIDSAAwRQIgedZ/k9h0JxRO7tJPJ5o5E1JCSrpSpyHTsVd+kZbP9JECIQDk3/Q8
Xg5keM2fZdiz+Y+2tl2y0uO2fT4h/Gr2ETyDxQ==
-----END CERTIFICATE REQUEST-----
)";  // /CN=jane/CN=root
const std::string kWeak = R"(-----BEGIN CERTIFICATE REQUEST-----
MIIBTjCBuAIBADAPMQ0wCwYDVQQDDAR3ZWFrMIGfMA0GCSqGSIb3DQEBAQUAA4GN
ADCBiQKBgQDOsNdgNzbzHJVW9GgGXuvpUXPSu+BZZnorUakrj47bEE/I4p9dqbua
Ps+WulgBHPjQURdwu5FoLSEFh+Z1tEn5x23cKw39QjjvFax7ac3R3S/6qHobIEXE
ROKh4AZwu6jNZQW8eTY+KIXcvLDHas+9Gk7zeXXJRBN8XREv7CydCwIDAQABoAAw
DQYJKoZIhvcNAQELBQADgYEAVBDKgLpG4cdFA9V9ySH4av6quaEJwbowUcksQOoA
Nj6aBoXA23lsOM4LGMmA655yxNOIg6XjtEsb0ParC9kNQzJCmiLts+gEbWz31hPc
K2iE6cdRcwBhgmTutH/9LhSqB2020X226xCj/pv9jCr4TE5QDmggBfDQFGV2y25Z
Uuk=
-----END CERTIFICATE REQUEST-----
)";  // RSA, 1024 bits

using Strings = std::vector<std::string>;

net::KeyPair ca(WallTime now) {
  net::CertSpec spec;
  spec.commonName = "ca";
  spec.notBefore = now - 1h;
  spec.notAfter = now + std::chrono::hours(24 * 3650);
  auto made = net::makeCa(spec);
  if (!made.ok()) qFatal("%s", made.status().message.c_str());
  return *made;
}

}  // namespace

Q_DECLARE_METATYPE(Strings)

class CertificatesTest : public QObject {
  Q_OBJECT

  test::Cluster cluster_;

  api::ObjectPtr csr(const std::string& more = "", const std::string& pem = kJane,
                     const std::string& signer = "kubernetes.io/kube-apiserver-client", const std::string& usages = "[client auth]") {
    return cluster_.put("{apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, metadata: {name: r}, spec: {request: " +
                        toBase64(pem) + ", signerName: " + signer + ", usages: " + usages + ", username: jane}" + more + "}");
  }
  static std::string decided(const char* type, const char* when = "2026-01-02T11:30:00Z") {
    return std::string(", status: {conditions: [{type: ") + type + ", status: 'True', lastUpdateTime: '" + when + "'}]}";
  }

 private slots:
  void requestsAreRead() {
    auto r = net::readCertRequest(kJane);
    QVERIFY(r.ok());
    QCOMPARE(r->commonName, std::string("jane"));
    QCOMPARE(r->organizations, (Strings{"team", "second"}));
    QCOMPARE(r->dnsNames, (Strings{"a.example"}));
    QCOMPARE(r->ipAddresses, (Strings{"10.1.2.3", "fd00::1"}));
    QCOMPARE(r->emails, (Strings{"j@example.com"}));
    QCOMPARE(r->uris, (Strings{"spiffe://x"}));
    QVERIFY(!r->otherNames);
    QVERIFY(net::readCertRequest("\n" + kJane + "\n").ok());
  }

  void badRequestsAreRefused() {
    auto flipped = kJane;
    flipped[kJane.size() / 2] = flipped[kJane.size() / 2] == 'A' ? 'B' : 'A';
    auto renamed = kJane;
    auto at = renamed.find("BEGIN CERTIFICATE REQUEST");
    renamed.replace(at, 25, "BEGIN CERTIFICATE");
    for (auto& bad : Strings{"", "jane", renamed, flipped, kTwoNames, kWeak, kJane + kJane, kJane + "more", "more" + kJane,
                             kJane.substr(0, 200), std::string("\0", 1)}) {
      auto r = net::readCertRequest(bad);
      QVERIFY2(!r.ok(), bad.c_str());
      QCOMPARE(r.status().code, 400);
    }
  }

  void signersRefuse_data() {
    QTest::addColumn<QString>("signer");
    QTest::addColumn<QString>("name");
    QTest::addColumn<Strings>("groups");
    QTest::addColumn<Strings>("dns");
    QTest::addColumn<Strings>("mails");
    QTest::addColumn<Strings>("usages");
    QTest::addColumn<QString>("why");
    const QString client = "kubernetes.io/kube-apiserver-client", node = "kubernetes.io/kube-apiserver-client-kubelet",
                  serving = "kubernetes.io/kubelet-serving", unknown = "kubernetes.io/legacy-unknown";
    const Strings none, nodes{"system:nodes"}, dns{"n1"}, mail{"a@b"}, c{"client auth", "digital signature", "key encipherment"},
        ce{"client auth", "digital signature"}, s{"server auth", "digital signature", "key encipherment"}, ss{"server auth", "digital signature"};
    QTest::newRow("client") << client << "jane" << Strings{"team"} << none << none << c << "";
    QTest::newRow("client, one usage") << client << "jane" << none << none << none << Strings{"client auth"} << "";
    QTest::newRow("client for masters") << client << "jane" << Strings{"team", "system:masters"} << none << none << c << "system:masters";
    QTest::newRow("client for servers") << client << "jane" << none << none << none << s << "missing required usage";
    QTest::newRow("client signs") << client << "jane" << none << none << none << Strings{"client auth", "cert sign"} << "not allowed: cert sign";
    QTest::newRow("client without usage") << client << "jane" << none << none << none << none << "missing required usage";
    QTest::newRow("node") << node << "system:node:n1" << nodes << none << none << c << "";
    QTest::newRow("node, elliptic") << node << "system:node:n1" << nodes << none << none << ce << "";
    QTest::newRow("node of no group") << node << "system:node:n1" << none << none << none << c << "system:nodes";
    QTest::newRow("node of two groups") << node << "system:node:n1" << Strings{"system:nodes", "system:masters"} << none << none << c << "system:nodes";
    QTest::newRow("node without name") << node << "system:node:" << nodes << none << none << c << "system:node:";
    QTest::newRow("node of another name") << node << "jane" << nodes << none << none << c << "system:node:";
    QTest::newRow("node with dns") << node << "system:node:n1" << nodes << dns << none << c << "DNS";
    QTest::newRow("node with mail") << node << "system:node:n1" << nodes << none << mail << c << "Email";
    QTest::newRow("node serves") << node << "system:node:n1" << nodes << none << none << s << "missing required usage";
    QTest::newRow("node signs nothing") << node << "system:node:n1" << nodes << none << none << Strings{"client auth"} << "digital signature";
    QTest::newRow("serving") << serving << "system:node:n1" << nodes << dns << none << s << "";
    QTest::newRow("serving, elliptic") << serving << "system:node:n1" << nodes << dns << none << ss << "";
    QTest::newRow("serving nowhere") << serving << "system:node:n1" << nodes << none << none << s << "required";
    QTest::newRow("serving as client") << serving << "system:node:n1" << nodes << dns << none << c << "missing required usage";
    QTest::newRow("serving by mail") << serving << "system:node:n1" << nodes << dns << mail << s << "Email";
    QTest::newRow("serving a person") << serving << "jane" << nodes << dns << none << s << "system:node:";
    QTest::newRow("unknown") << unknown << "anything" << Strings{"team"} << dns << mail << Strings{"any"} << "";
    QTest::newRow("unknown for masters") << unknown << "x" << Strings{"system:masters"} << none << none << c << "system:masters";
    QTest::newRow("another's") << "example.com/mine" << "jane" << none << none << none << c << "not that signer";
  }
  void signersRefuse() {
    QFETCH(QString, signer);
    QFETCH(QString, name);
    QFETCH(Strings, groups);
    QFETCH(Strings, dns);
    QFETCH(Strings, mails);
    QFETCH(Strings, usages);
    QFETCH(QString, why);
    net::CertRequest r;
    r.commonName = name.toStdString();
    r.organizations = groups;
    r.dnsNames = dns;
    r.emails = mails;
    auto said = QString::fromStdString(refusal(signer.toStdString(), r, usages));
    QVERIFY2(why.isEmpty() ? said.isEmpty() : said.contains(why), qPrintable(said));
    if (why.isEmpty()) {
      r.otherNames = true;
      QVERIFY(!refusal(signer.toStdString(), r, usages).empty());
    }
  }

  void certificatesEndInTime() {
    auto now = test::kNoon;
    ClusterCa authority(ca(now));
    auto object = csr();
    auto cert = authority.sign(*object, now);
    QVERIFY2(cert.ok(), cert.ok() ? "" : cert.status().message.c_str());
    QCOMPARE(*net::certExpiry(*cert), WallTime(now + std::chrono::hours(24 * 365)));
    auto tree = object->tree();
    tree.at("spec").as_object()["expirationSeconds"] = 700;
    cert = authority.sign(*cluster_.putTree(tree), now);
    QCOMPARE(*net::certExpiry(*cert), WallTime(now + 700s));
    tree.at("spec").as_object()["usages"] = JsonArrayOf({"client auth", "code signing"});
    cert = authority.sign(*cluster_.putTree(tree), now);
    QCOMPARE(cert.status().code, 422);
  }
  static api::JsonArray JsonArrayOf(std::initializer_list<const char*> list) {
    api::JsonArray out;
    for (auto s : list) out.emplace_back(s);
    return out;
  }

  void whatBecomesOfThem() {
    using namespace controllers;
    int asked = 0;
    CertificateOptions options;
    Result<std::string> answer = std::string("-----BEGIN CERTIFICATE-----");
    std::string self;
    options.sign = [&](const api::Object&, WallTime) { return ++asked, answer; };
    options.selfApproved = [&](const api::Object&) { return self; };
    auto at = [&](Duration after) {
      auto now = cluster_.now;
      now.wall += std::chrono::duration_cast<WallTime::duration>(after);
      return reconcileCertificate(cluster_.snapshot, Key::parse("r"), now, options);
    };
    csr(decided("Approved"));
    auto plan = at(0s);
    QCOMPARE(asked, 1);
    QCOMPARE(plan.steps.size(), size_t(1));
    QCOMPARE(plan.steps[0].write.subresource, std::string("status"));
    QVERIFY(plan.steps[0].write.body.find(toBase64("-----BEGIN CERTIFICATE-----")) != std::string::npos);
    answer = Status::invalid("no");
    plan = at(0s);
    QVERIFY(plan.steps[0].write.body.find("SignerValidationFailure") != std::string::npos);
    QVERIFY(plan.steps[0].write.body.find("Approved") != std::string::npos);
    answer = Status::internal("later");
    plan = at(0s);
    QVERIFY(plan.steps.empty() && plan.again && *plan.again <= 30s);
    for (auto type : {"Denied", "Failed"}) {
      csr(decided(type));
      asked = 0;
      QVERIFY(at(0s).steps.empty());
      QCOMPARE(asked, 0);
      plan = at(31min);
      QCOMPARE(plan.steps.size(), size_t(1));
      QVERIFY(plan.steps[0].write.verb == client::Verb::Delete);
    }
    csr(decided("Approved"), kJane, "example.com/mine");
    QVERIFY(at(0s).steps.empty());  // for somebody else to sign
    csr();  // nobody has said anything for more than a day
    QVERIFY(at(0s).steps.size() == 1 && at(0s).steps[0].write.verb == client::Verb::Delete);
    auto fresh = csr()->tree();
    fresh.at("metadata").as_object()["creationTimestamp"] = "2026-01-02T11:59:00Z";
    cluster_.putTree(fresh);
    QVERIFY(at(0s).steps.empty());
    self = "selfnodeclient";
    plan = at(0s);
    QCOMPARE(plan.steps.size(), size_t(1));
    QCOMPARE(plan.steps[0].write.subresource, std::string("approval"));
    QVERIFY(plan.steps[0].write.body.find("AutoApproved") != std::string::npos);
  }
};

QTEST_GUILESS_MAIN(CertificatesTest)
#include "certificates_test.moc"
