#include "ui/views/resource_page.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLocale>
#include <QPainter>
#include <QPointer>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include "models/gui_thread.h"
#include "models/json_read.h"
#include "models/path_watch.h"
#include "ui/theme/icons.h"
#include "ui/theme/tables.h"
#include "ui/views/cell_delegate.h"

namespace ph::ui {

using models::KindInfo;
using models::ResourceTable;
using models::Subject;

namespace {

constexpr int kMostRestored = 5000;  // chosen rows that are found again after a reset

class KindDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex& index) const override {
    return {180, index.data(models::KindList::HeadingRole).toBool() ? 30 : 26};
  }
  void paint(QPainter* p, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    p->save();
    p->setRenderHint(QPainter::Antialiasing);
    const bool heading = index.data(models::KindList::HeadingRole).toBool();
    const QRectF r = option.rect;
    if (option.state & QStyle::State_Selected || (!heading && option.state & QStyle::State_MouseOver)) {
      p->setPen(Qt::NoPen);
      p->setBrush(option.state & QStyle::State_Selected ? colors().selection : colors().raised);
      p->drawRoundedRect(r.adjusted(6, 1, -6, -1), radius::control, radius::control);
    }
    const QFont& font = typeface(heading ? Text::Caption : Text::Body);
    const QFontMetricsF m(font);
    p->setFont(font);
    p->setPen(heading ? colors().muted : colors().text);
    const QRectF inner = r.adjusted(heading ? 12 : 16, heading ? 8 : 0, -14, 0);
    p->drawText(inner, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
                m.elidedText(index.data().toString(), Qt::ElideRight, inner.width()));
    p->restore();
  }
};

}  // namespace

ResourcePage::ResourcePage(models::Session* session, QWidget* parent)
    : QWidget(parent), session_(session), model_(&session->state) {
  setAccessibleName(tr("Tables"));
  auto* columns = new QHBoxLayout(this);
  columns->setContentsMargins(0, 0, 0, 0);
  columns->setSpacing(0);
  columns->addWidget(makeKinds());
  auto* line = new QWidget(this);
  line->setFixedWidth(1);
  line->setProperty("role", "rule");
  line->setAttribute(Qt::WA_StyledBackground);
  columns->addWidget(line);
  auto* right = new QVBoxLayout;
  right->setContentsMargins(space::xl, 0, space::xl, 0);
  right->setSpacing(0);
  makeHead(right);
  right->addWidget(new Line(this));
  empty_ = label({}, "muted", this);
  empty_->setAlignment(Qt::AlignCenter);
  empty_->setWordWrap(true);
  right->addWidget(empty_, 1);
  makeTable();
  right->addWidget(table_, 1);
  columns->addLayout(right, 1);

  typed_.setSingleShot(true);
  typed_.setInterval(80);
  connect(&typed_, &QTimer::timeout, this, [this] { model_.setFilter(filter_->text()); });
  connect(filter_, &QLineEdit::textChanged, &typed_, qOverload<>(&QTimer::start));
  connect(namespaces_, &QComboBox::currentIndexChanged, this, &ResourcePage::follow);
  connect(&model_, &ResourceTable::stateChanged, this, &ResourcePage::tell);
  connect(&model_, &QAbstractItemModel::modelReset, this, &ResourcePage::restoreSelection);
  connect(&model_, &ResourceTable::columnsChanged, this, [this] { sized_ = false; });
  connect(&kinds_, &models::KindList::changed, this, [this] {
    if (auto* k = kinds_.find(wantedPlural_, wantedGroup_); k && kind_.kind.plural.isEmpty()) choose(*k);
    tell();
  });
  connect(session, &models::Session::connectionChanged, this, &ResourcePage::connection);
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
  // Ages go on counting.
  second_.setInterval(1000);
  connect(&second_, &QTimer::timeout, table_->viewport(), qOverload<>(&QWidget::update));
  connection();
}

ResourcePage::~ResourcePage() {
  if (namespaceWatch_) namespaceWatch_->stop();
}

