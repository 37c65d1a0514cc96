#include "ui/inspector/steps_page.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPainter>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace ph::ui {

using models::Step;
using models::StepsModel;
using models::Subject;

namespace {

constexpr int kLeft = 30;       // of the texts: the line and its dots stand before
constexpr int kHead = 20, kBar = 10, kGap = 12;
constexpr int kMostChoices = 200;

}  // namespace

StepsView::StepsView(StepsModel* model, models::ClusterState* state, QWidget* parent)
    : QWidget(parent), model_(model), state_(state) {
  setFocusPolicy(Qt::TabFocus);
  QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);
  setAccessibleName(tr("The ten steps"));
  connect(model, &StepsModel::changed, this, [this] {
    cursor_ = std::clamp(cursor_, 0, std::max(0, int(model_->steps().size()) - 1));
    tell();
    updateGeometry();
    update();
  });
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
}

double StepsView::textHeight(int step, int width) const {
  return std::ceil(QFontMetricsF(typeface(Text::Caption))
                       .boundingRect(QRectF(0, 0, width - kLeft - 4, 200), Qt::TextWordWrap,
                                     model_->steps()[size_t(step)].what)
                       .height());
}

int StepsView::heightForWidth(int width) const {
  double y = 0;
  for (int i = 0; i < int(model_->steps().size()); ++i) y += kHead + kBar + textHeight(i, width) + kGap;
  return int(y);
}

QRectF StepsView::stepRect(int step) const {
  double y = 0;
  for (int i = 0; i < step; ++i) y += kHead + kBar + textHeight(i, width()) + kGap;
  return {0, y, double(width()), kHead + kBar + textHeight(step, width()) + kGap};
}

double StepsView::whole() const {
  return std::max(0.001, model_->total() + model_->underWay(state_->now()));
}

QRectF StepsView::barRect(int step) const {
  const Step& s = model_->steps()[size_t(step)];
  if (s.state != Step::State::Done && s.state != Step::State::UnderWay) return {};
  const double took = s.state == Step::State::UnderWay ? model_->underWay(state_->now()) : s.took();
  const double room = width() - kLeft - 4, scale = room / whole();
  const double length = std::max(2.0, took * scale);
  const double from = std::min(s.from * scale, room - length);
  return {kLeft + from, stepRect(step).top() + kHead + 2, length, 4};
}

