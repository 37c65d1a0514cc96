#include "ui/map/map_view.h"

#include <QPaintEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace ph::ui {

using models::CardState;
using models::Subject;

MapView::MapView(models::MapModel* model, QWidget* parent)
    : QWidget(parent), model_(model), painter_(*model) {
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setAccessibleName(tr("Fleet map"));
  setAttribute(Qt::WA_OpaquePaintEvent);
  grabGesture(Qt::PinchGesture);
  clock_.start();
  frame_.setInterval(16);
  connect(&frame_, &QTimer::timeout, this, &MapView::tick);
  // "lost 4 s ago" goes on counting; only while a card says such a thing.
  second_.setInterval(1000);
  connect(&second_, &QTimer::timeout, this, [this] {
    QHash<int, QString> now;
    for (int i = 1; i < int(model_->cards().size()); ++i) {
      auto& card = model_->card(i);
      if (!card.used || card.state != CardState::Lost) continue;
      now[i] = models::words::ago(model_->state()->now() - card.since);
      if (lostFor_.value(i) != now[i]) updateCard(i);  // minutes later it says the same for long
    }
    lostFor_ = std::move(now);
  });
  newsOver_.setSingleShot(true);
  connect(&newsOver_, &QTimer::timeout, this, &MapView::expireNews);
  connect(model, &models::MapModel::happened, this, &MapView::onNews);
  connect(model, &models::MapModel::filterChanged, this, [this] { update(); });
  connect(model, &models::MapModel::layoutChanged, this, &MapView::relayout);
  connect(model, &models::MapModel::cardsChanged, this, &MapView::onCards);
  connect(model, &models::MapModel::appsChanged, this, [this] { update(); });
  connect(model, &models::MapModel::podsArrived, this, [this](const QStringList& pods) {
    if (Theme::get().motion() == 0) return;
    for (auto& pod : pods) arrivals_[pod] = clock_.elapsed();
    frame_.start();
  });
  connect(&Theme::get(), &Theme::changed, this, [this] {
    painter_.themeChanged();
    update();
  });
  relayout();
}

MapView::~MapView() = default;

void MapView::relayout() {
  if (width() <= 0 || height() <= 0) return;
  fitScale_ = MapLayout::fitScale(*model_, size());
  layout_.build(*model_, width() / fitScale_, fitScale_);
  if (fitted_) {
    motion_.on = false;
    scale_ = fitScale_;
    offset_ = {};
  }
  clampOffset();
  watchClock();
  update();
}

void MapView::onCards(const QList<int>& cards) {
  // The card of the waiting comes and goes with its pods.
  const bool waiting = model_->card(models::MapModel::kWaitingCard).pods > 0;
  if (waiting != !layout_.card(models::MapModel::kWaitingCard).isEmpty()) {
    relayout();
    return;
  }
  for (int card : cards) {
    const QRectF r = toScreen(layout_.card(card));
    if (!r.isEmpty()) update(r.adjusted(-3, -3, 3, 3).toAlignedRect());
  }
  watchClock();
}

void MapView::updateCard(int card) {
  const QRectF r = toScreen(layout_.card(card));
  if (!r.isEmpty()) update(r.adjusted(-7, -7, 7, 7).toAlignedRect());
}

QString MapView::News::text() const {
  if (machine) return {};  // its head says it
  QStringList parts;
  const bool one = came + left + failing + ready == 1;
  if (one && failing) return tr("%1 is failing").arg(pod);
  if (one && ready) return tr("%1 is ready").arg(pod);
  if (came) parts << tr("+%n pod(s)", nullptr, came);
  if (left) parts << tr("−%n pod(s)", nullptr, left);
  if (ready) parts << tr("%n ready", nullptr, ready);
  if (failing) parts << tr("%n failing", nullptr, failing);
  return parts.join(QStringLiteral(" · "));
}

Tone MapView::News::tone() const {
  return failing ? Tone::Error : ready && !left ? Tone::Ok : Tone::Info;
}

