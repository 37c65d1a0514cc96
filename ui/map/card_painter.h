// CardPainter: draws one machine's card at any size, and the tiles' shapes. Glyphs of tiles are cached by
// shape, color and size. Threads: GUI thread only.
#pragma once

#include <QHash>
#include <QPainter>
#include <QPixmap>

#include "ui/map/tile_grid.h"
#include "ui/theme/theme.h"

namespace ph::ui {

// A tile whose pod has just gone.
struct Departure {
  int card = -1, slot = -1, app = -1;
  models::PodState state = models::PodState::Leaving;
  double part = 0;  // 0..1: how far it has faded
};

// What the scheduler says of a machine, while its decision is looked at.
enum class Judged : uint8_t { No, Fits, Refused };

struct CardLook {
  bool selected = false, hovered = false, focused = false;
  QString selectedPod;
  int hoveredTile = -1;
  int onlyApp = -1;  // the others are dimmed; -1: none is
  // 0..1: how far a pod's arrival has come; 1 when it stands.
  std::function<double(const QString& pod)> arrival;
  // 0..1: how far the ring around a pod that changed has come; 1 when there is none.
  std::function<double(const QString& pod)> pulse;
  const std::vector<Departure>* departures = nullptr;
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
  void paintMoving(QPainter& p, int index, const models::Card& card, const TileGrid& grid, const CardLook& look);
  void paintMarks(QPainter& p, const QRectF& r, const models::Card& card);
  void paintJudged(QPainter& p, const QRectF& r, const CardLook& look);
  const models::MapModel& model_;
  TileGlyphs glyphs_;
};

}  // namespace ph::ui
