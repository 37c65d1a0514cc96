// Service account tokens on the node: asked for once a pod, renewed in time, written all at once.
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/os/files.h"
#include "agents/volumes/pod_volumes.h"
#include "engine/api/codec.h"
#include "tests/support/fake_client.h"

using namespace ph;
using namespace ph::agents;
using namespace std::chrono_literals;

namespace {

// An API that gives tokens: "token-N" for the N-th request.
class Api : public test::FakeClient {
 public:
  using FakeClient::FakeClient;
  std::shared_ptr<Executor> executor;
  std::vector<std::pair<std::string, std::string>> asked;  // path, body
  int64_t given = 0;                                       // seconds; 0: as asked
  bool down = false;

  std::shared_ptr<void> raw(std::string method, std::string path, std::string body, std::string, std::function<void(std::string_view)>,
                            client::Callback<std::string> done) override {
    if (method != "POST") qFatal("%s", method.c_str());
    asked.emplace_back(path, body);
    auto seconds = given ? given : api::at(*api::parseJson(body), "spec.expirationSeconds")->as_int64();
    Result<std::string> answer = "{\"spec\":{\"expirationSeconds\":" + std::to_string(seconds) + "},\"status\":{\"token\":\"token-" + std::to_string(asked.size()) + "\"}}";
    if (down) answer = Status::unavailable("away");
    executor->post([done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); });
    return std::make_shared<int>();
  }
};

struct World {
  std::shared_ptr<SimExecutor> sim = SimExecutor::make(3);
  Api api{sim};
  std::shared_ptr<TokenCache> cache = std::make_shared<TokenCache>(api, sim);
  int changes = 0;
  World() {
    api.executor = sim;
    cache->onChange([this](const TokenKey&) { ++changes; });
  }
  std::string token(const TokenKey& key) { return cache->get(key) ? *cache->get(key) : ""; }
};

std::string said(const std::optional<Result<>>& r) { return !r ? "no answer" : r->ok() ? "" : r->status().message; }

const TokenKey kKey{"ns1", "robot", "p", "u-1", "", 3607};

}  // namespace

class TokenTest : public QObject {
  Q_OBJECT
 private slots:
  void askedForOnceAndForThisPod() {
    World w;
    w.cache->acquire(kKey);
    w.cache->acquire(kKey);
    QVERIFY(!w.cache->get(kKey));
    w.sim->runFor(1s);
    QCOMPARE(w.token(kKey), std::string("token-1"));
    QCOMPARE(w.changes, 1);
    QCOMPARE(w.api.asked.size(), size_t(1));
    QCOMPARE(w.api.asked[0].first, std::string("/api/v1/namespaces/ns1/serviceaccounts/robot/token"));
    auto body = api::parseJson(w.api.asked[0].second);
    QCOMPARE(*api::at(*body, "spec.boundObjectRef.uid"), api::Json("u-1"));
    QCOMPARE(*api::at(*body, "spec.boundObjectRef.kind"), api::Json("Pod"));
    QVERIFY(!api::at(*body, "spec.audiences"));
    auto vault = kKey;
    vault.audience = "vault";
    w.cache->acquire(vault);
    w.sim->runFor(1s);
    QCOMPARE(*api::at(*api::parseJson(w.api.asked[1].second), "spec.audiences.0"), api::Json("vault"));
  }

  void renewedAtFourFifths() {
    World w;
    w.cache->acquire(kKey);
    w.sim->runFor(2860s);
    QCOMPARE(w.token(kKey), std::string("token-1"));
    w.sim->runFor(60s);  // 80 % are 2885 s
    QCOMPARE(w.token(kKey), std::string("token-2"));
    QCOMPARE(w.changes, 2);
    w.sim->runFor(2890s);
    QCOMPARE(w.token(kKey), std::string("token-3"));
  }

  void renewedAfterADay() {
    World w;
    auto key = kKey;
    key.seconds = 3000000000;
    w.cache->acquire(key);
    w.sim->runFor(23h + 50min);
    QCOMPARE(w.token(key), std::string("token-1"));
    w.sim->runFor(15min);
    QCOMPARE(w.token(key), std::string("token-2"));
  }

