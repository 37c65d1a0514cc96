#include "models/session.h"

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
  actions.setClient(client);
  feed_ = std::make_unique<ClusterFeed>(&state, client, std::move(executor));
  load.start(std::move(client));
}

void Session::disconnectFrom() {
  load.stop();
  feed_.reset();
  actions.setClient(nullptr);
  client_.reset();
}

void Session::setPlace(const Place& place) {
  place_ = place;
  emit placeChanged();
}

}  // namespace ph::models
