#include "ui/inspector/pages.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QScrollBar>
#include <QSyntaxHighlighter>
#include <QTextBlock>
#include <algorithm>

#include "engine/api/codec.h"
#include "models/yaml_text.h"
#include "ui/theme/icons.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

using models::Subject;

// ---- logs

LogPage::LogPage(models::Session* session, QWidget* parent) : QWidget(parent), session_(session) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space::l, space::m, space::l, space::l);
  layout->setSpacing(space::s);
  auto* bar = new QHBoxLayout;
  bar->setSpacing(space::s);
  which_ = new QComboBox(this);
  which_->setAccessibleName(tr("Whose log"));
  which_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  which_->setMinimumContentsLength(10);
  search_ = new QLineEdit(this);
  search_->setPlaceholderText(tr("Search"));
  search_->setAccessibleName(tr("Search the log"));
  search_->setClearButtonEnabled(true);
  wrap_ = new QToolButton(this);
  wrap_->setText(tr("Wrap"));
  wrap_->setCheckable(true);
  wrap_->setChecked(true);
  wrap_->setToolTip(tr("Wrap long lines"));
  follow_ = new QToolButton(this);
  follow_->setText(tr("Follow"));
  follow_->setCheckable(true);
  follow_->setChecked(true);
  follow_->setToolTip(tr("Stay at the newest line"));
  bar->addWidget(which_, 1);
  layout->addLayout(bar);
  auto* second = new QHBoxLayout;
  second->setSpacing(space::s);
  second->addWidget(search_, 1);
  second->addWidget(wrap_);
  second->addWidget(follow_);
  layout->addLayout(second);
  text_ = new QPlainTextEdit(this);
  text_->setReadOnly(true);
  text_->setProperty("role", "code");
  text_->setAccessibleName(tr("Log"));
  text_->setMaximumBlockCount(models::LogModel::kMaxLines);
  text_->setUndoRedoEnabled(false);
  layout->addWidget(text_, 1);
  state_ = label({}, "caption", this);
  state_->setWordWrap(true);
  layout->addWidget(state_);
  connect(which_, &QComboBox::currentIndexChanged, this, [this] {
    if (!filling_) choose();
  });
  connect(&model_, &QAbstractItemModel::rowsInserted, this,
          [this](const QModelIndex&, int a, int b) { onInserted(a, b); });
  connect(&model_, &QAbstractItemModel::modelReset, text_, &QPlainTextEdit::clear);
  connect(&model_, &models::LogModel::stateChanged, this, &LogPage::tell);
  connect(wrap_, &QToolButton::toggled, this, [this](bool on) {
    text_->setLineWrapMode(on ? QPlainTextEdit::WidgetWidth : QPlainTextEdit::NoWrap);
  });
  connect(follow_, &QToolButton::toggled, this, [this](bool on) {
    if (on) text_->verticalScrollBar()->setValue(text_->verticalScrollBar()->maximum());
  });
  connect(text_->verticalScrollBar(), &QScrollBar::sliderMoved, this,
          [this](int v) { follow_->setChecked(v >= text_->verticalScrollBar()->maximum()); });
  connect(search_, &QLineEdit::textChanged, this, &LogPage::mark);
  connect(search_, &QLineEdit::returnPressed, this, [this] { search(true); });
}

void LogPage::show(const Subject& subject) {
  auto& state = session_->state;
  QList<models::LogSource> choices;
  QStringList names;
  if (subject.kind == Subject::Kind::Pod) {
    if (auto* pod = state.pod(subject.key)) {
      for (auto& c : pod->containers) {
        choices.append({pod->key, c.name, {}});
        names << c.name;
      }
    }
  } else if (subject.kind == Subject::Kind::App) {
    QStringList keys(state.podsOfApp(subject.key).values());
    keys.sort();
    for (auto& key : keys) {
      auto* pod = state.pod(key);
      if (pod->containers.empty() || pod->node.isEmpty()) continue;
      choices.append({key, pod->containers.front().name, pod->name.section('-', -1)});
      names << pod->name;
    }
  }
  if (subject == subject_ && choices == choices_) return;
  const bool same = subject == subject_;
  const QString chosen = which_->currentText();
  subject_ = subject;
  choices_ = choices;
  filling_ = true;
  which_->clear();
  if (subject.kind == Subject::Kind::App && choices.size() > 1) {
    which_->addItem(choices.size() > models::LogModel::kMaxSources
                        ? tr("The first %1 of %2 pods").arg(models::LogModel::kMaxSources).arg(choices.size())
                        : tr("All %1 pods").arg(choices.size()));
  }
  which_->addItems(names);
  if (same && which_->findText(chosen) >= 0) which_->setCurrentText(chosen);
  which_->setVisible(which_->count() > 1);
  filling_ = false;
  choose();
}

