// A whole engine in this process, and short words for what tests ask of it.
// Threads: one (the test's); calls block until answered.
#pragma once

#include <QProcess>
#include <QString>
#include <QStringList>
#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "engine/api/codec.h"
#include "engine/api/types/core.h"
#include "engine/api/types/fleet.h"
#include "engine/runtime/engine.h"
#include "tests/support/lab/lab.h"

namespace fleettest {

using namespace ph;

// JSON with ' for " (moc does not read raw strings).
inline std::string j(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return text;
}

template <class T> T wait(std::function<void(std::function<void(T)>)> call) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  call([promise](T value) { promise->set_value(std::move(value)); });
  return future.get();
}

class Cluster {
 public:
  explicit Cluster(const QString& name) : lab_(name) {}

  const api::ResourceInfo* info(const char* group, const char* plural) { return client_->registry().storage(group, plural); }
  const api::ResourceInfo* machines() { return info("fleet.pilothouse.io", "machines"); }

  Result<api::ObjectPtr> write(client::Verb verb, const api::ResourceInfo* what, const std::string& name, const std::string& body,
                               const std::string& subresource = "", const std::string& ns = "") {
    client::Write w;
    w.verb = verb;
    w.info = what;
    w.name = name;
    w.ns = ns;
    w.body = body;
    w.subresource = subresource;
    return wait<Result<api::ObjectPtr>>([&](auto done) { client_->write(w, done); });
  }
  api::ObjectPtr get(const api::ResourceInfo* what, const std::string& name, const std::string& ns = "") {
    auto r = wait<Result<api::ObjectPtr>>([&](auto done) { client_->get(*what, ns, name, done); });
    return r.ok() ? r.value() : nullptr;
  }
  api::fleet::MachineStatus status(const std::string& name) {
    auto m = get(machines(), name);
    return m ? m->as<api::fleet::Machine>().status : api::fleet::MachineStatus{};
  }
  std::string phase(const std::string& name) { return status(name).phase; }
  std::string connected(const std::string& name) {
    for (auto& c : status(name).conditions)
      if (c.type == "Connected") return c.status;
    return "";
  }
  bool createMachine(const std::string& name, const std::string& address, const std::string& hostKey, const std::string& more = "") {
    auto r = write(client::Verb::Create, machines(), name,
                   j("{'apiVersion':'fleet.pilothouse.io/v1','kind':'Machine','metadata':{'name':'") + name + j("'},'spec':{'address':'") + address +
                       j("','hostKey':'") + hostKey + j("','credentials':{'identityFile':'") + lab_.key().toStdString() + "\"}" + more + "}}");
    if (!r.ok()) qWarning("%s: %s", name.c_str(), r.status().message.c_str());
    return r.ok();
  }
  bool createReadyNode(const std::string& name) {
    return write(client::Verb::Create, info("", "nodes"), name, j("{'apiVersion':'v1','kind':'Node','metadata':{'name':'") + name + "\"}}").ok() &&
           write(client::Verb::Patch, info("", "nodes"), name,
                  j("{'status':{'conditions':[{'type':'Ready','status':'True','lastHeartbeatTime':'2026-01-01T00:00:00Z','lastTransitionTime':'2026-01-01T00:00:00Z'}],"
                    "'nodeInfo':{'architecture':'amd64','kubeletVersion':'v0-test','machineID':'','systemUUID':'','bootID':'','kernelVersion':'',"
                    "'osImage':'','containerRuntimeVersion':'','kubeProxyVersion':'','operatingSystem':'linux'}}}"), "status").ok();
  }
  QString address(int i) { return lab_.address(i); }
  bool has(const std::vector<api::fleet::MachineFinding>& list, const std::string& severity) {
    for (auto& f : list)
      if (f.severity == severity && !f.message.empty() && !f.fix.empty()) return true;
    return false;
  }
  QStringList events(const std::string& name) {
    auto r = wait<Result<client::ListResult>>([&](auto done) { client_->list(*info("", "events"), {}, done); });
    QStringList out;
    if (r.ok())
      for (auto& e : r.value().items) {
        auto& event = e->as<api::core::Event>();
        if (event.involvedObject.name == name) out << QString::fromStdString(event.reason + ": " + event.message);
      }
    return out;
  }

 protected:
  // The real kubectl on this engine.
  struct Outcome {
    int exit = -1;
    QByteArray out, err;
  };
  QStringList full(const QStringList& arguments) { return QStringList{"--kubeconfig", QString::fromStdString(engine_->kubeconfig())} + arguments; }
  std::unique_ptr<QProcess> begin(const QStringList& arguments) {
    auto p = std::make_unique<QProcess>();
    p->start("kubectl", full(arguments));
    return p;
  }
  Outcome kubectl(const QStringList& arguments, const QByteArray& input = {}, int timeoutMs = 60000) {
    auto p = begin(arguments);
    p->write(input);
    p->closeWriteChannel();
    bool ended = p->waitForFinished(timeoutMs);
    if (!ended) {
      p->kill();
      p->waitForFinished();
    }
    Outcome o{ended ? p->exitCode() : -1, p->readAllStandardOutput(), p->readAllStandardError()};
    if (o.exit != 0 && !o.err.contains("unexpected EOF")) qInfo("kubectl %s: %d: %s", qPrintable(arguments.join(' ')), o.exit, o.err.constData());
    return o;
  }
  // Answers why it did not start; empty when it did.
  std::string startEngine(const QString& dataDir, bool withFleet, bool withControllers, const QString& agentDir = {}) {
    runtime::Options o;
    o.dataDir = dataDir.toStdString();
    o.listen = "127.0.0.1:0";
    o.fleet = withFleet;
    o.controllers = withControllers;
    o.agentDir = agentDir.toStdString();
    auto started = runtime::Engine::start(o);
    if (!started.ok()) return started.status().message;
    engine_ = std::move(started).value();
    client_ = engine_->client();
    return "";
  }
  void stopEngine() {
    client_.reset();
    engine_.reset();
  }

  Lab lab_;
  std::unique_ptr<runtime::Engine> engine_;
  std::shared_ptr<client::Client> client_;
};

}  // namespace fleettest
