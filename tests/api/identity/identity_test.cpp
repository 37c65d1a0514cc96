// Who is who, with the real kubectl and the real openssl: service accounts and their tokens, certificates on request.
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include "tests/support/engine/checks.h"

using namespace ph;
using namespace ph::test;

#define KUBECTL(...) engine_.kubectl({__VA_ARGS__})

class IdentityApiTest : public QObject {
  Q_OBJECT
  EngineProcess engine_;
  std::unique_ptr<Http> admin_;

  // As somebody with this token.
  Http with(const QString& token) { return Http(engine_, {{}, {}, token.toUtf8(), engine_.file("pki/ca.crt")}); }
  bool write(const QString& name, const QByteArray& text) {
    QFile file(engine_.home() + "/" + name);
    return file.open(QIODevice::WriteOnly) && file.write(text) == text.size();
  }
  QByteArray read(const QString& name) {
    QFile file(engine_.home() + "/" + name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
  }
  // A key NAME.key and a request NAME.csr, made by openssl.
  Ran request(const QString& name, const QString& subject) {
    auto at = engine_.home() + "/" + name;
    return runProgram("openssl", {"req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", at + ".key", "-subj", subject, "-out", at + ".csr"});
  }
  Answer submit(const QString& name, const QByteArray& signer, const QByteArray& usages = "'client auth'") {
    auto body = "{'apiVersion':'certificates.k8s.io/v1','kind':'CertificateSigningRequest','metadata':{'name':'" + name.toUtf8() + "'},'spec':{'request':'" +
                read(name + ".csr").toBase64() + "','signerName':'" + signer + "','usages':[" + usages + "]}}";
    return admin_->post("/apis/certificates.k8s.io/v1/certificatesigningrequests", q(body.toStdString()));
  }
  QString column(const QString& name, const QString& path) { return KUBECTL("get", "csr", name, "-o", "jsonpath=" + path).out; }

 private slots:
  void initTestCase() {
    QVERIFY2(engine_.start(), qPrintable(engine_.log()));
    admin_ = std::make_unique<Http>(engine_, Http::admin(engine_));
  }

  void aTokenForAnAccount() {
    VERIFY_RAN(KUBECTL("create", "serviceaccount", "robot"));
    auto made = KUBECTL("create", "token", "robot");
    VERIFY_RAN(made);
    auto token = made.out.trimmed();
    QCOMPARE(token.count('.'), 2);
    auto robot = with(token);
    auto denied = robot.get("/api/v1/namespaces/default/secrets");
    QCOMPARE(denied.code, 403);
    QVERIFY(denied.body.contains("system:serviceaccount:default:robot"));
    auto me = robot.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", q("{'apiVersion':'authentication.k8s.io/v1','kind':'SelfSubjectReview'}"));
    QCOMPARE(me.code, 201);
    QCOMPARE(json(me.body)["status"].toObject()["userInfo"].toObject()["username"].toString(), "system:serviceaccount:default:robot");
    auto keys = robot.get("/openid/v1/jwks");
    QCOMPARE(keys.code, 200);
    QCOMPARE(json(keys.body)["keys"].toArray().size(), 1);
    QCOMPARE(robot.get("/.well-known/openid-configuration").code, 200);

    auto review = [&](const QString& what, const QByteArray& audiences) {
      return json(admin_->post("/apis/authentication.k8s.io/v1/tokenreviews",
                               q("{'apiVersion':'authentication.k8s.io/v1','kind':'TokenReview','spec':{'token':'" + what.toStdString() + "','audiences':[" + audiences.toStdString() + "]}}")).body)["status"].toObject();
    };
    auto known = review(token, "");
    QVERIFY(known["authenticated"].toBool());
    QCOMPARE(known["user"].toObject()["username"].toString(), "system:serviceaccount:default:robot");
    QVERIFY(known["user"].toObject()["groups"].toArray().contains("system:serviceaccounts:default"));
    QCOMPARE(known["audiences"].toArray().size(), 1);
    QVERIFY(!review(token, "'elsewhere'")["authenticated"].toBool());
    QVERIFY(!review("x" + token, "")["authenticated"].toBool());
    auto file = engine_.file("tokens").split(',').first();
    QCOMPARE(review(file, "")["user"].toObject()["username"].toString(), "admin");
    QCOMPARE(admin_->post("/apis/authentication.k8s.io/v1/tokenreviews", q("{'apiVersion':'authentication.k8s.io/v1','kind':'TokenReview','spec':{}}")).code, 400);

    // Kept over a restart; gone with the account.
    QVERIFY(engine_.stop());
    QVERIFY(engine_.start());
    admin_ = std::make_unique<Http>(engine_, Http::admin(engine_));
    QCOMPARE(with(token).get("/api/v1/namespaces/default/secrets").code, 403);
    VERIFY_RAN(KUBECTL("delete", "serviceaccount", "robot"));
    QCOMPARE(with(token).get("/api/v1/namespaces/default/secrets").code, 401);
    QCOMPARE(with(token).get("/readyz").code, 401);
  }

  void badTokenRequests() {
    auto none = KUBECTL("create", "token", "nobody");
    QVERIFY(!none.ok() && none.err.contains("serviceaccounts \"nobody\" not found"));
    QTRY_VERIFY(KUBECTL("get", "serviceaccount", "default").ok());
    auto brief = KUBECTL("create", "token", "default", "--duration=1m");
    QVERIFY(!brief.ok() && brief.err.contains("may not specify a duration less than 10 minutes"));
    std::string path = "/api/v1/namespaces/default/serviceaccounts/default/token";
    for (auto body : {"", "{", "[]", "{'kind':'Pod','apiVersion':'v1'}", "{'spec':{'boundObjectRef':3}}", "{'metadata':{'name':'other'}}"})
      QCOMPARE(admin_->post(path, q(body)).code, 400);
    QCOMPARE(admin_->get(path).code, 405);
    Http nobody(engine_, Http::issued(engine_, "jane", {"team"}));
    QCOMPARE(nobody.post(path, "{}").code, 403);
  }

  void aTokenBoundToAPod() {
    VERIFY_RAN(KUBECTL("run", "tied", "--image=i:1"));
    auto made = KUBECTL("create", "token", "default", "--bound-object-kind=Pod", "--bound-object-name=tied");
    VERIFY_RAN(made);
    auto token = made.out.trimmed();
    QCOMPARE(with(token).get("/api/v1/pods").code, 403);
    VERIFY_RAN(KUBECTL("delete", "pod", "tied", "--now"));
    QTRY_COMPARE(with(token).get("/api/v1/pods").code, 401);
  }

  void everyNamespaceHasTheCertificate() {
    VERIFY_RAN(KUBECTL("create", "namespace", "fresh"));
    QTRY_COMPARE(KUBECTL("get", "configmap", "kube-root-ca.crt", "-n", "fresh", "-o", "jsonpath={.data.ca\\.crt}").out.toUtf8(), engine_.file("pki/ca.crt"));
    VERIFY_RAN(KUBECTL("delete", "configmap", "kube-root-ca.crt", "-n", "fresh"));
    QTRY_VERIFY(KUBECTL("get", "configmap", "kube-root-ca.crt", "-n", "fresh").ok());
    VERIFY_RAN(KUBECTL("patch", "configmap", "kube-root-ca.crt", "-n", "fresh", "-p", "{\"data\":{\"ca.crt\":\"wrong\",\"more\":\"x\"}}"));
    QTRY_COMPARE(KUBECTL("get", "configmap", "kube-root-ca.crt", "-n", "fresh", "-o", "jsonpath={.data.ca\\.crt}{.data.more}").out.toUtf8(), engine_.file("pki/ca.crt"));
  }

  void secretsOfAccounts() {
    VERIFY_RAN(KUBECTL("create", "serviceaccount", "old"));
    auto secret = q("{'apiVersion':'v1','kind':'Secret','metadata':{'name':'olds','annotations':{'kubernetes.io/service-account.name':'old'}},'type':'kubernetes.io/service-account-token'}");
    QCOMPARE(admin_->post("/api/v1/namespaces/default/secrets", secret).code, 201);
    auto field = [&](const QString& key) { return QByteArray::fromBase64(KUBECTL("get", "secret", "olds", "-o", "jsonpath={.data." + key + "}").out.toUtf8()); };
    QTRY_VERIFY(!field("token").isEmpty());
    QCOMPARE(field("namespace"), QByteArray("default"));
    QCOMPARE(field("ca\\.crt"), engine_.file("pki/ca.crt"));
    auto token = QString(field("token"));
    QVERIFY(with(token).get("/api/v1/pods").body.contains("system:serviceaccount:default:old"));
    VERIFY_RAN(KUBECTL("delete", "serviceaccount", "old"));
    QTRY_COMPARE(admin_->get("/api/v1/namespaces/default/secrets/olds").code, 404);
    QCOMPARE(with(token).get("/api/v1/pods").code, 401);
  }

  void aPodInAFreshNamespace() {
    auto manifest = QByteArray(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: quick}\n---\n"
        "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: r, namespace: quick}\nspec:\n  replicas: 3\n  selector: {matchLabels: {a: b}}\n"
        "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}\n---\n"
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: quick}\nspec: {containers: [{name: c, image: i}]}\n");
    auto ran = engine_.kubectl({"apply", "-f", "-"}, manifest);
    VERIFY_RAN(ran);
    QTRY_COMPARE(KUBECTL("get", "pods", "-n", "quick", "-o", "jsonpath={range .items[*]}{.spec.volumes[0].projected.sources[0].serviceAccountToken.path},{end}").out, "token,token,token,token,");
    auto refused = KUBECTL("run", "x", "-n", "quick", "--image=i", "--overrides={\"spec\":{\"serviceAccountName\":\"nobody\"}}");
    QVERIFY(!refused.ok() && refused.err.contains("error looking up service account quick/nobody: serviceaccount \"nobody\" not found"));
  }

