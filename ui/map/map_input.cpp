// MapView's hands: mouse, keyboard, tooltips.
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "ui/map/map_view.h"

namespace ph::ui {

using models::Subject;
namespace words = models::words;

void MapView::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton && event->button() != Qt::MiddleButton) return;
  byKeyboard_ = false;
  pan_.press(event);
}

void MapView::mouseMoveEvent(QMouseEvent* event) {
  if (pan_.move(event)) return;
  const Hit hit = hitAt(event->position());
  if (hit == hover_) return;
  for (int card : {hover_.card, hit.card}) {
    if (card >= 0) update(screenRect(card).adjusted(-3, -3, 3, 3).toAlignedRect());
  }
  hover_ = hit;
  setCursor(subjectOf(hit) ? Qt::PointingHandCursor : Qt::ArrowCursor);
}

void MapView::mouseReleaseEvent(QMouseEvent* event) {
  if (pan_.release() || event->button() != Qt::LeftButton) return;
  const Hit hit = hitAt(event->position());
  cursor_ = hit.card;
  cursorTile_ = hit.tile;
  choose(subjectOf(hit));
}

void MapView::mouseDoubleClickEvent(QMouseEvent* event) {
  const Hit hit = hitAt(event->position());
  if (hit.card >= 0)
    dive(hit.card);
  else
    fit();
}

void MapView::leaveEvent(QEvent*) {
  hover_ = {};
  update();
}

void MapView::focusInEvent(QFocusEvent* event) {
  const bool byKey = event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason;
  byKeyboard_ |= byKey;
  if (cursor_ < 0 && byKey && !layout_.rows().empty()) cursor_ = layout_.rows()[0][0];
  update();
}

void MapView::focusOutEvent(QFocusEvent*) {
  update();
}

void MapView::step(int dx, int dy) {
  const auto& rows = layout_.rows();
  if (rows.empty()) return;
  if (cursor_ < 0) {
    // The first key shows where the keyboard is.
    cursor_ = rows[0][0];
    update();
    return;
  }
  if (cursorTile_ >= 0 && cursor_ >= 0) {
    // Among the pods of one machine.
    const auto& card = model_->card(cursor_);
    const QRectF r = screenRect(cursor_);
    const TileGrid grid = tileGrid(r, levelFor(r.width()), int(card.tiles.size()) + card.ghosts);
    const int by = dx + dy * grid.columns;
    for (int to = cursorTile_ + by; to >= 0 && to < int(card.tiles.size()); to += by) {
      if (card.tiles[to].pod.isEmpty()) continue;
      cursorTile_ = to;
      choose({Subject::Kind::Pod, card.tiles[to].pod});
      return;
    }
    return;
  }
  size_t row = 0, column = 0;
  for (size_t y = 0; y < rows.size(); ++y) {
    auto at = std::find(rows[y].begin(), rows[y].end(), cursor_);
    if (at != rows[y].end()) {
      row = y;
      column = size_t(at - rows[y].begin());
    }
  }
  if (dy) row = size_t(std::clamp<int>(int(row) + dy, 0, int(rows.size()) - 1));
  column = size_t(std::clamp<int>(int(column) + dx, 0, int(rows[row].size()) - 1));
  cursor_ = rows[row][column];
  pan_.reveal(layout_.card(cursor_));
  update();
}

void MapView::keyPressEvent(QKeyEvent* event) {
  byKeyboard_ = true;
  const QPointF centre = cursor_ >= 0 && !layout_.card(cursor_).isEmpty()
                             ? screenRect(cursor_).center()
                             : QPointF(rect().center());
  switch (event->key()) {
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      pan_.zoomBy(PanZoom::kStep, centre);
      break;
    case Qt::Key_Minus:
      pan_.zoomBy(1 / PanZoom::kStep, centre);
      break;
    case Qt::Key_0:
    case Qt::Key_Home:
      fit();
      break;
    case Qt::Key_Left:
      step(-1, 0);
      break;
    case Qt::Key_Right:
      step(1, 0);
      break;
    case Qt::Key_Up:
      step(0, -1);
      break;
    case Qt::Key_Down:
      step(0, 1);
      break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space: {
      if (cursor_ < 0) break;
      const auto& card = model_->card(cursor_);
      const Subject machine = subjectOf({cursor_, -1});
      const bool again = !machine || selection_ == machine;
      if (!again) {
        choose(machine);
      } else {
        // Once more goes inside, to the pods.
        auto first =
            std::find_if(card.tiles.begin(), card.tiles.end(), [](auto& t) { return !t.pod.isEmpty(); });
        if (first != card.tiles.end()) {
          cursorTile_ = int(first - card.tiles.begin());
          choose({Subject::Kind::Pod, first->pod});
        }
      }
      break;
    }
    case Qt::Key_Escape:
      if (cursorTile_ >= 0) {
        cursorTile_ = -1;
        choose(subjectOf({cursor_, -1}));
      } else if (selection_) {
        choose({});
      } else if (!pan_.fitted()) {
        fit();
      } else {
        event->ignore();
      }
      break;
    default:
      event->ignore();
      return;
  }
}

QString MapView::describe(const Subject& subject) const {
  auto* state = model_->state();
  const int64_t now = state->now();
  if (subject.kind == Subject::Kind::Pod) {
    auto* pod = state->pod(subject.key);
    if (!pod) return {};
    QStringList lines{pod->name, tr("%1: %2").arg(words::podState(pod->state), words::podNow(*pod, now))};
    if (!pod->address.isEmpty())
      lines << tr("on %1, at %2").arg(pod->node, pod->address);
    else if (!pod->node.isEmpty())
      lines << tr("on %1").arg(pod->node);
    return lines.join('\n');
  }
  if (subject.kind == Subject::Kind::Machine) {
    const int index = model_->cardIndex(subject.key);
    if (index < 0) return {};
    auto& card = model_->card(index);
    auto* node = state->node(card.node);
    const auto view = words::machineView(state->machine(card.key), node);
    QStringList lines{card.key, view.note.isEmpty() ? view.title : tr("%1: %2").arg(view.title, view.note)};
    if (node && card.cpu >= 0) {
      lines << (card.estimated ? tr("asked for: CPU %1, memory %2") : tr("in use: CPU %1, memory %2"))
                   .arg(words::percent(card.cpu), words::percent(card.memory));
      const auto sum = state->requestsOn(node->name);
      lines << tr("room: %1 cores, %2")
                   .arg(words::cores(std::max<int64_t>(0, node->cpuAllocatable - sum.cpu)),
                        words::memory(std::max<int64_t>(0, node->memoryAllocatable - sum.memory)));
    }
    lines << tr("%n pod(s)", nullptr, card.pods);
    return lines.join('\n');
  }
  return {};
}

bool MapView::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    auto* help = static_cast<QHelpEvent*>(event);
    const QString s = describe(subjectOf(hitAt(help->pos())));
    if (s.isEmpty())
      QToolTip::hideText();
    else
      QToolTip::showText(help->globalPos(), s, this);
    return true;
  }
  return pan_.pinch(event) || QWidget::event(event);
}

}  // namespace ph::ui
