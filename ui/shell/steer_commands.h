// The palette's commands that change the cluster: of what is selected first, of everything else when it is searched
// for. Threads: GUI thread only.
#pragma once

#include "models/palette_model.h"

namespace ph::ui {

class MainWindow;

QList<models::Command> steerCommands(MainWindow* window, models::Session* session, const models::Subject& selection);
// Editing each namespace, ConfigMap, Secret and quota: asked for now, given when the answers come.
void listFormCommands(MainWindow* window, models::Session* session,
                      std::function<void(const QList<models::Command>&)> done);

}  // namespace ph::ui
