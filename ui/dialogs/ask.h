// Questions before what can't be taken back: remove a machine, an application, stop a pod, close the window.
// Threads: GUI thread only.
#pragma once

#include <QDialog>

#include "models/session.h"

namespace ph::models {
struct ObjectRef;
}

namespace ph::ui {

// A title, some sentences, the command that it is, and two buttons; the safe one has the focus.
class AskDialog : public QDialog {
  Q_OBJECT
 public:
  AskDialog(const QString& title, const QStringList& sentences, const QString& command, const QString& yes,
            bool danger, QWidget* parent);
};

AskDialog* askRemove(models::Session* session, const models::Subject& subject, QWidget* parent);
AskDialog* askRemoveObjects(const QList<models::ObjectRef>& objects, QWidget* parent);
// What goes on and what stops.
AskDialog* askClose(models::Session* session, QWidget* parent);

}  // namespace ph::ui
