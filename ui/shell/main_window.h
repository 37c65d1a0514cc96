// MainWindow: puts the shell together: top bar, rail, the views, the inspector; keeps one selection for all
// of them. Threads: GUI thread only.
#pragma once

#include <QMainWindow>
#include <QStackedWidget>

#include "models/session.h"
#include "ui/dialogs/add_machine_dialog.h"
#include "ui/inspector/inspector.h"
#include "ui/shell/nav_rail.h"
#include "ui/shell/top_bar.h"
#include "ui/views/fleet_page.h"

namespace ph::ui {

class AppMapPage;
class DeployDialog;
class DropHint;
class Notices;
class LogRoom;
class ResourcePage;

class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  enum View { Fleet, AppMap, Apps, Tables, Setup, Logs };  // Logs has no place in the rail: it is opened from a thing
  explicit MainWindow(models::Session* session, QWidget* parent = nullptr);
  ~MainWindow() override;

  FleetPage* fleet() { return fleet_; }
  AppMapPage* appMap() { return appMap_; }
  Inspector* inspector() { return inspector_; }
  LogRoom* logRoom() { return logRoom_; }
  ResourcePage* resources() { return resources_; }
  const models::Subject& selection() const { return selection_; }
  DeployDialog* deploy();
  // Closing asks first, unless this was said (or the application is ending by a signal).
  void setAskOnClose(bool ask) { askOnClose_ = ask; }

 public slots:
  void select(const ph::models::Subject& subject);
  void open(int view);
  void addMachine(ph::ui::AddMachineDialog::Way way = AddMachineDialog::Way::One);
  // Files or folders: manifests are shown with what they would change; an image archive alone opens the deploy form.
  void deployFiles(const QStringList& paths);
  void chooseManifests(bool folder);
  void palette();
  void openLogs(const ph::models::Subject& subject);
  void remove(const ph::models::Subject& subject);

 protected:
  void closeEvent(QCloseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dragLeaveEvent(QDragLeaveEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  void followLink(const models::Subject& subject);

  models::Session* session_;
  models::Subject selection_;
  TopBar* top_;
  NavRail* rail_;
  QStackedWidget* views_;
  FleetPage* fleet_;
  AppMapPage* appMap_;
  Inspector* inspector_;
  LogRoom* logRoom_;
  ResourcePage* resources_;
  Notices* notices_;
  DropHint* drop_;
  int before_ = Fleet;  // where the way back from the logs leads
  bool askOnClose_ = true;
};

}  // namespace ph::ui
