#include "ui/inspector/inspector.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QScrollBar>
#include <QVBoxLayout>

#include "ui/map/card_painter.h"
#include "ui/theme/icons.h"

namespace ph::ui {

using models::Subject;
namespace words = models::words;

namespace {

// The sign before the title: an application's color, a pod's shape, a machine's state.
class Mark : public QWidget {
 public:
  explicit Mark(QWidget* parent) : QWidget(parent) { setFixedSize(16, 22); }
  int shape = -1, color = -2;
  Tone tone = Tone::Plain;

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    const QRectF box(1, 4, 14, 14);
    if (shape >= 0) {
      CardPainter::drawShape(p, box, CardPainter::Shape(shape), Theme::get().app(color));
    } else if (color >= 0) {
      p.setPen(Qt::NoPen);
      p.setBrush(Theme::get().app(color));
      p.drawRoundedRect(box, radius::tile, radius::tile);
    } else {
      p.setPen(Qt::NoPen);
      p.setBrush(Theme::get().tone(tone));
      p.drawEllipse(QPointF(7, 11), 5, 5);
    }
  }
};

}  // namespace

Inspector::Inspector(models::Session* session, QWidget* parent) : QWidget(parent), session_(session) {
  setAccessibleName(tr("Inspector"));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  auto* head = new QHBoxLayout;
  head->setContentsMargins(space::l, space::m, space::l, space::xs);
  head->setSpacing(space::s);
  mark_ = new Mark(this);
  title_ = new ElidedLabel(Text::Heading, this, Qt::ElideMiddle);
  kind_ = new ElidedLabel(Text::Body, this);
  kind_->setMuted(true);
  kind_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  back_ = iconButton(QStringLiteral("back"), tr("Back (Alt+Left)"), this);
  forward_ = iconButton(QStringLiteral("forward"), tr("Forward (Alt+Right)"), this);
  head->addWidget(mark_);
  head->addWidget(title_, 1);
  head->addWidget(kind_);
  head->addWidget(back_);
  head->addWidget(forward_);
  connect(back_, &QToolButton::clicked, this, &Inspector::goBack);
  connect(forward_, &QToolButton::clicked, this, &Inspector::goForward);
  layout->addLayout(head);
  tabs_ = new QTabBar(this);
  tabs_->setDrawBase(false);
  tabs_->setExpanding(false);
  tabs_->setElideMode(Qt::ElideNone);
  tabs_->setAccessibleName(tr("Pages"));
  auto* tabRow = new QHBoxLayout;
  tabRow->setContentsMargins(space::l, 0, space::xs, 0);  // a pod's seven just fit
  tabRow->addWidget(tabs_);
  tabRow->addStretch();
  layout->addLayout(tabRow);
  layout->addWidget(new Line(this));
  stack_ = new QStackedWidget(this);
  layout->addWidget(stack_, 1);

  scroll_ = new QScrollArea(this);
  scroll_->setWidgetResizable(true);
  scroll_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll_->setFocusPolicy(Qt::NoFocus);
  overviews_ = new QWidget(scroll_);
  auto* pages = new QVBoxLayout(overviews_);
  pages->setContentsMargins(0, 0, 0, 0);
  cluster_ = new ClusterOverview(session, overviews_);
  app_ = new AppOverview(session, overviews_);
  machine_ = new MachineOverview(session, overviews_);
  pod_ = new PodOverview(session, overviews_);
  object_ = new ObjectOverview(session, overviews_);
  for (OverviewPage* page : std::initializer_list<OverviewPage*>{cluster_, app_, machine_, pod_, object_}) {
    pages->addWidget(page);
    page->hide();
    connect(page, &OverviewPage::wanted, this, &Inspector::wanted);
    connect(page, &OverviewPage::deployWanted, this, &Inspector::deployWanted);
    connect(page, &OverviewPage::addMachineWanted, this, &Inspector::addMachineWanted);
    connect(page, &OverviewPage::removeWanted, this, &Inspector::removeWanted);
  }
  scroll_->setWidget(overviews_);
  stack_->addWidget(scroll_);
  logs_ = new LogPage(session, LogPage::Room::Narrow, this);
  connect(logs_, &LogPage::roomWanted, this, [this] { emit logRoomWanted(subject_); });
  events_ = new EventsPage(session, this);
  yaml_ = new YamlPage(session, this);
  stack_->addWidget(logs_);
  stack_->addWidget(events_);
  stack_->addWidget(yaml_);
  steps_ = new StepsPage(session, this);
  decision_ = new DecisionPage(session, this);
  stack_->addWidget(steps_);
  stack_->addWidget(decision_);
  connect(decision_, &DecisionPage::wanted, this, &Inspector::wanted);
  connect(decision_, &DecisionPage::pointed, this, &Inspector::nodePointed);
  connect(decision_, &DecisionPage::judged, this, &Inspector::nodesJudged);
  related_ = new RelatedPage(session, this);
  stack_->addWidget(related_);
  connect(related_, &RelatedPage::wanted, this, &Inspector::wanted);
  connect(object_, &ObjectOverview::changed, this, [this] {
    if (subject_.kind == Subject::Kind::Object && !refresh_.isActive()) refresh_.start();
  });

  // Several diffs a second refresh the panel a few times a second at most.
  refresh_.setSingleShot(true);
  refresh_.setInterval(60);
  connect(&refresh_, &QTimer::timeout, this, &Inspector::refresh);
  second_.setInterval(1000);
  connect(&second_, &QTimer::timeout, this, &Inspector::refresh);
  connect(tabs_, &QTabBar::currentChanged, this, &Inspector::refresh);
  connect(&session->state, &models::ClusterState::changed, this, &Inspector::onChanged);
  connect(&session->state, &models::ClusterState::linkChanged, this, [this] { refresh_.start(); });
  connect(&session->load, &models::NodeLoad::changed, this, [this] {
    if (subject_.kind == Subject::Kind::Machine) refresh_.start();
  });
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
  show({});
}

