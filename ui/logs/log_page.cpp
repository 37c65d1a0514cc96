#include "ui/logs/log_page.h"

#include <QFileDialog>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLocale>
#include <QPainter>
#include <QPointer>
#include <QShortcut>
#include <algorithm>

#include "ui/theme/icons.h"
#include "ui/theme/widgets.h"

namespace ph::ui {

using models::LogSource;
using models::Subject;

namespace {
constexpr int kMostChoices = 500;
}

LogPage::LogPage(models::Session* session, Room room, QWidget* parent)
    : QWidget(parent), session_(session), room_(room) {
  which_ = new QComboBox(this);
  which_->setAccessibleName(tr("Whose log"));
  which_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  which_->setMinimumContentsLength(12);
  search_ = new QLineEdit(this);
  search_->setObjectName(QStringLiteral("logSearch"));
  search_->setPlaceholderText(tr("Search"));
  search_->setAccessibleName(tr("Search the log"));
  search_->setClearButtonEnabled(true);
  search_->installEventFilter(this);
  count_ = label({}, "caption", this);
  count_->setMinimumWidth(48);
  count_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  previous_ = iconButton(QStringLiteral("chevron_up"), tr("Previous match (Shift+Enter)"), this);
  next_ = iconButton(QStringLiteral("chevron_down"), tr("Next match (Enter)"), this);
  regex_ = iconButton(QStringLiteral("regex"), tr("Regular expression"), this, true);
  only_ = iconButton(QStringLiteral("filter"), tr("Only the lines that match"), this, true);
  times_ = iconButton(QStringLiteral("clock"), tr("Times"), this, true);
  wrap_ = iconButton(QStringLiteral("wrap"), tr("Wrap long lines"), this, true);
  wrap_->setChecked(true);
  save_ = iconButton(QStringLiteral("download"), tr("Save to a file…"), this);
  if (room == Room::Narrow) larger_ = iconButton(QStringLiteral("expand"), tr("Open with more room"), this);
  view_ = new LogView(&model_, this);
  empty_ = label({}, "muted", view_->viewport());
  empty_->setAlignment(Qt::AlignCenter);
  empty_->setWordWrap(true);
  empty_->setAttribute(Qt::WA_TransparentForMouseEvents);
  state_ = label({}, "caption", this);
  state_->setWordWrap(true);
  arrange(room);
  typed_.setSingleShot(true);
  typed_.setInterval(120);
  connect(&typed_, &QTimer::timeout, this, &LogPage::search);
  connect(search_, &QLineEdit::textChanged, &typed_, qOverload<>(&QTimer::start));
  connect(regex_, &QToolButton::toggled, this, &LogPage::search);
  connect(only_, &QToolButton::toggled, this, [this] { search(); });
  connect(times_, &QToolButton::toggled, view_, &LogView::setTimes);
  connect(wrap_, &QToolButton::toggled, view_, &LogView::setWrap);
  connect(previous_, &QToolButton::clicked, this, [this] { step(-1); });
  connect(next_, &QToolButton::clicked, this, [this] { step(1); });
  connect(save_, &QToolButton::clicked, this, &LogPage::askWhere);
  if (larger_) connect(larger_, &QToolButton::clicked, this, &LogPage::roomWanted);
  connect(view_, &LogView::searchWanted, this, [this] {
    search_->setFocus();
    search_->selectAll();
  });
  connect(view_, &LogView::followingChanged, this, &LogPage::tell);
  connect(which_, &QComboBox::currentIndexChanged, this, [this] {
    if (!filling_) choose(true);
  });
  connect(&model_, &models::LogModel::stateChanged, this, &LogPage::tell);
  connect(model_.search(), &models::LogSearch::changed, this, &LogPage::tell);
  connect(&session->state, &models::ClusterState::linkChanged, this, &LogPage::tell);
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
  auto* f3 = new QShortcut(QKeySequence(Qt::Key_F3), this, this, [this] { step(1); });
  auto* back = new QShortcut(QKeySequence(Qt::SHIFT | Qt::Key_F3), this, this, [this] { step(-1); });
  for (auto* s : {f3, back}) s->setContext(Qt::WidgetWithChildrenShortcut);
  search();
}

void LogPage::arrange(Room room) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space::l, space::m, space::l, space::s);
  layout->setSpacing(space::s);
  auto* bar = new QHBoxLayout;
  bar->setSpacing(space::xs);
  auto* tools = room == Room::Wide ? bar : new QHBoxLayout;
  tools->setSpacing(space::xs);
  if (room == Room::Wide) {
    which_->setMinimumWidth(240);
    search_->setMaximumWidth(420);
    bar->addWidget(which_);
    bar->addSpacing(space::s);
  } else {
    layout->addWidget(which_);
  }
  bar->addWidget(search_, 1);
  bar->addWidget(count_);
  bar->addWidget(previous_);
  bar->addWidget(next_);
  if (room == Room::Wide) bar->addSpacing(space::m);
  for (auto* b : {regex_, only_, times_, wrap_}) tools->addWidget(b);
  tools->addStretch();
  tools->addWidget(save_);
  if (larger_) tools->addWidget(larger_);
  layout->addLayout(bar);
  if (room == Room::Narrow) layout->addLayout(tools);
  auto* frame = new QHBoxLayout;
  frame->setContentsMargins(room == Room::Narrow ? -space::l : 0, 0, room == Room::Narrow ? -space::l : 0, 0);
  frame->addWidget(view_);
  layout->addLayout(frame, 1);
  layout->addWidget(state_);
}