void MapView::onNews(const QList<models::MapNews>& list) {
  using What = models::MapNews::What;
  const qint64 now = clock_.elapsed();
  const bool moving = Theme::get().motion() > 0;
  for (auto& n : list) {
    if (n.card == models::MapModel::kWaitingCard) continue;
    News& news = news_[n.card];
    if (news.at + kNewsMs < now) news = {};
    news.at = now;
    const bool turned = n.what == What::Turned;
    news.came += n.what == What::Came;
    news.left += n.what == What::Left;
    news.machine = n.what == What::Machine;
    if (turned && (n.tile.state == models::PodState::Failing || n.tile.state == models::PodState::Ready)) {
      ++(n.tile.state == models::PodState::Failing ? news.failing : news.ready);
      news.pod = n.tile.pod.section('/', 1);
    }
    updateCard(n.card);
    if (!moving) continue;
    if (turned) pulses_[n.tile.pod] = now;
    if (n.what == What::Left) {
      departures_.push_back({n.card, n.slot, n.tile.app, n.tile.state, 0});
      departedAt_.push_back(now);
    }
  }
  if (!pulses_.isEmpty() || !departures_.empty()) frame_.start();
  if (!newsOver_.isActive() && !news_.isEmpty()) newsOver_.start(kNewsMs);
}

void MapView::expireNews() {
  const qint64 now = clock_.elapsed();
  qint64 next = -1;
  for (auto it = news_.begin(); it != news_.end();) {
    if (it->at + kNewsMs <= now) {
      updateCard(it.key());
      it = news_.erase(it);
    } else {
      next = next < 0 ? it->at + kNewsMs - now : std::min(next, it->at + kNewsMs - now);
      ++it;
    }
  }
  if (next >= 0) newsOver_.start(int(next));
}

void MapView::setPointed(const QString& node) {
  auto* machine = node.isEmpty() ? nullptr : model_->state()->machineOfNode(node);
  const int card = node.isEmpty() ? -1 : model_->cardIndex(machine ? machine->key : node);
  if (card == pointed_) return;
  for (int each : {pointed_, card}) {
    if (each >= 0) updateCard(each);
  }
  pointed_ = card;
}

void MapView::setJudged(const QHash<QString, bool>& fitting) {
  if (fitting == judged_) return;
  judged_ = fitting;
  update();
}

void MapView::watchClock() {
  bool counting = false;
  for (auto& card : model_->cards()) counting |= card.used && card.state == CardState::Lost;
  if (counting != second_.isActive()) counting ? second_.start() : second_.stop();
}

void MapView::tick() {
  const qint64 now = clock_.elapsed();
  if (motion_.on) {
    const double t = motion_.ms > 0 ? std::min(1.0, double(now - motion_.start) / motion_.ms) : 1;
    const double e = 1 - std::pow(1 - t, 3);
    scale_ = motion_.from * std::pow(motion_.to / motion_.from, e);
    offset_ = motion_.fromOffset + (motion_.toOffset - motion_.fromOffset) * e;
    if (t >= 1) {
      motion_.on = false;
      scale_ = motion_.to;
      offset_ = motion_.toOffset;
    }
    emit zoomed(scale_);
    update();
  }
  const int ms = Theme::get().motion();
  for (auto it = arrivals_.begin(); it != arrivals_.end();) {
    const int card = model_->placeOf(it.key()).first;
    if (card >= 0) update(toScreen(layout_.card(card)).toAlignedRect());
    it = now - it.value() > ms ? arrivals_.erase(it) : std::next(it);
  }
  for (auto it = pulses_.begin(); it != pulses_.end();) {
    updateCard(model_->placeOf(it.key()).first);
    it = now - it.value() > kPulseMs ? pulses_.erase(it) : std::next(it);
  }
  for (size_t i = 0; i < departures_.size();) {
    updateCard(departures_[i].card);
    departures_[i].part = ms > 0 ? double(now - departedAt_[i]) / ms : 1;
    if (departures_[i].part < 1) {
      ++i;
      continue;
    }
    departures_.erase(departures_.begin() + long(i));
    departedAt_.erase(departedAt_.begin() + long(i));
  }
  if (!motion_.on && arrivals_.isEmpty() && pulses_.isEmpty() && departures_.empty()) frame_.stop();
}

double MapView::pulse(const QString& pod) const {
  auto it = pulses_.find(pod);
  return it == pulses_.end() ? 1 : std::clamp(double(clock_.elapsed() - *it) / kPulseMs, 0.0, 1.0);
}

double MapView::arrival(const QString& pod) const {
  auto it = arrivals_.find(pod);
  const int ms = Theme::get().motion();
  return it == arrivals_.end() || ms == 0 ? 1 : std::clamp(double(clock_.elapsed() - *it) / ms, 0.05, 1.0);
}