void Inspector::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.fillRect(rect(), colors().surface);
  p.fillRect(QRect(0, 0, 1, height()), colors().line);
}

OverviewPage* Inspector::overviewFor(const Subject& subject) {
  switch (subject.kind) {
    case Subject::Kind::App:
      return app_;
    case Subject::Kind::Machine:
      return machine_;
    case Subject::Kind::Pod:
      return pod_;
    case Subject::Kind::Object:
      return object_;
    case Subject::Kind::None:
      break;
  }
  return cluster_;
}

void Inspector::fillTabs() {
  const QSignalBlocker quiet(tabs_);
  const int before = tabs_->count() > 0 ? tabs_->tabData(tabs_->currentIndex()).toInt() : 0;
  while (tabs_->count() > 0) tabs_->removeTab(0);
  auto add = [&](const QString& name, Page page) { tabs_->setTabData(tabs_->addTab(name), int(page)); };
  add(tr("Overview"), Page::Overview);
  const bool pods = subject_.kind == Subject::Kind::App || subject_.kind == Subject::Kind::Pod;
  if (pods) add(tr("Steps"), Page::Steps);
  if (subject_.kind == Subject::Kind::Pod) add(tr("Why here"), Page::WhyHere);
  if (pods) add(tr("Logs"), Page::Logs);
  if (subject_) {
    add(tr("Events"), Page::Events);
    add(tr("YAML"), Page::Yaml);
    add(tr("Related"), Page::Related);
  }
  for (int i = 0; i < tabs_->count(); ++i) {
    if (tabs_->tabData(i).toInt() == before) tabs_->setCurrentIndex(i);
  }
}

void Inspector::nameTabs() {
  if (subject_.kind != Subject::Kind::Pod) return;
  auto* pod = session_->state.pod(subject_.key);
  const QString name = pod && pod->node.isEmpty() ? tr("Why pending") : tr("Why here");
  for (int i = 0; i < tabs_->count(); ++i) {
    if (tabs_->tabData(i).toInt() == int(Page::WhyHere) && tabs_->tabText(i) != name) tabs_->setTabText(i, name);
  }
}

void Inspector::show(const Subject& subject) {
  if (!(subject == subject_) || tabs_->count() == 0) {
    const bool kindChanged = subject.kind != subject_.kind || tabs_->count() == 0;
    subject_ = subject;
    if (kindChanged) fillTabs();
    logs_->clear();
    related_->stop();
    if (subject.kind != Subject::Kind::Object) object_->object()->stop();
    remember(subject);
  }
  refresh();
  // Ages and countdowns go on counting for what has them.
  if (subject_)
    second_.start();
  else
    second_.stop();
}

void Inspector::remember(const Subject& subject) {
  constexpr int kMost = 50;
  const bool there = historyAt_ >= 0 && historyAt_ < history_.size() && history_[historyAt_] == subject;
  if (subject && !there) {
    // Another way from here: what was ahead is forgotten.
    history_.resize(historyAt_ + 1);
    history_ << subject;
    if (history_.size() > kMost) history_.removeFirst();
    historyAt_ = int(history_.size()) - 1;
  }
  back_->setEnabled(historyAt_ > 0);
  forward_->setEnabled(historyAt_ + 1 < history_.size());
}

