// Carrying work over to the GUI thread. Threads: from any thread.
#pragma once

#include <QCoreApplication>
#include <QMetaObject>
#include <functional>

namespace ph::models {

// Runs `f` on the GUI thread soon; drops it when the application is going.
inline void onGui(std::function<void()> f) {
  if (auto* app = QCoreApplication::instance())
    QMetaObject::invokeMethod(app, std::move(f), Qt::QueuedConnection);
}

}  // namespace ph::models