void LogPage::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), colors().surface);
}

void LogPage::resizeEvent(QResizeEvent*) {
  tell();
}

QList<LogSource> LogPage::sourcesOf(const QString& key, bool named) const {
  QList<LogSource> out;
  auto* pod = session_->state.pod(key);
  if (!pod || pod->node.isEmpty()) return out;
  const bool several = pod->containers.size() > 1;
  for (auto& c : pod->containers) {
    const QString name = named ? pod->name : pod->name.section('-', -1);
    out.append({key, c.name, several ? name + '/' + c.name : name});
  }
  return out;
}

void LogPage::show(const Subject& subject) {
  auto& state = session_->state;
  QList<LogSource> choices;
  QStringList names;
  QString all;
  if (subject.kind == Subject::Kind::Pod) {
    if (auto* pod = state.pod(subject.key)) {
      for (auto& c : pod->containers) {
        choices.append({pod->key, c.name, c.name});
        names << c.name;
      }
    }
    if (choices.size() > 1) all = tr("All %n containers", nullptr, int(choices.size()));
  } else if (subject.kind == Subject::Kind::App) {
    QStringList keys(state.podsOfApp(subject.key).values());
    keys.sort();
    int pods = 0;
    for (auto& key : keys) {
      auto sources = sourcesOf(key, false);
      if (sources.isEmpty()) continue;
      ++pods;
      for (auto& s : sources) names << (sources.size() > 1 ? key.section('/', 1) + ' ' + s.container : key.section('/', 1));
      choices += sources;
    }
    if (choices.size() > 1)
      all = choices.size() > models::LogModel::kMaxSources
                ? tr("The first %1 of %2 logs").arg(models::LogModel::kMaxSources).arg(choices.size())
                : tr("All %n pods", nullptr, pods);
  }
  if (!(subject == subject_)) {
    subject_ = subject;
    pods_.clear();
    choices_.clear();
    model_.follow(session_->client(), {});
    model_.setExecutor(session_->executor());
  }
  setChoices(std::move(choices), names, all);
}

void LogPage::showPods(const QStringList& pods) {
  if (pods != pods_) {
    subject_ = {};
    pods_ = pods;
    choices_.clear();
    model_.follow(session_->client(), {});
    model_.setExecutor(session_->executor());
  }
  QList<LogSource> choices;
  QStringList names;
  for (auto& key : pods) {
    for (auto& s : sourcesOf(key, true)) {
      names << s.label;
      choices << s;
    }
  }
  setChoices(std::move(choices), names, choices.size() > 1 ? tr("All %n selected pods", nullptr, int(pods.size())) : QString());
}

void LogPage::clear() {
  model_.stop();
  subject_ = {};
  pods_.clear();
  choices_.clear();
}

void LogPage::setChoices(QList<LogSource> choices, const QStringList& names, const QString& all) {
  if (choices == choices_ && which_->count() > 0) return;
  const bool first = choices_.isEmpty();
  const QString chosen = which_->currentIndex() > 0 ? which_->currentText() : QString();
  choices_ = std::move(choices);
  filling_ = true;
  which_->clear();
  if (!all.isEmpty()) which_->addItem(all, -1);
  for (int i = 0; i < std::min<int>(int(names.size()), kMostChoices); ++i) which_->addItem(names[i], i);
  const int at = first || chosen.isEmpty() ? -1 : which_->findText(chosen);
  which_->setCurrentIndex(std::max(0, at));
  which_->setVisible(which_->count() > 1);
  filling_ = false;
  choose(false);
}

void LogPage::choose(bool again) {
  QList<LogSource> sources;
  const int at = which_->currentIndex() < 0 ? -2 : which_->currentData().toInt();
  if (at == -1) {
    sources = choices_;
  } else if (at >= 0 && at < choices_.size()) {
    sources = {choices_[at]};
    sources[0].label.clear();
  }
  if (again)
    model_.follow(session_->client(), sources);
  else if (sources.mid(0, models::LogModel::kMaxSources) != model_.wanted())
    // Pods that came or went: what is on the page stays there.
    model_.sources().isEmpty() ? model_.follow(session_->client(), sources) : model_.setSources(sources);
  tell();
}

