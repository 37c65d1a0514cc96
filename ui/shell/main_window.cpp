#include "ui/shell/main_window.h"

#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QMimeData>
#include <QPointer>
#include <QShortcut>
#include <QSplitter>
#include <QVBoxLayout>

#include "models/manifest_files.h"
#include "ui/appmap/app_map_page.h"
#include "ui/dialogs/apply_dialog.h"
#include "ui/dialogs/ask.h"
#include "ui/dialogs/deploy_dialog.h"
#include "ui/logs/log_room.h"
#include "ui/shell/command_palette.h"
#include "ui/shell/drop_hint.h"
#include "ui/shell/notices.h"
#include "ui/shell/steer_commands.h"
#include "ui/views/resource_page.h"
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
  auto* panes = new QSplitter(Qt::Horizontal, all);
  panes->setHandleWidth(1);
  panes->setChildrenCollapsible(false);
  views_ = new QStackedWidget(panes);
  inspector_ = new Inspector(session, panes);
  inspector_->setMinimumWidth(340);
  inspector_->setMaximumWidth(760);
  panes->addWidget(views_);
  panes->addWidget(inspector_);
  panes->setStretchFactor(0, 1);
  panes->setStretchFactor(1, 0);
  panes->setSizes({984, 384});
  columns->addWidget(rail_);
  columns->addWidget(panes, 1);
  setCentralWidget(all);

  fleet_ = new FleetPage(session, views_);
  appMap_ = new AppMapPage(session, views_);
  auto* apps = new TablePage(session, tr("Applications"), {Kind::Applications}, views_);
  auto* deployButton = button(tr("Deploy"), "primary", apps);
  apps->head()->addWidget(deployButton);
  resources_ = new ResourcePage(session, views_);
  auto* setup = new SetupPage(session, views_);
  logRoom_ = new LogRoom(session, views_);
  for (QWidget* page : std::initializer_list<QWidget*>{fleet_, appMap_, apps, resources_, setup, logRoom_}) views_->addWidget(page);
  rail_->add(Fleet, QStringLiteral("fleet"), tr("Fleet"), QKeySequence(Qt::CTRL | Qt::Key_1));
  rail_->add(AppMap, QStringLiteral("appmap"), tr("App map"), QKeySequence(Qt::CTRL | Qt::Key_2));
  rail_->add(Apps, QStringLiteral("apps"), tr("Apps"), QKeySequence(Qt::CTRL | Qt::Key_3));
  rail_->add(Tables, QStringLiteral("tables"), tr("Tables"), QKeySequence(Qt::CTRL | Qt::Key_4));
  rail_->add(Setup, QStringLiteral("setup"), tr("Setup"), QKeySequence(Qt::CTRL | Qt::Key_5));
  notices_ = new Notices(all);
  drop_ = new DropHint(all);

  connect(rail_, &NavRail::chosen, this, &MainWindow::open);
  connect(top_, &TopBar::searchWanted, this, &MainWindow::palette);
  connect(top_, &TopBar::setupWanted, this, [this] { open(Setup); });
  connect(fleet_, &FleetPage::selected, this, &MainWindow::select);
  connect(fleet_, &FleetPage::linkWanted, this, &MainWindow::followLink);
  connect(fleet_, &FleetPage::addMachineWanted, this, [this] { addMachine(); });
  connect(fleet_, &FleetPage::deployWanted, this, &MainWindow::deploy);
  connect(fleet_, &FleetPage::appsWanted, this, [this] { open(Apps); });
  connect(appMap_, &AppMapPage::selected, this, &MainWindow::select);
  connect(appMap_, &AppMapPage::deployWanted, this, &MainWindow::deploy);
  connect(deployButton, &QPushButton::clicked, this, &MainWindow::deploy);
  connect(apps, &TablePage::selected, this, &MainWindow::select);
  connect(resources_, &ResourcePage::selected, this, &MainWindow::select);
  connect(resources_, &ResourcePage::logsWanted, this, [this](const QStringList& pods) {
    logRoom_->showPods(pods);
    open(Logs);
  });
  connect(resources_, &ResourcePage::removeWanted, this, [this](const QList<models::ObjectRef>& objects) {
    auto* dialog = askRemoveObjects(objects, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, objects] { session_->actions.removeObjects(objects); });
    dialog->open();
  });
  for (auto [key, by] : {std::pair(Qt::Key_Left, -1), std::pair(Qt::Key_Right, 1)}) {
    connect(new QShortcut(QKeySequence(Qt::ALT | key), this), &QShortcut::activated, inspector_,
            by < 0 ? &Inspector::goBack : &Inspector::goForward);
  }
  connect(inspector_, &Inspector::wanted, this, &MainWindow::select);
  connect(inspector_, &Inspector::deployWanted, this, &MainWindow::deploy);
  connect(inspector_, &Inspector::addMachineWanted, this, [this] { addMachine(); });
  connect(inspector_, &Inspector::removeWanted, this, &MainWindow::remove);
  connect(inspector_, &Inspector::nodePointed, fleet_->map(), &MapView::setPointed);
  connect(inspector_, &Inspector::nodesJudged, fleet_->map(), &MapView::setJudged);
  connect(inspector_, &Inspector::logRoomWanted, this, &MainWindow::openLogs);
  connect(logRoom_, &LogRoom::backWanted, this, [this] { open(before_); });
  for (auto* page : {logRoom_->page(), inspector_->logPage()})
    connect(page, &LogPage::said, this, [this](const QString& what, bool ok) { notices_->say(what, {}, ok, {}); });
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
  appMap_->show(subject);
  inspector_->show(subject);
}

