#include "ui/appmap/app_painter.h"

#include <QPainterPath>
#include <algorithm>
#include <cmath>

namespace ph::ui {

using models::AppEntry;
using models::AppGraph;
using models::AppPods;
using models::PodState;
using models::Subject;
using What = AppBox::What;

namespace {

constexpr double kBack = 0.28;  // how strong what does not fit the filter is still drawn

// Words stay readable for longer than boxes shrink.
QFont sized(Text text, double scale) {
  QFont f = typeface(text);
  if (scale < 1) scale = std::max(scale, 0.9);
  if (scale != 1) f.setPixelSize(std::max(1, int(std::lround(f.pixelSize() * scale))));
  return f;
}

void line(QPainter& p, const QRectF& r, const QString& s, Text style, double scale, const QColor& c, int align = Qt::AlignLeft,
          Qt::TextElideMode elide = Qt::ElideMiddle) {
  CardPainter::text(p, r, align | Qt::AlignVCenter, s, sized(style, scale), c, elide);
}

QColor edgeColor(Tone tone) {
  return tone == Tone::Error || tone == Tone::Warn ? Theme::get().tone(tone) : mix(colors().line, colors().muted, 0.55);
}

}  // namespace

AppLevel appLevelFor(double scale) {
  return scale < 0.28 ? AppLevel::Tone : scale < 0.74 ? AppLevel::Pods : AppLevel::Parts;
}

void AppPainter::paint(QPainter& p, const QRectF& r, const AppGraph& app, double scale, const AppLook& look) {
  const AppLevel level = appLevelFor(scale);
  p.setOpacity(app.fits ? 1 : kBack);
  if (level == AppLevel::Tone) {
    paintTone(p, r, app, look);
  } else {
    paintFrame(p, r, app, scale, look);
    paintHead(p, r, app, scale, look);
    const AppPlan plan = planOf(app);
    paintEdges(p, r, app, plan, scale);
    for (auto& box : plan.boxes) {
      const QRectF at = boxRect(r, box, scale);
      switch (box.what) {
        case What::Ingress:
          paintEntry(p, at, app.ingresses[size_t(box.index)], scale, look, true);
          break;
        case What::Service:
          paintEntry(p, at, app.services[size_t(box.index)], scale, look, true);
          break;
        case What::Set:
          paintSet(p, at, app, app.sets[size_t(box.index)], scale, look);
          break;
        case What::Use:
          paintEntry(p, at, app.uses[size_t(box.index)], scale, look, false);
          break;
        case What::More:
          line(p, at.adjusted(10 * scale, 0, 0, 0), models::AppMapModel::tr("and %n more", nullptr, box.index), Text::Caption, scale,
               colors().muted);
          break;
      }
    }
  }
  p.setOpacity(1);
}

void AppPainter::paintTone(QPainter& p, const QRectF& r, const AppGraph& app, const AppLook& look) {
  const QColor tone = Theme::get().tone(app.tone);
  const double strength = app.tone == Tone::Error ? 0.6 : app.tone == Tone::Warn || app.tone == Tone::Info ? 0.45 : app.tone == Tone::Ok ? 0.16 : 0;
  const QColor fill = mix(colors().raised, tone, strength);
  const bool chosen = look.selection && look.selection == app.workload.subject;
  p.setRenderHint(QPainter::Antialiasing, r.width() > 20);
  p.setPen(QPen(chosen || look.focused ? colors().accent : app.tone == Tone::Error ? colors().error : look.hovered ? colors().muted : colors().line,
                chosen ? 2 : 1));
  p.setBrush(fill);
  const double rounding = std::min(6.0, r.width() * 0.06);
  p.drawRoundedRect(r.adjusted(0.5, 0.5, -0.5, -0.5), rounding, rounding);
  if (r.width() < 44 || r.height() < 14) return;
  CardPainter::text(p, r.adjusted(4, 0, -4, 0), Qt::AlignCenter, app.name, typeface(Text::Caption),
                    contrast(fill, colors().text) >= contrast(fill, colors().background) ? colors().text : colors().background,
                    Qt::ElideMiddle);
}

void AppPainter::paintFrame(QPainter& p, const QRectF& r, const AppGraph& app, double scale, const AppLook& look) {
  p.setRenderHint(QPainter::Antialiasing, true);
  const bool chosen = look.selection && look.selection == app.workload.subject;
  QColor edge = app.tone == Tone::Error ? mix(colors().line, colors().error, 0.75) : colors().line;
  if (look.hovered) edge = mix(edge, colors().muted, 0.6);
  if (chosen || look.focused) edge = colors().accent;
  const double width = chosen ? 2 : 1, in = width / 2;
  p.setPen(QPen(edge, width));
  p.setBrush(colors().surface);
  const double rounding = radius::card * std::min(1.0, scale);
  p.drawRoundedRect(r.adjusted(in, in, -in, -in), rounding, rounding);
}

void AppPainter::paintHead(QPainter& p, const QRectF& r, const AppGraph& app, double scale, const AppLook& look) {
  const bool far = appLevelFor(scale) == AppLevel::Pods;
  const double pad = app_card::kPad * scale, dot = std::max(3.0, 5 * scale);
  const double middle = r.top() + (far ? app_card::kHead * scale / 2 : 21 * scale);
  p.setRenderHint(QPainter::Antialiasing, true);
  p.setPen(Qt::NoPen);
  p.setBrush(Theme::get().tone(app.tone));
  p.drawEllipse(QPointF(r.left() + pad + dot, middle), dot, dot);
  const double x = r.left() + pad + 2 * dot + std::max(4.0, 8 * scale), right = r.right() - pad;
  const double half = std::max(9.0, 11 * scale);
  line(p, QRectF(x, middle - half, right - x, 2 * half), app.name, far ? Text::BodyStrong : Text::Heading, scale, colors().text);
  if (far) return;
  const QRectF below(x, r.top() + 33 * scale, right - x, 17 * scale);
  // What has just happened takes the place of what it is.
  QString side = look.news;
  if (side.isEmpty()) side = app.workload.detail.isEmpty() ? app.kind : app.kind + QStringLiteral(" · ") + app.workload.detail;
  const QFontMetricsF m(sized(Text::Caption, scale));
  const double said = m.horizontalAdvance(app.headline) + 14 * scale;
  if (look.news.isEmpty() && said + m.horizontalAdvance(side) > below.width()) side = app.kind;
  if (said + m.horizontalAdvance(side) <= below.width())
    line(p, below, side, Text::Caption, scale, look.news.isEmpty() ? colors().muted : Theme::get().textTone(look.newsTone), Qt::AlignRight);
  line(p, below, app.headline, Text::Caption, scale, app.tone == Tone::Ok || app.tone == Tone::Plain ? colors().muted : Theme::get().textTone(app.tone),
       Qt::AlignLeft, Qt::ElideRight);
}

// Only where they tell something: which way leads where, which sets really get the traffic, what a pod lacks.
void AppPainter::paintEdges(QPainter& p, const QRectF& r, const AppGraph& app, const AppPlan& plan, double scale) {
  p.setRenderHint(QPainter::Antialiasing, true);
  p.setBrush(Qt::NoBrush);
  auto edge = [&](const AppBox* from, const AppBox* to, Tone tone, bool dashed) {
    if (!from || !to) return;
    const QRectF a = boxRect(r, *from, scale), b = boxRect(r, *to, scale);
    const QPointF begin(a.right() + 1, a.center().y()), end(b.left() - 2 * scale, std::min(b.center().y(), b.top() + 23 * scale));
    const double bend = (end.x() - begin.x()) / 2;
    QPainterPath path(begin);
    path.cubicTo(begin + QPointF(bend, 0), end - QPointF(bend, 0), end);
    QPen pen(edgeColor(tone), std::max(1.0, 1.3 * scale));
    if (dashed) pen.setDashPattern({3, 3});
    p.setPen(pen);
    p.drawPath(path);
    const double head = 4 * scale;
    pen.setStyle(Qt::SolidLine);
    p.setPen(pen);
    p.drawPolyline(QPolygonF{end + QPointF(-head, -head * 0.8), end, end + QPointF(-head, head * 0.8)});
  };
  for (auto& [ingress, service] : app.routes)
    edge(plan.find(What::Ingress, ingress), plan.find(What::Service, service), app.services[size_t(service)].tone, app.ready == 0);
  for (int s = 0; s < int(app.services.size()); ++s) {
    bool any = false;
    for (int i = 0; i < int(app.sets.size()); ++i) {
      if (app.sets[size_t(i)].ready == 0) continue;
      any = true;
      edge(plan.find(What::Service, s), plan.find(What::Set, i), Tone::Plain, false);
    }
    if (!any) edge(plan.find(What::Service, s), plan.find(What::Set, 0), app.services[size_t(s)].tone, true);
  }
  for (int u = 0; u < int(app.uses.size()); ++u) {
    if (app.uses[size_t(u)].tone == Tone::Error) edge(plan.find(What::Set, 0), plan.find(What::Use, u), Tone::Error, true);
  }
}

void AppPainter::ring(QPainter& p, const QRectF& r, const Subject& subject, double rounding, const AppLook& look) {
  if (!subject) return;
  const bool chosen = subject == look.selection || subject == look.cursor;
  if (!chosen && subject != look.hover) return;
  p.setRenderHint(QPainter::Antialiasing, true);
  p.setPen(QPen(chosen ? colors().accent : colors().muted, chosen ? 2 : 1));
  p.setBrush(Qt::NoBrush);
  p.drawRoundedRect(r, rounding, rounding);
}

void AppPainter::paintEntry(QPainter& p, const QRectF& r, const AppEntry& e, double scale, const AppLook& look, bool boxed) {
  p.setRenderHint(QPainter::Antialiasing, true);
  const double rounding = radius::control * std::min(1.0, scale);
  const bool bad = e.tone == Tone::Error || e.tone == Tone::Warn;
  if (boxed || e.missing) {
    QPen pen(bad ? mix(colors().line, Theme::get().tone(e.tone), 0.7) : colors().line, 1);
    if (e.missing) pen.setDashPattern({3, 3});
    p.setPen(pen);
    p.setBrush(e.missing ? QBrush(Qt::NoBrush) : QBrush(colors().raised));
    p.drawRoundedRect(r.adjusted(0.5, 0.5, -0.5, -0.5), rounding, rounding);
  }
  ring(p, r, e.subject, rounding, look);
  if (appLevelFor(scale) == AppLevel::Pods) {
    if (r.height() >= 16) {
      line(p, r.adjusted(6, 0, -6, 0), e.name, Text::Caption, scale, bad ? Theme::get().textTone(e.tone) : boxed ? colors().text : colors().muted);
      return;
    }
    if (boxed) return;
    // Too small for words: that there is something.
    p.setPen(Qt::NoPen);
    p.setBrush(bad ? Theme::get().tone(e.tone) : colors().line);
    p.drawRoundedRect(QRectF(r.left() + 4, r.center().y() - 2, r.width() * 0.6, 4), 2, 2);
    return;
  }
  const double in = 10 * scale, half = r.height() / 2;
  const QRectF top(r.left() + in, r.top() + 3 * scale, r.width() - 2 * in, half - 2 * scale);
  const QRectF below(top.left(), r.top() + half, top.width(), half - 4 * scale);
  line(p, top, e.name, Text::Body, scale, colors().text);
  const QString what = e.detail.isEmpty() ? e.kind : e.kind + QStringLiteral(" · ") + e.detail;
  line(p, below, what, Text::Caption, scale, bad ? Theme::get().textTone(e.tone) : colors().muted, Qt::AlignLeft, Qt::ElideRight);
}

// So many that tiles would be dust: how large each state's share is, trouble first.
void AppPainter::paintShares(QPainter& p, const QRectF& r, const AppPods& set, int color, double scale) {
  const QColor app = Theme::get().app(color);
  const std::pair<PodState, QColor> shares[] = {{PodState::Failing, colors().error},
                                                {PodState::Waiting, mix(colors().surface, app, 0.25)},
                                                {PodState::Starting, mix(colors().surface, app, 0.5)},
                                                {PodState::Ready, app},
                                                {PodState::Leaving, mix(colors().surface, app, 0.25)},
                                                {PodState::Finished, mix(colors().surface, app, 0.15)}};
  double x = r.left();
  p.setRenderHint(QPainter::Antialiasing, false);
  for (auto& [state, c] : shares) {
    const int count = set.states[size_t(state)];
    if (count == 0) continue;
    // A few can be seen too.
    const double width = std::min(r.right() - x, std::max(4 * scale, r.width() * count / std::max(1, set.pods)));
    p.fillRect(QRectF(x, r.top(), width, r.height()), c);
    x += width;
  }
}

void AppPainter::paintTiles(QPainter& p, const TileGrid& grid, const AppGraph& app, const AppPods& set, const AppLook& look) {
  const qreal ratio = p.device()->devicePixelRatioF();
  for (size_t i = 0; i < set.tiles.size(); ++i) {
    auto& tile = set.tiles[i];
    if (tile.pod.isEmpty()) continue;
    const QRectF at = grid.slot(int(i));
    const TileShape shape = CardPainter::shapeOf(tile.state);
    const double arrival = look.motion ? look.motion->arrival(tile.pod) : 1;
    if (arrival < 1) {
      const double was = p.opacity();
      p.setOpacity(was * arrival);
      glyphs_.paintShrunk(p, at, shape, app.color, 1 - arrival);
      p.setOpacity(was);
    } else {
      p.drawPixmap(at.topLeft(), glyphs_.get(shape, app.color, int(grid.tile), ratio));
    }
    if (look.motion) CardPainter::paintPulse(p, at, tile.state, look.motion->pulse(tile.pod));
  }
  if (!look.motion) return;
  for (auto& d : look.motion->departures()) {
    const bool here = d.card == app.key && d.set == set.box.name;
    const bool taken = d.slot < int(set.tiles.size()) && !set.tiles[size_t(d.slot)].pod.isEmpty();
    if (here && !taken) glyphs_.paintLeaving(p, grid, d);
  }
}

void AppPainter::paintSet(QPainter& p, const QRectF& r, const AppGraph& app, const AppPods& set, double scale, const AppLook& look) {
  p.setRenderHint(QPainter::Antialiasing, true);
  const double rounding = radius::control * std::min(1.0, scale);
  p.setPen(QPen(set.box.tone == Tone::Error ? mix(colors().line, colors().error, 0.7) : colors().line, 1));
  p.setBrush(Qt::NoBrush);
  p.drawRoundedRect(r.adjusted(0.5, 0.5, -0.5, -0.5), rounding, rounding);
  ring(p, r, set.box.subject, rounding, look);
  if (!set.box.name.isEmpty() && appLevelFor(scale) == AppLevel::Parts) {
    // Its name without what it has from the workload; and what it is.
    QString name = set.box.name;
    if (name.startsWith(app.name + '-')) name = name.mid(app.name.size() + 1);
    const QRectF head(r.left() + 10 * scale, r.top() + 4 * scale, r.width() - 20 * scale, 18 * scale);
    const QFontMetricsF m(sized(Text::Caption, scale));
    const double said = std::min(head.width() * 0.75, m.horizontalAdvance(set.box.detail) + 2);
    line(p, head, set.box.detail, Text::Caption, scale, set.box.tone == Tone::Error ? colors().errorText : colors().muted, Qt::AlignRight);
    line(p, head.adjusted(0, 0, -said - 8 * scale, 0), name, Text::Caption, scale, colors().text, Qt::AlignLeft, Qt::ElideRight);
  }
  const TileGrid grid = setGrid(r, set, scale);
  if (grid.capacity == 0) return paintShares(p, grid.area, set, app.color, scale);
  if (set.pods == 0) {
    line(p, grid.area, models::AppMapModel::tr("no pods"), Text::Caption, scale, colors().muted);
    return;
  }
  paintTiles(p, grid, app, set, look);
  auto pod = [](const Subject& s) { return s.kind == Subject::Kind::Pod; };
  const bool marked = pod(look.selection) || pod(look.hover) || pod(look.cursor);
  for (size_t i = 0; marked && i < set.tiles.size(); ++i) {
    if (!set.tiles[i].pod.isEmpty())
      ring(p, grid.slot(int(i)).adjusted(-2, -2, 2, 2), {Subject::Kind::Pod, set.tiles[i].pod}, radius::tile + 1, look);
  }
}

}  // namespace ph::ui
