// LogModel: the lines of one or several containers' logs, followed live and merged by time. Bounded: the oldest
// lines go past LogStore's limits, and at most kMaxSources are followed at once. A stream that ends is asked
// again from where it ended, less and less often, so that a restarted container's lines come too. Threads: GUI
// thread only; data come on the client's executor and are carried over a few times a second.
#pragma once

#include <QAbstractListModel>
#include <QColor>
#include <QTimer>
#include <memory>

#include "models/cluster_state.h"
#include "models/log_search.h"
#include "models/log_store.h"
#include "models/words.h"

namespace ph {
class Executor;
}
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

struct LogEntry {
  int source = 0;
  int64_t time = 0;  // nanoseconds since the Unix epoch; 0: unknown
  std::string text;
};

class LogModel : public QAbstractListModel {
  Q_OBJECT
 public:
  static constexpr int kMaxSources = 64;
  static constexpr int kMaxLineLength = 16 * 1024;  // longer ones are cut
  static constexpr int kTail = 5000;                // lines of the past to begin with, shared by the sources
  static constexpr int kMinTail = 200;
  enum Role { SourceRole = Qt::UserRole + 1, TimeRole };

  explicit LogModel(QObject* parent = nullptr, uint64_t maxLines = LogStore::kMaxLines,
                    size_t maxBytes = LogStore::kMaxBytes);
  ~LogModel() override;

  void setExecutor(std::shared_ptr<Executor> executor);
  void follow(std::shared_ptr<client::Client> client, const QList<LogSource>& sources);
  // Goes on with what is followed, begins what is new, ends what is not wanted; no line is lost.
  void setSources(const QList<LogSource>& sources);
  void stop();
  // All that were ever followed since follow(): a line's source is its index here.
  const QList<LogSource>& sources() const { return sources_; }
  const QList<LogSource>& wanted() const { return wanted_; }
  // What went wrong, when a stream ended with an error; until lines come again.
  QString problem() const { return problem_; }
  bool live() const { return open_ > 0; }
  bool heard() const { return heard_; }  // some stream has answered: lines, an end, or a second's silence

  void add(int source, const QStringList& lines);  // also the way in for tests
  void append(const std::vector<LogEntry>& entries);
  const LogStore& store() const { return store_; }
  LogSearch* search() { return &search_; }
  // Writes the lines, or only the matching ones, to a file, in the background.
  void save(const QString& path, bool onlyMatching, bool times, std::function<void(const QString& problem)> done);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 signals:
  void stateChanged();
  void trimmed(quint64 lines);  // so many of the oldest went

 private:
  struct Stream;
  void open(const std::shared_ptr<Stream>& stream);
  void ended(const std::shared_ptr<Stream>& stream, const QString& problem, bool forGood);
  void drain();
  void split(Stream& stream, std::string&& taken, bool cut);
  bool unheard() const;

  std::shared_ptr<client::Client> client_;
  std::shared_ptr<Executor> executor_;
  QList<LogSource> sources_, wanted_;
  std::vector<std::shared_ptr<Stream>> streams_;  // one a source; null when it is not followed any more
  LogStore store_;
  LogSearch search_{&store_};
  std::vector<LogEntry> fresh_;
  QString problem_;
  int open_ = 0;
  bool heard_ = false, holding_ = false;
  QTimer drain_, settle_;
};

// "2026-03-14T12:04:35.123456789Z" at the front of a line; 0 when there is none. `length`: how long it is.
int64_t parseStamp(std::string_view line, size_t& length);
// What stands before a line in a file or on the clipboard: its time, its source's label.
QByteArray linePrefix(const QList<LogSource>& sources, const LogLine& line, bool times);
// How bad a line says that it is: "level=error", "WARN", klog's "E1125".
Tone logTone(std::string_view text);
// "12:04:35.123", local time.
QString stampText(int64_t nanoseconds);

}  // namespace ph::models
