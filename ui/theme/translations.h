// Translations: the texts of the system's language; English has its plurals in a file too. Threads: GUI
// thread, at start.
#pragma once

class QCoreApplication;

namespace ph::ui {

void installTranslations(QCoreApplication& app);

}  // namespace ph::ui
