// Client: the one door to a cluster's API. LocalClient (engine/server, in-process: same admission, no HTTP), HttpClient
// (here: the agent, tools, remote engines) and the desktop's remote connection implement it.
// Threads: calls from any thread, never blocking. Callbacks come on the executor the client was made with (document yours).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/object.h"
#include "engine/base/result.h"

namespace ph::client {

using api::ObjectPtr;
using api::ResourceInfo;
template <class T> using Callback = std::function<void(Result<T>)>;

struct ListOptions {
  std::string ns;             // empty: all namespaces (or cluster-scoped)
  std::string labelSelector, fieldSelector;
  int64_t limit = 0;
  std::string continueToken;
};

struct ListResult {
  std::vector<ObjectPtr> items;
  int64_t revision = 0;
  std::string continueToken;
};

enum class Verb { Create, Update, Patch, Delete };
enum class PatchType { Merge, Json, Strategic, Apply };
enum class Propagation { Default, Background, Foreground, Orphan };

// One write. In a plan, preconditions make it safe against anything that changed since the snapshot.
struct Write {
  Verb verb = Verb::Create;
  const ResourceInfo* info = nullptr;
  std::string ns, name;       // name empty on create: taken from the body (or generateName)
  std::string subresource;    // "status", "binding", "scale"...
  std::string body;           // JSON; empty for delete
  PatchType patchType = PatchType::Merge;
  // Preconditions; empty / 0: none. On create neither applies.
  std::string uid;
  int64_t revision = 0;
  std::optional<int64_t> gracePeriodSeconds;  // delete
  Propagation propagation = Propagation::Default;
  bool dryRun = false;
  std::string fieldManager = "pilothouse";
};

enum class EventType { Added, Modified, Deleted, Bookmark };
struct WatchEvent {
  EventType type = EventType::Added;
  ObjectPtr object;           // for Bookmark: null
  int64_t revision = 0;
};

struct WatchOptions {
  std::string ns, labelSelector, fieldSelector;
  int64_t revision = 0;       // events after this one
};

// Dropping it ends the watch; an event may still be in delivery on another thread.
class Watch {
 public:
  virtual ~Watch() = default;
};

class Client {
 public:
  virtual ~Client() = default;
  virtual const api::Registry& registry() const = 0;
  virtual void get(const ResourceInfo& info, std::string ns, std::string name, Callback<ObjectPtr> done) = 0;
  virtual void list(const ResourceInfo& info, ListOptions options, Callback<ListResult> done) = 0;
  virtual void write(Write write, Callback<ObjectPtr> done) = 0;
  // Many writes, committed as a group where the server can; each succeeds or fails by itself, results in order.
  virtual void writeAll(std::vector<Write> writes, std::function<void(std::vector<Result<ObjectPtr>>)> done) = 0;
  // `onEvents` gets batches in order; `onEnd` comes once, last (410 Expired: list again; others: try again with back-off).
  virtual std::unique_ptr<Watch> watch(const ResourceInfo& info, WatchOptions options,
                                       std::function<void(std::vector<WatchEvent>)> onEvents,
                                       std::function<void(Status)> onEnd) = 0;
  // Anything else of the API: a raw request (GET pods/x/log...), the answer whole or in pieces. `onData` may be null.
  // `contentType` is the body's; of a GET it is the form wanted (Accept). Returns a handle; dropping it cancels.
  virtual std::shared_ptr<void> raw(std::string method, std::string pathAndQuery, std::string body, std::string contentType,
                                    std::function<void(std::string_view)> onData, Callback<std::string> done) = 0;
};

}  // namespace ph::client
