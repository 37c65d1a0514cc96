// CardPainter: draws one machine's card at any size, and the tiles' shapes. Glyphs of tiles are cached by
// shape, color and size. Threads: GUI thread only.
#pragma once

#include <QHash>
#include <QPainter>
#include <QPixmap>

#include "ui/map/tile_grid.h"
#include "ui/map/tile_motion.h"
#include "ui/theme/theme.h"

namespace ph::ui {

// What the scheduler says of a machine, while its decision is looked at.
enum class Judged : uint8_t { No, Fits, Refused };

struct CardLook {
  bool selected = false, hovered = false, focused = false;
  QString selectedPod;
  int hoveredTile = -1;
  int onlyApp = -1;  // the others are dimmed; -1: none is
  const TileMotion* motion = nullptr;  // what moves; none: nothing does
  QString news;  // what has just happened here, in the place of the foot
  Tone newsTone = Tone::Plain;
  Judged judged = Judged::No;
  bool pointed = false;  // a row about it is under the hand elsewhere
  bool filtering = false;
};

// A tile's shape says its pod's state. `Ghost` is one that would come, `Going` one that would go.
enum class TileShape : uint8_t { Waiting, Starting, Ready, Failing, Leaving, Finished, Ghost, Going };

// Tiles as they are drawn, kept by shape, application color and size.
class TileGlyphs {
 public:
  const QPixmap& get(TileShape shape, int color, int size, qreal ratio);
  // Drawn smaller, `part` of the way to where it starts from when it comes or ends when it goes.
  void paintShrunk(QPainter& p, const QRectF& box, TileShape shape, int color, double part);
  void paintLeaving(QPainter& p, const TileGrid& grid, const Departure& departure);
  void clear() { glyphs_.clear(); }

 private:
  QHash<quint64, QPixmap> glyphs_;
};

class CardPainter {
 public:
  explicit CardPainter(const models::MapModel& model) : model_(model) {}
  void themeChanged() { glyphs_.clear(); }
  void paint(QPainter& p, const QRectF& card, int index, const CardLook& look);
  using Shape = TileShape;
  // A tile's shape alone, for legends and lists.
  static void drawShape(QPainter& p, const QRectF& r, Shape shape, const QColor& color);
  static Shape shapeOf(models::PodState state) { return Shape(uint8_t(state)); }
  static Tone toneOf(const models::Card& card);
  // The ring around a tile whose pod has just turned; part 0..1: how far it has come.
  static void paintPulse(QPainter& p, const QRectF& tile, models::PodState state, double part);
  // One line, elided where there is no room.
  static void text(QPainter& p, const QRectF& r, int flags, const QString& s, const QFont& f, const QColor& c,
                   Qt::TextElideMode elide = Qt::ElideRight);

 private:
  // How strong what steps back is still drawn.
  static constexpr double kBack = 0.28, kTileBack = 0.16;
  void paintTone(QPainter& p, const QRectF& r, const models::Card& card, const CardLook& look);
  void paintFrame(QPainter& p, const QRectF& r, const models::Card& card, const CardLook& look, bool waiting);
  void paintHead(QPainter& p, const QRectF& r, const models::Card& card, Level level);
  void paintBars(QPainter& p, const QRectF& r, const models::Card& card);
  void paintTiles(QPainter& p, const QRectF& r, int index, Level level, const CardLook& look);
  void paintChip(QPainter& p, const QRectF& r, const models::Tile& tile, const TileGrid& grid);
  void paintContainers(QPainter& p, const QRectF& r, const models::PodFacts& pod, int lines);
  void paintFoot(QPainter& p, const QRectF& r, const models::Card& card, bool waiting, const CardLook& look);
  void paintMoving(QPainter& p, const models::Card& card, const TileGrid& grid, const CardLook& look);
  void paintMarks(QPainter& p, const QRectF& r, const models::Card& card);
  void paintJudged(QPainter& p, const QRectF& r, const CardLook& look);
  const models::MapModel& model_;
  TileGlyphs glyphs_;
};

}  // namespace ph::ui
