// ScalePreview: the scale that a hand is holding: which application, how many copies, and where the change
// would land. The handle in the panel, the legend and the keyboard all move this one; the map shows its
// ghosts. Threads: GUI thread only.
#pragma once

#include <QObject>

#include "models/map_model.h"
#include "models/what_if.h"

namespace ph::models {

class ScalePreview : public QObject {
  Q_OBJECT
 public:
  static constexpr int kMaxCopies = 5000;
  explicit ScalePreview(MapModel* map, QObject* parent = nullptr);

  bool active() const { return !app_.isEmpty(); }
  const QString& app() const { return app_; }
  int target() const { return target_; }
  int current() const;
  const Estimate& estimate() const { return estimate_; }
  // "Release to scale. The ghosts show where the 3 would go (an estimate)."
  QString hint() const;

  void hold(const QString& app, int target);
  void cancel();
  void release();  // emits `released` when the number differs

 signals:
  void changed();
  void released(const QString& app, int copies);

 private:
  MapModel* map_;
  QString app_;
  int target_ = 0;
  Estimate estimate_;
};

}  // namespace ph::models
