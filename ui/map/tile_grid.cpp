#include "ui/map/tile_grid.h"

#include <algorithm>
#include <cmath>

namespace ph::ui {

Level levelFor(double cardWidth) {
  if (cardWidth < 84) return Level::Tone;
  if (cardWidth < 165) return Level::Compact;
  if (cardWidth < 440) return Level::Full;
  if (cardWidth < 900) return Level::Near;
  return Level::Close;
}

QRectF TileGrid::slot(int index) const {
  const int row = index / columns, column = index % columns;
  return QRectF(std::round(area.x() + column * (width + gap)), std::round(area.y() + row * (tile + gap)),
                width, tile);
}

int TileGrid::at(const QPointF& p, int places) const {
  if (!area.contains(p)) return -1;
  const int column = int((p.x() - area.x()) / (width + gap)), row = int((p.y() - area.y()) / (tile + gap));
  const int index = row * columns + column;
  if (column >= columns || index >= std::min(places, capacity)) return -1;
  return slot(index).adjusted(-gap / 2, -gap / 2, gap / 2, gap / 2).contains(p) ? index : -1;
}

namespace {

TileGrid squares(const QRectF& area, int places, double largest) {
  TileGrid g;
  g.area = area;
  static constexpr double sizes[] = {64, 52, 44, 36, 30, 26, 22, 18, 14, 12, 10, 8, 6, 5, 4, 3, 2};
  for (double t : sizes) {
    if (t > largest) continue;
    g.tile = g.width = t;
    g.gap = t >= 12 ? 4 : t >= 8 ? 3 : t >= 5 ? 2 : 1;
    g.columns = std::max(1, int((area.width() + g.gap) / (t + g.gap)));
    g.capacity = g.columns * std::max(1, int((area.height() + g.gap) / (t + g.gap)));
    if (g.capacity >= places) break;
  }
  return g;
}

}  // namespace

TileGrid tileGrid(const QRectF& card, Level level, int places) {
  if (level == Level::Compact) return squares(card.adjusted(8, 26, -8, -8), places, 12);
  const QRectF area = card.adjusted(14, 78, -14, -30);
  if (level == Level::Full) return squares(area, places, std::max(14.0, std::floor(14 * card.width() / 240)));
  if (level == Level::Near || level == Level::Close) {
    // As much of each pod as there is room for when all are to be seen.
    for (double height : {46.0 + 3 * kContainerLine, 46.0 + kContainerLine, 46.0, 28.0}) {
      if (height > 46 && level != Level::Close) continue;
      TileGrid g;
      g.containers = int((height - 46) / kContainerLine);
      g.area = area;
      g.chips = true;
      g.twoLines = height > 40;
      g.gap = 6;
      g.tile = height;
      const double narrowest = level == Level::Close ? 230 : 190;
      g.columns = std::max(1, int((area.width() + g.gap) / (narrowest + g.gap)));
      g.width = std::min(level == Level::Close ? 340.0 : 280.0, (area.width() - (g.columns - 1) * g.gap) / g.columns);
      g.capacity = g.columns * std::max(1, int((area.height() + g.gap) / (height + g.gap)));
      if (g.capacity >= places) return g;
    }
    return squares(area, places, 30);
  }
  return squares(card, places, 4);
}

}  // namespace ph::ui
