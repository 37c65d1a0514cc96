#include "agents/pods/event_recorder.h"

#include "engine/api/codec.h"

namespace ph::agents {

using api::Json;
using api::JsonObject;

EventRecorder::EventRecorder(client::Client& client, std::shared_ptr<Executor> strand, std::string host, EventSettings settings)
    : client_(client), strand_(std::move(strand)), host_(std::move(host)), settings_(settings),
      info_(client.registry().find("", "v1", "events")) {}

void EventRecorder::event(const client::ObjectPtr& about, Type type, const std::string& reason, const std::string& message,
                          const std::string& fieldPath) {
  if (!settings_.enabled || !info_ || !about) return;
  std::string text = message.substr(0, 1024);  // the API's limit for an event's message
  std::string key = about->uid() + "\n" + reason + "\n" + text + "\n" + fieldPath;
  std::string now = formatTime(strand_->wallNow());
  std::string ns = about->ns().empty() ? "default" : about->ns();
  client::Write write;
  write.info = info_;
  write.ns = ns;
  if (auto it = seen_.find(key); it != seen_.end()) {
    auto& seen = it->second;
    ages_.splice(ages_.end(), ages_, seen.age);
    write.verb = client::Verb::Patch;
    write.name = seen.name;
    write.body = api::toText(Json(JsonObject{{"count", ++seen.count}, {"lastTimestamp", now}}));
    return enqueue(std::move(write));
  }
  std::string name = about->name() + "." + strand_->random().hex(8);
  ages_.push_back(key);
  seen_[key] = {ns, name, 1, std::prev(ages_.end())};
  if (ages_.size() > settings_.maxRemembered) {
    seen_.erase(ages_.front());
    ages_.pop_front();
  }
  JsonObject involved{{"kind", about->info().kind}, {"apiVersion", about->info().apiVersion()}, {"name", about->name()},
                      {"uid", about->uid()}, {"resourceVersion", std::to_string(about->revision())}};
  if (!about->ns().empty()) involved["namespace"] = about->ns();
  if (!fieldPath.empty()) involved["fieldPath"] = fieldPath;
  JsonObject body{{"apiVersion", "v1"},
                  {"kind", "Event"},
                  {"metadata", JsonObject{{"name", name}, {"namespace", ns}}},
                  {"involvedObject", std::move(involved)},
                  {"reason", reason},
                  {"message", text},
                  {"type", type == Type::Normal ? "Normal" : "Warning"},
                  {"source", JsonObject{{"component", "pilothouse-agent"}, {"host", host_}}},
                  {"firstTimestamp", now},
                  {"lastTimestamp", now},
                  {"count", 1},
                  {"reportingComponent", "pilothouse-agent"},
                  {"reportingInstance", host_}};
  write.verb = client::Verb::Create;
  write.body = api::toText(Json(std::move(body)));
  enqueue(std::move(write));
}

void EventRecorder::enqueue(client::Write write) {
  if (queue_.size() >= settings_.maxQueued) {
    ++dropped_;
    return;
  }
  queue_.push_back(std::move(write));
  pump();
}

void EventRecorder::pump() {
  if (busy_ || queue_.empty()) return;
  busy_ = true;
  auto write = std::move(queue_.front());
  queue_.pop_front();
  std::weak_ptr<EventRecorder> weak = weak_from_this();
  client_.write(std::move(write), [weak, strand = strand_](Result<client::ObjectPtr>) {
    strand->post([weak] {
      if (auto self = weak.lock()) {
        self->busy_ = false;
        self->pump();
      }
    });
  });
}

}  // namespace ph::agents