QWidget* ResourcePage::makeKinds() {
  auto* panel = new QWidget(this);
  panel->setFixedWidth(196);
  auto* layout = new QVBoxLayout(panel);
  layout->setContentsMargins(0, space::m, 0, 0);
  layout->setSpacing(space::s);
  kindFilter_ = new QLineEdit(panel);
  kindFilter_->setObjectName(QStringLiteral("kindFilter"));
  kindFilter_->setPlaceholderText(tr("Find a kind"));
  kindFilter_->setAccessibleName(tr("Find a kind"));
  kindFilter_->setClearButtonEnabled(true);
  kindFilter_->installEventFilter(this);
  auto* row = new QHBoxLayout;
  row->setContentsMargins(space::m, 0, space::m, 0);
  row->addWidget(kindFilter_);
  layout->addLayout(row);
  kindState_ = label({}, "muted", panel);
  kindState_->setWordWrap(true);
  kindState_->setContentsMargins(space::l, 0, space::m, 0);
  layout->addWidget(kindState_);
  kindView_ = new QListView(panel);
  kindView_->setModel(&kinds_);
  kindView_->setItemDelegate(new KindDelegate(kindView_));
  kindView_->setAccessibleName(tr("Kinds"));
  kindView_->setMouseTracking(true);
  kindView_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  kindView_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  layout->addWidget(kindView_, 1);
  connect(kindFilter_, &QLineEdit::textChanged, &kinds_, &models::KindList::setFilter);
  connect(&kinds_, &QAbstractItemModel::modelReset, this, [this] {
    if (const int at = kinds_.rowOf(kind_.kind); at >= 0) kindView_->setCurrentIndex(kinds_.index(at));
  });
  connect(kindView_->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& index) {
    if (auto* k = kinds_.at(index.row()); k && !(k->kind == kind_.kind)) choose(KindInfo(*k));
  });
  return panel;
}

void ResourcePage::makeHead(QVBoxLayout* layout) {
  auto* head = new QHBoxLayout;
  head->setContentsMargins(0, space::m, 0, space::s);
  head->setSpacing(space::m);
  title_ = new ElidedLabel(Text::Title, this);
  title_->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  count_ = label({}, "muted", this);
  namespaces_ = new QComboBox(this);
  namespaces_->setAccessibleName(tr("Namespace"));
  namespaces_->setObjectName(QStringLiteral("namespaces"));
  namespaces_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  namespaces_->setMinimumContentsLength(13);
  namespaces_->addItem(tr("All namespaces"), QString());
  filter_ = new QLineEdit(this);
  filter_->setObjectName(QStringLiteral("tableFilter"));
  filter_->setPlaceholderText(tr("Filter"));
  filter_->setAccessibleName(tr("Filter"));
  filter_->setClearButtonEnabled(true);
  filter_->setMaximumWidth(240);
  filter_->installEventFilter(this);
  head->addWidget(title_);
  head->addWidget(count_);
  head->addStretch(1);
  head->addWidget(namespaces_);
  head->addWidget(filter_, 2);
  layout->addLayout(head);
  // What can be done with the chosen rows. It keeps its room: nothing below moves when rows are chosen.
  auto* bar = new QHBoxLayout;
  bar->setContentsMargins(0, 0, 0, space::s);
  bar->setSpacing(space::s);
  chosen_ = new ElidedLabel(Text::Body, this);
  logs_ = button(tr("Logs"), nullptr, this);
  logs_->setObjectName(QStringLiteral("logs"));
  remove_ = button(tr("Delete…"), "danger", this);
  remove_->setObjectName(QStringLiteral("delete"));
  QSizePolicy kept = remove_->sizePolicy();
  kept.setRetainSizeWhenHidden(true);
  remove_->setSizePolicy(kept);
  bar->addWidget(chosen_, 1);
  bar->addWidget(logs_);
  bar->addWidget(remove_);
  layout->addLayout(bar);
  connect(remove_, &QPushButton::clicked, this, [this] { emit removeWanted(selection()); });
  connect(logs_, &QPushButton::clicked, this, [this] {
    QStringList pods;
    for (auto& o : selection()) pods << o.ns + '/' + o.name;
    emit logsWanted(pods);
  });
}

void ResourcePage::makeTable() {
  table_ = tableView(tr("Objects"), this);
  table_->setModel(&model_);
  table_->setItemDelegate(new CellDelegate(table_));
  table_->setSortingEnabled(true);
  table_->setSelectionMode(QAbstractItemView::ExtendedSelection);
  table_->horizontalHeader()->setMinimumSectionSize(56);
  table_->horizontalHeader()->setSortIndicator(0, Qt::AscendingOrder);
  table_->installEventFilter(this);
  connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &ResourcePage::onSelection);
}

// A client came or went.
void ResourcePage::connection() {
  if (namespaceWatch_) namespaceWatch_->stop();
  namespaceWatch_.reset();
  kinds_.setClient(session_->client());
  if (!session_->client()) {
    model_.stop();
    tell();
    return;
  }
  if (isVisible()) {
    kinds_.refresh();
    follow();
  }
}

