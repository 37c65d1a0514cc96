// The Pod Security Standards, row by row: a pod, a policy, and what is wrong with it in Kubernetes' words.
#include <QTest>

#include "engine/api/codec.h"
#include "engine/server/admission/pod_security/policy.h"

using namespace ph;
using namespace ph::server::podsecurity;

namespace {

// All that restricted asks for.
const char* kGood =
    "securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}\n"
    "containers:\n- {name: a, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}";

// `more` stands beside what kGood has.
std::string good(const std::string& more) { return std::string(kGood) + "\n" + more; }

}  // namespace

class PodSecurityTest : public QObject {
  Q_OBJECT

 private slots:
  void verdicts_data() {
    QTest::addColumn<QString>("policy");
    QTest::addColumn<QString>("spec");
    QTest::addColumn<QString>("metadata");
    QTest::addColumn<QString>("wanted");
    auto row = [](const char* name, const char* policy, const std::string& spec, const char* wanted, const char* metadata = "{}") {
      QTest::newRow(name) << policy << QString::fromStdString(spec) << metadata << wanted;
    };
    std::string plain = "containers: [{name: a}]";
    row("plain is baseline", "baseline:latest", plain, "");
    row("privileged takes all", "privileged:latest", "hostNetwork: true\ncontainers: [{name: a, securityContext: {privileged: true}}]", "");
    row("good is restricted", "restricted:latest", kGood, "");
    row("plain is not restricted", "restricted:latest", plain,
        "allowPrivilegeEscalation != false (container \"a\" must set securityContext.allowPrivilegeEscalation=false), "
        "unrestricted capabilities (container \"a\" must set securityContext.capabilities.drop=[\"ALL\"]), "
        "runAsNonRoot != true (pod or container \"a\" must set securityContext.runAsNonRoot=true), "
        "seccompProfile (pod or container \"a\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")");
    row("releases before a check", "restricted:v1.7", plain,
        "runAsNonRoot != true (pod or container \"a\" must set securityContext.runAsNonRoot=true)");
    row("init and ephemeral containers too", "baseline:latest",
        "initContainers: [{name: i, securityContext: {privileged: true}}]\ncontainers: [{name: a}]\n"
        "ephemeralContainers: [{name: e, securityContext: {privileged: true}}]",
        "privileged (containers \"i\", \"e\" must not set securityContext.privileged=true)");
    row("host namespaces", "baseline:latest", "hostNetwork: true\nhostIPC: true\n" + plain, "host namespaces (hostNetwork=true, hostIPC=true)");
    row("host ports", "baseline:latest",
        "containers: [{name: a, ports: [{hostPort: 90}, {hostPort: 80}, {containerPort: 1}]}, {name: b, ports: [{hostPort: 80}]}]",
        "hostPort (containers \"a\", \"b\" use hostPorts 80, 90)");
    row("one host port", "baseline:latest", "containers: [{name: a, ports: [{hostPort: 80}]}]", "hostPort (container \"a\" uses hostPort 80)");
    row("host paths", "baseline:latest", "volumes: [{name: x, hostPath: {path: /}}, {name: y, emptyDir: {}}]\n" + plain,
        "hostPath volumes (volume \"x\")");
    row("volumes, restricted", "restricted:latest", good("volumes: [{name: x, hostPath: {path: /}}, {name: net, nfs: {}}, {name: y, emptyDir: {}}]"),
        "restricted volume types (volumes \"x\", \"net\" use restricted volume types \"hostPath\", \"nfs\")");
    row("capabilities", "baseline:latest", "containers: [{name: a, securityContext: {capabilities: {add: [SYS_ADMIN, CHOWN, NET_RAW]}}}]",
        "non-default capabilities (container \"a\" must not include \"NET_RAW\", \"SYS_ADMIN\" in securityContext.capabilities.add)");
    row("capabilities, restricted", "restricted:latest",
        "securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}\ncontainers:\n"
        "- {name: a, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL], add: [CHOWN, NET_BIND_SERVICE]}}}",
        "unrestricted capabilities (container \"a\" must not include \"CHOWN\" in securityContext.capabilities.add)");
    row("proc mount", "baseline:latest", "containers: [{name: a, securityContext: {procMount: Unmasked}}]",
        "procMount (container \"a\" must not set securityContext.procMount to \"Unmasked\")");
    row("selinux", "baseline:latest",
        "securityContext: {seLinuxOptions: {type: foo}}\ncontainers: [{name: a, securityContext: {seLinuxOptions: {user: u, type: container_t}}}]",
        "seLinuxOptions (pod and container \"a\" set forbidden securityContext.seLinuxOptions: type \"foo\"; user may not be set)");
    row("seccomp", "baseline:latest", "securityContext: {seccompProfile: {type: Unconfined}}\n" + plain,
        "seccompProfile (pod must not set securityContext.seccompProfile.type to \"Unconfined\")");
    row("seccomp, one container off", "restricted:latest",
        "securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}\ncontainers:\n"
        "- {name: a, securityContext: {allowPrivilegeEscalation: false, seccompProfile: {type: Unconfined}, capabilities: {drop: [ALL]}}}",
        "seccompProfile (container \"a\" must not set securityContext.seccompProfile.type to \"Unconfined\")");
    row("sysctls", "baseline:latest", "securityContext: {sysctls: [{name: kernel.msgmax}, {name: net.ipv4.tcp_syncookies}]}\n" + plain,
        "forbidden sysctls (kernel.msgmax)");
    row("a sysctl that is safe since 1.29", "baseline:v1.28", "securityContext: {sysctls: [{name: net.ipv4.tcp_fin_timeout}]}\n" + plain,
        "forbidden sysctls (net.ipv4.tcp_fin_timeout)");
    row("the same, now", "baseline:latest", "securityContext: {sysctls: [{name: net.ipv4.tcp_fin_timeout}]}\n" + plain, "");
    row("host process", "baseline:latest", "containers: [{name: a, securityContext: {windowsOptions: {hostProcess: true}}}]",
        "hostProcess (container \"a\" must not set securityContext.windowsOptions.hostProcess=true)");
    row("apparmor", "baseline:latest", plain,
        "forbidden AppArmor profile (container.apparmor.security.beta.kubernetes.io/a=\"unconfined\")",
        "annotations: {container.apparmor.security.beta.kubernetes.io/a: unconfined}");
    row("root user", "restricted:latest",
        "securityContext: {runAsNonRoot: true, runAsUser: 0, seccompProfile: {type: RuntimeDefault}}\ncontainers:\n"
        "- {name: a, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}",
        "runAsUser=0 (pod must not set runAsUser=0)");
    row("says that it is root", "restricted:latest",
        "securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}\ncontainers:\n"
        "- {name: a, securityContext: {runAsNonRoot: false, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}",
        "runAsNonRoot != true (container \"a\" must not set securityContext.runAsNonRoot=false)");
    row("windows has no capabilities", "restricted:latest", "os: {name: windows}\nsecurityContext: {runAsNonRoot: true}\ncontainers: [{name: a}]", "");
  }
  void verdicts() {
    QFETCH(QString, policy);
    QFETCH(QString, spec);
    QFETCH(QString, metadata);
    QFETCH(QString, wanted);
    auto s = api::parseYaml(spec.toStdString()), m = api::parseYaml(metadata.toStdString());
    QVERIFY2(s.ok() && m.ok(), qPrintable(spec));
    auto colon = policy.indexOf(':');
    Policy p{*parseLevel(policy.left(colon).toStdString()), *parseVersion(policy.mid(colon + 1).toStdString())};
    QCOMPARE(QString::fromStdString(p.text()), policy);
    QCOMPARE(QString::fromStdString(explain(evaluate(p, {*m, *s}))), wanted);
  }

  void levelsAndVersions() {
    QVERIFY(!parseLevel("") && !parseLevel("Baseline") && !parseLevel("strict"));
    for (auto bad : {"", "1.24", "v2.1", "v1.", "v1.x", "v1.-1", "v1.024", "v1.24 ", "newest"}) QVERIFY2(!parseVersion(bad), bad);
    QCOMPARE(*parseVersion("v1.0"), 0);
    QCOMPARE(*parseVersion("latest"), kLatest);
  }

  // Whatever stands where a pod should: no crash, and nothing found in nothing.
  void nonsense() {
    for (auto text : {"null", "[]", "3", "{containers: 3}", "{containers: [3, null, {}]}", "{volumes: [1, {}], securityContext: []}"}) {
      auto tree = api::parseYaml(text);
      QVERIFY2(tree.ok(), text);
      evaluate({Level::Restricted, kLatest}, {*tree, *tree});
      QCOMPARE(evaluate({Level::Baseline, kLatest}, {*tree, *tree}).size(), size_t(0));
    }
  }
};

QTEST_GUILESS_MAIN(PodSecurityTest)
#include "pod_security_test.moc"
