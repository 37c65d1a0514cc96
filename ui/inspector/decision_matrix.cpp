#include "ui/inspector/decision_matrix.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>
#include <algorithm>
#include <cmath>

namespace ph::ui {

using models::DecisionModel;
using models::DecisionRow;

DecisionMatrix::DecisionMatrix(DecisionModel* model, QWidget* parent) : QAbstractScrollArea(parent), model_(model) {
  setFocusPolicy(Qt::StrongFocus);
  setAccessibleName(tr("Machines against rules"));
  viewport()->setMouseTracking(true);
  viewport()->setAttribute(Qt::WA_OpaquePaintEvent);
  verticalScrollBar()->setSingleStep(kRow);
  horizontalScrollBar()->setSingleStep(kCell);
  connect(model, &DecisionModel::changed, this, &DecisionMatrix::onChanged);
  connect(&Theme::get(), &Theme::changed, this, [this] { viewport()->update(); });
}

void DecisionMatrix::onChanged() {
  current_ = std::min(current_, int(model_->rows().size()) - 1);
  hover_ = -1;
  setAccessibleDescription(model_->describe(current_));
  layoutBars();
  viewport()->update();
}

int DecisionMatrix::headHeight() const {
  const QFontMetricsF m(typeface(Text::Caption));
  double longest = m.horizontalAdvance(tr("Score"));
  for (auto& rule : model_->rules()) longest = std::max(longest, m.horizontalAdvance(rule.name));
  return int(std::ceil(std::min(longest, 96.0))) + 12;
}

double DecisionMatrix::rowTop(int row) const {
  const int fitting = model_->fitting();
  return row <= fitting ? row * kRow : fitting * kRow + (row - fitting) * kRefusedRow;
}

double DecisionMatrix::nameWidth() const {
  // What the cells leave, but no less than a name needs.
  return std::max<double>(kName, viewport()->width() - kTotal - double(model_->rules().size()) * cellWidth());
}

int DecisionMatrix::cellWidth() const {
  // Narrower, so that a few rules more are seen at once; with many it scrolls.
  const int rules = std::max(1, int(model_->rules().size()));
  return std::clamp((viewport()->width() - kName - kTotal) / rules, kLeastCell, kCell);
}

QRectF DecisionMatrix::rowRect(int row) const {
  return {0, headHeight() + rowTop(row) - verticalScrollBar()->value(), double(viewport()->width()),
          double(row < model_->fitting() ? kRow : kRefusedRow)};
}

QRectF DecisionMatrix::cellRect(int row, int rule) const {
  const QRectF r = rowRect(row);
  return {cellsLeft() + rule * cellWidth() - horizontalScrollBar()->value(), r.top(), double(cellWidth()), double(kRow)};
}

int DecisionMatrix::rowAt(int y) const {
  if (y < headHeight()) return -1;
  const double at = y - headHeight() + verticalScrollBar()->value();
  const double split = rowTop(model_->fitting());
  const int row = at < split ? int(at / kRow) : model_->fitting() + int((at - split) / kRefusedRow);
  return row < int(model_->rows().size()) ? row : -1;
}

int DecisionMatrix::ruleAt(int x) const {
  if (x < cellsLeft()) return -1;
  const int rule = int((x - cellsLeft() + horizontalScrollBar()->value()) / cellWidth());
  return rule < int(model_->rules().size()) ? rule : -1;
}

void DecisionMatrix::layoutBars() {
  const int room = viewport()->height() - headHeight();
  const int all = int(rowTop(int(model_->rows().size())));
  verticalScrollBar()->setPageStep(std::max(1, room));
  verticalScrollBar()->setRange(0, std::max(0, all - room));
  const int across = int(cellsLeft()) + int(model_->rules().size()) * cellWidth();
  horizontalScrollBar()->setPageStep(std::max(1, viewport()->width()));
  horizontalScrollBar()->setRange(0, std::max(0, across - viewport()->width()));
}

void DecisionMatrix::resizeEvent(QResizeEvent*) {
  layoutBars();
}

void DecisionMatrix::paintHead(QPainter& p) {
  const int head = headHeight();
  p.fillRect(QRect(0, 0, viewport()->width(), head), colors().surface);
  p.setFont(typeface(Text::Caption));
  p.setPen(colors().muted);
  const QFontMetricsF m(typeface(Text::Caption));
  p.drawText(QRectF(4, 0, nameWidth() - 8, head - 6), Qt::AlignLeft | Qt::AlignBottom, tr("Machine"));
  p.drawText(QRectF(nameWidth(), 0, kTotal - 6, head - 6), Qt::AlignRight | Qt::AlignBottom, tr("Score"));
  p.save();
  p.setClipRect(QRectF(cellsLeft(), 0, viewport()->width() - cellsLeft(), head));
  for (int i = 0; i < int(model_->rules().size()); ++i) {
    const QRectF cell = cellRect(0, i);
    p.save();
    p.translate(cell.center().x(), head - 6);
    p.rotate(-90);
    p.drawText(QRectF(0, -9, head - 10, 18), Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
               m.elidedText(model_->rules()[size_t(i)].name, Qt::ElideRight, head - 10));
    p.restore();
  }
  p.restore();
  p.fillRect(QRect(0, head - 1, viewport()->width(), 1), colors().line);
}

void DecisionMatrix::paintCell(QPainter& p, const QRectF& cell, int at, int rule) const {
  const DecisionRow& row = model_->rows()[size_t(at)];
  const auto& r = model_->rules()[size_t(rule)];
  const QRectF box = cell.adjusted(2, 3, -2, -3);
  const QPointF c = box.center();
  if (!row.refusals[rule].isEmpty()) {
    p.setPen(Qt::NoPen);
    p.setBrush(mix(colors().surface, colors().error, 0.16));
    p.drawRoundedRect(box, radius::tile, radius::tile);
    p.setPen(QPen(colors().error, 1.8, Qt::SolidLine, Qt::RoundCap));
    p.drawLine(c + QPointF(-4, -4), c + QPointF(4, 4));
    p.drawLine(c + QPointF(-4, 4), c + QPointF(4, -4));
  } else if (row.scores[size_t(rule)] != DecisionRow::kNone) {
    const double part = r.best > 0 ? std::clamp(row.scores[size_t(rule)] / r.best, 0.0, 1.0) : 0;
    const QColor ground = mix(colors().surface, colors().accent, 0.06 + 0.5 * part);
    p.setPen(Qt::NoPen);
    p.setBrush(ground);
    p.drawRoundedRect(box, radius::tile, radius::tile);
    p.setFont(typeface(Text::MonoSmall));
    p.setPen(contrast(ground, colors().text) >= 4.5 ? colors().text : colors().onAccent);
    p.drawText(box, Qt::AlignCenter, QString::number(std::lround(row.scores[size_t(rule)])));
  } else if (r.filters) {
    // Nothing against it.
    p.setPen(QPen(mix(colors().surface, colors().ok, row.fits ? 0.9 : 0.5), 1.6, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    p.setBrush(Qt::NoBrush);
    const QPointF tick[] = {c + QPointF(-4, 0), c + QPointF(-1, 3), c + QPointF(4, -3)};
    p.drawPolyline(tick, 3);
  }
}

void DecisionMatrix::paintRow(QPainter& p, int at) {
  const DecisionRow& row = model_->rows()[size_t(at)];
  const QRectF r = rowRect(at);
  if (at == current_)
    p.fillRect(r, colors().selection);
  else if (at == hover_)
    p.fillRect(r, colors().raised);
  if (at == current_ && hasFocus()) {
    p.setPen(QPen(colors().accent, 1));
    p.setBrush(Qt::NoBrush);
    p.drawRoundedRect(r.adjusted(0.5, 0.5, -0.5, -0.5), radius::tile, radius::tile);
  }
  if (row.here) {
    p.setPen(Qt::NoPen);
    p.setBrush(colors().accent);
    p.drawRoundedRect(QRectF(0, r.top() + 4, 3, r.height() - 8), 1.5, 1.5);
  }
  const QFont& font = typeface(row.here ? Text::BodyStrong : Text::Body);
  const QFontMetricsF m(font);
  const QRectF name(8, r.top(), nameWidth() - 12, kRow);
  p.setFont(font);
  p.setPen(row.fits ? colors().text : colors().muted);
  p.drawText(name, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
             m.elidedText(row.node, Qt::ElideMiddle, name.width()));
  if (row.fits) {
    p.setFont(typeface(row.here ? Text::BodyStrong : Text::Body));
    p.setPen(colors().text);
    p.drawText(QRectF(nameWidth(), r.top(), kTotal - 6, kRow), Qt::AlignRight | Qt::AlignVCenter,
               QString::number(std::lround(row.total)));
  } else {
    const QRectF why(8, r.top() + 23, r.width() - 12, 18);
    p.setFont(typeface(Text::Caption));
    p.setPen(colors().errorText);
    p.drawText(why, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
               QFontMetricsF(typeface(Text::Caption)).elidedText(row.why, Qt::ElideRight, why.width()));
  }
  p.save();
  p.setClipRect(QRectF(cellsLeft(), headHeight(), viewport()->width() - cellsLeft(), viewport()->height()));
  for (int i = 0; i < int(model_->rules().size()); ++i) {
    const QRectF cell = cellRect(at, i);
    if (cell.right() > cellsLeft() && cell.left() < viewport()->width()) paintCell(p, cell, at, i);
  }
  p.restore();
}

void DecisionMatrix::paintEvent(QPaintEvent* event) {
  QPainter p(viewport());
  p.setRenderHint(QPainter::Antialiasing);
  p.fillRect(event->rect(), colors().surface);
  if (model_->rows().empty()) return;
  const int first = std::max(0, rowAt(headHeight()));
  for (int i = first; i < int(model_->rows().size()); ++i) {
    const QRectF r = rowRect(i);
    if (r.top() > event->rect().bottom()) break;
    if (r.intersects(event->rect())) paintRow(p, i);
  }
  paintHead(p);
}

void DecisionMatrix::point(int row) {
  const QString node = row >= 0 ? model_->rows()[size_t(row)].node : QString();
  if (node == pointed_) return;
  pointed_ = node;
  emit pointed(node);
}

void DecisionMatrix::setCurrent(int row) {
  row = std::clamp(row, -1, int(model_->rows().size()) - 1);
  current_ = row;
  setAccessibleDescription(model_->describe(row));
  if (row >= 0) {
    const double top = rowTop(row), bottom = top + rowRect(row).height();
    const int room = viewport()->height() - headHeight(), at = verticalScrollBar()->value();
    if (top < at) verticalScrollBar()->setValue(int(top));
    if (bottom > at + room) verticalScrollBar()->setValue(int(bottom - room));
  }
  point(row);
  viewport()->update();
}

void DecisionMatrix::mouseMoveEvent(QMouseEvent* event) {
  const int row = rowAt(int(event->position().y()));
  if (row == hover_) return;
  hover_ = row;
  point(row >= 0 ? row : current_);
  viewport()->update();
}

void DecisionMatrix::mousePressEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton) setCurrent(rowAt(int(event->position().y())));
}

void DecisionMatrix::mouseDoubleClickEvent(QMouseEvent* event) {
  const int row = rowAt(int(event->position().y()));
  if (row >= 0) emit activated(model_->rows()[size_t(row)].node);
}

void DecisionMatrix::leaveEvent(QEvent*) {
  hover_ = -1;
  point(current_);
  viewport()->update();
}

void DecisionMatrix::keyPressEvent(QKeyEvent* event) {
  const int page = std::max(1, (viewport()->height() - headHeight()) / kRefusedRow);
  switch (event->key()) {
    case Qt::Key_Down:
      setCurrent(current_ + 1);
      break;
    case Qt::Key_Up:
      setCurrent(std::max(0, current_ - 1));
      break;
    case Qt::Key_PageDown:
      setCurrent(current_ + page);
      break;
    case Qt::Key_PageUp:
      setCurrent(std::max(0, current_ - page));
      break;
    case Qt::Key_Home:
      setCurrent(0);
      break;
    case Qt::Key_End:
      setCurrent(int(model_->rows().size()) - 1);
      break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
      if (current_ >= 0) emit activated(model_->rows()[size_t(current_)].node);
      break;
    default:
      QAbstractScrollArea::keyPressEvent(event);
  }
}

void DecisionMatrix::focusInEvent(QFocusEvent* event) {
  if (current_ < 0 && event->reason() != Qt::MouseFocusReason && !model_->rows().empty()) setCurrent(0);
  viewport()->update();
}

void DecisionMatrix::focusOutEvent(QFocusEvent*) {
  viewport()->update();
}

QString DecisionMatrix::tipAt(const QPoint& at) const {
  const int row = rowAt(at.y()), rule = ruleAt(at.x());
  if (rule >= 0 && row < 0 && at.y() < headHeight()) {
    auto& r = model_->rules()[size_t(rule)];
    return QStringList{r.name, r.what, r.key}.join('\n').trimmed();
  }
  if (row < 0) return {};
  const DecisionRow& r = model_->rows()[size_t(row)];
  if (rule >= 0 && !r.refusals[rule].isEmpty())
    return tr("%1 refuses it: %2").arg(r.node, r.refusals[rule]) + '\n' + model_->rules()[size_t(rule)].what;
  if (rule >= 0 && r.scores[size_t(rule)] != DecisionRow::kNone)
    return tr("%1 gives %2 to %3.")
               .arg(model_->rules()[size_t(rule)].name, QString::number(r.scores[size_t(rule)], 'f', 1), r.node) +
           '\n' + model_->rules()[size_t(rule)].what;
  if (rule >= 0)
    return QStringList{tr("%1 has nothing against %2.").arg(model_->rules()[size_t(rule)].name, r.node), model_->rules()[size_t(rule)].what}
        .join('\n')
        .trimmed();
  return model_->describe(row);
}

bool DecisionMatrix::viewportEvent(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    auto* help = static_cast<QHelpEvent*>(event);
    const QString tip = tipAt(help->pos());
    tip.isEmpty() ? QToolTip::hideText() : QToolTip::showText(help->globalPos(), tip, viewport());
    return true;
  }
  if (event->type() == QEvent::Leave) leaveEvent(event);
  return QAbstractScrollArea::viewportEvent(event);
}

}  // namespace ph::ui
