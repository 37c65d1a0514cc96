#include "ui/theme/diff_view.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>
#include <QPainterPath>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

#include "ui/theme/theme.h"

namespace ph::ui {

using Kind = models::DiffLine::Kind;

namespace {
constexpr int kNumber = 34;  // of the column of line numbers
constexpr int kSign = 18;
}  // namespace

DiffView::DiffView(QWidget* parent) : QAbstractScrollArea(parent) {
  setAccessibleName(tr("What changes"));
  setFocusPolicy(Qt::StrongFocus);
  setFrameShape(QFrame::NoFrame);
  viewport()->setAutoFillBackground(false);
  connect(&Theme::get(), &Theme::changed, this, [this] {
    measure();
    viewport()->update();
  });
}

int DiffView::lineHeight() const {
  return int(std::ceil(QFontMetricsF(typeface(Text::MonoSmall)).height())) + 3;
}

void DiffView::show(models::TextDiff diff, const QString& empty) {
  if (diff.lines == diff_.lines && empty == empty_) return;
  diff_ = std::move(diff);
  empty_ = empty;
  setAccessibleDescription(diff_.lines.empty()
                               ? empty_
                               : tr("%1 lines go, %2 lines come.").arg(diff_.gone).arg(diff_.added));
  measure();
  verticalScrollBar()->setValue(0);
  horizontalScrollBar()->setValue(0);
  viewport()->update();
}

void DiffView::measure() {
  const QFontMetricsF m(typeface(Text::MonoSmall));
  widest_ = 0;
  for (auto& line : diff_.lines) widest_ = std::max(widest_, m.horizontalAdvance(line.text));
  const int height = int(diff_.lines.size()) * lineHeight() + 12, width = int(widest_) + kNumber + kSign + 12;
  verticalScrollBar()->setRange(0, std::max(0, height - viewport()->height()));
  verticalScrollBar()->setPageStep(viewport()->height());
  verticalScrollBar()->setSingleStep(lineHeight());
  horizontalScrollBar()->setRange(0, std::max(0, width - viewport()->width()));
  horizontalScrollBar()->setPageStep(viewport()->width());
  horizontalScrollBar()->setSingleStep(20);
}

void DiffView::resizeEvent(QResizeEvent*) {
  measure();
}

QString DiffView::plain() const {
  QString out;
  for (auto& line : diff_.lines) {
    out += line.kind == Kind::Gone  ? QLatin1Char('-')
           : line.kind == Kind::New ? QLatin1Char('+')
                                    : QLatin1Char(' ');
    out += line.kind == Kind::Gap ? QStringLiteral("⋯") : line.text;
    out += QLatin1Char('\n');
  }
  return out;
}

void DiffView::paintEvent(QPaintEvent*) {
  QPainter p(viewport());
  p.setRenderHint(QPainter::Antialiasing);
  p.setPen(Qt::NoPen);
  p.setBrush(colors().raised);
  p.drawRoundedRect(QRectF(viewport()->rect()), radius::control, radius::control);
  if (diff_.lines.empty()) {
    p.setPen(colors().muted);
    p.setFont(typeface(Text::Body));
    p.drawText(viewport()->rect().adjusted(space::l, space::l, -space::l, -space::l),
               Qt::AlignCenter | Qt::TextWordWrap, empty_);
    return;
  }
  QPainterPath clip;
  clip.addRoundedRect(QRectF(viewport()->rect()), radius::control, radius::control);
  p.setClipPath(clip);
  const int height = lineHeight(), top = 6 - verticalScrollBar()->value(), left = -horizontalScrollBar()->value();
  const int first = std::max(0, -top / height),
            last = std::min(int(diff_.lines.size()), (viewport()->height() - top) / height + 1);
  for (int i = first; i < last; ++i) {
    auto& line = diff_.lines[size_t(i)];
    const QRectF r(0, top + i * height, viewport()->width(), height);
    const bool gone = line.kind == Kind::Gone, come = line.kind == Kind::New;
    if (gone || come) {
      // A wash of the status color; the sign before the line says the same without color.
      p.fillRect(r, mix(colors().raised, gone ? colors().error : colors().ok, 0.14));
      p.fillRect(QRectF(0, r.top(), 2, r.height()), gone ? colors().error : colors().ok);
    }
    if (line.kind == Kind::Gap) {
      p.setFont(typeface(Text::Caption));
      p.setPen(colors().muted);
      p.drawText(r.adjusted(kNumber + kSign, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft,
                 tr("%n line(s) as before", nullptr, line.before));
      continue;
    }
    p.setFont(typeface(Text::MonoSmall));
    p.setPen(colors().muted);
    p.drawText(QRectF(0, r.top(), kNumber - 6, r.height()), Qt::AlignVCenter | Qt::AlignRight,
               QString::number(gone ? line.before : line.after));
    p.save();
    p.setClipRect(r.adjusted(kNumber, 0, 0, 0), Qt::IntersectClip);
    const QColor ink = gone ? colors().errorText : come ? colors().okText : colors().text;
    p.setPen(ink);
    const double x = kNumber + left;
    if (gone || come)
      p.drawText(QRectF(x, r.top(), kSign, r.height()), Qt::AlignVCenter | Qt::AlignHCenter,
                 gone ? QStringLiteral("−") : QStringLiteral("+"));
    p.setPen(gone || come ? colors().text : colors().muted);
    p.drawText(QRectF(x + kSign, r.top(), widest_ + 20, r.height()), Qt::AlignVCenter | Qt::AlignLeft,
               line.text);
    p.restore();
  }
  if (hasFocus()) {
    p.setClipping(false);
    p.setPen(QPen(colors().accent, 1));
    p.setBrush(Qt::NoBrush);
    p.drawRoundedRect(QRectF(viewport()->rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius::control, radius::control);
  }
}

void DiffView::keyPressEvent(QKeyEvent* event) {
  if (event->matches(QKeySequence::Copy))
    QGuiApplication::clipboard()->setText(plain());
  else if (event->key() == Qt::Key_Home)
    verticalScrollBar()->setValue(0);
  else if (event->key() == Qt::Key_End)
    verticalScrollBar()->setValue(verticalScrollBar()->maximum());
  else
    QAbstractScrollArea::keyPressEvent(event);
}

void DiffView::contextMenuEvent(QContextMenuEvent* event) {
  QMenu menu(this);
  auto* copy = menu.addAction(tr("Copy"));
  copy->setShortcut(QKeySequence::Copy);
  connect(copy, &QAction::triggered, this, [this] { QGuiApplication::clipboard()->setText(plain()); });
  menu.exec(event->globalPos());
}

}  // namespace ph::ui
