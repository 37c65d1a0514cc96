// MapLayout: where each card is, in world coordinates (a card at scale 1 is as in the look: about 226 x 164).
// A stable packed grid a group. Pure geometry. Threads: GUI thread only.
#pragma once

#include <QRectF>
#include <vector>

#include "models/map_model.h"

namespace ph::ui {

class MapLayout {
 public:
  static constexpr double kCardWidth = 220, kCardHeight = 164, kGap = 16, kGroupHead = 30, kGroupGap = 18;

  struct Group {
    QString name;
    QRectF head;
  };

  // The smallest scale of a few steps, 1 first, at which all fits the viewport.
  static double fitScale(const models::MapModel& model, const QSizeF& viewport);
  // `scale` is the one that it will be seen at: group heads are no smaller than text at it.
  void build(const models::MapModel& model, double width, double scale);

  const std::vector<Group>& groups() const { return groups_; }
  // Empty when the card isn't placed.
  QRectF card(int index) const { return index >= 0 && index < int(cards_.size()) ? cards_[index] : QRectF(); }
  int cardAt(const QPointF& world) const;
  const std::vector<std::vector<int>>& rows() const { return rows_; }  // card indices, for the arrow keys
  QSizeF size() const { return size_; }

 private:
  std::vector<QRectF> cards_;
  std::vector<Group> groups_;
  std::vector<std::vector<int>> rows_;
  QSizeF size_;
};

}  // namespace ph::ui
