// Pictures of every view, dark and light, at 1x and 2x, with realistic data, for people to look at. What needs a real
// engine for that is pictured by the flows. Fails when a view can't be drawn, or a picture is all of one color.
#include <QTest>

#include "tests/ui/pictures.h"
#include "tests/ui/sample.h"
#include "ui/appmap/app_map_page.h"
#include "ui/dialogs/add_machine_dialog.h"
#include "ui/dialogs/ask.h"
#include "ui/dialogs/deploy_dialog.h"
#include "ui/shell/command_palette.h"
#include "ui/shell/main_window.h"
#include "ui/theme/translations.h"
#include "ui/views/table_pages.h"

using namespace ph;
using namespace ph::ui;
using models::Subject;

class PicturesTest : public QObject {
  Q_OBJECT

  void save(QWidget& w, const QString& name) {
    const QString problem = test::savePictures(w, name);
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
  }

  static QString appNamed(const char* name) {
    return models::appKey(QStringLiteral("Deployment"), QStringLiteral("default"), QLatin1String(name));
  }

  // The fleet of the look, with what has just happened to it.
  static void tell(models::Session& s) {
    auto d = sample::fleetDiff(s);
    static int64_t at;
    s.state.setClock([] { return at; });
    at = sample::now() - 600000;
    models::MachineFacts noetherMachine;
    models::NodeFacts noether, lost;
    models::PodFacts mailer;
    models::WorkloadFacts web;
    for (auto& m : d.machines.put) {
      if (m.name == u"noether") noetherMachine = m;
    }
    std::erase_if(d.machines.put, [](auto& m) { return m.name == u"noether"; });
    for (auto& n : d.nodes.put) {
      if (n.name == u"noether") noether = n;
      if (n.name != u"pi-3") continue;
      lost = n;
      n.ready = n.known = true;
      n.readySince = at;
    }
    std::erase_if(d.nodes.put, [](auto& n) { return n.name == u"noether"; });
    for (auto& p : d.pods.put) {
      if (p.state != models::PodState::Failing) continue;
      mailer = p;
      p.state = models::PodState::Starting;
    }
    for (auto& w : d.workloads.put) {
      if (w.name != u"shop-web") continue;
      web = w;
      w.images = QStringList{"shop/web:2.3"};
    }
    s.state.apply(std::move(d));
    s.state.setLink(models::Link::Live);
    auto step = [&](int secondsAgo, models::Diff diff) {
      at = sample::now() - secondsAgo * 1000;
      s.state.apply(std::move(diff));
    };
    auto joining = noetherMachine;
    joining.phase = "Joining";
    models::Diff a, b, c, e, f, g;
    a.machines.put = {joining};
    step(210, a);
    b.machines.put = {noetherMachine};
    b.nodes.put = {noether};
    step(208, b);
    c.pods.put = {mailer};
    step(45, c);
    e.workloads.put = {web};
    step(23, e);
    f.nodes.put = {lost};
    step(4, f);
    int i = 0;
    for (auto* place : {"pi-4", "pi-4", "curie", "curie"}) {
      static const char* apps[] = {"shop-web", "metrics", "shop-api", "mailer"};
      auto p = sample::pod("default", apps[i], QString("7c9f4-n%1w2x").arg(i), place,
                           models::PodState::Starting, "shop/web:2.4", 0);
      p.created = at + 500;
      g.pods.put.push_back(p);
      ++i;
    }
    step(1, g);
    at = sample::now();
  }

  // An answer of the API, as text.
  static Result<boost::json::value> answer(const std::string& status) {
    return boost::json::parse("{\"status\":" + status + "}");
  }

