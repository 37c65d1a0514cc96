// Service account tokens: what they say, what breaks them, what ends them; TokenRequest and the pod's volume.
#include <QTest>

#include "engine/api/codec.h"
#include "engine/server/identity/token_authority.h"
#include "engine/server/identity/token_request.h"
#include "engine/server/json_util.h"
#include "engine/server/writes.h"
#include "engine/store/store.h"

using namespace ph;
using namespace ph::server;
using namespace std::chrono_literals;

namespace {

// JSON as tests write it: 'x' for "x".
std::string j(std::string text) {
  for (auto& c : text)
    if (c == '\'') c = '"';
  return text;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  auto at = text.find(what);
  if (at == std::string::npos) qFatal("%s is not there", what.c_str());
  return text.replace(at, what.size(), with);
}

// A server in memory, on a virtual clock.
struct World {
  std::shared_ptr<SimExecutor> sim = SimExecutor::make(7);
  std::shared_ptr<api::Registry> registry = api::Registry::builtin();
  net::SigningKey key = *net::SigningKey::fromPem(*net::SigningKey::makePem());
  std::shared_ptr<Core> core;

  World() {
    sim->jumpWall(std::chrono::hours(24 * 365 * 50));
    auto cache = cache::Cache::open(store::makeMemoryStore([s = sim](std::function<void()> f) { s->post(std::move(f)); }), registry, sim);
    core = *makeCore(registry, sim, std::move(*cache));
    core->tokens = std::make_shared<TokenAuthority>(*core, key);
    createDefaults(core, 6443, [](Result<>) {});
    sim->runFor(1s);
  }

  const ResourceInfo* kind(const char* plural) { return registry->find("", "v1", plural); }
  Result<WriteAnswer> send(ApiRequest r) {
    std::optional<Result<WriteAnswer>> out;
    if (r.user.name.empty()) r.user = systemAdmin();
    write(core, std::move(r), [&](Result<WriteAnswer> a) { out = std::move(a); });
    sim->runFor(1s);
    if (!out) qFatal("no answer");
    return std::move(*out);
  }
  Result<WriteAnswer> create(const char* plural, const std::string& yaml, const char* ns = "default") {
    ApiRequest r;
    r.verb = Verb::Create;
    r.info = kind(plural);
    r.ns = r.info->namespaced ? ns : "";
    r.body = yaml;
    r.contentType = "application/yaml";
    return send(std::move(r));
  }
  std::string uid(const char* plural, const std::string& yaml) {
    auto made = create(plural, yaml);
    if (!made.ok()) qFatal("%s", made.status().message.c_str());
    return made->object->uid();
  }
  void remove(const char* plural, const std::string& name) {
    ApiRequest r;
    r.verb = Verb::Delete;
    r.info = kind(plural);
    r.ns = r.info->namespaced ? "default" : "";
    r.name = name;
    r.options.gracePeriodSeconds = 0;
    if (auto done = send(std::move(r)); !done.ok()) qFatal("%s", done.status().message.c_str());
  }
  Result<WriteAnswer> request(const std::string& account, const std::string& spec, User user = systemAdmin(), bool dryRun = false) {
    ApiRequest r;
    r.verb = Verb::Create;
    r.info = kind("serviceaccounts");
    r.ns = "default";
    r.name = account;
    r.subresource = "token";
    r.body = "{\"spec\":" + spec + "}";
    r.options.dryRun = dryRun;
    r.user = std::move(user);
    return send(std::move(r));
  }
  std::string token(const std::string& account, const std::string& spec = "{}") {
    auto made = request(account, spec);
    if (!made.ok()) qFatal("%s", made.status().message.c_str());
    return std::string(textAt(objectAt(*api::parseJson(made->text), "status"), "token"));
  }
  bool good(const std::string& token, const std::vector<std::string>& audiences = {}) {
    auto known = core->tokens->authenticate(token, audiences);
    if (!known.ok() && known.status().code != 401) qFatal("%s", known.status().message.c_str());
    return known.ok();
  }
};

const char* kBob = "{metadata: {name: bob}}";
std::string podYaml(const std::string& name, const std::string& more = "") {
  return "{metadata: {name: " + name + "}, spec: {serviceAccountName: bob, " + more + " containers: [{name: c, image: i}]}}";
}

std::string part(const std::string& token, int n) {
  size_t first = token.find('.'), second = token.find('.', first + 1);
  std::string text = n == 0 ? token.substr(0, first) : n == 1 ? token.substr(first + 1, second - first - 1) : token.substr(second + 1), out;
  if (!net::base64UrlDecode(text, out)) qFatal("not base64url");
  return out;
}

std::string joined(const std::string& header, const std::string& payload, const std::string& signature) {
  return net::base64Url(header) + "." + net::base64Url(payload) + "." + net::base64Url(signature);
}

}  // namespace

