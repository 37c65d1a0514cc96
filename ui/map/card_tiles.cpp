// CardPainter's tiles: the shapes of pods, their plates, and what moves among them.
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "ui/map/card_painter.h"

namespace ph::ui {

using models::Card;
using models::Tile;
namespace words = models::words;

void CardPainter::drawShape(QPainter& p, const QRectF& box, Shape shape, const QColor& color) {
  const double size = box.width();
  const double rounding = size >= 10 ? std::min(4.0, size * 0.2) : size >= 6 ? 1.5 : 0;
  const double line = size >= 12 ? 1.5 : 1;
  const QRectF inner = box.adjusted(line / 2, line / 2, -line / 2, -line / 2);
  p.setRenderHint(QPainter::Antialiasing, size >= 6);
  auto outline = [&](const QColor& c, Qt::PenStyle style, double width) {
    QPen pen(c, width, style);
    if (style == Qt::DashLine) pen.setDashPattern({2.0, 1.7});
    p.setPen(pen);
    p.setBrush(Qt::NoBrush);
    p.drawRoundedRect(inner, rounding, rounding);
  };
  auto fill = [&](const QColor& c) {
    p.setPen(Qt::NoPen);
    p.setBrush(c);
    p.drawRoundedRect(box, rounding, rounding);
  };
  switch (shape) {
    case Shape::Ready:
      fill(color);
      break;
    case Shape::Starting: {
      QPainterPath half;
      half.moveTo(inner.right() - line, inner.top() + line);
      half.lineTo(inner.right() - line, inner.bottom() - line);
      half.lineTo(inner.left() + line, inner.bottom() - line);
      half.closeSubpath();
      p.fillPath(half, color);
      outline(color, Qt::SolidLine, line);
      break;
    }
    case Shape::Waiting: {
      outline(color, Qt::SolidLine, line);
      p.setPen(Qt::NoPen);
      p.setBrush(color);
      p.drawEllipse(box.center(), size * 0.13, size * 0.13);
      break;
    }
    case Shape::Failing: {
      fill(mix(color, colors().surface, colors().dark ? 0.1 : 0.35));
      outline(colors().error, Qt::SolidLine, std::max(1.0, size * 0.15));
      if (size >= 8) {
        const double d = size * 0.31;
        p.setPen(QPen(mix(colors().error, QColor(0, 0, 0), colors().dark ? 0.55 : 0.3),
                      std::max(1.3, size * 0.14), Qt::SolidLine, Qt::RoundCap));
        const QRectF x = box.adjusted(d, d, -d, -d);
        p.drawLine(x.topLeft(), x.bottomRight());
        p.drawLine(x.topRight(), x.bottomLeft());
      }
      break;
    }
    case Shape::Leaving: {
      QColor c = color;
      c.setAlphaF(0.32f);
      fill(c);
      break;
    }
    case Shape::Going: {
      QColor c = color;
      c.setAlphaF(0.25f);
      fill(c);
      outline(color, Qt::DashLine, line);
      break;
    }
    case Shape::Finished: {
      QColor c = color;
      c.setAlphaF(0.6f);
      outline(c, Qt::SolidLine, 1);
      break;
    }
    case Shape::Ghost:
      outline(color, Qt::DashLine, line);
      break;
  }
}

const QPixmap& TileGlyphs::get(TileShape shape, int color, int size, qreal ratio) {
  const quint64 key =
      quint64(shape) | quint64(color + 1) << 8 | quint64(size) << 24 | quint64(ratio * 16) << 40;
  QPixmap& pixmap = glyphs_[key];
  if (pixmap.isNull()) {
    pixmap = QPixmap(QSize(size, size) * ratio);
    pixmap.setDevicePixelRatio(ratio);
    pixmap.fill(Qt::transparent);
    QPainter p(&pixmap);
    CardPainter::drawShape(p, QRectF(0, 0, size, size), shape, Theme::get().app(color));
  }
  return pixmap;
}

void TileGlyphs::paintShrunk(QPainter& p, const QRectF& box, TileShape shape, int color, double part) {
  const double in = box.width() * 0.3 * part;
  p.drawPixmap(box.adjusted(in, in, -in, -in), get(shape, color, int(box.width()), p.device()->devicePixelRatioF()), QRectF());
}

void TileGlyphs::paintLeaving(QPainter& p, const TileGrid& grid, const Departure& d) {
  if (d.slot >= grid.capacity) return;
  const double was = p.opacity();
  p.setOpacity(was * 0.8 * (1 - d.part));
  paintShrunk(p, grid.slot(d.slot), CardPainter::shapeOf(d.state), d.color, d.part);
  p.setOpacity(was);
}

void CardPainter::paintPulse(QPainter& p, const QRectF& tile, models::PodState state, double part) {
  if (part >= 1) return;
  QColor c = state == models::PodState::Failing ? colors().error : Theme::get().tone(words::podTone(state));
  c.setAlphaF(float(1 - part));
  p.setRenderHint(QPainter::Antialiasing, true);
  p.setBrush(Qt::NoBrush);
  p.setPen(QPen(c, 2));
  const double out = 1 + 5 * part;
  p.drawRoundedRect(tile.adjusted(-out, -out, out, out), radius::tile + out, radius::tile + out);
}

void CardPainter::paintTiles(QPainter& p, const QRectF& r, int index, Level level, const CardLook& look) {
  const Card& card = model_.card(index);
  const int places = int(card.tiles.size()) + card.ghosts;
  if (places == 0 && !look.motion) return;
  const TileGrid grid = tileGrid(r, level, places);
  const qreal ratio = p.device()->devicePixelRatioF();
  const int size = int(grid.tile);
  const int last = std::min(places, grid.capacity);
  const double whole = p.opacity();
  double opacity = whole;
  auto fade = [&](double to) {
    if (to != opacity) p.setOpacity(opacity = to);
  };
  for (int i = 0; i < last; ++i) {
    const QRectF box = grid.slot(i);
    if (i >= int(card.tiles.size())) {
      const size_t ghost = size_t(i) - card.tiles.size();
      const int app = ghost < card.ghostApps.size() ? card.ghostApps[ghost] : -1;
      const int color = app >= 0 ? model_.apps()[app].color : -1;
      fade(1);
      if (grid.chips) {
        QPen pen(Theme::get().app(std::max(0, color)), 1.2);
        pen.setDashPattern({4, 3});
        p.setPen(pen);
        p.setBrush(Qt::NoBrush);
        p.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), radius::control, radius::control);
      } else {
        p.drawPixmap(box.topLeft(), glyphs_.get(Shape::Ghost, color, size, ratio));
      }
      continue;
    }
    const Tile& tile = card.tiles[size_t(i)];
    if (tile.pod.isEmpty()) continue;
    const bool back = (look.onlyApp >= 0 && tile.app != look.onlyApp) || (look.filtering && !tile.fits);
    if (grid.chips) {
      fade(back ? whole * kBack : whole);
      paintChip(p, box, tile, grid);
      continue;
    }
    const Shape shape = model_.wouldGo(tile.pod) ? Shape::Going : shapeOf(tile.state);
    const int color = tile.app >= 0 ? model_.apps()[tile.app].color : -1;
    const double arrival = look.motion ? look.motion->arrival(tile.pod) : 1;
    fade((back ? kTileBack : whole) * arrival);
    if (arrival < 1) {
      glyphs_.paintShrunk(p, box, shape, color, 1 - arrival);
    } else if (shape == Shape::Ready && size < 6) {
      // So small that its corners don't show.
      p.fillRect(box, Theme::get().app(color));
    } else {
      p.drawPixmap(box.topLeft(), glyphs_.get(shape, color, size, ratio));
    }
  }
  fade(1);
  paintMoving(p, card, grid, look);
  auto ring = [&](int i, bool chosen) {
    if (i < 0 || i >= last) return;
    p.setRenderHint(QPainter::Antialiasing, true);
    p.setPen(QPen(chosen ? colors().accent : colors().text, chosen ? 2 : 1));
    p.setBrush(Qt::NoBrush);
    const double out = grid.chips ? 0 : 2, rounding = grid.chips ? double(radius::control) : 4;
    p.drawRoundedRect(grid.slot(i).adjusted(-out, -out, out, out), rounding, rounding);
  };
  if (look.hoveredTile < int(card.tiles.size())) ring(look.hoveredTile, false);
  if (!look.selectedPod.isEmpty()) {
    const auto place = model_.placeOf(look.selectedPod);
    if (place.first == index) ring(place.second, true);
  }
}

