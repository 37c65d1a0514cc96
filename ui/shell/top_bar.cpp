#include "ui/shell/top_bar.h"

#include <QHBoxLayout>
#include <QMenu>
#include <QPainter>
#include <QStyle>
#include <QVariantAnimation>

#include "ui/theme/icons.h"

namespace ph::ui {

namespace words = models::words;

namespace {

// A button that looks like a field: words on the left, the key on the right.
class SearchField : public QPushButton {
 public:
  using QPushButton::QPushButton;
  QSize sizeHint() const override { return {390, 30}; }
  QSize minimumSizeHint() const override { return {120, 30}; }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.setPen(QPen(hasFocus()     ? colors().accent
                  : underMouse() ? mix(colors().line, colors().muted, 0.5)
                                 : colors().line,
                  1));
    p.setBrush(colors().raised);
    p.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius::control, radius::control);
    p.drawPixmap(QPointF(10, (height() - 16) / 2.0),
                 iconPixmap(QStringLiteral("search"), 16, colors().muted, devicePixelRatioF()));
    p.setPen(colors().muted);
    p.setFont(typeface(Text::Body));
    p.drawText(rect().adjusted(34, 0, -12, 0), Qt::AlignLeft | Qt::AlignVCenter, text());
    p.setFont(typeface(Text::Caption));
    if (width() > 240)
      p.drawText(rect().adjusted(0, 0, -12, 0), Qt::AlignRight | Qt::AlignVCenter, tr("Ctrl K"));
  }
};

}  // namespace

TopBar::TopBar(models::Session* session, QWidget* parent) : QWidget(parent), session_(session) {
  setFixedHeight(49);
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(20, 0, 20, 1);
  layout->setSpacing(0);
  // Sides of equal stretch keep the search in the middle.
  auto* left = new QWidget(this);
  auto* l = new QHBoxLayout(left);
  l->setContentsMargins(0, 0, space::l, 0);
  l->setSpacing(space::l);
  auto* brand = new ElidedLabel(Text::Heading, left);
  brand->setText(QStringLiteral("Pilothouse"));
  cluster_ = button({}, "menu", left);
  cluster_->setAccessibleName(tr("Cluster"));
  cluster_->setMaximumWidth(220);
  l->addWidget(brand);
  l->addWidget(cluster_);
  l->addStretch();
  search_ = new SearchField(tr("Search or do anything…"), this);
  search_->setAccessibleName(tr("Search or do anything"));
  search_->setCursor(Qt::IBeamCursor);
  auto* right = new QWidget(this);
  auto* r = new QHBoxLayout(right);
  r->setContentsMargins(space::l, 0, 0, 0);
  health_ = new ElidedLabel(Text::Body, right);
  health_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  health_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
  r->addWidget(health_, 1);
  layout->addWidget(left, 10);
  layout->addWidget(search_, 8);
  layout->addWidget(right, 10);
  auto* menu = new QMenu(cluster_);
  cluster_->setMenu(menu);
  connect(menu, &QMenu::aboutToShow, this, [this, menu] {
    menu->clear();
    auto& place = session_->place();
    auto* here = menu->addAction(place.cluster);
    here->setCheckable(true);
    here->setChecked(true);
    auto* address = menu->addAction(place.address);
    address->setEnabled(false);
    menu->addSeparator();
    connect(menu->addAction(tr("Setup…")), &QAction::triggered, this, &TopBar::setupWanted);
  });
  connect(search_, &QPushButton::clicked, this, &TopBar::searchWanted);
  connect(&session->state, &models::ClusterState::changed, this, &TopBar::refresh);
  connect(&session->state, &models::ClusterState::linkChanged, this, &TopBar::refresh);
  connect(session, &models::Session::placeChanged, this, &TopBar::refresh);
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
  refresh();
}

void TopBar::refresh() {
  const QString name = session_->place().cluster.isEmpty() ? tr("cluster") : session_->place().cluster;
  cluster_->setText(cluster_->fontMetrics().elidedText(name, Qt::ElideMiddle, 170));
  auto& state = session_->state;
  health_->setText(words::health(state.health(), state.link()));
  health_->setTone(words::healthTone(state.health(), state.link()));
}

void TopBar::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.fillRect(rect(), colors().surface);
  p.fillRect(QRect(0, height() - 1, width(), 1), colors().line);
}

}  // namespace ph::ui
