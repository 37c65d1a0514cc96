#include "models/log_model.h"

#include <QPointer>
#include <QUrl>
#include <atomic>
#include <mutex>

#include "engine/client/client.h"
#include "models/gui_thread.h"

namespace ph::models {

namespace {
// Of one stream not yet taken by the GUI; past it the oldest go, so a flood can't fill the memory.
constexpr size_t kMaxPending = 8 * 1024 * 1024;
}  // namespace

struct LogModel::Stream {
  int source = 0;
  std::mutex mutex;  // held for an append or a swap
  std::string pending;
  bool cut = false;
  std::atomic<bool> woken{false};
  std::string rest;  // GUI thread: an unfinished line
  std::shared_ptr<void> handle;
};

LogModel::LogModel(QObject* parent) : QAbstractListModel(parent) {
  drain_.setSingleShot(true);
  drain_.setInterval(60);
  connect(&drain_, &QTimer::timeout, this, &LogModel::drain);
}

LogModel::~LogModel() = default;

void LogModel::stop() {
  streams_.clear();
  open_ = 0;
}

void LogModel::follow(std::shared_ptr<client::Client> client, const QList<LogSource>& sources) {
  stop();
  beginResetModel();
  lines_.clear();
  endResetModel();
  client_ = std::move(client);
  sources_ = sources.mid(0, kMaxSources);
  problem_.clear();
  for (int i = 0; i < sources_.size(); ++i) open(i);
  emit stateChanged();
}

void LogModel::open(int source) {
  auto stream = std::make_shared<Stream>();
  stream->source = source;
  streams_.push_back(stream);
  if (!client_) return;
  ++open_;
  const LogSource& s = sources_[source];
  std::string path = "/api/v1/namespaces/" + s.pod.section('/', 0, 0).toStdString() + "/pods/" +
                     s.pod.section('/', 1).toStdString() +
                     "/log?follow=true&tailLines=" + std::to_string(kTail);
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
        onGui([self, weak, problem] {
          auto stream = weak.lock();
          if (!self || !stream) return;
          self->drain();
          if (!stream->rest.empty()) {
            self->add(stream->source, {QString::fromStdString(stream->rest)});
            stream->rest.clear();
          }
          self->open_ = std::max(0, self->open_ - 1);
          if (!problem.isEmpty()) self->problem_ = problem;
          emit self->stateChanged();
        });
      });
}

void LogModel::drain() {
  for (auto& stream : streams_) {
    std::string taken;
    bool cut;
    {
      std::lock_guard lock(stream->mutex);
      taken.swap(stream->pending);
      cut = std::exchange(stream->cut, false);
    }
    stream->woken = false;
    QStringList lines;
    if (cut) lines << tr("… lines were left out: they came faster than they could be shown");
    std::string& rest = stream->rest;
    size_t from = 0;
    for (size_t at; (at = taken.find('\n', from)) != std::string::npos; from = at + 1) {
      rest.append(taken, from, at - from);
      if (!rest.empty() && rest.back() == '\r') rest.pop_back();
      lines << QString::fromUtf8(rest.data(), qsizetype(std::min<size_t>(rest.size(), kMaxLineLength)));
      rest.clear();
    }
    rest.append(taken, from);
    if (rest.size() > kMaxLineLength) {
      lines << QString::fromUtf8(rest.data(), kMaxLineLength);
      rest.clear();
    }
    if (!lines.isEmpty()) add(stream->source, lines);
  }
}

void LogModel::add(int source, const QStringList& lines) {
  const int fresh = std::min<int>(int(lines.size()), kMaxLines);
  const int over = int(lines_.size()) + fresh - kMaxLines;
  if (over > 0) {
    beginRemoveRows({}, 0, over - 1);
    lines_.erase(lines_.begin(), lines_.begin() + over);
    endRemoveRows();
  }
  beginInsertRows({}, int(lines_.size()), int(lines_.size()) + fresh - 1);
  for (int i = int(lines.size()) - fresh; i < lines.size(); ++i) lines_.push_back({source, lines[i]});
  endInsertRows();
}

int LogModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(lines_.size());
}

QVariant LogModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= int(lines_.size())) return {};
  auto& line = lines_[size_t(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return line.text;
    case SourceRole:
      return line.source;
    default:
      return {};
  }
}

}  // namespace ph::models
