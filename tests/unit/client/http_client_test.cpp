#include "engine/client/http_client.h"

#include "engine/api/types/core.h"
#include "engine/client/http_requests.h"
#include "engine/client/kubeconfig.h"
#include "engine/client/watch_decoder.h"
#include "tests/unit/net/support.h"

using namespace ph;
using namespace ph::client;
using namespace ph::net::test;
using net::Request;
using net::Responder;

namespace {

// Text with ' for ", as moc does not like raw strings.
std::string json(std::string text) {
  for (char& c : text)
    if (c == '\'') c = '"';
  return text;
}

std::string pod(const std::string& name, int revision) {
  return json("{'apiVersion':'v1','kind':'Pod','metadata':{'name':'" + name + "','namespace':'ns','uid':'u-" +
              name + "','resourceVersion':'" + std::to_string(revision) + "'},'spec':{'containers':[]}}");
}

net::Response answer(int status, std::string body) {
  net::Response r;
  r.status = status;
  r.headers.add("content-type", "application/json");
  r.body.push_back(net::makeBuffer(std::move(body)));
  return r;
}

}  // namespace

class HttpClientTest : public QObject {
  Q_OBJECT
  std::shared_ptr<net::Io> io;
  std::shared_ptr<Executor> executor;
  std::shared_ptr<api::Registry> registry;
  const ResourceInfo* pods = nullptr;
  std::unique_ptr<TestServer> server;
  std::shared_ptr<Client> client;

  // One handler for all paths.
  void serve(std::function<void(Request, std::shared_ptr<Responder>)> handler, bool threads = true) {
    client.reset();
    server = std::make_unique<TestServer>(io);
    server->server = net::Server::make(io, std::move(handler));
    server->address = *server->server->listenTcp("127.0.0.1:0", nullptr);
    HttpClientOptions o;
    o.io = io;
    o.http.endpoint = server->address;
    o.bearerToken = "secret";
    if (threads) o.executor = executor;
    o.registry = registry;
    o.timeout = 20s;
    client = makeHttpClient(o);
  }
  template <class T, class F>
  Result<T> wait(F call) {
    auto waiter = std::make_shared<Waiter>();
    auto got = std::make_shared<std::optional<Result<T>>>();
    call([=](Result<T> r) { waiter->change([&] { got->emplace(std::move(r)); }); });
    if (!waiter->until([&] { return got->has_value(); }, 30s)) return Status::timeout("no callback");
    return std::move(**got);
  }

 private slots:
  void initTestCase() {
    io = net::Io::make(2);
    executor = makeThreadExecutor(2, "test");
    registry = api::Registry::builtin();
    pods = registry->find("", "v1", "pods");
    QVERIFY(pods);
  }
  void cleanup() {
    client.reset();
    server.reset();
  }
  void cleanupTestCase() {
    executor.reset();
    io.reset();
  }

