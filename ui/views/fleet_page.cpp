#include "ui/views/fleet_page.h"

#include <QHBoxLayout>
#include <QMenu>
#include <QPainter>
#include <QVBoxLayout>

#include "ui/map/pan_zoom.h"

namespace ph::ui {

using models::Subject;

namespace {

// The first thing a newcomer sees: what to do, and why it is easy.
class Welcome : public QWidget {
 public:
  explicit Welcome(QWidget* parent) : QWidget(parent) {}

 protected:
  void paintEvent(QPaintEvent*) override {
    // Three quiet outlines of machines to come.
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.fillRect(rect(), colors().background);
    const double w = 150, h = 100, gap = 18;
    const double x = (width() - 3 * w - 2 * gap) / 2, y = height() * 0.5 - 175;
    for (int i = 0; i < 3; ++i) {
      QPen pen(mix(colors().line, colors().background, i * 0.25), 1.2);
      pen.setDashPattern({4, 3});
      p.setPen(pen);
      p.setBrush(Qt::NoBrush);
      const QRectF card(x + i * (w + gap), y, w, h);
      p.drawRoundedRect(card, radius::card, radius::card);
      p.setPen(Qt::NoPen);
      p.setBrush(mix(colors().line, colors().background, i * 0.25));
      p.drawEllipse(QPointF(card.left() + 18, card.top() + 20), 4, 4);
      p.drawRoundedRect(QRectF(card.left() + 30, card.top() + 16, 56, 8), 4, 4);
      for (int t = 0; t < 4 - i; ++t)
        p.drawRoundedRect(QRectF(card.left() + 14 + t * 18, card.top() + 48, 14, 14), 3, 3);
    }
  }
};

}  // namespace

FleetPage::FleetPage(models::Session* session, QWidget* parent) : QWidget(parent), session_(session) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space::xl, 0, space::xl, 0);
  layout->setSpacing(0);
  auto* head = new QHBoxLayout;
  head->setContentsMargins(0, space::m, 0, space::m);
  head->setSpacing(space::m);
  auto* title = new ElidedLabel(Text::Title, this);
  title->setText(tr("Fleet"));
  title->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  grouping_ = button({}, "menu", this);
  grouping_->setObjectName(QStringLiteral("grouping"));
  grouping_->setToolTip(tr("What the machines are grouped by"));
  grouping_->setMenu(new QMenu(grouping_));
  filter_ = new MapFilter(tr("Filter the map"), tr("Names, applications, states, labels: what does not fit steps back."), this);
  // Narrow windows take it from the filter, never from the words of a button.
  filter_->setMinimumWidth(64);
  filter_->setMaximumWidth(150);
  fitting_ = label({}, "caption", this);
  legend_ = new LegendBar(&session->map, &session->scale, this);
  deploy_ = button(tr("Deploy"), nullptr, this);
  add_ = button(tr("Add machine"), "primary", this);
  for (auto* b : {deploy_, add_}) b->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  head->addWidget(title);
  head->addWidget(grouping_);
  head->addSpacing(space::s);
  head->addWidget(legend_, 3);
  head->addWidget(fitting_);
  head->addWidget(filter_, 1);
  head->addWidget(deploy_);
  head->addWidget(add_);
  layout->addLayout(head);
  offline_ = label({}, "error", this);
  offline_->setWordWrap(true);
  offline_->setContentsMargins(0, 0, 0, space::s);
  layout->addWidget(offline_);
  auto* split = new QSplitter(Qt::Vertical, this);
  split->setHandleWidth(9);
  split->setChildrenCollapsible(false);
  stack_ = new QStackedWidget(split);
  map_ = new MapView(&session->map, stack_);
  stack_->addWidget(map_);
  stack_->addWidget(emptyState());
  now_ = new NowPanel(session, split);
  split->addWidget(stack_);
  split->addWidget(now_);
  split->setStretchFactor(0, 1);
  split->setStretchFactor(1, 0);
  split->setSizes({560, 236});
  layout->addWidget(split, 1);

  zoom_ = zoomTools(map_, tr("The whole fleet (0)"), [this](double factor) { map_->zoomBy(factor, map_->rect().center()); },
                    [this] { map_->fit(); });

  connect(grouping_->menu(), &QMenu::aboutToShow, this, &FleetPage::offerGroupings);
  connect(filter_, &QLineEdit::textChanged, &session->map, &models::MapModel::setFilter);
  connect(&session->map, &models::MapModel::filterChanged, this, &FleetPage::tellFitting);
  connect(&session->map, &models::MapModel::cardsChanged, this, [this] {
    if (session_->map.filtering()) tellFitting();
  });
  filter_->setMap(map_);
  connect(map_, &MapView::selected, this, &FleetPage::selected);
  connect(legend_, &LegendBar::hovered, map_, &MapView::setOnlyApp);
  connect(legend_, &LegendBar::clicked, this, [this](const QString& app) {
    emit selected({Subject::Kind::App, app});
  });
  connect(legend_, &LegendBar::moreClicked, this, &FleetPage::appsWanted);
  connect(add_, &QPushButton::clicked, this, &FleetPage::addMachineWanted);
  connect(deploy_, &QPushButton::clicked, this, &FleetPage::deployWanted);
  connect(now_, &NowPanel::wanted, this, [this](const Subject& subject, bool link) {
    link ? emit linkWanted(subject) : emit selected(subject);
  });
  connect(&session->map, &models::MapModel::layoutChanged, this, &FleetPage::refresh);
  connect(&session->state, &models::ClusterState::linkChanged, this, &FleetPage::refresh);
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
  refresh();
}

