#include "ui/theme/style_sheet.h"

namespace ph::ui {

namespace {

constexpr const char* kSheet = R"(
QWidget { color: @text; selection-background-color: @accent; selection-color: @onAccent; }
QMainWindow, QDialog { background: @background; }
QDialog, QMessageBox { background: @surface; }
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: 6px 8px; }
QLabel { background: transparent; }
QLabel:disabled { color: @muted; }
QLabel[role="title"] { font-size: 20px; font-weight: 600; }
QLabel[role="heading"] { font-size: 15px; font-weight: 600; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="muted"] { color: @muted; }
QLabel[role="caption"] { color: @muted; font-size: 11px; }
QLabel[role="error"] { color: @errorText; font-size: 12px; }
QLabel[role="warn"] { color: @warnText; font-size: 12px; }
QLabel[role="ok"] { color: @okText; font-size: 12px; }
QLabel[role="mono"] { font-family: "DejaVu Sans Mono", monospace; font-size: 12px; }
QPushButton { background: @raised; border: 1px solid @line; border-radius: 6px; padding: 5px 12px; min-height: 18px; }
QPushButton:hover { background: @hover; }
QPushButton:pressed { background: @line; }
QPushButton:focus { border-color: @accent; }
QPushButton:disabled { color: @muted; background: @surface; }
QPushButton[role="primary"] { background: @accent; color: @onAccent; border-color: @accent; font-weight: 600; }
QPushButton[role="primary"]:hover { background: @accentHover; border-color: @accentHover; }
QPushButton[role="primary"]:focus { border-color: @text; }
QPushButton[role="primary"]:disabled { background: @raised; color: @muted; border-color: @line; font-weight: 400; }
QPushButton[role="danger"] { color: @errorText; }
QPushButton[role="danger"]:focus { border-color: @error; }
QPushButton[role="quiet"] { background: transparent; border-color: transparent; color: @muted; }
QPushButton[role="quiet"]:hover { background: @raised; color: @text; }
QPushButton[role="quiet"]:focus { border-color: @accent; }
QPushButton[role="link"] { background: transparent; border: 0; color: @accent; padding: 0; text-align: left; }
QPushButton[role="link"]:focus { text-decoration: underline; }
QPushButton::menu-indicator { image: url(:/icons/@mode/down.svg); width: 10px; height: 10px; subcontrol-origin: border; subcontrol-position: right center; right: 8px; }
QPushButton[role="menu"] { padding-right: 24px; }
QPushButton:checked { background: @selection; border-color: @accent; }
QToolButton { background: @raised; border: 1px solid @line; border-radius: 6px; padding: 4px 8px; color: @muted; }
QToolButton:checked { color: @text; border-color: @muted; }
QToolButton:focus { border-color: @accent; }
QToolButton[role="icon"] { background: transparent; border: 0; padding: 2px; }
QToolButton[role="icon"]:hover { background: @line; }
QToolButton[role="tool"] { background: transparent; border: 1px solid transparent; padding: 3px; }
QToolButton[role="tool"]:hover { background: @raised; }
QToolButton[role="tool"]:checked { background: @selection; }
QToolButton[role="tool"]:focus { border-color: @accent; }
QPushButton[role="pill"] { background: @accent; color: @onAccent; border: 0; border-radius: 13px; padding: 4px 14px; font-weight: 600; }
QPushButton[role="pill"]:hover { background: @accentHover; }
QPushButton[role="pill"]:focus { border: 1px solid @text; }
QWidget[role="rule"] { background: @line; }
QScrollArea, QAbstractScrollArea { background: transparent; border: 0; }
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit, QTextEdit {
  background: @field; border: 1px solid @line; border-radius: 6px; padding: 4px 8px; min-height: 20px; }
QListView[role="field"] { background: @field; border: 1px solid @line; border-radius: 6px; padding: 4px 2px;
  font-family: "DejaVu Sans Mono", monospace; font-size: 12px; }
QListView[role="field"]:focus { border-color: @accent; }
QListView[role="field"]::item { min-height: 22px; padding: 0 6px; border-radius: 4px; }
QPlainTextEdit[role="code"], QLabel[role="code"] {
  background: @raised; border: 0; border-radius: 6px; padding: 8px 10px;
  font-family: "DejaVu Sans Mono", monospace; font-size: 12px; }
#zoom { background: @surface; border: 1px solid @line; border-radius: 6px; }
QLineEdit:focus, QSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus { border-color: @accent; }
QLineEdit[invalid="true"], QSpinBox[invalid="true"] { border-color: @error; }
QLineEdit:disabled, QSpinBox:disabled, QComboBox:disabled { color: @muted; }
QSpinBox::up-button, QSpinBox::down-button { width: 18px; border: 0; background: transparent; }
QSpinBox::up-arrow { image: url(:/icons/@mode/up.svg); width: 10px; height: 10px; }
QSpinBox::down-arrow, QComboBox::down-arrow { image: url(:/icons/@mode/down.svg); width: 10px; height: 10px; }
QComboBox::drop-down { border: 0; width: 22px; }
QComboBox QAbstractItemView, QMenu { background: @raised; border: 1px solid @line; padding: 4px; outline: 0; }
QComboBox QAbstractItemView::item { min-height: 26px; padding: 0 8px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: @selection; }
QMenu::separator { height: 1px; background: @line; margin: 4px 8px; }
QCheckBox { spacing: 8px; }
QCheckBox::indicator, QAbstractItemView::indicator { width: 14px; height: 14px; border: 1px solid @muted; border-radius: 3px; background: @field; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked { background: @accent; border-color: @accent; image: url(:/icons/@mode/check.svg); }
QCheckBox:focus { color: @accent; }
QTabBar { background: transparent; border: 0; }
QTabBar::tab { background: transparent; color: @muted; padding: 6px 0 8px 0; margin-right: 6px; border: 0;
  border-bottom: 2px solid transparent; font-size: 12px; }
QTabBar::scroller { width: 36px; }
QTabBar QToolButton { background: @surface; border: 0; width: 18px; }
QTabBar QToolButton::left-arrow { image: url(:/icons/@mode/left.svg); width: 10px; height: 10px; }
QTabBar QToolButton::right-arrow { image: url(:/icons/@mode/right.svg); width: 10px; height: 10px; }
QTabBar::tab:selected { color: @text; font-weight: 600; border-bottom-color: @accent; }
QTabBar::tab:hover { color: @text; }
QTabBar::tab:focus { color: @accent; }
QScrollArea > QWidget > QWidget { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @line; border-radius: 4px; margin: 1px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: @muted; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page { background: transparent; border: 0; width: 0; height: 0; }
QSplitter::handle { background: transparent; }
QAbstractItemView { background: transparent; border: 0; outline: 0; alternate-background-color: @surface; }
QTableView { gridline-color: @line; background: @background; }
QHeaderView { background: @background; border: 0; }
QHeaderView::section { background: @background; color: @muted; border: 0; border-bottom: 1px solid @line; padding: 6px 8px; font-size: 11px; }
QTableView::item { padding: 0 8px; border-bottom: 1px solid @lineSoft; }
QTableView::item:selected, QListView::item:selected { background: @selection; color: @text; }
QProgressBar { background: @raised; border: 0; border-radius: 3px; max-height: 6px; min-height: 6px; text-align: center; color: transparent; }
QProgressBar::chunk { background: @accent; border-radius: 3px; }
)";

}  // namespace

QString styleSheet(const Colors& c) {
  QString s = QLatin1String(kSheet);
  const std::pair<const char*, QString> roles[] = {
      // Longer names first: "@accentHover" must not be read as "@accent" and a rest.
      {"@accentHover", mix(c.accent, c.text, 0.14).name()},
      {"@okText", c.okText.name()},
      {"@warnText", c.warnText.name()},
      {"@errorText", c.errorText.name()},
      {"@onAccent", c.onAccent.name()},
      {"@accent", c.accent.name()},
      {"@background", c.background.name()},
      {"@surface", c.surface.name()},
      {"@raised", c.raised.name()},
      {"@lineSoft", mix(c.background, c.line, 0.5).name()},
      {"@line", c.line.name()},
      {"@text", c.text.name()},
      {"@muted", c.muted.name()},
      {"@ok", c.ok.name()},
      {"@warn", c.warn.name()},
      {"@error", c.error.name()},
      {"@hover", mix(c.raised, c.text, 0.08).name()},
      {"@selection", c.selection.name()},
      {"@field", (c.dark ? c.raised : c.surface).name()},
      {"@mode", c.dark ? QStringLiteral("dark") : QStringLiteral("light")},
  };
  for (auto& [name, value] : roles) s.replace(QLatin1String(name), value);
  return s;
}

}  // namespace ph::ui