class IdentityTest : public QObject {
  Q_OBJECT

 private slots:
  void aTokenSaysWhoseItIs() {
    World w;
    auto bob = w.uid("serviceaccounts", kBob);
    auto pod = w.uid("pods", podYaml("p", "nodeName: n1,"));
    auto token = w.token("bob", j("{'expirationSeconds':900,'boundObjectRef':{'apiVersion':'v1','kind':'Pod','name':'p','uid':'") + pod + "\"}}");
    auto header = api::parseJson(part(token, 0)), payload = api::parseJson(part(token, 1));
    QCOMPARE(textAt(header->if_object(), "alg"), std::string_view("ES256"));
    QCOMPARE(std::string(textAt(header->if_object(), "kid")), w.key.keyId());
    auto& p = payload->get_object();
    QCOMPARE(textAt(&p, "sub"), std::string_view("system:serviceaccount:default:bob"));
    QCOMPARE(std::string(textAt(&p, "iss")), w.core->tokens->issuer());
    QCOMPARE(intAt(&p, "exp") - intAt(&p, "iat"), int64_t(900));
    QCOMPARE(intAt(&p, "nbf"), intAt(&p, "iat"));
    QCOMPARE(std::string(view(api::at(*payload, "aud.0")->get_string())), w.core->tokens->issuer());
    auto& own = p["kubernetes.io"].get_object();
    QCOMPARE(textAt(&own, "namespace"), std::string_view("default"));
    QCOMPARE(std::string(textAt(objectAt(Json(own), "serviceaccount"), "uid")), bob);
    QCOMPARE(std::string(textAt(objectAt(Json(own), "pod"), "uid")), pod);
    QCOMPARE(textAt(objectAt(Json(own), "node"), "name"), std::string_view("n1"));

    auto known = w.core->tokens->authenticate(token);
    QVERIFY(known.ok());
    QCOMPARE(known->user.name, std::string("system:serviceaccount:default:bob"));
    QCOMPARE(known->user.uid, bob);
    QCOMPARE(known->user.groups, (std::vector<std::string>{"system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"}));
    std::map<std::string, std::vector<std::string>> extra(known->user.extra.begin(), known->user.extra.end());
    QCOMPARE(extra.at("authentication.kubernetes.io/pod-name"), std::vector<std::string>{"p"});
    QCOMPARE(extra.at("authentication.kubernetes.io/pod-uid"), std::vector<std::string>{pod});
    QCOMPARE(extra.at("authentication.kubernetes.io/node-name"), std::vector<std::string>{"n1"});
  }

  void everyPartIsSealed() {
    World w;
    w.uid("serviceaccounts", kBob);
    w.uid("serviceaccounts", "{metadata: {name: eve}}");
    auto token = w.token("bob");
    QVERIFY(w.good(token));
    for (size_t i = 0; i < token.size(); i += 7) {
      auto broken = token;
      broken[i] = broken[i] == 'A' ? 'B' : 'A';
      QVERIFY2(broken == token || !w.good(broken), broken.c_str());
    }
    auto header = part(token, 0), payload = part(token, 1), signature = part(token, 2);
    QCOMPARE(joined(header, payload, signature), token);
    QVERIFY(!w.good(joined(header, replaced(payload, ":bob\"", ":eve\""), signature)));
    QVERIFY(!w.good(joined(replaced(header, "ES256", "none"), payload, "")));
    QVERIFY(!w.good(joined(replaced(header, "ES256", "none"), payload, signature)));
    // The public key as the secret of a MAC: the oldest trick.
    QVERIFY(!w.good(joined(replaced(header, "ES256", "HS256"), payload, signature)));
    for (auto bad : {"", ".", "..", "a.b", "a.b.c", "a.b.c.d", "====.====.===="}) QVERIFY2(!w.good(bad), bad);
    QVERIFY(!w.good(token + "=") && !w.good(token + ".") && !w.good(" " + token) && !w.good(std::string(100000, 'a')));
    QVERIFY(!w.good(token.substr(0, token.rfind('.') + 1)));
    // Another key's, the same in all else; and one that names our key, but is not signed by it.
    auto other = *net::SigningKey::fromPem(*net::SigningKey::makePem());
    auto foreign = *encodeToken(*decodeToken(token, w.key), other);
    QVERIFY(decodeToken(foreign, other).ok());
    QVERIFY(!w.good(foreign));
    QVERIFY(!w.good(joined(header, payload, part(foreign, 2))));
  }

