#include "agents/node/lease_keeper.h"

#include <algorithm>
#include <chrono>

#include "engine/api/codec.h"
#include "engine/base/log.h"

namespace ph::agents {

using api::Json;
using api::JsonArray;
using api::JsonObject;

LeaseKeeper::LeaseKeeper(client::Client& client, std::shared_ptr<Executor> strand, std::string node, Duration duration)
    : client_(client), strand_(std::move(strand)), node_(std::move(node)), duration_(duration),
      info_(client.registry().find("coordination.k8s.io", "v1", "leases")) {}

void LeaseKeeper::start(std::string nodeUid) {
  bool fresh = nodeUid_.empty();
  nodeUid_ = std::move(nodeUid);
  if (fresh) renew();
}

void LeaseKeeper::renew() {
  if (stopped_ || busy_) return;
  busy_ = true;
  began_ = strand_->monoNow();
  client::Write write;
  write.verb = client::Verb::Patch;
  write.info = info_;
  write.ns = "kube-node-lease";
  write.name = node_;
  int seconds = std::max<int>(1, int(duration_ / std::chrono::seconds(1)));
  write.body = api::toText(Json(JsonObject{{"spec", JsonObject{{"holderIdentity", node_}, {"leaseDurationSeconds", seconds}, {"renewTime", formatMicroTime(strand_->wallNow())}}}}));
  std::weak_ptr<LeaseKeeper> weak = weak_from_this();
  client_.write(std::move(write), [weak, strand = strand_](Result<client::ObjectPtr> result) {
    strand->post([weak, result = std::move(result)] {
      auto self = weak.lock();
      if (!self || self->stopped_) return;
      if (!result.ok() && result.status().isNotFound()) return self->create();
      if (!result.ok()) PH_LOG(Debug, "lease", "{}: {}", self->node_, result.status().message);
      self->settle(result.ok());
    });
  });
}

void LeaseKeeper::create() {
  client::Write write;
  write.verb = client::Verb::Create;
  write.info = info_;
  write.ns = "kube-node-lease";
  int seconds = std::max<int>(1, int(duration_ / std::chrono::seconds(1)));
  JsonObject owner{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node_}, {"uid", nodeUid_}};
  JsonObject body{{"apiVersion", "coordination.k8s.io/v1"},
                  {"kind", "Lease"},
                  {"metadata", JsonObject{{"name", node_}, {"namespace", "kube-node-lease"}, {"ownerReferences", JsonArray{std::move(owner)}}}},
                  {"spec", JsonObject{{"holderIdentity", node_}, {"leaseDurationSeconds", seconds}, {"renewTime", formatMicroTime(strand_->wallNow())}}}};
  write.body = api::toText(Json(std::move(body)));
  std::weak_ptr<LeaseKeeper> weak = weak_from_this();
  client_.write(std::move(write), [weak, strand = strand_](Result<client::ObjectPtr> result) {
    strand->post([weak, result = std::move(result)] {
      auto self = weak.lock();
      if (!self || self->stopped_) return;
      if (!result.ok()) PH_LOG(Warn, "lease", "{}: {}", self->node_, result.status().message);
      self->settle(result.ok());
    });
  });
}

void LeaseKeeper::settle(bool ok) {
  busy_ = false;
  auto now = strand_->monoNow();
  if (ok) {
    bool back = !everOk_ || now - lastOk_ > duration_ / 2;
    everOk_ = true;
    lastOk_ = now;
    if (back && onBack_) onBack_();
  }
  // A failed renewal is tried again sooner, a little at random: a thousand nodes must not come back as one.
  auto period = ok ? duration_ / 4 : duration_ / 8;
  auto next = period - (now - began_);
  auto jitter = Duration(int64_t(double((period / 10).count()) * strand_->random().unit()));
  std::weak_ptr<LeaseKeeper> weak = weak_from_this();
  timer_ = strand_->after(std::max(next, period / 4) - jitter, [weak] {
    if (auto self = weak.lock()) self->renew();
  });
}

}  // namespace ph::agents
