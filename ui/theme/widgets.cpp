#include "ui/theme/widgets.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPlainTextEdit>
#include <QStyle>
#include <QStyleOptionViewItem>
#include <QTextLayout>
#include <QToolButton>
#include <QToolTip>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "ui/map/card_painter.h"
#include "ui/theme/icons.h"

namespace ph::ui {

void setRole(QWidget* widget, const char* role) {
  widget->setProperty("role", QLatin1String(role ? role : ""));
  widget->style()->unpolish(widget);
  widget->style()->polish(widget);
}

QLabel* label(const QString& text, const char* role, QWidget* parent) {
  auto* l = new QLabel(text, parent);
  if (role) l->setProperty("role", QLatin1String(role));
  return l;
}

QPushButton* button(const QString& text, const char* role, QWidget* parent) {
  auto* b = new QPushButton(text, parent);
  if (role) b->setProperty("role", QLatin1String(role));
  b->setAutoDefault(false);
  return b;
}

QPushButton* submitButton(const QString& text, QWidget* parent) {
  auto* b = button(text, "primary", parent);
  b->setObjectName(QStringLiteral("submit"));
  b->setDefault(true);
  return b;
}

DialogFoot dialogFoot(QVBoxLayout* into, const QString& out, const QString& submit, QWidget* dialog) {
  DialogFoot foot{new QHBoxLayout, label({}, "error", dialog), button(out, nullptr, dialog), submitButton(submit, dialog)};
  foot.row->setSpacing(space::s);
  foot.failure->setWordWrap(true);
  foot.row->addWidget(foot.failure, 1);
  foot.row->addWidget(foot.out);
  foot.row->addWidget(foot.submit);
  into->addLayout(foot.row);
  return foot;
}

QPlainTextEdit* codeView(const QString& accessibleName, QWidget* parent) {
  auto* view = new QPlainTextEdit(parent);
  view->setReadOnly(true);
  view->setProperty("role", "code");
  view->setLineWrapMode(QPlainTextEdit::NoWrap);
  view->setAccessibleName(accessibleName);
  return view;
}

void paintChosen(QPainter& p, const QRectF& r, const QStyleOptionViewItem& option, bool hover) {
  const bool selected = option.state & QStyle::State_Selected;
  if (!selected && !(hover && option.state & QStyle::State_MouseOver)) return;
  p.setPen(option.state & QStyle::State_HasFocus ? QPen(colors().accent, 1) : QPen(Qt::NoPen));
  p.setBrush(selected ? colors().selection : colors().raised);
  p.drawRoundedRect(r, radius::control, radius::control);
}

ElidedLabel::ElidedLabel(Text style, QWidget* parent, Qt::TextElideMode mode)
    : QWidget(parent), style_(style), mode_(mode) {
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
}

void ElidedLabel::setText(const QString& text) {
  if (text == text_) return;
  text_ = text;
  setAccessibleName(text);
  updateGeometry();
  update();
}

void ElidedLabel::setTone(std::optional<Tone> tone) {
  tone_ = tone;
  update();
}

void ElidedLabel::setMuted(bool muted) {
  muted_ = muted;
  update();
}

QSize ElidedLabel::sizeHint() const {
  const QFontMetricsF m(typeface(style_));
  return {int(std::ceil(m.horizontalAdvance(text_))) + 2, int(std::ceil(m.height())) + 2};
}

QSize ElidedLabel::minimumSizeHint() const {
  return {20, sizeHint().height()};
}

void ElidedLabel::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.setFont(typeface(style_));
  p.setPen(tone_ ? Theme::get().textTone(*tone_) : muted_ ? colors().muted : colors().text);
  const QString s = QFontMetricsF(typeface(style_)).elidedText(text_, mode_, width());
  setToolTip(s == text_ ? QString() : text_);
  p.drawText(rect(), int(alignment_) | Qt::TextSingleLine, s);
}

Line::Line(QWidget* parent) : QWidget(parent) {
  setFixedHeight(1);
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
}

void Line::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), colors().line);
}

FactRows::FactRows(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
}

