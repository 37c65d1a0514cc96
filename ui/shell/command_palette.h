// CommandPalette: Ctrl+K: every action and object by its name. Threads: GUI thread only.
#pragma once

#include <QDialog>
#include <QLineEdit>
#include <QListView>

#include "models/palette_model.h"

namespace ph::ui {

class CommandPalette : public QDialog {
  Q_OBJECT
 public:
  CommandPalette(models::Session* session, QList<models::Command> commands,
                 std::function<void(const models::Subject&)> open, QWidget* parent);

  // More that was asked for: what is chosen stays chosen, as what comes later stands behind it.
  void add(const QList<models::Command>& commands);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;
  void paintEvent(QPaintEvent*) override;

 private:
  void accept(int row);
  models::PaletteModel model_;
  QLineEdit* field_;
  QListView* list_;
};

}  // namespace ph::ui
