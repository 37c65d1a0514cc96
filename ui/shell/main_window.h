// MainWindow: puts the shell together: top bar, rail, the views, the inspector; keeps one selection for all
// of them. Threads: GUI thread only.
#pragma once

#include <QMainWindow>
#include <QStackedWidget>

#include "models/session.h"
#include "ui/inspector/inspector.h"
#include "ui/shell/nav_rail.h"
#include "ui/shell/top_bar.h"
#include "ui/views/fleet_page.h"

namespace ph::ui {

class Notices;
class TablesPage;

class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  enum View { Fleet, Apps, Tables, Setup };
  explicit MainWindow(models::Session* session, QWidget* parent = nullptr);
  ~MainWindow() override;

  FleetPage* fleet() { return fleet_; }
  Inspector* inspector() { return inspector_; }
  const models::Subject& selection() const { return selection_; }
  // Closing asks first, unless this was said (or the application is ending by a signal).
  void setAskOnClose(bool ask) { askOnClose_ = ask; }

 public slots:
  void select(const ph::models::Subject& subject);
  void open(int view);
  void addMachine();
  void deploy();
  void palette();
  void remove(const ph::models::Subject& subject);

 protected:
  void closeEvent(QCloseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  void followLink(const models::Subject& subject);

  models::Session* session_;
  models::Subject selection_;
  TopBar* top_;
  NavRail* rail_;
  QStackedWidget* views_;
  FleetPage* fleet_;
  Inspector* inspector_;
  Notices* notices_;
  bool askOnClose_ = true;
};

}  // namespace ph::ui
