#include "models/node_load.h"

#include <QCoreApplication>
#include <QPointer>
#include <boost/json.hpp>

#include "engine/client/client.h"
#include "models/json_read.h"

namespace ph::models {

NodeLoad::NodeLoad(ClusterState* state, QObject* parent) : QObject(parent), state_(state) {
  timer_.setInterval(kEveryMs);
  connect(&timer_, &QTimer::timeout, this, &NodeLoad::round);
  tell_.setSingleShot(true);
  tell_.setInterval(100);  // answers of one round are shown together
  connect(&tell_, &QTimer::timeout, this, &NodeLoad::changed);
}

NodeLoad::~NodeLoad() = default;

void NodeLoad::start(std::shared_ptr<client::Client> client) {
  client_ = std::move(client);
  timer_.start();
  QTimer::singleShot(300, this, &NodeLoad::round);
}

void NodeLoad::stop() {
  timer_.stop();
  asking_.clear();
  queue_.clear();
  client_.reset();
}

const Load* NodeLoad::of(const QString& node) const {
  auto it = loads_.find(node);
  return it == loads_.end() || state_->now() - it->at > 20000 ? nullptr : &*it;
}

void NodeLoad::put(const QString& node, Load load) {
  loads_[node] = load;
  if (!tell_.isActive()) tell_.start();
}

void NodeLoad::round() {
  if (!client_) return;
  for (auto it = loads_.begin(); it != loads_.end();) {
    it = state_->node(it.key()) ? std::next(it) : loads_.erase(it);
  }
  if (!queue_.isEmpty()) return;  // still busy with the last round
  for (auto& [key, node] : state_->nodes()) {
    if (node.ready && !asking_.contains(key)) queue_ << key;
  }
  next();
}

void NodeLoad::next() {
  while (client_ && !queue_.isEmpty() && asking_.size() < kAtOnce) {
    const QString node = queue_.takeFirst();
    QPointer<NodeLoad> self(this);
    auto done = [self, node](Result<std::string> answer) {
      std::optional<Load> load;
      if (answer.ok()) {
        boost::system::error_code failed;
        const auto tree = boost::json::parse(*answer, failed);
        if (!failed) {
          Load l;
          l.cpuMilli = json::number(&tree, {"node", "cpu", "usageNanoCores"}) / 1000000;
          l.memoryBytes = json::number(&tree, {"node", "memory", "workingSetBytes"});
          if (json::find(&tree, {"node", "cpu", "usageNanoCores"})) load = l;
        }
      }
      QMetaObject::invokeMethod(
          qApp,
          [self, node, load]() mutable {
            if (!self) return;
            self->asking_.remove(node);
            if (load) {
              load->at = self->state_->now();
              self->put(node, *load);
            }
            self->next();
          },
          Qt::QueuedConnection);
    };
    asking_[node] = nullptr;
    asking_[node] = client_->raw("GET", "/api/v1/nodes/" + node.toStdString() + "/proxy/stats/summary", {},
                                 {}, nullptr, std::move(done));
  }
}

}  // namespace ph::models
