#include "ui/views/table_pages.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QPainter>
#include <QVBoxLayout>

#include "models/now_model.h"
#include "ui/theme/tables.h"
#include "ui/views/cell_delegate.h"

namespace ph::ui {

using models::ObjectTableModel;
using models::Subject;

namespace {

QString kindName(ObjectTableModel::Kind kind) {
  switch (kind) {
    case ObjectTableModel::Kind::Pods:
      return TablePage::tr("Pods");
    case ObjectTableModel::Kind::Machines:
      return TablePage::tr("Machines");
    case ObjectTableModel::Kind::Applications:
      return TablePage::tr("Applications");
    case ObjectTableModel::Kind::Services:
      return TablePage::tr("Services");
    case ObjectTableModel::Kind::Events:
      return TablePage::tr("Events");
  }
  return {};
}

}  // namespace

TablePage::TablePage(models::Session* session, const QString& title, QList<ObjectTableModel::Kind> kinds,
                     QWidget* parent)
    : QWidget(parent), session_(session), kinds_(std::move(kinds)), model_(&session->state) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space::xl, 0, space::xl, 0);
  layout->setSpacing(0);
  head_ = new QHBoxLayout;
  head_->setContentsMargins(0, space::m, 0, space::s);
  head_->setSpacing(space::m);
  auto* name = new ElidedLabel(Text::Title, this);
  name->setText(title);
  name->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  count_ = label({}, "muted", this);
  filter_ = new QLineEdit(this);
  filter_->setPlaceholderText(tr("Filter"));
  filter_->setAccessibleName(tr("Filter"));
  filter_->setClearButtonEnabled(true);
  filter_->setMaximumWidth(260);
  tabs_ = new QTabBar(this);
  tabs_->setDrawBase(false);
  tabs_->setExpanding(false);
  tabs_->setAccessibleName(tr("Kinds"));
  for (auto kind : kinds_) tabs_->addTab(kindName(kind));
  tabs_->setVisible(kinds_.size() > 1);
  head_->addWidget(name);
  head_->addWidget(count_);
  head_->addStretch();
  head_->addWidget(filter_, 2);
  layout->addLayout(head_);
  layout->addWidget(tabs_);
  layout->addWidget(new Line(this));
  empty_ = label({}, "muted", this);
  empty_->setAlignment(Qt::AlignCenter);
  empty_->setWordWrap(true);
  layout->addWidget(empty_, 1);
  sorted_.setSourceModel(&model_);
  sorted_.setSortRole(ObjectTableModel::SortRole);
  sorted_.setFilterKeyColumn(-1);
  sorted_.setFilterCaseSensitivity(Qt::CaseInsensitive);
  sorted_.setSortLocaleAware(false);
  sorted_.setDynamicSortFilter(true);
  table_ = tableView(title, this);
  table_->setModel(&sorted_);
  table_->setItemDelegate(new CellDelegate(table_));
  table_->setSortingEnabled(true);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  layout->addWidget(table_, 1);
  connect(tabs_, &QTabBar::currentChanged, this, &TablePage::setKind);
  connect(filter_, &QLineEdit::textChanged, this, [this](const QString& text) {
    sorted_.setFilterFixedString(text);
    tell();
  });
  connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
          [this](const QModelIndex& index) {
            if (!table_->hasFocus() && !table_->viewport()->hasFocus()) return;
            const auto subject = index.data(ObjectTableModel::SubjectRole).value<Subject>();
            if (subject) emit selected(subject);
          });
  connect(table_, &QTableView::clicked, this, [this](const QModelIndex& index) {
    const auto subject = index.data(ObjectTableModel::SubjectRole).value<Subject>();
    if (subject) emit selected(subject);
  });
  // The model's too: the rows of sorted_ go before the model's own do.
  for (const QAbstractItemModel* m : std::initializer_list<const QAbstractItemModel*>{&sorted_, &model_}) {
    for (auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
      connect(m, signal, this, [this] { tell(); });
  }
  connect(&sorted_, &QAbstractItemModel::modelReset, this, &TablePage::tell);
  connect(&Theme::get(), &Theme::changed, this, [this] { update(); });
  setKind(0);
}

void TablePage::setKind(int at) {
  if (at < 0) return;
  model_.setKind(kinds_[at]);
  static const QHash<int, QList<int>> widths{
      {int(ObjectTableModel::Kind::Pods), {250, 100, 90, 80, 130, 130, 80}},
      {int(ObjectTableModel::Kind::Machines), {150, 160, 60, 60, 90, 200, 130, 110}},
      {int(ObjectTableModel::Kind::Applications), {220, 120, 110, 300, 80}},
      {int(ObjectTableModel::Kind::Services), {220, 120, 140, 180, 80}},
      {int(ObjectTableModel::Kind::Events), {90, 260, 150, 400, 70}}};
  const auto w = widths[int(kinds_[at])];
  // The text that may be long takes what is left.
  const int wide =
      kinds_[at] == ObjectTableModel::Kind::Events || kinds_[at] == ObjectTableModel::Kind::Applications ? 3
      : kinds_[at] == ObjectTableModel::Kind::Machines                                                   ? 5
      : kinds_[at] == ObjectTableModel::Kind::Services                                                   ? 3
                                                                                                         : 0;
  for (int i = 0; i < model_.columnCount(); ++i) {
    table_->horizontalHeader()->setSectionResizeMode(
        i, i == wide ? QHeaderView::Stretch : QHeaderView::Interactive);
    if (i != wide && i < w.size()) table_->setColumnWidth(i, w[i]);
  }
  table_->sortByColumn(
      0, kinds_[at] == ObjectTableModel::Kind::Events ? Qt::DescendingOrder : Qt::AscendingOrder);
  tell();
}

