// Authorization by itself: rules, the index over a cache that changes, escalation, nodes, impersonation, the default policy.
#include <QElapsedTimer>
#include <QTest>

#include "engine/api/codec.h"
#include "engine/server/authz.h"
#include "engine/server/core.h"
#include "engine/server/rbac/impersonation.h"
#include "engine/server/rbac/index.h"
#include "engine/server/rbac/rules.h"
#include "engine/server/writes.h"

using namespace ph;
using namespace ph::server;
using namespace std::chrono_literals;

namespace {

std::string q(std::string text) {
  for (auto& c : text)
    if (c == '\'') c = '"';
  return text;
}

Rules rules(const std::string& json) {
  auto tree = api::parseJson(q(json));
  PH_CHECK(tree.ok());
  return rulesFromJson(&*tree);
}

Attributes ask(std::string_view verb, std::string_view group, std::string_view resource, std::string_view sub = {},
               std::string_view ns = {}, std::string_view name = {}) {
  Attributes a;
  a.verb = verb;
  a.group = group;
  a.resource = resource;
  a.subresource = sub;
  a.ns = ns;
  a.name = name;
  return a;
}
Attributes path(std::string_view verb, std::string_view p) {
  Attributes a;
  a.verb = verb;
  a.path = p;
  return a;
}

}  // namespace

class RbacTest : public QObject {
  Q_OBJECT
  std::shared_ptr<SimExecutor> sim_;
  std::shared_ptr<Core> core_;

  WriteAnswer answer_;
  // The status code of a write; its message is kept.
  int send(const User& user, Verb verb, std::string_view group, std::string_view plural, const std::string& ns,
           const std::string& name, const std::string& body, const std::string& type = "") {
    ApiRequest r;
    r.verb = verb;
    r.info = core_->registry->find(group, "v1", plural);
    PH_CHECK(r.info);
    r.ns = ns;
    r.name = name;
    r.body = q(body);
    r.contentType = type;
    r.user = user;
    message_.clear();
    if (auto allowed = authorize(*core_, r); !allowed.ok()) {
      message_ = allowed.status().message;
      return allowed.status().code;
    }
    int code = 0;
    write(core_, std::move(r), [&](Result<WriteAnswer> result) {
      code = result.ok() ? result->code : result.status().code;
      if (!result.ok()) message_ = result.status().message;
    });
    sim_->runFor(10ms);
    return code;
  }
  std::string message_;
  static constexpr std::string_view kRbac = "rbac.authorization.k8s.io";

  int create(const User& user, std::string_view plural, const std::string& ns, const std::string& body) {
    auto info = core_->registry->find(kRbac, "v1", plural);
    std::string head = "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'" + info->kind + "',";
    return send(user, Verb::Create, kRbac, plural, ns, "", head + body + "}");
  }
  int bind(const std::string& ns, const std::string& name, const std::string& role, const std::string& subject) {
    std::string kind = role.substr(0, role.find('/'));
    return create(systemAdmin(), ns.empty() ? "clusterrolebindings" : "rolebindings", ns,
                  "'metadata':{'name':'" + name + "'},'roleRef':{'kind':'" + kind + "','name':'" + role.substr(role.find('/') + 1) +
                      "'},'subjects':[" + subject + "]");
  }
  bool may(const User& user, const Attributes& a) { return mayDo(*core_, user, a).allowed; }
  static User user(std::string name, std::vector<std::string> groups = {}) {
    groups.emplace_back("system:authenticated");
    return {std::move(name), std::move(groups)};
  }
  static std::string subject(const std::string& kind, const std::string& name) {
    return "{'kind':'" + kind + "','name':'" + name + "'}";
  }

 private slots:
  void init() {
    sim_ = SimExecutor::make(7);
    auto registry = api::Registry::builtin();
    std::shared_ptr<store::Store> store = store::makeMemoryStore([sim = sim_](std::function<void()> f) { sim->post(std::move(f)); });
    auto cache = cache::Cache::open(store, registry, sim_);
    QVERIFY(cache.ok());
    auto core = makeCore(registry, sim_, std::move(*cache));
    QVERIFY(core.ok());
    core_ = *core;
    bool made = false;
    createDefaults(core_, 6443, [&](Result<> result) { made = result.ok(); });
    sim_->runFor(100ms);
    QVERIFY(made);
  }
  void cleanup() { core_.reset(); }

