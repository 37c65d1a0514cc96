#include "ui/shell/command_palette.h"

#include <QKeyEvent>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/theme/icons.h"
#include "ui/theme/theme.h"

namespace ph::ui {

namespace {

class PaletteDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {300, 34}; }
  void paint(QPainter* p, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    p->save();
    p->setRenderHint(QPainter::Antialiasing);
    const QRectF r = option.rect;
    if (option.state & QStyle::State_Selected) {
      p->setPen(Qt::NoPen);
      p->setBrush(colors().selection);
      p->drawRoundedRect(r.adjusted(6, 1, -6, -1), radius::control, radius::control);
    }
    const qreal ratio = option.widget ? option.widget->devicePixelRatioF() : 1;
    p->drawPixmap(
        QPointF(r.left() + 18, r.center().y() - 8),
        iconPixmap(index.data(models::PaletteModel::IconRole).toString(), 16, colors().muted, ratio));
    const QFontMetricsF m(typeface(Text::Body));
    const QString detail = index.data(models::PaletteModel::DetailRole).toString();
    const double right = std::min(m.horizontalAdvance(detail) + 2, r.width() * 0.5);
    p->setFont(typeface(Text::Body));
    p->setPen(colors().muted);
    p->drawText(QRectF(r.right() - 18 - right, r.top(), right, r.height()),
                Qt::AlignRight | Qt::AlignVCenter | Qt::TextSingleLine,
                m.elidedText(detail, Qt::ElideRight, right));
    p->setPen(colors().text);
    const double room = r.width() - 46 - right - 32;
    p->drawText(QRectF(r.left() + 46, r.top(), room, r.height()),
                Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
                m.elidedText(index.data().toString(), Qt::ElideMiddle, room));
    p->restore();
  }
};

}  // namespace

CommandPalette::CommandPalette(models::Session* session, QList<models::Command> commands,
                               std::function<void(const models::Subject&)> open, QWidget* parent)
    : QDialog(parent, Qt::Popup | Qt::FramelessWindowHint),
      model_(session, std::move(commands), std::move(open)) {
  setAccessibleName(tr("Command palette"));
  setAttribute(Qt::WA_DeleteOnClose);
  resize(580, 400);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(1, space::s, 1, space::s);
  layout->setSpacing(space::s);
  field_ = new QLineEdit(this);
  field_->setPlaceholderText(tr("Search or do anything…"));
  field_->setAccessibleName(tr("Search or do anything"));
  field_->setStyleSheet(QStringLiteral(
      "QLineEdit { border: 0; background: transparent; font-size: 15px; padding: 6px 16px; }"));
  field_->installEventFilter(this);
  list_ = new QListView(this);
  list_->setModel(&model_);
  list_->setItemDelegate(new PaletteDelegate(list_));
  list_->setUniformItemSizes(true);
  list_->setFocusPolicy(Qt::NoFocus);
  list_->setAccessibleName(tr("Found"));
  list_->setMouseTracking(true);
  layout->addWidget(field_);
  layout->addWidget(list_, 1);
  auto first = [this] { list_->setCurrentIndex(model_.index(0)); };
  connect(field_, &QLineEdit::textChanged, this, [this, first](const QString& text) {
    model_.setFilter(text);
    first();
  });
  connect(list_, &QListView::entered, list_, qOverload<const QModelIndex&>(&QListView::setCurrentIndex));
  connect(list_, &QListView::clicked, this, [this](const QModelIndex& index) { accept(index.row()); });
  first();
  field_->setFocus();
}

void CommandPalette::accept(int row) {
  // Closed before the command runs: it may open a dialog of its own.
  hide();
  model_.run(row);
  close();
}

void CommandPalette::add(const QList<models::Command>& commands) {
  const int row = std::max(0, list_->currentIndex().row());
  model_.add(commands);
  list_->setCurrentIndex(model_.index(row));
}

bool CommandPalette::eventFilter(QObject*, QEvent* event) {
  if (event->type() != QEvent::KeyPress) return false;
  auto* key = static_cast<QKeyEvent*>(event);
  const int row = list_->currentIndex().row();
  switch (key->key()) {
    case Qt::Key_Down:
      list_->setCurrentIndex(model_.index(std::min(row + 1, model_.rowCount() - 1)));
      return true;
    case Qt::Key_Up:
      list_->setCurrentIndex(model_.index(std::max(row - 1, 0)));
      return true;
    case Qt::Key_Return:
    case Qt::Key_Enter:
      if (row >= 0) accept(row);
      return true;
    default:
      return false;
  }
}

void CommandPalette::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.fillRect(rect(), colors().surface);
  p.setPen(colors().line);
  p.drawRect(rect().adjusted(0, 0, -1, -1));
  p.drawLine(0, field_->geometry().bottom() + space::xs, width(), field_->geometry().bottom() + space::xs);
}

}  // namespace ph::ui
