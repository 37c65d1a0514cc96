#include "ui/map/card_painter.h"

#include <algorithm>
#include <cmath>

namespace ph::ui {

using models::Card;
using models::CardState;
using models::Tile;
namespace words = models::words;

namespace {

QColor barColor(double part) {
  return part >= 0.95 ? colors().error : part >= 0.8 ? colors().warn : colors().accent;
}

}  // namespace

void CardPainter::text(QPainter& p, const QRectF& r, int flags, const QString& s, const QFont& f,
                       const QColor& c,
                       Qt::TextElideMode elide) {
  if (r.width() < 8) return;
  p.setFont(f);
  p.setPen(c);
  p.drawText(r, flags | Qt::TextSingleLine, QFontMetricsF(f).elidedText(s, elide, r.width()));
}

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

void CardPainter::paint(QPainter& p, const QRectF& r, int index, const CardLook& look) {
  const Card& card = model_.card(index);
  const bool waiting = index == models::MapModel::kWaitingCard;
  const Level level = levelFor(r.width());
  // What does not fit the filter, or is refused, steps back but stays where it is.
  const bool back = (look.filtering && !card.fits) || look.judged == Judged::Refused;
  p.setOpacity(back ? kBack : 1);
  if (level == Level::Tone) {
    paintTone(p, r, card, look);
    paintMarks(p, r, card);
  } else {
    paintFrame(p, r, card, look, waiting);
    if (!waiting) {
      paintHead(p, r, card, level);
      if (level != Level::Compact) paintBars(p, r, card);
      if (level == Level::Compact) paintMarks(p, r, card);
    } else {
      text(p, r.adjusted(14, level == Level::Compact ? 6 : 12, -14, 0), Qt::AlignLeft | Qt::AlignTop,
           models::MapModel::tr("Waiting for a machine"),
           level == Level::Compact ? typeface(Text::Caption) : typeface(Text::BodyStrong), colors().warnText);
    }
    paintTiles(p, r, index, level, look);
    p.setOpacity(back ? kBack : 1);
    if (level != Level::Compact) paintFoot(p, r, card, waiting, look);
  }
  p.setOpacity(1);
  if (!waiting) paintJudged(p, r, look);
}

// Far out, where there is no room for words: short of something (a triangle), takes no new pods (a barred ring).
void CardPainter::paintMarks(QPainter& p, const QRectF& r, const Card& card) {
  if (card.state != CardState::Ready || r.width() < 14) return;
  const bool compact = r.width() >= 84;
  const double size = compact ? 9 : std::clamp(r.width() * 0.22, 5.0, 9.0);
  double x = compact ? r.right() - 8 - size : r.left() + size * 0.5;
  const double y = compact ? r.top() + 14 - size / 2 : r.top() + size * 0.5;
  p.setRenderHint(QPainter::Antialiasing, true);
  if (!card.pressure.isEmpty()) {
    const QPointF triangle[] = {{x + size / 2, y}, {x + size, y + size * 0.9}, {x, y + size * 0.9}};
    p.setPen(QPen(colors().background, 1));
    p.setBrush(colors().warn);
    p.drawPolygon(triangle, 3);
    x += compact ? -(size + 3) : size + 2;
  }
  if (card.cordoned) {
    p.setPen(QPen(compact ? colors().warn : colors().text, 1.3));
    p.setBrush(Qt::NoBrush);
    p.drawEllipse(QRectF(x + 0.5, y + 0.5, size - 1, size - 1));
    p.drawLine(QPointF(x + size * 0.28, y + size / 2), QPointF(x + size * 0.72, y + size / 2));
  }
}

void CardPainter::paintJudged(QPainter& p, const QRectF& r, const CardLook& look) {
  if (look.judged == Judged::No && !look.pointed) return;
  const bool tone = levelFor(r.width()) == Level::Tone;
  const double rounding = tone ? std::min(6.0, r.width() * 0.06) : radius::card;
  p.setRenderHint(QPainter::Antialiasing, true);
  p.setBrush(Qt::NoBrush);
  if (look.judged == Judged::Fits && !look.selected) {
    p.setPen(QPen(colors().ok, tone ? 1.2 : 1.5));
    p.drawRoundedRect(r.adjusted(0.75, 0.75, -0.75, -0.75), rounding, rounding);
  } else if (look.judged == Judged::Refused && r.width() >= 12) {
    const double d = std::clamp(r.width() * 0.09, 3.0, 6.0);
    const QPointF c = tone ? r.center() : QPointF(r.right() - 10 - d, r.bottom() - 10 - d);
    p.setPen(QPen(colors().error, std::clamp(d * 0.4, 1.4, 2.2), Qt::SolidLine, Qt::RoundCap));
    p.drawLine(c - QPointF(d, d), c + QPointF(d, d));
    p.drawLine(c - QPointF(d, -d), c + QPointF(d, -d));
  }
  if (look.pointed) {
    p.setPen(QPen(colors().accent, 2));
    // Within the card, for those at the window's edge; around what is too small to have room within.
    const double out = tone ? 2 : -1;
    p.drawRoundedRect(r.adjusted(-out, -out, out, out), rounding + out, rounding + out);
  }
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

void CardPainter::paintFoot(QPainter& p, const QRectF& r, const Card& card, bool waiting, const CardLook& look) {
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
  if (!look.news.isEmpty() && card.ghosts == 0) {
    s = look.news;
    c = Theme::get().textTone(look.newsTone);
  }
  const int hidden = int(card.tiles.size()) + card.ghosts -
                     tileGrid(r, levelFor(r.width()), int(card.tiles.size()) + card.ghosts).capacity;
  if (hidden > 0) s += models::MapModel::tr(", %1 not drawn").arg(hidden);
  text(p, QRectF(r.left() + 14, r.bottom() - 27, r.width() - 28, 18), Qt::AlignLeft | Qt::AlignVCenter, s,
       typeface(Text::Caption), c);
}

}  // namespace ph::ui