void FactRows::set(std::vector<Fact> facts) {
  if (facts == facts_) return;
  const bool resize = facts.size() != facts_.size() || sizeHint().height() != int(rowTop(facts_.size()));
  facts_ = std::move(facts);
  QStringList spoken;
  for (auto& f : facts_) spoken << f.name + QStringLiteral(": ") + f.value;
  setAccessibleName(spoken.join(QStringLiteral("; ")));
  if (resize) updateGeometry();
  updateGeometry();
  update();
}

double FactRows::rowTop(size_t row) const {
  double y = 0;
  for (size_t i = 0; i < row && i < facts_.size(); ++i) y += facts_[i].bar >= 0 ? 36 : 26;
  return y;
}

QSize FactRows::sizeHint() const {
  return {240, int(rowTop(facts_.size()))};
}

void FactRows::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.setRenderHint(QPainter::Antialiasing);
  for (size_t i = 0; i < facts_.size(); ++i) {
    auto& f = facts_[i];
    const QRectF r(0, rowTop(i), width(), 26);
    const QFontMetricsF names(typeface(Text::Body));
    const double nameWidth = std::min(names.horizontalAdvance(f.name) + 2, r.width() * 0.5);
    p.setFont(typeface(Text::Body));
    p.setPen(colors().muted);
    p.drawText(QRectF(r.left(), r.top(), nameWidth, r.height()),
               Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
               names.elidedText(f.name, Qt::ElideRight, nameWidth));
    const QFont& font = typeface(f.mono ? Text::Mono : Text::Body);
    const QRectF v = r.adjusted(nameWidth + 12, 0, 0, 0);
    p.setFont(font);
    p.setPen(f.tone ? Theme::get().textTone(*f.tone) : colors().text);
    p.drawText(v, Qt::AlignRight | Qt::AlignVCenter | Qt::TextSingleLine,
               QFontMetricsF(font).elidedText(f.value, f.mono ? Qt::ElideMiddle : Qt::ElideRight, v.width()));
    if (f.bar >= 0) {
      const QRectF track(0, r.bottom() + 1, width(), 5);
      p.setPen(Qt::NoPen);
      p.setBrush(colors().raised);
      p.drawRoundedRect(track, 2.5, 2.5);
      if (f.bar > 0) {
        p.setBrush(f.tone ? Theme::get().tone(*f.tone) : colors().accent);
        p.drawRoundedRect(
            QRectF(track.topLeft(), QSizeF(std::clamp(track.width() * f.bar, 5.0, track.width()), 5)), 2.5,
            2.5);
      }
    }
  }
}

bool FactRows::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    auto* help = static_cast<QHelpEvent*>(event);
    for (size_t i = 0; i < facts_.size(); ++i) {
      if (help->y() < rowTop(i) || help->y() >= rowTop(i + 1)) continue;
      const double room =
          width() - QFontMetricsF(typeface(Text::Body)).horizontalAdvance(facts_[i].name) - 12;
      const QFont& font = typeface(facts_[i].mono ? Text::Mono : Text::Body);
      if (QFontMetricsF(font).horizontalAdvance(facts_[i].value) > room)
        QToolTip::showText(help->globalPos(), facts_[i].value, this);
    }
    return true;
  }
  return QWidget::event(event);
}

RowList::RowList(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  setMouseTracking(true);
  setFocusPolicy(Qt::TabFocus);
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
}

void RowList::set(std::vector<Row> rows, int more) {
  if (rows == rows_ && more == more_) return;
  rows_ = std::move(rows);
  more_ = more;
  cursor_ = std::clamp(cursor_, 0, std::max(0, int(rows_.size()) - 1));
  QStringList spoken;
  for (auto& r : rows_) spoken << QStringList{r.text, r.middle, r.right}.join(' ');
  setAccessibleDescription(spoken.join(QStringLiteral("; ")));
  updateGeometry();
  update();
}

QSize RowList::sizeHint() const {
  return {240, int(rows_.size() + (more_ > 0)) * kHeight};
}

