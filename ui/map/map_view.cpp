#include "ui/map/map_view.h"

#include <QPaintEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace ph::ui {

using models::CardState;
using models::Subject;

MapView::MapView(models::MapModel* model, QWidget* parent)
    : QWidget(parent), model_(model), painter_(*model), pan_(this, kMinScale, kMaxScale) {
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setAccessibleName(tr("Fleet map"));
  setAttribute(Qt::WA_OpaquePaintEvent);
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
  connect(&pan_, &PanZoom::moved, this, [this] { update(); });
  connect(&motion_, &TileMotion::changed, this, [this](const QString& key) {
    updateCard(key.isEmpty() ? models::MapModel::kWaitingCard : model_->cardIndex(key));
  });
  connect(model, &models::MapModel::happened, this, &MapView::onNews);
  connect(model, &models::MapModel::filterChanged, this, [this] { update(); });
  connect(model, &models::MapModel::layoutChanged, this, &MapView::relayout);
  connect(model, &models::MapModel::cardsChanged, this, &MapView::onCards);
  connect(model, &models::MapModel::appsChanged, this, [this] { update(); });
  connect(&Theme::get(), &Theme::changed, this, [this] {
    painter_.themeChanged();
    update();
  });
  relayout();
}

MapView::~MapView() = default;

void MapView::relayout() {
  if (width() <= 0 || height() <= 0) return;
  const double fit = MapLayout::fitScale(*model_, size());
  layout_.build(*model_, width() / fit, fit);
  pan_.setContent(layout_.size(), fit);
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
    const QRectF r = screenRect(card);
    if (!r.isEmpty()) update(r.adjusted(-3, -3, 3, 3).toAlignedRect());
  }
  watchClock();
}

void MapView::updateCard(int card) {
  const QRectF r = screenRect(card);
  if (!r.isEmpty()) update(r.adjusted(-7, -7, 7, 7).toAlignedRect());
}

void MapView::onNews(const QList<models::MapNews>& list) {
  for (auto& n : list) {
    const auto& apps = model_->apps();
    const int color = n.tile.app >= 0 ? apps[size_t(n.tile.app)].color : -1;
    motion_.add({n.what, model_->card(n.card).key, {}, n.slot, n.tile.pod, n.tile.state, color, n.card != models::MapModel::kWaitingCard});
  }
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

void MapView::dive(int card) {
  pan_.dive(layout_.card(card), 1, kMaxScale);
}

void MapView::reveal(const Subject& subject) {
  int card = -1;
  if (subject.kind == Subject::Kind::Machine) card = model_->cardIndex(subject.key);
  if (subject.kind == Subject::Kind::Pod) card = model_->placeOf(subject.key).first;
  if (card >= 0) pan_.reveal(layout_.card(card));
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
  return screenRect(model_->cardIndex(key));
}

QRectF MapView::tileRect(const QString& pod) const {
  auto [card, slot] = model_->placeOf(pod);
  if (card < 0) return {};
  const QRectF r = screenRect(card);
  const Level level = levelFor(r.width());
  if (r.isEmpty() || level == Level::Tone) return {};
  return tileGrid(r, level, int(model_->card(card).tiles.size()) + model_->card(card).ghosts).slot(slot);
}

MapView::Hit MapView::hitAt(const QPointF& at) const {
  Hit hit;
  hit.card = layout_.cardAt(pan_.toWorld(at));
  if (hit.card < 0) return hit;
  const QRectF r = screenRect(hit.card);
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
    const QRectF head = pan_.toScreen(group.head);
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
  if (motion_.moving()) look.motion = &motion_;
  if (selection_.kind == Subject::Kind::Pod) look.selectedPod = selection_.key;
  for (auto& row : layout_.rows()) {
    const QRectF line = screenRect(row.front());
    if (line.bottom() + 3 < dirty.top()) continue;
    if (line.top() - 3 > dirty.bottom()) break;
    for (int index : row) {
      const QRectF r = screenRect(index);
      // Cards far apart may have changed: what is between them is not painted.
      if (!region.intersects(r.adjusted(-3, -3, 3, 3).toAlignedRect())) continue;
      const auto& card = model_->card(index);
      look.selected = selection_.kind == Subject::Kind::Machine && selection_.key == card.key;
      look.hovered = hover_.card == index && !pan_.panning();
      look.focused = hasFocus() && byKeyboard_ && cursor_ == index && cursorTile_ < 0 && !look.selected;
      look.hoveredTile = hover_.card == index ? hover_.tile : -1;
      if (hasFocus() && byKeyboard_ && cursor_ == index && cursorTile_ >= 0) look.hoveredTile = cursorTile_;
      look.pointed = pointed_ == index;
      look.judged = Judged::No;
      if (!judged_.isEmpty()) {
        auto it = judged_.find(card.node);
        if (it != judged_.end()) look.judged = *it ? Judged::Fits : Judged::Refused;
      }
      look.news = motion_.news(card.key);
      look.newsTone = motion_.newsTone(card.key);
      painter_.paint(p, r, index, look);
    }
  }
}

void MapView::resizeEvent(QResizeEvent*) {
  relayout();
}

}  // namespace ph::ui
