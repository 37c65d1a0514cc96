#include "ui/map/card_painter.h"

#include <QPainterPath>
#include <algorithm>
#include <cmath>

namespace ph::ui {

using models::Card;
using models::CardState;
using models::Tile;
namespace words = models::words;

namespace {

void text(QPainter& p, const QRectF& r, int flags, const QString& s, const QFont& f, const QColor& c,
          Qt::TextElideMode elide = Qt::ElideRight) {
  if (r.width() < 8) return;
  p.setFont(f);
  p.setPen(c);
  p.drawText(r, flags | Qt::TextSingleLine, QFontMetricsF(f).elidedText(s, elide, r.width()));
}

QColor barColor(double part) {
  return part >= 0.95 ? colors().error : part >= 0.8 ? colors().warn : colors().accent;
}

}  // namespace

Tone CardPainter::toneOf(const Card& card) {
  switch (card.state) {
    case CardState::Ready:
      return card.cordoned || !card.pressure.isEmpty() || std::max(card.cpu, card.memory) >= 0.8 ? Tone::Warn
                                                                                                 : Tone::Ok;
    case CardState::Joining:
    case CardState::Leaving:
      return Tone::Info;
    case CardState::NeedsTrust:
      return Tone::Warn;
    case CardState::Failed:
    case CardState::Lost:
      return Tone::Error;
  }
  return Tone::Plain;
}

void CardPainter::drawShape(QPainter& p, const QRectF& box, Shape shape, const QColor& color) {
  const double size = box.width();
  const double rounding = size >= 10 ? std::min(4.0, size * 0.2) : size >= 6 ? 1.5 : 0;
  const double line = size >= 12 ? 1.5 : 1;
  const QRectF inner = box.adjusted(line / 2, line / 2, -line / 2, -line / 2);
  p.setRenderHint(QPainter::Antialiasing, size >= 6);
  auto outline = [&](const QColor& c, Qt::PenStyle style, double width) {
    QPen pen(c, width, style);
    if (style == Qt::DashLine) pen.setDashPattern({2.0, 1.7});
    p.setPen(pen);
    p.setBrush(Qt::NoBrush);
    p.drawRoundedRect(inner, rounding, rounding);
  };
  auto fill = [&](const QColor& c) {
    p.setPen(Qt::NoPen);
    p.setBrush(c);
    p.drawRoundedRect(box, rounding, rounding);
  };
  switch (shape) {
    case Shape::Ready:
      fill(color);
      break;
    case Shape::Starting: {
      QPainterPath half;
      half.moveTo(inner.right() - line, inner.top() + line);
      half.lineTo(inner.right() - line, inner.bottom() - line);
      half.lineTo(inner.left() + line, inner.bottom() - line);
      half.closeSubpath();
      p.fillPath(half, color);
      outline(color, Qt::SolidLine, line);
      break;
    }
    case Shape::Waiting: {
      outline(color, Qt::SolidLine, line);
      p.setPen(Qt::NoPen);
      p.setBrush(color);
      p.drawEllipse(box.center(), size * 0.13, size * 0.13);
      break;
    }
    case Shape::Failing: {
      fill(mix(color, colors().surface, colors().dark ? 0.1 : 0.35));
      outline(colors().error, Qt::SolidLine, std::max(1.0, size * 0.15));
      if (size >= 8) {
        const double d = size * 0.31;
        p.setPen(QPen(mix(colors().error, QColor(0, 0, 0), colors().dark ? 0.55 : 0.3),
                      std::max(1.3, size * 0.14), Qt::SolidLine, Qt::RoundCap));
        const QRectF x = box.adjusted(d, d, -d, -d);
        p.drawLine(x.topLeft(), x.bottomRight());
        p.drawLine(x.topRight(), x.bottomLeft());
      }
      break;
    }
    case Shape::Leaving: {
      QColor c = color;
      c.setAlphaF(0.32f);
      fill(c);
      break;
    }
    case Shape::Going: {
      QColor c = color;
      c.setAlphaF(0.25f);
      fill(c);
      outline(color, Qt::DashLine, line);
      break;
    }
    case Shape::Finished: {
      QColor c = color;
      c.setAlphaF(0.6f);
      outline(c, Qt::SolidLine, 1);
      break;
    }
    case Shape::Ghost:
      outline(color, Qt::DashLine, line);
      break;
  }
}

const QPixmap& CardPainter::glyph(Shape shape, int color, int size, qreal ratio) {
  const quint64 key =
      quint64(shape) | quint64(color + 1) << 8 | quint64(size) << 24 | quint64(ratio * 16) << 40;
  QPixmap& pixmap = glyphs_[key];
  if (pixmap.isNull()) {
    pixmap = QPixmap(QSize(size, size) * ratio);
    pixmap.setDevicePixelRatio(ratio);
    pixmap.fill(Qt::transparent);
    QPainter p(&pixmap);
    drawShape(p, QRectF(0, 0, size, size), shape, Theme::get().app(color));
  }
  return pixmap;
}

void CardPainter::paint(QPainter& p, const QRectF& r, int index, const CardLook& look) {
  const Card& card = model_.card(index);
  const bool waiting = index == models::MapModel::kWaitingCard;
  const Level level = levelFor(r.width());
  if (level == Level::Tone) {
    paintTone(p, r, card, look);
    return;
  }
  paintFrame(p, r, card, look, waiting);
  if (!waiting) {
    paintHead(p, r, card, level);
    if (level != Level::Compact) paintBars(p, r, card);
  } else {
    text(p, r.adjusted(14, level == Level::Compact ? 6 : 12, -14, 0), Qt::AlignLeft | Qt::AlignTop,
         models::MapModel::tr("Waiting for a machine"),
         level == Level::Compact ? typeface(Text::Caption) : typeface(Text::BodyStrong), colors().warnText);
  }
  paintTiles(p, r, card, level, look);
  if (level != Level::Compact) paintFoot(p, r, card, waiting);
}

void CardPainter::paintTone(QPainter& p, const QRectF& r, const Card& card, const CardLook& look) {
  const Tone tone = toneOf(card);
  QColor fill = colors().raised;
  if (card.state == CardState::Ready && card.cpu >= 0) {
    fill = mix(colors().raised, barColor(std::max(card.cpu, card.memory)),
               0.12 + 0.6 * std::min(1.0, std::max(card.cpu, card.memory)));
  } else if (tone != Tone::Plain) {
    fill = mix(colors().surface, Theme::get().tone(tone), 0.35);
  }
  const double rounding = std::min(6.0, r.width() * 0.06);
  p.setRenderHint(QPainter::Antialiasing, r.width() > 20);
  QPen edge(look.selected || look.focused ? colors().accent
            : tone == Tone::Error         ? colors().error
            : look.hovered                ? colors().muted
                                          : colors().line,
            look.selected ? 2 : 1);
  p.setPen(edge);
  p.setBrush(fill);
  p.drawRoundedRect(r.adjusted(0.5, 0.5, -0.5, -0.5), rounding, rounding);
  int failing = 0;
  for (auto& t : card.tiles) failing += !t.pod.isEmpty() && t.state == models::PodState::Failing;
  if (failing > 0 && r.width() > 12) {
    // Trouble is not lost in the distance.
    const double d = std::max(4.0, r.width() * 0.12);
    p.setPen(Qt::NoPen);
    p.setBrush(colors().error);
    p.drawEllipse(QPointF(r.right() - d, r.top() + d), d / 2, d / 2);
  }
  if (r.width() >= 52) {
    // Names in a row mostly differ at their ends.
    text(p, r.adjusted(3, 0, -3, 0), Qt::AlignCenter, card.key, typeface(Text::Caption),
         contrast(fill, colors().text) >= contrast(fill, colors().background) ? colors().text
                                                                              : colors().background,
         Qt::ElideLeft);
  }
}

void CardPainter::paintFrame(QPainter& p, const QRectF& r, const Card& card, const CardLook& look,
                             bool waiting) {
  p.setRenderHint(QPainter::Antialiasing, true);
  QColor edge = colors().line;
  double width = 1;
  const Tone tone = toneOf(card);
  if (tone == Tone::Error && !waiting) edge = mix(colors().line, colors().error, 0.75);
  if (look.hovered) edge = mix(edge, colors().muted, 0.6);
  if (look.focused) edge = colors().accent;
  if (look.selected) {
    edge = colors().accent;
    width = 2;
  }
  QPen pen(edge, width);
  if (waiting || card.state == CardState::Joining) {
    pen.setStyle(Qt::DashLine);
    pen.setDashPattern({4, 3});
  }
  p.setPen(pen);
  QColor surface = colors().surface;
  if (card.state == CardState::Lost && !waiting) surface = mix(colors().background, colors().surface, 0.4);
  p.setBrush(waiting ? QBrush(Qt::NoBrush) : QBrush(surface));
  const double in = width / 2;
  p.drawRoundedRect(r.adjusted(in, in, -in, -in), radius::card, radius::card);
}

void CardPainter::paintHead(QPainter& p, const QRectF& r, const Card& card, Level level) {
  const bool compact = level == Level::Compact;
  const double pad = compact ? 8 : 14, middle = r.top() + (compact ? 14 : 21), dot = compact ? 3 : 5;
  p.setPen(Qt::NoPen);
  p.setBrush(Theme::get().tone(toneOf(card)));
  p.drawEllipse(QPointF(r.left() + pad + dot, middle), dot, dot);
  const QFont& nameFont = typeface(compact ? Text::Caption : Text::Heading);
  const double x = r.left() + pad + 2 * dot + (compact ? 5 : 8);
  double nameRight = r.right() - pad;
  if (!compact) {
    // What changed is said where one looks; hardware otherwise.
    QString side = card.hardware;
    QColor color = colors().muted;
    const int64_t now = model_.state()->now();
    if (card.state == CardState::Lost) {
      side = models::MapModel::tr("lost %1").arg(words::ago(now - card.since));
      color = colors().errorText;
    } else if (card.state == CardState::NeedsTrust || card.state == CardState::Failed) {
      side = card.state == CardState::Failed ? models::MapModel::tr("could not join")
                                             : models::MapModel::tr("trust it?");
      color = Theme::get().textTone(toneOf(card));
    } else if (card.state == CardState::Leaving) {
      side = models::MapModel::tr("leaving");
    }
    const QFontMetricsF metrics(typeface(Text::Caption));
    const double nameWidth = QFontMetricsF(nameFont).horizontalAdvance(card.key);
    const double room = r.right() - pad - x;
    // News is shown whatever the name's length; hardware only beside a name that fits.
    const bool news = card.state != CardState::Ready && card.state != CardState::Joining;
    const double wanted = metrics.horizontalAdvance(side) + 1;
    const double sideWidth = news ? std::min(wanted, std::max(room - nameWidth - 10, room * 0.5)) : wanted;
    if (news || nameWidth + 10 + wanted <= room) {
      text(p, QRectF(r.right() - pad - sideWidth, middle - 10, sideWidth, 21),
           Qt::AlignRight | Qt::AlignVCenter, side, typeface(Text::Caption), color);
      nameRight -= sideWidth + 10;
    }
  }
  text(p, QRectF(x, middle - 11, nameRight - x, 22), Qt::AlignLeft | Qt::AlignVCenter, card.key, nameFont,
       colors().text, Qt::ElideMiddle);
}

void CardPainter::paintBars(QPainter& p, const QRectF& r, const Card& card) {
  if (card.state == CardState::Joining || card.state == CardState::NeedsTrust ||
      card.state == CardState::Failed || card.state == CardState::Leaving) {
    // Steps instead of load: there is none yet.
    const bool bar = card.state == CardState::Joining && card.percent >= 0;
    QRectF note = r.adjusted(14, 40, -14, 0);
    note.setHeight(bar ? 18 : 36);
    p.setFont(typeface(Text::Caption));
    p.setPen(card.state == CardState::Failed ? colors().errorText : colors().muted);
    if (bar) {
      text(p, note, Qt::AlignLeft | Qt::AlignVCenter, card.note, typeface(Text::Caption), colors().muted);
      const QRectF track(r.left() + 14, r.top() + 62, r.width() - 28, 6);
      p.setPen(Qt::NoPen);
      p.setBrush(colors().raised);
      p.drawRoundedRect(track, 3, 3);
      p.setBrush(colors().accent);
      p.drawRoundedRect(
          QRectF(track.topLeft(), QSizeF(std::max(6.0, track.width() * card.percent / 100.0), 6)), 3, 3);
    } else {
      p.drawText(note, Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, card.note);
    }
    return;
  }
  const struct {
    QString name;
    double part;
  } bars[] = {{models::MapModel::tr("CPU"), card.cpu}, {models::MapModel::tr("Mem"), card.memory}};
  double y = r.top() + 38;
  for (auto& bar : bars) {
    text(p, QRectF(r.left() + 14, y, 28, 16), Qt::AlignLeft | Qt::AlignVCenter, bar.name,
         typeface(Text::Caption), colors().muted);
    text(p, QRectF(r.right() - 48, y, 34, 16), Qt::AlignRight | Qt::AlignVCenter, words::percent(bar.part),
         typeface(Text::Caption), colors().muted);
    const QRectF track(r.left() + 47, y + 5, r.width() - 47 - 50, 6);
    p.setPen(Qt::NoPen);
    p.setBrush(colors().raised);
    p.drawRoundedRect(track, 3, 3);
    if (bar.part > 0) {
      QColor c = barColor(bar.part);
      if (card.estimated) c = mix(colors().raised, c, 0.7);
      p.setBrush(c);
      p.drawRoundedRect(
          QRectF(track.topLeft(), QSizeF(std::clamp(track.width() * bar.part, 6.0, track.width()), 6)), 3, 3);
    }
    y += 16;
  }
}

void CardPainter::paintTiles(QPainter& p, const QRectF& r, const Card& card, Level level,
                             const CardLook& look) {
  const int places = int(card.tiles.size()) + card.ghosts;
  if (places == 0) return;
  const TileGrid grid = tileGrid(r, level, places);
  const qreal ratio = p.device()->devicePixelRatioF();
  const int size = int(grid.tile);
  for (int i = 0; i < std::min(places, grid.capacity); ++i) {
    const QRectF box = grid.slot(i);
    if (i >= int(card.tiles.size())) {
      if (grid.chips) {
        QPen pen(Theme::get().app(card.ghostApp >= 0 ? model_.apps()[card.ghostApp].color : 0), 1.2);
        pen.setDashPattern({4, 3});
        p.setPen(pen);
        p.setBrush(Qt::NoBrush);
        p.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), radius::control, radius::control);
      } else {
        p.drawPixmap(
            box.topLeft(),
            glyph(Shape::Ghost, card.ghostApp >= 0 ? model_.apps()[card.ghostApp].color : -1, size, ratio));
      }
      continue;
    }
    const Tile& tile = card.tiles[i];
    if (tile.pod.isEmpty()) continue;
    if (grid.chips) {
      p.setOpacity(look.onlyApp >= 0 && tile.app != look.onlyApp ? 0.3 : 1);
      paintChip(p, box, tile, grid.twoLines);
    } else {
      const Shape shape = model_.wouldGo(tile.pod) ? Shape::Going : shapeOf(tile.state);
      const int color = tile.app >= 0 ? model_.apps()[tile.app].color : -1;
      const double arrival = look.arrival ? look.arrival(tile.pod) : 1;
      p.setOpacity((look.onlyApp >= 0 && tile.app != look.onlyApp ? 0.22 : 1) * arrival);
      if (arrival < 1) {
        const double in = box.width() * 0.3 * (1 - arrival);
        p.drawPixmap(box.adjusted(in, in, -in, -in), glyph(shape, color, size, ratio), QRectF());
      } else {
        p.drawPixmap(box.topLeft(), glyph(shape, color, size, ratio));
      }
    }
    p.setOpacity(1);
    const bool chosen = tile.pod == look.selectedPod;
    if (chosen || i == look.hoveredTile) {
      p.setRenderHint(QPainter::Antialiasing, true);
      p.setPen(QPen(chosen ? colors().accent : colors().text, chosen ? 2 : 1));
      p.setBrush(Qt::NoBrush);
      const double out = grid.chips ? 0 : 2;
      p.drawRoundedRect(box.adjusted(-out, -out, out, out), grid.chips ? radius::control : 4,
                        grid.chips ? radius::control : 4);
    }
  }
}

