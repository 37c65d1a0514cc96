#include "ui/dialogs/machine_import_page.h"

#include <QDir>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QPointer>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include "models/gui_thread.h"
#include "ui/theme/tables.h"

namespace ph::ui {

using models::MachineImportModel;

namespace {

// What hinders a machine is said in the color of errors; a login is in mono.
class ImportDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  QSize sizeHint(const QStyleOptionViewItem& o, const QModelIndex& index) const override {
    return QStyledItemDelegate::sizeHint(o, index) + QSize(0, 2 * space::xs);
  }
  void initStyleOption(QStyleOptionViewItem* o, const QModelIndex& index) const override {
    QStyledItemDelegate::initStyleOption(o, index);
    const bool hindered = !index.data(MachineImportModel::ProblemRole).toString().isEmpty();
    const QColor ink = index.column() == MachineImportModel::Note ? hindered ? colors().errorText : colors().muted
                       : hindered                                 ? colors().muted
                                                                  : colors().text;
    o->palette.setColor(QPalette::Text, ink);
    o->palette.setColor(QPalette::HighlightedText, ink);
    if (index.column() == MachineImportModel::Login) o->font = typeface(Text::MonoSmall);
  }
};

}  // namespace

MachineImportPage::MachineImportPage(models::Session* session, Source source, QWidget* parent)
    : QWidget(parent), session_(session), source_(source), model_(&session->state) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::s);
  path_ = new QLineEdit(QDir::homePath() + QStringLiteral("/.ssh/config"), this);
  if (source == Source::SshConfig) {
    auto* row = new QHBoxLayout;
    row->setSpacing(space::s);
    path_->setAccessibleName(tr("SSH configuration"));
    path_->setObjectName(QStringLiteral("configPath"));
    auto* browse = button(tr("Choose…"), nullptr, this);
    auto* again = button(tr("Read again"), nullptr, this);
    row->addWidget(path_, 1);
    row->addWidget(browse);
    row->addWidget(again);
    column->addLayout(row);
    connect(path_, &QLineEdit::editingFinished, this, &MachineImportPage::read);
    connect(again, &QPushButton::clicked, this, &MachineImportPage::read);
    connect(browse, &QPushButton::clicked, this, [this] {
      const QString path = QFileDialog::getOpenFileName(this, tr("An SSH configuration"), QDir::homePath() + QStringLiteral("/.ssh"));
      if (path.isEmpty()) return;
      path_->setText(path);
      read();
    });
  } else {
    path_->hide();
    list_ = new QPlainTextEdit(this);
    list_->setObjectName(QStringLiteral("machineList"));
    list_->setAccessibleName(tr("Machines, one a line"));
    list_->setPlaceholderText(QStringLiteral("10.0.0.[1-8]\npi@pi-[01-12].lab\nroot@192.168.1.40:2222 kepler"));
    list_->setFont(typeface(Text::Mono));
    list_->setFixedHeight(104);
    list_->setTabChangesFocus(true);
    column->addWidget(list_);
    auto* hint = label(tr("One a line: an address, a range in brackets, with user, port and name where they differ."), "caption", this);
    hint->setWordWrap(true);
    column->addWidget(hint);
    auto* row = new QHBoxLayout;
    row->setSpacing(space::s);
    auto field = [&](const QString& title, const char* name, const QString& text, const QString& placeholder) {
      auto* box = new QVBoxLayout;
      box->setSpacing(3);
      auto* edit = new QLineEdit(text, this);
      edit->setPlaceholderText(placeholder);
      edit->setObjectName(QLatin1String(name));
      edit->setAccessibleName(title);
      auto* head = label(title, "muted", this);
      head->setBuddy(edit);
      box->addWidget(head);
      box->addWidget(edit);
      row->addLayout(box, 1);
      connect(edit, &QLineEdit::textChanged, this, &MachineImportPage::parse);
      return edit;
    };
    user_ = field(tr("User"), "listUser", QStringLiteral("root"), {});
    key_ = field(tr("Private key"), "listKey", {}, tr("the usual ones"));
    zone_ = field(tr("Zone"), "listZone", {}, tr("none"));
    column->addLayout(row);
    connect(list_, &QPlainTextEdit::textChanged, this, &MachineImportPage::parse);
  }
  table_ = tableView(tr("Machines found"), this);
  table_->setModel(&model_);
  table_->setItemDelegate(new ImportDelegate(table_));
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->horizontalHeader()->setStretchLastSection(true);
  // What hinders one is read whole.
  table_->setWordWrap(true);
  table_->verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table_->setColumnWidth(MachineImportModel::Name, 100);
  table_->setColumnWidth(MachineImportModel::Login, 150);
  column->addWidget(table_, 1);
  empty_ = label({}, "muted", this);
  empty_->setWordWrap(true);
  column->addWidget(empty_);
  said_ = label({}, "caption", this);
  said_->setWordWrap(true);
  column->addWidget(said_);
  connect(&model_, &MachineImportModel::choiceChanged, this, &MachineImportPage::changed);
  show({}, {}, {});
}

void MachineImportPage::read() {
  if (source_ != Source::SshConfig) return;
  const int question = ++question_;
  QPointer<MachineImportPage> self(this);
  auto work = [self, question, path = path_->text(), home = QDir::homePath()] {
    auto answer = std::make_shared<models::SshConfigAnswer>(models::machinesOfSshConfig(path, home));
    models::onGui([self, question, answer] {
      if (self && self->question_ == question) self->show(answer->machines, answer->problem, answer->notes);
    });
  };
  session_->inBackground(work);
}

void MachineImportPage::parse() {
  models::MachineForm defaults;
  defaults.user = user_->text().trimmed();
  defaults.identityFile = key_->text().trimmed();
  if (defaults.identityFile.startsWith(QStringLiteral("~/")))
    defaults.identityFile = QDir::homePath() + defaults.identityFile.mid(1);
  defaults.zone = zone_->text().trimmed();
  show(models::machinesOfList(list_->toPlainText(), defaults), {}, {});
}

void MachineImportPage::show(QList<models::ImportedMachine> machines, const QString& problem, const QStringList& notes) {
  model_.set(std::move(machines));
  const bool any = model_.rowCount() > 0;
  table_->setVisible(any);
  empty_->setVisible(!any);
  empty_->setText(!problem.isEmpty()              ? problem
                  : source_ == Source::List       ? tr("What the list means is shown here, machine by machine.")
                                                  : tr("No Host is named in it."));
  const QStringList shown = notes.mid(0, 3);
  said_->setText(shown.join('\n') + (notes.size() > 3 ? '\n' + tr("and %n more", nullptr, int(notes.size()) - 3) : QString()));
  said_->setVisible(!notes.isEmpty());
  emit changed();
}

}  // namespace ph::ui