  void ruleMatching_data() {
    QTest::addColumn<QString>("rule");
    QTest::addColumn<QString>("verb");
    QTest::addColumn<QString>("what");  // GROUP|RESOURCE|SUB|NAME, or a path
    QTest::addColumn<bool>("allowed");
    auto pods = "[{'verbs':['get','list'],'apiGroups':[''],'resources':['pods','pods/log']}]";
    QTest::newRow("plain") << pods << "get" << "|pods||" << true;
    QTest::newRow("another verb") << pods << "delete" << "|pods||" << false;
    QTest::newRow("another group") << pods << "get" << "metrics.k8s.io|pods||" << false;
    QTest::newRow("a named subresource") << pods << "get" << "|pods|log|x" << true;
    QTest::newRow("another subresource") << pods << "get" << "|pods|exec|x" << false;
    QTest::newRow("no path") << pods << "get" << "/pods" << false;
    auto star = "[{'verbs':['*'],'apiGroups':['*'],'resources':['*']}]";
    QTest::newRow("star: subresource") << star << "create" << "apps|deployments|scale|x" << true;
    QTest::newRow("star: no path") << star << "get" << "/metrics" << false;
    auto scale = "[{'verbs':['update'],'apiGroups':['*'],'resources':['*/scale']}]";
    QTest::newRow("any scale") << scale << "update" << "apps|deployments|scale|x" << true;
    QTest::newRow("any scale, not the object") << scale << "update" << "apps|deployments||x" << false;
    QTest::newRow("any scale, not status") << scale << "update" << "apps|deployments|status|x" << false;
    auto half = "[{'verbs':['update'],'apiGroups':['apps'],'resources':['deployments']}]";
    QTest::newRow("the object, not its subresource") << half << "update" << "apps|deployments|scale|x" << false;
    auto named = "[{'verbs':['get','list','create'],'apiGroups':[''],'resources':['secrets'],'resourceNames':['a','b']}]";
    QTest::newRow("name") << named << "get" << "|secrets||b" << true;
    QTest::newRow("another name") << named << "get" << "|secrets||c" << false;
    QTest::newRow("a create has no name") << named << "create" << "|secrets||" << false;
    auto paths = "[{'verbs':['get'],'nonResourceURLs':['/api','/healthz/*','/x*']}]";
    QTest::newRow("path") << paths << "get" << "/api" << true;
    QTest::newRow("below a path") << paths << "get" << "/api/v1" << false;
    QTest::newRow("path with star") << paths << "get" << "/healthz/etcd" << true;
    QTest::newRow("the star's parent") << paths << "get" << "/healthz" << false;
    QTest::newRow("star at once") << paths << "get" << "/xyz" << true;
    QTest::newRow("path, another verb") << paths << "post" << "/api" << false;
    QTest::newRow("paths give no objects") << paths << "get" << "|pods||" << false;
  }
  void ruleMatching() {
    QFETCH(QString, rule);
    QFETCH(QString, verb);
    QFETCH(QString, what);
    QFETCH(bool, allowed);
    auto v = verb.toStdString(), w = what.toStdString();
    auto parts = what.split('|');
    std::vector<std::string> p;
    for (auto& part : parts) p.push_back(part.toStdString());
    auto a = what.startsWith('/') ? path(v, w) : ask(v, p[0], p[1], p[2], "ns", p[3]);
    QCOMPARE(allows(rules(rule.toStdString()).at(0), a), allowed);
  }

