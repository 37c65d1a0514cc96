#include "ui/appmap/app_layout.h"

#include <algorithm>
#include <cmath>

namespace ph::ui {

using models::AppGraph;
using What = AppBox::What;

namespace {

using namespace app_card;
constexpr double kBoxHeight = 46, kUseHeight = 36, kBoxGap = 8, kMoreHeight = 20;
constexpr double kSetHead = 24, kSetPad = 10, kTile = 14, kPitch = 18;
constexpr double kSmallestTile = 4;
constexpr int kMostTiles = 700;  // beyond, tiles would be dust: shares of states are drawn

int columnsOf(double pitch) {
  return std::max(1, int((kColumn - 2 * kSetPad + pitch - kTile) / pitch));
}

// Rows of tiles that a set has room for: as many as it needs, in few sizes, so that one pod more moves nothing mostly.
int rowsFor(int places) {
  if (places > kMostTiles) return 1;
  const int rows = (std::max(places, 1) + columnsOf(kPitch) - 1) / columnsOf(kPitch);
  for (int size : {1, 2, 3, 4}) {
    if (rows <= size) return size;
  }
  return 6;
}

double setHeight(const models::AppPods& set) {
  return (set.box.name.isEmpty() ? kSetPad : kSetHead) + rowsFor(int(set.tiles.size())) * kPitch - (kPitch - kTile) + kSetPad;
}

}  // namespace

const AppBox* AppPlan::find(What what, int index) const {
  auto at = std::find_if(boxes.begin(), boxes.end(), [&](auto& b) { return b.what == what && b.index == index; });
  return at == boxes.end() ? nullptr : &*at;
}

AppPlan planOf(const AppGraph& app) {
  AppPlan plan;
  double x = kPad, bottom = kHead - kPad;
  auto column = [&](What what, size_t count, auto height, double gap) {
    if (count == 0) return;
    double y = kHead;
    const size_t shown = count > size_t(kMaxRows) ? kMaxRows - 1 : count;
    for (size_t i = 0; i < shown; ++i) {
      plan.boxes.push_back({what, int(i), QRectF(x, y, kColumn, height(i))});
      y += height(i) + gap;
    }
    if (shown < count) {
      plan.boxes.push_back({What::More, int(count - shown), QRectF(x, y, kColumn, kMoreHeight)});
      y += kMoreHeight + gap;
    }
    bottom = std::max(bottom, y - gap);
    x += kColumn + kColumnGap;
  };
  column(What::Ingress, app.ingresses.size(), [](size_t) { return kBoxHeight; }, kBoxGap);
  column(What::Service, app.services.size(), [](size_t) { return kBoxHeight; }, kBoxGap);
  column(What::Set, app.sets.size(), [&](size_t i) { return setHeight(app.sets[i]); }, kBoxGap);
  column(What::Use, app.uses.size(), [](size_t) { return kUseHeight; }, kBoxGap / 2);
  plan.size = {std::max(x - kColumnGap, kPad + kColumn) + kPad, bottom + kPad};
  return plan;
}

TileGrid setGrid(const QRectF& box, const models::AppPods& set, double scale) {
  TileGrid g;
  g.area = box.adjusted(kSetPad * scale, (set.box.name.isEmpty() ? kSetPad : kSetHead) * scale, -kSetPad * scale, -kSetPad * scale + 1);
  const int places = int(set.tiles.size());
  g.capacity = 0;
  if (places > kMostTiles) return g;
  const double height = rowsFor(places) * kPitch;
  for (double tile : {kTile, 11.0, 8.0, 6.0, kSmallestTile}) {
    const double pitch = tile + (tile >= 11 ? 4 : tile >= 8 ? 3 : tile >= 6 ? 2 : 1);
    g.columns = std::max(1, int((kColumn - 2 * kSetPad + pitch - tile) / pitch));
    g.capacity = g.columns * std::max(1, int(height / pitch));
    g.tile = g.width = std::max(1.0, std::round(tile * scale));
    g.gap = pitch * scale - g.tile;
    if (g.capacity >= places) break;
  }
  return g;
}

QRectF boxRect(const QRectF& card, const AppBox& box, double scale) {
  const QRectF r = box.rect;
  return {QPointF(std::round(card.left() + r.left() * scale), std::round(card.top() + r.top() * scale)),
          QPointF(std::round(card.left() + r.right() * scale), std::round(card.top() + r.bottom() * scale))};
}

std::vector<QSizeF> AppLayout::sizesOf(const std::vector<AppGraph>& apps) {
  std::vector<QSizeF> out;
  out.reserve(apps.size());
  for (auto& app : apps) out.push_back(planOf(app).size);
  return out;
}

void AppLayout::build(const std::vector<AppGraph>& apps, double width) {
  place(apps, sizesOf(apps), width);
}

void AppLayout::place(const std::vector<AppGraph>& apps, const std::vector<QSizeF>& sizes, double width) {
  bands_.clear();
  cards_.clear();
  rows_.clear();
  double y = 0, right = 0;
  for (size_t i = 0; i < apps.size();) {
    const QString& ns = apps[i].ns;
    if (!bands_.empty()) y += kBandGap;
    bands_.push_back({ns, QRectF(0, y, width, kBandHead), 0});
    y += kBandHead;
    double x = 0, height = 0;
    for (; i < apps.size() && apps[i].ns == ns; ++i) {
      const QSizeF& size = sizes[i];
      if (x > 0 && x + size.width() > width) {
        y += height + kGap;
        x = height = 0;
      }
      if (x == 0) rows_.emplace_back(int(i), QRectF(0, y, width, 0));
      height = std::max(height, size.height());
      cards_.push_back({QRectF(QPointF(x, y), size), int(i)});
      rows_.back().second.setHeight(height);
      right = std::max(right, x + size.width());
      x += size.width() + kGap;
      ++bands_.back().apps;
    }
    y += height;
  }
  // Neighbours are of one height.
  for (size_t row = 0; row < rows_.size(); ++row) {
    const size_t end = row + 1 < rows_.size() ? size_t(rows_[row + 1].first) : cards_.size();
    for (size_t c = size_t(rows_[row].first); c < end; ++c) cards_[c].rect.setHeight(rows_[row].second.height());
  }
  size_ = {std::max(width, right), y};
}

double AppLayout::fitScale(const std::vector<AppGraph>& apps, const QSizeF& window, double smallest) {
  AppLayout trial;
  const std::vector<QSizeF> sizes = sizesOf(apps);
  auto fits = [&](double scale) {
    trial.place(apps, sizes, window.width() / scale);
    return trial.size().height() * scale <= window.height() && trial.size().width() * scale <= window.width() + 1;
  };
  if (fits(1)) return 1;
  if (!fits(smallest)) return smallest;
  double low = smallest, high = 1;
  for (int i = 0; i < 8; ++i) {
    const double middle = std::sqrt(low * high);
    (fits(middle) ? low : high) = middle;
  }
  return low;
}

int AppLayout::cardAt(const QPointF& world) const {
  const auto [first, last] = between(world.y(), world.y());
  for (int i = first; i < last; ++i) {
    if (cards_[size_t(i)].rect.contains(world)) return i;
  }
  return -1;
}

std::pair<int, int> AppLayout::between(double top, double bottom) const {
  auto first = std::partition_point(rows_.begin(), rows_.end(), [&](auto& r) { return r.second.bottom() < top; });
  auto last = std::partition_point(first, rows_.end(), [&](auto& r) { return r.second.top() <= bottom; });
  auto card = [&](auto row) { return row == rows_.end() ? int(cards_.size()) : row->first; };
  return {card(first), card(last)};
}

}  // namespace ph::ui
