// TileMotion: what has just happened among a map's tiles. A newcomer grows, what turned is ringed, what went fades, and
// for a while its card says so in words. It knows no view: it says which card looks different now. Motion is off where
// the system asks for none; the words stay. Threads: GUI thread only.
#pragma once

#include <QElapsedTimer>
#include <QHash>
#include <QObject>
#include <QTimer>
#include <vector>

#include "models/map_model.h"
#include "ui/theme/theme.h"

namespace ph::ui {

// A tile whose pod has just gone.
struct Departure {
  QString card, set;  // set: which of the card's grids, where it has several
  int slot = -1, color = -1;
  models::PodState state = models::PodState::Leaving;
  double part = 0;  // 0..1: how far it has faded
};

class TileMotion : public QObject {
  Q_OBJECT
 public:
  using What = models::MapNews::What;
  static constexpr int kPulseMs = 200, kNewsMs = 4000;

  explicit TileMotion(QObject* parent = nullptr);

  struct Event {
    What what = What::Came;
    QString card, set;
    int slot = -1;
    QString pod;
    models::PodState state = models::PodState::Waiting;
    int color = -1;
    bool told = true;  // in words too
  };
  void add(const Event& event);

  bool moving() const { return frame_.isActive(); }
  // 0..1: how far a pod's arrival, or the ring around one that turned, has come; 1 when it stands.
  double arrival(const QString& pod) const;
  double pulse(const QString& pod) const;
  const std::vector<Departure>& departures() const { return departures_; }
  // What the card says; empty when there is no news of it.
  QString news(const QString& card) const;
  Tone newsTone(const QString& card) const;

 signals:
  void changed(const QString& card);

 private:
  struct Begun {
    qint64 at = 0;  // by clock_
    QString card;
  };
  struct News {
    int came = 0, left = 0, failing = 0, ready = 0;
    QString pod;           // the one, while it is one
    bool machine = false;  // its head says it
    qint64 at = 0;
  };
  void tell(const Event& event);
  void tick();
  void expire();

  QElapsedTimer clock_;
  QTimer frame_, newsOver_;
  QHash<QString, Begun> arrivals_, pulses_;  // by pod
  std::vector<Departure> departures_;
  std::vector<qint64> departedAt_;  // of each departure
  QHash<QString, News> news_;       // by card
};

}  // namespace ph::ui