void CardPainter::paintChip(QPainter& p, const QRectF& r, const Tile& tile, bool twoLines) {
  p.setRenderHint(QPainter::Antialiasing, true);
  p.setPen(QPen(colors().line, 1));
  p.setBrush(colors().raised);
  p.drawRoundedRect(r.adjusted(0.5, 0.5, -0.5, -0.5), radius::control, radius::control);
  const int color = tile.app >= 0 ? model_.apps()[tile.app].color : -1;
  const double size = 14;
  const double middle = twoLines ? r.top() + 15 : r.center().y();
  const Shape shape = model_.wouldGo(tile.pod) ? Shape::Going : shapeOf(tile.state);
  drawShape(p, QRectF(r.left() + 9, std::round(middle - size / 2), size, size), shape,
            Theme::get().app(color));
  auto* pod = model_.state()->pod(tile.pod);
  if (!pod) return;
  const double x = r.left() + 30;
  text(p, QRectF(x, middle - 9, r.right() - 8 - x, 18), Qt::AlignLeft | Qt::AlignVCenter, pod->name,
       typeface(Text::MonoSmall), colors().text, Qt::ElideMiddle);
  if (!twoLines) return;
  QStringList parts;
  for (auto& c : pod->containers) parts << c.name;
  QString below = parts.join(QStringLiteral(", "));
  if (!pod->address.isEmpty()) below += (below.isEmpty() ? QString() : QStringLiteral(" · ")) + pod->address;
  QColor c = colors().muted;
  if (pod->state != models::PodState::Ready) {
    below = words::podNow(*pod, model_.state()->now());
    c = Theme::get().textTone(words::podTone(pod->state));
  }
  text(p, QRectF(x, r.top() + 24, r.right() - 8 - x, 16), Qt::AlignLeft | Qt::AlignVCenter, below,
       typeface(Text::Caption), c);
}

