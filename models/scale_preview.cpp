#include "models/scale_preview.h"

#include <algorithm>

namespace ph::models {

ScalePreview::ScalePreview(MapModel* map, QObject* parent) : QObject(parent), map_(map) {}

int ScalePreview::current() const {
  auto* w = map_->state()->workload(app_);
  return w ? w->wanted : 0;
}

void ScalePreview::hold(const QString& app, int target) {
  auto* w = map_->state()->workload(app);
  if (!w) return;
  target = std::clamp(target, 0, kMaxCopies);
  if (app == app_ && target == target_) return;
  app_ = app;
  target_ = target;
  estimate_ = target == w->wanted ? Estimate{} : estimateScale(*map_->state(), app, target);
  QHash<QString, int> byCard;
  for (auto it = estimate_.come.begin(); it != estimate_.come.end(); ++it) {
    auto* machine = map_->state()->machineOfNode(it.key());
    byCard[machine ? machine->key : it.key()] += it.value();
  }
  map_->setPreview(app, byCard, estimate_.go);
  emit changed();
}

void ScalePreview::cancel() {
  if (!active()) return;
  app_.clear();
  estimate_ = {};
  map_->setPreview({}, {}, {});
  emit changed();
}

void ScalePreview::release() {
  if (!active()) return;
  const QString app = app_;
  const int target = target_, was = current();
  cancel();
  if (target != was) emit released(app, target);
}

QString ScalePreview::hint() const {
  if (!active()) return tr("Drag to scale.");
  const int by = target_ - current();
  if (by == 0) return tr("Drag to scale.");
  if (by < 0) return tr("Release to scale. The %n faded pod(s) would most likely stop.", nullptr, -by);
  const int placed = by - estimate_.unplaced;
  if (estimate_.unplaced > 0 && placed == 0)
    return tr("Release to scale. No machine has room for more now (an estimate); they would wait.");
  if (estimate_.unplaced > 0) {
    return tr("Release to scale. Room for %1 of the %2 now (an estimate); the others would wait.")
        .arg(placed)
        .arg(by);
  }
  return tr("Release to scale. The ghosts show where the %n would most likely go.", nullptr, by);
}

}  // namespace ph::models
