#include "tests/ui/sample.h"

namespace ph::sample {

using namespace models;

NodeFacts node(const QString& name, const QString& zone, const QString& arch, int cores, int gib) {
  NodeFacts n;
  n.key = n.name = name;
  n.ready = true;
  n.zone = zone;
  n.arch = arch;
  n.os = QStringLiteral("Debian GNU/Linux 12");
  n.kernel = QStringLiteral("6.1.0-18");
  n.runtime = QStringLiteral("containerd://1.6.20");
  n.version = QStringLiteral("v1.28.0-pilothouse");
  n.cpu = n.cpuAllocatable = cores * 1000;
  n.memory = n.memoryAllocatable = int64_t(gib) << 30;
  n.podsAllocatable = 110;
  n.created = now() - 86400000;
  n.readySince = now() - 3600000;
  n.heardAt = now() - 2000;
  n.address = QStringLiteral("10.20.0.%1").arg(10 + qHash(name, 0) % 200);
  n.podCidr = QStringLiteral("10.244.%1.0/24").arg(qHash(name, 1) % 250);
  if (!zone.isEmpty()) n.labels = {{QStringLiteral("topology.kubernetes.io/zone"), zone}};
  return n;
}

PodFacts pod(const QString& ns, const QString& app, const QString& suffix, const QString& node,
             PodState state, const QString& image, int64_t ago) {
  PodFacts p;
  p.ns = ns;
  p.name = app + '-' + suffix;
  p.key = ns + '/' + p.name;
  p.node = node;
  p.app = appKey(QStringLiteral("Deployment"), ns, app);
  p.state = state;
  p.created = p.started = now() - ago;
  p.phase = state == PodState::Ready ? QStringLiteral("Running") : QStringLiteral("Pending");
  if (!node.isEmpty() && state != PodState::Starting)
    p.address = QStringLiteral("10.244.%1.%2").arg(qHash(node, 1) % 250).arg(qHash(p.name, 2) % 250);
  p.cpuRequest = 250;
  p.memoryRequest = 256ll << 20;
  p.labels = {{QStringLiteral("app"), app}};
  ContainerFacts c;
  c.name = app.section('-', -1);
  c.image = image;
  c.ready = state == PodState::Ready;
  c.state = state == PodState::Ready || state == PodState::Leaving ? QStringLiteral("running")
                                                                   : QStringLiteral("waiting");
  if (state == PodState::Starting) c.reason = QStringLiteral("ContainerCreating");
  c.ports = QStringList{QStringLiteral("8080/TCP")};
  if (state == PodState::Failing) {
    c.reason = QStringLiteral("CrashLoopBackOff");
    c.exitCode = 1;
    c.restarts = p.restarts = 3;
    c.lastExitAt = now() - 500;
  }
  p.containers.push_back(c);
  return p;
}

WorkloadFacts app(const QString& ns, const QString& name, int wanted, int ready, const QString& image,
                  int64_t ago) {
  WorkloadFacts w;
  w.ns = ns;
  w.name = name;
  w.kind = QStringLiteral("Deployment");
  w.key = appKey(w.kind, ns, name);
  w.wanted = w.total = w.updated = w.available = wanted;
  w.ready = ready;
  w.images = QStringList{image};
  w.revision = 7;
  w.created = now() - ago;
  w.cpuRequest = 250;
  w.memoryRequest = 256ll << 20;
  w.selector = {{QStringLiteral("app"), name}};
  return w;
}

namespace {

MachineFacts machineOf(const NodeFacts& n) {
  MachineFacts m;
  m.key = m.name = m.node = n.name;
  m.address = n.address;
  m.user = QStringLiteral("pi");
  m.phase = QStringLiteral("Ready");
  m.zone = n.zone;
  m.trustedHostKey = m.seenHostKey = QStringLiteral("SHA256:Yk2bq0V5o3m8Hn1pXw7c4rT9uJ6sLdE0fGzAaQiNvKM");
  m.seenHostKeyType = QStringLiteral("ssh-ed25519");
  m.created = n.created;
  m.joinStarted = n.created;
  m.joinFinished = n.created + 2600;
  return m;
}

struct Lot {
  const char* node;
  const char* zone;
  const char* arch;
  int cores, gib;
  const char* pods;  // one letter a pod: w a d m t of the applications; upper case: starting; '!' behind:
                     // failing; '-': leaving
  double cpu, memory;
};

}  // namespace

void fleet(Session& s) {
  s.state.apply(fleetDiff(s));
  s.state.setLink(Link::Live);
}

Diff fleetDiff(Session& s) {
  s.state.setClock([] { return now(); });
  s.setPlace({QStringLiteral("lab-bench-3"), QStringLiteral("https://127.0.0.1:6443"),
              QStringLiteral("/home/mara/.local/share/pilothouse/lab-bench-3/admin.kubeconfig"),
              QStringLiteral("/home/mara/.local/share/pilothouse/lab-bench-3"), true});
  static const Lot lots[] = {{"kepler", "bench", "amd64", 8, 16, "ddwwwwtttaam", 0.46, 0.58},
                             {"curie", "bench", "amd64", 8, 16, "wwwwtammmWW", 0.38, 0.41},
                             {"noether", "bench", "amd64", 16, 32, "dwwwwwtttttaaaamm", 0.71, 0.64},
                             {"gauss", "bench", "amd64", 4, 8, "dwtttam!", 0.88, 0.79},
                             {"pi-1", "shelf", "arm64", 4, 8, "wtta", 0.22, 0.35},
                             {"pi-2", "shelf", "arm64", 4, 8, "dwwtt", 0.31, 0.44},
                             {"pi-3", "shelf", "arm64", 4, 8, "wtam", 0, 0},
                             {"pi-4", "shelf", "arm64", 4, 8, "tmWW", 0.18, 0.29}};
  static const QHash<QChar, QPair<QString, QString>> names{{'w', {"shop-web", "shop/web:2.4"}},
                                                           {'a', {"shop-api", "shop/api:1.9"}},
                                                           {'d', {"orders-db", "postgres:15"}},
                                                           {'m', {"mailer", "shop/mailer:0.8"}},
                                                           {'t', {"metrics", "prom/node:1.7"}}};
  const QString ns = QStringLiteral("default");
  Diff d;
  QHash<QString, QPair<int, int>> counts;
  static const char* letters = "bcdfghjklmnpqrstvwxz2456789";
  for (auto& lot : lots) {
    auto n = node(lot.node, lot.zone, lot.arch, lot.cores, lot.gib);
    if (QLatin1String(lot.node) == QLatin1String("pi-3")) {
      n.ready = n.known = false;
      n.readySince = now() - 4000;
      n.message = QStringLiteral("The agent stopped sending status");
    } else {
      s.load.put(n.name, {int64_t(lot.cpu * double(n.cpu)), int64_t(lot.memory * double(n.memory)), now()});
    }
    d.machines.put.push_back(machineOf(n));
    d.nodes.put.push_back(n);
    for (const char* c = lot.pods; *c; ++c) {
      const auto& [name, image] = names[QChar(*c).toLower()];
      const bool failing = c[1] == '!';
      const PodState state = failing               ? PodState::Failing
                             : QChar(*c).isUpper() ? PodState::Starting
                                                   : PodState::Ready;
      const uint h = uint(qHash(name, counts[name].first * 7919u + 17));
      QString suffix = QStringLiteral("7c9f4-");
      for (int i = 0; i < 5; ++i) suffix += QLatin1Char(letters[(h >> (i * 5)) % 27]);
      ++counts[name].first;
      if (state == PodState::Ready && n.ready) ++counts[name].second;
      d.pods.put.push_back(pod(ns, name, suffix, lot.node, state, image, 600000 + counts[name].first * 1000));
      if (failing) ++c;
    }
  }
  int64_t age = 900000000;
  for (QChar c : QStringLiteral("wadmt")) {
    const auto& [name, image] = names[c];
    auto w = app(ns, name, counts[name].first, counts[name].second, image, age);
    age -= 60000;
    d.workloads.put.push_back(w);
  }
  ServiceFacts svc;
  svc.ns = ns;
  svc.name = QStringLiteral("shop-web");
  svc.key = ns + QStringLiteral("/shop-web");
  svc.clusterIp = QStringLiteral("10.96.0.17");
  svc.ports.push_back({{}, QStringLiteral("TCP"), QStringLiteral("8080"), 80});
  svc.selector = {{QStringLiteral("app"), QStringLiteral("shop-web")}};
  svc.created = now() - 900000000;
  d.services.put.push_back(svc);
  return d;
}

void applications(Session& s, AppMapModel& map) {
  using Kind = AppPart::Kind;
  Diff d = fleetDiff(s);
  auto service = [&](const QString& ns, const QString& name, const QString& app, int port, const QString& type = QStringLiteral("ClusterIP")) {
    ServiceFacts f;
    f.ns = ns;
    f.name = name;
    f.key = ns + '/' + name;
    f.type = type;
    f.ports.push_back({{}, QStringLiteral("TCP"), QString::number(port), port});
    f.selector = {{QStringLiteral("app"), app}};
    d.services.put.push_back(f);
  };
  service("default", "shop-api", "shop-api", 8080);
  service("default", "orders-db", "orders-db", 5432);
  service("default", "mailer", "mailer-old", 25);
  service("school", "notebook", "notebook", 8888, "NodePort");
  for (int i = 0; i < 3; ++i)
    d.pods.put.push_back(pod("default", "shop-web", QStringLiteral("9d2aa-%1x7kq").arg(i), "curie", i ? PodState::Starting : PodState::Ready, "shop/web:2.5", 4000));
  for (auto& w : d.workloads.put) {
    if (w.name == u"shop-web") w.updated = 3;
  }
  // A course: twelve notebooks that keep their names, an exporter on each machine, and a job.
  for (int i = 0; i < 12; ++i) {
    auto p = pod("school", "notebook", QString::number(i), i % 2 ? "noether" : "kepler", i == 11 ? PodState::Waiting : PodState::Ready, "jupyter/scipy:7", 90000);
    p.app = appKey("StatefulSet", "school", "notebook");
    d.pods.put.push_back(p);
  }
  for (auto* place : {"kepler", "curie", "noether", "gauss", "pi-1", "pi-2", "pi-4"}) {
    auto p = pod("school", "exporter", place, place, PodState::Ready, "prom/node:1.7", 90000);
    p.app = appKey("DaemonSet", "school", "exporter");
    d.pods.put.push_back(p);
  }
  auto grade = pod("school", "grade-week-7", "r4nd0", "gauss", PodState::Starting, "school/grade:3", 9000);
  grade.app = appKey("Job", "school", "grade-week-7");
  d.pods.put.push_back(grade);
  s.state.apply(std::move(d));
  s.state.setLink(Link::Live);
  std::vector<AppChange> parts;
  auto put = [&](Kind kind, const QString& ns, const QString& name) -> AppPart& {
    AppPart p{};
    p.kind = kind;
    p.ns = ns;
    p.name = name;
    return parts.emplace_back(AppChange{p, false}).part;
  };
  auto set = [&](const QString& app, const char* hash, int wanted, int revision) {
    auto& p = put(Kind::ReplicaSet, "default", app + '-' + hash);
    p.ownerKind = "Deployment";
    p.ownerName = app;
    p.wanted = wanted;
    p.revision = revision;
  };
  set("shop-web", "7c9f4", 19, 7);
  set("shop-web", "9d2aa", 3, 8);
  for (auto [app, wanted] : {std::pair("shop-api", 10), std::pair("orders-db", 5), std::pair("mailer", 9), std::pair("metrics", 18)})
    set(app, "7c9f4", wanted, 7);
  auto& shop = put(Kind::Ingress, "default", "shop");
  shop.routes = {{"shop.lab/", "shop-web"}, {"shop.lab/api", "shop-api"}};
  auto& notebook = put(Kind::StatefulSet, "school", "notebook");
  notebook.wanted = 12;
  notebook.labels = {{"app", "notebook"}};
  notebook.uses = {{"ConfigMap", "notebook-settings", "volume", false}, {"Secret", "course-key", "variables", false},
                   {"PersistentVolumeClaim", "homes", "volume", false}, {"Secret", "guest-key", "variables", true}};
  auto& exporter = put(Kind::DaemonSet, "school", "exporter");
  exporter.wanted = 7;
  auto& job = put(Kind::Job, "school", "grade-week-7");
  job.wanted = 1;
  job.uses = {{"ConfigMap", "week-7", "volume", false}, {"Secret", "course-key", "variables", false}};
  put(Kind::ConfigMap, "school", "notebook-settings");
  put(Kind::Secret, "school", "course-key");
  put(Kind::Claim, "school", "homes").phase = "Bound";
  map.apply(parts);
  for (int kind = 0; kind < AppPart::kKinds; ++kind) map.setListed(Kind(kind), AppMapModel::Listed::Yes);
}

void fleetNames(Session& s, bool chinese) {
  s.state.setClock([] { return now(); });
  s.setPlace({chinese ? QStringLiteral("三号实验室集群")
                      : QStringLiteral("department-of-computational-physics-teaching-laboratory-cluster-3"),
              QStringLiteral("https://127.0.0.1:6443"),
              {},
              {},
              true});
  Diff d;
  for (int i = 0; i < 5; ++i) {
    const QString name =
        chinese ? QStringList{"开普勒", "居里夫人", "诺特", "高斯", "树莓派一号"}[i]
                : QStringLiteral("physics-building-basement-rack-%1-workstation-number-%2.lab.example")
                      .arg(i % 2 + 1)
                      .arg(100 + i);
    auto n = node(name,
                  chinese ? QStringLiteral("实验台")
                          : QStringLiteral("physics-building-basement-with-a-long-zone-name"),
                  QStringLiteral("amd64"), 8, 16);
    n.cordoned = i == 3;
    d.nodes.put.push_back(n);
    for (int p = 0; p < 9; ++p) {
      const QString app =
          chinese
              ? QStringList{"商店网页", "订单数据库", "邮件"}[p % 3]
              : QStringLiteral("extraordinarily-long-application-name-for-the-shop-frontend-%1").arg(p % 3);
      d.pods.put.push_back(pod(QStringLiteral("default"), app, QStringLiteral("7c9f4-%1%2").arg(i).arg(p),
                               name,
                               p == 4 && i == 1 ? PodState::Failing
                               : p == 8         ? PodState::Leaving
                                                : PodState::Ready,
                               QStringLiteral("registry.example/shop/web:2.4")));
    }
  }
  for (int a = 0; a < 3; ++a) {
    const QString app =
        chinese ? QStringList{"商店网页", "订单数据库", "邮件"}[a]
                : QStringLiteral("extraordinarily-long-application-name-for-the-shop-frontend-%1").arg(a);
    d.workloads.put.push_back(ph::sample::app(
        QStringLiteral("default"), app, 15, 14,
        QStringLiteral("registry.example/a/very/long/path/to/the/image/of/the/shop/web:2.4-rc1"),
        100000 - a));
  }
  s.state.apply(std::move(d));
  s.state.setLink(Link::Live);
}

void many(Session& s, int machines, int podsEach) {
  s.state.setClock([] { return now(); });
  s.setPlace({QStringLiteral("campus"), QStringLiteral("https://127.0.0.1:6443"), {}, {}, true});
  Diff d;
  constexpr int kApps = 12;
  int wanted[kApps] = {}, ready[kApps] = {};
  for (int i = 0; i < machines; ++i) {
    const QString name = QStringLiteral("node-%1").arg(i);
    auto n = node(name, QStringLiteral("zone-%1").arg(QChar('a' + i * 4 / machines)), QStringLiteral("amd64"),
                  16, 64);
    if (i % 97 == 13) {
      n.ready = n.known = false;
      n.readySince = now() - 60000;
    }
    s.load.put(name, {int64_t(double(n.cpu) * (0.1 + double(qHash(i, 3) % 85) / 100)),
                      int64_t(double(n.memory) * 0.4), now()});
    d.nodes.put.push_back(n);
    for (int p = 0; p < podsEach; ++p) {
      const int app = (p * 5 + i) % kApps;
      const bool failing = p == 3 && i % 50 == 7;
      ++wanted[app];
      ready[app] += !failing;
      d.pods.put.push_back(pod(QStringLiteral("default"), QStringLiteral("service-%1").arg(app), QStringLiteral("7c9f4-%1x%2").arg(i).arg(p), name,
                               failing ? PodState::Failing : PodState::Ready, QStringLiteral("img:1")));
    }
  }
  for (int a = 0; a < kApps; ++a)
    d.workloads.put.push_back(app(QStringLiteral("default"), QStringLiteral("service-%1").arg(a), wanted[a], ready[a], QStringLiteral("img:1"), 1000000 - a));
  s.state.apply(std::move(d));
  s.state.setLink(Link::Live);
}

}  // namespace ph::sample
