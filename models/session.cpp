#include "models/session.h"

#include "engine/base/executor.h"
#include "models/cluster_feed.h"

namespace ph::models {

Session::Session(QObject* parent) : QObject(parent) {
  map.setLoad(&load);
  connect(&scale, &ScalePreview::released, this,
          [this](const QString& app, int copies) { actions.scale(app, copies); });
}

Session::~Session() {
  disconnectFrom();
}

void Session::connectTo(std::shared_ptr<client::Client> client, std::shared_ptr<Executor> executor) {
  client_ = client;
  executor_ = executor;
  actions.setClient(client);
  scale.setClient(client);
  feed_ = std::make_unique<ClusterFeed>(&state, client, std::move(executor));
  load.start(std::move(client));
  emit connectionChanged();
}

void Session::disconnectFrom() {
  load.stop();
  feed_.reset();
  actions.setClient(nullptr);
  scale.setClient(nullptr);
  // A drain can't go on without its client.
  qDeleteAll(drains_);
  drains_.clear();
  client_.reset();
  executor_.reset();
  emit connectionChanged();
}

void Session::inBackground(std::function<void()> work) {
  executor_ ? executor_->post(std::move(work)) : work();
}

DrainModel* Session::drain(const QString& node) {
  auto*& one = drains_[node];
  if (!one) one = new DrainModel(&state, &actions, this);
  return one;
}

void Session::setPlace(const Place& place) {
  place_ = place;
  emit placeChanged();
}

}  // namespace ph::models