QRectF MapView::toScreen(const QRectF& w) const {
  if (w.isEmpty()) return {};
  // On whole pixels, so that lines are sharp and neighbours keep their distance.
  const QPointF a(std::round(w.left() * scale_ + offset_.x()), std::round(w.top() * scale_ + offset_.y()));
  const QPointF b(std::round(w.right() * scale_ + offset_.x()),
                  std::round(w.bottom() * scale_ + offset_.y()));
  return {a, b};
}

void MapView::clampOffset() {
  const QSizeF content = layout_.size() * scale_;
  // Content smaller than the window stays at its place; larger can be moved until its edge meets the
  // window's.
  auto clampTo = [](double v, double content, double window) {
    return content <= window ? std::clamp(v, 0.0, window - content)
                             : std::clamp(v, window - content - 24, 24.0);
  };
  offset_ = {clampTo(offset_.x(), content.width(), width()),
             clampTo(offset_.y(), content.height(), height())};
}

void MapView::moveTo(double scale, const QPointF& offset, bool animate) {
  const double oldScale = scale_;
  const QPointF oldOffset = offset_;
  scale_ = std::clamp(scale, kMinScale, kMaxScale);
  offset_ = offset;
  clampOffset();
  const int ms = animate ? Theme::get().motion() : 0;
  motion_.on = false;
  if (ms > 0) {
    motion_ = {true, oldScale, scale_, oldOffset, offset_, clock_.elapsed(), ms};
    scale_ = oldScale;
    offset_ = oldOffset;
    frame_.start();
  } else {
    emit zoomed(scale_);
  }
  update();
}

void MapView::zoomBy(double factor, const QPointF& about, bool animate) {
  const double from = motion_.on ? motion_.to : scale_;
  const QPointF fromOffset = motion_.on ? motion_.toOffset : offset_;
  const double to = std::clamp(from * factor, std::min(fitScale_, 1.0) * 0.5, kMaxScale);
  fitted_ = false;
  moveTo(to, about - (about - fromOffset) * (to / from), animate);
}

void MapView::fit() {
  fitted_ = true;
  fitScale_ = MapLayout::fitScale(*model_, size());
  layout_.build(*model_, width() / fitScale_, fitScale_);
  moveTo(fitScale_, {}, true);
}

void MapView::dive(int card) {
  const QRectF r = layout_.card(card);
  if (r.isEmpty()) return;
  fitted_ = false;
  const double to =
      std::clamp(std::min(width() * 0.92 / r.width(), height() * 0.92 / r.height()), 1.0, kMaxScale);
  moveTo(to, QPointF(width() / 2.0, height() / 2.0) - r.center() * to, true);
}

void MapView::reveal(const Subject& subject) {
  int card = -1;
  if (subject.kind == Subject::Kind::Machine) card = model_->cardIndex(subject.key);
  if (subject.kind == Subject::Kind::Pod) card = model_->placeOf(subject.key).first;
  const QRectF r = card >= 0 ? toScreen(layout_.card(card)) : QRectF();
  if (r.isEmpty() || QRectF(rect()).contains(r.center())) return;
  fitted_ = false;
  moveTo(scale_, offset_ + QPointF(width() / 2.0, height() / 2.0) - r.center(), true);
}

void MapView::select(const Subject& subject) {
  if (selection_ == subject) return;
  selection_ = subject;
  if (subject.kind == Subject::Kind::Machine) cursor_ = model_->cardIndex(subject.key);
  if (subject.kind == Subject::Kind::Pod)
    std::tie(cursor_, cursorTile_) = model_->placeOf(subject.key);
  else
    cursorTile_ = -1;
  update();
}

void MapView::setOnlyApp(const QString& app) {
  const int index = app.isEmpty() ? -1 : model_->appIndex(app);
  if (onlyApp_ == index) return;
  onlyApp_ = index;
  update();
}

QRectF MapView::cardRect(const QString& key) const {
  return toScreen(layout_.card(model_->cardIndex(key)));
}

QRectF MapView::tileRect(const QString& pod) const {
  auto [card, slot] = model_->placeOf(pod);
  if (card < 0) return {};
  const QRectF r = toScreen(layout_.card(card));
  const Level level = levelFor(r.width());
  if (r.isEmpty() || level == Level::Tone) return {};
  return tileGrid(r, level, int(model_->card(card).tiles.size()) + model_->card(card).ghosts).slot(slot);
}

