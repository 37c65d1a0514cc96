// Who may do what, as users meet it: kubectl auth, users with certificates, tries to gain more than they have.
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include "tests/support/engine/engine_process.h"

using namespace ph;
using namespace ph::test;

class RbacApiTest : public QObject {
  Q_OBJECT
  EngineProcess engine_;
  std::unique_ptr<Http> admin_;

  static QString message(const Answer& a) { return QJsonDocument::fromJson(a.body)["message"].toString(); }
  Ran kubectl(const QString& line, const QByteArray& input = {}) const { return engine_.kubectl(line.split(' '), input); }
  QString can(const QString& line) const { return kubectl("auth can-i " + line).out.trimmed(); }
  // kubectl asks by the names that discovery has; this kind is not there.
  QString canWidgets(const std::string& user) const {
    auto review = admin_->post("/apis/authorization.k8s.io/v1/subjectaccessreviews",
                               q("{'apiVersion':'authorization.k8s.io/v1','kind':'SubjectAccessReview','spec':{'user':'" + user +
                                 "','resourceAttributes':{'namespace':'dev','verb':'get','group':'example.com','resource':'widgets'}}}"));
    return QJsonDocument::fromJson(review.body)["status"]["allowed"].toBool() ? "yes" : "no";
  }
  static constexpr const char* kRbac = "/apis/rbac.authorization.k8s.io/v1";

 private slots:
  void initTestCase() {
    QVERIFY2(engine_.start(), qPrintable(engine_.log()));
    admin_ = std::make_unique<Http>(engine_, Http::admin(engine_));
    QVERIFY(kubectl("create namespace dev").ok());
    auto made = kubectl("create rolebinding jane-edits -n dev --clusterrole=edit --user=jane");
    QVERIFY2(made.ok(), qPrintable(made.all()));
  }

  void theDefaultRolesAreThere() {
    auto names = kubectl("get clusterroles -o name").out;
    for (auto name : {"cluster-admin", "admin", "edit", "view", "system:discovery", "system:basic-user", "system:node", "system:kube-scheduler"})
      QVERIFY2(names.contains("clusterrole.rbac.authorization.k8s.io/" + QString(name) + "\n"), name);
    QVERIFY(kubectl("get clusterrolebinding cluster-admin -o wide").out.contains("ClusterRole/cluster-admin"));
    auto described = kubectl("describe clusterrole view");
    QVERIFY2(described.out.contains("pods/log") && !described.out.contains("secrets"), qPrintable(described.all()));
  }

  void canI() {
    QCOMPARE(can("create deployments"), QString("yes"));
    QCOMPARE(can("create deployments -n dev --as jane"), QString("yes"));
    QCOMPARE(can("create deployments -n default --as jane"), QString("no"));
    QCOMPARE(can("get pods --subresource=log -n dev --as jane"), QString("yes"));
    QCOMPARE(can("list nodes --as jane").section('\n', -1), QString("no"));
    QCOMPARE(can("get /version --as jane"), QString("yes"));
    QCOMPARE(can("get /metrics --as jane"), QString("no"));
    QCOMPARE(can("* * --all-namespaces"), QString("yes"));
    auto list = kubectl("auth can-i --list -n dev --as jane");
    QVERIFY2(list.ok() && list.out.contains("deployments.apps") && list.out.contains("selfsubjectaccessreviews"), qPrintable(list.all()));
    auto who = kubectl("auth whoami --as jane --as-group team -o json");
    auto user = QJsonDocument::fromJson(who.out.toUtf8())["status"]["userInfo"];
    QCOMPARE(user["username"].toString(), QString("jane"));
    QCOMPARE(user["groups"].toArray(), (QJsonArray{"team", "system:authenticated"}));
  }

