// ScalePreview: the scale that a hand is holding: which application, how many copies, and where the change
// would land. The handle in the panel, the legend and the keyboard all move this one; the map shows its
// ghosts. Threads: GUI thread only.
#pragma once

#include <QObject>
#include <memory>

#include "models/map_model.h"
#include "models/what_if.h"

namespace ph::client {
class Client;
}

namespace ph::models {

class ScalePreview : public QObject {
  Q_OBJECT
 public:
  static constexpr int kMaxCopies = 5000;
  explicit ScalePreview(MapModel* map, QObject* parent = nullptr);

  // Whose scheduler is asked where new copies would go (pilothouse.io/v1 SchedulingPreview, which changes nothing).
  void setClient(std::shared_ptr<client::Client> client) { client_ = std::move(client); }

  bool active() const { return !app_.isEmpty(); }
  const QString& app() const { return app_; }
  int target() const { return target_; }
  int current() const;
  const Estimate& estimate() const { return estimate_; }
  // "Release to scale. The ghosts show where the 3 would go."
  QString hint() const;

  void hold(const QString& app, int target);
  void cancel();
  void release();  // emits `released` when the number differs

 signals:
  void changed();
  void released(const QString& app, int copies);

 private:
  void work();
  void ask(int copies, bool fromTemplate = false);

  MapModel* map_;
  std::shared_ptr<client::Client> client_;
  QString app_;
  int target_ = 0;
  Estimate estimate_;
  QStringList places_;  // what the scheduler said, copy after copy; empty: fits nowhere
  int asked_ = 0;       // for how many copies
  int question_ = 0;
  bool refused_ = false;  // it can't be asked
};

}  // namespace ph::models
