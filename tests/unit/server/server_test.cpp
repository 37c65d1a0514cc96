// Parts of the server by themselves: media types, paths, tables, addresses, image references, tokens.
#include <QTemporaryDir>
#include <QTest>
#include <fstream>
#include <set>

#include "engine/api/codec.h"
#include "engine/server/authn.h"
#include "engine/server/call.h"
#include "engine/server/discovery.h"
#include "engine/server/image_store.h"
#include "engine/server/list_options.h"
#include "engine/server/media.h"
#include "engine/server/router.h"
#include "engine/server/service_addresses.h"
#include "engine/server/table.h"

using namespace ph;
using namespace ph::server;

namespace {

std::shared_ptr<api::Registry> registry() {
  static auto one = api::Registry::builtin();
  return one;
}

// What a path and method mean: "verb info ns name subresource", or the code of the refusal.
std::string routed(const std::string& method, const std::string& path, bool watch = false) {
  std::vector<std::string> s;
  if (!splitPath(path, s)) return "malformed";
  ApiRequest r;
  r.options.watch = watch;
  bool core = s[0] == "api";
  auto result = routeResource(*registry(), core ? "" : s[1], core ? s[1] : s[2], s, core ? 2 : 3, method, r);
  if (!result.ok()) return std::to_string(result.status().code);
  return std::string(verbName(r.verb)) + " " + r.info->groupResource() + " [" + r.ns + "] [" + r.name + "] [" + r.subresource +
         (r.subpath.empty() ? "" : "/" + r.subpath) + "]";
}

}  // namespace

class ServerTest : public QObject {
  Q_OBJECT

 private slots:
  void listOptions() {
    auto codes = [](Options o) { return std::pair(checkListOptions(o).ok(), checkWatchOptions(o).ok()); };
    QCOMPARE(codes({}), std::pair(true, true));
    QCOMPARE(codes({.resourceVersion = "5", .resourceVersionMatch = "Exact"}), std::pair(true, false));
    QCOMPARE(codes({.resourceVersion = "0", .resourceVersionMatch = "NotOlderThan"}), std::pair(true, false));
    QCOMPARE(codes({.resourceVersion = "0", .resourceVersionMatch = "Exact"}), std::pair(false, false));
    QCOMPARE(codes({.resourceVersionMatch = "Exact"}), std::pair(false, false));
    QCOMPARE(codes({.resourceVersion = "5", .resourceVersionMatch = "Newest"}), std::pair(false, false));
    QCOMPARE(codes({.continueToken = "x", .resourceVersion = "5", .resourceVersionMatch = "Exact"}), std::pair(false, false));
    QCOMPARE(codes({.resourceVersionMatch = "NotOlderThan", .sendInitialEvents = true}), std::pair(false, true));
    QCOMPARE(codes({.sendInitialEvents = true}), std::pair(false, false));
    QCOMPARE(codes({.resourceVersionMatch = "Exact", .sendInitialEvents = false}), std::pair(false, false));
    auto status = checkListOptions({.resourceVersionMatch = "Exact"}).status();
    QCOMPARE(status.code, 422);
    QCOMPARE(status.causes[0].field, std::string("resourceVersionMatch"));
  }
  void continueTokens() {
    auto text = encodeToken({42, "a/b"});
    auto token = decodeToken(text);
    QVERIFY(token.ok());
    QCOMPARE(token->revision, 42);
    QCOMPARE(token->after, std::string("a/b"));
    auto loose = decodeToken(inconsistentToken(text));
    QVERIFY(loose.ok());
    QCOMPARE(loose->revision, ContinueToken::kAnyRevision);
    QCOMPARE(loose->after, std::string("a/b"));
    QVERIFY(inconsistentToken("nonsense").empty());
    for (auto bad : {"", "nonsense", "e30=", "eyJ2IjoicGlsb3Rob3VzZS8xIiwicnYiOjB9"}) QVERIFY(!decodeToken(bad).ok());
    QCOMPARE(decodeToken(std::string(10000, 'A')).status().code, 400);
  }

