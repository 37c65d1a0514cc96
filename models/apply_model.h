// ApplyModel: what a set of manifests would do to the cluster, object by object, as the server itself says (a
// server-side apply with dryRun=All), and then the apply, in an order in which each finds what it needs. At most
// kAtOnce questions are under way; the apply sends one after the other. Threads: GUI thread only; files are read and
// answers parsed on executors and carried over.
#pragma once

#include <QAbstractListModel>
#include <QTimer>
#include <memory>

#include "models/actions.h"
#include "models/manifest_files.h"
#include "models/text_diff.h"
#include "models/words.h"

namespace ph {
class Executor;
}
namespace ph::api {
struct ResourceInfo;
}

namespace ph::models {

struct ApplyRow {
  enum class What : uint8_t {
    Checking,
    Make,    // is not there yet
    Change,  // the diff says what
    Same,
    Later,   // can be checked only when what comes before it is there
    Load,    // an image archive
    Wrong,   // can't be applied: `words`
    Applying,
    Made,
    Changed,
    AsItWas,
    Loaded,
    Failed,
    LeftOut,
  };
  ManifestDoc doc;
  QString archive;  // path; then it is no object
  What what = What::Checking;
  QString words;       // what is wrong, or what comes with it
  QStringList takes;   // "spec.replicas, now set by kubectl": fields of others that this takes over
  TextDiff diff;
  bool existed = false;
};

class ApplyModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum class Phase : uint8_t { Reading, Checking, Checked, Applying, Done };
  enum Role { WhatRole = Qt::UserRole + 1, WordsRole, KindRole, PlaceRole, NamespaceRole, ToneRole };
  static constexpr int kAtOnce = 8;
  static constexpr int kWaitForKindMs = 15000;

  ApplyModel(ClusterState* state, Actions* actions, QObject* parent = nullptr);
  ~ApplyModel() override;

  void read(std::shared_ptr<client::Client> client, std::shared_ptr<Executor> executor, const QStringList& paths);
  // For objects that name none. Checks anew.
  void setNamespace(const QString& ns);
  const QString& ns() const { return ns_; }
  void check();
  void apply();   // what is Wrong is left out
  void cancel();  // after the one under way

  Phase phase() const { return phase_; }
  const ApplyRow& row(int row) const { return rows_[size_t(row)]; }
  int count(ApplyRow::What what) const;
  int settled() const;  // rows that the apply is done with
  const QStringList& notes() const { return notes_; }
  QString summary() const;
  QString command() const;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 signals:
  void changed();

 private:
  struct Target;
  void take(ManifestSet set);
  bool target(ApplyRow& row, Target& out);
  void checkNext();
  void checkRow(int row);
  void dryRun(int row, const Target& target, std::optional<boost::json::value> live, bool force);
  void checked(int row, int round, std::optional<boost::json::value> live, const Result<boost::json::value>& dry,
               bool force);
  void refused(int row, const Status& status);
  void applyNext();
  void applied(int row, const Result<boost::json::value>& answer, const boost::json::value& before);
  bool comesWithTheSet(const ManifestDoc& doc) const;
  bool makesNamespace(const QString& ns) const;
  QString namespaceOf(const ManifestDoc& doc, bool namespaced) const;
  void set(int row, ApplyRow::What what, const QString& words = {});
  void finish();
  void send(const char* method, const QString& path, const std::string& body,
            std::function<void(const Result<boost::json::value>&)> done);

  ClusterState* state_;
  Actions* actions_;
  std::shared_ptr<client::Client> client_;
  QString ns_ = QStringLiteral("default");
  QStringList given_, notes_;
  Phase phase_ = Phase::Reading;
  std::vector<ApplyRow> rows_;
  int round_ = 0, next_ = 0, open_ = 0, waited_ = 0;
  bool stop_ = false;
  QTimer wait_;  // until a kind that was just defined is served
  QHash<quint64, std::shared_ptr<void>> handles_;
  quint64 serial_ = 0;
};

QString whatWord(ApplyRow::What what);

}  // namespace ph::models