  void signedButNotMeantToBe() {
    World w;
    w.uid("serviceaccounts", kBob);
    auto token = w.token("bob");
    auto claims = *decodeToken(token, w.key);
    auto with = [&](auto change) {
      auto c = claims;
      change(c);
      return w.good(*encodeToken(c, w.key));
    };
    QVERIFY(with([](TokenClaims&) {}));
    QVERIFY(!with([](TokenClaims& c) { c.issuer = "https://elsewhere"; }));
    QVERIFY(!with([](TokenClaims& c) { c.expires = 0; }));
    QVERIFY(!with([](TokenClaims& c) { c.notBefore += 120; }));
    QVERIFY(!with([](TokenClaims& c) { c.audiences.clear(); }));
    QVERIFY(!with([](TokenClaims& c) { c.account.uid = "other"; }));
    QVERIFY(!with([](TokenClaims& c) { c.account.uid.clear(); }));
    QVERIFY(!with([](TokenClaims& c) { c.ns = "kube-system"; }));
    QVERIFY(!with([](TokenClaims& c) { c.pod = {"never", "was"}; }));
    QVERIFY(!with([](TokenClaims& c) { c.legacy = true; }));  // of no secret
    auto body = replaced(part(token, 1), "{", "{\"sub\":\"system:serviceaccount:default:eve\",");  // twice "sub"
    auto text = net::base64Url(part(token, 0)) + "." + net::base64Url(body);
    QVERIFY(!w.good(text + "." + net::base64Url(*w.key.sign(text))));
  }

  void itEndsInTime() {
    World w;
    w.uid("serviceaccounts", kBob);
    auto token = w.token("bob", j("{'expirationSeconds':600}"));
    w.sim->jumpWall(590s);
    QVERIFY(w.good(token));
    w.sim->jumpWall(20s);
    QVERIFY(!w.good(token));
  }

  void audiences() {
    World w;
    w.uid("serviceaccounts", kBob);
    auto vault = w.token("bob", j("{'audiences':['vault','api2']}"));
    QVERIFY(!w.good(vault));
    QVERIFY(w.good(vault, {"vault"}));
    QCOMPARE(w.core->tokens->authenticate(vault, {"x", "api2", "vault"})->audiences, (std::vector<std::string>{"api2", "vault"}));
    QVERIFY(!w.good(vault, {"x"}));
    QVERIFY(!w.good(w.token("bob"), {"vault"}));
  }

  void itEndsWithWhatItIsBoundTo() {
    World w;
    w.uid("serviceaccounts", kBob);
    w.uid("pods", podYaml("p"));
    w.uid("secrets", "{metadata: {name: s}}");
    w.uid("nodes", "{metadata: {name: n1}}");
    auto bound = [&](const std::string& kind, const std::string& name) {
      return w.token("bob", j("{'boundObjectRef':{'apiVersion':'v1','kind':'") + kind + j("','name':'") + name + "\"}}");
    };
    auto free = w.token("bob"), pod = bound("Pod", "p"), secret = bound("Secret", "s"), node = bound("Node", "n1");
    QVERIFY(w.good(free) && w.good(pod) && w.good(secret) && w.good(node));
    w.remove("pods", "p");
    QVERIFY(!w.good(pod));
    w.uid("pods", podYaml("p"));  // another one of the same name
    QVERIFY(!w.good(pod));
    w.remove("secrets", "s");
    w.remove("nodes", "n1");
    QVERIFY(!w.good(secret) && !w.good(node) && w.good(free));
    w.remove("serviceaccounts", "bob");
    QVERIFY(!w.good(free));
    w.uid("serviceaccounts", kBob);
    QVERIFY(!w.good(free));
  }

  void tokensOfSecrets() {
    World w;
    w.uid("serviceaccounts", kBob);
    auto account = w.core->cache->get(*w.kind("serviceaccounts"), "default/bob");
    auto token = secretToken(*w.core, *account, "s");
    QVERIFY(token.ok());
    QVERIFY(!w.good(*token));  // the secret is not there
    std::string head = "{metadata: {name: s, annotations: {kubernetes.io/service-account.name: bob}}, type: kubernetes.io/service-account-token, stringData: {token: '";
    w.uid("secrets", head + *token + "'}}");
    QVERIFY(w.good(*token));
    w.sim->jumpWall(std::chrono::hours(24 * 800));
    QVERIFY(w.good(*token));
    w.remove("secrets", "s");
    QVERIFY(!w.good(*token));
    w.uid("secrets", head + "another'}}");
    QVERIFY(!w.good(*token));
  }