void StepsView::paintStep(QPainter& p, int index, const QRectF& r) const {
  const Step& s = model_->steps()[size_t(index)];
  const bool done = s.state == Step::State::Done, under = s.state == Step::State::UnderWay;
  const QPointF dot(9, r.top() + kHead / 2.0);
  // The line to the next one is drawn as far as the way has been gone.
  if (index + 1 < int(model_->steps().size())) {
    const bool gone = model_->steps()[size_t(index) + 1].state != Step::State::ToCome;
    QPen pen(gone ? mix(colors().line, colors().accent, 0.6) : colors().line, gone ? 2 : 1.5);
    if (!gone) pen.setDashPattern({2, 2.5});
    p.setPen(pen);
    p.drawLine(dot + QPointF(0, 8), QPointF(dot.x(), r.bottom() + kHead / 2.0 - 8));
  }
  p.setPen(QPen(done || under ? colors().accent : colors().line, 1.5));
  p.setBrush(done ? QBrush(colors().accent) : QBrush(colors().surface));
  p.drawEllipse(dot, 8, 8);
  p.setFont(typeface(Text::Caption));
  p.setPen(done ? colors().onAccent : under ? colors().accentText : colors().muted);
  p.drawText(QRectF(dot.x() - 8, dot.y() - 8, 16, 16), Qt::AlignCenter, QString::number(index + 1));

  // How long it took, at the right.
  QString took;
  QColor tookColor = colors().text;
  if (done) {
    took = index == 0 ? QString() : QStringLiteral("+") + StepsModel::took(s.took());
  } else if (under) {
    took = StepsModel::took(model_->underWay(state_->now())) + QStringLiteral(" …");
    tookColor = colors().accentText;
  } else {
    took = s.state == Step::State::Passed ? StepsModel::tr("not needed") : StepsModel::tr("to come");
    tookColor = colors().muted;
  }
  const QRectF head(kLeft, r.top(), r.width() - kLeft - 4, kHead);
  const QFont& tookFont = typeface(done || under ? Text::MonoSmall : Text::Caption);
  const double tookWidth = QFontMetricsF(tookFont).horizontalAdvance(took) + 2;
  p.setFont(tookFont);
  p.setPen(tookColor);
  p.drawText(head, Qt::AlignRight | Qt::AlignVCenter | Qt::TextSingleLine, took);
  const QFontMetricsF strong(typeface(Text::BodyStrong)), small(typeface(Text::Caption));
  const double room = head.width() - tookWidth - 8;
  const double nameWidth = std::min(room, strong.horizontalAdvance(s.name) + 2);
  p.setFont(typeface(Text::BodyStrong));
  p.setPen(done || under ? colors().text : colors().muted);
  p.drawText(QRectF(head.left(), head.top(), nameWidth, kHead), Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
             strong.elidedText(s.name, Qt::ElideRight, nameWidth));
  const double left = room - nameWidth - 8;
  if (left > 30) {
    p.setFont(typeface(Text::Caption));
    p.setPen(colors().muted);
    p.drawText(QRectF(head.left() + nameWidth + 8, head.top() + 1, left, kHead),
               Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine, small.elidedText(s.who, Qt::ElideRight, left));
  }
  p.setPen(Qt::NoPen);
  p.setBrush(colors().raised);
  p.drawRoundedRect(QRectF(kLeft, r.top() + kHead + 2, r.width() - kLeft - 4, 4), 2, 2);
  if (const QRectF bar = barRect(index); !bar.isEmpty()) {
    p.setBrush(under ? mix(colors().raised, colors().accent, 0.55) : colors().accent);
    p.drawRoundedRect(bar, std::min(2.0, bar.width() / 2), 2);
  }
  p.setFont(typeface(Text::Caption));
  p.setPen(colors().muted);
  p.drawText(QRectF(kLeft, r.top() + kHead + kBar, r.width() - kLeft - 4, r.height() - kHead - kBar), Qt::TextWordWrap, s.what);
}

void StepsView::paintEvent(QPaintEvent* event) {
  QPainter p(this);
  p.setRenderHint(QPainter::Antialiasing);
  for (int i = 0; i < int(model_->steps().size()); ++i) {
    const QRectF r = stepRect(i);
    if (!r.adjusted(0, -kHead, 0, kHead).intersects(event->rect())) continue;
    if (hasFocus() && i == cursor_) {
      p.setPen(Qt::NoPen);
      p.setBrush(colors().raised);
      p.drawRoundedRect(r.adjusted(kLeft - 8, -4, 0, 2 - kGap), radius::control, radius::control);
    }
    paintStep(p, i, r);
  }
}

void StepsView::tell() {
  if (cursor_ >= int(model_->steps().size())) return setAccessibleDescription({});
  const Step& s = model_->steps()[size_t(cursor_)];
  const QString state = s.state == Step::State::Done ? StepsModel::took(s.took())
                        : s.state == Step::State::UnderWay ? tr("under way")
                        : s.state == Step::State::Passed   ? StepsModel::tr("not needed")
                                                           : StepsModel::tr("to come");
  setAccessibleDescription(tr("Step %1, %2, by %3: %4. %5").arg(cursor_ + 1).arg(s.name, s.who, state, s.what));
}

void StepsView::keyPressEvent(QKeyEvent* event) {
  if (event->key() != Qt::Key_Down && event->key() != Qt::Key_Up) return QWidget::keyPressEvent(event);
  cursor_ = std::clamp(cursor_ + (event->key() == Qt::Key_Down ? 1 : -1), 0, std::max(0, int(model_->steps().size()) - 1));
  tell();
  if (!model_->steps().empty()) {
    if (auto* area = qobject_cast<QScrollArea*>(parentWidget() ? parentWidget()->parentWidget() : nullptr))
      area->ensureVisible(0, int(stepRect(cursor_).center().y()), 0, int(stepRect(cursor_).height() / 2));
  }
  update();
}

