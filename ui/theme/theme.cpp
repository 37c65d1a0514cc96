#include "ui/theme/theme.h"

#include <QApplication>
#include <QEvent>
#include <QFontDatabase>
#include <QStyle>
#include <QStyleFactory>
#include <cmath>

#include "ui/theme/style_sheet.h"

namespace ph::ui {

namespace {

QFont makeFont(double pixels, QFont::Weight weight, bool mono) {
  static const QString sans = [] {
    const auto have = QFontDatabase::families();
    return have.contains(QStringLiteral("Inter")) ? QStringLiteral("Inter") : QApplication::font().family();
  }();
  static const QString fixed = QFontDatabase::systemFont(QFontDatabase::FixedFont).family();
  static const bool dejavu = QFontDatabase::families().contains(QStringLiteral("DejaVu Sans Mono"));
  QFont f;
  // The families behind are for what the first has no glyphs of: Chinese, Japanese, Korean.
  f.setFamilies({mono ? (dejavu ? QStringLiteral("DejaVu Sans Mono") : fixed) : sans,
                 QStringLiteral("Noto Sans CJK SC"), QStringLiteral("WenQuanYi Micro Hei"),
                 QStringLiteral("DejaVu Sans")});
  f.setPixelSize(int(std::lround(pixels)));
  f.setWeight(weight);
  f.setHintingPreference(QFont::PreferNoHinting);
  if (mono) f.setStyleHint(QFont::Monospace);
  return f;
}

}  // namespace

double contrast(const QColor& a, const QColor& b) {
  auto luminance = [](const QColor& c) {
    auto part = [](double v) { return v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); };
    return 0.2126 * part(c.redF()) + 0.7152 * part(c.greenF()) + 0.0722 * part(c.blueF());
  };
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

QColor mix(const QColor& a, const QColor& b, double part) {
  auto m = [&](double x, double y) { return float(x + (y - x) * part); };
  return QColor::fromRgbF(m(a.redF(), b.redF()), m(a.greenF(), b.greenF()), m(a.blueF(), b.blueF()));
}

Colors Theme::palette(bool dark) {
  Colors c;
  c.dark = dark;
  if (dark) {
    c.background = 0x0F1419;
    c.surface = 0x161C23;
    c.raised = 0x1E2630;
    c.line = 0x2A3440;
    c.text = 0xE6EDF3;
    c.muted = 0x8B98A5;
    c.accent = 0x4C9AFF;
    c.onAccent = 0x0B1220;
    c.ok = 0x3FB68B;
    c.warn = 0xE3A33B;
    c.error = 0xE5534B;
    c.apps = {0x5B9DFF, 0xB58CFF, 0x3CC4C0, 0xF2A65A, 0x8BC34A,
              0xF27BA9, 0xD9C84A, 0x7FB8D9, 0xC98F6B, 0x9AA7B5};
  } else {
    c.background = 0xF4F6F8;
    c.surface = 0xFFFFFF;
    c.raised = 0xF0F3F6;
    c.line = 0xD8DEE4;
    c.text = 0x1F2328;
    c.muted = 0x656D76;
    c.accent = 0x0B66D8;
    c.onAccent = 0xFFFFFF;
    c.ok = 0x1F8A5F;
    c.warn = 0xA86B00;
    c.error = 0xC4332B;
    c.apps = {0x3F83EE, 0x9A6BEF, 0x1FA6A2, 0xE08A35, 0x6FA332,
              0xDB5A8E, 0xB5A21F, 0x4F93BC, 0xA86F4B, 0x75838F};
  }
  auto forText = [&](QColor tone) {
    auto fits = [&](const QColor& color) {
      return contrast(color, c.background) >= 4.5 && contrast(color, c.surface) >= 4.5 && contrast(color, c.raised) >= 4.5;
    };
    QColor out = tone;
    for (int step = 1; step <= 20 && !fits(out); ++step) out = mix(tone, c.text, step * 0.05);
    return QColor(out.rgb());
  };
  c.okText = forText(c.ok);
  c.warnText = forText(c.warn);
  c.errorText = forText(c.error);
  c.accentText = forText(c.accent);
  c.selection = mix(c.surface, c.accent, dark ? 0.22 : 0.12);
  return c;
}

Theme& Theme::get() {
  static Theme* theme =
      new Theme;  // lives as long as the process; QApplication may go before static destructors
  return *theme;
}

Theme::Theme() {
  using W = QFont::Weight;
  fonts_ = {makeFont(11, W::Normal, false),   makeFont(13, W::Normal, false),
            makeFont(13, W::DemiBold, false), makeFont(15, W::DemiBold, false),
            makeFont(20, W::DemiBold, false), makeFont(12, W::Normal, true),
            makeFont(11, W::Normal, true)};
  QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
  QApplication::setFont(fonts_[size_t(Text::Body)]);
  qApp->installEventFilter(this);
  apply();
}

bool Theme::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::ApplicationPaletteChange && mode_ == Mode::System && !applying_ &&
      watched == qApp && systemIsDark() != colors_.dark) {
    apply();
  }
  return false;
}

bool Theme::systemIsDark() const {
  // The platform's own palette; ours is set on windows through the style sheet, never on the application.
  return QGuiApplication::palette().color(QPalette::Window).lightness() < 128;
}

void Theme::setMode(Mode mode) {
  mode_ = mode;
  apply();
}

void Theme::apply() {
  applying_ = true;
  colors_ = palette(mode_ == Mode::System ? systemIsDark() : mode_ == Mode::Dark);
  qApp->setStyleSheet(styleSheet(colors_));
  applying_ = false;
  emit changed();
}

QColor Theme::tone(Tone tone) const {
  switch (tone) {
    case Tone::Plain:
      return colors_.muted;
    case Tone::Info:
      return colors_.accent;
    case Tone::Ok:
      return colors_.ok;
    case Tone::Warn:
      return colors_.warn;
    case Tone::Error:
      return colors_.error;
  }
  return colors_.text;
}

QColor Theme::textTone(Tone tone) const {
  switch (tone) {
    case Tone::Plain: return colors_.muted;
    case Tone::Info: return colors_.accentText;
    case Tone::Ok: return colors_.okText;
    case Tone::Warn: return colors_.warnText;
    case Tone::Error: return colors_.errorText;
  }
  return colors_.text;
}

int Theme::motion(int ms) const {
  if (!motion_ || qEnvironmentVariableIntValue("PILOTHOUSE_REDUCED_MOTION") > 0) return 0;
  auto* style = QApplication::style();
  return style && style->styleHint(QStyle::SH_Widget_Animation_Duration) <= 0 ? 0 : ms;
}

}  // namespace ph::ui
