// LogModel: the lines of one or several containers' logs, followed live. Bounded: the oldest lines go when
// there are more than kMaxLines, and at most kMaxSources are followed at once. Threads: GUI thread only; data
// come on the client's executor and are carried over a few times a second.
#pragma once

#include <QAbstractListModel>
#include <QColor>
#include <QTimer>
#include <deque>
#include <memory>

#include "models/cluster_state.h"

namespace ph::client {
class Client;
}

namespace ph::models {

struct LogSource {
  QString pod;        // "ns/name"
  QString container;  // empty: the only one
  QString label;      // what stands before its lines; empty: nothing
  bool operator==(const LogSource&) const = default;
};

class LogModel : public QAbstractListModel {
  Q_OBJECT
 public:
  static constexpr int kMaxLines = 50000;
  static constexpr int kMaxSources = 10;
  static constexpr int kMaxLineLength = 16 * 1024;  // longer ones are cut
  static constexpr int kTail = 500;                 // lines of the past to begin with
  enum Role { SourceRole = Qt::UserRole + 1 };

  explicit LogModel(QObject* parent = nullptr);
  ~LogModel() override;

  void follow(std::shared_ptr<client::Client> client, const QList<LogSource>& sources);
  void stop();
  const QList<LogSource>& sources() const { return sources_; }
  // What went wrong, when a stream ended with an error.
  QString problem() const { return problem_; }
  bool live() const { return open_ > 0; }
  void add(int source, const QStringList& lines);  // also the way in for tests

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 signals:
  void stateChanged();

 private:
  struct Stream;
  struct Line {
    int source;
    QString text;
  };
  void open(int source);
  void drain();

  std::shared_ptr<client::Client> client_;
  QList<LogSource> sources_;
  std::vector<std::shared_ptr<Stream>> streams_;
  std::deque<Line> lines_;
  QString problem_;
  int open_ = 0;
  QTimer drain_;
};

}  // namespace ph::models