// What has just changed: a ring around a pod that turned, the shadow of one that went.
void CardPainter::paintMoving(QPainter& p, const Card& card, const TileGrid& grid, const CardLook& look) {
  if (!look.motion) return;
  for (auto& d : look.motion->departures()) {
    if (d.card != card.key || grid.chips) continue;
    const bool taken = d.slot < int(card.tiles.size()) && !card.tiles[size_t(d.slot)].pod.isEmpty();
    if (!taken) glyphs_.paintLeaving(p, grid, d);
  }
  for (int i = 0; i < std::min(int(card.tiles.size()), grid.capacity); ++i) {
    const Tile& tile = card.tiles[size_t(i)];
    if (!tile.pod.isEmpty()) paintPulse(p, grid.slot(i), tile.state, look.motion->pulse(tile.pod));
  }
}

void CardPainter::paintChip(QPainter& p, const QRectF& r, const Tile& tile, const TileGrid& grid) {
  p.setRenderHint(QPainter::Antialiasing, true);
  p.setPen(QPen(colors().line, 1));
  p.setBrush(colors().raised);
  p.drawRoundedRect(r.adjusted(0.5, 0.5, -0.5, -0.5), radius::control, radius::control);
  const int color = tile.app >= 0 ? model_.apps()[tile.app].color : -1;
  const double size = 14;
  const double middle = grid.twoLines ? r.top() + 15 : r.center().y();
  const Shape shape = model_.wouldGo(tile.pod) ? Shape::Going : shapeOf(tile.state);
  drawShape(p, QRectF(r.left() + 9, std::round(middle - size / 2), size, size), shape,
            Theme::get().app(color));
  auto* pod = model_.state()->pod(tile.pod);
  if (!pod) return;
  const double x = r.left() + 30;
  text(p, QRectF(x, middle - 9, r.right() - 8 - x, 18), Qt::AlignLeft | Qt::AlignVCenter, pod->name,
       typeface(Text::MonoSmall), colors().text, Qt::ElideMiddle);
  if (!grid.twoLines) return;
  QStringList parts;
  if (grid.containers == 0) {
    for (auto& c : pod->containers) parts << c.name;
  }
  QString below = parts.join(QStringLiteral(", "));
  if (!pod->address.isEmpty()) below += (below.isEmpty() ? QString() : QStringLiteral(" · ")) + pod->address;
  QColor c = colors().muted;
  if (pod->state != models::PodState::Ready) {
    below = words::podNow(*pod, model_.state()->now());
    c = Theme::get().textTone(words::podTone(pod->state));
  }
  text(p, QRectF(x, r.top() + 24, r.right() - 8 - x, 16), Qt::AlignLeft | Qt::AlignVCenter, below,
       typeface(Text::Caption), c);
  if (grid.containers > 0) paintContainers(p, QRectF(x, r.top() + 42, r.right() - 8 - x, r.height() - 44), *pod, grid.containers);
}

