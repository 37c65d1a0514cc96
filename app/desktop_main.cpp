// pilothouse: the desktop app. The window, the models, and the engine in its own threads.
#include <QApplication>
#include <QDir>
#include <QFileInfo>
#include <QMessageBox>
#include <QSaveFile>
#include <QTimer>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/signal_watch.h"
#include "app/status_table.h"
#include "engine/base/log.h"
#include "engine/base/time.h"
#include "engine/runtime/engine.h"
#include "models/gui_thread.h"
#include "ui/shell/main_window.h"
#include "ui/theme/translations.h"

namespace {

using namespace ph;

struct Arguments {
  std::string cluster = "home", data, listen = "127.0.0.1:6443", grace = "10s", theme = "system", picture,
              agents, logLevel = "warn";
  bool headless = false, table = false;
};

// Saves the window's picture when it changed, at most every 2 s, whole or not at all.
class Picture : public QObject {
 public:
  Picture(ui::MainWindow* window, models::Session* session, const QString& file)
      : window_(window), file_(file) {
    timer_.setSingleShot(true);
    timer_.setInterval(2000);
    connect(&timer_, &QTimer::timeout, this, [this] { save(); });
    connect(&session->state, &models::ClusterState::changed, this, [this] {
      if (!timer_.isActive()) timer_.start();
    });
  }
  void save() {
    QSaveFile out(file_);
    if (!out.open(QIODevice::WriteOnly) || !window_->grab().save(&out, "PNG") || !out.commit()) {
      PH_LOG(Warn, "window", "the picture {} can't be saved: {}", file_.toStdString(),
             out.errorString().toStdString());
    }
  }

 private:
  ui::MainWindow* window_;
  QString file_;
  QTimer timer_;
};

// Starts the engine aside, so that the window is there at once.
class EngineHost {
 public:
  using Done = std::function<void(const Result<>&)>;
  EngineHost(runtime::Options options, Done done) : starter_(makeThreadExecutor(1, "engine-start")) {
    starter_->post([this, options = std::move(options), done = std::move(done)] {
      auto started = runtime::Engine::start(options);
      Result<> answer;
      if (started.ok())
        engine_ = std::move(*started);
      else
        answer = Result<>(started.status());
      models::onGui([done, answer] { done(answer); });
    });
  }
  runtime::Engine* engine() { return engine_.get(); }
  ~EngineHost() {
    starter_.reset();  // waits for a start that is under way
    if (engine_) engine_->stop();
  }

 private:
  std::shared_ptr<Executor> starter_;
  std::unique_ptr<runtime::Engine> engine_;
};

int run(QApplication& app, const Arguments& arguments, runtime::Options options, MonoTime begun) {
  const QString dir = QString::fromStdString(options.dataDir);
  models::Session session;
  models::Place place;
  place.cluster = QString::fromStdString(arguments.cluster);
  place.dataDir = dir;
  place.kubeconfig = dir + QStringLiteral("/admin.kubeconfig");
  session.setPlace(place);
  ui::MainWindow window(&session);
  app::SignalWatch signalWatch;
  QObject::connect(&signalWatch, &app::SignalWatch::asked, &app, [&] {
    window.setAskOnClose(false);
    app.closeAllWindows();
    app.quit();
  });
  if (arguments.headless) window.setAskOnClose(false);
  std::unique_ptr<app::StatusTable> table;
  if (arguments.table) table = std::make_unique<app::StatusTable>(&session);
  std::unique_ptr<Picture> picture;
  if (!arguments.picture.empty())
    picture = std::make_unique<Picture>(&window, &session, QString::fromStdString(arguments.picture));
  window.show();

  int code = 0;
  EngineHost host(std::move(options), [&](const Result<>& started) {
    if (!started.ok()) {
      code = 1;
      std::fprintf(stderr, "pilothouse: %s\n", started.status().message.c_str());
      if (!arguments.headless) {
        QMessageBox::critical(&window, QStringLiteral("Pilothouse"),
                              models::Actions::explain(started.status()));
      }
      window.setAskOnClose(false);
      app.exit(1);
      return;
    }
    auto* engine = host.engine();
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(systemClock().monoNow() - begun).count();
    std::printf("ready https://%s in %lld ms\n", engine->address().c_str(), static_cast<long long>(took));
    std::fflush(stdout);
    place.address = QStringLiteral("https://") + QString::fromStdString(engine->address());
    place.kubeconfig = QString::fromStdString(engine->kubeconfig());
    session.setPlace(place);
    session.connectTo(engine->client(), engine->executor());
  });
  const int ended = app.exec();
  if (picture && code == 0) picture->save();
  session.disconnectFrom();
  return code ? code : ended;
}

}  // namespace

