// Pictures of a window in both looks and both densities, kept for people to look at: build/PRESET/ui-pictures. Empty when it
// went well, else what did not: a picture of hardly any color shows nothing. The look is as it was afterwards.
// Threads: GUI thread only.
#pragma once

#include <QString>

class QWidget;

namespace ph::test {

QString savePictures(QWidget& w, const QString& name);

}  // namespace ph::test