  void aCertificateOnRequest() {
    VERIFY_RAN(request("jane", "/O=team/CN=jane"));
    auto made = submit("jane", "kubernetes.io/kube-apiserver-client");
    QVERIFY2(made.code == 201, made.body);
    auto spec = json(made.body)["spec"].toObject();
    QCOMPARE(spec["username"].toString(), "admin");
    QVERIFY(spec["groups"].toArray().contains("system:masters"));
    QCOMPARE(KUBECTL("get", "csr", "jane", "--no-headers").out.simplified().section(' ', -1), "Pending");
    auto approved = KUBECTL("certificate", "approve", "jane");
    VERIFY_RAN(approved);
    QTRY_VERIFY(!column("jane", "{.status.certificate}").isEmpty());
    QCOMPARE(KUBECTL("get", "csr", "jane", "--no-headers").out.simplified().section(' ', -1), "Approved,Issued");
    QVERIFY(write("jane.crt", QByteArray::fromBase64(column("jane", "{.status.certificate}").toUtf8())));
    auto text = runProgram("openssl", {"x509", "-in", engine_.home() + "/jane.crt", "-noout", "-text"});
    QVERIFY2(text.out.contains("TLS Web Client Authentication") && text.out.contains("CA:FALSE"), qPrintable(text.out));
    auto config = engine_.home() + "/jane.kubeconfig";
    auto kubectl = [&](QStringList arguments) { return runProgram(EngineProcess::kubectlPath(), arguments << "--kubeconfig" << config); };
    VERIFY_RAN(kubectl({"config", "set-cluster", "c", "--server=https://" + engine_.address(), "--certificate-authority=" + engine_.dataDir() + "/pki/ca.crt"}));
    VERIFY_RAN(kubectl({"config", "set-credentials", "jane", "--client-certificate=" + engine_.home() + "/jane.crt", "--client-key=" + engine_.home() + "/jane.key"}));
    VERIFY_RAN(kubectl({"config", "set-context", "x", "--cluster=c", "--user=jane"}));
    VERIFY_RAN(kubectl({"config", "use-context", "x"}));
    auto denied = kubectl({"get", "secrets"});
    QVERIFY2(denied.err.contains("User \"jane\" cannot list resource \"secrets\""), qPrintable(denied.all()));
    // A decision stands.
    std::string path = "/apis/certificates.k8s.io/v1/certificatesigningrequests/jane";
    QCOMPARE(admin_->patch(path + "/approval", q("{'status':{'conditions':[]}}")).code, 422);
    QCOMPARE(admin_->patch(path + "/approval", q("{'status':{'conditions':[{'type':'Approved','status':'True'},{'type':'Denied','status':'True'}]}}")).code, 422);
    QCOMPARE(admin_->patch(path + "/status", q("{'status':{'certificate':'" + QByteArray("-----BEGIN CERTIFICATE-----").toBase64().toStdString() + "'}}")).code, 422);
    QCOMPARE(admin_->patch(path, q("{'spec':{'username':'root'}}")).code, 200);
    QCOMPARE(column("jane", "{.spec.username}"), "admin");
  }

