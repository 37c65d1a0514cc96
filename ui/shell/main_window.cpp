#include "ui/shell/main_window.h"

#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QMimeData>
#include <QShortcut>
#include <QVBoxLayout>

#include "ui/dialogs/add_machine_dialog.h"
#include "ui/dialogs/ask.h"
#include "ui/dialogs/deploy_dialog.h"
#include "ui/shell/command_palette.h"
#include "ui/shell/notices.h"
#include "ui/views/table_pages.h"

namespace ph::ui {

using models::Subject;
using Kind = models::ObjectTableModel::Kind;

MainWindow::MainWindow(models::Session* session, QWidget* parent) : QMainWindow(parent), session_(session) {
  setWindowTitle(QStringLiteral("Pilothouse"));
  resize(1440, 900);
  setMinimumSize(900, 560);
  setAcceptDrops(true);
  auto* all = new QWidget(this);
  auto* rows = new QVBoxLayout(all);
  rows->setContentsMargins(0, 0, 0, 0);
  rows->setSpacing(0);
  top_ = new TopBar(session, all);
  rows->addWidget(top_);
  auto* columns = new QHBoxLayout;
  columns->setSpacing(0);
  rows->addLayout(columns, 1);
  rail_ = new NavRail(all);
  views_ = new QStackedWidget(all);
  inspector_ = new Inspector(session, all);
  inspector_->setFixedWidth(356);
  columns->addWidget(rail_);
  columns->addWidget(views_, 1);
  columns->addWidget(inspector_);
  setCentralWidget(all);

  fleet_ = new FleetPage(session, views_);
  auto* apps = new TablePage(session, tr("Applications"), {Kind::Applications}, views_);
  auto* deployButton = button(tr("Deploy"), "primary", apps);
  apps->head()->addWidget(deployButton);
  auto* tables =
      new TablePage(session, tr("Tables"),
                    {Kind::Pods, Kind::Machines, Kind::Applications, Kind::Services, Kind::Events}, views_);
  auto* setup = new SetupPage(session, views_);
  for (QWidget* page : std::initializer_list<QWidget*>{fleet_, apps, tables, setup}) views_->addWidget(page);
  rail_->add(Fleet, QStringLiteral("fleet"), tr("Fleet"), QKeySequence(Qt::CTRL | Qt::Key_1));
  rail_->add(Apps, QStringLiteral("apps"), tr("Apps"), QKeySequence(Qt::CTRL | Qt::Key_2));
  rail_->add(Tables, QStringLiteral("tables"), tr("Tables"), QKeySequence(Qt::CTRL | Qt::Key_3));
  rail_->add(Setup, QStringLiteral("setup"), tr("Setup"), QKeySequence(Qt::CTRL | Qt::Key_4));
  notices_ = new Notices(all);

  connect(rail_, &NavRail::chosen, this, &MainWindow::open);
  connect(top_, &TopBar::searchWanted, this, &MainWindow::palette);
  connect(top_, &TopBar::setupWanted, this, [this] { open(Setup); });
  connect(fleet_, &FleetPage::selected, this, &MainWindow::select);
  connect(fleet_, &FleetPage::linkWanted, this, &MainWindow::followLink);
  connect(fleet_, &FleetPage::addMachineWanted, this, &MainWindow::addMachine);
  connect(fleet_, &FleetPage::deployWanted, this, &MainWindow::deploy);
  connect(fleet_, &FleetPage::appsWanted, this, [this] { open(Apps); });
  connect(deployButton, &QPushButton::clicked, this, &MainWindow::deploy);
  connect(apps, &TablePage::selected, this, &MainWindow::select);
  connect(tables, &TablePage::selected, this, &MainWindow::select);
  connect(inspector_, &Inspector::wanted, this, &MainWindow::select);
  connect(inspector_, &Inspector::deployWanted, this, &MainWindow::deploy);
  connect(inspector_, &Inspector::addMachineWanted, this, &MainWindow::addMachine);
  connect(inspector_, &Inspector::removeWanted, this, &MainWindow::remove);
  connect(&session->actions, &models::Actions::finished, notices_, &Notices::say);
  connect(new QShortcut(QKeySequence(Qt::CTRL | Qt::Key_K), this), &QShortcut::activated, this,
          &MainWindow::palette);
  open(Fleet);
  fleet_->map()->setFocus();
}

MainWindow::~MainWindow() = default;

void MainWindow::select(const Subject& subject) {
  selection_ = subject;
  fleet_->show(subject);
  inspector_->show(subject);
}

void MainWindow::open(int view) {
  views_->setCurrentIndex(view);
  rail_->setCurrent(view);
  inspector_->setVisible(view != Setup);
  if (auto* page = qobject_cast<TablePage*>(views_->currentWidget())) page->show(selection_);
  if (view == Fleet) fleet_->map()->setFocus();
}

void MainWindow::followLink(const Subject& subject) {
  select(subject);
  // Where the line offers something to do, that is opened: a pod's log, a machine's panel.
  if (subject.kind == Subject::Kind::Pod) inspector_->open(Inspector::Page::Logs);
}

void MainWindow::addMachine() {
  auto* dialog = new AddMachineDialog(session_, this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->open();
}

void MainWindow::deploy() {
  auto* dialog = new DeployDialog(session_, this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &DeployDialog::deployed, this, [this](const QString& app) {
    // It is selected as soon as it is seen.
    auto* once = new QObject(this);
    connect(&session_->state, &models::ClusterState::changed, once, [this, once, app] {
      if (!session_->state.workload(app)) return;
      once->deleteLater();
      select({Subject::Kind::App, app});
    });
  });
  dialog->open();
}

void MainWindow::remove(const Subject& subject) {
  auto* dialog = askRemove(session_, subject, this);
  if (!dialog) return;
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QDialog::accepted, this, [this, subject] {
    if (subject.kind == Subject::Kind::Machine) session_->actions.removeMachine(subject.key);
    if (subject.kind == Subject::Kind::App) session_->actions.removeApp(subject.key);
    if (subject.kind == Subject::Kind::Pod) session_->actions.removePod(subject.key);
  });
  dialog->open();
}

void MainWindow::palette() {
  const QString action = QStringLiteral("action");
  QList<models::Command> commands;
  commands.append({tr("Add machine"), tr("action"), QStringLiteral("plus"), [this] { addMachine(); }});
  if (session_->map.machineCount() > 0)
    commands.append(
        {tr("Deploy an application"), tr("action"), QStringLiteral("plus"), [this] { deploy(); }});
  if (selection_.kind == Subject::Kind::App && session_->state.workload(selection_.key)) {
    const QString app = selection_.key, name = models::appName(app);
    commands.append({tr("Restart %1").arg(name), models::kubectl::restart(app), action,
                     [this, app] { session_->actions.restart(app); }});
    const int wanted = session_->state.workload(app)->wanted;
    commands.append({tr("One more copy of %1").arg(name), models::kubectl::scale(app, wanted + 1), action,
                     [this, app, wanted] { session_->actions.scale(app, wanted + 1); }});
    if (wanted > 0)
      commands.append({tr("One copy less of %1").arg(name), models::kubectl::scale(app, wanted - 1), action,
                       [this, app, wanted] { session_->actions.scale(app, wanted - 1); }});
  }
  if (selection_) {
    const Subject subject = selection_;
    const QString name =
        subject.kind == Subject::Kind::App ? models::appName(subject.key) : subject.key.section('/', -1);
    commands.append({tr("Remove %1…").arg(name), models::kubectl::remove(subject), action,
                     [this, subject] { remove(subject); }});
  }
  commands.append({tr("Show the whole fleet"), tr("view"), QStringLiteral("fleet"), [this] {
                     open(Fleet);
                     select({});
                     fleet_->map()->fit();
                   }});
  commands.append({tr("Applications"), tr("view"), QStringLiteral("apps"), [this] { open(Apps); }});
  commands.append({tr("Tables"), tr("view"), QStringLiteral("tables"), [this] { open(Tables); }});
  commands.append({tr("Setup"), tr("view"), QStringLiteral("setup"), [this] { open(Setup); }});
  commands.append({tr("Dark looks"), tr("action"), QStringLiteral("setup"),
                   [] { Theme::get().setMode(Theme::Mode::Dark); }});
  commands.append({tr("Light looks"), tr("action"), QStringLiteral("setup"),
                   [] { Theme::get().setMode(Theme::Mode::Light); }});
  auto* palette = new CommandPalette(
      session_, commands,
      [this](const Subject& subject) {
        if (views_->currentIndex() == Setup) open(Fleet);
        select(subject);
      },
      this);
  palette->move(mapToGlobal(QPoint((width() - palette->width()) / 2, 44)));
  palette->show();
}

void MainWindow::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape && selection_)
    select({});
  else
    QMainWindow::keyPressEvent(event);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  // An image archive dropped on the window opens the deploy form with it.
  for (auto& url : event->mimeData()->urls()) {
    const QString name = url.toLocalFile();
    if (name.endsWith(u".tar") || name.endsWith(u".tgz") || name.endsWith(u".tar.gz") ||
        name.endsWith(u".oci"))
      event->acceptProposedAction();
  }
}

void MainWindow::dropEvent(QDropEvent* event) {
  if (event->mimeData()->urls().isEmpty()) return;
  deploy();
  if (auto* dialog = findChild<DeployDialog*>())
    dialog->setArchive(event->mimeData()->urls().first().toLocalFile());
}

void MainWindow::closeEvent(QCloseEvent* event) {
  if (!askOnClose_ || session_->map.machineCount() == 0) {
    event->accept();
    return;
  }
  event->ignore();
  // One that was answered may still wait for its deletion.
  if (auto* asked = findChild<AskDialog*>(QStringLiteral("close")); asked && asked->isVisible()) return;
  auto* dialog = askClose(session_, this);
  dialog->setObjectName(QStringLiteral("close"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QDialog::accepted, this, [this] {
    askOnClose_ = false;
    close();
  });
  dialog->open();
}

}  // namespace ph::ui