  void getsAnObject() {
    serve([](Request r, std::shared_ptr<Responder> out) {
      bool right = r.path == "/api/v1/namespaces/ns/pods/a" && r.method == "GET" &&
                   r.headers.get("authorization") == "Bearer secret";
      out->send(right ? answer(200, pod("a", 7)) : answer(400, "wrong"));
    });
    auto r = wait<ObjectPtr>([&](auto done) { client->get(*pods, "ns", "a", done); });
    QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
    QCOMPARE((*r)->name(), std::string("a"));
    QCOMPARE((*r)->revision(), int64_t(7));
    QCOMPARE(&(*r)->info(), pods);
  }
  void statusesComeBack() {
    serve([](Request r, std::shared_ptr<Responder> out) {
      if (r.path.ends_with("/plain")) return out->send(answer(502, "bad gateway"));
      out->send(
          answer(422, json("{'kind':'Status','status':'Failure','reason':'Invalid','message':'no','code':422,"
                           "'details':{'name':'a','kind':'Pod','retryAfterSeconds':3,"
                           "'causes':[{'reason':'FieldValueRequired','field':'spec.x','message':'m'}]}}")));
    });
    auto r = wait<ObjectPtr>([&](auto done) { client->get(*pods, "ns", "a", done); });
    QVERIFY(!r.ok());
    QCOMPARE(r.status().code, 422);
    QCOMPARE(r.status().reason, std::string("Invalid"));
    QCOMPARE(r.status().name, std::string("a"));
    QCOMPARE(r.status().retryAfterSeconds, 3);
    QCOMPARE(r.status().causes.size(), size_t(1));
    QCOMPARE(r.status().causes[0].field, std::string("spec.x"));
    auto plain = wait<ObjectPtr>([&](auto done) { client->get(*pods, "ns", "plain", done); });
    QCOMPARE(plain.status().code, 502);
    QCOMPARE(plain.status().message, std::string("bad gateway"));
  }
  void connectionFailures() {
    serve([](Request, std::shared_ptr<Responder>) {});
    server->server.reset();
    auto r = wait<ObjectPtr>([&](auto done) { client->get(*pods, "ns", "a", done); });
    QCOMPARE(r.status().code, 503);
  }
  void lists() {
    serve([](Request r, std::shared_ptr<Responder> out) {
      if (r.path != "/api/v1/pods" || r.query != "labelSelector=app%3Dx%2Cy%21%3Dz&limit=2&continue=abc%3D")
        return out->send(answer(400, r.path + "?" + r.query));
      // As servers do it: items without kind and apiVersion.
      out->send(
          answer(200, json("{'kind':'PodList','apiVersion':'v1','metadata':{'resourceVersion':'99',"
                           "'continue':'more'},'items':[{'metadata':{'name':'a','namespace':'n',"
                           "'resourceVersion':'5'}},{'metadata':{'name':'b','resourceVersion':'6'}}]}")));
    });
    ListOptions o;
    o.labelSelector = "app=x,y!=z";
    o.limit = 2;
    o.continueToken = "abc=";
    auto r = wait<ListResult>([&](auto done) { client->list(*pods, o, done); });
    QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
    QCOMPARE(r->revision, int64_t(99));
    QCOMPARE(r->continueToken, std::string("more"));
    QCOMPARE(r->items.size(), size_t(2));
    QCOMPARE(r->items[0]->key(), std::string("n/a"));
    QCOMPARE(r->items[1]->revision(), int64_t(6));
    QVERIFY(r->items[0]->stored().find(json("'kind':'Pod'")) != std::string::npos);
  }
  void emptyAndBrokenLists() {
    QVERIFY(
        decodeList(*pods, json("{'kind':'PodList','metadata':{'resourceVersion':'1'},'items':null}")).ok());
    QVERIFY(decodeList(*pods, json("{'kind':'PodList','metadata':{'resourceVersion':'1'},'items':[]}")).ok());
    QVERIFY(!decodeList(*pods, json("{'kind':'Pod'}")).ok());
    QVERIFY(!decodeList(*pods, "{").ok());
  }
  void writesMakeTheRightRequests() {
    Write w;
    w.info = pods;
    w.ns = "ns";
    w.name = "a";
    w.body = json("{'metadata':{'name':'a'}}");
    auto create = *writeRequest(w);
    QCOMPARE(create.method + " " + create.path + " " + create.query,
             std::string("POST /api/v1/namespaces/ns/pods fieldManager=pilothouse"));
    w.body = "{}";
    w.subresource = "binding";
    QCOMPARE(writeRequest(w)->path, std::string("/api/v1/namespaces/ns/pods/a/binding"));
    w.subresource = "status";
    w.verb = Verb::Update;
    w.revision = 12;
    w.uid = "u";
    w.body = json("{'metadata':{'name':'a'}}");
    auto update = *writeRequest(w);
    QCOMPARE(update.method + " " + update.path, std::string("PUT /api/v1/namespaces/ns/pods/a/status"));
    QCOMPARE(update.body, json("{'metadata':{'name':'a','resourceVersion':'12','uid':'u'}}"));
    w.verb = Verb::Patch;
    w.body = json("{'spec':{}}");
    auto merge = *writeRequest(w);
    QCOMPARE(std::string(merge.headers.get("content-type")), std::string("application/merge-patch+json"));
    QCOMPARE(merge.body, json("{'spec':{},'metadata':{'resourceVersion':'12','uid':'u'}}"));
    w.patchType = PatchType::Json;
    w.body = json("[{'op':'remove','path':'/x'}]");
    auto patch = *writeRequest(w);
    QCOMPARE(std::string(patch.headers.get("content-type")), std::string("application/json-patch+json"));
    QVERIFY(patch.body.find(json("{'op':'replace','path':'/metadata/resourceVersion','value':'12'}")) !=
            std::string::npos);
    w.patchType = PatchType::Apply;
    w.body = "{}";
    w.dryRun = true;
    auto apply = *writeRequest(w);
    QCOMPARE(apply.query, std::string("dryRun=All&fieldManager=pilothouse&force=true"));
    QCOMPARE(std::string(apply.headers.get("content-type")), std::string("application/apply-patch+yaml"));
    w.body = "nonsense";
    QVERIFY(!writeRequest(w).ok());
    Write d;
    d.verb = Verb::Delete;
    d.info = pods;
    d.ns = "ns";
    d.name = "a";
    d.uid = "u";
    d.revision = 3;
    d.gracePeriodSeconds = 0;
    d.propagation = Propagation::Foreground;
    auto gone = *writeRequest(d);
    QCOMPARE(gone.method, std::string("DELETE"));
    QCOMPARE(
        gone.body,
        json("{'kind':'DeleteOptions','apiVersion':'v1','preconditions':{'uid':'u','resourceVersion':'3'},"
             "'gracePeriodSeconds':0,'propagationPolicy':'Foreground'}"));
    auto* nodes = registry->find("", "v1", "nodes");
    QCOMPARE(resourcePath(*nodes, "ignored", "n/1"), std::string("/api/v1/nodes/n%2F1"));
    auto* deployments = registry->find("apps", "v1", "deployments");
    QCOMPARE(resourcePath(*deployments, "x", "d", "scale"),
             std::string("/apis/apps/v1/namespaces/x/deployments/d/scale"));
  }
  void answersOfOtherKinds() {
    serve([](Request, std::shared_ptr<Responder> out) {
      out->send(answer(201, json("{'kind':'Status','apiVersion':'v1','metadata':{},'status':'Success'}")));
    });
    Write w;
    w.info = pods;
    w.ns = "ns";
    w.name = "a";
    w.subresource = "binding";
    w.body = "{}";
    auto r = wait<ObjectPtr>([&](auto done) { client->write(w, done); });
    QVERIFY(r.ok());
    QVERIFY(!*r);
  }
  void writeAllKeepsOrderAndBounds() {
    std::atomic<int> now{0}, most{0};
    Waiter waiter;
    std::vector<std::pair<Request, std::shared_ptr<Responder>>> held;
    serve([&](Request r, std::shared_ptr<Responder> out) {
      int n = ++now;
      int seen = most;
      while (n > seen && !most.compare_exchange_weak(seen, n)) {
      }
      waiter.change([&] { held.emplace_back(std::move(r), std::move(out)); });
    });
    std::vector<Write> writes;
    for (int i = 0; i < 300; ++i) {
      Write w;
      w.info = pods;
      w.ns = "ns";
      w.body = pod("p" + std::to_string(i), 1);
      writes.push_back(w);
    }
    auto got = std::make_shared<std::optional<std::vector<Result<ObjectPtr>>>>();
    client->writeAll(std::move(writes), [&, got](std::vector<Result<ObjectPtr>> all) {
      waiter.change([&] { got->emplace(std::move(all)); });
    });
    QVERIFY(waiter.until([&] { return held.size() == 64; }));
    for (int answered = 0; answered < 300;) {
      std::vector<std::pair<Request, std::shared_ptr<Responder>>> batch;
      QVERIFY(waiter.until([&] { return !held.empty(); }));
      waiter.change([&] { batch.swap(held); });
      for (auto& [r, out] : batch) {
        --now;
        ++answered;
        bool bad = r.body.find("\"p7\"") != std::string::npos;
        out->send(bad ? answer(409, "taken") : answer(201, r.body));
      }
    }
    QVERIFY(waiter.until([&] { return got->has_value(); }));
    auto& all = **got;
    QCOMPARE(all.size(), size_t(300));
    for (int i = 0; i < 300; ++i) {
      if (i == 7) {
        QCOMPARE(all[7].status().code, 409);
      } else {
        QVERIFY(all[size_t(i)].ok());
        QCOMPARE((*all[size_t(i)])->name(), "p" + std::to_string(i));
      }
    }
    QCOMPARE(most.load(), 64);
  }
  void decodesWatchesCutAnywhere() {
    std::string text =
        json("{'type':'ADDED','object':") + pod("a", 1) + "}\n" + json("{'type':'MODIFIED','object':") +
        pod("a", 2) + "}\n\n" +
        json("{'type':'BOOKMARK','object':{'kind':'Pod','metadata':{'resourceVersion':'9'}}}") + "\n" +
        json("{'type':'DELETED','object':") + pod("a", 10) + "}\n";
    for (size_t step : {size_t(1), size_t(7), size_t(100), text.size()}) {
      WatchDecoder decoder(*pods);
      std::vector<WatchEvent> events;
      for (size_t at = 0; at < text.size(); at += step)
        QVERIFY(decoder.feed(text.substr(at, step), events).ok());
      QCOMPARE(events.size(), size_t(4));
      QVERIFY(events[0].type == EventType::Added && events[0].object->name() == "a" &&
              events[0].revision == 1);
      QVERIFY(events[1].type == EventType::Modified && events[1].revision == 2);
      QVERIFY(events[2].type == EventType::Bookmark && !events[2].object && events[2].revision == 9);
      QVERIFY(events[3].type == EventType::Deleted && events[3].revision == 10);
    }
    for (auto bad : {"nonsense\n", "{}\n", "{\"type\":\"WHAT\",\"object\":{}}\n", "{\"type\":\"ADDED\"}\n"}) {
      WatchDecoder decoder(*pods);
      std::vector<WatchEvent> events;
      QVERIFY2(!decoder.feed(bad, events).ok(), bad);
    }
  }
  void watches_data() {
    QTest::addColumn<bool>("threads");
    QTest::newRow("executor") << true;
    QTest::newRow("io threads") << false;
  }
  void watches() {
    QFETCH(bool, threads);
    Waiter waiter;
    std::shared_ptr<Responder> out;
    std::string asked;
    serve(
        [&](Request r, std::shared_ptr<Responder> responder) {
          responder->begin(200, {});
          waiter.change([&] { asked = r.path + "?" + r.query, out = responder; });
        },
        threads);
    std::vector<WatchEvent> events;
    std::optional<Status> end;
    WatchOptions o;
    o.ns = "ns";
    o.revision = 5;
    o.fieldSelector = "spec.nodeName=n";
    auto watch = client->watch(
        *pods, o,
        [&](std::vector<WatchEvent> batch) {
          waiter.change([&] { events.insert(events.end(), batch.begin(), batch.end()); });
        },
        [&](Status why) { waiter.change([&] { end = why; }); });
    QVERIFY(waiter.until([&] { return out != nullptr; }));
    QCOMPARE(asked,
             std::string("/api/v1/namespaces/ns/pods?watch=true&allowWatchBookmarks=true&resourceVersion=5&"
                         "fieldSelector=spec.nodeName%3Dn"));
    for (int i = 0; i < 1000; ++i)
      out->write(
          net::makeBuffer(json("{'type':'ADDED','object':") + pod("p" + std::to_string(i), i + 1) + "}\n"));
    QVERIFY(waiter.until([&] { return events.size() == 1000; }));
    for (int i = 0; i < 1000; ++i) QCOMPARE(events[size_t(i)].revision, int64_t(i + 1));
    out->write(
        net::makeBuffer(json("{'type':'ERROR','object':{'kind':'Status','code':410,'reason':'Expired',"
                             "'message':'too old'}}\n")));
    out->end();
    QVERIFY(waiter.until([&] { return end.has_value(); }));
    QCOMPARE(end->code, 410);
    QCOMPARE(end->reason, std::string("Expired"));
  }
  void watchEnds() {
    std::atomic<int> mode{0};
    serve([&](Request, std::shared_ptr<Responder> responder) {
      if (mode == 0)
        return responder->send(answer(403, json("{'kind':'Status','reason':'Forbidden','message':'no'}")));
      responder->begin(200, {});
      responder->end();
    });
    for (mode = 0; mode < 2; ++mode) {
      Waiter waiter;
      std::optional<Status> end;
      auto watch = client->watch(
          *pods, {}, [](auto) {}, [&](Status why) { waiter.change([&] { end = why; }); });
      QVERIFY(waiter.until([&] { return end.has_value(); }));
      QCOMPARE(end->code, mode == 0 ? 403 : 503);
    }
  }
  void droppedWatchEndsAtTheServer() {
    Waiter waiter;
    bool begun = false, closed = false, ended = false;
    serve([&](Request, std::shared_ptr<Responder> responder) {
      responder->onClose([&] { waiter.change([&] { closed = true; }); });
      responder->begin(200, {});
      waiter.change([&] { begun = true; });
    });
    auto watch = client->watch(
        *pods, {}, [](auto) {}, [&](Status) { waiter.change([&] { ended = true; }); });
    QVERIFY(waiter.until([&] { return begun; }));
    watch.reset();
    QVERIFY(waiter.until([&] { return closed; }));
    QVERIFY(!waiter.read([&] { return ended; }));
  }
  void rawRequests() {
    serve([](Request r, std::shared_ptr<Responder> out) {
      if (r.path == "/stream") {
        out->begin(200, {});
        out->write(net::makeBuffer("one "));
        out->write(net::makeBuffer("two"));
        return out->end();
      }
      if (r.path == "/bad")
        return out->send(answer(404, json("{'kind':'Status','reason':'NotFound','message':'m'}")));
      out->send(answer(200, r.method + " " + r.path + "?" + r.query + " " + r.body + " " +
                                std::string(r.headers.get("content-type"))));
    });
    std::shared_ptr<void> handle;
    auto whole = wait<std::string>(
        [&](auto done) { handle = client->raw("PUT", "/x/y?a=b", "body", "text/x", nullptr, done); });
    QCOMPARE(*whole, std::string("PUT /x/y?a=b body text/x"));
    std::string pieces;
    auto streamed = wait<std::string>([&](auto done) {
      handle = client->raw(
          "GET", "/stream", "", "", [&](std::string_view data) { pieces += data; }, done);
    });
    QVERIFY(streamed.ok() && streamed->empty());
    QCOMPARE(pieces, std::string("one two"));
    auto bad = wait<std::string>([&](auto done) {
      handle = client->raw(
          "GET", "/bad", "", "", [&](std::string_view data) { pieces += data; }, done);
    });
    QCOMPARE(bad.status().reason, std::string("NotFound"));
    QCOMPARE(pieces, std::string("one two"));
  }
  void nothingComesAfterTheClientIsGone() {
    Waiter waiter;
    std::shared_ptr<Responder> out;
    serve([&](Request, std::shared_ptr<Responder> responder) { waiter.change([&] { out = responder; }); });
    auto called = std::make_shared<std::atomic<bool>>(false);
    client->get(*pods, "ns", "a", [called](auto) { *called = true; });
    QVERIFY(waiter.until([&] { return out != nullptr; }));
    client.reset();
    bool closed = false;
    out->onClose([&] { waiter.change([&] { closed = true; }); });
    QVERIFY(waiter.until([&] { return closed; }));
    QVERIFY(!*called);
    QTRY_COMPARE(called.use_count(), 1L);
  }
  void kubeconfigRoundTrip() {
    auto& c = certificates();
    auto text = makeKubeconfig("https://127.0.0.1:6443", c.ca.certPem, c.client.certPem, c.client.keyPem);
    auto parsed = parseKubeconfig(text);
    QVERIFY2(parsed.ok(), parsed.ok() ? "" : parsed.status().message.c_str());
    QCOMPARE(parsed->server, std::string("https://127.0.0.1:6443"));
    QCOMPARE(parsed->caPem, c.ca.certPem);
    QCOMPARE(parsed->certPem, c.client.certPem);
    QCOMPARE(parsed->keyPem, c.client.keyPem);
    auto options = clientOptions(*parsed);
    QVERIFY(options.ok());
    QCOMPARE(options->http.endpoint, std::string("127.0.0.1:6443"));
    QVERIFY(options->http.tls.has_value());
    QVERIFY(options->pathPrefix.empty());
  }
  void kubeconfigForms() {
    QTemporaryDir dir;
    std::string folder = dir.path().toStdString();
    QFile ca(dir.filePath("ca.pem")), token(dir.filePath("token"));
    QVERIFY(ca.open(QIODevice::WriteOnly) && token.open(QIODevice::WriteOnly));
    ca.write("CA");
    token.write("tok\n");
    ca.close();
    token.close();
    std::string text =
        "current-context: two\n"
        "clusters:\n- {name: c1, cluster: {server: 'http://h:1'}}\n"
        "- {name: c2, cluster: {server: 'https://host/prefix/', certificate-authority: ca.pem, "
        "tls-server-name: node}}\n"
        "users:\n- {name: u1, user: {exec: {command: x}}}\n- {name: u2, user: {tokenFile: token}}\n"
        "contexts:\n- {name: one, context: {cluster: c1, user: u1}}\n"
        "- {name: two, context: {cluster: c2, user: u2, namespace: dev}}\n"
        "- {name: three, context: {cluster: c1}}\n- {name: four, context: {cluster: none}}\n";
    QFile file(dir.filePath("config"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(text.c_str());
    file.close();
    auto two = loadKubeconfig(folder + "/config");
    QVERIFY2(two.ok(), two.ok() ? "" : two.status().message.c_str());
    QCOMPARE(two->caPem, std::string("CA"));
    QCOMPARE(two->token, std::string("tok"));
    QCOMPARE(two->ns, std::string("dev"));
    auto options = *clientOptions(*two);
    QCOMPARE(options.http.endpoint, std::string("host:443"));
    QCOMPARE(options.pathPrefix, std::string("/prefix"));
    QCOMPARE(options.http.tls->serverName, std::string("node"));
    auto one = parseKubeconfig(text, folder, "one");
    QVERIFY(!one.ok() && one.status().message.find("plugin") != std::string::npos);
    auto three = parseKubeconfig(text, folder, "three");
    QVERIFY(three.ok());
    QVERIFY(!clientOptions(*three)->http.tls.has_value());
    QVERIFY(!parseKubeconfig(text, folder, "four").ok());
    QVERIFY(!parseKubeconfig(text, folder, "five").ok());
    QVERIFY(!parseKubeconfig("[]").ok());
    QVERIFY(!parseKubeconfig("a: [").ok());
    QVERIFY(!loadKubeconfig(folder + "/none").ok());
  }
};

QTEST_GUILESS_MAIN(HttpClientTest)
#include "http_client_test.moc"