QWidget* FleetPage::emptyState() {
  auto* page = new Welcome(this);
  auto* layout = new QVBoxLayout(page);
  layout->setSpacing(space::s);
  layout->addStretch(1);
  layout->addSpacing(120);
  auto* title = label(tr("Add your first machine"), "title", page);
  auto* text = label(
      tr("Any Linux computer that you can reach over SSH: an old PC, a Raspberry Pi, a server in a rack.\n"
         "Pilothouse looks at it first, installs what it needs, and tells you each step."),
      "muted", page);
  text->setAlignment(Qt::AlignCenter);
  text->setWordWrap(true);
  text->setMinimumHeight(40);
  auto* add = button(tr("Add machine"), "primary", page);
  add->setObjectName(QStringLiteral("firstMachine"));
  layout->addWidget(title, 0, Qt::AlignHCenter);
  layout->addWidget(text);
  layout->addSpacing(space::s);
  layout->addWidget(add, 0, Qt::AlignHCenter);
  layout->addStretch(1);
  connect(add, &QPushButton::clicked, this, &FleetPage::addMachineWanted);
  return page;
}

void FleetPage::refresh() {
  const bool any = session_->map.machineCount() > 0;
  const auto link = session_->state.link();
  stack_->setCurrentIndex(!any && link == models::Link::Live ? 1 : 0);
  auto& map = session_->map;
  grouping_->setText(map.grouping() == models::MapModel::kUngrouped || !map.grouped() ? tr("not grouped")
                                                                                     : tr("by %1").arg(map.groupedBy()));
  grouping_->setVisible(any);
  filter_->setVisible(any);
  deploy_->setEnabled(any);
  zoom_->setVisible(any);
  offline_->setVisible(link == models::Link::Offline);
  offline_->setText(
      tr("The engine does not answer; what you see is from before. The machines and their pods run on. "
         "Trying again…"));
}

void FleetPage::offerGroupings() {
  auto* menu = grouping_->menu();
  menu->clear();
  auto& map = session_->map;
  auto add = [&](const QString& text, const QString& label) {
    auto* action = menu->addAction(text, &map, [&map, label] { map.setGrouping(label); });
    action->setCheckable(true);
    action->setChecked(map.grouping() == label);
    action->setData(label);
  };
  add(tr("By zone"), {});
  add(tr("Not grouped"), QString(models::MapModel::kUngrouped));
  const QStringList labels = map.groupingLabels();
  if (!labels.isEmpty()) menu->addSeparator();
  for (auto& label : labels) add(label, label);
}

void FleetPage::tellFitting() {
  if (!session_->map.filtering()) return fitting_->clear();
  const auto fits = session_->map.fitting();
  fitting_->setText(tr("%n machine(s)", nullptr, fits.machines) + QStringLiteral(" · ") + tr("%n pod(s)", nullptr, fits.pods));
}

void FleetPage::show(const Subject& subject) {
  map_->select(subject);
  map_->reveal(subject);
  legend_->setSelected(subject.kind == Subject::Kind::App ? subject.key : QString());
}

void FleetPage::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), colors().background);
}

}  // namespace ph::ui
