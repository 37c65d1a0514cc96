// gRPC's framing, the sandbox image, what a pod's spec becomes for the runtime, probes' small print, flags.
#include <QTest>

#include <cstring>

#include "agents/flags.h"
#include "agents/node/network.h"
#include "agents/pods/backoff.h"
#include "agents/pods/container_config.h"
#include "agents/pods/pod_status.h"
#include "agents/probes/node_checker.h"
#include "agents/runtime/grpc.h"
#include "agents/runtime/pause_image.h"
#include "engine/api/codec.h"

using namespace ph;
using namespace ph::agents;
using namespace std::chrono_literals;
namespace core = api::core;

namespace {

api::ObjectPtr pod(const std::string& spec) {
  static auto registry = api::Registry::builtin();
  auto tree = api::parseYaml("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns1, uid: u-1, labels: {app: web}}\nspec:\n" + spec);
  if (!tree.ok()) qFatal("%s", tree.status().message.c_str());
  return api::Object::make(registry->find("", "v1", "pods"), *tree, 1);
}

}  // namespace

class RuntimeTest : public QObject {
  Q_OBJECT
 private slots:
  void framesComeInPieces() {
    std::string wire = grpcFrame("hello") + grpcFrame("") + grpcFrame(std::string(70000, 'x'));
    std::string buffer;
    std::vector<std::string> out;
    for (char c : wire) {
      buffer += c;
      QVERIFY(grpcUnframe(buffer, 1 << 20, out));
    }
    QCOMPARE(out.size(), size_t(3));
    QCOMPARE(QString::fromStdString(out[0]), "hello");
    QCOMPARE(out[2].size(), size_t(70000));
    QVERIFY(buffer.empty());
    std::string tooLarge = grpcFrame("123456");
    QVERIFY(!grpcUnframe(tooLarge, 5, out));
    std::string compressed = grpcFrame("x");
    compressed[0] = 1;
    QVERIFY(!grpcUnframe(compressed, 100, out));
  }

  void grpcStatusBecomesOurs() {
    net::Headers h;
    QVERIFY(!grpcStatus(h).ok());
    h.set("grpc-status", "0");
    QVERIFY(grpcStatus(h).ok());
    h.set("grpc-status", "5");
    h.set("grpc-message", "no such%20thing");
    QCOMPARE(grpcStatus(h).status().code, 404);
    QCOMPARE(QString::fromStdString(grpcStatus(h).status().message), "no such thing");
  }

  void theSandboxImageIsAWholeArchive() {
    auto tar = pauseArchive("amd64");
    QCOMPARE(tar.size() % 512, size_t(0));
    QVERIFY(tar == pauseArchive("amd64"));
    QCOMPARE(QString::fromLatin1(tar.data()), "manifest.json");
    QVERIFY(tar.find(pauseImage) != std::string::npos);
    QVERIFY(tar.find("\x7f""ELF") != std::string::npos);
  }

  void resourcesBecomeSharesAndQuota() {
    auto p = pod("  containers:\n  - {name: c, image: i, resources: {limits: {cpu: 200m, memory: 32Mi}, requests: {cpu: 100m, memory: 16Mi}}}\n  - {name: d, image: i}\n");
    ConfigContext context;
    context.memoryCapacity = int64_t(1) << 30;
    auto c = containerSpec(context, *p, p->as<core::Pod>().spec.containers[0], {}, 2);
    QCOMPARE(c.cpuShares, int64_t(102));
    QCOMPARE(c.cpuQuota, int64_t(20000));
    QCOMPARE(c.memoryLimit, int64_t(32) << 20);
    QCOMPARE(c.oomScoreAdj, 1000 - 1000 * 16 / 1024);
    QCOMPARE(QString::fromStdString(c.logPath), "c/2.log");
    auto d = containerSpec(context, *p, p->as<core::Pod>().spec.containers[1], {}, 0);
    QCOMPARE(d.cpuShares, int64_t(2));
    QCOMPARE(d.cpuQuota, int64_t(0));
    QCOMPARE(QString::fromStdString(podCgroup(context, *p)), "/pilothouse/burstable/podu-1");
  }

  void qosClasses() {
    QCOMPARE(QString::fromStdString(qosClass(pod("  containers: [{name: c, image: i}]\n")->as<core::Pod>().spec)), "BestEffort");
    QCOMPARE(QString::fromStdString(qosClass(pod("  containers: [{name: c, image: i, resources: {limits: {cpu: 1, memory: 1Gi}}}]\n")->as<core::Pod>().spec)), "Guaranteed");
    QCOMPARE(QString::fromStdString(qosClass(pod("  containers: [{name: c, image: i, resources: {limits: {cpu: 1}}}]\n")->as<core::Pod>().spec)), "Burstable");
    QCOMPARE(QString::fromStdString(qosClass(pod("  containers: [{name: c, image: i, resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}}]\n")->as<core::Pod>().spec)), "Burstable");
  }

