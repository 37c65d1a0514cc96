// Who may do what: certificates, tokens, nodes confined to what is theirs; and peers that misbehave.
#include <QElapsedTimer>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTcpSocket>
#include <QTest>

#include "engine/base/time.h"
#include "engine/net/pki.h"
#include "tests/support/engine/engine_process.h"

using namespace ph;
using namespace ph::test;

class AuthTest : public QObject {
  Q_OBJECT
  EngineProcess engine_;
  std::unique_ptr<Http> admin_;

  static QString message(const Answer& a) { return QJsonDocument::fromJson(a.body)["message"].toString(); }
  static std::string pod(const std::string& name, const std::string& node, const std::string& volumes = "[]") {
    return q("{'apiVersion':'v1','kind':'Pod','metadata':{'name':'") + name + q("'},'spec':{'nodeName':'") + node +
           q("','containers':[{'name':'c','image':'i:1'}],'volumes':") + volumes + "}}";
  }
  static std::string node(const std::string& name) {
    return q("{'apiVersion':'v1','kind':'Node','metadata':{'name':'") + name + q("'}}");
  }

 private slots:
  void initTestCase() {
    QVERIFY2(engine_.start(), qPrintable(engine_.log()));
    admin_ = std::make_unique<Http>(engine_, Http::admin(engine_));
    QCOMPARE(admin_->post("/api/v1/nodes", node("n1")).code, 201);
    QCOMPARE(admin_->post("/api/v1/nodes", node("n2")).code, 201);
    std::string uses = q("[{'name':'v','configMap':{'name':'used'}},{'name':'s','secret':{'secretName':'used'}}]");
    QCOMPARE(admin_->post("/api/v1/namespaces/default/pods", pod("mine", "n1", uses)).code, 201);
    QCOMPARE(admin_->post("/api/v1/namespaces/default/pods", pod("other", "n2")).code, 201);
    for (auto name : {"used", "unused"}) {
      std::string meta = q("'metadata':{'name':'") + std::string(name) + q("'}}");
      QCOMPARE(admin_->post("/api/v1/namespaces/default/configmaps", q("{'apiVersion':'v1','kind':'ConfigMap',") + meta).code, 201);
      QCOMPARE(admin_->post("/api/v1/namespaces/default/secrets", q("{'apiVersion':'v1','kind':'Secret',") + meta).code, 201);
    }
  }

