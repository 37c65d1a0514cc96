// PaletteModel: what the command palette finds: actions, machines, applications, pods. Bounded to the best
// kMax matches. Threads: GUI thread only.
#pragma once

#include <QAbstractListModel>
#include <functional>

#include "models/session.h"

namespace ph::models {

struct Command {
  QString text, detail, icon;
  std::function<void()> run;
  bool searched = false;  // found by what is typed only, after what is always there
};

class PaletteModel : public QAbstractListModel {
  Q_OBJECT
 public:
  static constexpr int kMax = 40;
  enum Role { DetailRole = Qt::UserRole + 1, IconRole };
  PaletteModel(Session* session, QList<Command> commands, std::function<void(const Subject&)> open,
               QObject* parent = nullptr);

  void setFilter(const QString& text);
  void add(const QList<Command>& commands);  // more of them, that had to be asked for
  void run(int row);
  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 private:
  Session* session_;
  QList<Command> commands_;
  std::function<void(const Subject&)> open_;
  QList<Command> found_;
  QString text_;
};

}  // namespace ph::models