void LogPage::clear() {
  model_.stop();
  subject_ = {};
  choices_.clear();
}

void LogPage::choose() {
  const bool all = which_->count() > choices_.size();
  const int at = which_->currentIndex() - (all ? 1 : 0);
  QList<models::LogSource> sources;
  if (all && at < 0) {
    sources = choices_;
  } else if (at >= 0 && at < choices_.size()) {
    sources = {choices_[at]};
    sources[0].label.clear();
  }
  if (sources.mid(0, models::LogModel::kMaxSources) == model_.sources() && model_.live()) return;
  model_.follow(session_->client(), sources);
  tell();
}

void LogPage::onInserted(int first, int last) {
  // Colors of pods go round the application colors: here they tell pods apart, not applications.
  QTextCursor end(text_->document());
  end.movePosition(QTextCursor::End);
  auto* bar = text_->verticalScrollBar();
  const int at = bar->value();
  end.beginEditBlock();
  for (int i = first; i <= last; ++i) {
    const auto index = model_.index(i);
    const int source = index.data(models::LogModel::SourceRole).toInt();
    if (!text_->document()->isEmpty() || i > first) end.insertBlock();
    const QString& name = source < model_.sources().size() ? model_.sources()[source].label : QString();
    if (!name.isEmpty()) {
      QTextCharFormat f;
      f.setForeground(Theme::get().app(source));
      end.insertText(name + QLatin1Char(' '), f);
    }
    end.insertText(index.data().toString(), QTextCharFormat());
  }
  end.endEditBlock();
  bar->setValue(follow_->isChecked() ? bar->maximum() : at);
  tell();
}

void LogPage::tell() {
  QString s;
  if (!model_.problem().isEmpty())
    s = tr("The log ended: %1").arg(model_.problem());
  else if (model_.sources().isEmpty())
    s = tr("No container has begun to write yet.");
  else if (model_.rowCount() == 0)
    s = model_.live() ? tr("Nothing written yet.") : tr("The log is empty.");
  else if (model_.live())
    s = tr("Live · %n line(s)", nullptr, model_.rowCount());
  else
    s = tr("Ended · %n line(s)", nullptr, model_.rowCount());
  state_->setText(s);
  setRole(state_, model_.problem().isEmpty() ? "caption" : "error");
}

void LogPage::mark() {
  QList<QTextEdit::ExtraSelection> marks;
  const QString what = search_->text();
  if (!what.isEmpty()) {
    QColor c = colors().warn;
    c.setAlphaF(0.35f);
    QTextCursor at(text_->document());
    while (marks.size() < 2000) {
      at = text_->document()->find(what, at);
      if (at.isNull()) break;
      QTextEdit::ExtraSelection mark;
      mark.cursor = at;
      mark.format.setBackground(c);
      marks << mark;
    }
  }
  text_->setExtraSelections(marks);
  if (!what.isEmpty())
    state_->setText(tr("%n match(es)", nullptr, int(marks.size())));
  else
    tell();
}

void LogPage::search(bool forward) {
  follow_->setChecked(false);
  const auto flags = forward ? QTextDocument::FindFlags() : QTextDocument::FindBackward;
  if (!text_->find(search_->text(), flags)) {
    text_->moveCursor(QTextCursor::Start);
    text_->find(search_->text(), flags);
  }
}

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
  text_ = new QPlainTextEdit(this);
  text_->setReadOnly(true);
  text_->setProperty("role", "code");
  text_->setLineWrapMode(QPlainTextEdit::NoWrap);
  text_->setAccessibleName(tr("YAML"));
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
  if (object == shown_) return;
  shown_ = object;
  if (!object) {
    text_->clear();
    return;
  }
  boost::system::error_code failed;
  auto tree = boost::json::parse(object->stored(), failed);
  if (!failed && tree.is_object()) {
    if (auto* meta = tree.get_object().if_contains("metadata"); meta && meta->is_object())
      meta->get_object().erase("managedFields");
  }
  const int at = text_->verticalScrollBar()->value();
  text_->setPlainText(models::toYaml(tree));
  text_->verticalScrollBar()->setValue(at);
}

}  // namespace ph::ui
