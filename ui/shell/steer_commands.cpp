#include "ui/shell/steer_commands.h"

#include <QPointer>

#include "ui/dialogs/drain_dialog.h"
#include "ui/dialogs/object_dialog.h"
#include "ui/dialogs/rollout_dialogs.h"
#include "ui/shell/main_window.h"

namespace ph::ui {

using models::Command;
using models::Subject;
namespace kubectl = models::kubectl;

namespace {

struct Steer {
  Q_DECLARE_TR_FUNCTIONS(Steer)
};

const QString kAction = QStringLiteral("action");

// `searched`: only when it is typed for.
void appCommands(QList<Command>& out, MainWindow* window, models::Session* session, const models::WorkloadFacts& w,
                 bool searched) {
  const QString app = w.key, name = w.name;
  auto add = [&](const QString& text, const QString& detail, std::function<void()> run) {
    out.append({text, detail, kAction, std::move(run), searched});
  };
  add(Steer::tr("Restart %1").arg(name), kubectl::restart(app), [session, app] { session->actions.restart(app); });
  add(Steer::tr("New image for %1…").arg(name), Steer::tr("roll out another version"),
      [session, app, window] { openImageDialog(session, app, window); });
  add(Steer::tr("Revisions of %1…").arg(name), Steer::tr("see what changed, undo"),
      [session, app, window] { openRevisionsDialog(session, app, window); });
  add((w.paused ? Steer::tr("Resume the rollout of %1") : Steer::tr("Pause the rollout of %1")).arg(name),
      kubectl::pause(app, !w.paused), [session, app, on = !w.paused] { session->actions.pause(app, on); });
  const int wanted = w.wanted;
  add(Steer::tr("One more copy of %1").arg(name), kubectl::scale(app, wanted + 1),
      [session, app, wanted] { session->actions.scale(app, wanted + 1); });
  if (wanted > 0)
    add(Steer::tr("One copy less of %1").arg(name), kubectl::scale(app, wanted - 1),
        [session, app, wanted] { session->actions.scale(app, wanted - 1); });
  add(Steer::tr("Remove %1…").arg(name), kubectl::remove({Subject::Kind::App, app}),
      [window, app] { window->remove({Subject::Kind::App, app}); });
}

void machineCommands(QList<Command>& out, MainWindow* window, models::Session* session, const models::NodeFacts& node,
                     bool searched) {
  const QString name = node.name;
  auto* machine = session->state.machineOfNode(name);
  const Subject subject{Subject::Kind::Machine, machine ? machine->key : name};
  out.append({Steer::tr("What if %1 goes?").arg(name), Steer::tr("where its pods would go; drain it"), kAction,
              [session, name, window] { openDrainDialog(session, name, window); }, searched});
  out.append({(node.cordoned ? Steer::tr("Let new pods onto %1") : Steer::tr("Keep new pods off %1")).arg(name),
              kubectl::cordon(name, !node.cordoned), kAction,
              [session, name, on = !node.cordoned] { session->actions.cordon(name, on); }, searched});
  out.append({Steer::tr("Remove %1…").arg(name), kubectl::remove(subject), kAction,
              [window, subject] { window->remove(subject); }, searched});
}

}  // namespace

QList<Command> steerCommands(MainWindow* window, models::Session* session, const Subject& selection) {
  QList<Command> out;
  const QString plus = QStringLiteral("plus"), action = Steer::tr("action");
  out.append({Steer::tr("Add machine"), action, plus, [window] { window->addMachine(); }});
  out.append({Steer::tr("Import machines from ~/.ssh/config…"), action, plus,
              [window] { window->addMachine(AddMachineDialog::Way::SshConfig); }});
  out.append({Steer::tr("Add machines from a list or a range…"), action, plus,
              [window] { window->addMachine(AddMachineDialog::Way::List); }});
  if (session->map.machineCount() > 0)
    out.append({Steer::tr("Deploy an application"), action, plus, [window] { window->deploy(); }});
  out.append({Steer::tr("Apply manifest files…"), QStringLiteral("kubectl apply --server-side -f …"), plus,
              [window] { window->chooseManifests(false); }});
  out.append({Steer::tr("Apply a folder of manifests…"), QStringLiteral("kubectl apply --server-side -f …/"), plus,
              [window] { window->chooseManifests(true); }});
  using Kind = models::ObjectForm::Kind;
  const QPair<Kind, QString> made[] = {{Kind::Namespace, Steer::tr("New namespace…")},
                                       {Kind::ConfigMap, Steer::tr("New ConfigMap…")},
                                       {Kind::Secret, Steer::tr("New Secret…")},
                                       {Kind::Quota, Steer::tr("New quota…")}};
  for (auto& [kind, text] : made)
    out.append({text, action, plus, [window, session, kind = kind] { ObjectDialog::make(session, kind, window); }});
  if (selection.kind == Subject::Kind::App) {
    if (auto* w = session->state.workload(selection.key)) appCommands(out, window, session, *w, false);
  } else if (selection.kind == Subject::Kind::Pod) {
    out.append({Steer::tr("Stop %1…").arg(selection.key.section('/', -1)), kubectl::remove(selection), kAction,
                [window, selection] { window->remove(selection); }});
  }
  QString selectedNode;
  if (selection.kind == Subject::Kind::Machine) {
    auto* machine = session->state.machine(selection.key);
    selectedNode = machine && !machine->node.isEmpty() ? machine->node : selection.key;
    if (auto* node = session->state.node(selectedNode))
      machineCommands(out, window, session, *node, false);
    else
      out.append({Steer::tr("Remove %1…").arg(selection.key), kubectl::remove(selection), kAction,
                  [window, selection] { window->remove(selection); }});
  }
  for (auto& [key, w] : session->state.workloads()) {
    if (!(selection == Subject{Subject::Kind::App, key})) appCommands(out, window, session, w, true);
  }
  for (auto& [key, node] : session->state.nodes()) {
    if (key != selectedNode) machineCommands(out, window, session, node, true);
  }
  return out;
}

void listFormCommands(MainWindow* window, models::Session* session,
                      std::function<void(const QList<Command>&)> done) {
  using Kind = models::ObjectForm::Kind;
  for (auto kind : {Kind::Namespace, Kind::ConfigMap, Kind::Secret, Kind::Quota}) {
    session->actions.listObjects(kind, [window = QPointer<MainWindow>(window), session, kind, done](const auto& found) {
      if (!window || !found.ok()) return;  // the palette has all else
      QList<Command> out;
      for (auto& [ns, name] : *found) {
        out.append({Steer::tr("Edit %1…").arg(name),
                    ns.isEmpty() ? QLatin1String(models::kindOf(kind).kind)
                                 : Steer::tr("%1 in %2").arg(QLatin1String(models::kindOf(kind).kind), ns),
                    QStringLiteral("setup"),
                    [window, session, kind, ns = ns, name = name] {
                      if (window) ObjectDialog::edit(session, kind, ns, name, window);
                    },
                    true});
      }
      done(out);
    });
  }
}

}  // namespace ph::ui