  void whatIsMissing() {
    auto held = rules("[{'verbs':['get','list'],'apiGroups':[''],'resources':['pods']},{'verbs':['*'],'apiGroups':['apps'],'resources':['*/scale']},"
                      "{'verbs':['get'],'nonResourceURLs':['/a/*']},{'verbs':['get'],'apiGroups':[''],'resources':['secrets'],'resourceNames':['s']}]");
    auto missing = [&](const std::string& wanted) { return describe(missingFrom(held, rules(wanted))); };
    QCOMPARE(missing("[{'verbs':['get'],'apiGroups':[''],'resources':['pods']}]"), std::string());
    QCOMPARE(missing("[{'verbs':['get'],'apiGroups':[''],'resources':['pods'],'resourceNames':['x']}]"), std::string());
    QCOMPARE(missing("[{'verbs':['patch'],'apiGroups':['apps'],'resources':['deployments/scale']}]"), std::string());
    QCOMPARE(missing("[{'verbs':['get'],'nonResourceURLs':['/a/b','/a/c/*']}]"), std::string());
    QCOMPARE(missing("[{'verbs':['get'],'apiGroups':[''],'resources':['secrets'],'resourceNames':['s']}]"), std::string());
    QCOMPARE(missing("[{'verbs':['get'],'apiGroups':[''],'resources':['secrets']}]"), q("{APIGroups:[''], Resources:['secrets'], Verbs:['get']}"));
    QCOMPARE(missing("[{'verbs':['*'],'apiGroups':[''],'resources':['pods']}]"), q("{APIGroups:[''], Resources:['pods'], Verbs:['*']}"));
    QCOMPARE(missing("[{'verbs':['get','delete','patch'],'apiGroups':[''],'resources':['pods','nodes']}]"),
             q("{APIGroups:[''], Resources:['nodes'], Verbs:['get' 'delete' 'patch']}\n{APIGroups:[''], Resources:['pods'], Verbs:['delete' 'patch']}"));
    QCOMPARE(missing("[{'verbs':['get'],'nonResourceURLs':['/b']}]"), q("{NonResourceURLs:['/b'], Verbs:['get']}"));
    // Millions of combinations are refused as a whole, at once.
    Rule wide;
    for (int i = 0; i < 1000; ++i) {
      wide.verbs.push_back("v" + std::to_string(i));
      wide.resources.push_back("r" + std::to_string(i));
      wide.apiGroups.push_back("g" + std::to_string(i));
    }
    QElapsedTimer timer;
    timer.start();
    auto some = missingFrom(held, {wide});
    QVERIFY(!some.empty() && describe(some).size() < 20'000);
    QVERIFY(timer.elapsed() < 500);
  }

  void theIndexFollowsChanges() {
    auto jane = user("jane"), sa = user("system:serviceaccount:app:bot", {"system:serviceaccounts", "system:serviceaccounts:app"});
    auto getPods = ask("get", "", "pods", "", "default", "x");
    QVERIFY(!may(jane, getPods));
    QCOMPARE(bind("default", "b1", "Role/reader", subject("User", "jane")), 201);
    QVERIFY(!may(jane, getPods));  // no such role yet
    QCOMPARE(mayDo(*core_, jane, getPods).reason, q("RBAC: role.rbac.authorization.k8s.io 'reader' not found"));
    QCOMPARE(create(systemAdmin(), "roles", "default", "'metadata':{'name':'reader'},'rules':[{'verbs':['get'],'apiGroups':[''],'resources':['pods']}]"), 201);
    QVERIFY(may(jane, getPods));
    QCOMPARE(mayDo(*core_, jane, getPods).reason, q("RBAC: allowed by RoleBinding 'b1/default' of Role 'reader' to User 'jane'"));
    QVERIFY(!may(jane, ask("get", "", "pods", "", "other", "x")));
    QVERIFY(!may(jane, ask("get", "", "pods")));
    QVERIFY(!may(user("bob"), getPods));
    // Writes of other kinds change nothing.
    QCOMPARE(send(systemAdmin(), Verb::Create, "", "configmaps", "default", "", "{'metadata':{'name':'c'}}"), 201);
    QVERIFY(may(jane, getPods));
    QCOMPARE(send(systemAdmin(), Verb::Patch, kRbac, "roles", "default", "reader", "{'rules':[{'verbs':['list'],'apiGroups':[''],'resources':['pods']}]}", "application/merge-patch+json"), 200);
    QVERIFY(!may(jane, getPods));
    QVERIFY(may(jane, ask("list", "", "pods", "", "default")));
    QCOMPARE(bind("default", "b2", "ClusterRole/view", "{'kind':'ServiceAccount','name':'bot','namespace':'app'}"), 201);
    QVERIFY(may(sa, getPods) && !may(sa, ask("get", "", "secrets", "", "default", "x")) && !may(sa, ask("get", "", "pods", "", "app", "x")));
    QCOMPARE(bind("", "b3", "ClusterRole/view", subject("Group", "system:serviceaccounts:app")), 201);
    QVERIFY(may(sa, ask("get", "", "pods", "", "app", "x")) && may(sa, ask("list", "", "pods")));
    QCOMPARE(send(systemAdmin(), Verb::Delete, kRbac, "rolebindings", "default", "b1", ""), 200);
    QVERIFY(!may(jane, ask("list", "", "pods", "", "default")));
  }

  void everybodysRights() {
    auto jane = user("jane");
    auto anonymous = anonymousUser();
    QVERIFY(may(jane, path("get", "/apis/apps/v1")) && may(jane, path("get", "/openapi/v2")) && !may(jane, path("get", "/metrics")));
    QVERIFY(may(anonymous, path("get", "/version")) && !may(anonymous, path("get", "/apis")) && !may(anonymous, path("post", "/version")));
    QVERIFY(may(jane, ask("create", "authorization.k8s.io", "selfsubjectaccessreviews")));
    QVERIFY(!may(jane, ask("create", "authorization.k8s.io", "subjectaccessreviews")));
    QVERIFY(!may(anonymous, ask("create", "authorization.k8s.io", "selfsubjectaccessreviews")));
    QVERIFY(may({"root", {"system:masters"}}, path("delete", "/anything")));
  }

  void nobodyGivesAwayWhatTheyLack() {
    auto jane = user("jane", {"team"});
    QCOMPARE(bind("default", "admins", "ClusterRole/admin", subject("User", "jane")), 201);
    auto pods = "'metadata':{'name':'r1'},'rules':[{'verbs':['get','list'],'apiGroups':[''],'resources':['pods']}]";
    auto nodes = "'metadata':{'name':'r2'},'rules':[{'verbs':['get'],'apiGroups':[''],'resources':['nodes']}]";
    QCOMPARE(create(jane, "roles", "default", pods), 201);
    QCOMPARE(create(jane, "roles", "kube-system", pods), 403);
    QCOMPARE(create(jane, "roles", "default", nodes), 403);
    QCOMPARE(message_, q("roles.rbac.authorization.k8s.io 'r2' is forbidden: user 'jane' (groups=['team' 'system:authenticated']) is attempting to grant "
                         "RBAC permissions not currently held:\n{APIGroups:[''], Resources:['nodes'], Verbs:['get']}"));
    QCOMPARE(create(jane, "roles", "default", "'metadata':{'name':'r3'},'rules':[{'verbs':['*'],'apiGroups':['*'],'resources':['*']}]"), 403);
    auto patch = "{'rules':[{'verbs':['get'],'apiGroups':[''],'resources':['nodes']}]}";
    QCOMPARE(send(jane, Verb::Patch, kRbac, "roles", "default", "r1", patch, "application/merge-patch+json"), 403);
    QCOMPARE(send(jane, Verb::Patch, kRbac, "roles", "default", "r1", "[{'op':'add','path':'/rules/0/verbs/-','value':'*'}]", "application/json-patch+json"), 403);
    QCOMPARE(send(jane, Verb::Update, kRbac, "roles", "default", "r1", "{'metadata':{'name':'r1'},'rules':[{'verbs':['escalate'],'apiGroups':['rbac.authorization.k8s.io'],'resources':['roles']}]}"), 403);
    auto binding = [](const std::string& name, const std::string& kind, const std::string& role) {
      return "'metadata':{'name':'" + name + "'},'roleRef':{'kind':'" + kind + "','name':'" + role + "'},'subjects':[" + subject("User", "eve") + "]";
    };
    QCOMPARE(create(jane, "rolebindings", "default", binding("b1", "ClusterRole", "cluster-admin")), 403);
    QCOMPARE(create(jane, "rolebindings", "default", binding("b2", "ClusterRole", "edit")), 201);
    QCOMPARE(create(jane, "rolebindings", "default", binding("b3", "Role", "none")), 404);
    QCOMPARE(create(jane, "clusterrolebindings", "", binding("b4", "ClusterRole", "view")), 403);
    QCOMPARE(create(jane, "clusterroles", "", pods), 403);
    // The verbs that say so openly: escalate and bind.
    QCOMPARE(create(systemAdmin(), "roles", "default", "'metadata':{'name':'trust'},'rules':[{'verbs':['escalate'],'apiGroups':['rbac.authorization.k8s.io'],'resources':['roles']},{'verbs':['bind'],'apiGroups':['rbac.authorization.k8s.io'],'resources':['clusterroles'],'resourceNames':['cluster-admin']}]"), 201);
    QCOMPARE(bind("default", "trust", "Role/trust", subject("User", "jane")), 201);
    QCOMPARE(create(jane, "roles", "default", nodes), 201);
    QCOMPARE(create(jane, "rolebindings", "default", binding("b5", "ClusterRole", "cluster-admin")), 201);
    QCOMPARE(create(jane, "rolebindings", "default", binding("b6", "ClusterRole", "system:node")), 403);
  }

  void aggregationIsForAdministrators() {
    QCOMPARE(create(systemAdmin(), "clusterroles", "", "'metadata':{'name':'roles'},'rules':[{'verbs':['create','update','patch'],'apiGroups':['rbac.authorization.k8s.io'],'resources':['clusterroles']}]"), 201);
    QCOMPARE(bind("", "roles", "ClusterRole/roles", subject("User", "jane")), 201);
    auto body = "'metadata':{'name':'a'},'rules':[],'aggregationRule':{'clusterRoleSelectors':[{'matchLabels':{'x':'y'}}]}";
    QCOMPARE(create(user("jane"), "clusterroles", "", body), 403);
    QVERIFY(message_.find("must have cluster-admin privileges to use the aggregationRule") != std::string::npos);
    QCOMPARE(bind("", "full", "ClusterRole/cluster-admin", subject("User", "jane")), 201);
    QCOMPARE(create(user("jane"), "clusterroles", "", body), 201);
  }

  void rolesAndBindingsAreValidated() {
    auto root = systemAdmin();
    QCOMPARE(create(root, "roles", "default", "'metadata':{'name':'r'},'rules':[{'verbs':['get'],'nonResourceURLs':['/x']}]"), 422);
    QCOMPARE(create(root, "clusterroles", "", "'metadata':{'name':'r'},'rules':[{'verbs':['get'],'nonResourceURLs':['/x'],'apiGroups':['']}]"), 422);
    QCOMPARE(create(root, "clusterroles", "", "'metadata':{'name':'r'},'rules':[{'verbs':['get'],'resources':['pods']}]"), 422);
    QCOMPARE(create(root, "clusterroles", "", "'metadata':{'name':'a/b'},'rules':[]"), 422);
    QCOMPARE(bind("", "b", "Role/x", subject("User", "u")), 422);
    QCOMPARE(bind("default", "b", "Role/x", subject("Robot", "u")), 422);
    QCOMPARE(bind("", "b", "ClusterRole/x", subject("ServiceAccount", "u")), 422);
    QCOMPARE(bind("default", "b:c", "Role/x", subject("ServiceAccount", "u")), 201);
    QCOMPARE(send(root, Verb::Patch, kRbac, "rolebindings", "default", "b:c", "{'roleRef':{'name':'y'}}", "application/merge-patch+json"), 422);
    QVERIFY(message_.find("cannot change roleRef") != std::string::npos);
    QCOMPARE(send(root, Verb::Patch, kRbac, "rolebindings", "default", "b:c", "{'subjects':[{'kind':'User','name':'v'}]}", "application/merge-patch+json"), 200);
    auto stored = core_->cache->get(*core_->registry->storage(kRbac, "rolebindings"), "default/b:c");
    QVERIFY(stored && stored->stored().find("\"apiGroup\":\"rbac.authorization.k8s.io\"") != std::string::npos);
  }

  void defaultsComeBackUnlessToldNotTo() {
    auto root = systemAdmin();
    auto again = [&] {
      createDefaults(core_, 6443, [](Result<> result) { QVERIFY(result.ok()); });
      sim_->runFor(100ms);
    };
    auto revision = core_->cache->revision();
    again();
    QCOMPARE(core_->cache->revision(), revision);  // nothing to do the second time
    auto strip = "{'rules':[{'verbs':['get'],'nonResourceURLs':['/mine']}]}";
    QCOMPARE(send(root, Verb::Patch, kRbac, "clusterroles", "", "system:discovery", strip, "application/merge-patch+json"), 200);
    QCOMPARE(send(root, Verb::Patch, kRbac, "clusterroles", "", "system:basic-user", "{'metadata':{'annotations':{'rbac.authorization.kubernetes.io/autoupdate':'false'}},'rules':[]}", "application/merge-patch+json"), 200);
    QCOMPARE(send(root, Verb::Delete, kRbac, "clusterrolebindings", "", "system:public-info-viewer", ""), 200);
    QVERIFY(!may(user("jane"), path("get", "/apis")) && !may(anonymousUser(), path("get", "/version")));
    again();
    QVERIFY(may(user("jane"), path("get", "/apis")) && may(user("jane"), path("get", "/mine")));
    QVERIFY(may(anonymousUser(), path("get", "/version")));
    QVERIFY(!may(user("jane"), ask("create", "authorization.k8s.io", "selfsubjectaccessreviews")));
  }

  void nodesSteerNothing() {
    User node = user("system:node:n1", {"system:nodes"});
    auto make = [&](const std::string& name, const std::string& more) {
      return send(node, Verb::Create, "", "nodes", "", "", "{'apiVersion':'v1','kind':'Node','metadata':{'name':'" + name + "'" + more + "}}");
    };
    QCOMPARE(make("n2", ""), 403);
    QCOMPARE(make("n1", ",'labels':{'node-role.kubernetes.io/master':''}"), 403);
    QCOMPARE(make("n1", ",'labels':{'a.node-restriction.kubernetes.io/x':'y'}"), 403);
    QCOMPARE(make("n1", ",'labels':{'kubernetes.io/hostname':'n1','example.com/x':'y','node.kubernetes.io/z':'1'}"), 201);
    auto patch = [&](const std::string& body) { return send(node, Verb::Patch, "", "nodes", "", "n1", body, "application/merge-patch+json"); };
    QCOMPARE(patch("{'metadata':{'labels':{'example.com/x':null}}}"), 200);
    QCOMPARE(patch("{'metadata':{'labels':{'node-restriction.kubernetes.io/x':'y'}}}"), 403);
    QCOMPARE(patch("{'spec':{'taints':[{'key':'a','effect':'NoSchedule'}]}}"), 403);
    QCOMPARE(message_, q("nodes 'n1' is forbidden: node 'n1' is not allowed to modify taints"));
    auto object = core_->cache->get(*core_->nodes, "n1");
    QVERIFY(object);
    auto pod = [&](const std::string& meta, const std::string& spec) {
      return send(node, Verb::Create, "", "pods", "default", "", "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'m'" + meta + "},'spec':{'containers':[{'name':'c','image':'i:1'}]" + spec + "}}");
    };
    std::string mirror = ",'annotations':{'kubernetes.io/config.mirror':'x'}";
    std::string owned = mirror + ",'ownerReferences':[{'apiVersion':'v1','kind':'Node','name':'n1','controller':true,'uid':'" + object->uid() + "'}]";
    QCOMPARE(pod("", ",'nodeName':'n1'"), 403);
    QCOMPARE(pod(mirror, ",'nodeName':'n1'"), 403);
    QCOMPARE(pod(owned, ",'nodeName':'n2'"), 403);
    QCOMPARE(pod(owned, ",'nodeName':'n1','serviceAccountName':'default'"), 403);
    QCOMPARE(pod(owned, ",'nodeName':'n1','volumes':[{'name':'v','secret':{'secretName':'s'}}]"), 403);
    QCOMPARE(pod(owned, ",'nodeName':'n1'"), 201);
    QVERIFY(!may(node, ask("list", "", "secrets")) && !may(node, ask("list", "", "secrets", "", "default")));
    QVERIFY(!may(node, ask("create", "", "serviceaccounts", "token", "default", "default")));
    QVERIFY(!may(node, ask("delete", "", "nodes", "", "", "n1")));
    QVERIFY(may(node, ask("create", "certificates.k8s.io", "certificatesigningrequests")));
    QVERIFY(!may(node, ask("list", "certificates.k8s.io", "certificatesigningrequests")));
    QVERIFY(!may(node, ask("update", "certificates.k8s.io", "certificatesigningrequests", "approval", "", "x")));
    // The name alone makes no node.
    QVERIFY(!may(user("system:node:n1"), ask("list", "", "nodes")));
    QVERIFY(!may(user("n1", {"system:nodes"}), ask("list", "", "nodes")));
  }

  void actingAsOthers() {
    net::Headers headers;
    auto as = [&](const User& who) { return impersonated(*core_, headers, who); };
    auto root = systemAdmin();
    QCOMPARE(as(user("jane"))->name, std::string("jane"));
    headers.add("Impersonate-User", "eve");
    QCOMPARE(as(root)->name, std::string("eve"));
    QCOMPARE(as(root)->groups, std::vector<std::string>{"system:authenticated"});
    QCOMPARE(as(user("jane")).status().code, 403);
    QCOMPARE(as(user("jane")).status().message, q("users 'eve' is forbidden: User 'jane' cannot impersonate resource 'users' in API group '' at the cluster scope"));
    QCOMPARE(create(root, "clusterroles", "", "'metadata':{'name':'i'},'rules':[{'verbs':['impersonate'],'apiGroups':[''],'resources':['users','groups'],'resourceNames':['eve','team']},{'verbs':['impersonate'],'apiGroups':['authentication.k8s.io'],'resources':['userextras/scopes'],'resourceNames':['view']}]"), 201);
    QCOMPARE(bind("", "i", "ClusterRole/i", subject("User", "jane")), 201);
    QVERIFY(as(user("jane")).ok());
    headers.add("Impersonate-Group", "team");
    headers.add("impersonate-extra-Scopes", "view");
    auto eve = as(user("jane"));
    QVERIFY(eve.ok() && eve->inGroup("team") && eve->inGroup("system:authenticated") && eve->extra.size() == 1);
    QCOMPARE(eve->extra[0].first, std::string("scopes"));
    headers.add("Impersonate-Group", "system:masters");
    QCOMPARE(as(user("jane")).status().code, 403);
    headers = {};
    headers.add("Impersonate-User", "system:serviceaccount:default:bot");
    auto bot = as(root);
    QVERIFY(bot.ok() && bot->inGroup("system:serviceaccounts") && bot->inGroup("system:serviceaccounts:default"));
    QCOMPARE(as(user("jane")).status().code, 403);
    headers = {};
    headers.add("Impersonate-Group", "team");
    QCOMPARE(as(root).status().code, 400);
    headers = {};
    headers.add("Impersonate-User", "system:anonymous");
    QVERIFY(as(root)->inGroup("system:unauthenticated") && !as(root)->inGroup("system:authenticated"));
  }

  void aCheckIsCheap() {
    for (int i = 0; i < 500; ++i) QCOMPARE(bind("default", "b" + std::to_string(i), "ClusterRole/edit", subject("User", "u" + std::to_string(i))), 201);
    User last = user("u499", {"one", "two", "three"});
    auto a = ask("patch", "apps", "deployments", "scale", "default", "x");
    QVERIFY(may(last, a));
    QElapsedTimer timer;
    constexpr int kTimes = 20'000;
    timer.start();
    for (int i = 0; i < kTimes; ++i)
      if (!may(last, a)) QFAIL("forgotten");
    auto nanos = timer.nsecsElapsed() / kTimes;
    qInfo("a check among 500 bindings: %lld ns", static_cast<long long>(nanos));
    // The yardstick is one look at what the check can't do without: it must not grow with the number of bindings.
    User first = user("u0", {"one", "two", "three"});
    timer.restart();
    for (int i = 0; i < kTimes; ++i)
      if (!may(first, a)) QFAIL("forgotten");
    auto other = timer.nsecsElapsed() / kTimes;
    QVERIFY2(nanos < other * 3 + 2000, qPrintable(QString::number(nanos) + " against " + QString::number(other)));
  }
};

QTEST_GUILESS_MAIN(RbacTest)
#include "rbac_test.moc"