  void theApiSaysHowLong() {
    World w;
    w.api.given = 600;
    w.cache->acquire(kKey);
    w.sim->runFor(485s);
    QCOMPARE(w.token(kKey), std::string("token-2"));
  }

  void theOldOneStaysWhileTheApiIsAway() {
    World w;
    w.cache->acquire(kKey);
    w.sim->runFor(1s);
    w.api.down = true;
    w.sim->runFor(7200s);
    QCOMPARE(w.token(kKey), std::string("token-1"));
    QCOMPARE(w.cache->error(kKey), std::string("away"));
    QVERIFY(w.api.asked.size() < 250);  // not more often than every half a minute in the end
    w.api.down = false;
    w.sim->runFor(31s);
    QVERIFY(w.token(kKey) != "token-1");
    QVERIFY(w.cache->error(kKey).empty());
  }

  void nobodyAsksForTheGone() {
    World w;
    w.cache->acquire(kKey);
    w.cache->release(kKey);
    w.sim->runFor(1s);
    QVERIFY(!w.cache->get(kKey));
    QCOMPARE(w.changes, 0);
    w.cache->acquire(kKey);
    w.sim->runFor(1s);
    w.cache->release(kKey);
    w.sim->runFor(9000s);
    QCOMPARE(w.api.asked.size(), size_t(2));
  }

  void onTheDisk() {
    if (::geteuid() != 0) QSKIP("mounting a tmpfs needs root");
    QTemporaryDir dir;
    World w;
    w.api.create("{apiVersion: v1, kind: ConfigMap, metadata: {name: kube-root-ca.crt, namespace: ns1}, data: {ca.crt: CA}}");
    VolumeOptions options;
    options.folder = dir.path().toStdString() + "/pods";
    auto volumes = std::make_shared<PodVolumes>(w.api, w.sim, w.sim, options);
    volumes->start();
    auto tree = api::parseYaml(R"(
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: ns1, uid: u-1}
spec:
  serviceAccountName: robot
  containers: [{name: c, image: i}]
  volumes:
  - name: access
    projected:
      defaultMode: 420
      sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3607}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]}
)");
    QVERIFY(tree.ok());
    auto pod = api::Object::make(w.api.kind("pods"), *tree, 1);
    w.api.down = true;
    std::optional<Result<>> made;
    volumes->prepare(pod, [&](Result<> r) { made = std::move(r); });
    w.sim->runFor(19s);
    QVERIFY(!made);
    w.sim->runFor(2s);
    QVERIFY(made && !made->ok());
    QVERIFY2(said(made).find("service account \"robot\"") != std::string::npos, said(made).c_str());
    w.api.down = false;
    made.reset();
    volumes->prepare(pod, [&](Result<> r) { made = std::move(r); });
    w.sim->runUntil([&] { return made.has_value(); }, 60s);
    QVERIFY2(made && made->ok(), said(made).c_str());
    auto folder = options.folder + "/u-1/secrets/access";
    auto first = readFile(folder + "/token", 1000);
    QVERIFY2(first.starts_with("token-"), first.c_str());
    QCOMPARE(readFile(folder + "/ca.crt", 1000), std::string("CA"));
    QCOMPARE(readFile(folder + "/namespace", 1000), std::string("ns1"));
    struct stat before{}, after{};
    QCOMPARE(::stat((folder + "/token").c_str(), &before), 0);
    QCOMPARE(int(before.st_mode & 0777), 0644);
    w.sim->runFor(2900s);
    auto second = readFile(folder + "/token", 1000);
    QVERIFY(second.starts_with("token-") && second != first);
    QCOMPARE(readFile(folder + "/ca.crt", 1000), std::string("CA"));
    QCOMPARE(::stat((folder + "/token").c_str(), &after), 0);
    QVERIFY(before.st_ino != after.st_ino);  // another file in its place, never half of one
    std::optional<Result<>> gone;
    volumes->tearDown("u-1", [&](Result<> r) { gone = std::move(r); });
    w.sim->runFor(1s);
    QVERIFY2(gone && gone->ok(), said(gone).c_str());
    auto asked = w.api.asked.size();
    w.sim->runFor(9000s);
    QCOMPARE(w.api.asked.size(), asked);
  }
};

QTEST_GUILESS_MAIN(TokenTest)
#include "token_test.moc"
