#include <QClipboard>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QMenu>
#include <QMouseEvent>
#include <QScrollBar>
#include <QStyleHints>

#include "ui/logs/log_view.h"

namespace ph::ui {

namespace {
constexpr size_t kMostCopied = 32 << 20;  // bytes: what a clipboard takes without trouble
}

LogView::Pos LogView::posAt(const QPointF& at) const {
  if (layout_.begin() == layout_.end()) return {};
  const int row = int(std::floor((at.y() - space::xs) / rowHeight_));
  const LogLayout::Place place = layout_.placeOf(verticalScrollBar()->value() + row);
  const uint64_t number = layout_.lineAt(place.ordinal);
  const int cells = model_->store().line(number).columns;
  const int shift = layout_.columns() > 0 ? place.sub * layout_.columns() : horizontalScrollBar()->value();
  int cell = shift + std::max(0, int(std::lround((at.x() - left_) / cell_)));
  if (layout_.columns() > 0) cell = std::min(cell, shift + layout_.columns());
  return {number, std::clamp(cell, 0, cells)};
}

void LogView::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  const Pos at = posAt(event->position());
  const int interval = QGuiApplication::styleHints()->mouseDoubleClickInterval();
  if (sinceDouble_.isValid() && sinceDouble_.elapsed() < interval && model_->store().size() > 0) {
    // The third click takes the whole line.
    sinceDouble_.invalidate();
    anchor_ = {at.line, 0};
    head_ = {at.line, model_->store().line(at.line).columns};
  } else {
    if (!(event->modifiers() & Qt::ShiftModifier)) anchor_ = at;
    head_ = at;
    dragging_ = true;
  }
  viewport()->update();
}

void LogView::mouseMoveEvent(QMouseEvent* event) {
  if (dragging_) dragTo(event->position());
}

void LogView::dragTo(const QPointF& at) {
  dragAt_ = at;
  auto* v = verticalScrollBar();
  if (at.y() < 0)
    v->setValue(v->value() - 1 - int(-at.y()) / 20);
  else if (at.y() > viewport()->height())
    v->setValue(v->value() + 1 + int(at.y() - viewport()->height()) / 20);
  // Outside it goes on by itself.
  if (at.y() < 0 || at.y() > viewport()->height())
    scroll_.start();
  else
    scroll_.stop();
  head_ = posAt({at.x(), std::clamp(at.y(), 0.0, double(viewport()->height() - 1))});
  if (selected() && following_) setFollowing(false);
  viewport()->update();
}

void LogView::mouseReleaseEvent(QMouseEvent*) {
  dragging_ = false;
  scroll_.stop();
  if (selected() && QGuiApplication::clipboard()->supportsSelection())
    QGuiApplication::clipboard()->setText(selectedText(), QClipboard::Selection);
}

void LogView::mouseDoubleClickEvent(QMouseEvent* event) {
  sinceDouble_.start();
  selectWord(posAt(event->position()));
}

void LogView::selectWord(const Pos& at) {
  if (model_->store().size() == 0) return;
  const std::string_view text = model_->store().line(at.line).text;
  // Words as logs have them: paths, addresses and names stay whole.
  auto inWord = [](char c) {
    return uint8_t(c) >= 0x80 || std::isalnum(uint8_t(c)) || std::string_view("_-./:@%").find(c) != std::string_view::npos;
  };
  int from = byteOfCell(text, at.cell), to = from;
  while (from > 0 && inWord(text[size_t(from) - 1])) --from;
  while (to < int(text.size()) && inWord(text[size_t(to)])) ++to;
  anchor_ = {at.line, cellOfByte(text, from)};
  head_ = {at.line, cellOfByte(text, to)};
  viewport()->update();
}

QString LogView::selectedText() const {
  if (!selected()) return {};
  const auto [a, b] = selection();
  QByteArray out;
  const uint64_t first = std::max(a.line, model_->store().first());
  for (uint64_t o = layout_.ordinalOf(first); o < layout_.end() && size_t(out.size()) < kMostCopied; ++o) {
    const uint64_t number = layout_.lineAt(o);
    if (number > b.line) break;
    const models::LogLine line = model_->store().line(number);
    const int from = number == a.line ? byteOfCell(line.text, a.cell) : 0;
    const int to = number == b.line ? byteOfCell(line.text, b.cell) : int(line.text.size());
    // A part of one line is copied as it is; lines are copied as they are shown.
    if (from == 0 && a.line != b.line) out += models::linePrefix(model_->sources(), line, times_);
    out.append(line.text.data() + from, std::max(0, to - from));
    if (number != b.line) out += '\n';
  }
  return QString::fromUtf8(out);
}

void LogView::copy() {
  if (selected()) QGuiApplication::clipboard()->setText(selectedText());
}

void LogView::selectAll() {
  if (model_->store().size() == 0) return;
  anchor_ = {model_->store().first(), 0};
  head_ = {model_->store().end() - 1, model_->store().line(model_->store().end() - 1).columns};
  viewport()->update();
}

void LogView::keyPressEvent(QKeyEvent* event) {
  auto* v = verticalScrollBar();
  auto* h = horizontalScrollBar();
  if (event->matches(QKeySequence::Copy)) return copy();
  if (event->matches(QKeySequence::SelectAll)) return selectAll();
  if (event->matches(QKeySequence::Find)) {
    emit searchWanted();
    return;
  }
  switch (event->key()) {
    case Qt::Key_Up:
      return v->setValue(v->value() - 1);
    case Qt::Key_Down:
      return v->setValue(v->value() + 1);
    case Qt::Key_PageUp:
      return v->setValue(v->value() - v->pageStep() + 1);
    case Qt::Key_PageDown:
    case Qt::Key_Space:
      return v->setValue(v->value() + v->pageStep() - 1);
    case Qt::Key_Home:
      return v->setValue(0);
    case Qt::Key_End:
      return setFollowing(true);
    case Qt::Key_Left:
      return h->setValue(h->value() - h->singleStep());
    case Qt::Key_Right:
      return h->setValue(h->value() + h->singleStep());
    case Qt::Key_Escape:
      if (selected()) {
        anchor_ = head_;
        return viewport()->update();
      }
      break;
    default:
      break;
  }
  QAbstractScrollArea::keyPressEvent(event);
}

void LogView::contextMenuEvent(QContextMenuEvent* event) {
  QMenu menu(this);
  menu.addAction(tr("Copy"), QKeySequence::Copy, this, &LogView::copy)->setEnabled(selected());
  menu.addAction(tr("Select all"), QKeySequence::SelectAll, this, &LogView::selectAll);
  menu.exec(event->globalPos());
}

}  // namespace ph::ui