void ResourcePage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  kinds_.refresh();
  follow();
  second_.start();
  if (namespaceWatch_ || !session_->client()) return;
  // Few and small: all are listed anew with every change.
  auto names = std::make_shared<QSet<QString>>();
  auto tell = [self = QPointer<ResourcePage>(this), names] {
    QStringList list(names->values());
    list.sort();
    models::onGui([self, list] {
      if (self) self->setNamespaces(list);
    });
  };
  models::PathWatch::Handlers handlers;
  handlers.onPage = [names, tell](const boost::json::value& page, bool first, bool last) {
    if (first) names->clear();
    for (auto& item : models::json::list(&page, {"items"})) names->insert(models::json::text(&item, {"metadata", "name"}));
    if (last) tell();
  };
  handlers.onEvent = [names, tell](std::string_view type, const boost::json::value& object) {
    const QString name = models::json::text(&object, {"metadata", "name"});
    const bool change = type == "DELETED" ? names->remove(name) : !names->contains(name) && (names->insert(name), true);
    if (change) tell();
  };
  models::PathWatch::Options options;
  options.path = "/api/v1/namespaces";
  options.listAs = models::kAsMetadata;
  options.watchAs = models::kAsMetadataWatch;
  namespaceWatch_ = models::PathWatch::start(session_->client(), session_->executor()->strand(), options, handlers);
}

void ResourcePage::hideEvent(QHideEvent* event) {
  second_.stop();
  model_.stop();
  if (namespaceWatch_) namespaceWatch_->stop();
  namespaceWatch_.reset();
  QWidget::hideEvent(event);
}

void ResourcePage::setNamespaces(const QStringList& names) {
  const QString now = namespaces_->currentData().toString();
  const QSignalBlocker quiet(namespaces_);
  namespaces_->clear();
  namespaces_->addItem(tr("All namespaces"), QString());
  for (auto& n : names) namespaces_->addItem(n, n);
  const int at = namespaces_->findData(now);
  namespaces_->setCurrentIndex(std::max(0, at));
  if (at < 0) {
    follow();  // the chosen one is gone
  }
}

void ResourcePage::openKind(const QString& plural, const QString& group) {
  wantedPlural_ = plural;
  wantedGroup_ = group;
  if (auto* k = kinds_.find(plural, group))
    choose(KindInfo(*k));
  else
    kind_ = {};
}

void ResourcePage::choose(const KindInfo& kind) {
  kind_ = kind;
  wantedPlural_ = kind.kind.plural;
  wantedGroup_ = kind.kind.group;
  filter_->clear();
  model_.setFilter({});
  keys_.clear();
  if (const int at = kinds_.rowOf(kind.kind); at >= 0) kindView_->setCurrentIndex(kinds_.index(at));
  namespaces_->setVisible(kind.kind.namespaced);
  table_->horizontalHeader()->setSortIndicator(0, Qt::AscendingOrder);
  follow();
}

void ResourcePage::follow() {
  if (kind_.kind.plural.isEmpty() || !isVisible()) {
    tell();
    return;
  }
  const QString ns = kind_.kind.namespaced ? namespaces_->currentData().toString() : QString();
  sized_ = false;
  model_.follow(session_->client(), session_->executor(), kind_.kind, ns, kind_.watchable);
  tell();
}

void ResourcePage::sizeColumns() {
  if (sized_ || model_.rowCount() == 0) return;
  sized_ = true;
  // By what the first rows hold; the name takes what is left.
  const QFontMetricsF body(typeface(Text::Body)), mono(typeface(Text::Mono)), caption(typeface(Text::Caption));
  int rest = table_->viewport()->width();
  for (int c = 1; c < model_.columnCount(); ++c) {
    double width = caption.horizontalAdvance(model_.headerData(c, Qt::Horizontal, Qt::DisplayRole).toString()) + 34;
    for (int r = 0; r < std::min(60, model_.rowCount()); ++r)
      width = std::max(width, body.horizontalAdvance(model_.index(r, c).data().toString()) + 20);
    const int w = int(std::clamp(width, 64.0, 260.0));
    table_->setColumnWidth(c, w);
    rest -= w;
  }
  double name = 160;
  for (int r = 0; r < std::min(60, model_.rowCount()); ++r)
    name = std::max(name, mono.horizontalAdvance(model_.index(r, 0).data().toString()) + 20);
  table_->setColumnWidth(0, std::max({180, rest, int(std::min(name, 380.0))}));
}

QList<models::ObjectRef> ResourcePage::selection() const {
  QList<models::ObjectRef> out;
  for (auto& range : table_->selectionModel()->selection()) {
    for (int r = range.top(); r <= range.bottom(); ++r) out << model_.refAt(r);
  }
  return out;
}