MapView::Hit MapView::hitAt(const QPointF& at) const {
  Hit hit;
  hit.card = layout_.cardAt(toWorld(at));
  if (hit.card < 0) return hit;
  const QRectF r = toScreen(layout_.card(hit.card));
  const Level level = levelFor(r.width());
  const auto& card = model_->card(hit.card);
  const int places = int(card.tiles.size());
  if (level == Level::Tone || places == 0) return hit;
  const int tile = tileGrid(r, level, places + card.ghosts).at(at, places);
  if (tile >= 0 && !card.tiles[tile].pod.isEmpty()) hit.tile = tile;
  return hit;
}

Subject MapView::subjectOf(const Hit& hit) const {
  if (hit.card < 0) return {};
  auto& card = model_->card(hit.card);
  if (hit.tile >= 0) return {Subject::Kind::Pod, card.tiles[hit.tile].pod};
  if (hit.card == models::MapModel::kWaitingCard) return {};
  return {Subject::Kind::Machine, card.key};
}

void MapView::choose(const Subject& subject) {
  select(subject);
  emit selected(subject);
}

void MapView::paintGroups(QPainter& p, const QRectF& dirty) {
  const QFont& f = typeface(Text::Caption);
  for (auto& group : layout_.groups()) {
    const QRectF head = toScreen(group.head);
    if (!head.intersects(dirty) || head.height() < 12) continue;
    QFont strong = f;
    strong.setWeight(QFont::DemiBold);
    strong.setPixelSize(head.height() < 20 ? 10 : 12);
    p.setFont(strong);
    const QString name = group.name.isEmpty() ? tr("no zone") : group.name;
    const double left = std::max(head.left(), 0.0);  // stays in sight when the map is moved aside
    const double width = QFontMetricsF(strong).horizontalAdvance(name);
    const double middle = head.top() + head.height() * 0.42;
    p.setPen(colors().muted);
    p.drawText(QRectF(left, middle - 9, width + 2, 18), Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
               name);
    p.setPen(colors().line);
    p.setRenderHint(QPainter::Antialiasing, false);
    p.drawLine(QPointF(left + width + 10, std::round(middle)), QPointF(head.right(), std::round(middle)));
  }
}

void MapView::paintEvent(QPaintEvent* event) {
  QPainter p(this);
  p.fillRect(event->rect(), colors().background);
  paintGroups(p, event->rect());
  paintCards(p, event->region());
}

void MapView::paintCards(QPainter& p, const QRegion& region) {
  const QRectF dirty = region.boundingRect();
  CardLook look;
  look.onlyApp = onlyApp_;
  look.filtering = model_->filtering();
  if (!arrivals_.isEmpty()) look.arrival = [this](const QString& pod) { return arrival(pod); };
  if (!pulses_.isEmpty()) look.pulse = [this](const QString& pod) { return pulse(pod); };
  if (!departures_.empty()) look.departures = &departures_;
  if (selection_.kind == Subject::Kind::Pod) look.selectedPod = selection_.key;
  for (auto& row : layout_.rows()) {
    const QRectF line = toScreen(layout_.card(row.front()));
    if (line.bottom() + 3 < dirty.top()) continue;
    if (line.top() - 3 > dirty.bottom()) break;
    for (int index : row) {
      const QRectF r = toScreen(layout_.card(index));
      // Cards far apart may have changed: what is between them is not painted.
      if (!region.intersects(r.adjusted(-3, -3, 3, 3).toAlignedRect())) continue;
      const auto& card = model_->card(index);
      look.selected = selection_.kind == Subject::Kind::Machine && selection_.key == card.key;
      look.hovered = hover_.card == index && !panning_;
      look.focused = hasFocus() && byKeyboard_ && cursor_ == index && cursorTile_ < 0 && !look.selected;
      look.hoveredTile = hover_.card == index ? hover_.tile : -1;
      if (hasFocus() && byKeyboard_ && cursor_ == index && cursorTile_ >= 0) look.hoveredTile = cursorTile_;
      look.pointed = pointed_ == index;
      look.judged = Judged::No;
      if (!judged_.isEmpty()) {
        auto it = judged_.find(card.node);
        if (it != judged_.end()) look.judged = *it ? Judged::Fits : Judged::Refused;
      }
      look.news.clear();
      if (auto it = news_.find(index); it != news_.end()) {
        look.news = it->text();
        look.newsTone = it->tone();
      }
      painter_.paint(p, r, index, look);
    }
  }
}

void MapView::resizeEvent(QResizeEvent*) {
  relayout();
}

}  // namespace ph::ui