  // The ten steps of a pod that runs and of one that starts, why a pod is where it is, and why one waits.
  void insight(models::Session& s, MainWindow& window) {
    QString running, starting;
    for (auto& [key, p] : s.state.pods()) {
      if (p.node == u"curie" && p.name.startsWith("shop-web")) (p.state == models::PodState::Ready ? running : starting) = key;
    }
    window.select({Subject::Kind::Pod, running});
    window.inspector()->open(Inspector::Page::Steps);
    static const char* names[] = {"Request", "Stored", "Controller", "PodMade", "Scheduled",
                                  "Bound",   "Agent",  "Container",  "Started", "InService"};
    static const double at[] = {0, 3.1, 5.4, 7.2, 8.1, 10.4, 13.0, 210, 256, 412};
    auto timeline = [&](int steps, int64_t begin) {
      std::string list;
      for (int i = 0; i < steps; ++i) {
        const QString when = QDateTime::fromMSecsSinceEpoch(begin + int64_t(at[i])).toUTC().toString("yyyy-MM-ddTHH:mm:ss.zzzZ");
        list += (i ? "," : "") + std::string("{\"name\":\"") + names[i] + "\",\"milliseconds\":" + std::to_string(at[i]) +
                ",\"time\":\"" + when.toStdString() + "\"}";
      }
      return answer("{\"cause\":\"Deployment shop-web changed\",\"node\":\"curie\",\"steps\":[" + list + "]}");
    };
    window.inspector()->stepsPage()->model()->read(timeline(10, sample::now() - 90000));
    save(window, "steps");
    window.select({Subject::Kind::Pod, starting});
    QTest::qWait(80);
    window.inspector()->stepsPage()->model()->read(timeline(7, sample::now() - 1840));
    save(window, "steps-live");

    window.select({Subject::Kind::Pod, running});
    window.inspector()->open(Inspector::Page::WhyHere);
    QTest::qWait(80);
    window.inspector()->decisionPage()->model()->read(answer("{\"node\":\"curie\",\"nodes\":8,\"feasible\":5,"
        "\"filters\":[\"NodeUnschedulable\",\"TaintToleration\",\"NodeResourcesFit\"],"
        "\"scorers\":[\"NodeResourcesFit\",\"NodeResourcesBalancedAllocation\",\"DefaultSpread\",\"ImageLocality\"],\"rows\":["
        "{\"node\":\"curie\",\"total\":341,\"scores\":{\"NodeResourcesFit\":62,\"NodeResourcesBalancedAllocation\":98,\"DefaultSpread\":100,\"ImageLocality\":81}},"
        "{\"node\":\"pi-1\",\"total\":322,\"scores\":{\"NodeResourcesFit\":71,\"NodeResourcesBalancedAllocation\":93,\"DefaultSpread\":100,\"ImageLocality\":58}},"
        "{\"node\":\"pi-4\",\"total\":289,\"scores\":{\"NodeResourcesFit\":74,\"NodeResourcesBalancedAllocation\":94,\"DefaultSpread\":40,\"ImageLocality\":81}},"
        "{\"node\":\"kepler\",\"total\":208,\"scores\":{\"NodeResourcesFit\":47,\"NodeResourcesBalancedAllocation\":94,\"DefaultSpread\":0,\"ImageLocality\":67}},"
        "{\"node\":\"noether\",\"total\":195,\"scores\":{\"NodeResourcesFit\":32,\"NodeResourcesBalancedAllocation\":96,\"DefaultSpread\":0,\"ImageLocality\":67}},"
        "{\"node\":\"gauss\",\"refusals\":{\"NodeResourcesFit\":\"Insufficient cpu\"}},"
        "{\"node\":\"pi-2\",\"refusals\":{\"NodeUnschedulable\":\"node(s) were unschedulable\"}},"
        "{\"node\":\"pi-3\",\"refusals\":{\"TaintToleration\":\"node(s) had untolerated taint node.kubernetes.io/unreachable\",\"NodeResourcesFit\":\"Insufficient memory\"}}]}"));
    window.inspector()->decisionPage()->matrix()->setCurrent(1);
    save(window, "why-here");

    models::Diff d;
    auto late = sample::pod("default", "trainer", "5d1aa-g7k2m", {}, models::PodState::Waiting, "lab/trainer:3", 40000);
    late.message = "0/8 nodes are available: 8 Insufficient cpu.";
    d.pods.put.push_back(late);
    d.workloads.put.push_back(sample::app("default", "trainer", 1, 0, "lab/trainer:3", 41000));
    s.state.apply(std::move(d));
    window.select({Subject::Kind::Pod, late.key});
    QTest::qWait(80);
    std::string rows;
    for (auto* node : {"noether", "curie", "kepler", "gauss", "pi-1", "pi-2", "pi-4", "pi-3"})
      rows += (rows.empty() ? "" : ",") + std::string("{\"node\":\"") + node +
              "\",\"refusals\":{\"NodeResourcesFit\":\"Insufficient cpu\"}}";
    window.inspector()->decisionPage()->model()->read(
        answer("{\"nodes\":8,\"feasible\":0,\"filters\":[\"NodeUnschedulable\",\"TaintToleration\",\"NodeResourcesFit\"],\"rows\":[" + rows +
               "],\"remedy\":\"ask for at most 16 of cpu (noether has no more)\"}"));
    save(window, "why-pending");
    models::Diff gone;
    gone.pods.gone = {late.key};
    gone.workloads.gone = {models::appKey("Deployment", "default", "trainer")};
    s.state.apply(std::move(gone));
    window.select({Subject::Kind::Pod, running});
  }

 private slots:
  void initTestCase() {
    installTranslations(*qApp);
    Theme::get().setMotion(false);
  }