void ResourcePage::onSelection() {
  if (restoring_) return;
  keys_.clear();
  int rows = 0;
  for (auto& range : table_->selectionModel()->selection()) {
    rows += range.height();
    for (int r = range.top(); r <= range.bottom() && keys_.size() < kMostRestored; ++r) keys_.insert(model_.keyAt(r));
  }
  tellChosen(rows);
  if (rows != 1 || !(table_->hasFocus() || table_->viewport()->hasFocus())) return;
  const Subject subject = model_.subjectAt(table_->selectionModel()->selection().first().top());
  if (subject) emit selected(subject);
}

void ResourcePage::tellChosen(int rows) {
  const bool offline = model_.phase() == ResourceTable::Phase::Offline && model_.rowCount() > 0;
  chosen_->setText(offline                  ? tr("Not connected: this is how it was.")
                   : rows > 0               ? tr("%n selected", nullptr, rows)
                   : model_.rowCount() == 0 ? QString()
                                            : tr("Shift or Ctrl with a click chooses several."));
  chosen_->setTone(offline ? std::optional(Tone::Warn) : std::nullopt);
  chosen_->setMuted(rows == 0);
  logs_->setVisible(rows > 0 && kind_.kind.group.isEmpty() && kind_.kind.plural == u"pods");
  remove_->setVisible(rows > 0);
}

void ResourcePage::restoreSelection() {
  if (keys_.isEmpty()) return tellChosen(0);
  restoring_ = true;
  QItemSelection chosen;
  for (auto& key : keys_) {
    const int row = model_.rowOf(key);
    if (row >= 0) chosen.append(QItemSelectionRange(model_.index(row, 0), model_.index(row, model_.columnCount() - 1)));
  }
  table_->selectionModel()->select(chosen, QItemSelectionModel::ClearAndSelect);
  restoring_ = false;
  tellChosen(int(chosen.size()));
}

void ResourcePage::show(const Subject& subject) {
  if (!subject) return;
  for (auto& range : table_->selectionModel()->selection()) {
    if (range.height() == 1 && model_.subjectAt(range.top()) == subject) return;
  }
  const auto ref = models::refOf(session_->state, subject);
  if (ref.plural != kind_.kind.plural || ref.group != kind_.kind.group) return;
  const int row = model_.rowOf(ref.ns.isEmpty() ? ref.name : ref.ns + '/' + ref.name);
  if (row >= 0) table_->selectRow(row);
}

void ResourcePage::tell() {
  using Phase = ResourceTable::Phase;
  sizeColumns();
  title_->setText(kind_.kind.kind.isEmpty() ? tr("Tables") : kind_.kind.kind);
  kindState_->setVisible(kinds_.kinds().isEmpty());
  kindState_->setText(!kinds_.problem().isEmpty() ? kinds_.problem() : tr("Reading the kinds…"));
  const int all = model_.total(), shown = model_.rowCount();
  const QLocale locale;
  count_->setText(shown == all ? locale.toString(all) : tr("%1 of %2").arg(locale.toString(shown), locale.toString(all)));
  QString s;
  switch (model_.phase()) {
    case Phase::Idle:
    case Phase::Loading:
      s = tr("Reading…");
      break;
    case Phase::Live:
      s = all == 0 ? tr("There are none yet.") : tr("Nothing fits the filter.");
      break;
    case Phase::Offline:
      s = model_.problem().isEmpty() ? tr("Not connected.") : tr("The engine does not answer: %1").arg(model_.problem());
      break;
    case Phase::Refused:
      s = tr("They can't be listed: %1").arg(model_.problem());
      break;
  }
  empty_->setText(s);
  const bool none = shown == 0 && !model_.sorting();
  empty_->setVisible(none);
  table_->setVisible(!none);
  tellChosen(int(table_->selectionModel()->selectedRows().size()));
}

bool ResourcePage::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() != QEvent::KeyPress) return false;
  auto* key = static_cast<QKeyEvent*>(event);
  if (watched == kindFilter_ && (key->key() == Qt::Key_Down || key->key() == Qt::Key_Return)) {
    for (int row = 0; row < kinds_.rowCount(); ++row) {
      if (!kinds_.at(row)) continue;
      kindView_->setCurrentIndex(kinds_.index(row));
      break;
    }
    kindView_->setFocus();
    return true;
  }
  if (watched == filter_ && (key->key() == Qt::Key_Down || key->key() == Qt::Key_Return)) {
    table_->setFocus();
    return true;
  }
  if (watched == table_ && key->key() == Qt::Key_Delete && !selection().isEmpty()) {
    emit removeWanted(selection());
    return true;
  }
  return false;
}

void ResourcePage::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), colors().background);
}

}  // namespace ph::ui
