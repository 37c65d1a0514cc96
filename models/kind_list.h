// KindList: the kinds that the server has, custom ones too, as its discovery names them, in groups that people
// know: a list with headings, filtered by text. Threads: GUI thread only; discovery is read on the client's executor.
#pragma once

#include <QAbstractListModel>
#include <memory>

#include "models/object_ref.h"

namespace ph::client {
class Client;
}

namespace ph::models {

struct KindInfo {
  KindRef kind;
  QStringList shortNames;
  bool watchable = true;
  QString group;  // heading
  int order = 0;  // of the heading
  bool operator==(const KindInfo&) const = default;
};

class KindList : public QAbstractListModel {
  Q_OBJECT
 public:
  enum Role { HeadingRole = Qt::UserRole + 1, KindRole, DetailRole };
  explicit KindList(QObject* parent = nullptr);
  ~KindList() override;

  void setClient(std::shared_ptr<client::Client> client);
  void refresh();  // asks again: definitions may have come
  bool loading() const { return asked_ != nullptr; }
  QString problem() const { return problem_; }
  void setFilter(const QString& text);

  const QList<KindInfo>& kinds() const { return kinds_; }
  void setKinds(QList<KindInfo> kinds);  // what discovery found; also the way in for tests
  const KindInfo* at(int row) const;     // null for a heading
  int rowOf(const KindRef& kind) const;
  const KindInfo* find(const QString& plural, const QString& group) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;

 signals:
  void changed();

 private:
  struct Asked;
  struct Row {
    int kind;  // -1: a heading
    QString heading;
  };
  void filter();

  std::shared_ptr<client::Client> client_;
  std::shared_ptr<Asked> asked_;
  QList<KindInfo> kinds_;
  QList<Row> rows_;
  QString text_, problem_;
};

// From an APIResourceList of discovery: what can be listed.
QList<KindInfo> kindsOf(const std::string& apiResourceList);

}  // namespace ph::models