  void projectedTokensOutliveTheirHour() {
    World w;
    w.uid("serviceaccounts", kBob);
    w.uid("pods", podYaml("p"));
    std::string bound = j("'boundObjectRef':{'apiVersion':'v1','kind':'Pod','name':'p'}}");
    auto made = w.request("bob", j("{'expirationSeconds':3607,") + bound);
    QVERIFY(made.ok());
    auto status = *objectAt(*api::parseJson(made->text), "status");
    auto token = std::string(textAt(&status, "token"));
    auto claims = *decodeToken(token, w.key);
    QCOMPARE(claims.warnAfter - claims.issued, int64_t(3607));
    QCOMPARE(claims.expires - claims.issued, int64_t(365 * 24 * 3600));
    auto told = parseTime(textAt(&status, "expirationTimestamp"));
    QVERIFY(told && std::abs((*told - w.core->now()) / 1s - 3607) < 5);  // who asks again is told when
    w.sim->jumpWall(std::chrono::hours(20));
    QVERIFY(w.good(token));
    auto foreign = *decodeToken(w.token("bob", j("{'expirationSeconds':3607,'audiences':['vault'],") + bound), w.key);
    QCOMPARE(foreign.expires - foreign.issued, int64_t(3607));
  }

  void refusals_data() {
    QTest::addColumn<QString>("account");
    QTest::addColumn<QString>("spec");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("message");
    QTest::newRow("account") << "nobody" << "{}" << 404 << "serviceaccounts \"nobody\" not found";
    QTest::newRow("short") << "bob" << "{\"expirationSeconds\":599}" << 422 << "may not specify a duration less than 10 minutes";
    QTest::newRow("negative") << "bob" << "{\"expirationSeconds\":-1}" << 422 << "may not specify a duration less than 10 minutes";
    QTest::newRow("long") << "bob" << "{\"expirationSeconds\":4294967297}" << 422 << "may not specify a duration larger than 2^32 seconds";
    QTest::newRow("no number") << "bob" << "{\"expirationSeconds\":\"1h\"}" << 400 << "spec.expirationSeconds";
    QTest::newRow("audience") << "bob" << "{\"audiences\":[1]}" << 400 << "spec.audiences";
    QTest::newRow("pod gone") << "bob" << "{\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"x\"}}" << 404 << "pods \"x\" not found";
    QTest::newRow("pod's uid") << "bob" << "{\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"p\",\"uid\":\"u\"}}" << 409 << "does not match the UID in record";
    QTest::newRow("another's pod") << "default" << "{\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"p\"}}" << 400 << "pod running with different serviceaccount name";
    QTest::newRow("kind") << "bob" << "{\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"name\":\"kubernetes\"}}" << 400 << "cannot bind token";
    QTest::newRow("group") << "bob" << "{\"boundObjectRef\":{\"apiVersion\":\"apps/v1\",\"kind\":\"Pod\",\"name\":\"p\"}}" << 400 << "cannot bind token";
  }
  void refusals() {
    QFETCH(QString, account);
    QFETCH(QString, spec);
    QFETCH(int, code);
    QFETCH(QString, message);
    World w;
    w.uid("serviceaccounts", kBob);
    w.uid("serviceaccounts", "{metadata: {name: default}}");
    w.uid("pods", podYaml("p"));
    auto made = w.request(account.toStdString(), spec.toStdString());
    QVERIFY(!made.ok());
    QCOMPARE(made.status().code, code);
    QVERIFY2(QString::fromStdString(made.status().message).contains(message), made.status().message.c_str());
  }

  void aNodeAsksForItsPodsOnly() {
    World w;
    w.uid("serviceaccounts", kBob);
    auto mine = w.uid("pods", podYaml("mine", "nodeName: n1,")), other = w.uid("pods", podYaml("other", "nodeName: n2,"));
    User n1{"system:node:n1", {"system:nodes", "system:authenticated"}, {}, {}};
    auto spec = [](const char* name, const std::string& uid) {
      return std::string(j("{'boundObjectRef':{'apiVersion':'v1','kind':'Pod','name':'")) + name + j("','uid':'") + uid + "\"}}";
    };
    QVERIFY(w.request("bob", spec("mine", mine), n1).ok());
    QCOMPARE(w.request("bob", spec("other", other), n1).status().code, 403);
    QCOMPARE(w.request("bob", spec("mine", ""), n1).status().code, 403);
    QCOMPARE(w.request("bob", "{}", n1).status().code, 403);
  }