void Inspector::go(int by) {
  if (historyAt_ + by < 0 || historyAt_ + by >= history_.size()) return;
  historyAt_ += by;
  emit wanted(Subject(history_[historyAt_]));
}

Inspector::Page Inspector::page() const {
  return Page(tabs_->tabData(tabs_->currentIndex()).toInt());
}

void Inspector::open(Page page) {
  for (int i = 0; i < tabs_->count(); ++i) {
    if (tabs_->tabData(i).toInt() == int(page)) tabs_->setCurrentIndex(i);
  }
}

void Inspector::onChanged(const models::ChangeSet& changes) {
  bool gone = false;
  if (subject_.kind == Subject::Kind::Pod) {
    for (auto& c : changes.pods) gone |= !c.now && c.before->key == subject_.key;
  } else if (subject_.kind == Subject::Kind::App) {
    gone = !session_->state.workload(subject_.key) && session_->state.podsOfApp(subject_.key).isEmpty();
  } else if (subject_.kind == Subject::Kind::Machine) {
    gone = !session_->state.machine(subject_.key) && !session_->state.node(subject_.key);
  }
  if (gone) {
    emit wanted({});
    return;
  }
  if (!refresh_.isActive()) refresh_.start();
}

void Inspector::refresh() {
  auto* mark = static_cast<Mark*>(mark_);
  auto& state = session_->state;
  mark->shape = -1;
  mark->color = -2;
  switch (subject_.kind) {
    case Subject::Kind::None:
      title_->setText(session_->place().cluster.isEmpty() ? tr("Cluster") : session_->place().cluster);
      kind_->setText(tr("Cluster"));
      mark->tone = words::healthTone(state.health(), state.link());
      break;
    case Subject::Kind::App: {
      const int app = session_->map.appIndex(subject_.key);
      title_->setText(models::appName(subject_.key));
      kind_->setText(models::appKind(subject_.key));
      mark->color = app >= 0 ? session_->map.apps()[app].color : 0;
      break;
    }
    case Subject::Kind::Machine: {
      title_->setText(subject_.key);
      kind_->setText(tr("Machine"));
      const int card = session_->map.cardIndex(subject_.key);
      mark->tone = card >= 0 ? CardPainter::toneOf(session_->map.card(card)) : Tone::Plain;
      break;
    }
    case Subject::Kind::Object:
      break;  // below
    case Subject::Kind::Pod: {
      auto* pod = state.pod(subject_.key);
      title_->setText(subject_.key.section('/', 1));
      kind_->setText(tr("Pod"));
      if (pod) {
        const int app = session_->map.appIndex(pod->app);
        mark->shape = int(pod->state);
        mark->color = app >= 0 ? session_->map.apps()[app].color : 0;
      }
      break;
    }
  }
  if (subject_.kind == Subject::Kind::Object) {
    const auto ref = models::ObjectRef::of(subject_.key);
    title_->setText(ref.name);
    kind_->setText(ref.kind);
    mark->tone = object_->object()->phase() == models::ObjectWatch::Phase::Live ? Tone::Info : Tone::Plain;
  }
  mark->update();
  nameTabs();
  if (page() != Page::Related) related_->stop();
  switch (page()) {
    case Page::Overview: {
      auto* overview = overviewFor(subject_);
      overview->show(subject_.key);
      if (overview->isHidden()) {
        for (QWidget* page : std::initializer_list<QWidget*>{cluster_, app_, machine_, pod_, object_})
          page->setVisible(page == overview);
        scroll_->verticalScrollBar()->setValue(0);
      }
      stack_->setCurrentWidget(scroll_);
      break;
    }
    case Page::Logs:
      logs_->show(subject_);
      stack_->setCurrentWidget(logs_);
      break;
    case Page::Events:
      events_->show(subject_);
      stack_->setCurrentWidget(events_);
      break;
    case Page::Related:
      related_->show(subject_);
      stack_->setCurrentWidget(related_);
      break;
    case Page::Yaml:
      if (subject_.kind == Subject::Kind::Object) {
        if (!(object_->object()->ref() == models::ObjectRef::of(subject_.key))) object_->show(subject_.key);
        yaml_->showTree(object_->object()->tree());
      } else {
        yaml_->show(subject_);
      }
      stack_->setCurrentWidget(yaml_);
      break;
    case Page::Steps:
      steps_->show(subject_);
      stack_->setCurrentWidget(steps_);
      break;
    case Page::WhyHere:
      decision_->show(subject_);
      stack_->setCurrentWidget(decision_);
      break;
  }
}

}  // namespace ph::ui
