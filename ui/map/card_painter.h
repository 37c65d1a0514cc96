// CardPainter: draws one machine's card at any size, and the tiles' shapes. Glyphs of tiles are cached by
// shape, color and size. Threads: GUI thread only.
#pragma once

#include <QHash>
#include <QPainter>
#include <QPixmap>

#include "ui/map/tile_grid.h"
#include "ui/theme/theme.h"

namespace ph::ui {

struct CardLook {
  bool selected = false, hovered = false, focused = false;
  QString selectedPod;
  int hoveredTile = -1;
  int onlyApp = -1;  // the others are dimmed; -1: none is
  // 0..1: how far a pod's arrival has come; 1 when it stands.
  std::function<double(const QString& pod)> arrival;
};

class CardPainter {
 public:
  explicit CardPainter(const models::MapModel& model) : model_(model) {}
  void themeChanged() { glyphs_.clear(); }
  void paint(QPainter& p, const QRectF& card, int index, const CardLook& look);
  // A tile's shape alone, for legends and lists. `ghost` draws the dashed one.
  enum class Shape : uint8_t { Waiting, Starting, Ready, Failing, Leaving, Finished, Ghost, Going };
  static void drawShape(QPainter& p, const QRectF& r, Shape shape, const QColor& color);
  static Shape shapeOf(models::PodState state) { return Shape(uint8_t(state)); }
  static Tone toneOf(const models::Card& card);

 private:
  void paintTone(QPainter& p, const QRectF& r, const models::Card& card, const CardLook& look);
  void paintFrame(QPainter& p, const QRectF& r, const models::Card& card, const CardLook& look, bool waiting);
  void paintHead(QPainter& p, const QRectF& r, const models::Card& card, Level level);
  void paintBars(QPainter& p, const QRectF& r, const models::Card& card);
  void paintTiles(QPainter& p, const QRectF& r, const models::Card& card, Level level, const CardLook& look);
  void paintChip(QPainter& p, const QRectF& r, const models::Tile& tile, bool twoLines);
  void paintFoot(QPainter& p, const QRectF& r, const models::Card& card, bool waiting);
  const QPixmap& glyph(Shape shape, int color, int size, qreal ratio);

  const models::MapModel& model_;
  QHash<quint64, QPixmap> glyphs_;
};

}  // namespace ph::ui