  void withoutCredentials() {
    Http nobody(engine_, {{}, {}, {}, engine_.file("pki/ca.crt")});
    for (auto path : {"/readyz", "/livez", "/healthz", "/version"}) QCOMPARE(nobody.get(path).code, 200);
    QCOMPARE(nobody.get("/readyz").body, QByteArray("ok"));
    auto denied = nobody.get("/api/v1/namespaces/default/pods");
    QCOMPARE(denied.code, 403);
    QCOMPARE(message(denied), "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"");
    denied = nobody.get("/api/v1/nodes/n1");
    QCOMPARE(message(denied), "nodes \"n1\" is forbidden: User \"system:anonymous\" cannot get resource \"nodes\" in API group \"\" at the cluster scope");
    QCOMPARE(nobody.get("/metrics").code, 403);
    QCOMPARE(nobody.get("/apis").code, 403);
    QCOMPARE(message(nobody.get("/metrics")), "forbidden: User \"system:anonymous\" cannot get path \"/metrics\"");
  }

  void aCertificateOfAnotherAuthority() {
    net::CertSpec spec;
    spec.commonName = "admin";
    spec.isCa = true;
    auto now = systemClock().wallNow();
    spec.notBefore = now - std::chrono::hours(1);
    spec.notAfter = now + std::chrono::hours(1);
    auto ca = net::makeCa(spec);
    QVERIFY(ca.ok());
    spec.isCa = false;
    spec.clientAuth = true;
    spec.organizations = {"system:masters"};
    auto pair = net::issue(*ca, spec);
    QVERIFY(pair.ok());
    Http stranger(engine_, {QByteArray::fromStdString(pair->certPem), QByteArray::fromStdString(pair->keyPem), {}, {}});
    auto answer = stranger.get("/api/v1/nodes");
    QVERIFY2(answer.code == 0 || answer.code == 401 || answer.code == 403, qPrintable(QString::number(answer.code)));
  }

  void bearerTokens() {
    auto token = engine_.file("tokens").split(',').first();
    QVERIFY(token.size() >= 32);
    Http known(engine_, {{}, {}, token, engine_.file("pki/ca.crt")});
    QCOMPARE(known.get("/api/v1/nodes").code, 200);
    Http unknown(engine_, {{}, {}, "wrong" + token, engine_.file("pki/ca.crt")});
    auto answer = unknown.get("/api/v1/nodes");
    QCOMPARE(answer.code, 401);
    QCOMPARE(message(answer), "Unauthorized");
    QCOMPARE(unknown.get("/readyz").code, 401);
  }

  void anAuthenticatedUserWithoutRights() {
    Http user(engine_, Http::issued(engine_, "jane", {"team"}));
    QCOMPARE(user.get("/apis").code, 200);
    auto denied = user.del("/apis/apps/v1/namespaces/default/deployments/web");
    QCOMPARE(denied.code, 403);
    QCOMPARE(message(denied), "deployments.apps \"web\" is forbidden: User \"jane\" cannot delete resource \"deployments\" in API group \"apps\" in the namespace \"default\"");
  }

  void aNodeSeesItsOwnOnly() {
    Http n1(engine_, Http::issued(engine_, "system:node:n1", {"system:nodes"}));
    std::string pods = "/api/v1/namespaces/default/pods";
    QCOMPARE(n1.get("/api/v1/pods").code, 403);
    QCOMPARE(n1.get("/api/v1/pods?fieldSelector=spec.nodeName%3Dn2").code, 403);
    auto list = n1.get("/api/v1/pods?fieldSelector=spec.nodeName%3Dn1");
    QCOMPARE(list.code, 200);
    QVERIFY(list.body.contains("\"mine\"") && !list.body.contains("\"other\""));
    QCOMPARE(n1.get(pods + "/mine").code, 200);
    QCOMPARE(n1.get(pods + "/other").code, 403);
    QCOMPARE(n1.patch(pods + "/mine/status", q("{'status':{'phase':'Running'}}")).code, 200);
    auto relabelled = n1.patch(pods + "/mine/status", q("{'metadata':{'labels':{'app':'another'}}}"));
    QVERIFY(relabelled.code == 200 && !relabelled.body.contains("another"));
    QCOMPARE(n1.patch(pods + "/other/status", q("{'status':{'phase':'Running'}}")).code, 403);
    QCOMPARE(n1.patch(pods + "/mine", q("{'metadata':{'labels':{'a':'b'}}}")).code, 403);
    QCOMPARE(n1.post(pods, pod("new", "n1")).code, 403);
    QCOMPARE(n1.del(pods + "/mine").code, 403);  // not asked to go
    QCOMPARE(n1.get("/api/v1/namespaces/default/configmaps/used").code, 200);
    QCOMPARE(n1.get("/api/v1/namespaces/default/configmaps/unused").code, 403);
    QCOMPARE(n1.get("/api/v1/namespaces/default/secrets/used").code, 200);
    QCOMPARE(n1.get("/api/v1/namespaces/default/secrets/unused").code, 403);
    QCOMPARE(n1.get("/api/v1/namespaces/default/secrets").code, 403);
    QCOMPARE(n1.get("/api/v1/services").code, 200);
    QCOMPARE(n1.get("/api/v1/endpoints").code, 200);
    QCOMPARE(n1.get("/api/v1/nodes/n2").code, 200);
    QCOMPARE(n1.patch("/api/v1/nodes/n1/status", q("{'status':{'phase':'Running'}}")).code, 200);
    QCOMPARE(n1.patch("/api/v1/nodes/n2/status", q("{'status':{'phase':'Running'}}")).code, 403);
    QCOMPARE(n1.post("/api/v1/nodes", node("n3")).code, 403);
    QCOMPARE(n1.del("/api/v1/nodes/n1").code, 403);
    auto lease = [](const std::string& name) {
      return q("{'apiVersion':'coordination.k8s.io/v1','kind':'Lease','metadata':{'name':'") + name + q("'},'spec':{'holderIdentity':'x'}}");
    };
    std::string leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
    QCOMPARE(n1.post(leases, lease("n1")).code, 201);
    QCOMPARE(n1.post(leases, lease("n2")).code, 403);
    QCOMPARE(n1.patch(leases + "/n1", q("{'spec':{'holderIdentity':'y'}}")).code, 200);
    QCOMPARE(n1.post("/api/v1/namespaces/default/events",
                     q("{'apiVersion':'v1','kind':'Event','metadata':{'name':'e.1'},'involvedObject':{'kind':'Pod','name':'mine','namespace':'default'},'reason':'x','message':'y','type':'Normal'}")).code,
             201);
  }

  void aNodeMayEndItsTerminatingPods() {
    std::string pods = "/api/v1/namespaces/default/pods";
    QCOMPARE(admin_->post(pods, pod("ending", "n1")).code, 201);
    Http n1(engine_, Http::issued(engine_, "system:node:n1", {"system:nodes"}));
    Http n2(engine_, Http::issued(engine_, "system:node:n2", {"system:nodes"}));
    QCOMPARE(admin_->del(pods + "/ending").code, 200);
    auto terminating = admin_->get(pods + "/ending");
    QCOMPARE(terminating.code, 200);
    QVERIFY(terminating.body.contains("deletionTimestamp"));
    QCOMPARE(n2.del(pods + "/ending", q("{'gracePeriodSeconds':0}")).code, 403);
    QCOMPARE(n1.del(pods + "/ending", q("{'gracePeriodSeconds':0}")).code, 200);
    QCOMPARE(admin_->get(pods + "/ending").code, 404);
  }

  void halfOpenConnectionsAreClosedAndHarmNobody() {
    auto host = engine_.address().section(':', 0, 0);
    auto port = quint16(engine_.address().section(':', 1).toUInt());
    std::vector<std::unique_ptr<QTcpSocket>> silent;
    for (int i = 0; i < 50; ++i) {
      auto socket = std::make_unique<QTcpSocket>();
      socket->connectToHost(host, port);
      QVERIFY(socket->waitForConnected(5000));
      if (i % 2) socket->write("\x16\x03\x01");  // the beginning of a handshake, and then nothing
      socket->flush();
      silent.push_back(std::move(socket));
    }
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(admin_->get("/readyz").code, 200);
    QVERIFY(timer.elapsed() < 2000);
    // 15 s for a request's head: then they are gone.
    for (auto& socket : silent) {
      if (socket->state() == QAbstractSocket::ConnectedState) socket->waitForDisconnected(25000);
      QVERIFY(socket->state() == QAbstractSocket::UnconnectedState);
    }
    QCOMPARE(admin_->get("/readyz").code, 200);
  }

  void garbageIsNoRequest() {
    QTcpSocket socket;
    socket.connectToHost(engine_.address().section(':', 0, 0), quint16(engine_.address().section(':', 1).toUInt()));
    QVERIFY(socket.waitForConnected(5000));
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");  // clear text to a TLS port
    QTRY_VERIFY_WITH_TIMEOUT(socket.state() == QAbstractSocket::UnconnectedState || socket.waitForDisconnected(100), 20000);
    QCOMPARE(admin_->get("/readyz").code, 200);
  }
};

QTEST_GUILESS_MAIN(AuthTest)
#include "auth_test.moc"
