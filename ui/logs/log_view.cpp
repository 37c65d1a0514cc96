#include "ui/logs/log_view.h"

#include <QPainter>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

#include "ui/theme/widgets.h"

namespace ph::ui {

using models::LogStore;

namespace {
constexpr int kBar = 3;           // the mark of a bad line, at the left
constexpr int kStampCells = 13;   // "12:04:35.123 "
constexpr int kMostLabel = 22;    // cells of a pod's name
constexpr double kPad = 10;
}  // namespace

int byteOfCell(std::string_view text, int cell) {
  int at = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t from = i;
    const char32_t c = models::nextChar(text, i);
    const int next = at + (c == '\t' ? LogStore::kTabStop - at % LogStore::kTabStop : models::cellsOf(c));
    if (next > cell) return int(from);
    at = next;
  }
  return int(text.size());
}

int cellOfByte(std::string_view text, int byte) {
  return models::cellsOf(text.substr(0, size_t(byte)));
}

LogView::LogView(models::LogModel* model, QWidget* parent)
    : QAbstractScrollArea(parent), model_(model), layout_(&model->store(), model->search()) {
  setAccessibleName(tr("Log"));
  setFocusPolicy(Qt::StrongFocus);
  viewport()->setCursor(Qt::IBeamCursor);
  viewport()->setAttribute(Qt::WA_OpaquePaintEvent);
  pill_ = button({}, "pill", viewport());
  pill_->hide();
  pill_->setCursor(Qt::PointingHandCursor);
  pill_->setFocusPolicy(Qt::TabFocus);
  connect(pill_, &QPushButton::clicked, this, [this] {
    setFollowing(true);
    setFocus();
  });
  scroll_.setInterval(30);
  connect(&scroll_, &QTimer::timeout, this, [this] { dragTo(dragAt_); });
  connect(model, &QAbstractItemModel::modelReset, this, [this] {
    anchor_ = head_ = {};
    match_.reset();
    freshFrom_ = 0;
    layout_.rebuild();
    following_ = true;
    arrange();
    emit followingChanged(true);
  });
  connect(model, &models::LogModel::stateChanged, this, &LogView::arrange);
  connect(model->search(), &models::LogSearch::changed, this, &LogView::arrange);
  connect(model->search(), &models::LogSearch::reset, this, [this] {
    match_.reset();
    if (layout_.onlyMatching()) {
      layout_.rebuild();
      freshFrom_ = layout_.end();
    }
    arrange();
  });
  connect(&Theme::get(), &Theme::changed, this, &LogView::arrange);
  measure();
}

void LogView::changeEvent(QEvent* event) {
  QAbstractScrollArea::changeEvent(event);
  if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) arrange();
}

void LogView::measure() {
  const QFontMetricsF m(typeface(Text::Mono));
  cell_ = m.horizontalAdvance(QLatin1Char('0'));
  rowHeight_ = int(std::ceil(m.height())) + 3;
  labelCells_ = 0;
  for (auto& s : model_->sources()) labelCells_ = std::max(labelCells_, std::min(kMostLabel, int(s.label.size())));
  left_ = kPad + (times_ ? kStampCells * cell_ : 0) + (labelCells_ > 0 ? (labelCells_ + 1) * cell_ : 0);
}

int LogView::pageRows() const {
  return std::max(1, (viewport()->height() - space::xs) / rowHeight_);
}

void LogView::arrange() {
  measure();
  // One cell is left free at the right: a wide character may begin in the last one.
  const int cells = std::max(10, int((viewport()->width() - left_ - kPad) / cell_) - 1);
  layout_.setColumns(wrap_ ? cells : 0);
  layout_.refresh();
  const int64_t most = std::max<int64_t>(0, layout_.rows() - pageRows());
  arranging_ = true;
  auto* v = verticalScrollBar();
  v->setPageStep(pageRows());
  v->setSingleStep(3);
  v->setRange(0, int(std::min<int64_t>(most, INT_MAX)));
  auto* h = horizontalScrollBar();
  h->setPageStep(cells);
  h->setSingleStep(8);
  h->setRange(0, wrap_ ? 0 : std::max(0, model_->store().widest() + 1 - cells));
  if (following_) {
    v->setValue(v->maximum());
    top_ = layout_.placeOf(v->value());
  } else {
    // What is read stays where it is, whatever comes below or goes above.
    top_.ordinal = std::clamp(top_.ordinal, layout_.begin(), std::max(layout_.begin(), layout_.end()));
    if (top_.ordinal < layout_.end()) top_.sub = std::min(top_.sub, layout_.rowsOf(top_.ordinal) - 1);
    v->setValue(int(std::min<int64_t>(layout_.rowOf(top_.ordinal) + top_.sub, most)));
    top_ = layout_.placeOf(v->value());
  }
  arranging_ = false;
  placePill();
  viewport()->update();
}