int main(int argc, char** argv) {
  const auto begun = systemClock().monoNow();
  Arguments arguments;
  CLI::App parser{"Pilothouse: your machines as one cluster, in one window"};
  parser.set_version_flag("--version", std::string("pilothouse ") + PH_VERSION);
  parser.add_option("--cluster", arguments.cluster, "Name of the cluster")->capture_default_str();
  parser.add_option("--data", arguments.data, "Data directory (default ~/.local/share/pilothouse/CLUSTER)");
  parser.add_option("--listen", arguments.listen, "Address and port of the API; port 0 takes a free one")
      ->capture_default_str();
  parser
      .add_option("--node-grace", arguments.grace,
                  "How long a machine may be silent before it counts as lost")
      ->capture_default_str();
  parser.add_option("--agents", arguments.agents,
                    "Folder of the agent binaries (default: beside this program)");
  parser.add_option("--theme", arguments.theme, "dark, light or system")
      ->check(CLI::IsMember({"dark", "light", "system"}))
      ->capture_default_str();
  parser.add_flag("--headless", arguments.headless, "The same app without a display");
  parser.add_flag("--status-table", arguments.table,
                  "Print a table of machines and applications whenever it changes");
  parser.add_option("--map-picture", arguments.picture, "Keep a picture of the window in this file");
  parser.add_option("--log-level", arguments.logLevel, "debug, info, warn or error")->capture_default_str();
  CLI11_PARSE(parser, argc, argv);
  const auto grace = parseDuration(arguments.grace);
  if (!grace || *grace <= Duration::zero()) {
    std::fprintf(stderr, "pilothouse: --node-grace must be a duration such as 10s, not \"%s\"\n",
                 arguments.grace.c_str());
    return 2;
  }
  log::setLevel(log::parseLevel(arguments.logLevel));
  if (arguments.headless) qputenv("QT_QPA_PLATFORM", "offscreen");
  QApplication app(argc, argv);
  QApplication::setApplicationName(QStringLiteral("Pilothouse"));
  QApplication::setApplicationVersion(QStringLiteral(PH_VERSION));
  QApplication::setDesktopFileName(QStringLiteral("pilothouse"));
  ui::installTranslations(app);
  auto& theme = ui::Theme::get();
  theme.setMode(arguments.theme == "dark"    ? ui::Theme::Mode::Dark
                : arguments.theme == "light" ? ui::Theme::Mode::Light
                                             : ui::Theme::Mode::System);

  QString data = QString::fromStdString(arguments.data);
  if (data.isEmpty()) {
    QString home = qEnvironmentVariable("XDG_DATA_HOME");
    if (home.isEmpty()) home = QDir::homePath() + QStringLiteral("/.local/share");
    data = home + QStringLiteral("/pilothouse/") + QString::fromStdString(arguments.cluster);
  } else if (parser.count("--cluster") == 0) {
    arguments.cluster = QDir(data).dirName().toStdString();
  }
  data = QFileInfo(data).absoluteFilePath();
  if (!QDir().mkpath(data)) {
    std::fprintf(stderr, "pilothouse: the data directory %s can't be made\n", qPrintable(data));
    return 1;
  }
  std::printf("kubeconfig %s/admin.kubeconfig\n", qPrintable(data));
  std::fflush(stdout);
  runtime::Options options;
  options.dataDir = data.toStdString();
  options.listen = arguments.listen;
  options.nodeGrace = *grace;
  options.agentDir = arguments.agents;
  return run(app, arguments, std::move(options), begun);
}