  void fleet() {
    models::Session s;
    tell(s);
    MainWindow window(&s);
    window.show();
    save(window, "fleet");

    window.select({Subject::Kind::Machine, "curie"});
    save(window, "machine");

    window.select({Subject::Kind::App, appNamed("shop-web")});
    s.scale.hold(appNamed("shop-web"), s.state.workload(appNamed("shop-web"))->wanted + 3);
    save(window, "scale");
    s.scale.cancel();

    QString failing;
    for (auto& [key, p] : s.state.pods()) {
      if (p.state == models::PodState::Failing) failing = key;
    }
    window.select({Subject::Kind::Pod, failing});
    save(window, "pod");
    window.inspector()->open(Inspector::Page::Logs);
    window.inspector()->logPage()->model()->add(
        0,
        {"mailer 0.8 starting", "connecting to smtp.example:587", "error: connection refused (os error 111)",
         "giving up after 3 tries: the address answers, but nobody listens on port 587 there", "exit 1"});
    save(window, "logs");
    models::Diff f;
    auto event = [&](const char* reason, const char* message, bool warning, int count, int ago) {
      models::EventFacts ev;
      ev.ns = ev.objectNs = "default";
      ev.name = QString("e-%1").arg(reason);
      ev.key = ev.ns + '/' + ev.name;
      ev.kind = "Pod";
      ev.objectName = failing.section('/', 1);
      ev.reason = reason;
      ev.message = message;
      ev.warning = warning;
      ev.count = count;
      ev.last = ev.first = sample::now() - ago;
      f.events.put.push_back(ev);
    };
    event("Scheduled", "Successfully assigned default/mailer to gauss", false, 1, 90000);
    event("Pulled", "Container image \"shop/mailer:0.8\" already present on machine", false, 4, 30000);
    event("BackOff", "Back-off restarting failed container mailer in pod", true, 6, 5000);
    s.state.apply(std::move(f));
    window.inspector()->open(Inspector::Page::Events);
    save(window, "events");
    insight(s, window);
    window.inspector()->open(Inspector::Page::Overview);

    window.select({});
    window.fleet()->map()->dive(s.map.cardIndex("noether"));
    save(window, "near");
    window.fleet()->map()->zoomBy(2.2, QPointF(window.fleet()->map()->rect().center()), false);
    save(window, "close");
    window.fleet()->map()->fit();
    window.fleet()->filter()->setText("web bench");
    save(window, "filter");
    window.fleet()->filter()->clear();
    window.open(MainWindow::Apps);
    save(window, "apps");
    window.open(MainWindow::Tables);
    save(window, "tables-empty");
    window.open(MainWindow::Setup);
    save(window, "setup");
    window.resize(1000, 640);
    window.open(MainWindow::Fleet);
    save(window, "small");
  }

  void applications() {
    models::Session s;
    MainWindow window(&s);
    window.show();
    sample::applications(s, *window.appMap()->model());
    window.open(MainWindow::AppMap);
    QTest::qWait(2 * models::AppMapModel::kFrameMs);
    auto* map = window.appMap()->map();
    QVERIFY(!map->cardRect(appNamed("shop-web")).isEmpty());
    save(window, "appmap");
    window.select({Subject::Kind::Object, models::ObjectRef{"", "v1", "Secret", "secrets", "school", "course-key"}.key()});
    map->dive(models::appKey("StatefulSet", "school", "notebook"));
    save(window, "appmap-near");
    map->fit();
    window.appMap()->filter()->setText("school");
    save(window, "appmap-filter");
    window.appMap()->filter()->clear();
    window.resize(1000, 640);
    save(window, "appmap-small");
  }

  void applicationsMany() {
    models::Session s;
    sample::many(s, 1000, 30);
    MainWindow window(&s);
    window.show();
    window.open(MainWindow::AppMap);
    save(window, "appmap-many");
    window.appMap()->map()->zoomBy(2.5);
    save(window, "appmap-many-nearer");
  }

  void applicationsEmpty() {
    models::Session s;
    s.setPlace({QStringLiteral("my-cluster"), QStringLiteral("https://127.0.0.1:6443"), {}, {}, true});
    MainWindow window(&s);
    window.show();
    window.open(MainWindow::AppMap);
    save(window, "appmap-loading");
    s.state.setLink(models::Link::Live);
    save(window, "appmap-empty");
    s.state.setLink(models::Link::Offline, "connection refused");
    save(window, "appmap-offline");
  }

  void empty() {
    models::Session s;
    s.state.setLink(models::Link::Live);
    s.setPlace({QStringLiteral("my-cluster"), QStringLiteral("https://127.0.0.1:6443"), {}, {}, true});
    MainWindow window(&s);
    window.show();
    save(window, "empty");
  }