void TablePage::tell() {
  const int all = model_.rowCount(), shown = sorted_.rowCount();
  count_->setText(shown == all ? QString::number(all) : tr("%1 of %2").arg(shown).arg(all));
  empty_->setVisible(shown == 0);
  table_->setVisible(shown > 0);
  empty_->setText(all == 0 ? (session_->state.link() == models::Link::Loading ? tr("Reading the cluster…")
                                                                              : tr("There are none yet."))
                           : tr("Nothing fits the filter."));
}

void TablePage::show(const Subject& subject) {
  // The row of what is selected elsewhere is shown here too.
  for (int row = 0; row < std::min(sorted_.rowCount(), 5000); ++row) {
    if (!(sorted_.index(row, 0).data(ObjectTableModel::SubjectRole).value<Subject>() == subject)) continue;
    table_->selectRow(row);
    return;
  }
  table_->clearSelection();
}

void TablePage::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), colors().background);
}

SetupPage::SetupPage(models::Session* session, QWidget* parent) : QWidget(parent), session_(session) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space::xl, space::m, space::xl, space::l);
  layout->setSpacing(space::s);
  auto* name = new ElidedLabel(Text::Title, this);
  name->setText(tr("Setup"));
  layout->addWidget(name);
  auto* column = new QWidget(this);
  column->setMaximumWidth(640);
  auto* c = new QVBoxLayout(column);
  c->setContentsMargins(0, space::m, 0, 0);
  c->setSpacing(space::s);
  c->addWidget(label(tr("Where things are"), "heading", column));
  facts_ = new FactRows(column);
  c->addWidget(facts_);
  c->addWidget(label(tr("kubectl for this cluster"), "muted", column));
  command_ = new CodeBox(column);
  c->addWidget(command_);
  c->addSpacing(space::l);
  c->addWidget(label(tr("Looks"), "heading", column));
  auto* row = new QHBoxLayout;
  row->setSpacing(space::s);
  modes_ = new QButtonGroup(this);
  const std::pair<Theme::Mode, QString> modes[] = {{Theme::Mode::System, tr("As the system")},
                                                   {Theme::Mode::Light, tr("Light")},
                                                   {Theme::Mode::Dark, tr("Dark")}};
  for (auto& [mode, text] : modes) {
    auto* b = button(text, nullptr, column);
    b->setCheckable(true);
    modes_->addButton(b, int(mode));
    row->addWidget(b);
  }
  row->addStretch();
  c->addLayout(row);
  c->addSpacing(space::l);
  c->addWidget(label(tr("Keys"), "heading", column));
  auto* keys = new FactRows(column);
  keys->set({{tr("Search or do anything"), QStringLiteral("Ctrl K"), true},
             {tr("Views"), QStringLiteral("Ctrl 1 … 5"), true},
             {tr("Map: move among machines"), tr("arrows"), true},
             {tr("Map: open, go inside"), QStringLiteral("Enter"), true},
             {tr("Map: back"), QStringLiteral("Esc"), true},
             {tr("Map: nearer, farther, all"), QStringLiteral("+  −  0"), true}});
  c->addWidget(keys);
  layout->addWidget(column);
  layout->addStretch();
  connect(modes_, &QButtonGroup::idClicked, this, [](int id) { Theme::get().setMode(Theme::Mode(id)); });
  connect(&Theme::get(), &Theme::changed, this, &SetupPage::refresh);
  connect(session, &models::Session::placeChanged, this, &SetupPage::refresh);
  refresh();
}

void SetupPage::refresh() {
  auto& place = session_->place();
  std::vector<Fact> facts{{tr("Cluster"), place.cluster}, {tr("API"), place.address, true}};
  if (!place.dataDir.isEmpty()) facts.push_back({tr("Data"), place.dataDir, true});
  if (!place.kubeconfig.isEmpty()) facts.push_back({tr("Kubeconfig"), place.kubeconfig, true});
  facts.push_back({tr("Version"), QStringLiteral(PH_VERSION), true});
  facts_->set(std::move(facts));
  command_->setText(place.kubeconfig.isEmpty()
                        ? QStringLiteral("kubectl get nodes")
                        : QStringLiteral("export KUBECONFIG=%1\nkubectl get nodes").arg(place.kubeconfig));
  if (auto* b = modes_->button(int(Theme::get().mode()))) b->setChecked(true);
  update();
}

void SetupPage::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), colors().background);
}

}  // namespace ph::ui
