#include "ui/dialogs/ask.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

#include "models/object_ref.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

using models::Subject;

AskDialog::AskDialog(const QString& title, const QStringList& sentences, const QString& command,
                     const QString& yes, bool danger, QWidget* parent)
    : QDialog(parent) {
  setWindowTitle(title);
  setMinimumWidth(460);
  setMaximumWidth(560);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space::xl, space::l, space::xl, space::l);
  layout->setSpacing(space::s);
  auto* head = label(title, "heading", this);
  head->setWordWrap(true);
  layout->addWidget(head);
  for (auto& s : sentences) {
    auto* l = label(s, "muted", this);
    l->setWordWrap(true);
    l->setMinimumWidth(400);
    layout->addWidget(l);
  }
  if (!command.isEmpty()) {
    layout->addSpacing(space::xs);
    auto* box = new CodeBox(this);
    box->setText(command);
    layout->addWidget(box);
  }
  layout->addSpacing(space::s);
  auto* foot = new QHBoxLayout;
  foot->addStretch();
  auto* no = button(tr("Cancel"), nullptr, this);
  no->setObjectName(QStringLiteral("no"));
  auto* ok = button(yes, danger ? "danger" : "primary", this);
  ok->setObjectName(QStringLiteral("yes"));
  foot->addWidget(no);
  foot->addWidget(ok);
  layout->addLayout(foot);
  connect(no, &QPushButton::clicked, this, &QDialog::reject);
  connect(ok, &QPushButton::clicked, this, &QDialog::accept);
  (danger ? no : ok)->setDefault(true);
  (danger ? no : ok)->setFocus();
}

AskDialog* askRemove(models::Session* session, const Subject& subject, QWidget* parent) {
  auto& state = session->state;
  switch (subject.kind) {
    case Subject::Kind::Machine: {
      auto* machine = state.machine(subject.key);
      const QString node = machine && !machine->node.isEmpty() ? machine->node : subject.key;
      const int pods = int(state.podsOnNode(node).size());
      QStringList s;
      if (pods > 0)
        s << AskDialog::tr("Its %n pod(s) stop here and start on other machines where there is room.",
                           nullptr, pods);
      s << (machine
                ? AskDialog::tr(
                      "What Pilothouse installed is taken off again; nothing else on the machine is touched.")
                : AskDialog::tr(
                      "Its Node is forgotten. An agent that still runs there would register it again."));
      return new AskDialog(
          AskDialog::tr("Remove %1 from the fleet?").arg(subject.key), s,
          machine ? models::kubectl::remove(subject) : QStringLiteral("kubectl delete node ") + subject.key,
          AskDialog::tr("Remove"), true, parent);
    }
    case Subject::Kind::App: {
      const int pods = int(state.podsOfApp(subject.key).size());
      QStringList s{AskDialog::tr("Its %n pod(s) stop, everywhere. This can't be undone; the image stays.",
                                  nullptr, pods)};
      auto* service = state.serviceOfApp(subject.key);
      QString command = models::kubectl::remove(subject);
      if (service && service->name == models::appName(subject.key)) {
        s << AskDialog::tr("The service %1 goes too.").arg(service->name);
        command += QStringLiteral("\nkubectl delete service ") + service->name;
      }
      return new AskDialog(AskDialog::tr("Remove %1?").arg(models::appName(subject.key)), s, command,
                           AskDialog::tr("Remove"), true, parent);
    }
    case Subject::Kind::Pod: {
      auto* pod = state.pod(subject.key);
      const bool owned = pod && models::appKind(pod->app) != u"Pod";
      return new AskDialog(
          AskDialog::tr("Stop %1?").arg(subject.key.section('/', 1)),
          {owned ? AskDialog::tr("%1 makes a new one in its place.").arg(models::appName(pod->app))
                 : AskDialog::tr("Nothing makes a new one in its place.")},
          models::kubectl::remove(subject), AskDialog::tr("Stop it"), true, parent);
    }
    case Subject::Kind::Object:
      return askRemoveObjects({models::ObjectRef::of(subject.key)}, parent);
    case Subject::Kind::None:
      break;
  }
  return nullptr;
}

AskDialog* askRemoveObjects(const QList<models::ObjectRef>& objects, QWidget* parent) {
  const QString title =
      objects.size() == 1
          ? AskDialog::tr("Delete %1 %2?").arg(objects.front().kind.toLower(), objects.front().name)
          : AskDialog::tr("Delete %n object(s)?", nullptr, int(objects.size()));
  return new AskDialog(title, {AskDialog::tr("What they own goes with them. This can't be undone.")},
                       models::kubectl::removeAll(objects), AskDialog::tr("Delete"), true, parent);
}

AskDialog* askClose(models::Session* session, QWidget* parent) {
  auto& h = session->state.health();
  QStringList s;
  if (!session->place().ownEngine) {
    s << AskDialog::tr("The engine runs elsewhere: everything goes on without this window.");
  } else {
    s << (h.pods > 0 ? AskDialog::tr("Goes on: the %n pod(s) keep running on their machines, restart there "
                                     "when they fail, and their services answer.",
                                     nullptr, h.pods)
                     : AskDialog::tr("Goes on: the machines stay as they are."));
    s << AskDialog::tr(
        "Stops: healing across machines, scaling, deploying, kubectl. A machine that is lost meanwhile is "
        "noticed when Pilothouse runs again, and all takes part again then.");
    s << AskDialog::tr(
        "For a cluster that heals around the clock, run pilothouse-engine on a machine that is always on.");
  }
  return new AskDialog(AskDialog::tr("Close Pilothouse?"), s, {}, AskDialog::tr("Close"), false, parent);
}

}  // namespace ph::ui