  void aDryRunMakesNoToken() {
    World w;
    w.uid("serviceaccounts", kBob);
    auto made = w.request("bob", "{}", systemAdmin(), true);
    QVERIFY(made.ok());
    QCOMPARE(textAt(objectAt(*api::parseJson(made->text), "status"), "token"), std::string_view());
  }

  void aPodFindsItsToken() {
    World w;
    w.uid("serviceaccounts", "{metadata: {name: bob}, imagePullSecrets: [{name: r}]}");
    w.uid("serviceaccounts", "{metadata: {name: quiet}, automountServiceAccountToken: false}");
    auto spec = [&](const std::string& yaml) {
      auto made = w.create("pods", yaml);
      if (!made.ok()) qFatal("%s", made.status().message.c_str());
      return *objectAt(made->object->tree(), "spec");
    };
    auto s = spec("{metadata: {name: a}, spec: {serviceAccountName: bob, initContainers: [{name: i, image: i}], containers: [{name: c, image: i}, "
                  "{name: d, image: i, volumeMounts: [{name: own, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]}], volumes: [{name: own, emptyDir: {}}]}}");
    QCOMPARE(s["volumes"].get_array().size(), size_t(2));
    auto name = std::string(view(s["volumes"].at(1).at("name").get_string()));
    QVERIFY(name.starts_with("kube-api-access-"));
    QCOMPARE(s["volumes"].at(1).at("projected").at("sources").at(0).at("serviceAccountToken").at("expirationSeconds"), Json(3607));
    QCOMPARE(view(s["containers"].at(0).at("volumeMounts").at(0).at("name").get_string()), std::string_view(name));
    QCOMPARE(s["containers"].at(0).at("volumeMounts").at(0).at("readOnly"), Json(true));
    QCOMPARE(view(s["initContainers"].at(0).at("volumeMounts").at(0).at("name").get_string()), std::string_view(name));
    QCOMPARE(s["containers"].at(1).at("volumeMounts").get_array().size(), size_t(1));
    QCOMPARE(view(s["imagePullSecrets"].at(0).at("name").get_string()), std::string_view("r"));

    QVERIFY(!spec("{metadata: {name: b}, spec: {serviceAccountName: quiet, containers: [{name: c, image: i}]}}").contains("volumes"));
    QVERIFY(spec("{metadata: {name: c}, spec: {serviceAccountName: quiet, automountServiceAccountToken: true, containers: [{name: c, image: i}]}}").contains("volumes"));
    QVERIFY(!spec("{metadata: {name: d}, spec: {serviceAccountName: bob, automountServiceAccountToken: false, containers: [{name: c, image: i}]}}").contains("volumes"));
    auto own = spec("{metadata: {name: e}, spec: {serviceAccountName: bob, imagePullSecrets: [{name: mine}], containers: [{name: c, image: i}]}}");
    QCOMPARE(own["imagePullSecrets"].get_array().size(), size_t(1));
    QCOMPARE(view(own["imagePullSecrets"].at(0).at("name").get_string()), std::string_view("mine"));
    // The default account may come a moment later; any other must be there.
    QVERIFY(spec("{metadata: {name: f}, spec: {containers: [{name: c, image: i}]}}").contains("volumes"));
    auto refused = w.create("pods", "{metadata: {name: g}, spec: {serviceAccountName: nobody, containers: [{name: c, image: i}]}}");
    QCOMPARE(refused.status().code, 403);
    QCOMPARE(refused.status().message, std::string("pods \"g\" is forbidden: error looking up service account default/nobody: serviceaccount \"nobody\" not found"));
  }

  void keys() {
    QVERIFY(!net::SigningKey::fromPem("").ok());
    QVERIFY(!net::SigningKey::fromPem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").ok());
    World w;
    auto keySet = api::parseJson(w.core->tokens->keySet());
    QVERIFY(keySet.ok());
    auto& key = keySet->at("keys").at(0).get_object();
    QCOMPARE(textAt(&key, "kty"), std::string_view("EC"));
    QCOMPARE(std::string(textAt(&key, "kid")), w.key.keyId());
    std::string x;
    QVERIFY(net::base64UrlDecode(textAt(&key, "x"), x) && x.size() == 32);
    auto about = api::parseJson(w.core->tokens->openIdConfiguration());
    QCOMPARE(std::string(textAt(about->if_object(), "issuer")), w.core->tokens->issuer());
  }
};

QTEST_GUILESS_MAIN(IdentityTest)
#include "identity_test.moc"
