// The window's figures, off-screen (software rendering): start, frames at 1,000 machines and 100,000 pods, memory, from a
// watch event to pixels, idle CPU, the application map, and the table of 100,000 rows. The cluster is made up, and comes in as diffs do.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QApplication>
#include <QElapsedTimer>
#include <QHeaderView>
#include <QLineEdit>
#include <QMouseEvent>
#include <QTableView>
#include <QTimer>
#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <set>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/executor.h"
#include "models/resource_table.h"
#include "tests/bench/row.h"
#include "tests/support/fake_client.h"
#include "tests/ui/sample.h"
#include "ui/appmap/app_map_page.h"
#include "ui/shell/main_window.h"
#include "ui/theme/translations.h"
#include "ui/views/table_pages.h"

using namespace ph;
using namespace ph::bench;
using ui::MainWindow;

namespace {

constexpr int kMachines = 1000, kPodsEach = 100;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double at(std::vector<double> all, double part) {
  std::sort(all.begin(), all.end());
  return all[std::min(all.size() - 1, size_t(double(all.size()) * part))];
}

double residentMb() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmRSS:")) return std::atof(line.c_str() + 6) / 1024;
  }
  return 0;
}

double cpuSeconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return double(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + double(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

// Turns the event loop until something holds; the longest that one turn took comes back, in ms.
double turn(const std::function<bool()>& holds, double limit = 60) {
  const double begin = seconds();
  double longest = 0;
  while (!holds()) {
    PH_CHECK_MSG(seconds() - begin < limit, "it did not happen in time");
    const double from = seconds();
    QCoreApplication::processEvents(QEventLoop::AllEvents);
    const double took = seconds() - from;
    longest = std::max(longest, took * 1000);
    if (took < 0.0002) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents, 1);
  }
  return longest;
}

// Calls back when a widget has been painted.
class Painted : public QObject {
 public:
  Painted(QWidget* widget, std::function<void()> then) : then_(std::move(then)) { widget->installEventFilter(this); }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override {
    if (event->type() != QEvent::Paint || inside_) return false;
    inside_ = true;
    watched->event(event);
    inside_ = false;
    then_();
    return true;
  }

 private:
  std::function<void()> then_;
  bool inside_ = false;
};

// The child of the start figure: the window as the app makes it, until its map is on the (off-screen) screen.
int firstPaint(int argc, char** argv) {
  QApplication app(argc, argv);
  ui::installTranslations(app);
  ui::Theme::get().setMode(ui::Theme::Mode::Dark);
  models::Session session;
  MainWindow window(&session);
  Painted painted(window.fleet()->map(), [] {
    // Painted into the window's store; what follows in this turn shows it.
    QTimer::singleShot(0, qApp, [] {
      [[maybe_unused]] auto n = write(STDOUT_FILENO, "x", 1);
      _exit(0);
    });
  });
  window.show();
  return app.exec();
}

double startOnce(const char* self) {
  int pipes[2];
  PH_CHECK(pipe2(pipes, O_CLOEXEC) == 0);
  const double begin = seconds();
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipes[1], STDOUT_FILENO);
    execl(self, self, "first-paint", nullptr);
    _exit(127);
  }
  close(pipes[1]);
  char c = 0;
  const ssize_t got = read(pipes[0], &c, 1);
  const double took = seconds() - begin;
  close(pipes[0]);
  waitpid(child, nullptr, 0);
  PH_CHECK_MSG(got == 1, "the window did not paint");
  return took;
}

void start(const char* self) {
  std::vector<double> all;
  for (int i = 0; i < 5; ++i) all.push_back(startOnce(self));
  row("ui: start to first paint", at(all, 0.5), "s", "<= 0.5");
}

void mouse(QWidget* w, QEvent::Type type, const QPointF& p, Qt::MouseButtons buttons) {
  QMouseEvent e(type, p, w->mapToGlobal(p), type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton, buttons, {});
  QCoreApplication::sendEvent(w, &e);
}