void RowList::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.setRenderHint(QPainter::Antialiasing);
  for (int i = 0; i < int(rows_.size()); ++i) {
    const Row& row = rows_[i];
    const QRectF r = rowRect(i);
    if (i == hover_ || (hasFocus() && i == cursor_)) {
      p.setPen(Qt::NoPen);
      p.setBrush(colors().raised);
      p.drawRoundedRect(r.adjusted(-4, 1, 4, -1).intersected(QRectF(rect())), 4, 4);
    }
    double x = 2;
    if (row.shape >= 0) {
      CardPainter::drawShape(p, QRectF(x, std::round(r.center().y() - 6), 12, 12),
                             CardPainter::Shape(row.shape), Theme::get().app(row.color));
      x += 22;
    } else if (row.color != -2) {
      p.setPen(Qt::NoPen);
      p.setBrush(row.color >= 0 ? Theme::get().app(row.color)
                                : Theme::get().tone(row.dot.value_or(row.tone)));
      if (row.color >= 0)
        p.drawRoundedRect(QRectF(x, std::round(r.center().y() - 6), 12, 12), 3, 3);
      else
        p.drawEllipse(QPointF(x + 5, r.center().y()), 4.5, 4.5);
      x += 22;
    }
    const QFontMetricsF body(typeface(Text::Body));
    const double rightWidth =
        row.right.isEmpty() ? 0 : std::min(body.horizontalAdvance(row.right) + 2, r.width() * 0.5);
    const double middleWidth =
        row.middle.isEmpty() ? 0 : std::min(body.horizontalAdvance(row.middle) + 2, r.width() * 0.26);
    const double middleRight = r.right() - 4 - std::max(rightWidth, middleWidth > 0 ? 62.0 : 0);
    p.setFont(typeface(Text::Body));
    p.setPen(Theme::get().textTone(row.tone));
    p.drawText(QRectF(r.right() - 4 - rightWidth, r.top(), rightWidth, r.height()),
               Qt::AlignRight | Qt::AlignVCenter | Qt::TextSingleLine,
               body.elidedText(row.right, Qt::ElideRight, rightWidth));
    double textRight = middleRight - 10;
    if (middleWidth > 0) {
      p.setPen(colors().muted);
      p.drawText(QRectF(middleRight - 10 - middleWidth, r.top(), middleWidth, r.height()),
                 Qt::AlignRight | Qt::AlignVCenter | Qt::TextSingleLine,
                 body.elidedText(row.middle, Qt::ElideRight, middleWidth));
      textRight -= middleWidth + 10;
    }
    const QFont& font = typeface(row.mono ? Text::Mono : Text::Body);
    p.setFont(font);
    p.setPen(colors().text);
    p.drawText(QRectF(x, r.top(), textRight - x, r.height()),
               Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
               QFontMetricsF(font).elidedText(row.text, Qt::ElideMiddle, textRight - x));
  }
  if (more_ > 0) {
    p.setFont(typeface(Text::Caption));
    p.setPen(colors().muted);
    p.drawText(rowRect(int(rows_.size())).adjusted(2, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
               tr("and %n more", nullptr, more_));
  }
}

void RowList::mouseMoveEvent(QMouseEvent* event) {
  const int row = int(event->position().y()) / kHeight;
  const int now = row < int(rows_.size()) ? row : -1;
  if (now == hover_) return;
  hover_ = now;
  setCursor(now >= 0 ? Qt::PointingHandCursor : Qt::ArrowCursor);
  update();
}

void RowList::mouseReleaseEvent(QMouseEvent* event) {
  const int row = int(event->position().y()) / kHeight;
  if (event->button() == Qt::LeftButton && row >= 0 && row < int(rows_.size())) {
    cursor_ = row;
    emit activated(models::Subject(rows_[row].subject));
  }
}

void RowList::leaveEvent(QEvent*) {
  hover_ = -1;
  update();
}

void RowList::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Down || event->key() == Qt::Key_Up) {
    cursor_ =
        std::clamp(cursor_ + (event->key() == Qt::Key_Down ? 1 : -1), 0, std::max(0, int(rows_.size()) - 1));
    update();
  } else if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter ||
              event->key() == Qt::Key_Space) &&
             cursor_ < int(rows_.size())) {
    emit activated(models::Subject(rows_[cursor_].subject));
  } else {
    QWidget::keyPressEvent(event);
  }
}

