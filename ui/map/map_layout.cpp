#include "ui/map/map_layout.h"

#include <algorithm>
#include <cmath>

namespace ph::ui {

namespace {

int columnsFor(double width) {
  return std::max(1, int((width + MapLayout::kGap) / (MapLayout::kCardWidth + MapLayout::kGap)));
}

bool waits(const models::MapModel& model) {
  return model.card(models::MapModel::kWaitingCard).pods > 0;
}

double headFor(double scale) {
  return std::max(MapLayout::kGroupHead, 20 / scale);
}

double heightFor(const models::MapModel& model, double width, double scale) {
  const int columns = columnsFor(width);
  double y = 0;
  const bool heads = model.grouped();
  for (auto& g : model.groups()) {
    const int rows = (int(g.places.size()) + columns - 1) / columns;
    if (y > 0) y += MapLayout::kGroupGap;
    y += (heads ? headFor(scale) : 0) + rows * MapLayout::kCardHeight + (rows - 1) * MapLayout::kGap;
  }
  if (waits(model)) y += MapLayout::kGroupGap + MapLayout::kCardHeight;
  return y;
}

}  // namespace

double MapLayout::fitScale(const models::MapModel& model, const QSizeF& viewport) {
  static constexpr double steps[] = {1,    0.93,  0.86, 0.79, 0.72, 0.66, 0.6,  0.55,  0.5,  0.45,
                                     0.4,  0.36,  0.32, 0.28, 0.25, 0.22, 0.2,  0.18,  0.16, 0.145,
                                     0.13, 0.115, 0.1,  0.09, 0.08, 0.07, 0.06, 0.055, 0.05};
  for (double s : steps) {
    if (heightFor(model, viewport.width() / s, s) <= viewport.height() / s) return s;
  }
  return steps[std::size(steps) - 1];
}

void MapLayout::build(const models::MapModel& model, double width, double scale) {
  cards_.assign(model.cards().size(), QRectF());
  groups_.clear();
  rows_.clear();
  const int columns = columnsFor(width);
  const double cardWidth = std::min(300.0, (width - (columns - 1) * kGap) / columns);
  const bool heads = model.grouped();
  double y = 0;
  for (auto& g : model.groups()) {
    if (y > 0) y += kGroupGap;
    if (heads) {
      groups_.push_back({g.name, QRectF(0, y, width, headFor(scale))});
      y += headFor(scale);
    }
    for (size_t i = 0; i < g.places.size(); ++i) {
      const int column = int(i) % columns;
      if (column == 0) {
        if (i > 0) y += kCardHeight + kGap;
        rows_.emplace_back();
      }
      if (g.places[i] < 0) continue;
      cards_[g.places[i]] = QRectF(column * (cardWidth + kGap), y, cardWidth, kCardHeight);
      rows_.back().push_back(g.places[i]);
    }
    y += kCardHeight;
  }
  if (waits(model)) {
    if (y > 0) y += kGroupGap;
    cards_[models::MapModel::kWaitingCard] = QRectF(0, y, std::min(width, cardWidth * 2 + kGap), kCardHeight);
    rows_.push_back({models::MapModel::kWaitingCard});
    y += kCardHeight;
  }
  rows_.erase(std::remove_if(rows_.begin(), rows_.end(), [](auto& r) { return r.empty(); }), rows_.end());
  size_ = QSizeF(width, y);
}

int MapLayout::cardAt(const QPointF& world) const {
  // Rows are in order of y: find the row, then look along it.
  auto row = std::partition_point(rows_.begin(), rows_.end(),
                                  [&](auto& r) { return cards_[r.front()].bottom() < world.y(); });
  if (row == rows_.end()) return -1;
  for (int i : *row) {
    if (cards_[i].contains(world)) return i;
  }
  return -1;
}

}  // namespace ph::ui