void LogView::scrollContentsBy(int, int) {
  if (!arranging_) {
    auto* v = verticalScrollBar();
    top_ = layout_.placeOf(v->value());
    const bool atEnd = v->value() >= v->maximum();
    if (atEnd != following_) {
      following_ = atEnd;
      freshFrom_ = layout_.end();
      emit followingChanged(following_);
    }
    placePill();
  }
  viewport()->update();
}

void LogView::setFollowing(bool on) {
  if (on == following_) return;
  following_ = on;
  freshFrom_ = layout_.end();
  arrange();
  emit followingChanged(on);
}

uint64_t LogView::freshLines() const {
  return following_ ? 0 : layout_.end() - std::min(layout_.end(), std::max(freshFrom_, layout_.begin()));
}

void LogView::placePill() {
  const uint64_t fresh = freshLines();
  pill_->setVisible(!following_);
  if (following_) return;
  pill_->setText(fresh > 0 ? tr("%n new line(s) ↓", nullptr, int(fresh)) : tr("Paused, to the newest ↓"));
  pill_->adjustSize();
  pill_->move((viewport()->width() - pill_->width()) / 2, viewport()->height() - pill_->height() - space::s);
}

void LogView::setTop(int64_t row) {
  verticalScrollBar()->setValue(int(std::clamp<int64_t>(row, 0, verticalScrollBar()->maximum())));
}

void LogView::setWrap(bool on) {
  wrap_ = on;
  arrange();
}

void LogView::setTimes(bool on) {
  times_ = on;
  arrange();
}

void LogView::setOnlyMatching(bool on) {
  if (on == layout_.onlyMatching()) return;
  const uint64_t line = topLine();
  layout_.setOnlyMatching(on);
  freshFrom_ = layout_.end();
  top_ = {layout_.ordinalOf(line), 0};
  arrange();
}

uint64_t LogView::topLine() const {
  return top_.ordinal >= layout_.begin() && top_.ordinal < layout_.end() ? layout_.lineAt(top_.ordinal)
                                                                         : model_->store().first();
}

void LogView::showMatch(std::optional<uint64_t> line) {
  match_ = line;
  if (line && *line >= model_->store().first() && *line < model_->store().end()) {
    const int64_t row = layout_.rowOf(layout_.ordinalOf(*line));
    const int64_t top = verticalScrollBar()->value();
    if (row < top || row + 2 > top + pageRows()) {
      if (following_) setFollowing(false);
      setTop(row - pageRows() / 3);
    }
  }
  viewport()->update();
}

void LogView::resizeEvent(QResizeEvent*) {
  arrange();
}

QRect LogView::rowRect(int row) const {
  return {0, row * rowHeight_ + space::xs, viewport()->width(), rowHeight_};
}

QColor LogView::sourceColor(int source) const {
  // Here colors tell sources apart, not applications; as words they must be readable.
  QColor c = Theme::get().app(source);
  for (int step = 1; step <= 12 && contrast(c, colors().surface) < 4.5; ++step)
    c = mix(Theme::get().app(source), colors().text, step * 0.06);
  return c;
}

void LogView::paintEvent(QPaintEvent* event) {
  QPainter p(viewport());
  p.fillRect(event->rect(), colors().surface);
  if (layout_.begin() == layout_.end()) return;
  LogLayout::Place place = top_;
  const int rows = pageRows() + 1;
  for (int r = 0; r < rows && place.ordinal < layout_.end(); ++r) {
    paintRow(p, place, rowRect(r).top());
    if (++place.sub >= layout_.rowsOf(place.ordinal)) {
      ++place.ordinal;
      place.sub = 0;
    }
  }
}