  void aReviewOfSomebodyElse() {
    auto review = [&](const std::string& spec) {
      return admin_->post("/apis/authorization.k8s.io/v1/subjectaccessreviews", q("{'apiVersion':'authorization.k8s.io/v1','kind':'SubjectAccessReview','spec':") + q(spec) + "}");
    };
    auto yes = review("{'user':'jane','resourceAttributes':{'namespace':'dev','verb':'get','resource':'secrets','name':'x'}}");
    QCOMPARE(yes.code, 201);
    auto status = QJsonDocument::fromJson(yes.body)["status"];
    QCOMPARE(status["allowed"].toBool(), true);
    QCOMPARE(status["reason"].toString(), QString("RBAC: allowed by RoleBinding \"jane-edits/dev\" of ClusterRole \"edit\" to User \"jane\""));
    auto no = review("{'user':'jane','resourceAttributes':{'namespace':'default','verb':'get','resource':'secrets'}}");
    QCOMPARE(QJsonDocument::fromJson(no.body)["status"]["allowed"].toBool(true), false);
    QCOMPARE(review("{'user':'jane'}").code, 422);
    QCOMPARE(review("{'resourceAttributes':{'verb':'get'}}").code, 422);
    QCOMPARE(review("{'user':'jane','resourceAttributes':{'verb':'get'},'nonResourceAttributes':{'verb':'get','path':'/'}}").code, 422);
    Http jane(engine_, Http::issued(engine_, "jane", {}));
    QCOMPARE(jane.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", "{}").code, 403);
    auto old = admin_->post("/apis/authorization.k8s.io/v1beta1/subjectaccessreviews",
                            q("{'apiVersion':'authorization.k8s.io/v1beta1','kind':'SubjectAccessReview','spec':{'group':['system:masters'],'resourceAttributes':{'verb':'get','resource':'x'}}}"));
    QCOMPARE(old.code, 201);
    QCOMPARE(QJsonDocument::fromJson(old.body)["status"]["allowed"].toBool(), true);
    auto local = q("{'apiVersion':'authorization.k8s.io/v1','kind':'LocalSubjectAccessReview','spec':{'user':'jane','resourceAttributes':{'namespace':'dev','verb':'get','resource':'pods'}}}");
    QCOMPARE(admin_->post("/apis/authorization.k8s.io/v1/namespaces/dev/localsubjectaccessreviews", local).code, 201);
    QCOMPARE(admin_->post("/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews", local).code, 422);
  }

  void anEditorOfOneNamespace() {
    Http jane(engine_, Http::issued(engine_, "jane", {"team"}));
    auto map = q("{'metadata':{'name':'m'},'data':{'a':'b'}}");
    QCOMPARE(jane.post("/api/v1/namespaces/dev/configmaps", map).code, 201);
    QCOMPARE(jane.get("/api/v1/namespaces/dev/configmaps/m").code, 200);
    QCOMPARE(jane.post("/api/v1/namespaces/default/configmaps", map).code, 403);
    auto denied = jane.get("/api/v1/configmaps");
    QCOMPARE(denied.code, 403);
    QCOMPARE(message(denied), QString("configmaps is forbidden: User \"jane\" cannot list resource \"configmaps\" in API group \"\" at the cluster scope"));
    auto details = QJsonDocument::fromJson(denied.body)["details"];
    QCOMPARE(details["kind"].toString(), QString("configmaps"));
    QCOMPARE(jane.get("/api/v1/namespaces/dev").code, 200);
    QCOMPARE(jane.get("/api/v1/namespaces/default").code, 403);
    QCOMPARE(jane.del("/api/v1/namespaces/dev").code, 403);
    QCOMPARE(jane.get("/api/v1/nodes").code, 403);
    // An apply that creates needs the right to create; one right is not the other.
    QVERIFY(kubectl("create role patches -n dev --verb=patch,get --resource=configmaps").ok());
    QVERIFY(kubectl("create rolebinding patches -n dev --role=patches --user=pat").ok());
    Http pat(engine_, Http::issued(engine_, "pat", {}));
    auto apply = [&](const std::string& name) {
      return pat.patch("/api/v1/namespaces/dev/configmaps/" + name + "?fieldManager=pat", q("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'" + name + "'},'data':{'c':'d'}}"), "application/apply-patch+yaml");
    };
    auto created = apply("new");
    QCOMPARE(created.code, 403);
    QVERIFY(message(created).contains("cannot create resource"));
    QCOMPARE(apply("m").code, 200);
    // A right that goes is gone for the next request.
    QVERIFY(kubectl("delete rolebinding patches -n dev").ok());
    QCOMPARE(apply("m").code, 403);
  }

  void everyWayToMoreIsClosed() {
    Http jane(engine_, Http::issued(engine_, "jane", {}));
    Http adm(engine_, Http::issued(engine_, "adm", {}));
    QVERIFY(kubectl("create rolebinding adm -n dev --clusterrole=admin --user=adm").ok());
    std::string roles = std::string(kRbac) + "/namespaces/dev/roles", bindings = std::string(kRbac) + "/namespaces/dev/rolebindings";
    auto role = [](const std::string& name, const std::string& rule) {
      return q("{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'Role','metadata':{'name':'" + name + "'},'rules':[" + rule + "]}");
    };
    auto binding = [](const std::string& name, const std::string& ref) {
      return q("{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'RoleBinding','metadata':{'name':'" + name + "'},'roleRef':{'apiGroup':'rbac.authorization.k8s.io','kind':'ClusterRole','name':'" + ref + "'},'subjects':[{'kind':'User','apiGroup':'rbac.authorization.k8s.io','name':'adm'}]}");
    };
    auto all = "{'verbs':['*'],'apiGroups':['*'],'resources':['*']}";
    auto pods = "{'verbs':['get'],'apiGroups':[''],'resources':['pods']}";
    QCOMPARE(jane.post(roles, role("r", pods)).code, 403);  // an editor writes no roles
    QCOMPARE(adm.post(roles, role("r", pods)).code, 201);
    auto denied = adm.post(roles, role("r2", all));
    QCOMPARE(denied.code, 403);
    QVERIFY(message(denied).contains("is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}"));
    QCOMPARE(adm.post(roles + "?dryRun=All", role("r2", all)).code, 403);
    QCOMPARE(adm.put(roles + "/r", role("r", all)).code, 403);
    QCOMPARE(adm.patch(roles + "/r", q(std::string("{'rules':[") + all + "]}")).code, 403);
    QCOMPARE(adm.patch(roles + "/r", q("[{'op':'replace','path':'/rules/0/verbs','value':['*']}]"), "application/json-patch+json").code, 403);
    QCOMPARE(adm.patch(roles + "/r", q(std::string("{'rules':[") + all + "]}"), "application/strategic-merge-patch+json").code, 403);
    QCOMPARE(adm.patch(roles + "/r?fieldManager=x&force=true", role("r", all), "application/apply-patch+yaml").code, 403);
    QCOMPARE(adm.patch(roles + "/r9?fieldManager=x", role("r9", all), "application/apply-patch+yaml").code, 403);
    QCOMPARE(adm.patch(roles + "/r", q("{'metadata':{'labels':{'a':'b'}}}")).code, 200);
    std::string beta = "/apis/rbac.authorization.k8s.io/v1beta1/namespaces/dev/roles";
    QCOMPARE(adm.post(beta, q(std::string("{'apiVersion':'rbac.authorization.k8s.io/v1beta1','kind':'Role','metadata':{'name':'r3'},'rules':[") + all + "]}")).code, 403);
    QCOMPARE(adm.post(bindings, binding("b", "cluster-admin")).code, 403);
    QCOMPARE(adm.post(bindings, binding("b", "view")).code, 201);
    QCOMPARE(adm.patch(bindings + "/b", q("{'roleRef':{'name':'cluster-admin'}}")).code, 422);
    QCOMPARE(admin_->patch(bindings + "/b", q("{'roleRef':{'name':'cluster-admin'}}")).code, 422);
    QCOMPARE(adm.post(std::string(kRbac) + "/clusterrolebindings", binding("c", "view")).code, 403);
    QCOMPARE(adm.patch(std::string(kRbac) + "/clusterroles/view", q(std::string("{'rules':[") + all + "]}")).code, 403);
    QCOMPARE(adm.send("POST", roles, role("r4", all), {{"impersonate-user", "admin"}, {"impersonate-group", "system:masters"}, {"content-type", "application/json"}}).code, 403);
    QCOMPARE(adm.send("GET", "/api/v1/nodes", {}, {{"impersonate-user", "jane"}}).code, 403);
    QCOMPARE(adm.send("GET", "/api/v1/nodes", {}, {{"impersonate-group", "system:masters"}}).code, 400);
    // An editor may act as the service accounts of their namespace, and no others.
    QCOMPARE(jane.send("GET", "/apis", {}, {{"impersonate-user", "system:serviceaccount:dev:default"}}).code, 200);
    QCOMPARE(jane.send("GET", "/apis", {}, {{"impersonate-user", "system:serviceaccount:kube-system:default"}}).code, 403);
  }

  void ownRolesBecomePartOfView() {
    QVERIFY(kubectl("create rolebinding viewer -n dev --clusterrole=view --user=vera").ok());
    QCOMPARE(canWidgets("vera"), QString("no"));
    auto role = QByteArray("{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"ClusterRole\",\"metadata\":{\"name\":\"widgets\",\"labels\":"
                           "{\"rbac.authorization.k8s.io/aggregate-to-view\":\"true\"}},\"rules\":[{\"apiGroups\":[\"example.com\"],\"resources\":[\"widgets\"],\"verbs\":[\"get\"]}]}");
    auto applied = kubectl("apply -f -", role);
    QVERIFY2(applied.ok(), qPrintable(applied.all()));
    QTRY_VERIFY_WITH_TIMEOUT(canWidgets("vera") == "yes", 10000);
    // view is part of edit, and edit of admin.
    QTRY_VERIFY_WITH_TIMEOUT(canWidgets("adm") == "yes", 10000);
    QVERIFY(kubectl("delete clusterrole widgets").ok());
    QTRY_VERIFY_WITH_TIMEOUT(canWidgets("vera") == "no", 10000);
    QCOMPARE(can("get pods -n dev --as vera"), QString("yes"));
  }

  void reconcile() {
    QByteArray manifest =
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: rec, namespace: dev}\nrules:\n"
        "- {apiGroups: [''], resources: [pods], verbs: [get]}\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: rec, namespace: dev}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: rec}\nsubjects:\n- {kind: User, name: rick, apiGroup: rbac.authorization.k8s.io}\n";
    auto ran = kubectl("auth reconcile -f -", manifest);
    QVERIFY2(ran.ok(), qPrintable(ran.all()));
    QCOMPARE(can("get pods -n dev --as rick"), QString("yes"));
    manifest.replace("verbs: [get]", "verbs: [list]").replace("name: rick", "name: rose");
    ran = kubectl("auth reconcile -f -", manifest);
    QVERIFY2(ran.ok(), qPrintable(ran.all()));
    QCOMPARE(can("list pods -n dev --as rick"), QString("yes"));
    QCOMPARE(can("get pods -n dev --as rose"), QString("yes"));
    manifest.replace("kind: Role, name: rec", "kind: ClusterRole, name: view");
    ran = kubectl("auth reconcile -f -", manifest);
    QVERIFY2(ran.ok(), qPrintable(ran.all()));
    QCOMPARE(can("get configmaps -n dev --as rose"), QString("yes"));
  }

  void rightsOutliveARestart() {
    QVERIFY(engine_.stop());
    QVERIFY2(engine_.start(), qPrintable(engine_.log()));
    QCOMPARE(can("create deployments -n dev --as jane"), QString("yes"));
    QCOMPARE(can("create deployments -n default --as jane"), QString("no"));
  }
};

QTEST_GUILESS_MAIN(RbacApiTest)
#include "rbac_test.moc"
