// Theme: the one design system: color roles, spacing, type scale, radii, motion. Every widget asks it and
// repaints on `changed`; no color or size is written anywhere else. Threads: GUI thread only.
#pragma once

#include <QColor>
#include <QFont>
#include <QObject>
#include <array>

#include "models/words.h"

namespace ph::ui {

using models::Tone;

struct Colors {
  QColor background, surface, raised, line;
  QColor text, muted, accent, onAccent;
  QColor ok, warn, error;
  // The same for words: a step nearer to the text color where the look's own is below 4.5 : 1 on a ground of ours.
  QColor okText, warnText, errorText, accentText;
  QColor selection;             // behind selected rows
  std::array<QColor, 10> apps;  // in order of appearance
  bool dark = true;
};

// Spacing in pixels.
namespace space {
constexpr int xs = 4, s = 8, m = 12, l = 16, xl = 24;
}
namespace radius {
constexpr int tile = 3, control = 6, card = 10;
}

enum class Text : uint8_t { Caption, Body, BodyStrong, Heading, Title, Mono, MonoSmall };

class Theme : public QObject {
  Q_OBJECT
 public:
  enum class Mode : uint8_t { System, Dark, Light };
  // The application's; made with the first call, after QApplication.
  static Theme& get();

  void setMode(Mode mode);
  Mode mode() const { return mode_; }
  const Colors& colors() const { return colors_; }
  const QFont& font(Text text) const { return fonts_[size_t(text)]; }
  QColor tone(Tone tone) const;      // of dots, bars, lines
  QColor textTone(Tone tone) const;  // of words
  QColor app(int color) const {
    return color < 0 ? colors_.muted : colors_.apps[size_t(color) % colors_.apps.size()];
  }
  // Milliseconds of a motion; 0 when the system asks for less.
  int motion(int ms = 160) const;
  void setMotion(bool on) { motion_ = on; }

  static Colors palette(bool dark);

 signals:
  void changed();

 private:
  Theme();
  bool eventFilter(QObject* watched, QEvent* event) override;
  void apply();
  bool systemIsDark() const;

  Mode mode_ = Mode::System;
  bool motion_ = true, applying_ = false;
  Colors colors_;
  std::array<QFont, 7> fonts_;
};

inline const Colors& colors() {
  return Theme::get().colors();
}
inline const QFont& typeface(Text text) {
  return Theme::get().font(text);
}

// WCAG 2 contrast of two opaque colors, 1..21.
double contrast(const QColor& a, const QColor& b);
// `part` of b over a.
QColor mix(const QColor& a, const QColor& b, double part);

}  // namespace ph::ui
