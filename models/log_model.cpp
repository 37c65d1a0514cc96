#include "models/log_model.h"

#include <QDateTime>
#include <QPointer>
#include <QSaveFile>
#include <QUrl>
#include <algorithm>
#include <atomic>
#include <mutex>

#include "engine/base/executor.h"
#include "engine/client/client.h"
#include "models/gui_thread.h"

namespace ph::models {

namespace {

// Of one stream not yet taken by the GUI; past it the oldest go, so a flood can't fill the memory.
constexpr size_t kMaxPending = 8 * 1024 * 1024;
// Taken apart at a time: about a hundredth of a second of work.
constexpr size_t kMaxDrain = 2 * 1024 * 1024;
constexpr int kDrainMs = 60;
// How long the lines of several sources are held back at the beginning, so that their pasts merge by time.
constexpr int kSettleMs = 600;
constexpr int kFirstRetryMs = 2000, kLastRetryMs = 30000;

}  // namespace

struct LogModel::Stream {
  int source = 0;
  std::mutex mutex;  // held for an append or a swap
  std::string pending;
  bool cut = false;
  std::atomic<bool> woken{false};
  // GUI thread:
  std::string rest;  // an unfinished line
  std::shared_ptr<void> handle;
  bool open = false, heard = false;
  int64_t last = 0;   // time of its newest line
  int64_t after = 0;  // lines up to here were shown by the stream before
  int retryMs = kFirstRetryMs;
};

LogModel::LogModel(QObject* parent, uint64_t maxLines, size_t maxBytes)
    : QAbstractListModel(parent), store_(maxLines, maxBytes) {
  drain_.setSingleShot(true);
  drain_.setInterval(kDrainMs);
  connect(&drain_, &QTimer::timeout, this, &LogModel::drain);
  settle_.setSingleShot(true);
  settle_.setInterval(kSettleMs);
  connect(&settle_, &QTimer::timeout, this, [this] {
    holding_ = false;
    heard_ = true;
    drain();
    emit stateChanged();
  });
}

LogModel::~LogModel() = default;

void LogModel::setExecutor(std::shared_ptr<Executor> executor) {
  executor_ = executor;
  search_.setExecutor(std::move(executor));
}

void LogModel::stop() {
  streams_.clear();
  settle_.stop();
  fresh_.clear();
  wanted_.clear();
  open_ = 0;
}

void LogModel::follow(std::shared_ptr<client::Client> client, const QList<LogSource>& sources) {
  stop();
  beginResetModel();
  store_.clear();
  search_.cleared();
  sources_.clear();
  endResetModel();
  client_ = std::move(client);
  problem_.clear();
  heard_ = false;
  holding_ = sources.size() > 1;
  settle_.start();
  setSources(sources);
}

void LogModel::setSources(const QList<LogSource>& sources) {
  wanted_ = sources.mid(0, kMaxSources);
  for (size_t i = 0; i < streams_.size(); ++i) {
    auto& s = streams_[i];
    if (!s || wanted_.contains(sources_[qsizetype(i)])) continue;
    if (s->open) --open_;
    s.reset();
  }
  for (auto& w : wanted_) {
    qsizetype at = sources_.indexOf(w);
    if (at < 0) {
      at = sources_.size();
      sources_ << w;
      streams_.resize(size_t(sources_.size()));
    }
    auto& stream = streams_[size_t(at)];
    if (stream) continue;
    stream = std::make_shared<Stream>();
    stream->source = int(at);
    open(stream);
  }
  emit stateChanged();
}

void LogModel::open(const std::shared_ptr<Stream>& stream) {
  if (!client_) return;
  ++open_;
  stream->open = true;
  stream->after = stream->last;
  const LogSource& s = sources_[stream->source];
  std::string path = "/api/v1/namespaces/" + s.pod.section('/', 0, 0).toStdString() + "/pods/" +
                     s.pod.section('/', 1).toStdString() + "/log?follow=true&timestamps=true";
  if (stream->last > 0) {
    const QString since = QDateTime::fromMSecsSinceEpoch(stream->last / 1'000'000, Qt::UTC).toString(Qt::ISODate);
    path += "&sinceTime=" + QUrl::toPercentEncoding(since).toStdString();
  } else {
    const int tail = std::max(kMinTail, kTail / std::max(1, int(wanted_.size())));
    path += "&tailLines=" + std::to_string(tail);
  }
  if (!s.container.isEmpty()) path += "&container=" + QUrl::toPercentEncoding(s.container).toStdString();
  QPointer<LogModel> self(this);
  std::weak_ptr<Stream> weak = stream;
  auto wake = [self, weak] {
    auto stream = weak.lock();
    if (!stream || stream->woken.exchange(true)) return;
    onGui([self] {
      if (self && !self->drain_.isActive()) self->drain_.start();
    });
  };
  stream->handle = client_->raw(
      "GET", path, {}, {},
      [weak, wake](std::string_view data) {
        auto stream = weak.lock();
        if (!stream) return;
        {
          std::lock_guard lock(stream->mutex);
          if (stream->pending.size() + data.size() > kMaxPending) {
            stream->pending.clear();
            stream->cut = true;
          }
          stream->pending.append(data.substr(0, kMaxPending));
        }
        wake();
      },
      [self, weak](Result<std::string> r) {
        const QString problem = r.ok() ? QString() : QString::fromStdString(r.status().message);
        const bool forGood = !r.ok() && (r.status().isNotFound() || r.status().code == 403);
        onGui([self, weak, problem, forGood] {
          auto stream = weak.lock();
          if (self && stream) self->ended(stream, problem, forGood);
        });
      });
}

void LogModel::ended(const std::shared_ptr<Stream>& stream, const QString& problem, bool forGood) {
  stream->handle.reset();
  if (stream->open) --open_;
  stream->open = false;
  stream->heard = heard_ = true;
  drain();
  if (!stream->rest.empty()) {
    split(*stream, "\n", false);
    if (!holding_) append(std::exchange(fresh_, {}));
  }
  if (!problem.isEmpty()) problem_ = problem;
  emit stateChanged();
  if (forGood) return;
  QTimer::singleShot(stream->retryMs, this, [this, weak = std::weak_ptr<Stream>(stream)] {
    auto stream = weak.lock();
    if (!stream || stream->open) return;
    open(stream);
    emit stateChanged();
  });
  stream->retryMs = std::min(stream->retryMs * 2, kLastRetryMs);
}

bool LogModel::unheard() const {
  return std::any_of(streams_.begin(), streams_.end(), [](auto& s) { return s && !s->heard; });
}

void LogModel::split(Stream& stream, std::string&& taken, bool cut) {
  const size_t before = fresh_.size();
  if (cut) {
    fresh_.push_back({stream.source, stream.last,
                      tr("… lines were left out: they came faster than they could be shown").toStdString()});
  }
  std::string line;
  auto finish = [&](std::string_view raw) {
    if (!raw.empty() && raw.back() == '\r') raw.remove_suffix(1);
    size_t stamp = 0;
    int64_t time = parseStamp(raw, stamp);
    if (time == 0) time = stream.last;
    if (time > 0 && time <= stream.after) return;  // shown already
    stream.last = time;
    cleanLine(raw.substr(stamp, kMaxLineLength), line);
    fresh_.push_back({stream.source, time, line});
  };
  size_t from = 0;
  for (size_t at; (at = taken.find('\n', from)) != std::string::npos; from = at + 1) {
    if (stream.rest.empty()) {
      finish(std::string_view(taken).substr(from, at - from));
    } else {
      stream.rest.append(taken, from, at - from);
      finish(stream.rest);
      stream.rest.clear();
    }
  }
  stream.rest.append(taken, from);
  if (stream.rest.size() > kMaxLineLength + 64) {
    finish(stream.rest);
    stream.rest.clear();
  }
  if (fresh_.size() > before) {
    stream.retryMs = kFirstRetryMs;
    problem_.clear();
  }
}

void LogModel::drain() {
  size_t budget = kMaxDrain;
  bool more = false;
  const size_t share = std::max<size_t>(kMaxDrain / std::max<size_t>(1, streams_.size()), 32 * 1024);
  for (auto& stream : streams_) {
    if (!stream) continue;
    std::string taken;
    bool cut = false;
    const size_t most = std::min(budget, share);
    {
      std::lock_guard lock(stream->mutex);
      if (stream->pending.size() <= most) {
        taken.swap(stream->pending);
        stream->woken = false;
      } else {
        taken = stream->pending.substr(0, most);
        stream->pending.erase(0, most);
        more = true;
      }
      cut = std::exchange(stream->cut, false);
    }
    budget -= std::min(budget, taken.size());
    if (taken.empty() && !cut) continue;
    stream->heard = heard_ = true;
    split(*stream, std::move(taken), cut);
  }
  if (more) drain_.start();
  if (holding_ && unheard()) return;
  if (holding_ && more) return;
  holding_ = false;
  if (fresh_.empty()) return;
  // What came together is put in order; each source's own lines keep theirs.
  if (sources_.size() > 1)
    std::stable_sort(fresh_.begin(), fresh_.end(), [](auto& a, auto& b) { return a.time < b.time; });
  append(std::exchange(fresh_, {}));
}

void LogModel::append(const std::vector<LogEntry>& entries) {
  if (entries.empty()) return;
  beginInsertRows({}, int(store_.size()), int(store_.size() + entries.size()) - 1);
  for (auto& e : entries) store_.append(e.source, e.time, e.text);
  endInsertRows();
  if (const uint64_t over = store_.excess(); over > 0) {
    beginRemoveRows({}, 0, int(over) - 1);
    store_.dropOldest(over);
    search_.trimmed();
    endRemoveRows();
    emit trimmed(over);
  }
  search_.appended();
  emit stateChanged();
}

void LogModel::add(int source, const QStringList& lines) {
  std::vector<LogEntry> entries;
  entries.reserve(size_t(lines.size()));
  for (auto& l : lines) entries.push_back({source, 0, l.toStdString()});
  append(entries);
}

int LogModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(store_.size());
}

