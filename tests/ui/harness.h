// Harness: a real window over a real engine with hollow nodes, for the flows. Threads: GUI thread only.
#pragma once

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <memory>

#include "engine/client/client.h"
#include "engine/runtime/engine.h"
#include "ui/shell/main_window.h"

namespace ph::test {

class Harness {
 public:
  ~Harness() { stop(); }

  // An engine in a folder of its own, and the window over it, shown. Empty when all went well, else what did not.
  QString start();
  // `extra`: more arguments of the agent.
  QString hollow(int nodes, const QString& prefix, const QStringList& extra = {});
  void stop();

  // Writes as somebody else than the window does. Empty when it went well.
  QString apply(const char* group, const char* version, const char* plural, const std::string& ns, const std::string& json);
  QString patch(const char* group, const char* version, const char* plural, const std::string& ns, const std::string& name,
                const std::string& json);
  QString post(const std::string& path, const std::string& json);  // of kinds that are not built in
  QString remove(const char* group, const char* version, const char* plural, const std::string& ns, const std::string& name);

  runtime::Engine& engine() { return *engine_; }
  models::Session& session() { return *session_; }
  ui::MainWindow& window() { return *window_; }

 private:
  QString write(client::Write write);
  const api::ResourceInfo* info(const char* group, const char* version, const char* plural);

  QTemporaryDir dir_;
  std::unique_ptr<runtime::Engine> engine_;
  std::unique_ptr<models::Session> session_;
  std::unique_ptr<ui::MainWindow> window_;
  std::vector<std::unique_ptr<QProcess>> agents_;
};

// A Deployment's manifest. `requests`: "cpu": "1", or empty.
std::string deployment(const std::string& name, int replicas, const std::string& requests = {});

}  // namespace ph::test
