// Where the application map's cards are, and what is where on a card: the same for painting and for hitting. Bands by
// namespace; in a band cards flow like words, in order, and a row is as high as its highest. Pure geometry, in world
// pixels (those of scale 1). Threads: plain values.
#pragma once

#include <QRectF>

#include "models/app_map_model.h"
#include "ui/map/tile_grid.h"

namespace ph::ui {

struct AppBox {
  enum class What : uint8_t { Ingress, Service, Set, Use, More } what;
  int index = 0;  // into the graph's list; of More: how many are not shown
  QRectF rect;    // in the card
};

// A card's parts, left to right: what leads in, the sets of pods, what they use.
struct AppPlan {
  QSizeF size;
  std::vector<AppBox> boxes;
  const AppBox* find(AppBox::What what, int index) const;
};

namespace app_card {
constexpr double kColumn = 204, kColumnGap = 28, kPad = 14, kHead = 58;
constexpr int kMaxRows = 6;  // of a column; the others are counted
}  // namespace app_card

AppPlan planOf(const models::AppGraph& app);
// A box of a card that is at `card` on the screen, on whole pixels.
QRectF boxRect(const QRectF& card, const AppBox& box, double scale);
// Tiles of a set whose box is at `box` on the screen, at `scale`; its capacity is 0 where there are too many to draw.
TileGrid setGrid(const QRectF& box, const models::AppPods& set, double scale);

class AppLayout {
 public:
  static constexpr double kGap = 14, kBandGap = 18, kBandHead = 30;
  struct Card {
    QRectF rect;
    int app = 0;  // into the model's list
  };
  struct Band {
    QString ns;
    QRectF head;
    int apps = 0;
  };

  void build(const std::vector<models::AppGraph>& apps, double width);
  // The largest scale, 1 at most, at which all is seen in a window of this size; `smallest` when none is.
  static double fitScale(const std::vector<models::AppGraph>& apps, const QSizeF& window, double smallest);

  const std::vector<Band>& bands() const { return bands_; }
  const std::vector<Card>& cards() const { return cards_; }  // in order of the model
  const QSizeF& size() const { return size_; }
  int cardAt(const QPointF& world) const;  // -1: none
  // Cards of the rows between two heights: from first, to before last.
  std::pair<int, int> between(double top, double bottom) const;

 private:
  static std::vector<QSizeF> sizesOf(const std::vector<models::AppGraph>& apps);
  void place(const std::vector<models::AppGraph>& apps, const std::vector<QSizeF>& sizes, double width);
  std::vector<Band> bands_;
  std::vector<Card> cards_;
  std::vector<std::pair<int, QRectF>> rows_;  // first card, and the row's extent
  QSizeF size_;
};

}  // namespace ph::ui