bool RowList::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const int row = static_cast<QHelpEvent*>(event)->y() / kHeight;
    if (row < int(rows_.size())) {
      QToolTip::showText(
          static_cast<QHelpEvent*>(event)->globalPos(),
          QStringList{rows_[row].text, rows_[row].middle, rows_[row].right}.join('\n').trimmed(), this);
    }
    return true;
  }
  return QWidget::event(event);
}

CodeBox::CodeBox(QWidget* parent) : QWidget(parent), copy_(new QToolButton(this)) {
  QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);
  copy_->setProperty("role", "icon");
  copy_->setFixedSize(24, 24);
  copy_->setAccessibleName(tr("Copy"));
  copy_->setToolTip(tr("Copy"));
  auto paint = [this] {
    copy_->setIcon(iconPixmap(QStringLiteral("copy"), 16, colors().muted, devicePixelRatioF()));
    update();
  };
  connect(&Theme::get(), &Theme::changed, this, paint);
  paint();
  connect(copy_, &QToolButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(text_); });
}

void CodeBox::setText(const QString& text) {
  if (text == text_) return;
  text_ = text;
  setAccessibleName(text);
  updateGeometry();
  update();
}

double CodeBox::layoutText(QTextLayout& layout, double width) const {
  QString text = text_;
  text.replace('\n', QChar::LineSeparator);
  layout.setText(text);
  layout.setFont(typeface(Text::Mono));
  QTextOption option;
  option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
  layout.setTextOption(option);
  layout.beginLayout();
  double y = 0;
  for (QTextLine line = layout.createLine(); line.isValid(); line = layout.createLine()) {
    line.setLineWidth(width);
    line.setPosition(QPointF(0, y));
    y += std::ceil(line.height()) + 2;
  }
  layout.endLayout();
  return y;
}

int CodeBox::heightForWidth(int width) const {
  QTextLayout layout;
  return std::max(34, int(std::ceil(layoutText(layout, std::max(40, width - 42)))) + 16);
}

void CodeBox::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.setRenderHint(QPainter::Antialiasing);
  p.setPen(Qt::NoPen);
  p.setBrush(colors().raised);
  p.drawRoundedRect(rect(), radius::control, radius::control);
  p.setPen(colors().text);
  QTextLayout layout;
  layoutText(layout, std::max(40, width() - 42));
  layout.draw(&p, QPointF(12, 8));
}

void CodeBox::resizeEvent(QResizeEvent*) {
  copy_->move(width() - 28, 5);
}

QWidget* findingRow(const models::Finding& finding, QWidget* parent) {
  auto* row = new QWidget(parent);
  auto* layout = new QHBoxLayout(row);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(space::s);
  const bool error = finding.level == u"Error", warning = finding.level == u"Warning";
  auto* sign = new QLabel(row);
  auto paint = [sign, error, warning] {
    sign->setPixmap(iconPixmap(error     ? QStringLiteral("cross_circle")
                               : warning ? QStringLiteral("warn_circle")
                                         : QStringLiteral("check_circle"),
                               18,
                               Theme::get().tone(error     ? Tone::Error
                                                 : warning ? Tone::Warn
                                                           : Tone::Ok),
                               sign->devicePixelRatioF()));
  };
  paint();
  QObject::connect(&Theme::get(), &Theme::changed, sign, paint);
  layout->addWidget(sign, 0, Qt::AlignTop);
  auto* texts = new QVBoxLayout;
  texts->setSpacing(0);
  auto* what = label(
      finding.message.isEmpty() ? finding.name : QStringLiteral("%1: %2").arg(finding.name, finding.message),
      nullptr, row);
  what->setWordWrap(true);
  texts->addWidget(what);
  if (!finding.fix.isEmpty() && (error || warning)) {
    auto* fix = label(finding.fix, "muted", row);
    fix->setWordWrap(true);
    fix->setTextInteractionFlags(Qt::TextSelectableByMouse);
    texts->addWidget(fix);
  }
  layout->addLayout(texts, 1);
  return row;
}

}  // namespace ph::ui
