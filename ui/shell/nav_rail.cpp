#include "ui/shell/nav_rail.h"

#include <QKeySequence>
#include <QPainter>

#include "ui/theme/icons.h"
#include "ui/theme/theme.h"

namespace ph::ui {

namespace {

class RailButton : public QAbstractButton {
 public:
  RailButton(const QString& icon, const QString& text, QWidget* parent)
      : QAbstractButton(parent), icon_(icon) {
    setText(text);
    setAccessibleName(text);
    setCheckable(true);
    setFixedSize(64, 56);
    setFocusPolicy(Qt::TabFocus);
    setAttribute(Qt::WA_Hover);
    connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
  }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    const QColor c = isChecked()    ? colors().text
                     : underMouse() ? mix(colors().muted, colors().text, 0.6)
                                    : colors().muted;
    if (isChecked() || hasFocus()) {
      p.setPen(hasFocus() ? QPen(colors().accent, 1) : QPen(Qt::NoPen));
      p.setBrush(isChecked() ? QBrush(colors().raised) : QBrush(Qt::NoBrush));
      p.drawRoundedRect(QRectF(8.5, 2.5, 47, 51), 8, 8);
    }
    if (isChecked()) p.fillRect(QRectF(0, 12, 2, 32), colors().accent);
    p.drawPixmap(QPointF(21, 9), iconPixmap(icon_, 22, c, devicePixelRatioF()));
    p.setFont(typeface(Text::Caption));
    p.setPen(c);
    p.drawText(QRectF(0, 33, 64, 16), Qt::AlignCenter,
               QFontMetricsF(typeface(Text::Caption)).elidedText(text(), Qt::ElideRight, 62));
  }

 private:
  QString icon_;
};

}  // namespace

NavRail::NavRail(QWidget* parent) : QWidget(parent) {
  setFixedWidth(65);
  setAccessibleName(tr("Views"));
  layout_ = new QVBoxLayout(this);
  layout_->setContentsMargins(0, 14, 1, 0);
  layout_->setSpacing(6);
  layout_->addStretch();
  connect(&group_, &QButtonGroup::idClicked, this, &NavRail::chosen);
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
}

void NavRail::add(int id, const QString& icon, const QString& text, const QKeySequence& key) {
  auto* b = new RailButton(icon, text, this);
  b->setToolTip(tr("%1 (%2)").arg(text, key.toString(QKeySequence::NativeText)));
  b->setShortcut(key);
  group_.addButton(b, id);
  layout_->insertWidget(layout_->count() - 1, b);
}

void NavRail::setCurrent(int id) {
  if (auto* b = group_.button(id)) b->setChecked(true);
}

void NavRail::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.fillRect(rect(), colors().surface);
  p.fillRect(QRect(width() - 1, 0, 1, height()), colors().line);
}

}  // namespace ph::ui
