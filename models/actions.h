// Actions: everything that the window does to the cluster. Each is one or a few writes through the client,
// each can be said as a kubectl line or a manifest, and each ends in one answer on the GUI thread. Threads:
// GUI thread only. Nothing here waits.
#pragma once

#include <QObject>
#include <functional>
#include <memory>

#include "engine/base/result.h"
#include "models/cluster_state.h"
#include "models/forms.h"

namespace ph::client {
class Client;
struct Write;
}  // namespace ph::client

namespace ph::models {

namespace kubectl {
QString scale(const QString& app, int copies);
QString restart(const QString& app);
QString remove(const Subject& subject);
QString apply(const QString& file = QStringLiteral("app.yaml"));
QString cordon(const QString& node, bool on);
QString trust(const QString& machine, const QString& hostKey);
QString pause(const QString& app, bool on);
QString logs(const QString& pod, const QString& container);
}  // namespace kubectl

class Actions : public QObject {
  Q_OBJECT
 public:
  using Done = std::function<void(const Result<>&)>;
  explicit Actions(ClusterState* state, QObject* parent = nullptr);
  ~Actions() override;

  void setClient(std::shared_ptr<client::Client> client) { client_ = std::move(client); }
  bool ready() const { return client_ != nullptr; }

  void scale(const QString& app, int copies, Done done = {});
  void restart(const QString& app, Done done = {});
  void pause(const QString& app, bool on, Done done = {});
  void removeApp(const QString& app, Done done = {});  // the workload and the Service of the same name
  void removePod(const QString& pod, Done done = {});
  void deploy(const DeployForm& form, Done done = {});  // an archive must have been loaded before
  void addMachine(const MachineForm& form, Done done = {});
  void trust(const QString& machine, const QString& hostKey, Done done = {});
  void removeMachine(const QString& machine, Done done = {});
  void cordon(const QString& node, bool on, Done done = {});
  // Loads an OCI or Docker archive into the engine's image store; the answer is the images' names.
  void loadArchive(const QString& path, std::function<void(const Result<QStringList>&)> done);

  // A failed Status in words: the fields' messages where there are some.
  static QString explain(const Status& status);

 signals:
  // For the window's notices: `what` in words ("Scale shop-web to 12"), with the command that it was.
  void finished(const QString& what, const QString& command, bool ok, const QString& problem);

 private:
  void write(client::Write write, const QString& what, const QString& command, Done done);
  void applyAll(QList<boost::json::value> objects, const QString& what, const QString& command, Done done);
  const api::ResourceInfo* info(const QString& group, const QString& version, const QString& plural) const;

  ClusterState* state_;
  std::shared_ptr<client::Client> client_;
  std::vector<std::shared_ptr<void>> raws_;
};

}  // namespace ph::models