void LogPage::search() {
  typed_.stop();
  model_.search()->set(search_->text(), regex_->isChecked());
  view_->setOnlyMatching(only_->isChecked() && model_.search()->active());
  search_->setProperty("invalid", !model_.search()->problem().isEmpty());
  setRole(search_, nullptr);
  tell();
}

void LogPage::step(int by) {
  if (typed_.isActive()) search();
  auto* s = model_.search();
  if (s->count() == 0) return;
  const int n = int(s->count());
  int at = int(s->indexFrom(view_->match().value_or(view_->topLine())));
  if (view_->match()) {
    const bool there = at < n && s->at(size_t(at)) == *view_->match();
    at = by > 0 ? at + (there ? 1 : 0) : at - 1;
  } else if (by < 0) {
    --at;
  }
  view_->showMatch(s->at(size_t((at % n + n) % n)));
  tell();
}

bool LogPage::eventFilter(QObject*, QEvent* event) {
  if (event->type() != QEvent::KeyPress) return false;
  auto* key = static_cast<QKeyEvent*>(event);
  switch (key->key()) {
    case Qt::Key_Return:
    case Qt::Key_Enter:
      step(key->modifiers() & Qt::ShiftModifier ? -1 : 1);
      return true;
    case Qt::Key_Escape:
      if (search_->text().isEmpty()) return false;
      search_->clear();
      view_->setFocus();
      return true;
    default:
      return false;
  }
}

void LogPage::tell() {
  auto* s = model_.search();
  const bool offline = session_->state.link() == models::Link::Offline;
  const int lines = model_.rowCount();
  const QLocale locale;
  QString count;
  if (s->active()) {
    count = locale.toString(int(s->count()));
    if (view_->match()) count = QStringLiteral("%1 / %2").arg(s->indexFrom(*view_->match()) + 1).arg(count);
    if (s->busy()) count += QStringLiteral("…");
  }
  count_->setText(count);
  for (auto* b : {previous_, next_}) b->setEnabled(s->count() > 0);
  only_->setEnabled(s->active() || only_->isChecked());
  save_->setEnabled(lines > 0);

  QString state;
  bool bad = false;
  if (!s->problem().isEmpty()) {
    state = tr("Not a regular expression: %1").arg(s->problem());
    bad = true;
  } else if (offline) {
    state = tr("The engine does not answer. New lines come when it does.");
    bad = true;
  } else if (!model_.problem().isEmpty()) {
    state = tr("The log ended: %1").arg(model_.problem());
    bad = true;
  } else if (lines > 0) {
    const QString n = tr("%n line(s)", nullptr, lines).replace(QString::number(lines), locale.toString(lines));
    state = !model_.live() ? tr("Ended · %1").arg(n) : view_->following() ? tr("Live · %1").arg(n) : tr("Live, standing still · %1").arg(n);
    if (model_.wanted().size() > 1) state += tr(" · %n log(s)", nullptr, int(model_.wanted().size()));
  }
  state_->setText(state);
  setRole(state_, bad ? "error" : "caption");

  QString empty;
  if (lines == 0) {
    if (offline || bad)
      empty = {};
    else if (model_.wanted().isEmpty() && model_.sources().isEmpty())
      empty = tr("No container has begun to write yet.");
    else if (!model_.heard())
      empty = tr("Reading the log…");
    else
      empty = model_.live() ? tr("Nothing written yet.") : tr("The log is empty.");
  } else if (view_->rows() == 0 && !s->busy()) {
    empty = tr("No line fits.");
  }
  empty_->setText(empty);
  empty_->setVisible(!empty.isEmpty());
  empty_->setGeometry(view_->viewport()->rect().adjusted(space::l, 0, -space::l, 0));
}

void LogPage::saveTo(const QString& path) {
  model_.save(path, only_->isChecked() && model_.search()->active(), times_->isChecked(),
              [self = QPointer<LogPage>(this), path](const QString& problem) {
                if (!self) return;
                emit self->said(problem.isEmpty() ? tr("Saved to %1").arg(path) : tr("Not saved: %1").arg(problem),
                                problem.isEmpty());
              });
}

void LogPage::askWhere() {
  const QString name = subject_.key.isEmpty() ? QStringLiteral("pods") : subject_.key.section('/', -1);
  auto* dialog = new QFileDialog(this, tr("Save the log"), name + QStringLiteral(".log"),
                                 tr("Logs (*.log *.txt);;All files (*)"));
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QFileDialog::fileSelected, this, &LogPage::saveTo);
  dialog->open();
}

}  // namespace ph::ui
