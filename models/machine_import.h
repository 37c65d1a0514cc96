// Many machines at once: out of an SSH client's configuration, out of a pasted list, out of a range. What can't be
// added is kept, with the reason. The configuration is read as ssh_config(5) tells: the first value found wins, Host
// patterns with * ? and !, Include with patterns; Match blocks are passed over. Threads: pure but for
// machinesOfSshConfig, which reads files and so belongs on an executor.
#pragma once

#include <QAbstractTableModel>
#include <QStringList>

#include "models/cluster_state.h"
#include "models/forms.h"

namespace ph::models {

struct ImportedMachine {
  MachineForm form;
  QString source;   // "~/.ssh/config:12", "line 3"
  QString problem;  // why it can't be added; empty: it can
  QString note;
  bool chosen = true;
};

constexpr int kMaxImported = 500;
constexpr int kMaxIncludes = 64;  // files
constexpr int kIncludeDepth = 16;  // as ssh has it

// "10.0.0.[1-8]", "pi-[01-12].lab", "[a,b]-[1-2]": each of them. A bracket holds numbers, ranges of numbers and words,
// parted by commas; a range keeps the first number's width.
QStringList expandRange(const QString& pattern, QString* problem);

// A line each: "[USER@]HOST[:PORT] [NAME]", HOST may be a range, "#" begins a comment. What a line lacks is the
// defaults'.
QList<ImportedMachine> machinesOfList(const QString& text, const MachineForm& defaults);

struct SshConfigAnswer {
  QList<ImportedMachine> machines;
  QString problem;    // the file itself can't be read
  QStringList notes;  // lines passed over
};
SshConfigAnswer machinesOfSshConfig(const QString& path, const QString& home);
// The same from a text, whose includes are read from `home`/.ssh.
SshConfigAnswer machinesOfSshText(const QString& text, const QString& shown, const QString& home);

// The imported as a table with boxes to choose by: name, login, what is to be said.
class MachineImportModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Name, Login, Note, Columns };
  enum Role { ProblemRole = Qt::UserRole + 1 };
  explicit MachineImportModel(ClusterState* state, QObject* parent = nullptr);
  // Says of what is there already, or stands there twice, that it can't be added.
  void set(QList<ImportedMachine> machines);
  const ImportedMachine& machine(int row) const { return machines_[row]; }
  QList<MachineForm> chosen() const;
  void chooseAll(bool on);
  // Takes the chosen ones out: they are on their way.
  void drop(const QStringList& names);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role) override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;

 signals:
  void choiceChanged();

 private:
  ClusterState* state_;
  QList<ImportedMachine> machines_;
};

}  // namespace ph::models
