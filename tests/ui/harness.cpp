#include "tests/ui/harness.h"

#include "ui/theme/translations.h"

namespace ph::test {

QString Harness::start() {
  ui::installTranslations(*qApp);
  ui::Theme::get().setMotion(false);
  ui::Theme::get().setMode(ui::Theme::Mode::Dark);
  runtime::Options options;
  options.dataDir = dir_.path().toStdString();
  options.listen = "127.0.0.1:0";
  options.nodeGrace = std::chrono::seconds(3);
  options.fleet = false;
  auto engine = runtime::Engine::start(options);
  if (!engine.ok()) return QString::fromStdString(engine.status().message);
  engine_ = std::move(*engine);
  session_ = std::make_unique<models::Session>();
  session_->connectTo(engine_->client(), engine_->executor());
  window_ = std::make_unique<ui::MainWindow>(session_.get());
  window_->setAskOnClose(false);
  window_->show();
  if (!QTest::qWaitForWindowExposed(window_.get())) return QStringLiteral("the window does not come up");
  if (!QTest::qWaitFor([this] { return session_->state.link() == models::Link::Live; }, 10000))
    return QStringLiteral("the cluster does not come up");
  return {};
}

QString Harness::hollow(int nodes, const QString& prefix, const QStringList& extra) {
  auto& process = *agents_.emplace_back(std::make_unique<QProcess>());
  process.setProcessChannelMode(QProcess::MergedChannels);
  process.start(QStringLiteral(PH_BIN_DIR) + "/pilothouse-agent",
                QStringList{"--hollow", QString::number(nodes), "--kubeconfig", QString::fromStdString(engine_->kubeconfig()),
                            "--name-prefix", prefix + "-", "--lease-duration", "2s"} +
                    extra);
  if (!process.waitForStarted()) return process.errorString();
  const bool ready = QTest::qWaitFor(
      [&] {
        int n = 0;
        for (auto& [name, node] : session_->state.nodes()) n += node.ready && name.startsWith(prefix);
        return n == nodes;
      },
      20000);
  return ready ? QString() : QStringLiteral("the nodes don't come: ") + process.readAll();
}

void Harness::stop() {
  for (auto& p : agents_) {
    p->kill();
    p->waitForFinished();
  }
  agents_.clear();
  window_.reset();
  session_.reset();
  engine_.reset();
}

const api::ResourceInfo* Harness::info(const char* group, const char* version, const char* plural) {
  return engine_->client()->registry().find(group, version, plural);
}

namespace {

// What an answer on another thread said, waited for.
struct Answer {
  bool done = false;
  QString problem;

  template <class T>
  static auto to(const std::shared_ptr<Answer>& answer) {
    return [answer](Result<T> r) {
      const QString problem = r.ok() ? QString() : QString::fromStdString(r.status().message);
      QMetaObject::invokeMethod(qApp, [answer, problem] { *answer = {true, problem}; }, Qt::QueuedConnection);
    };
  }
  static QString of(const std::shared_ptr<Answer>& answer) {
    return QTest::qWaitFor([answer] { return answer->done; }, 10000) ? answer->problem : QStringLiteral("no answer");
  }
};

}  // namespace

QString Harness::write(client::Write w) {
  auto answer = std::make_shared<Answer>();
  engine_->client()->write(std::move(w), Answer::to<client::ObjectPtr>(answer));
  return Answer::of(answer);
}

QString Harness::post(const std::string& path, const std::string& json) {
  auto answer = std::make_shared<Answer>();
  auto handle = engine_->client()->raw("POST", path, json, "application/json", nullptr, Answer::to<std::string>(answer));
  return Answer::of(answer);
}

QString Harness::apply(const char* group, const char* version, const char* plural, const std::string& ns,
                       const std::string& json) {
  client::Write w;
  w.info = info(group, version, plural);
  w.ns = ns;
  w.body = json;
  return write(std::move(w));
}

QString Harness::patch(const char* group, const char* version, const char* plural, const std::string& ns,
                       const std::string& name, const std::string& json) {
  client::Write w;
  w.verb = client::Verb::Patch;
  w.info = info(group, version, plural);
  w.ns = ns;
  w.name = name;
  w.body = json;
  return write(std::move(w));
}

QString Harness::remove(const char* group, const char* version, const char* plural, const std::string& ns,
                        const std::string& name) {
  client::Write w;
  w.verb = client::Verb::Delete;
  w.info = info(group, version, plural);
  w.ns = ns;
  w.name = name;
  return write(std::move(w));
}

std::string deployment(const std::string& name, int replicas, const std::string& requests) {
  const std::string resources = requests.empty() ? "" : R"(,"resources":{"requests":{)" + requests + "}}";
  return R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":")" + name +
         R"("},"spec":{"replicas":)" + std::to_string(replicas) + R"(,"selector":{"matchLabels":{"app":")" + name +
         R"("}},"template":{"metadata":{"labels":{"app":")" + name + R"("}},"spec":{"containers":[{"name":"main","image":")" +
         name + R"(:1")" + resources + "}]}}}}";
}

}  // namespace ph::test
