#include "ui/appmap/app_map_view.h"

#include <QPaintEvent>
#include <algorithm>

namespace ph::ui {

using models::AppGraph;
using models::Subject;
using What = AppBox::What;

AppMapView::AppMapView(models::AppMapModel* model, models::ClusterState* state, QWidget* parent)
    : QWidget(parent), model_(model), state_(state), pan_(this, kMinScale, kMaxScale) {
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setAccessibleName(tr("Application map"));
  setAttribute(Qt::WA_OpaquePaintEvent);
  connect(model, &models::AppMapModel::changed, this, &AppMapView::onChanged);
  connect(model, &models::AppMapModel::happened, this, &AppMapView::onNews);
  connect(&motion_, &TileMotion::changed, this, [this](const QString& app) { update(cardRect(app).adjusted(-3, -3, 3, 3).toAlignedRect()); });
  connect(&pan_, &PanZoom::moved, this, [this] { update(); });
  connect(&Theme::get(), &Theme::changed, this, [this] {
    painter_.themeChanged();
    update();
  });
}

void AppMapView::onChanged(bool structure) {
  structure ? relayout() : update();
}

void AppMapView::onNews(const QList<models::AppNews>& news) {
  for (auto& n : news) {
    auto* app = model_->app(n.app);
    motion_.add({n.what, n.app, n.set, n.slot, n.tile.pod, n.tile.state, app ? app->color : -1});
  }
}

void AppMapView::relayout() {
  if (width() <= 0 || height() <= 0) return;
  const double fit = AppLayout::fitScale(model_->apps(), size(), kMinScale);
  layout_.build(model_->apps(), width() / fit);
  pan_.setContent(layout_.size(), fit);
  hoverCard_ = -1;
  hover_ = {};
  update();
}

void AppMapView::resizeEvent(QResizeEvent*) {
  relayout();
}

void AppMapView::paintEvent(QPaintEvent* event) {
  QPainter p(this);
  const QRectF dirty = event->rect();
  p.fillRect(dirty, colors().background);
  for (auto& band : layout_.bands()) {
    const QRectF head = pan_.toScreen(band.head);
    if (!head.intersects(dirty)) continue;
    QFont f = typeface(Text::Caption);
    f.setWeight(QFont::DemiBold);
    f.setPixelSize(head.height() < 20 ? 10 : 12);
    const double left = std::max(head.left(), 0.0);  // stays in sight when the map is moved aside
    const double middle = head.top() + head.height() * 0.4;
    const double wide = std::min(QFontMetricsF(f).horizontalAdvance(band.ns) + 2, std::max(60.0, head.right() - left));
    CardPainter::text(p, QRectF(left, middle - 9, wide, 18), Qt::AlignLeft | Qt::AlignVCenter, band.ns, f, colors().muted);
    p.setRenderHint(QPainter::Antialiasing, false);
    p.setPen(colors().line);
    p.drawLine(QPointF(left + wide + 10, std::round(middle)), QPointF(head.right(), std::round(middle)));
  }
  AppLook look;
  look.selection = selection_;
  look.hover = pan_.panning() ? Subject{} : hover_;
  if (motion_.moving()) look.motion = &motion_;
  const bool keyed = hasFocus() && byKeyboard_;
  if (keyed) look.cursor = cursorPart_;
  const auto [first, last] = layout_.between(pan_.toWorld(dirty.topLeft()).y(), pan_.toWorld(dirty.bottomRight()).y());
  for (int i = first; i < last; ++i) {
    const QRectF r = screenRect(i);
    if (!r.adjusted(-3, -3, 3, 3).intersects(dirty)) continue;
    auto& app = graph(i);
    look.hovered = hoverCard_ == i && !pan_.panning();
    look.focused = keyed && cursor_ == app.key && !cursorPart_;
    look.news = news(app.key);
    look.newsTone = motion_.newsTone(app.key);
    painter_.paint(p, r, app, pan_.scale(), look);
  }
}

std::vector<AppMapView::Part> AppMapView::partsOf(int card) const {
  std::vector<Part> out;
  const double scale = pan_.scale();
  if (appLevelFor(scale) == AppLevel::Tone) return out;
  const AppGraph& app = graph(card);
  const QRectF r = screenRect(card);
  for (auto& box : planOf(app).boxes) {
    const QRectF at = boxRect(r, box, scale);
    auto entry = [&](const std::vector<models::AppEntry>& list) {
      auto& e = list[size_t(box.index)];
      out.push_back({card, e.subject, &e, at});
    };
    if (box.what == What::Ingress) entry(app.ingresses);
    if (box.what == What::Service) entry(app.services);
    if (box.what == What::Use) entry(app.uses);
    if (box.what != What::Set) continue;
    auto& set = app.sets[size_t(box.index)];
    if (set.box.subject) out.push_back({card, set.box.subject, &set.box, at});
    const TileGrid grid = setGrid(at, set, scale);
    for (int i = 0; i < std::min(int(set.tiles.size()), grid.capacity); ++i) {
      if (!set.tiles[size_t(i)].pod.isEmpty()) out.push_back({card, {Subject::Kind::Pod, set.tiles[size_t(i)].pod}, nullptr, grid.slot(i)});
    }
  }
  return out;
}

AppMapView::Part AppMapView::partAt(const QPointF& at) const {
  const int card = layout_.cardAt(pan_.toWorld(at));
  if (card < 0) return {};
  // The last is on top: a pod before its set.
  const auto parts = partsOf(card);
  for (auto it = parts.rbegin(); it != parts.rend(); ++it) {
    if (it->rect.adjusted(-1, -1, 1, 1).contains(at)) return *it;
  }
  return {card, graph(card).workload.subject, &graph(card).workload, screenRect(card)};
}

int AppMapView::cardOf(const QString& app) const {
  for (size_t i = 0; i < layout_.cards().size(); ++i) {
    if (graph(int(i)).key == app) return int(i);
  }
  return -1;
}

// The card that shows a subject: its own, its pods', or the first that has it as a part.
int AppMapView::cardOf(const Subject& subject) const {
  if (!subject) return -1;
  QString app = subject.kind == Subject::Kind::App ? subject.key : QString();
  if (subject.kind == Subject::Kind::Pod) {
    auto* pod = state_->pod(subject.key);
    app = pod ? pod->app : QString();
  }
  if (!app.isEmpty()) return cardOf(app);
  if (subject.kind != Subject::Kind::Object) return -1;
  for (size_t i = 0; i < layout_.cards().size(); ++i) {
    const AppGraph& g = graph(int(i));
    auto has = [&](const std::vector<models::AppEntry>& list) {
      return std::any_of(list.begin(), list.end(), [&](auto& e) { return e.subject == subject; });
    };
    if (g.workload.subject == subject || has(g.services) || has(g.ingresses) || has(g.uses) ||
        std::any_of(g.sets.begin(), g.sets.end(), [&](auto& s) { return s.box.subject == subject; }))
      return int(i);
  }
  return -1;
}

QRectF AppMapView::cardRect(const QString& app) const {
  const int card = cardOf(app);
  return card < 0 ? QRectF() : screenRect(card);
}

QRectF AppMapView::partRect(const Subject& subject) const {
  const int card = cardOf(subject);
  if (card < 0) return {};
  for (auto& part : partsOf(card)) {
    if (part.subject == subject) return part.rect;
  }
  return graph(card).workload.subject == subject ? screenRect(card) : QRectF();
}

void AppMapView::select(const Subject& subject) {
  if (selection_ == subject) return;
  selection_ = subject;
  update();
}

void AppMapView::reveal(const Subject& subject) {
  if (const int card = cardOf(subject); card >= 0) pan_.reveal(layout_.cards()[size_t(card)].rect);
}

void AppMapView::dive(const QString& app) {
  if (const int card = cardOf(app); card >= 0) pan_.dive(layout_.cards()[size_t(card)].rect, 1, 1.8);
}

void AppMapView::choose(const Subject& subject) {
  select(subject);
  emit selected(subject);
}

QString AppMapView::describe(const Part& part) const {
  if (part.card < 0) return {};
  const AppGraph& app = graph(part.card);
  if (part.subject.kind == Subject::Kind::Pod && !part.entry) {
    auto* pod = state_->pod(part.subject.key);
    if (!pod) return {};
    QStringList lines{pod->name, tr("%1: %2").arg(models::words::podState(pod->state), models::words::podNow(*pod, state_->now()))};
    if (!pod->node.isEmpty()) lines << tr("on %1").arg(pod->node);
    return lines.join('\n');
  }
  if (part.entry != &app.workload) {
    QStringList lines{part.entry->kind + ' ' + part.entry->name, part.entry->detail};
    int others = 0;
    for (auto& g : model_->apps()) {
      if (&g == &app || g.ns != app.ns) continue;
      for (auto* list : {&g.uses, &g.services, &g.ingresses})
        others += std::any_of(list->begin(), list->end(), [&](auto& e) { return e.subject == part.subject; });
    }
    if (others > 0) lines << tr("also part of %n other application(s)", nullptr, others);
    lines.removeAll({});
    return lines.join('\n');
  }
  QStringList lines{app.name, app.kind, app.headline};
  if (!app.workload.detail.isEmpty()) lines[1] += QStringLiteral(" · ") + app.workload.detail;
  if (app.olderSets > 0) lines << tr("%n older version(s) to go back to", nullptr, app.olderSets);
  return lines.join('\n');
}

QString AppMapView::describeAt(const QPointF& at) const {
  return describe(partAt(at));
}

}  // namespace ph::ui
