#include "ui/shell/now_panel.h"

#include <QHBoxLayout>
#include <QMouseEvent>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include "ui/theme/theme.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

using models::NowModel;
using models::Subject;

namespace {

class NowDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  static constexpr double kTime = 26, kText = 104;

  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {200, 29}; }

  static QRectF linkRect(const QRectF& r, const QModelIndex& index) {
    const QString link = index.data(NowModel::LinkRole).toString();
    if (link.isEmpty()) return {};
    const QFontMetricsF m(typeface(Text::Body));
    const double w = m.horizontalAdvance(link), t = m.horizontalAdvance(index.data().toString());
    const double x = std::min(r.left() + kText + t + 8, r.right() - w - 6);
    return {x, r.top(), w + 2, r.height()};
  }

  void paint(QPainter* p, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    p->save();
    p->setRenderHint(QPainter::Antialiasing);
    const QRectF r = option.rect;
    if (option.state & (QStyle::State_MouseOver | QStyle::State_Selected)) {
      p->setPen(Qt::NoPen);
      p->setBrush(option.state & QStyle::State_Selected ? colors().selection : colors().surface);
      p->drawRoundedRect(r.adjusted(0, 1, -2, -1), 5, 5);
    }
    p->setPen(Qt::NoPen);
    p->setBrush(Theme::get().tone(Tone(index.data(NowModel::ToneRole).toInt())));
    p->drawEllipse(QPointF(r.left() + 8, r.center().y()), 4, 4);
    p->setFont(typeface(Text::Mono));
    p->setPen(colors().muted);
    p->drawText(QRectF(r.left() + kTime, r.top(), 70, r.height()), Qt::AlignLeft | Qt::AlignVCenter,
                index.data(NowModel::TimeRole).toString());
    const QRectF link = linkRect(r, index);
    const double right = link.isEmpty() ? r.right() - 6 : link.left() - 8;
    p->setFont(typeface(Text::Body));
    p->setPen(colors().text);
    p->drawText(QRectF(r.left() + kText, r.top(), right - r.left() - kText + 1, r.height()),
                Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
                QFontMetricsF(typeface(Text::Body))
                    .elidedText(index.data().toString(), Qt::ElideRight, right - r.left() - kText + 1));
    if (!link.isEmpty()) {
      p->setPen(colors().accent);
      p->drawText(link, Qt::AlignLeft | Qt::AlignVCenter, index.data(NowModel::LinkRole).toString());
    }
    p->restore();
  }

  bool helpEvent(QHelpEvent* event, QAbstractItemView* view, const QStyleOptionViewItem& option,
                 const QModelIndex& index) override {
    const double room = option.rect.width() - kText - 6;
    view->setToolTip(QFontMetricsF(typeface(Text::Body)).horizontalAdvance(index.data().toString()) > room
                         ? index.data().toString()
                         : QString());
    return QStyledItemDelegate::helpEvent(event, view, option, index);
  }
};

}  // namespace

NowPanel::NowPanel(models::Session* session, QWidget* parent) : QWidget(parent), session_(session) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(new Line(this));
  auto* head = new QHBoxLayout;
  head->setContentsMargins(0, space::m, 0, space::xs);
  head->setSpacing(space::s);
  head->addWidget(label(tr("Now"), "heading", this));
  head->addWidget(label(tr("what is going on"), "muted", this));
  head->addStretch();
  layout->addLayout(head);
  empty_ = label({}, "muted", this);
  empty_->setWordWrap(true);
  layout->addWidget(empty_);
  list_ = new QListView(this);
  list_->setAccessibleName(tr("What is going on"));
  list_->setModel(&session->now);
  list_->setItemDelegate(new NowDelegate(list_));
  list_->setUniformItemSizes(true);
  list_->setMouseTracking(true);
  list_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  layout->addWidget(list_, 1);
  layout->addStretch(0);
  auto open = [this](const QModelIndex& index, bool link) {
    const auto subject = index.data(NowModel::SubjectRole).value<Subject>();
    if (subject) emit wanted(subject, link);
  };
  connect(list_, &QListView::clicked, this, [this, open](const QModelIndex& index) {
    const QPoint at = list_->viewport()->mapFromGlobal(QCursor::pos());
    open(index, NowDelegate::linkRect(list_->visualRect(index), index).contains(at));
  });
  connect(list_, &QListView::activated, this, [open](const QModelIndex& index) { open(index, true); });
  connect(&session->now, &QAbstractItemModel::rowsInserted, this, &NowPanel::tell);
  connect(&session->now, &QAbstractItemModel::rowsRemoved, this, &NowPanel::tell);
  connect(&session->state, &models::ClusterState::linkChanged, this, &NowPanel::tell);
  connect(&session->state, &models::ClusterState::changed, this, [this](const auto& c) {
    if (!c.machines.empty() || !c.nodes.empty()) tell();
  });
  connect(&Theme::get(), &Theme::changed, list_->viewport(), qOverload<>(&QWidget::update));
  tell();
}

void NowPanel::tell() {
  const bool any = session_->now.rowCount() > 0;
  empty_->setVisible(!any);
  list_->setVisible(any);
  static_cast<QVBoxLayout*>(layout())->setStretch(layout()->count() - 1, any ? 0 : 1);
  empty_->setText(session_->state.link() == models::Link::Loading ? tr("Reading the cluster…")
                  : session_->state.health().machines == 0
                      ? tr("What happens in the cluster will be told here, as it happens.")
                      : tr("All quiet. What happens will be told here, as it happens."));
}

}  // namespace ph::ui
