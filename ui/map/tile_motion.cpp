#include "ui/map/tile_motion.h"

#include <QSet>
#include <algorithm>

namespace ph::ui {

using models::PodState;

TileMotion::TileMotion(QObject* parent) : QObject(parent) {
  clock_.start();
  frame_.setInterval(16);
  connect(&frame_, &QTimer::timeout, this, &TileMotion::tick);
  newsOver_.setSingleShot(true);
  connect(&newsOver_, &QTimer::timeout, this, &TileMotion::expire);
}

void TileMotion::add(const Event& event) {
  if (event.told) tell(event);
  emit changed(event.card);
  if (Theme::get().motion() == 0) return;
  const qint64 now = clock_.elapsed();
  switch (event.what) {
    case What::Came:
      arrivals_[event.pod] = {now, event.card};
      break;
    case What::Turned:
      pulses_[event.pod] = {now, event.card};
      break;
    case What::Left:
      departures_.push_back({event.card, event.set, event.slot, event.color, event.state, 0});
      departedAt_.push_back(now);
      break;
    case What::Machine:
      return;
  }
  if (!frame_.isActive()) frame_.start();
}

void TileMotion::tell(const Event& event) {
  const qint64 now = clock_.elapsed();
  News& news = news_[event.card];
  if (news.at + kNewsMs < now) news = {};
  news.at = now;
  news.came += event.what == What::Came;
  news.left += event.what == What::Left;
  news.machine = event.what == What::Machine;
  if (event.what == What::Turned && (event.state == PodState::Failing || event.state == PodState::Ready)) {
    ++(event.state == PodState::Failing ? news.failing : news.ready);
    news.pod = event.pod.section('/', 1);
  }
  if (!newsOver_.isActive()) newsOver_.start(kNewsMs);
}

QString TileMotion::news(const QString& card) const {
  auto it = news_.find(card);
  if (it == news_.end() || it->machine) return {};
  const bool one = it->came + it->left + it->failing + it->ready == 1;
  if (one && it->failing) return tr("%1 is failing").arg(it->pod);
  if (one && it->ready) return tr("%1 is ready").arg(it->pod);
  QStringList parts;
  if (it->came) parts << tr("+%n pod(s)", nullptr, it->came);
  if (it->left) parts << tr("−%n pod(s)", nullptr, it->left);
  if (it->ready) parts << tr("%n ready", nullptr, it->ready);
  if (it->failing) parts << tr("%n failing", nullptr, it->failing);
  return parts.join(QStringLiteral(" · "));
}

Tone TileMotion::newsTone(const QString& card) const {
  auto it = news_.find(card);
  if (it == news_.end()) return Tone::Plain;
  return it->failing ? Tone::Error : it->ready && !it->left ? Tone::Ok : Tone::Info;
}

void TileMotion::expire() {
  const qint64 now = clock_.elapsed();
  qint64 next = -1;
  QStringList over;
  for (auto it = news_.begin(); it != news_.end();) {
    const qint64 left = it->at + kNewsMs - now;
    if (left <= 0) {
      over << it.key();
      it = news_.erase(it);
      continue;
    }
    next = next < 0 ? left : std::min(next, left);
    ++it;
  }
  if (next >= 0) newsOver_.start(int(next));
  for (auto& card : over) emit changed(card);
}

void TileMotion::tick() {
  const qint64 now = clock_.elapsed();
  const int ms = Theme::get().motion();
  QSet<QString> touched;
  auto advance = [&](QHash<QString, Begun>& all, int lasting) {
    for (auto it = all.begin(); it != all.end();) {
      touched << it->card;
      it = now - it->at > lasting ? all.erase(it) : std::next(it);
    }
  };
  advance(arrivals_, ms);
  advance(pulses_, kPulseMs);
  for (size_t i = 0; i < departures_.size();) {
    touched << departures_[i].card;
    departures_[i].part = ms > 0 ? double(now - departedAt_[i]) / ms : 1;
    if (departures_[i].part < 1) {
      ++i;
      continue;
    }
    departures_.erase(departures_.begin() + long(i));
    departedAt_.erase(departedAt_.begin() + long(i));
  }
  if (arrivals_.isEmpty() && pulses_.isEmpty() && departures_.empty()) frame_.stop();
  for (auto& card : std::as_const(touched)) emit changed(card);
}

double TileMotion::arrival(const QString& pod) const {
  auto it = arrivals_.find(pod);
  const int ms = Theme::get().motion();
  return it == arrivals_.end() || ms == 0 ? 1 : std::clamp(double(clock_.elapsed() - it->at) / ms, 0.05, 1.0);
}

double TileMotion::pulse(const QString& pod) const {
  auto it = pulses_.find(pod);
  return it == pulses_.end() ? 1 : std::clamp(double(clock_.elapsed() - it->at) / kPulseMs, 0.0, 1.0);
}

}  // namespace ph::ui
