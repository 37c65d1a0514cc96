// How a ResourceTable is fed: the server's Table, listed and watched, taken apart on a strand.
#include <QPointer>
#include <mutex>
#include <unordered_set>

#include "models/gui_thread.h"
#include "models/json_read.h"
#include "models/path_watch.h"
#include "models/resource_table.h"

namespace ph::models {

struct ResourceTable::Inbox {
  // Held for the moment of putting a batch in or swapping all out.
  std::mutex mutex;
  std::unordered_map<std::string, TableRowPtr> changes;  // each key once; null: gone
  boost::json::array definitions;
  bool told = false, listed = false, up = false;
  Status down;
  // On the strand:
  std::unordered_set<std::string> known, seen;
  std::shared_ptr<PathWatch> watch;
  std::function<void()> tell;

  void wake() {
    {
      std::lock_guard lock(mutex);
      if (std::exchange(told, true)) return;
    }
    tell();
  }

  void page(const boost::json::value& table, bool first, bool last) {
    if (first) seen.clear();
    std::vector<TableRowPtr> rows;
    for (auto& r : json::list(&table, {"rows"})) rows.push_back(TableRow::make(r));
    for (auto& r : rows) seen.emplace(r->key());
    {
      std::lock_guard lock(mutex);
      if (auto& d = json::list(&table, {"columnDefinitions"}); !d.empty()) definitions = d;
      for (auto& r : rows) changes[std::string(r->key())] = r;
      if (last) {
        for (auto& key : known) {
          if (!seen.count(key)) changes[key] = nullptr;
        }
        listed = true;
      }
    }
    if (last)
      known = std::exchange(seen, {});
    else
      known.insert(seen.begin(), seen.end());
    wake();
  }

  void event(std::string_view type, const boost::json::value& table) {
    for (auto& r : json::list(&table, {"rows"})) {
      auto row = TableRow::make(r);
      const std::string key(row->key());
      const bool gone = type == "DELETED";
      if (gone)
        known.erase(key);
      else
        known.insert(key);
      std::lock_guard lock(mutex);
      changes[key] = gone ? nullptr : row;
    }
    wake();
  }
};

ResourceTable::~ResourceTable() {
  stop();
}

void ResourceTable::stop() {
  if (!inbox_) return;
  if (inbox_->watch) inbox_->watch->stop();
  inbox_.reset();
}

void ResourceTable::follow(std::shared_ptr<client::Client> client, std::shared_ptr<Executor> executor,
                           const KindRef& kind, const QString& ns, bool watchable) {
  stop();
  ++generation_;
  computing_ = again_ = false;
  beginResetModel();
  all_.clear();
  shown_.clear();
  if (!(kind == kind_) || ns.isEmpty() != ns_.isEmpty()) {
    definitions_.clear();
    columns_.clear();
  }
  kind_ = kind;
  ns_ = ns;
  endResetModel();
  executor_ = executor;
  problem_.clear();
  phase_ = client ? Phase::Loading : Phase::Offline;
  emit stateChanged();
  if (!client || !executor) return;

  auto inbox = std::make_shared<Inbox>();
  inbox_ = inbox;
  inbox->tell = [self = QPointer<ResourceTable>(this), weak = std::weak_ptr<Inbox>(inbox)] {
    onGui([self, weak] {
      if (!self || self->inbox_ != weak.lock()) return;
      QTimer::singleShot(kFrameMs, self, [self, weak] {
        if (self->inbox_ && self->inbox_ == weak.lock()) self->deliver();
      });
    });
  };
  std::weak_ptr<Inbox> weak = inbox;
  PathWatch::Handlers handlers;
  handlers.onPage = [weak](const boost::json::value& page, bool first, bool last) {
    if (auto inbox = weak.lock()) inbox->page(page, first, last);
  };
  handlers.onEvent = [weak](std::string_view type, const boost::json::value& object) {
    if (auto inbox = weak.lock()) inbox->event(type, object);
  };
  handlers.onState = [weak](bool up, const Status& why) {
    auto inbox = weak.lock();
    if (!inbox) return;
    {
      std::lock_guard lock(inbox->mutex);
      inbox->up = up;
      inbox->down = why;
    }
    inbox->wake();
  };
  PathWatch::Options options;
  options.path = kind.path(ns).toStdString();
  options.listAs = options.watchAs = kAsTable;
  if (!watchable) options.relistEvery = std::chrono::seconds(5);
  inbox->watch = PathWatch::start(std::move(client), executor->strand(), std::move(options), std::move(handlers));
}

void ResourceTable::deliver() {
  std::unordered_map<std::string, TableRowPtr> taken;
  boost::json::array definitions;
  bool listed, up;
  Status down;
  {
    std::lock_guard lock(inbox_->mutex);
    taken.swap(inbox_->changes);
    definitions.swap(inbox_->definitions);
    listed = inbox_->listed;
    up = inbox_->up;
    down = inbox_->down;
    inbox_->told = false;
  }
  setServerColumns(definitions);
  if (up || (phase_ == Phase::Loading && listed)) {
    phase_ = listed ? Phase::Live : Phase::Loading;
    problem_.clear();
  } else if (!down.message.empty()) {
    const bool refused = down.code == 403 || down.code == 404 || down.code == 405;
    phase_ = refused ? Phase::Refused : Phase::Offline;
    problem_ = QString::fromStdString(down.message);
  }
  Changes changes;
  changes.reserve(taken.size());
  for (auto& [key, row] : taken) changes.emplace_back(key, std::move(row));
  if (changes.empty())
    emit stateChanged();
  else
    apply(std::move(changes));
}

}  // namespace ph::models