  void offline() {
    models::Session s;
    sample::fleet(s);
    s.state.setLink(models::Link::Offline, "connection refused");
    MainWindow window(&s);
    window.show();
    save(window, "offline");
  }

  void names_data() {
    QTest::addColumn<bool>("chinese");
    QTest::newRow("long-names") << false;
    QTest::newRow("chinese-names") << true;
  }
  void names() {
    QFETCH(bool, chinese);
    models::Session s;
    sample::fleetNames(s, chinese);
    MainWindow window(&s);
    window.show();
    window.select({Subject::Kind::App, s.map.apps()[0].key});
    save(window, QTest::currentDataTag());
    window.open(MainWindow::AppMap);
    save(window, QStringLiteral("appmap-") + QTest::currentDataTag());
  }

  void thousand() {
    models::Session s;
    sample::many(s, 1000, 30);
    MainWindow window(&s);
    window.show();
    save(window, "thousand");
    window.fleet()->map()->zoomBy(3.2, QPointF(400, 200), false);
    save(window, "thousand-nearer");
    window.fleet()->map()->fit();
    window.fleet()->filter()->setText("service-3");
    save(window, "thousand-filter");
  }

  void joining() {
    models::Session s;
    sample::fleet(s);
    models::Diff d;
    models::MachineFacts m;
    m.key = m.name = "pi-5";
    m.address = "10.20.0.55";
    m.user = "pi";
    m.zone = "shelf";
    m.phase = "Untrusted";
    m.seenHostKey = "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDQ0hCTNLH3vuqTCEg";
    m.seenHostKeyType = "ssh-ed25519";
    m.created = sample::now() - 3000;
    d.machines.put.push_back(m);
    m.key = m.name = "pi-6";
    m.address = "10.20.0.56";
    m.phase = "Installing";
    m.trustedHostKey = m.seenHostKey;
    m.step = "Uploading the agent";
    m.percent = 64;
    m.findings = {{"Kernel", "OK", "6.1.0", {}},
                  {"Disk", "Warning", "2.1 GiB free in /var", "Free some room: images need about 4 GiB."},
                  {"Login", "OK", "root without a password", {}}};
    d.machines.put.push_back(m);
    m.key = m.name = "pi-7";
    m.address = "10.20.0.57";
    m.phase = "Failed";
    m.message = "sudo asks for a password";
    m.step.clear();
    m.percent = -1;
    m.attempts = 2;
    m.nextAttempt = sample::now() + 20000;
    m.findings = {{"Login", "Error", "user pi may not use sudo without a password",
                   "Add the line “pi ALL=(ALL) NOPASSWD: ALL” to /etc/sudoers.d/pilothouse on the machine."}};
    d.machines.put.push_back(m);
    s.state.apply(std::move(d));
    MainWindow window(&s);
    window.show();
    window.select({Subject::Kind::Machine, "pi-5"});
    save(window, "joining");
    AddMachineDialog dialog(&s);
    models::MachineForm form;
    form.address = "10.20.0.58";
    form.user = "pi";
    form.zone = "shelf";
    dialog.fill(form);
    dialog.show();
    save(dialog, "add-machine");
  }

  void dialogs() {
    models::Session s;
    sample::fleet(s);
    DeployDialog deploy(&s);
    deploy.findChild<QLineEdit*>("image")->setText("shop/web:2.5");
    deploy.findChild<QLineEdit*>("name")->setText("shop-next");
    deploy.findChild<QLineEdit*>("ports")->setText("80:8080");
    deploy.findChild<QPlainTextEdit*>("env")->setPlainText("GREETING=hello\nMODE=canary");
    deploy.findChild<QLineEdit*>("memory")->setText("128Mi");
    deploy.show();
    save(deploy, "deploy");
    deploy.findChild<QLineEdit*>("name")->setText("Shop Next!");
    deploy.findChild<QLineEdit*>("cpu")->setText("lots");
    deploy.findChild<QPushButton*>("submit")->click();
    save(deploy, "deploy-wrong");
    std::unique_ptr<AskDialog> close(askClose(&s, nullptr));
    close->show();
    save(*close, "close");
    std::unique_ptr<AskDialog> remove(askRemove(&s, {Subject::Kind::Machine, "kepler"}, nullptr));
    remove->show();
    save(*remove, "remove");
    MainWindow window(&s);
    window.show();
    window.palette();
    auto* palette = window.findChild<CommandPalette*>();
    QVERIFY(palette);
    QTest::keyClicks(palette->findChild<QLineEdit*>(), "shop");
    save(*palette, "palette");
  }
};

QTEST_MAIN(PicturesTest)
#include "pictures_test.moc"
