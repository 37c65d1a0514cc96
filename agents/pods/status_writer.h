// StatusWriter: brings each pod's status to the API, the latest only: one write in flight per pod, repeated with back-off while
// the engine is away; and the last delete of a pod that has ended.
// Threads: the node's strand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/api/schema.h"
#include "engine/base/executor.h"
#include "engine/client/client.h"

namespace ph::agents {

class StatusWriter : public std::enable_shared_from_this<StatusWriter> {
 public:
  StatusWriter(client::Client& client, std::shared_ptr<Executor> strand);

  // `status` is the whole wanted pod.status. `delay` lets a status that is soon overtaken never be written.
  void set(const client::ObjectPtr& pod, api::Json status, Duration delay = {});
  // What the API holds now. When someone else changed the pod's phase or a condition of ours (an engine that thought the node
  // lost), it is told again how things are.
  void seen(const client::ObjectPtr& pod);
  // After the newest status is written: delete with grace 0. `gone` is called when the API has it no more.
  void finish(const client::ObjectPtr& pod, std::function<void()> gone);
  void forget(const std::string& uid);
  // The engine is there again: what waits for its next try goes now.
  void retryNow();
  // Called with the object that a write returned.
  void onWritten(std::function<void(client::ObjectPtr)> callback) { onWritten_ = std::move(callback); }
  size_t pending() const;

 private:
  struct Entry {
    std::string ns, name;
    std::string wanted, written;  // JSON texts
    bool busy = false, deleting = false;
    int failures = 0;
    client::ObjectPtr latest;      // seen
    int64_t writtenRevision = 0;   // what is older holds nothing new
    std::function<void()> gone;
    Timer timer;
  };
  void pump(const std::string& uid);
  void correct(const std::string& uid, Entry& entry);
  void writeDelete(const std::string& uid, Entry& entry);
  void retry(const std::string& uid, Entry& entry);

  client::Client& client_;
  std::shared_ptr<Executor> strand_;
  const client::ResourceInfo* info_;
  std::map<std::string, Entry> entries_;
  std::function<void(client::ObjectPtr)> onWritten_;
};

}  // namespace ph::agents
