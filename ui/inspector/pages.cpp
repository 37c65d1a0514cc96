#include "ui/inspector/pages.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QScrollBar>
#include <QSyntaxHighlighter>
#include <algorithm>

#include "engine/api/codec.h"
#include "models/yaml_text.h"
#include "ui/theme/icons.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

using models::Subject;

// ---- events

namespace {

class EventDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  static constexpr int kLeft = 18;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const int width = std::max(
        80,
        (option.widget ? static_cast<const QListView*>(option.widget)->viewport()->width() : 300) - kLeft);
    const QRectF r = QFontMetricsF(typeface(Text::Body))
                         .boundingRect(QRectF(0, 0, width, 400), Qt::TextWordWrap,
                                       index.data(models::EventsModel::MessageRole).toString());
    return {width, 22 + int(r.height()) + 12};
  }
  void paint(QPainter* p, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    p->save();
    p->setRenderHint(QPainter::Antialiasing);
    const QRectF r = option.rect;
    const bool warning = index.data(models::EventsModel::WarningRole).toBool();
    p->setPen(Qt::NoPen);
    p->setBrush(warning ? colors().warn : colors().muted);
    p->drawEllipse(QPointF(r.left() + 5, r.top() + 11), 3.5, 3.5);
    p->setFont(typeface(Text::BodyStrong));
    p->setPen(warning ? colors().warnText : colors().text);
    p->drawText(QRectF(r.left() + kLeft, r.top(), r.width() - kLeft - 70, 22),
                Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
                QFontMetricsF(typeface(Text::BodyStrong))
                    .elidedText(index.data(models::EventsModel::ReasonRole).toString(), Qt::ElideRight,
                                r.width() - kLeft - 74));
    p->setFont(typeface(Text::MonoSmall));
    p->setPen(colors().muted);
    p->drawText(QRectF(r.right() - 70, r.top(), 68, 22), Qt::AlignRight | Qt::AlignVCenter,
                index.data(models::EventsModel::WhenRole).toString());
    p->setFont(typeface(Text::Body));
    p->drawText(QRectF(r.left() + kLeft, r.top() + 22, r.width() - kLeft, r.height() - 22), Qt::TextWordWrap,
                index.data(models::EventsModel::MessageRole).toString());
    p->restore();
  }
};

}  // namespace

EventsPage::EventsPage(models::Session* session, QWidget* parent) : QWidget(parent), model_(&session->state) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space::l, space::m, space::l, space::s);
  empty_ = label(tr("Nothing has been reported about it in the last hour."), "muted", this);
  empty_->setWordWrap(true);
  layout->addWidget(empty_);
  list_ = new QListView(this);
  list_->setAccessibleName(tr("Events"));
  list_->setModel(&model_);
  list_->setItemDelegate(new EventDelegate(list_));
  list_->setResizeMode(QListView::Adjust);
  list_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  list_->setSelectionMode(QAbstractItemView::NoSelection);
  layout->addWidget(list_, 1);
  auto tell = [this] {
    empty_->setVisible(model_.rowCount() == 0);
    list_->setVisible(model_.rowCount() > 0);
  };
  connect(&model_, &QAbstractItemModel::modelReset, this, tell);
  connect(&model_, &QAbstractItemModel::rowsInserted, this, tell);
  connect(&model_, &QAbstractItemModel::rowsRemoved, this, tell);
  connect(&Theme::get(), &Theme::changed, list_->viewport(), qOverload<>(&QWidget::update));
  tell();
}

void EventsPage::show(const Subject& subject) {
  model_.setSubject(subject);
}

// ---- YAML

namespace {

class YamlColors : public QSyntaxHighlighter {
 public:
  using QSyntaxHighlighter::QSyntaxHighlighter;

 protected:
  void highlightBlock(const QString& line) override {
    int start = 0;
    while (start < line.size() && (line[start] == ' ' || line[start] == '-')) ++start;
    const int colon = int(line.indexOf(QStringLiteral(": "), start));
    const int end = colon >= 0 ? colon : line.endsWith(':') ? int(line.size()) - 1 : -1;
    if (end > start) setFormat(start, end - start, colors().dark ? QColor(0x8FB8E8) : QColor(0x1A5FA8));
  }
};

}  // namespace

YamlPage::YamlPage(models::Session* session, QWidget* parent) : QWidget(parent), session_(session) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space::l, space::m, space::l, space::l);
  text_ = codeView(tr("YAML"), this);
  auto* highlight = new YamlColors(text_->document());
  connect(&Theme::get(), &Theme::changed, highlight, &QSyntaxHighlighter::rehighlight);
  layout->addWidget(text_, 1);
}

void YamlPage::show(const Subject& subject) {
  api::ObjectPtr object;
  auto& state = session_->state;
  if (subject.kind == Subject::Kind::Pod) {
    if (auto* f = state.pod(subject.key)) object = f->object;
  } else if (subject.kind == Subject::Kind::App) {
    if (auto* f = state.workload(subject.key)) object = f->object;
  } else if (subject.kind == Subject::Kind::Machine) {
    if (auto* m = state.machine(subject.key))
      object = m->object;
    else if (auto* n = state.node(subject.key))
      object = n->object;
  }
  if (object == shown_ && !tree_) return;
  shown_ = object;
  tree_.reset();
  if (!object) {
    text_->clear();
    return;
  }
  boost::system::error_code failed;
  auto tree = boost::json::parse(object->stored(), failed);
  if (!failed && tree.is_object()) {
    if (auto* meta = tree.get_object().if_contains("metadata"); meta && meta->is_object())
      meta->get_object().stable_erase("managedFields");
  }
  const int at = text_->verticalScrollBar()->value();
  text_->setPlainText(models::toYaml(models::inReadingOrder(std::move(tree))));
  text_->verticalScrollBar()->setValue(at);
}

void YamlPage::showTree(const std::shared_ptr<const boost::json::value>& tree) {
  if (tree == tree_ && !shown_) return;
  tree_ = tree;
  shown_.reset();
  const int at = text_->verticalScrollBar()->value();
  text_->setPlainText(tree ? models::toYaml(models::inReadingOrder(*tree)) : QString());
  text_->verticalScrollBar()->setValue(at);
}

}  // namespace ph::ui