  void noCertificateWithoutAYes() {
    VERIFY_RAN(request("eve", "/CN=eve"));
    QCOMPARE(submit("eve", "kubernetes.io/kube-apiserver-client").code, 201);
    VERIFY_RAN(KUBECTL("certificate", "deny", "eve"));
    QCOMPARE(KUBECTL("get", "csr", "eve", "--no-headers").out.simplified().section(' ', -1), "Denied");
    std::string path = "/apis/certificates.k8s.io/v1/certificatesigningrequests/eve";
    // What status says of decisions is not heard.
    QCOMPARE(admin_->patch(path + "/status", q("{'status':{'conditions':[{'type':'Approved','status':'True'}]}}")).code, 200);
    QCOMPARE(column("eve", "{.status.conditions[*].type}"), "Denied");
    // But of all else it says, in its order.
    QCOMPARE(admin_->patch(path + "/status", q("{'status':{'conditions':[{'type':'A','status':'True'},{'type':'Denied','status':'True','message':'mine'},"
                                               "{'type':'B','status':'True'}]}}")).code, 200);
    QCOMPARE(column("eve", "{.status.conditions[*].type}"), "A Denied B");
    QVERIFY(!column("eve", "{.status.conditions[1].message}").contains("mine"));
    QCOMPARE(admin_->patch(path + "/status", q("{'status':{'conditions':[{'type':'A','status':'True'}]}}")).code, 200);
    QCOMPARE(column("eve", "{.status.conditions[*].type}"), "A Denied B");
    Http jane(engine_, Http::issued(engine_, "jane", {"team"}));
    QCOMPARE(jane.patch(path + "/approval", q("{'status':{'conditions':[{'type':'Approved','status':'True'}]}}")).code, 403);
  }

