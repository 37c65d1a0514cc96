#include "models/cluster_feed.h"

#include <QPointer>
#include <QTimer>
#include <mutex>

#include "engine/client/client.h"
#include "engine/client/reflector.h"
#include "models/facts_decode.h"
#include "models/gui_thread.h"

namespace ph::models {

namespace {

// Changes of one kind, each key once: a later one replaces an earlier.
template <class F>
struct Pending {
  FactMap<std::optional<F>> changes;
  void put(F fact) {
    const QString key = fact.key;
    changes[key] = std::move(fact);
  }
  void gone(const QString& key) { changes[key] = std::nullopt; }
  void moveTo(Delta<F>& delta) {
    for (auto& [key, fact] : changes) {
      if (fact)
        delta.put.push_back(std::move(*fact));
      else
        delta.gone.push_back(key);
    }
    changes.clear();
  }
};

}  // namespace

struct ClusterFeed::Inbox {
  // Held for the moment of putting one batch in or swapping all out; never while decoding or painting.
  std::mutex mutex;
  Pending<PodFacts> pods;
  Pending<NodeFacts> nodes;
  Pending<MachineFacts> machines;
  Pending<WorkloadFacts> workloads;
  Pending<ServiceFacts> services;
  Pending<EventFacts> events;
  int unsynced = 0, down = 0;
  bool told = false;

  std::shared_ptr<client::Client> client;  // outlives the reflectors
  std::shared_ptr<Executor> strand;
  FactDecoder decoder;  // on the strand only
  std::vector<std::shared_ptr<client::Reflector>> reflectors;
  std::function<void()> tell;  // wakes the GUI thread; set before the first reflector starts

  void wake() {
    {
      std::lock_guard lock(mutex);
      if (told) return;
      told = true;
    }
    tell();
  }
};

namespace {

QString keyOf(const api::Object& object) {
  return QString::fromStdString(object.key());
}

}  // namespace

ClusterFeed::ClusterFeed(ClusterState* state, std::shared_ptr<client::Client> client,
                         std::shared_ptr<Executor> executor, QObject* parent)
    : QObject(parent), state_(state), inbox_(std::make_shared<Inbox>()) {
  auto inbox = inbox_;
  inbox->client = client;
  inbox->strand = executor->strand();
  inbox->tell = [self = QPointer<ClusterFeed>(this)] {
    onGui([self] {
      if (!self) return;
      const qint64 wait = self->delivered_.isValid() ? kFrameMs - self->delivered_.elapsed() : 0;
      if (wait <= 0) return self->deliver();
      QTimer::singleShot(int(wait), Qt::PreciseTimer, self, [self] { self->deliver(); });
    });
  };
  std::weak_ptr<Inbox> weak = inbox;

  // `decode` and the keys are the kind's; everything else is the same for all.
  auto follow = [&](const char* group, const char* version, const char* plural, auto pending, auto decode,
                    auto keyName) {
    auto* info = client->registry().find(group, version, plural);
    if (!info) return;
    ++inbox->unsynced;
    ++inbox->down;
    client::Reflector::Handlers handlers;
    handlers.onChanges = [weak, pending, decode, keyName](const std::vector<client::Change>& changes) {
      auto inbox = weak.lock();
      if (!inbox) return;
      using F = std::decay_t<decltype((inbox->decoder.*decode)(api::ObjectPtr()))>;
      std::vector<F> put;
      std::vector<QString> gone;
      for (auto& c : changes) {
        if (c.now)
          put.push_back((inbox->decoder.*decode)(c.now));
        else
          gone.push_back(keyName(*c.old));
      }
      {
        std::lock_guard lock(inbox->mutex);
        for (auto& f : put) (inbox.get()->*pending).put(std::move(f));
        for (auto& key : gone) (inbox.get()->*pending).gone(key);
      }
      inbox->wake();
    };
    handlers.onSynced = [weak] {
      if (auto inbox = weak.lock()) {
        {
          std::lock_guard lock(inbox->mutex);
          --inbox->unsynced;
        }
        inbox->wake();
      }
    };
    handlers.onConnected = [weak](bool up) {
      if (auto inbox = weak.lock()) {
        {
          std::lock_guard lock(inbox->mutex);
          inbox->down += up ? -1 : 1;
        }
        inbox->wake();
      }
    };
    inbox->reflectors.push_back(
        client::Reflector::start(*client, *info, inbox->strand, {}, std::move(handlers)));
  };
  auto appKeyOf = [](const api::Object& o) {
    return appKey(QString::fromStdString(o.info().kind), QString::fromStdString(o.ns()),
                  QString::fromStdString(o.name()));
  };
  follow("", "v1", "nodes", &Inbox::nodes, &FactDecoder::node, keyOf);
  follow("fleet.pilothouse.io", "v1", "machines", &Inbox::machines, &FactDecoder::machine, keyOf);
  follow("apps", "v1", "deployments", &Inbox::workloads, &FactDecoder::deployment, appKeyOf);
  follow("", "v1", "services", &Inbox::services, &FactDecoder::service, keyOf);
  follow("", "v1", "pods", &Inbox::pods, &FactDecoder::pod, keyOf);
  follow("", "v1", "events", &Inbox::events, &FactDecoder::event, keyOf);
}

ClusterFeed::~ClusterFeed() {
  for (auto& r : inbox_->reflectors) r->stop();
  // What is on the strand already still uses the client: the inbox, which holds it, goes after that.
  inbox_->strand->post([inbox = inbox_] {});
}

void ClusterFeed::deliver() {
  Diff diff;
  int unsynced, down;
  {
    // Swapped out under the lock, taken apart after it.
    Pending<PodFacts> pods;
    Pending<NodeFacts> nodes;
    Pending<MachineFacts> machines;
    Pending<WorkloadFacts> workloads;
    Pending<ServiceFacts> services;
    Pending<EventFacts> events;
    {
      std::lock_guard lock(inbox_->mutex);
      std::swap(pods, inbox_->pods);
      std::swap(nodes, inbox_->nodes);
      std::swap(machines, inbox_->machines);
      std::swap(workloads, inbox_->workloads);
      std::swap(services, inbox_->services);
      std::swap(events, inbox_->events);
      unsynced = inbox_->unsynced;
      down = inbox_->down;
      inbox_->told = false;
    }
    pods.moveTo(diff.pods);
    nodes.moveTo(diff.nodes);
    machines.moveTo(diff.machines);
    workloads.moveTo(diff.workloads);
    services.moveTo(diff.services);
    events.moveTo(diff.events);
  }
  if (!diff.empty()) state_->apply(std::move(diff));
  delivered_.start();
  if (unsynced > 0) return;
  state_->setLink(down > 0 && state_->link() != Link::Loading ? Link::Offline : Link::Live);
}

}  // namespace ph::models
