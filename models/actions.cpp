#include "models/actions.h"

#include <QCoreApplication>
#include <QPointer>
#include <QUrl>

#include "engine/client/client.h"
#include "models/gui_thread.h"
#include "models/json_read.h"
#include "models/object_ref.h"

namespace ph::models {

namespace kubectl {

namespace {
QString in(const QString& ns) {
  return ns.isEmpty() || ns == u"default" ? QString() : QStringLiteral(" -n ") + ns;
}
QString target(const QString& app) {
  return appKind(app).toLower() + '/' + appName(app);
}
}  // namespace

QString scale(const QString& app, int copies) {
  return QStringLiteral("kubectl scale %1 --replicas=%2%3")
      .arg(target(app))
      .arg(copies)
      .arg(in(appNamespace(app)));
}
QString restart(const QString& app) {
  return QStringLiteral("kubectl rollout restart %1%2").arg(target(app), in(appNamespace(app)));
}
QString pause(const QString& app, bool on) {
  return QStringLiteral("kubectl rollout %1 %2%3")
      .arg(on ? QStringLiteral("pause") : QStringLiteral("resume"), target(app), in(appNamespace(app)));
}
QString remove(const Subject& s) {
  switch (s.kind) {
    case Subject::Kind::App:
      return QStringLiteral("kubectl delete %1%2").arg(target(s.key), in(appNamespace(s.key)));
    case Subject::Kind::Pod:
      return QStringLiteral("kubectl delete pod %1%2")
          .arg(s.key.section('/', 1), in(s.key.section('/', 0, 0)));
    case Subject::Kind::Machine:
      return QStringLiteral("kubectl delete machine %1").arg(s.key);
    case Subject::Kind::Object:
      return removeAll({ObjectRef::of(s.key)});
    case Subject::Kind::None:
      break;
  }
  return {};
}
QString removeAll(const QList<ObjectRef>& objects) {
  // One line a namespace and kind, as kubectl takes them; many names are cut, the count says how many there are.
  QMap<QString, QStringList> lines;
  for (auto& o : objects) lines[o.kubectlKind() + QLatin1Char('|') + o.ns] << o.name;
  QStringList out;
  for (auto it = lines.begin(); it != lines.end(); ++it) {
    constexpr int kShown = 12;
    QString names = QStringList(it->mid(0, kShown)).join(QLatin1Char(' '));
    if (it->size() > kShown) names += QStringLiteral(" …(%1)").arg(it->size());
    out << QStringLiteral("kubectl delete %1 %2%3")
               .arg(it.key().section('|', 0, 0), names, in(it.key().section('|', 1)));
  }
  return out.join('\n');
}
QString apply(const QString& file) {
  return QStringLiteral("kubectl apply -f %1").arg(file);
}
QString cordon(const QString& node, bool on) {
  return QStringLiteral("kubectl %1 %2")
      .arg(on ? QStringLiteral("cordon") : QStringLiteral("uncordon"), node);
}
QString trust(const QString& machine, const QString& hostKey) {
  return QStringLiteral("kubectl patch machine %1 --type=merge -p '{\"spec\":{\"hostKey\":\"%2\"}}'")
      .arg(machine, hostKey);
}
QString setImage(const QString& app, const QList<QPair<QString, QString>>& images) {
  QStringList pairs;
  for (auto& [container, image] : images) pairs << container + '=' + image;
  return QStringLiteral("kubectl set image %1 %2%3")
      .arg(target(app), pairs.join(' '), in(appNamespace(app)));
}
QString undo(const QString& app, int64_t revision) {
  return QStringLiteral("kubectl rollout undo %1 --to-revision=%2%3")
      .arg(target(app))
      .arg(revision)
      .arg(in(appNamespace(app)));
}
QString logs(const QString& pod, const QString& container) {
  return QStringLiteral("kubectl logs -f %1%2%3")
      .arg(pod.section('/', 1), container.isEmpty() ? QString() : QStringLiteral(" -c ") + container,
           in(pod.section('/', 0, 0)));
}

}  // namespace kubectl

namespace {

QString groupOf(const QString& app) {
  return appKind(app) == u"Pod" ? QString() : QStringLiteral("apps");
}
QString pluralOf(const QString& app) {
  return appKind(app).toLower() + 's';
}

}  // namespace

Actions::Actions(ClusterState* state, QObject* parent) : QObject(parent), state_(state) {}
Actions::~Actions() = default;

const api::ResourceInfo* Actions::info(const QString& group, const QString& version,
                                       const QString& plural) const {
  return client_ ? client_->registry().find(group.toStdString(), version.toStdString(), plural.toStdString())
                 : nullptr;
}

QString Actions::explain(const Status& status) {
  if (status.code == 503 || status.code == 504)
    return tr("The engine does not answer: %1").arg(QString::fromStdString(status.message));
  if (status.isAlreadyExists()) return tr("There is one of this name already.");
  if (status.isConflict()) return tr("Somebody else changed it at the same moment. Try again.");
  if (status.causes.empty()) return QString::fromStdString(status.message);
  QStringList parts;
  for (auto& c : status.causes) {
    parts << (c.field.empty() ? QString::fromStdString(c.message)
                              : QStringLiteral("%1: %2").arg(QString::fromStdString(c.field),
                                                             QString::fromStdString(c.message)));
  }
  return parts.join('\n');
}

void Actions::write(client::Write w, const QString& what, const QString& command, Done done) {
  auto answer = [self = QPointer<Actions>(this), what, command, done](const Result<>& r) {
    if (done) done(r);
    if (self) emit self->finished(what, command, r.ok(), r.ok() ? QString() : explain(r.status()));
  };
  if (!client_ || !w.info) {
    onGui([answer] { answer(Status::unavailable(tr("not connected").toStdString())); });
    return;
  }
  client_->write(std::move(w), [answer](Result<client::ObjectPtr> r) {
    Result<> plain;
    if (!r.ok()) plain = Result<>(r.status());
    onGui([answer, plain] { answer(plain); });
  });
}

void Actions::scale(const QString& app, int copies, Done done) {
  client::Write w;
  w.verb = client::Verb::Patch;
  w.info = info(groupOf(app), QStringLiteral("v1"), pluralOf(app));
  w.ns = appNamespace(app).toStdString();
  w.name = appName(app).toStdString();
  w.body = boost::json::serialize(boost::json::object{{"spec", boost::json::object{{"replicas", copies}}}});
  write(std::move(w), tr("Scale %1 to %2").arg(appName(app)).arg(copies), kubectl::scale(app, copies),
        std::move(done));
}

void Actions::restart(const QString& app, Done done) {
  client::Write w;
  w.verb = client::Verb::Patch;
  w.info = info(groupOf(app), QStringLiteral("v1"), pluralOf(app));
  w.ns = appNamespace(app).toStdString();
  w.name = appName(app).toStdString();
  const std::string now = formatTime(WallTime(std::chrono::milliseconds(state_->now())));
  using boost::json::object;
  // The annotation that kubectl rollout restart sets: a changed template is a new version.
  w.body = boost::json::serialize(object{
      {"spec", object{{"template",
                       object{{"metadata", object{{"annotations", object{{"kubectl.kubernetes.io/restartedAt",
                                                                          now}}}}}}}}}});
  write(std::move(w), tr("Restart %1").arg(appName(app)), kubectl::restart(app), std::move(done));
}

void Actions::pause(const QString& app, bool on, Done done) {
  client::Write w;
  w.verb = client::Verb::Patch;
  w.info = info(groupOf(app), QStringLiteral("v1"), pluralOf(app));
  w.ns = appNamespace(app).toStdString();
  w.name = appName(app).toStdString();
  w.body = boost::json::serialize(boost::json::object{{"spec", boost::json::object{{"paused", on}}}});
  write(std::move(w), (on ? tr("Pause %1") : tr("Resume %1")).arg(appName(app)), kubectl::pause(app, on),
        std::move(done));
}

void Actions::setImage(const QString& app, const QList<ContainerImage>& images, Done done) {
  using boost::json::object;
  boost::json::array plain, first;
  QList<QPair<QString, QString>> said;
  for (auto& c : images) {
    said.append({c.name, c.image});
    (c.init ? first : plain).push_back(object{{"name", c.name.toStdString()}, {"image", c.image.toStdString()}});
  }
  object spec;
  if (!plain.empty()) spec["containers"] = std::move(plain);
  if (!first.empty()) spec["initContainers"] = std::move(first);
  client::Write w;
  w.verb = client::Verb::Patch;
  w.patchType = client::PatchType::Strategic;  // lists are merged by the containers' names
  w.info = info(groupOf(app), QStringLiteral("v1"), pluralOf(app));
  w.ns = appNamespace(app).toStdString();
  w.name = appName(app).toStdString();
  w.body = boost::json::serialize(
      object{{"spec", object{{"template", object{{"spec", std::move(spec)}}}}}});
  const QString what = images.size() == 1
                           ? tr("Change %1 to %2").arg(appName(app), images.first().image)
                           : tr("Change %n image(s) of %1", nullptr, int(images.size())).arg(appName(app));
  write(std::move(w), what, kubectl::setImage(app, said), std::move(done));
}

void Actions::undo(const QString& app, const Revision& revision, Done done) {
  using boost::json::array, boost::json::object;
  client::Write w;
  w.verb = client::Verb::Patch;
  w.patchType = client::PatchType::Json;  // the whole template: what the revision lacks goes
  w.info = info(groupOf(app), QStringLiteral("v1"), pluralOf(app));
  w.ns = appNamespace(app).toStdString();
  w.name = appName(app).toStdString();
  w.body = boost::json::serialize(
      array{object{{"op", "replace"}, {"path", "/spec/template"}, {"value", revision.podTemplate}}});
  write(std::move(w), tr("Take %1 back to revision %2").arg(appName(app)).arg(revision.number),
        kubectl::undo(app, revision.number), std::move(done));
}

void Actions::removeApp(const QString& app, Done done) {
  client::Write w;
  w.verb = client::Verb::Delete;
  w.info = info(groupOf(app), QStringLiteral("v1"), pluralOf(app));
  w.ns = appNamespace(app).toStdString();
  w.name = appName(app).toStdString();
  w.propagation = client::Propagation::Background;
  auto* service = state_->serviceOfApp(app);
  if (service && service->name == appName(app)) {
    client::Write s;
    s.verb = client::Verb::Delete;
    s.info = info({}, QStringLiteral("v1"), QStringLiteral("services"));
    s.ns = service->ns.toStdString();
    s.name = service->name.toStdString();
    write(std::move(s), tr("Remove the service %1").arg(service->name),
          QStringLiteral("kubectl delete service %1").arg(service->name), {});
  }
  write(std::move(w), tr("Remove %1").arg(appName(app)), kubectl::remove({Subject::Kind::App, app}),
        std::move(done));
}

void Actions::removePod(const QString& pod, Done done) {
  client::Write w;
  w.verb = client::Verb::Delete;
  w.info = info({}, QStringLiteral("v1"), QStringLiteral("pods"));
  w.ns = pod.section('/', 0, 0).toStdString();
  w.name = pod.section('/', 1).toStdString();
  write(std::move(w), tr("Stop %1").arg(pod.section('/', 1)), kubectl::remove({Subject::Kind::Pod, pod}),
        std::move(done));
}

void Actions::applyAll(QList<boost::json::value> objects, const QString& what, const QString& command,
                       Done done) {
  if (objects.isEmpty()) {
    if (done) done(Result<>());
    return;
  }
  const boost::json::value object = objects.takeFirst();
  const QString version = json::text(&object, {"apiVersion"}), kind = json::text(&object, {"kind"});
  const QString group = version.contains('/') ? version.section('/', 0, 0) : QString();
  client::Write w;
  w.verb = client::Verb::Create;
  w.info = client_ ? client_->registry().findKind(group.toStdString(), version.section('/', -1).toStdString(),
                                                  kind.toStdString())
                   : nullptr;
  w.ns = json::text(&object, {"metadata", "namespace"}).toStdString();
  w.body = boost::json::serialize(object);
  QPointer<Actions> self(this);
  auto next = [self, objects, what, command, done](const Result<>& r) {
    if (!r.ok() || objects.isEmpty() || !self) {
      if (done) done(r);
      return;
    }
    self->applyAll(objects, what, command, done);
  };
  // Only the first speaks; the others would say the same again.
  write(std::move(w), what, command, next);
}

void Actions::deploy(const DeployForm& form, Done done) {
  applyAll(objects(form), tr("Deploy %1").arg(form.name), kubectl::apply(), std::move(done));
}

void Actions::loadArchive(const QString& path, std::function<void(const Result<QStringList>&)> done) {
  if (!client_) {
    onGui([done] { done(Status::unavailable("not connected")); });
    return;
  }
  const std::string query = QUrl::toPercentEncoding(path).toStdString();
  raws_.push_back(client_->raw(
      "POST", "/pilothouse/images?path=" + query, {}, {}, nullptr, [done](Result<std::string> r) {
        Result<QStringList> images = QStringList();
        if (r.ok()) {
          boost::system::error_code failed;
          const auto tree = boost::json::parse(*r, failed);
          // "docker.io/library/web:1" is what people call web:1; the short name means the same.
          for (auto& item : json::list(&tree, {"refs"}))
            images.value() << json::text(&item).remove(QStringLiteral("docker.io/library/"));
        } else {
          images = Result<QStringList>(r.status());
        }
        onGui([done, images] { done(images); });
      }));
  if (raws_.size() > 16) raws_.erase(raws_.begin());
}

void Actions::addMachine(const MachineForm& form, Done done) {
  applyAll({object(form)}, tr("Add %1").arg(machineName(form)),
           kubectl::apply(QStringLiteral("machine.yaml")), std::move(done));
}

void Actions::trust(const QString& machine, const QString& hostKey, Done done) {
  client::Write w;
  w.verb = client::Verb::Patch;
  w.info = info(QStringLiteral("fleet.pilothouse.io"), QStringLiteral("v1"), QStringLiteral("machines"));
  w.name = machine.toStdString();
  w.body = boost::json::serialize(boost::json::object{
      {"spec", boost::json::object{{"hostKey", boost::json::string(hostKey.toStdString())}}}});
  write(std::move(w), tr("Trust %1").arg(machine), kubectl::trust(machine, hostKey), std::move(done));
}

void Actions::removeMachine(const QString& machine, Done done) {
  client::Write w;
  w.verb = client::Verb::Delete;
  const bool joined = state_->machine(machine) != nullptr;
  w.info = joined
               ? info(QStringLiteral("fleet.pilothouse.io"), QStringLiteral("v1"), QStringLiteral("machines"))
               : info({}, QStringLiteral("v1"), QStringLiteral("nodes"));
  w.name = machine.toStdString();
  write(std::move(w), tr("Remove %1").arg(machine),
        joined ? kubectl::remove({Subject::Kind::Machine, machine})
               : QStringLiteral("kubectl delete node %1").arg(machine),
        std::move(done));
}

client::Write Actions::removalOf(const ObjectRef& object) const {
  client::Write w;
  w.verb = client::Verb::Delete;
  w.info = info(object.group, object.version, object.plural);
  w.ns = object.ns.toStdString();
  w.name = object.name.toStdString();
  w.propagation = client::Propagation::Background;
  return w;
}

void Actions::removeObject(const ObjectRef& object, Done done) {
  write(removalOf(object), tr("Delete %1").arg(object.name), kubectl::removeAll({object}), std::move(done));
}

void Actions::removeObjects(const QList<ObjectRef>& objects) {
  if (objects.size() == 1) return removeObject(objects.front());
  const QString command = kubectl::removeAll(objects);
  std::vector<client::Write> writes;
  for (auto& o : objects) {
    client::Write w = removalOf(o);
    if (w.info) writes.push_back(std::move(w));
  }
  const QString what = tr("Delete %n object(s)", nullptr, int(objects.size()));
  if (!client_ || int(writes.size()) != objects.size()) {
    emit finished(what, command, false, client_ ? tr("A kind is not known here.") : tr("not connected"));
    return;
  }
  // One group of writes; one answer that names the first refusal.
  client_->writeAll(std::move(writes), [self = QPointer<Actions>(this), what, command](auto results) {
    QString problem;
    int failed = 0;
    for (auto& r : results) {
      if (r.ok() || r.status().isNotFound()) continue;
      if (failed++ == 0) problem = explain(r.status());
    }
    if (failed > 1) problem = tr("%n of them failed. The first: %1", nullptr, failed).arg(problem);
    onGui([self, what, command, failed, problem] {
      if (self) emit self->finished(what, command, failed == 0, problem);
    });
  });
}

void Actions::cordon(const QString& node, bool on, Done done) {
  client::Write w;
  w.verb = client::Verb::Patch;
  w.info = info({}, QStringLiteral("v1"), QStringLiteral("nodes"));
  w.name = node.toStdString();
  w.body = boost::json::serialize(boost::json::object{{"spec", boost::json::object{{"unschedulable", on}}}});
  write(std::move(w), (on ? tr("Keep new pods off %1") : tr("Let new pods onto %1")).arg(node),
        kubectl::cordon(node, on), std::move(done));
}

void Actions::readObject(ObjectForm::Kind kind, const QString& ns, const QString& name,
                         std::function<void(const Result<ObjectForm>&)> done) {
  auto* found = info({}, QStringLiteral("v1"), QLatin1String(kindOf(kind).plural));
  if (!found) {
    onGui([done] { done(Status::unavailable(tr("not connected").toStdString())); });
    return;
  }
  client_->get(*found, ns.toStdString(), name.toStdString(), [done](Result<client::ObjectPtr> r) {
    onGui([done, r] {
      if (!r.ok()) return done(r.status());
      boost::json::value tree = (*r)->tree();
      // It is written back with the revision that was read: what somebody else changes meanwhile is not written over.
      tree.get_object()["metadata"].get_object()["resourceVersion"] = std::to_string((*r)->revision());
      done(formOf(tree));
    });
  });
}

void Actions::listObjects(ObjectForm::Kind kind, std::function<void(const Result<Names>&)> done) {
  auto* found = info({}, QStringLiteral("v1"), QLatin1String(kindOf(kind).plural));
  if (!found) {
    onGui([done] { done(Status::unavailable(tr("not connected").toStdString())); });
    return;
  }
  client::ListOptions options;
  options.limit = 500;
  client_->list(*found, options, [done](Result<client::ListResult> r) {
    Result<Names> names = Names();
    if (r.ok()) {
      for (auto& o : r->items) names.value().append({QString::fromStdString(o->ns()), QString::fromStdString(o->name())});
    } else {
      names = Result<Names>(r.status());
    }
    onGui([done, names] { done(names); });
  });
}

void Actions::saveObject(const ObjectForm& form, Done done) {
  const QString kind = QLatin1String(kindOf(form.kind).kind);
  client::Write w;
  w.verb = form.isNew() ? client::Verb::Create : client::Verb::Update;
  w.info = info({}, QStringLiteral("v1"), QLatin1String(kindOf(form.kind).plural));
  w.ns = kindOf(form.kind).namespaced ? form.ns.toStdString() : std::string();
  if (!form.isNew()) w.name = form.name.toStdString();
  w.body = boost::json::serialize(object(form));
  write(std::move(w), (form.isNew() ? tr("Create %1 %2") : tr("Save %1 %2")).arg(kind, form.name), command(form),
        std::move(done));
}

void Actions::removeObject(const ObjectForm& form, Done done) {
  client::Write w;
  w.verb = client::Verb::Delete;
  w.info = info({}, QStringLiteral("v1"), QLatin1String(kindOf(form.kind).plural));
  w.ns = kindOf(form.kind).namespaced ? form.ns.toStdString() : std::string();
  w.name = form.name.toStdString();
  write(std::move(w), tr("Delete %1 %2").arg(QLatin1String(kindOf(form.kind).kind), form.name), removeCommand(form),
        std::move(done));
}

}  // namespace ph::models
