#include "ui/views/fleet_page.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/theme/icons.h"

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
  grouped_ = new ElidedLabel(Text::Body, this);
  grouped_->setMuted(true);
  legend_ = new LegendBar(&session->map, &session->scale, this);
  deploy_ = button(tr("Deploy"), nullptr, this);
  add_ = button(tr("Add machine"), "primary", this);
  head->addWidget(title);
  head->addWidget(grouped_);
  head->addSpacing(space::xl);
  head->addWidget(legend_, 1);
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

  zoom_ = new QWidget(map_);
  zoom_->setObjectName(QStringLiteral("zoom"));
  zoom_->setAttribute(Qt::WA_StyledBackground);
  auto* zoom = new QHBoxLayout(zoom_);
  zoom->setContentsMargins(0, 0, 0, 0);
  zoom->setSpacing(2);
  auto tool = [&](const QString& text, const QString& name, auto act) {
    auto* b = button(text, "quiet", zoom_);
    b->setFixedSize(text.size() > 2 ? 44 : 28, 26);
    b->setStyleSheet(QStringLiteral("padding: 0;"));
    b->setToolTip(name);
    b->setAccessibleName(name);
    b->setFocusPolicy(Qt::NoFocus);  // the map's own keys do the same
    connect(b, &QPushButton::clicked, map_, act);
    zoom->addWidget(b);
  };
  tool(QStringLiteral("−"), tr("Farther (-)"), [this] { map_->zoomBy(1 / 1.4, map_->rect().center()); });
  tool(QStringLiteral("+"), tr("Nearer (+)"), [this] { map_->zoomBy(1.4, map_->rect().center()); });
  tool(tr("Fit"), tr("The whole fleet (0)"), [this] { map_->fit(); });
  zoom_->adjustSize();

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
  grouped_->setText(session_->map.grouped() ? tr("grouped by %1").arg(session_->map.groupedBy()) : QString());
  grouped_->setVisible(session_->map.grouped());
  deploy_->setEnabled(any);
  zoom_->setVisible(any);
  offline_->setVisible(link == models::Link::Offline);
  offline_->setText(
      tr("The engine does not answer; what you see is from before. The machines and their pods run on. "
         "Trying again…"));
}

void FleetPage::show(const Subject& subject) {
  map_->select(subject);
  map_->reveal(subject);
  legend_->setSelected(subject.kind == Subject::Kind::App ? subject.key : QString());
}

void FleetPage::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), colors().background);
}

void FleetPage::resizeEvent(QResizeEvent*) {
  QMetaObject::invokeMethod(
      this, [this] { zoom_->move(map_->width() - zoom_->width(), map_->height() - zoom_->height()); },
      Qt::QueuedConnection);
}

}  // namespace ph::ui
