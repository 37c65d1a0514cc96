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
#include "models/object_form.h"
#include "models/rollout_model.h"

namespace ph::client {
class Client;
struct Write;
}  // namespace ph::client

namespace ph::models {

struct ObjectRef;

namespace kubectl {
QString scale(const QString& app, int copies);
QString restart(const QString& app);
QString remove(const Subject& subject);
QString removeAll(const QList<ObjectRef>& objects);
QString apply(const QString& file = QStringLiteral("app.yaml"));
QString cordon(const QString& node, bool on);
QString trust(const QString& machine, const QString& hostKey);
QString pause(const QString& app, bool on);
QString setImage(const QString& app, const QList<QPair<QString, QString>>& images);  // container, image
QString undo(const QString& app, int64_t revision);
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
  // Container, image; those of the template that are not named stay.
  void setImage(const QString& app, const QList<ContainerImage>& images, Done done = {});
  // Makes a revision's template the wanted one again.
  void undo(const QString& app, const Revision& revision, Done done = {});
  void removeApp(const QString& app, Done done = {});  // the workload and the Service of the same name
  void removePod(const QString& pod, Done done = {});
  void deploy(const DeployForm& form, Done done = {});  // an archive must have been loaded before
  void addMachine(const MachineForm& form, Done done = {});
  void trust(const QString& machine, const QString& hostKey, Done done = {});
  void removeObject(const ObjectRef& object, Done done = {});
  void removeObjects(const QList<ObjectRef>& objects);  // ends in one answer for all
  void removeMachine(const QString& machine, Done done = {});
  void cordon(const QString& node, bool on, Done done = {});
  // What the forms of namespaces, ConfigMaps, Secrets and quotas do.
  void readObject(ObjectForm::Kind kind, const QString& ns, const QString& name,
                  std::function<void(const Result<ObjectForm>&)> done);
  using Names = QList<QPair<QString, QString>>;  // namespace, name
  void listObjects(ObjectForm::Kind kind, std::function<void(const Result<Names>&)> done);  // at most 500
  void saveObject(const ObjectForm& form, Done done = {});
  void removeObject(const ObjectForm& form, Done done = {});
  // Loads an OCI or Docker archive into the engine's image store; the answer is the images' names.
  void loadArchive(const QString& path, std::function<void(const Result<QStringList>&)> done);

  // Any write, said as `what` and `command` when it is done.
  void write(client::Write write, const QString& what, const QString& command, Done done);

  // A failed Status in words: the fields' messages where there are some.
  static QString explain(const Status& status);

 signals:
  // For the window's notices: `what` in words ("Scale shop-web to 12"), with the command that it was.
  void finished(const QString& what, const QString& command, bool ok, const QString& problem);

 private:
  void applyAll(QList<boost::json::value> objects, const QString& what, const QString& command, Done done);
  client::Write removalOf(const ObjectRef& object) const;
  const api::ResourceInfo* info(const QString& group, const QString& version, const QString& plural) const;

  ClusterState* state_;
  std::shared_ptr<client::Client> client_;
  std::vector<std::shared_ptr<void>> raws_;
};

}  // namespace ph::models