  void refusedRequests() {
    VERIFY_RAN(request("boss", "/O=system:masters/CN=boss"));
    auto boss = submit("boss", "kubernetes.io/kube-apiserver-client");
    QCOMPARE(boss.code, 403);
    QVERIFY(boss.body.contains("system:masters group is not allowed"));
    VERIFY_RAN(request("fake", "/O=team/CN=fake"));
    QCOMPARE(submit("fake", "kubernetes.io/legacy-unknown").code, 422);
    QCOMPARE(submit("fake", "nodomain").code, 422);
    QCOMPARE(submit("fake", "kubernetes.io/kube-apiserver-client", "").code, 422);
    QCOMPARE(submit("fake", "kubernetes.io/kube-apiserver-client", "'world domination'").code, 422);
    QVERIFY(write("fake2.csr", "no request"));
    QCOMPARE(submit("fake2", "kubernetes.io/kube-apiserver-client").code, 422);
    // Approved, but not what the signer signs: it says so.
    QCOMPARE(submit("fake", "kubernetes.io/kube-apiserver-client-kubelet").code, 201);
    VERIFY_RAN(KUBECTL("certificate", "approve", "fake"));
    QTRY_COMPARE(KUBECTL("get", "csr", "fake", "--no-headers").out.simplified().section(' ', -1), "Approved,Failed");
    QCOMPARE(column("fake", "{.status.conditions[?(@.type==\"Failed\")].reason}"), "SignerValidationFailure");
    QVERIFY(column("fake", "{.status.certificate}").isEmpty());
  }
};

QTEST_GUILESS_MAIN(IdentityApiTest)
#include "identity_test.moc"
