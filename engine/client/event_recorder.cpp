#include "engine/client/event_recorder.h"

#include <algorithm>

#include "engine/api/codec.h"

namespace ph::client {

namespace {
constexpr size_t kMaxMessage = 1024;
}

ObjectReference ObjectReference::to(const api::Object& o, std::string fieldPath) {
  return {o.info().apiVersion(), o.info().kind, o.ns(), o.name(), o.uid(),
          std::move(fieldPath),  o.revision()};
}

std::shared_ptr<EventRecorder> EventRecorder::make(Client& client, std::shared_ptr<Executor> strand,
                                                   Options options) {
  return std::make_shared<EventRecorder>(Private{}, client, std::move(strand), std::move(options));
}

EventRecorder::EventRecorder(Private, Client& client, std::shared_ptr<Executor> strand, Options options)
    : client_(client),
      strand_(std::move(strand)),
      options_(std::move(options)),
      events_(client.registry().storage("", "events")) {}

void EventRecorder::event(ObjectReference about, std::string type, std::string reason, std::string message,
                          std::string component) {
  strand_->post([weak = weak_from_this(), about = std::move(about), type = std::move(type),
                 reason = std::move(reason), message = std::move(message),
                 component = std::move(component)]() mutable {
    if (auto self = weak.lock())
      self->record(std::move(about), std::move(type), std::move(reason), std::move(message),
                   std::move(component));
  });
}

void EventRecorder::stop() {
  strand_->post([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->stopped_ = true;
  });
}

bool EventRecorder::allowed(const std::string& object) {
  MonoTime now = strand_->monoNow();
  if (buckets_.size() >= options_.maxKnown && !buckets_.contains(object)) {
    double refill = double(options_.refill.count());
    std::erase_if(buckets_, [&](auto& b) { return double((now - b.second.at).count()) > refill; });
    if (buckets_.size() >= options_.maxKnown) buckets_.clear();
  }
  auto [it, fresh] = buckets_.try_emplace(object);
  Bucket& b = it->second;
  if (fresh)
    b.tokens = options_.burst;
  else
    b.tokens = std::min(double(options_.burst),
                        b.tokens + double((now - b.at).count()) / double(options_.refill.count()));
  b.at = now;
  if (b.tokens < 1) return false;
  b.tokens -= 1;
  return true;
}

void EventRecorder::record(ObjectReference about, std::string type, std::string reason, std::string message,
                           std::string component) {
  if (stopped_ || !events_) return;
  if (component.empty()) component = options_.component;
  if (message.size() > kMaxMessage) message = message.substr(0, kMaxMessage - 3) + "...";
  std::string object = about.kind + "/" + about.ns + "/" + about.name + "/" + about.uid;
  std::string key =
      object + "\n" + component + "\n" + type + "\n" + reason + "\n" + about.fieldPath + "\n" + message;
  if (auto it = byKey_.find(key); it != byKey_.end()) {
    known_.splice(known_.begin(), known_, it->second);
    Known& known = *it->second;
    ++known.count;
    if (known.busy) {
      known.dirty = true;
    } else if (allowed(object)) {
      count(known);
    }
    return;
  }
  if (!allowed(object) || inFlight_ >= options_.maxInFlight) return;
  if (known_.size() >= options_.maxKnown) {
    byKey_.erase(known_.back().key);
    known_.pop_back();
  }
  known_.push_front({});
  Known& known = known_.front();
  known.key = key;
  byKey_[key] = known_.begin();
  create(known, about, type, reason, message, component);
}

void EventRecorder::create(Known& known, const ObjectReference& about, const std::string& type,
                           const std::string& reason, const std::string& message,
                           const std::string& component) {
  known.ns = about.ns.empty() ? "default" : about.ns;
  known.name = about.name + "." + strand_->random().hex(8);
  known.first = formatTime(strand_->wallNow());
  known.count = 1;
  api::JsonObject involved{{"kind", about.kind}, {"name", about.name}, {"apiVersion", about.apiVersion}};
  if (!about.ns.empty()) involved["namespace"] = about.ns;
  if (!about.uid.empty()) involved["uid"] = about.uid;
  if (!about.fieldPath.empty()) involved["fieldPath"] = about.fieldPath;
  if (about.revision) involved["resourceVersion"] = std::to_string(about.revision);
  api::JsonObject source{{"component", component}};
  if (!options_.host.empty()) source["host"] = options_.host;
  api::JsonObject body{{"apiVersion", events_->apiVersion()},
                       {"kind", events_->kind},
                       {"metadata", api::JsonObject{{"name", known.name}, {"namespace", known.ns}}},
                       {"involvedObject", std::move(involved)},
                       {"reason", reason},
                       {"message", message},
                       {"source", std::move(source)},
                       {"firstTimestamp", known.first},
                       {"lastTimestamp", known.first},
                       {"count", 1},
                       {"type", type}};
  Write w;
  w.verb = Verb::Create;
  w.info = events_;
  w.ns = known.ns;
  w.name = known.name;
  w.body = api::toText(std::move(body));
  known.busy = true;
  send(std::move(w), known.key);
}

void EventRecorder::count(Known& known) {
  Write w;
  w.verb = Verb::Patch;
  w.info = events_;
  w.ns = known.ns;
  w.name = known.name;
  w.body =
      api::toText(api::JsonObject{{"count", known.count}, {"lastTimestamp", formatTime(strand_->wallNow())}});
  known.busy = true;
  known.dirty = false;
  send(std::move(w), known.key);
}

void EventRecorder::send(Write write, std::string key) {
  ++inFlight_;
  client_.write(std::move(write),
                [weak = weak_from_this(), strand = strand_, key = std::move(key)](Result<ObjectPtr> r) {
                  strand->post([weak, key, ok = r.ok()] {
                    if (auto self = weak.lock()) self->answered(key, ok);
                  });
                });
}

void EventRecorder::answered(const std::string& key, bool ok) {
  --inFlight_;
  auto it = byKey_.find(key);
  if (it == byKey_.end()) return;
  Known& known = *it->second;
  known.busy = false;
  if (!ok) {  // gone (it expired) or refused: the next one starts afresh
    known_.erase(it->second);
    byKey_.erase(it);
  } else if (known.dirty && !stopped_ && inFlight_ < options_.maxInFlight) {
    count(known);
  }
}

}  // namespace ph::client
