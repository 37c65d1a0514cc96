// AppPainter: draws one application of the application map at any scale: far out a block in the tone of its health, then
// its name and pods, near by every part with its name. Threads: GUI thread only.
#pragma once

#include <QPainter>

#include "ui/appmap/app_layout.h"
#include "ui/map/card_painter.h"
#include "ui/theme/theme.h"

namespace ph::ui {

enum class AppLevel : uint8_t { Tone, Pods, Parts };
AppLevel appLevelFor(double scale);

struct AppLook {
  models::Subject selection, hover;  // of whatever the part is: an object shared by several is marked in all
  bool hovered = false, focused = false;  // the card
  models::Subject cursor;            // where the keyboard is inside; none: it is not
  const TileMotion* motion = nullptr;  // what moves; none: nothing does
  QString news;                      // what has just happened, in the place of the kind
  Tone newsTone = Tone::Plain;
};

class AppPainter {
 public:
  void themeChanged() { glyphs_.clear(); }
  void paint(QPainter& p, const QRectF& card, const models::AppGraph& app, double scale, const AppLook& look);

 private:
  void paintTone(QPainter& p, const QRectF& r, const models::AppGraph& app, const AppLook& look);
  void paintFrame(QPainter& p, const QRectF& r, const models::AppGraph& app, double scale, const AppLook& look);
  void paintHead(QPainter& p, const QRectF& r, const models::AppGraph& app, double scale, const AppLook& look);
  void paintEdges(QPainter& p, const QRectF& r, const models::AppGraph& app, const AppPlan& plan, double scale);
  void paintEntry(QPainter& p, const QRectF& r, const models::AppEntry& entry, double scale, const AppLook& look, bool boxed);
  void paintSet(QPainter& p, const QRectF& r, const models::AppGraph& app, const models::AppPods& set, double scale,
                const AppLook& look);
  void paintTiles(QPainter& p, const TileGrid& grid, const models::AppGraph& app, const models::AppPods& set, const AppLook& look);
  void paintShares(QPainter& p, const QRectF& r, const models::AppPods& set, int color, double scale);
  void ring(QPainter& p, const QRectF& r, const models::Subject& subject, double rounding, const AppLook& look);

  TileGlyphs glyphs_;
};

}  // namespace ph::ui
