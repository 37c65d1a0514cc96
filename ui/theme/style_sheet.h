// The style sheet of the standard controls, made from the color roles.
#pragma once

#include <QString>

#include "ui/theme/theme.h"

namespace ph::ui {

// Roles of push buttons and labels are dynamic properties: role = "primary" | "quiet" | "danger" | "title" |
// "heading" | "muted" | "caption" | "mono" | "error".
QString styleSheet(const Colors& colors);

}  // namespace ph::ui