QVariant LogModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  const LogLine line = store_.line(store_.first() + uint64_t(index.row()));
  switch (role) {
    case Qt::DisplayRole:
      return QString::fromUtf8(line.text.data(), qsizetype(line.text.size()));
    case SourceRole:
      return line.source;
    case TimeRole:
      return qint64(line.time);
    default:
      return {};
  }
}

QByteArray linePrefix(const QList<LogSource>& sources, const LogLine& line, bool times) {
  QByteArray out;
  if (times && line.time > 0)
    out += QDateTime::fromMSecsSinceEpoch(line.time / 1'000'000).toString(Qt::ISODateWithMs).toLatin1() + ' ';
  if (line.source < sources.size() && !sources[line.source].label.isEmpty())
    out += sources[line.source].label.toUtf8() + ' ';
  return out;
}

Tone logTone(std::string_view text) {
  // klog: one letter and the date, "E1125 12:04:35".
  if (text.size() > 6 && text[5] == ' ' && std::all_of(text.begin() + 1, text.begin() + 5, [](char c) { return c >= '0' && c <= '9'; })) {
    if (text[0] == 'E' || text[0] == 'F') return Tone::Error;
    if (text[0] == 'W') return Tone::Warn;
  }
  static constexpr std::pair<std::string_view, Tone> kWords[] = {{"error", Tone::Error}, {"err", Tone::Error},
      {"fatal", Tone::Error}, {"panic", Tone::Error}, {"critical", Tone::Error}, {"warning", Tone::Warn}, {"warn", Tone::Warn}};
  const std::string_view head = text.substr(0, 160);
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
  for (size_t at = 0; at < head.size();) {
    if (!letter(head[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < head.size() && letter(head[end])) ++end;
    for (auto& [word, tone] : kWords) {
      if (end - at == word.size() &&
          std::equal(word.begin(), word.end(), head.begin() + std::ptrdiff_t(at), [](char a, char b) { return a == (b | 0x20); }))
        return tone;
    }
    at = end;
  }
  return Tone::Plain;
}

void LogModel::save(const QString& path, bool onlyMatching, bool times,
                    std::function<void(const QString& problem)> done) {
  std::vector<uint64_t> only;
  if (onlyMatching) {
    only.reserve(search_.count());
    for (size_t i = 0; i < search_.count(); ++i) only.push_back(search_.at(i));
  }
  auto job = [path, onlyMatching, times, done, blocks = store_.blocks(), only = std::move(only), sources = sources_] {
    QSaveFile file(path);
    QString problem;
    if (!file.open(QIODevice::WriteOnly)) problem = file.errorString();
    size_t next = 0;
    QByteArray out;
    for (auto& b : blocks) {
      if (!problem.isEmpty()) break;
      out.clear();
      for (int i = 0; i < b->size(); ++i) {
        if (onlyMatching) {
          while (next < only.size() && only[next] < b->first + uint64_t(i)) ++next;
          if (next >= only.size() || only[next] != b->first + uint64_t(i)) continue;
        }
        const LogLine line = b->line(i);
        out += linePrefix(sources, line, times);
        out.append(line.text.data(), qsizetype(line.text.size()));
        out += '\n';
      }
      if (file.write(out) != out.size()) problem = file.errorString();
    }
    if (problem.isEmpty() && !file.commit()) problem = file.errorString();
    onGui([done, problem] { done(problem); });
  };
  if (executor_)
    executor_->post(std::move(job));
  else
    job();
}

int64_t parseStamp(std::string_view s, size_t& length) {
  length = 0;
  auto digits = [&](size_t at, int n) {
    int v = 0;
    for (int i = 0; i < n; ++i) {
      const char c = s[at + size_t(i)];
      if (c < '0' || c > '9') return -1;
      v = v * 10 + (c - '0');
    }
    return v;
  };
  if (s.size() < 21 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':') return 0;
  const int y = digits(0, 4), mo = digits(5, 2), d = digits(8, 2), h = digits(11, 2), mi = digits(14, 2),
            sec = digits(17, 2);
  if (y < 0 || mo < 1 || mo > 12 || d < 1 || h < 0 || mi < 0 || sec < 0) return 0;
  size_t at = 19;
  int64_t nanos = 0;
  if (s[at] == '.') {
    int64_t unit = 100'000'000;
    for (++at; at < s.size() && s[at] >= '0' && s[at] <= '9'; ++at, unit /= 10) nanos += (s[at] - '0') * unit;
  }
  int offset = 0;
  if (at < s.size() && s[at] == 'Z') {
    ++at;
  } else if (at + 6 <= s.size() && (s[at] == '+' || s[at] == '-')) {
    const int oh = digits(at + 1, 2), om = digits(at + 4, 2);
    if (oh < 0 || om < 0) return 0;
    offset = (s[at] == '-' ? -1 : 1) * (oh * 60 + om) * 60;
    at += 6;
  } else {
    return 0;
  }
  if (at < s.size() && s[at] != ' ') return 0;
  // Days since the epoch of a date of the proleptic Gregorian calendar, counted in eras of 400 years.
  const int yy = y - (mo <= 2), era = yy / 400, yoe = yy - era * 400;
  const int doy = (153 * (mo + (mo > 2 ? -3 : 9)) + 2) / 5 + d - 1, doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  const int64_t days = int64_t(era) * 146097 + doe - 719468;
  length = std::min(at + 1, s.size());
  return ((days * 86400 + h * 3600 + mi * 60 + sec) - offset) * 1'000'000'000 + nanos;
}

QString stampText(int64_t nanoseconds) {
  return QDateTime::fromMSecsSinceEpoch(nanoseconds / 1'000'000).toString(QStringLiteral("HH:mm:ss.zzz"));
}

}  // namespace ph::models
