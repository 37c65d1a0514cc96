// What a card shows at a size, and where its tiles are: the same for painting and for hitting. Pure geometry,
// screen pixels.
#pragma once

#include <QRectF>

#include "models/map_model.h"

namespace ph::ui {

enum class Level : uint8_t {
  Tone,     // a block in the tone of its load
  Compact,  // name and tiles
  Full,     // load bars, tiles, count
  Near,     // pods by name
  Close,    // pods with their addresses and containers
};

Level levelFor(double cardWidth);
constexpr double kContainerLine = 17;  // height of a container's line in a pod's plate

// Slots in rows. With `chips`, each slot is a small plate with text.
struct TileGrid {
  QRectF area;
  double tile = 14, gap = 4;  // size of a slot's square, or height of a chip
  double width = 14;          // of a slot: == tile, or the chip's width
  int columns = 1, capacity = 0;
  bool chips = false, twoLines = false;
  int containers = 0;  // lines for them, below the two

  QRectF slot(int index) const;
  int at(const QPointF& point, int places) const;  // -1: none
};

TileGrid tileGrid(const QRectF& card, Level level, int places);

}  // namespace ph::ui