// A frame: the hand moves, the map paints into the window's store.
void frames(MainWindow& window, bool each) {
  auto* map = window.fleet()->map();
  std::vector<double> all;
  std::vector<std::pair<double, std::vector<double>>> byScale;
  auto frame = [&](const std::function<void()>& move) {
    const double from = seconds();
    move();
    map->repaint();
    const double ms = (seconds() - from) * 1000;
    all.push_back(ms);
    byScale.back().second.push_back(ms);
    QCoreApplication::processEvents();
  };
  const QPointF middle = map->rect().center();
  for (double scale : {0.0, 0.14, 0.2, 0.28, 0.38, 0.5, 0.7, 1.0, 1.6, 2.4, 4.0, 6.0}) {
    map->fit();
    if (scale > 0) map->zoomBy(scale / map->scale(), middle, false);
    map->repaint();
    byScale.push_back({map->scale(), {}});
    // A drag to and fro, as a hand does it.
    mouse(map, QEvent::MouseButtonPress, middle, Qt::LeftButton);
    for (int i = 1; i <= 40; ++i) {
      const double by = (i <= 20 ? i : 40 - i) * 11.0;
      frame([&] { mouse(map, QEvent::MouseMove, middle + QPointF(by, by * 0.6), Qt::LeftButton); });
    }
    mouse(map, QEvent::MouseButtonRelease, middle, Qt::NoButton);
    window.select({});
  }
  // In and out again, about a point off the middle: every size that cards can have.
  const QPointF about = middle + QPointF(137, 61);
  map->fit();
  for (double step : {1.04, 1 / 1.04}) {
    byScale.push_back({step, {}});
    for (int i = 0; i < 100; ++i) frame([&] { map->zoomBy(step, about, false); });
  }
  row("ui: map frame p50, 1,000 machines, 100,000 pods", at(all, 0.5), "ms", "<= 16.7");
  row("ui: map frame p99, 1,000 machines, 100,000 pods", at(all, 0.99), "ms", "<= 33");
  if (!each) return;
  for (auto& [scale, times] : byScale)
    std::fprintf(stderr, "  at %.3f: p50 %.1f ms, worst %.1f ms\n", scale, at(times, 0.5), at(times, 1));
}

// From a watch event to pixels: a pod's state changes in an API (in memory), and the map shows it.
void eventToPixels(models::Session& session, MainWindow& window) {
  auto executor = makeThreadExecutor(1, "bench");
  auto client = std::make_shared<test::FakeClient>(executor);
  auto podNamed = [](int i, bool ready) {
    auto text = std::string(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"live-)") + std::to_string(i) +
                R"(","namespace":"default","labels":{"app":"live"}},"spec":{"nodeName":"node-)" + std::to_string(i * 7) +
                R"(","containers":[{"name":"c","image":"live:1"}]},"status":{"phase":"Running","conditions":[{"type":"Ready","status":")" +
                (ready ? "True" : "False") + R"("}],"containerStatuses":[{"name":"c","ready":)" + (ready ? "true" : "false") +
                R"(,"restartCount":0,"state":{"running":{}}}]}})";
    return boost::json::parse(text);
  };
  constexpr int kLive = 20;
  for (int i = 0; i < kLive; ++i) client->put(podNamed(i, true));
  session.connectTo(client, executor);
  auto* map = window.fleet()->map();
  map->fit();
  map->zoomBy(0.5 / map->scale(), map->rect().center(), false);  // where many tiles are in sight
  turn([&] { return session.state.pod("default/live-0") && session.state.link() == models::Link::Live; });
  std::vector<double> all;
  bool seen = false;
  QString key;
  models::PodState wanted = models::PodState::Ready;
  Painted painted(map, [&] {
    auto* pod = session.state.pod(key);
    seen |= pod && pod->state == wanted;
  });
  for (int n = 0; n < 300; ++n) {
    const int i = n % kLive;
    const bool ready = (n / kLive) % 2 == 1;
    key = QStringLiteral("default/live-%1").arg(i);
    wanted = ready ? models::PodState::Ready : models::PodState::Starting;
    // Its card is somewhere in sight or not: the map is moved there, as one who watches does.
    map->reveal({models::Subject::Kind::Pod, key});
    turn([&, until = seconds() + 0.02] { return seconds() > until; });
    seen = false;
    const double from = seconds();
    client->put(podNamed(i, ready));
    turn([&] { return seen; }, 5);
    all.push_back((seconds() - from) * 1000);
  }
  row("ui: watch event to pixels p50", at(all, 0.5), "ms", "");
  row("ui: watch event to pixels p99", at(all, 0.99), "ms", "<= 50");
  session.disconnectFrom();
}

// The application map: until it is there, its frames, and what a change to one pod of 100,000 costs.
void applications(models::Session& session, MainWindow& window) {
  const double begin = seconds();
  window.open(MainWindow::AppMap);
  auto* map = window.appMap()->map();
  map->repaint();
  row("ui: application map shown, 100,000 pods", (seconds() - begin) * 1000, "ms", "");
  std::vector<double> all;
  const QPointF middle = map->rect().center();
  for (double zoom : {1.0, 0.4, 0.6, 2.0, 2.0}) {
    map->zoomBy(zoom);
    mouse(map, QEvent::MouseButtonPress, middle, Qt::LeftButton);
    for (int i = 1; i <= 40; ++i) {
      const double from = seconds(), by = (i <= 20 ? i : 40 - i) * 11.0;
      mouse(map, QEvent::MouseMove, middle + QPointF(by, by * 0.6), Qt::LeftButton);
      map->repaint();
      all.push_back((seconds() - from) * 1000);
      QCoreApplication::processEvents();
    }
    mouse(map, QEvent::MouseButtonRelease, middle, Qt::NoButton);
  }
  window.select({});
  map->fit();
  row("ui: application map frame p50", at(all, 0.5), "ms", "<= 16.7");
  row("ui: application map frame p99", at(all, 0.99), "ms", "<= 33");
  std::vector<double> changes;
  auto pod = session.state.pods().begin()->second;
  for (int i = 0; i < 40; ++i) {
    models::Diff d;
    pod.state = i % 2 ? models::PodState::Ready : models::PodState::Starting;
    d.pods.put.push_back(pod);
    const double from = seconds();
    session.state.apply(std::move(d));
    window.appMap()->model()->compute();
    map->repaint();
    changes.push_back((seconds() - from) * 1000);
  }
  row("ui: application map, one pod changes, GUI thread p99", at(changes, 0.99), "ms", "<= 33");
  window.open(MainWindow::Fleet);
}

// The table of 100,000 rows in a view: until a sort or a filter is there to see, and the longest that a turn of the GUI
// thread took meanwhile.
void table(models::Session& session) {
  auto executor = makeThreadExecutor(1, "bench");
  models::ResourceTable rows(&session.state);
  rows.follow(nullptr, executor, {"", "v1", "Pod", "pods", true}, {});
  rows.setServerColumns(boost::json::parse(R"([{"name":"Name","type":"string"},{"name":"Ready","type":"string"},
    {"name":"Status","type":"string"},{"name":"Restarts","type":"integer"},{"name":"Age","type":"string"}])")
                            .as_array());
  QTableView view;
  view.resize(1000, 700);
  view.setModel(&rows);
  view.show();
  double longest = 0;
  std::vector<double> sorts, filters;
  auto arranged = [&](std::vector<double>* into, const std::function<void()>& change) {
    bool done = false;
    auto once = QObject::connect(&rows, &models::ResourceTable::arranged, &view, [&] { done = true; });
    const double from = seconds();
    change();
    longest = std::max(longest, into ? (seconds() - from) * 1000 : 0);
    const double worst = turn([&] { return done; });
    view.viewport()->repaint();
    if (into) {
      into->push_back((seconds() - from) * 1000);
      longest = std::max(longest, worst);
    }
    QObject::disconnect(once);
  };
  arranged(nullptr, [&] {
    models::ResourceTable::Changes all;
    for (int i = 0; i < 100000; ++i) {
      const std::string name = "service-" + std::to_string(i % 700) + "-7c9f4-" + std::to_string((i * 7919) % 100000), restarts = std::to_string(i % 13);
      auto row = models::TableRow::make(i % 3 ? "default" : "shop", name, 1700000000000 + (i * 7919) % 100000 * 1000,
                                        {name, "1/1", i % 50 ? "Running" : "CrashLoopBackOff", restarts, "3d"});
      all.emplace_back(std::string(row->key()), row);
    }
    rows.apply(std::move(all));
  });
  PH_CHECK(rows.rowCount() == 100000);
  for (int round = 0; round < 4; ++round) {
    for (int column : {1, 3, 4, 5, 0})
      arranged(&sorts, [&] { rows.sort(column, round % 2 ? Qt::DescendingOrder : Qt::AscendingOrder); });
    for (auto* text : {"7c9f4", "service-3", "service-33 crash", "nothing like it", ""})
      arranged(&filters, [&] { rows.setFilter(QLatin1String(text)); });
  }
  row("ui: table of 100,000 rows, sort p99", at(sorts, 0.99), "ms", "<= 200");
  row("ui: table of 100,000 rows, filter p99", at(filters, 0.99), "ms", "<= 200");
  row("ui: table of 100,000 rows, longest turn meanwhile", longest, "ms", "<= 33");
  rows.stop();
}

