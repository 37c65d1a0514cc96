// The audit log: what is worth a line, what the line says, and the file that never grows without end.
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

#include "engine/server/audit/audit_event.h"
#include "engine/server/audit/audit_log.h"
#include "engine/server/authz.h"

using namespace ph;
using namespace ph::server;

namespace {

const ResourceInfo* kind(const char* group, const char* plural) {
  static auto registry = api::Registry::builtin();
  return registry->find(group, *group ? "v1" : "v1", plural);
}

struct Asked {
  std::string_view verb;
  const ResourceInfo* info = nullptr;
  std::string ns, subresource;
  User user = {"jane", {"devs"}};
};
std::unique_ptr<Call> call(Asked asked) {
  auto c = std::make_unique<Call>();
  c->verb = asked.verb;
  c->info = asked.info;
  c->ns = asked.ns;
  c->subresource = asked.subresource;
  c->user = asked.user;
  return c;
}
bool wanted(Asked asked, int code = 200) { return auditWanted(*call(std::move(asked)), code); }
User aNode() { return {"system:node:n1", {std::string(kNodes)}}; }

QByteArray read(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

}  // namespace

class AuditTest : public QObject {
  Q_OBJECT
 private slots:
  void whatIsWorthALine() {
    QVERIFY(wanted({"create", kind("", "pods")}));
    QVERIFY(wanted({"delete", kind("", "configmaps")}));
    QVERIFY(wanted({"get", kind("", "secrets")}));
    QVERIFY(wanted({"list", kind("", "secrets")}));
    QVERIFY(wanted({"connect", kind("", "pods"), "a", "exec"}));
    QVERIFY(wanted({"post"}));  // an image
    QVERIFY(wanted({"get", kind("", "pods")}, 403));
    QVERIFY(wanted({"get"}, 401));
    QVERIFY(!wanted({"get", kind("", "pods")}));
    QVERIFY(!wanted({"watch", kind("", "pods")}));
    QVERIFY(!wanted({"connect", kind("", "pods"), "a", "log"}));
    QVERIFY(!wanted({"get"}));  // health, discovery
    QVERIFY(!wanted({"create", kind("", "events")}));
    QVERIFY(!wanted({"update", kind("coordination.k8s.io", "leases"), "kube-node-lease", "", aNode()}));
    QVERIFY(!wanted({"patch", kind("", "pods"), "a", "status", aNode()}));
    QVERIFY(wanted({"update", kind("coordination.k8s.io", "leases"), "kube-node-lease"}));  // not by a node
    QVERIFY(wanted({"delete", kind("", "pods"), "a", "", aNode()}));
    auto asOther = call({"get", kind("", "pods")});
    asOther->impersonator = std::make_shared<User>(systemAdmin());
    QVERIFY(auditWanted(*asOther, 200));
  }

