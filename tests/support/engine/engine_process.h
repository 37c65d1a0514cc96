// EngineProcess: the real pilothouse-engine on a temporary data directory, and ways to talk to it: the real kubectl, and
// plain HTTP. Threads: one test thread.
#pragma once

#include <QByteArray>
#include <QProcess>
#include <QStringList>
#include <QTemporaryDir>
#include <memory>
#include <mutex>
#include <optional>

#include "engine/net/net.h"

namespace ph::test {

struct Ran {
  int code = -1;
  QString out, err;
  bool ok() const { return code == 0; }
  QString all() const { return out + err; }
};

// Runs a program to its end, or ends it after `seconds`.
Ran runProgram(const QString& program, const QStringList& arguments, const QByteArray& input = {}, int seconds = 60,
               const QStringList& environment = {});

class EngineProcess {
 public:
  EngineProcess();
  ~EngineProcess();
  // Starts on a free port (the same again after the first time) and waits until it is ready.
  bool start(const QStringList& more = {});
  void kill9();
  bool stop();  // SIGTERM; true when it ended by itself with 0
  bool running() const { return process_ && process_->state() == QProcess::Running; }
  qint64 pid() const { return process_ ? process_->processId() : 0; }

  QString dataDir() const { return dir_.path() + "/data"; }
  QString home() const { return dir_.path(); }
  QString address() const { return address_; }  // "127.0.0.1:41233"
  QString kubeconfig() const { return dataDir() + "/admin.kubeconfig"; }
  QString readyLine() const { return ready_; }
  QString log() const;
  QByteArray file(const QString& name) const;  // below the data directory

  Ran kubectl(const QStringList& arguments, const QByteArray& input = {}, const QString& binary = {}) const;
  static QString kubectlPath();

 private:
  QTemporaryDir dir_;
  std::unique_ptr<QProcess> process_;
  QString address_, ready_;
};

// Nodes without containers: the agent's own code over a runtime that only pretends. They end with it.
class HollowNodes {
 public:
  ~HollowNodes();
  // True once all of them are Ready.
  bool start(const EngineProcess& engine, int count);
  QString log() { return QString::fromUtf8(process_.readAll()); }

 private:
  QProcess process_;
};

// JSON as tests write it: 'x' for "x".
std::string q(std::string text);

// Who speaks HTTP to the engine.
struct Identity {
  QByteArray cert, key, token;
  QByteArray ca;  // the server is checked against it; empty: not checked
};

struct Answer {
  int code = 0;  // 0: no answer; `body` says why
  QByteArray body;
  net::Headers headers;
};

// A blocking HTTP client for tests.
class Http {
 public:
  Http(const EngineProcess& engine, const Identity& identity, bool http2 = true);
  static Identity admin(const EngineProcess& engine);
  // A certificate that the cluster's CA signs.
  static Identity issued(const EngineProcess& engine, const std::string& name, const std::vector<std::string>& groups);

  Answer send(const std::string& method, const std::string& pathAndQuery, const std::string& body = {},
              const std::vector<std::pair<std::string, std::string>>& headers = {});
  Answer get(const std::string& pathAndQuery, const std::string& accept = {});
  Answer post(const std::string& path, const std::string& body) { return send("POST", path, body); }
  Answer put(const std::string& path, const std::string& body) { return send("PUT", path, body); }
  Answer patch(const std::string& path, const std::string& body, const std::string& type = "application/merge-patch+json");
  Answer del(const std::string& path, const std::string& body = {}) { return send("DELETE", path, body); }

  // A stream of lines (a watch). Dropping it cancels.
  class Lines {
   public:
    int code();                                   // waits for the head; 0 when it never came
    std::optional<QByteArray> next(int milliseconds = 10000);  // a line, or nothing when there is none in time
    QByteArray rest();                            // what came after the last whole line
    bool waitEnd(int milliseconds = 10000);       // true when the stream ended
    std::shared_ptr<struct LineState> state;
    std::shared_ptr<net::StreamHandle> handle;
  };
  Lines watch(const std::string& pathAndQuery, const std::string& accept = {});
  const std::shared_ptr<net::HttpClient>& client() const { return client_; }
  const std::shared_ptr<net::Io>& io() const { return io_; }

 private:
  std::string token_;
  std::shared_ptr<net::Io> io_;
  std::shared_ptr<net::HttpClient> client_;
};

}  // namespace ph::test