void idle(MainWindow& window) {
  window.fleet()->map()->fit();
  turn([until = seconds() + 1] { return seconds() > until; });
  const double cpu = cpuSeconds(), begin = seconds();
  QTimer::singleShot(5000, qApp, &QCoreApplication::quit);
  QApplication::exec();
  row("ui: idle CPU, the map in sight", (cpuSeconds() - cpu) / (seconds() - begin) * 100, "%", "<= 1");
}

}  // namespace

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  if (argc > 1 && std::strcmp(argv[1], "first-paint") == 0) return firstPaint(argc, argv);
  const bool each = argc > 1 && std::strcmp(argv[1], "each") == 0;
  start(argv[0]);
  QApplication app(argc, argv);
  ui::installTranslations(app);
  ui::Theme::get().setMode(ui::Theme::Mode::Dark);
  models::Session session;
  MainWindow window(&session);
  window.setAskOnClose(false);
  window.show();
  QCoreApplication::processEvents();
  sample::many(session, kMachines, kPodsEach);
  turn([until = seconds() + 0.5] { return seconds() > until; });
  frames(window, each);
  applications(session, window);
  row("ui: memory without the engine", residentMb(), "MB", "<= 300");
  eventToPixels(session, window);
  idle(window);
  table(session);
  return 0;
}
