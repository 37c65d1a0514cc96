#include "ui/logs/log_room.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPainter>

#include "ui/theme/icons.h"

namespace ph::ui {

using models::Subject;

LogRoom::LogRoom(models::Session* session, QWidget* parent) : QWidget(parent), session_(session) {
  setAccessibleName(tr("Logs"));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  auto* head = new QHBoxLayout;
  head->setContentsMargins(space::l, space::m, space::xl, 0);
  head->setSpacing(space::s);
  auto* back = iconButton(QStringLiteral("back"), tr("Back"), this);
  back->setObjectName(QStringLiteral("back"));
  title_ = new ElidedLabel(Text::Title, this, Qt::ElideMiddle);
  detail_ = new ElidedLabel(Text::Mono, this, Qt::ElideMiddle);
  detail_->setMuted(true);
  detail_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  head->addWidget(back);
  head->addWidget(title_, 1);
  head->addWidget(detail_, 1);
  layout->addLayout(head);
  page_ = new LogPage(session, LogPage::Room::Wide, this);
  layout->addWidget(page_, 1);
  connect(back, &QToolButton::clicked, this, &LogRoom::backWanted);
  refresh_.setSingleShot(true);
  refresh_.setInterval(250);
  connect(&refresh_, &QTimer::timeout, this, &LogRoom::refresh);
  connect(&session->state, &models::ClusterState::changed, this, [this](const models::ChangeSet& changes) {
    if (!changes.pods.empty() && isVisible() && !refresh_.isActive()) refresh_.start();
  });
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
}

void LogRoom::show(const Subject& subject) {
  subject_ = subject;
  pods_.clear();
  refresh();
}

void LogRoom::showPods(const QStringList& pods) {
  subject_ = {};
  pods_ = pods;
  refresh();
}

void LogRoom::refresh() {
  if (!pods_.isEmpty()) {
    title_->setText(tr("Logs of %n pod(s)", nullptr, int(pods_.size())));
    detail_->setText({});
    page_->showPods(pods_);
  } else if (subject_) {
    title_->setText(tr("Logs of %1").arg(subject_.key.section('/', -1)));
    detail_->setText(subject_.kind == Subject::Kind::Pod ? models::kubectl::logs(subject_.key, {}) : QString());
    page_->show(subject_);
  }
}

void LogRoom::hideEvent(QHideEvent* event) {
  // Nothing is followed that nobody sees.
  page_->clear();
  QWidget::hideEvent(event);
}

void LogRoom::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape)
    emit backWanted();
  else
    QWidget::keyPressEvent(event);
}

void LogRoom::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), colors().surface);
}

}  // namespace ph::ui