  void whatTheLineSays() {
    auto c = call({"create", kind("apps", "deployments"), "prod"});
    c->name = "web";
    c->request.path = "/apis/apps/v1/namespaces/prod/deployments";
    c->request.query = "fieldManager=\xff\n";
    c->request.headers.add("user-agent", "kubectl/v1.32");
    c->request.peer.address = "10.0.0.7:51000";
    c->request.body = "very secret";
    c->impersonator = std::make_shared<User>(systemAdmin());
    c->authorized = true;
    c->failure = "AlreadyExists";
    auto line = auditEvent(*c, 409, "id-1", *parseTime("2026-01-02T03:04:05.000006Z"));
    QVERIFY(line.find('\n') == std::string::npos && line.find("very secret") == std::string::npos);
    const QJsonValue event = QJsonDocument::fromJson(QByteArray::fromStdString(line)).object();
    QCOMPARE(event["kind"].toString(), "Event");
    QCOMPARE(event["apiVersion"].toString(), "audit.k8s.io/v1");
    QCOMPARE(event["level"].toString(), "Metadata");
    QCOMPARE(event["auditID"].toString(), "id-1");
    QCOMPARE(event["stage"].toString(), "ResponseComplete");
    QCOMPARE(event["requestURI"].toString(), "/apis/apps/v1/namespaces/prod/deployments?fieldManager=\?\?");
    QCOMPARE(event["verb"].toString(), "create");
    QCOMPARE(event["user"]["username"].toString(), "system:admin");
    QCOMPARE(event["impersonatedUser"]["username"].toString(), "jane");
    QCOMPARE(event["sourceIPs"][0].toString(), "10.0.0.7");
    QCOMPARE(event["userAgent"].toString(), "kubectl/v1.32");
    QCOMPARE(event["objectRef"]["resource"].toString(), "deployments");
    QCOMPARE(event["objectRef"]["apiGroup"].toString(), "apps");
    QCOMPARE(event["objectRef"]["namespace"].toString(), "prod");
    QCOMPARE(event["objectRef"]["name"].toString(), "web");
    QCOMPARE(event["responseStatus"]["code"].toInt(), 409);
    QCOMPARE(event["responseStatus"]["reason"].toString(), "AlreadyExists");
    QCOMPARE(event["stageTimestamp"].toString(), "2026-01-02T03:04:05.000006Z");
    QCOMPARE(event["annotations"]["authorization.k8s.io/decision"].toString(), "allow");
    c->longRunning = true;
    QVERIFY(auditEvent(*c, 200, "x", {}).find("ResponseStarted") != std::string::npos);
  }

  void theFileIsRotated() {
    QTemporaryDir dir;
    auto executor = SimExecutor::make(1);
    auto path = dir.filePath("audit.log");
    auto log = AuditLog::open({path.toStdString(), 1000, 3, 100000}, executor);
    QVERIFY(log.ok());
    for (int i = 0; i < 200; ++i) (*log)->record("{\"n\":" + std::to_string(1000 + i) + "}");
    executor->runFor(std::chrono::seconds(1));
    QVERIFY(QFile::exists(path) && QFile::exists(path + ".1") && QFile::exists(path + ".2") && !QFile::exists(path + ".3"));
    for (auto& name : {path, path + ".1", path + ".2"}) {
      QVERIFY(read(name).size() <= 1000 && read(name).size() > 0);
      QCOMPARE(int(QFile::permissions(name) & 0x0077), 0);  // nobody else's
    }
    QVERIFY(read(path).endsWith("{\"n\":1199}\n"));
    // The three follow on each other.
    auto all = (read(path + ".2") + read(path + ".1") + read(path)).split('\n');
    for (int i = 1; i + 1 < all.size(); ++i) QCOMPARE(all[i].mid(5, 4).toInt(), all[i - 1].mid(5, 4).toInt() + 1);
    QCOMPARE((*log)->lost(), uint64_t(0));
  }

  void whatDoesNotFitIsCountedAndSaid() {
    QTemporaryDir dir;
    auto executor = SimExecutor::make(1);
    auto path = dir.filePath("audit.log");
    auto log = AuditLog::open({path.toStdString(), 100000, 2, 100}, executor);
    QVERIFY(log.ok());
    for (int i = 0; i < 20; ++i) (*log)->record("{\"n\":1234}");
    QCOMPARE((*log)->recorded(), uint64_t(9));
    QCOMPARE((*log)->lost(), uint64_t(11));
    executor->runFor(std::chrono::seconds(1));
    QCOMPARE(read(path).count('\n'), 10);
    QVERIFY(read(path).contains("\"pilothouse.io/events-lost\":\"11\""));
    (*log)->record("{\"last\":1}");
    log->reset();  // what is queued is written
    QVERIFY(read(path).endsWith("{\"last\":1}\n"));
  }

  void aFolderThatIsNotThere() {
    auto log = AuditLog::open({"/nonexistent/audit.log"}, SimExecutor::make(1));
    QVERIFY(!log.ok() && log.status().message.find("/nonexistent/audit.log") != std::string::npos);
  }
};

QTEST_GUILESS_MAIN(AuditTest)
#include "audit_test.moc"