  void acceptHeaders() {
    QVERIFY(negotiate("")->shape == Shape::Object);
    QVERIFY(negotiate("*/*")->shape == Shape::Object);
    auto table = negotiate("application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
    QVERIFY(table && table->shape == Shape::Table && table->metaVersion == "v1");
    table = negotiate("application/json;as=Table;v=v1beta1;g=meta.k8s.io");
    QVERIFY(table && table->metaVersion == "v1beta1");
    QVERIFY(negotiate("application/vnd.kubernetes.protobuf,application/json")->shape == Shape::Object);
    QVERIFY(!negotiate("application/vnd.kubernetes.protobuf"));
    QVERIFY(!negotiate("application/json;as=Table;v=v7;g=meta.k8s.io"));
    QVERIFY(!negotiate("application/json;as=Table;v=v1;g=meta.k8s.io", {.table = false}));
    QVERIFY(negotiate("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", {.table = false})->shape == Shape::Object);
    QVERIFY(negotiate("application/json;as=Unheard;v=v1, application/json")->shape == Shape::Object);
    QVERIFY(negotiate("application/yaml")->yaml);
    // The best q wins, the first of equals; what can't be given is passed over.
    QVERIFY(negotiate("application/json;q=0.5, application/yaml;q=0.9")->yaml);
    QVERIFY(!negotiate("*/*;q=0.9, application/json ;q=0.8,application/yaml;q=0.1")->yaml);
    QVERIFY(!negotiate("*/*, application/yaml;q=0.9")->yaml);
    QVERIFY(negotiate("*/*, application/yaml")->yaml);
    QVERIFY(!negotiate("application/yaml;q=0"));
    QVERIFY(negotiate("APPLICATION/YAML")->yaml);
    QVERIFY(!negotiate("application/yaml", {.yaml = false}));
    QVERIFY(negotiate("application/vnd.kubernetes.protobuf,application/json", {.protobuf = true})->protobuf);
    QVERIFY(!negotiate("application/vnd.kubernetes.protobuf;q=0.1,application/json", {.protobuf = true})->protobuf);
    auto part = negotiate("application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json", {.protobuf = true});
    QVERIFY(part && part->protobuf && part->shape == Shape::Partial);
    auto noTable = negotiate("application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1, application/json;as=Table;g=meta.k8s.io;v=v1", {.protobuf = true});
    QVERIFY(noTable && !noTable->protobuf && noTable->shape == Shape::Table);
    QVERIFY(!negotiate("text/html"));
    QVERIFY(!negotiate(std::string(100000, ',')));
    std::set<int> ids;
    for (auto text : {"application/json", "application/json;as=Table;v=v1", "application/json;as=Table;v=v1beta1",
                      "application/json;as=PartialObjectMetadata;v=v1"})
      ids.insert(negotiate(text)->id());
    QCOMPARE(ids.size(), size_t(4));
    QCOMPARE(mediaType("Application/JSON; charset=utf-8"), std::string("application/json"));
  }

  void paths() {
    QCOMPARE(routed("GET", "/api/v1/pods"), std::string("list pods [] [] []"));
    QCOMPARE(routed("GET", "/api/v1/pods", true), std::string("watch pods [] [] []"));
    QCOMPARE(routed("GET", "/api/v1/watch/namespaces/a/pods"), std::string("watch pods [a] [] []"));
    QCOMPARE(routed("GET", "/api/v1/namespaces/a/pods/b"), std::string("get pods [a] [b] []"));
    QCOMPARE(routed("GET", "/api/v1/namespaces/a"), std::string("get namespaces [] [a] []"));
    QCOMPARE(routed("PUT", "/api/v1/namespaces/a/finalize"), std::string("update namespaces [] [a] [finalize]"));
    QCOMPARE(routed("PATCH", "/api/v1/namespaces/a/status"), std::string("patch namespaces [] [a] [status]"));
    QCOMPARE(routed("DELETE", "/apis/apps/v1/namespaces/a/deployments"), std::string("deletecollection deployments.apps [a] [] []"));
    QCOMPARE(routed("PATCH", "/apis/apps/v1/namespaces/a/deployments/b/scale"), std::string("patch deployments.apps [a] [b] [scale]"));
    QCOMPARE(routed("POST", "/api/v1/namespaces/a/bindings"), std::string("create pods [a] [] [binding]"));
    QCOMPARE(routed("GET", "/api/v1/nodes/n/proxy/stats/summary"), std::string("get nodes [] [n] [proxy/stats/summary]"));
    QCOMPARE(routed("GET", "/api/v1/namespaces/a%2Fb/pods/c"), std::string("get pods [a/b] [c] []"));
    QCOMPARE(routed("GET", "/api/v1/namespaces/%zz/pods"), std::string("malformed"));
    QCOMPARE(routed("GET", "/api/v1/nonsense"), std::string("404"));
    QCOMPARE(routed("GET", "/api/v1/pods/b"), std::string("404"));
    QCOMPARE(routed("GET", "/api/v1/namespaces/a/nodes"), std::string("404"));
    QCOMPARE(routed("GET", "/api/v1/namespaces/a/pods/b/nonsense"), std::string("404"));
    QCOMPARE(routed("GET", "/api/v1/namespaces/a/pods/b/status/more"), std::string("404"));
    QCOMPARE(routed("POST", "/api/v1/pods"), std::string("405"));
    QCOMPARE(routed("PUT", "/api/v1/namespaces/a/pods"), std::string("405"));
    QCOMPARE(routed("BREW", "/api/v1/namespaces/a/pods"), std::string("405"));
  }

  void optionsOfRequests() {
    auto o = parseOptions({{"limit", "5"}, {"watch", "1"}, {"dryRun", "All"}, {"gracePeriodSeconds", "0"}, {"other", "x"}});
    QVERIFY(o.ok());
    QVERIFY(o->limit == 5 && o->watch && o->dryRun && o->gracePeriodSeconds == 0);
    QCOMPARE(parseOptions({{"limit", "many"}}).status().code, 400);
    QCOMPARE(parseOptions({{"dryRun", "Some"}}).status().code, 422);
    QCOMPARE(parseOptions({{"propagationPolicy", "Sideways"}}).status().code, 422);
    QCOMPARE(parseOptions({{"fieldValidation", "Hard"}}).status().code, 422);
    Options d;
    auto body = api::parseJson("{\"gracePeriodSeconds\":7,\"propagationPolicy\":\"Orphan\",\"preconditions\":{\"uid\":\"u\"},\"dryRun\":[\"All\"]}");
    QVERIFY(readDeleteOptions(*body, d).ok());
    QVERIFY(d.gracePeriodSeconds == 7 && d.propagation == Propagation::Orphan && d.preconditionUid == "u" && d.dryRun);
    QVERIFY(!readDeleteOptions(*api::parseJson("[]"), d).ok());
  }

  void valuesByPath() {
    auto tree = api::parseJson("{\"spec\":{\"n\":3,\"a.b\":\"dot\",\"list\":[{\"type\":\"X\",\"v\":1},{\"type\":\"Y\",\"v\":2}]}}");
    QVERIFY(tree.ok());
    QCOMPARE(valueAt(*tree, ".spec.n"), api::Json(3));
    QCOMPARE(valueAt(*tree, ".spec.list[1].v"), api::Json(2));
    QCOMPARE(valueAt(*tree, ".spec.list[?(@.type==\"Y\")].v"), api::Json(2));
    QCOMPARE(valueAt(*tree, ".spec.a\\.b"), api::Json("dot"));
    QCOMPARE(valueAt(*tree, ".spec['a.b']"), api::Json("dot"));
    for (auto bad : {".spec.list[9].v", ".spec.n.more", ".spec.list[", ".none", "spec", ".spec.list[?(@.type==\"Z\")].v"})
      QVERIFY2(valueAt(*tree, bad).is_null(), bad);
  }

  void agesForPeople() {
    using namespace std::chrono;
    QCOMPARE(humanAge(seconds(5)), std::string("5s"));
    QCOMPARE(humanAge(seconds(119)), std::string("119s"));
    QCOMPARE(humanAge(seconds(192)), std::string("3m12s"));
    QCOMPARE(humanAge(minutes(15)), std::string("15m"));
    QCOMPARE(humanAge(minutes(245)), std::string("4h5m"));
    QCOMPARE(humanAge(hours(20)), std::string("20h"));
    QCOMPARE(humanAge(hours(51)), std::string("2d3h"));
    QCOMPARE(humanAge(hours(24 * 30)), std::string("30d"));
    QCOMPARE(humanAge(seconds(-5)), std::string("<invalid>"));
  }

  void addressesAreGivenOnce() {
    auto random = seededRandom(1);
    ServiceAddresses addresses;
    std::set<std::string> seen;
    for (int i = 0; i < 5000; ++i) {
      auto a = addresses.takeAddress(*random);
      QVERIFY(a.ok());
      QVERIFY(seen.insert(*a).second);
      QVERIFY(*a != kApiServiceAddress && *a != kDnsServiceAddress);
    }
    QVERIFY(addresses.takeAddress(kDnsServiceAddress).ok());
    QVERIFY(!addresses.takeAddress(kDnsServiceAddress).ok());
    QVERIFY(!addresses.takeAddress("10.97.0.1").ok());
    QVERIFY(!addresses.takeAddress("10.96.0.0").ok());
    QVERIFY(!addresses.takeAddress("10.96.255.255").ok());
    QVERIFY(!addresses.takeAddress("nonsense").ok());
    auto claim = claimOf(*api::parseJson("{\"spec\":{\"clusterIP\":\"10.96.0.10\",\"ports\":[{\"nodePort\":30001,\"protocol\":\"UDP\"}]}}"));
    QCOMPARE(claim.addresses.size(), size_t(1));
    QVERIFY(addresses.takePort(30001, "UDP").ok());
    QVERIFY(!addresses.takePort(30001, "UDP").ok());
    QVERIFY(addresses.takePort(30001, "TCP").ok());
    QVERIFY(!addresses.takePort(80, "TCP").ok());
    addresses.release(claim);
    QVERIFY(addresses.takePort(30001, "UDP").ok());
    QVERIFY(addresses.takeAddress(kDnsServiceAddress).ok());
  }

  void theRangeOfPortsEnds() {
    auto random = seededRandom(2);
    ServiceAddresses addresses;
    for (int i = kFirstNodePort; i <= kLastNodePort; ++i) QVERIFY(addresses.takePort(*random, "TCP").ok());
    QVERIFY(!addresses.takePort(*random, "TCP").ok());
    QVERIFY(addresses.takePort(*random, "UDP").ok());
  }

  void addressTexts() {
    uint32_t a = 0;
    QVERIFY(parseIpv4("10.96.0.1", a));
    QCOMPARE(formatIpv4(a), std::string("10.96.0.1"));
    for (auto bad : {"", "10.96.0", "10.96.0.256", "10.96.0.1.2", "a.b.c.d", "10.96.0.1 ", "10..0.1"}) QVERIFY2(!parseIpv4(bad, a), bad);
  }

  void imageReferences() {
    QCOMPARE(normaliseImage("web:1"), std::string("docker.io/library/web:1"));
    QCOMPARE(normaliseImage("web"), std::string("docker.io/library/web:latest"));
    QCOMPARE(normaliseImage("team/web:1"), std::string("docker.io/team/web:1"));
    QCOMPARE(normaliseImage("registry.local:5000/web"), std::string("registry.local:5000/web:latest"));
    QCOMPARE(normaliseImage("localhost/web:1"), std::string("localhost/web:1"));
    QCOMPARE(normaliseImage("docker.io/library/web:1"), std::string("docker.io/library/web:1"));
    QCOMPARE(normaliseImage("web@sha256:abc"), std::string("docker.io/library/web@sha256:abc"));
  }

  void archivesThatAreNone() {
    QTemporaryDir dir;
    auto file = (dir.path() + "/x.tar").toStdString();
    std::ofstream(file) << "this is no archive";
    ImageStore images((dir.path() + "/images").toStdString());
    auto added = images.add(file, "");
    QVERIFY(!added.ok());
    QCOMPARE(added.status().code, 400);
    QVERIFY(!images.add((dir.path() + "/nothing").toStdString(), "").ok());
    QVERIFY(images.all().empty());
    QVERIFY(!images.remove("web:1").ok());
  }

  void tokens() {
    QTemporaryDir dir;
    auto file = (dir.path() + "/tokens").toStdString();
    std::ofstream(file) << "# people\nabc,jane,1,\"team,system:masters\"\nxyz, joe\n";
    auto authenticator = Authenticator::load(file);
    QVERIFY(authenticator.ok());
    auto who = [&](const std::string& header) {
      net::Request request;
      if (!header.empty()) request.headers.add("Authorization", header);
      return authenticator->authenticate(request);
    };
    QCOMPARE(who("Bearer abc")->name, std::string("jane"));
    QVERIFY(who("Bearer abc")->inGroup("system:masters") && who("bearer abc")->inGroup("team"));
    QCOMPARE(who("Bearer xyz")->name, std::string("joe"));
    QVERIFY(who("Bearer xyz")->inGroup("system:authenticated"));
    QCOMPARE(who("")->name, std::string("system:anonymous"));
    for (auto bad : {"Bearer abcd", "Bearer ", "Basic abc", "abc"}) QCOMPARE(who(bad).status().code, 401);
    std::ofstream(file) << "justatoken\n";
    QVERIFY(!Authenticator::load(file).ok());
  }

  void yamlAndPrettyAreTheSameTree() {
    std::string json = "{\"a\":{\"b\":[1,\"two\",{\"c\":null,\"d\":[]}],\"e\":\"yes\",\"f\":\"a: b\\nc\"},\"g\":{},\"h\":[[1],[]]}";
    auto tree = api::parseJson(json);
    QVERIFY(tree.ok());
    auto yaml = api::parseYaml(toYaml(json));
    QVERIFY2(yaml.ok(), toYaml(json).c_str());
    QCOMPARE(api::toText(*yaml), api::toText(*tree));
    auto pretty = api::parseJson(prettyJson(json));
    QVERIFY(pretty.ok());
    QCOMPARE(api::toText(*pretty), api::toText(*tree));
    QVERIFY(prettyJson(json).find("\n  \"a\": {\n") != std::string::npos);
  }
};

QTEST_GUILESS_MAIN(ServerTest)
#include "server_test.moc"
