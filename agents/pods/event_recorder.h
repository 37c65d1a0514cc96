// EventRecorder: Events about the agent's objects, as kubelet writes them. Repetitions raise the count of the first.
// Best effort: a bounded queue, one write in flight, nothing repeated when it fails.
// Threads: the node's strand.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "engine/base/executor.h"
#include "engine/client/client.h"

namespace ph::agents {

struct EventSettings {
  bool enabled = true;
  size_t maxQueued = 256, maxRemembered = 512;
};

class EventRecorder : public std::enable_shared_from_this<EventRecorder> {
 public:
  enum class Type { Normal, Warning };
  EventRecorder(client::Client& client, std::shared_ptr<Executor> strand, std::string host, EventSettings settings = {});

  // `fieldPath`: "spec.containers{web}" for events about a container, else empty.
  void event(const client::ObjectPtr& about, Type type, const std::string& reason, const std::string& message,
             const std::string& fieldPath = {});
  size_t dropped() const { return dropped_; }

 private:
  struct Seen { std::string ns, name; int count = 0; std::list<std::string>::iterator age; };
  void enqueue(client::Write write);
  void pump();

  client::Client& client_;
  std::shared_ptr<Executor> strand_;
  const std::string host_;
  const EventSettings settings_;
  const client::ResourceInfo* info_;
  std::deque<client::Write> queue_;
  bool busy_ = false;
  size_t dropped_ = 0;
  std::map<std::string, Seen> seen_;
  std::list<std::string> ages_;  // oldest first
};

}  // namespace ph::agents