void MainWindow::open(int view) {
  if (view == Logs && views_->currentIndex() != Logs) before_ = views_->currentIndex();
  views_->setCurrentIndex(view);
  rail_->setCurrent(view);
  inspector_->setVisible(view != Setup && view != Logs);
  if (auto* page = qobject_cast<TablePage*>(views_->currentWidget())) page->show(selection_);
  if (view == Tables) resources_->show(selection_);
  if (view == Fleet) fleet_->map()->setFocus();
  if (view == AppMap) {
    appMap_->map()->reveal(selection_);
    appMap_->map()->setFocus();
  }
}

void MainWindow::openLogs(const Subject& subject) {
  logRoom_->show(subject);
  open(Logs);
}

void MainWindow::followLink(const Subject& subject) {
  select(subject);
  // Where the line offers something to do, that is opened: a pod's log, a machine's panel.
  if (subject.kind == Subject::Kind::Pod) inspector_->open(Inspector::Page::Logs);
}

void MainWindow::addMachine(AddMachineDialog::Way way) {
  auto* dialog = new AddMachineDialog(session_, this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setWay(way);
  dialog->open();
}

DeployDialog* MainWindow::deploy() {
  auto* dialog = new DeployDialog(session_, this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &DeployDialog::deployed, this, [this](const QString& app) {
    // It is selected as soon as it is seen, which may have been before the answer came.
    if (session_->state.workload(app)) return select({Subject::Kind::App, app});
    auto* once = new QObject(this);
    connect(&session_->state, &models::ClusterState::changed, once, [this, once, app] {
      if (!session_->state.workload(app)) return;
      once->deleteLater();
      select({Subject::Kind::App, app});
    });
  });
  connect(dialog, &DeployDialog::filesWanted, this, &MainWindow::chooseManifests);
  dialog->open();
  return dialog;
}

void MainWindow::remove(const Subject& subject) {
  auto* dialog = askRemove(session_, subject, this);
  if (!dialog) return;
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QDialog::accepted, this, [this, subject] {
    if (subject.kind == Subject::Kind::Machine) session_->actions.removeMachine(subject.key);
    if (subject.kind == Subject::Kind::App) session_->actions.removeApp(subject.key);
    if (subject.kind == Subject::Kind::Pod) session_->actions.removePod(subject.key);
    if (subject.kind == Subject::Kind::Object) session_->actions.removeObject(models::ObjectRef::of(subject.key));
  });
  dialog->open();
}

void MainWindow::palette() {
  QList<models::Command> commands = steerCommands(this, session_, selection_);
  if (selection_.kind == Subject::Kind::App || selection_.kind == Subject::Kind::Pod) {
    const Subject subject = selection_;
    const QString name = subject.key.section('/', -1);
    commands.append({tr("Logs of %1").arg(name),
                     subject.kind == Subject::Kind::Pod ? models::kubectl::logs(subject.key, {}) : tr("all its pods"),
                     QStringLiteral("logs"), [this, subject] { openLogs(subject); }});
  }
  commands.append({tr("Show the whole fleet"), tr("view"), QStringLiteral("fleet"), [this] {
                     open(Fleet);
                     select({});
                     fleet_->map()->fit();
                   }});
  commands.append({tr("Application map"), tr("view"), QStringLiteral("appmap"), [this] { open(AppMap); }});
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
  listFormCommands(this, session_, [palette = QPointer<CommandPalette>(palette)](const QList<models::Command>& more) {
    if (palette) palette->add(more);
  });
  palette->move(mapToGlobal(QPoint((width() - palette->width()) / 2, 44)));
  palette->show();
}

void MainWindow::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape && selection_)
    select({});
  else
    QMainWindow::keyPressEvent(event);
}

namespace {
QStringList pathsOf(const QMimeData* data) {
  QStringList paths;
  for (auto& url : data->urls()) {
    if (url.isLocalFile()) paths << url.toLocalFile();
  }
  return paths;
}
}  // namespace

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (drop_->offer(pathsOf(event->mimeData()))) event->acceptProposedAction();
}

void MainWindow::dragLeaveEvent(QDragLeaveEvent*) {
  drop_->hide();
}

void MainWindow::dropEvent(QDropEvent* event) {
  drop_->hide();
  const QStringList paths = pathsOf(event->mimeData());
  if (!models::isDeployable(paths)) return;
  event->acceptProposedAction();
  deployFiles(paths);
}

void MainWindow::deployFiles(const QStringList& paths) {
  if (paths.size() == 1 && models::isImageArchive(paths.first())) {
    deploy()->setArchive(paths.first());
    return;
  }
  auto* dialog = new ApplyDialog(session_, paths, this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->open();
}

void MainWindow::chooseManifests(bool folder) {
  QStringList paths;
  if (folder) {
    const QString path = QFileDialog::getExistingDirectory(this, tr("A folder of manifests"));
    if (!path.isEmpty()) paths << path;
  } else {
    paths = QFileDialog::getOpenFileNames(
        this, tr("Manifests"), {},
        tr("Manifests and image archives (*.yaml *.yml *.json *.tar *.tar.gz *.tgz *.oci);;All files (*)"));
  }
  if (!paths.isEmpty()) deployFiles(paths);
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