void LogView::paintRow(QPainter& p, const LogLayout::Place& place, double y) {
  const uint64_t number = layout_.lineAt(place.ordinal);
  const models::LogLine line = model_->store().line(number);
  const int perRow = layout_.columns();
  const int shift = horizontalScrollBar()->value();
  const int from = perRow > 0 ? place.sub * perRow : shift;
  const int to = perRow > 0 ? from + perRow : shift + int((viewport()->width() - left_) / cell_) + 1;
  if (match_ && *match_ == number)
    p.fillRect(QRectF(0, y, viewport()->width(), rowHeight_), mix(colors().surface, colors().accent, 0.10));
  paintMarks(p, line.text, number, from, to, y);
  if (place.sub == 0) {
    const Tone tone = models::logTone(line.text);
    if (tone != Tone::Plain) p.fillRect(QRectF(0, y + 1, kBar, rowHeight_ - 2), Theme::get().tone(tone));
    paintPrefix(p, line, y);
  }
  p.setPen(colors().text);
  paintText(p, line.text, from, to, {left_, y});
}

void LogView::paintPrefix(QPainter& p, const models::LogLine& line, double y) {
  p.setFont(typeface(Text::Mono));
  const double base = y + 1 + QFontMetricsF(typeface(Text::Mono)).ascent();
  double x = kPad;
  if (times_) {
    p.setPen(colors().muted);
    if (line.time > 0) p.drawText(QPointF(x, base), models::stampText(line.time));
    x += kStampCells * cell_;
  }
  if (labelCells_ > 0 && line.source < model_->sources().size()) {
    QString name = model_->sources()[line.source].label;
    if (name.size() > labelCells_) name = QStringLiteral("…") + name.right(labelCells_ - 1);
    p.setPen(sourceColor(line.source));
    p.drawText(QPointF(x, base), name);
  }
}

void LogView::paintText(QPainter& p, std::string_view text, int fromCell, int toCell, const QPointF& at) {
  const QFont& font = typeface(Text::Mono);
  p.setFont(font);
  const double base = at.y() + 1 + QFontMetricsF(font).ascent();
  QString run;
  int runCell = 0, cell = 0;
  auto flush = [&] {
    if (!run.isEmpty()) p.drawText(QPointF(at.x() + (runCell - fromCell) * cell_, base), run);
    run.clear();
  };
  for (size_t i = 0; i < text.size() && cell < toCell;) {
    const char32_t c = models::nextChar(text, i);
    const int width = c == '\t' ? LogStore::kTabStop - cell % LogStore::kTabStop : models::cellsOf(c);
    if (cell >= fromCell) {
      // What isn't plain stands alone in its cells: its font may have another width.
      if (c == '\t' || c >= 0x80) flush();
      if (c != '\t') {
        if (run.isEmpty()) runCell = cell;
        if (c < 0x10000)
          run += QChar(char16_t(c));
        else
          run += QString::fromUcs4(&c, 1);
        if (c >= 0x80 && width != 0) {
          // Marks that combine with it are drawn with it.
          size_t peek = i;
          while (peek < text.size()) {
            const char32_t mark = models::nextChar(text, peek);
            if (models::cellsOf(mark) != 0) break;
            run += QString::fromUcs4(&mark, 1);
            i = peek;
          }
          flush();
        }
      }
    }
    cell += width;
  }
  flush();
}

void LogView::paintMarks(QPainter& p, std::string_view text, uint64_t number, int fromCell, int toCell, double y) {
  auto fill = [&](int a, int b, const QColor& color) {
    a = std::max(a, fromCell);
    b = std::min(b, toCell);
    if (a < b) p.fillRect(QRectF(left_ + (a - fromCell) * cell_, y, (b - a) * cell_, rowHeight_), color);
  };
  if (model_->search()->active()) {
    const QColor mark = mix(colors().surface, colors().warn, match_ && *match_ == number ? 0.55 : 0.3);
    for (auto& [from, to] : model_->search()->ranges(text)) fill(cellOfByte(text, from), cellOfByte(text, to), mark);
  }
  if (!selected()) return;
  const auto [a, b] = selection();
  if (number < a.line || number > b.line) return;
  const int from = number == a.line ? a.cell : 0;
  const int to = number == b.line ? b.cell : std::max(models::cellsOf(text), fromCell) + 1;
  fill(from, to, mix(colors().surface, colors().accent, 0.35));
}

}  // namespace ph::ui