void StepsView::focusInEvent(QFocusEvent*) {
  update();
}

void StepsView::focusOutEvent(QFocusEvent*) {
  update();
}

StepsPage::StepsPage(models::Session* session, QWidget* parent)
    : QWidget(parent), session_(session), model_(&session->state) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space::l, space::m, space::l, space::l);
  layout->setSpacing(space::s);
  which_ = new QComboBox(this);
  which_->setAccessibleName(tr("Whose steps"));
  which_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  which_->setMinimumContentsLength(10);
  layout->addWidget(which_);
  summary_ = label({}, "strong", this);
  summary_->setWordWrap(true);
  layout->addWidget(summary_);
  cause_ = label({}, "caption", this);
  cause_->setWordWrap(true);
  layout->addWidget(cause_);
  layout->addSpacing(space::xs);
  scroll_ = new QScrollArea(this);
  scroll_->setWidgetResizable(true);
  scroll_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll_->setFocusPolicy(Qt::NoFocus);
  view_ = new StepsView(&model_, &session->state, scroll_);
  scroll_->setWidget(view_);
  layout->addWidget(scroll_, 1);
  command_ = new CodeBox(this);
  layout->addWidget(command_);
  counting_.setInterval(100);
  connect(&counting_, &QTimer::timeout, this, [this] {
    summary_->setText(model_.summary(session_->state.now()));
    view_->update();
  });
  connect(&model_, &StepsModel::changed, this, &StepsPage::tell);
  connect(which_, &QComboBox::currentIndexChanged, this, [this] {
    if (!filling_) choose();
  });
  tell();
}

void StepsPage::show(const Subject& subject) {
  model_.setClient(session_->client());
  const bool same = subject == subject_;
  const QStringList pods = StepsModel::podsOf(session_->state, subject).mid(0, kMostChoices);
  if (same && pods == pods_) return;
  // Who looks at the newest stays with the newest; who chose one stays with it.
  const bool newest = !same || which_->currentIndex() <= 0;
  const QString chosen = which_->currentData().toString();
  subject_ = subject;
  pods_ = pods;
  filling_ = true;
  which_->clear();
  for (int i = 0; i < pods.size(); ++i) {
    const QString name = pods[i].section('/', 1);
    which_->addItem(i == 0 ? tr("%1 (the newest)").arg(name) : name, pods[i]);
  }
  const int at = newest ? 0 : std::max(0, which_->findData(chosen));
  which_->setCurrentIndex(pods.isEmpty() ? -1 : at);
  which_->setVisible(subject.kind == Subject::Kind::App && pods.size() > 1);
  filling_ = false;
  choose();
}

void StepsPage::choose() {
  if (!isVisible()) return;
  model_.setPod(which_->currentData().toString());
  tell();
}

void StepsPage::tell() {
  const bool none = subject_ && pods_.isEmpty();
  summary_->setText(none ? tr("There is no pod.") : model_.summary(session_->state.now()));
  const bool ready = model_.state() == StepsModel::State::Ready;
  setRole(summary_, ready ? "strong" : model_.state() == StepsModel::State::Failed ? "error" : "muted");
  cause_->setText(ready && !model_.cause().isEmpty() ? tr("It came about because: %1").arg(model_.cause()) : QString());
  cause_->setVisible(!cause_->text().isEmpty());
  command_->setText(model_.command());
  command_->setVisible(!model_.pod().isEmpty());
  const bool under = std::any_of(model_.steps().begin(), model_.steps().end(),
                                 [](auto& s) { return s.state == Step::State::UnderWay; });
  if (under && isVisible())
    counting_.start();
  else
    counting_.stop();
}

void StepsPage::showEvent(QShowEvent*) {
  choose();
}

void StepsPage::hideEvent(QHideEvent*) {
  // Nobody looks: nothing is asked.
  counting_.stop();
  model_.setPod({});
}

}  // namespace ph::ui
