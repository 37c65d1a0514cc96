// EventRecorder: what happened to an object, written as a core/v1 Event for users to read. Best effort and
// bounded: a repeated event raises the count of the first one; an object that has too much to say (25 at
// once, then one in 5 minutes) is cut short, as are events beyond maxInFlight. Threads: event() from any
// thread; everything else happens on `strand`.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "engine/base/executor.h"
#include "engine/client/client.h"

namespace ph::client {

struct ObjectReference {
  std::string apiVersion, kind, ns, name, uid, fieldPath;
  int64_t revision = 0;
  static ObjectReference to(const api::Object& object, std::string fieldPath = {});
};

class EventRecorder : public std::enable_shared_from_this<EventRecorder> {
  struct Private {};

 public:
  struct Options {
    std::string component;  // source.component: "deployment-controller", "default-scheduler"...
    std::string host;       // source.host; empty: none
    int burst = 25;         // per object
    Duration refill = std::chrono::minutes(5);
    size_t maxKnown = 4096;     // remembered events and objects
    size_t maxInFlight = 1000;  // writes not yet answered
  };
  // `client` must outlive stop() (and the answers of what was sent before it).
  static std::shared_ptr<EventRecorder> make(Client& client, std::shared_ptr<Executor> strand,
                                             Options options);
  EventRecorder(Private, Client& client, std::shared_ptr<Executor> strand, Options options);

  // `type` is "Normal" or "Warning". `component` overrides the options'. Never blocks, never fails.
  void event(ObjectReference about, std::string type, std::string reason, std::string message,
             std::string component = {});
  void stop();

 private:
  struct Known {
    std::string key, ns, name;  // of the Event
    std::string first;          // firstTimestamp
    int count = 0;
    bool busy = false, dirty = false;
  };
  struct Bucket {
    double tokens = 0;
    MonoTime at{};
  };
  void record(ObjectReference about, std::string type, std::string reason, std::string message,
              std::string component);
  bool allowed(const std::string& object);
  void create(Known& known, const ObjectReference& about, const std::string& type, const std::string& reason,
              const std::string& message, const std::string& component);
  void count(Known& known);
  void answered(const std::string& key, bool ok);
  void send(Write write, std::string key);

  Client& client_;
  const std::shared_ptr<Executor> strand_;
  const Options options_;
  const ResourceInfo* events_;
  std::list<Known> known_;  // newest first
  std::unordered_map<std::string, std::list<Known>::iterator> byKey_;
  std::unordered_map<std::string, Bucket> buckets_;
  size_t inFlight_ = 0;
  bool stopped_ = false;
};

}  // namespace ph::client