void CardPainter::paintFoot(QPainter& p, const QRectF& r, const Card& card, bool waiting) {
  if (r.height() < 118) return;
  QString s = models::MapModel::tr("%n pod(s)", nullptr, card.pods);
  QColor c = colors().muted;
  if (card.pods == 0 && card.state != CardState::Ready) s.clear();
  if (waiting)
    s = models::MapModel::tr("%n pod(s) without a place; select one to see why", nullptr, card.pods);
  if (card.ghosts > 0) {
    s = models::MapModel::tr("%n pod(s)", nullptr, card.pods) + QLatin1Char(' ') +
        models::MapModel::tr("+%1 would land here").arg(card.ghosts);
    c = colors().accent;
  } else if (card.state == CardState::Ready && !card.note.isEmpty()) {
    s += QStringLiteral(" · ") + card.note;
    c = colors().warnText;
  }
  const int hidden = int(card.tiles.size()) + card.ghosts -
                     tileGrid(r, levelFor(r.width()), int(card.tiles.size()) + card.ghosts).capacity;
  if (hidden > 0) s += models::MapModel::tr(", %1 not drawn").arg(hidden);
  text(p, QRectF(r.left() + 14, r.bottom() - 27, r.width() - 28, 18), Qt::AlignLeft | Qt::AlignVCenter, s,
       typeface(Text::Caption), c);
}

}  // namespace ph::ui