  void sandboxFollowsDnsPolicyAndHostNetwork() {
    ConfigContext context;
    context.hostNameservers = {"9.9.9.9"};
    context.hostSearches = {"lab"};
    auto normal = sandboxSpec(context, *pod("  dnsConfig: {options: [{name: ndots, value: '2'}]}\n  containers: [{name: c, image: i}]\n"), 0);
    QCOMPARE(normal.dnsServers, std::vector<std::string>{"10.96.0.10"});
    QCOMPARE(QString::fromStdString(normal.dnsSearches.at(0)), "ns1.svc.cluster.local");
    QCOMPARE(normal.dnsSearches.size(), size_t(4));
    QCOMPARE(normal.dnsOptions, std::vector<std::string>{"ndots:2"});
    QCOMPARE(QString::fromStdString(normal.hostname), "p");
    auto host = sandboxSpec(context, *pod("  hostNetwork: true\n  containers: [{name: c, image: i}]\n"), 0);
    QCOMPARE(host.dnsServers, std::vector<std::string>{"9.9.9.9"});
    QVERIFY(host.hostname.empty());
    auto none = sandboxSpec(context, *pod("  dnsPolicy: None\n  dnsConfig: {nameservers: [1.1.1.1]}\n  containers: [{name: c, image: i}]\n"), 0);
    QCOMPARE(none.dnsServers, std::vector<std::string>{"1.1.1.1"});
    QVERIFY(none.dnsSearches.empty());
  }

  void rootIsRefusedWhereItMustBe() {
    auto p = pod("  securityContext: {runAsNonRoot: true}\n  containers: [{name: c, image: i}, {name: d, image: i, securityContext: {runAsUser: 7}}]\n");
    auto& spec = p->as<core::Pod>().spec;
    ImageInfo root, user;
    user.uid = 1000;
    QVERIFY(!rootViolation(spec, spec.containers[0], root).empty());
    QVERIFY(rootViolation(spec, spec.containers[0], user).empty());
    QVERIFY(rootViolation(spec, spec.containers[1], root).empty());
  }

  void changedSpecChangesTheHash() {
    auto a = pod("  containers: [{name: c, image: 'i:1'}]\n"), b = pod("  containers: [{name: c, image: 'i:2'}]\n");
    QVERIFY(containerHash(a->as<core::Pod>().spec.containers[0]) != containerHash(b->as<core::Pod>().spec.containers[0]));
    QVERIFY(containerHash(a->as<core::Pod>().spec.containers[0]) == containerHash(pod("  containers: [{image: 'i:1', name: c}]\n")->as<core::Pod>().spec.containers[0]));
  }

  void backoffDoublesAndForgets() {
    Backoff b;
    BackoffLimits limits;
    MonoTime t{};
    QCOMPARE(b.remaining(t, t), Duration::zero());
    b.next(t, t, limits);
    QCOMPARE(b.remaining(t, t), Duration(10s));
    t += 11s;
    b.next(t, t, limits);
    QCOMPARE(b.wait(), Duration(20s));
    for (int i = 0; i < 10; ++i) t += 5min, b.next(t, t, limits);
    QCOMPARE(b.wait(), Duration(5min));
    t += 20min;
    b.next(t, t, limits);
    QCOMPARE(b.wait(), Duration(10s));
  }

  void probesReadPortsAndStatusLines() {
    auto p = pod("  containers: [{name: c, image: i, ports: [{name: web, containerPort: 8080}]}]\n");
    auto& c = p->as<core::Pod>().spec.containers[0];
    QCOMPARE(probePort(api::IntOrString(int64_t(80)), &c), 80);
    QCOMPARE(probePort(api::IntOrString(std::string("web")), &c), 8080);
    QCOMPARE(probePort(api::IntOrString(std::string("90")), &c), 90);
    QCOMPARE(probePort(api::IntOrString(std::string("none")), &c), 0);
    QCOMPARE(probePort(api::IntOrString(int64_t(70000)), &c), 0);
    QCOMPARE(httpStatusOf("HTTP/1.0 200 OK\r"), 200);
    QCOMPARE(httpStatusOf("HTTP/1.1 503"), 503);
    QCOMPARE(httpStatusOf("HTTP/1.1 5x3 "), 0);
    QCOMPARE(httpStatusOf("SSH-2.0-OpenSSH_9"), 0);
    QCOMPARE(httpStatusOf("HTTP/"), 0);
  }

  void cniConfigurationIsJson() {
    NetworkOptions o;
    auto tree = api::parseJson(cniConfig(o, "10.244.7.0/24"));
    QVERIFY2(tree.ok(), tree.ok() ? "" : tree.status().message.c_str());
    QCOMPARE(QString::fromStdString(std::string(api::at(*tree, "plugins.0.ipam.ranges.0.0.subnet")->as_string())), "10.244.7.0/24");
    QCOMPARE(QString::fromStdString(vxlanMac("10.1.2.255")), "02:50:0a:01:02:ff");
    QVERIFY(onSameSubnet("127.0.0.1", "127.9.9.9"));
    QVERIFY(!onSameSubnet("127.0.0.1", "8.8.8.8"));
  }

  void flagsAreStrict() {
    auto f = Flags::parse({"run", "--a", "1", "--b=x=y", "--yes"}, {"a", "b"}, {"yes"});
    QVERIFY(f.ok());
    QCOMPARE(QString::fromStdString(f->get("b")), "x=y");
    QVERIFY(f->has("yes"));
    QCOMPARE(f->words(), std::vector<std::string>{"run"});
    QVERIFY(!Flags::parse({"--c"}, {"a"}, {}).ok());
    QVERIFY(!Flags::parse({"--a"}, {"a"}, {}).ok());
    QVERIFY(!f->duration("a", 1s).ok());
    QVERIFY(!f->number("b", 1, 0, 9).ok());
    QVERIFY(!Flags::parse({"--a", "x,y=1"}, {"a"}, {})->pairs("a").ok());
  }
};

QTEST_GUILESS_MAIN(RuntimeTest)
#include "runtime_test.moc"
