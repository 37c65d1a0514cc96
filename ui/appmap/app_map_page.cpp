#include "ui/appmap/app_map_page.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QVBoxLayout>

namespace ph::ui {

using models::Subject;

AppMapPage::AppMapPage(models::Session* session, QWidget* parent) : QWidget(parent), session_(session), model_(session) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space::xl, 0, space::xl, space::m);
  layout->setSpacing(0);
  auto* head = new QHBoxLayout;
  head->setContentsMargins(0, space::m, 0, space::m);
  head->setSpacing(space::m);
  auto* title = new ElidedLabel(Text::Title, this);
  title->setText(tr("Application map"));
  title->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  said_ = label({}, "caption", this);
  filter_ = new MapFilter(tr("Filter the application map"),
                          tr("Names of applications or their parts, namespaces, kinds, health: what does not fit steps back."), this);
  filter_->setFixedWidth(190);
  deploy_ = button(tr("Deploy"), "primary", this);
  head->addWidget(title);
  head->addStretch(1);
  head->addWidget(said_);
  head->addWidget(filter_);
  head->addWidget(deploy_);
  layout->addLayout(head);
  offline_ = label(tr("The engine does not answer; what you see is from before. Trying again…"), "error", this);
  offline_->setWordWrap(true);
  offline_->setContentsMargins(0, 0, 0, space::s);
  layout->addWidget(offline_);
  stack_ = new QStackedWidget(this);
  map_ = new AppMapView(&model_, &session->state, stack_);
  stack_->addWidget(map_);
  stack_->addWidget(emptyState());
  layout->addWidget(stack_, 1);
  zoomTools(map_, tr("All applications (0)"), [this](double factor) { map_->zoomBy(factor); }, [this] { map_->fit(); });

  filter_->setMap(map_);
  connect(filter_, &QLineEdit::textChanged, &model_, &models::AppMapModel::setFilter);
  connect(map_, &AppMapView::selected, this, &AppMapPage::selected);
  connect(deploy_, &QPushButton::clicked, this, &AppMapPage::deployWanted);
  connect(&model_, &models::AppMapModel::changed, this, &AppMapPage::refresh);
  connect(&session->state, &models::ClusterState::linkChanged, this, &AppMapPage::refresh);
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
  refresh();
}

QWidget* AppMapPage::emptyState() {
  auto* page = new QWidget(this);
  auto* layout = new QVBoxLayout(page);
  layout->setSpacing(space::s);
  emptyTitle_ = label({}, "title", page);
  emptyText_ = label({}, "muted", page);
  emptyText_->setAlignment(Qt::AlignCenter);
  emptyText_->setWordWrap(true);
  emptyDeploy_ = button(tr("Deploy"), "primary", page);
  emptyDeploy_->setObjectName(QStringLiteral("firstApp"));
  layout->addStretch(1);
  layout->addWidget(emptyTitle_, 0, Qt::AlignHCenter);
  layout->addWidget(emptyText_);
  layout->addSpacing(space::s);
  layout->addWidget(emptyDeploy_, 0, Qt::AlignHCenter);
  layout->addStretch(1);
  connect(emptyDeploy_, &QPushButton::clicked, this, &AppMapPage::deployWanted);
  return page;
}

void AppMapPage::refresh() {
  const auto link = session_->state.link();
  const bool any = !model_.apps().empty(), loading = link == models::Link::Loading || model_.loading();
  stack_->setCurrentIndex(any ? 0 : 1);
  offline_->setVisible(link == models::Link::Offline && any);
  filter_->setVisible(any);
  deploy_->setVisible(any);
  if (!any) {
    emptyDeploy_->setVisible(link == models::Link::Live && !loading);
    if (link == models::Link::Offline) {
      emptyTitle_->setText(tr("The engine does not answer"));
      emptyText_->setText(tr("Trying again…"));
    } else if (loading) {
      emptyTitle_->setText(tr("Looking at what runs…"));
      emptyText_->clear();
    } else {
      emptyTitle_->setText(tr("Nothing runs here yet"));
      emptyText_->setText(tr("What you deploy is drawn here with all it is made of: what leads to it, its versions and pods, and what they use."));
    }
  }
  if (model_.filtering())
    said_->setText(tr("%1 of %n application(s) fit", nullptr, int(model_.apps().size())).arg(model_.fitting()));
  else
    said_->setText(any ? tr("%n application(s)", nullptr, int(model_.apps().size())) : QString());
}

void AppMapPage::show(const Subject& subject) {
  if (map_->selection() == subject) return;  // it was chosen here
  map_->select(subject);
  if (isVisible()) map_->reveal(subject);
}

void AppMapPage::showEvent(QShowEvent*) {
  model_.setActive(true);
  refresh();
}

void AppMapPage::hideEvent(QHideEvent*) {
  model_.setActive(false);
}

void AppMapPage::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), colors().background);
}

}  // namespace ph::ui