// A line each: its state, its name, its image's tag, how often it was started again.
void CardPainter::paintContainers(QPainter& p, const QRectF& r, const models::PodFacts& pod, int lines) {
  const QFontMetricsF m(typeface(Text::Caption));
  const int all = int(pod.containers.size()), shown = all > lines ? lines - 1 : all;
  for (int i = 0; i < std::min(all, lines); ++i) {
    const QRectF line(r.left(), r.top() + i * kContainerLine, r.width(), kContainerLine);
    if (i >= shown) {
      text(p, line, Qt::AlignLeft | Qt::AlignVCenter, models::MapModel::tr("and %n more", nullptr, all - shown),
           typeface(Text::Caption), colors().muted);
      break;
    }
    const auto& c = pod.containers[size_t(i)];
    const Tone tone = c.ready ? Tone::Ok : c.state == u"running" ? Tone::Info : c.restarts > 0 ? Tone::Error : Tone::Plain;
    p.setPen(Qt::NoPen);
    p.setBrush(Theme::get().tone(tone));
    p.drawEllipse(QPointF(line.left() + 3, line.center().y()), 2.5, 2.5);
    QString side = words::imageTag(c.image);
    if (c.restarts > 0) side += QStringLiteral("  ↻%1").arg(c.restarts);
    const double sideWidth = std::min(m.horizontalAdvance(side) + 1, line.width() * 0.45);
    text(p, QRectF(line.right() - sideWidth, line.top(), sideWidth, line.height()), Qt::AlignRight | Qt::AlignVCenter, side,
         typeface(Text::Caption), c.restarts > 0 ? colors().warnText : colors().muted);
    text(p, line.adjusted(11, 0, -sideWidth - 8, 0), Qt::AlignLeft | Qt::AlignVCenter, c.name, typeface(Text::Caption),
         colors().text);
  }
}

}  // namespace ph::ui
