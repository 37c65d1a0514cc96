// One request to the API after routing, whoever brought it (HTTP or LocalClient): a verb on a registry entry.
// A kind is a table entry, never a handler. Threads: plain values.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/object.h"
#include "engine/api/selector.h"
#include "engine/base/result.h"

namespace ph::server {

using api::Json;
using api::JsonArray;
using api::JsonObject;
using api::ObjectPtr;
using api::ResourceInfo;

struct User {
  std::string name;
  std::vector<std::string> groups;
  std::string uid;
  std::vector<std::pair<std::string, std::vector<std::string>>> extra;  // of a service account's token: pod name, node...
  bool inGroup(std::string_view group) const {
    for (auto& g : groups)
      if (g == group) return true;
    return false;
  }
};

// The identity of what runs inside the engine (controllers, scheduler, the desktop).
User systemAdmin();
User anonymousUser();

enum class Verb : uint8_t { Get, List, Watch, Create, Update, Patch, Delete, DeleteCollection };
std::string_view verbName(Verb verb);

enum class PatchKind : uint8_t { Json, Merge, Strategic, Apply };
enum class FieldValidation : uint8_t { Ignore, Warn, Strict };
enum class Propagation : uint8_t { Default, Background, Foreground, Orphan };

struct Options {
  std::string labelSelector, fieldSelector;
  int64_t limit = 0;
  std::string continueToken;
  std::string resourceVersion, resourceVersionMatch;
  bool watch = false, allowBookmarks = false, pretty = false, dryRun = false, force = false;
  std::optional<bool> sendInitialEvents;
  int64_t timeoutSeconds = 0;
  FieldValidation fieldValidation = FieldValidation::Warn;
  std::string fieldManager;
  std::string includeObject;  // Table: None, Metadata, Object
  // delete
  std::optional<int64_t> gracePeriodSeconds;
  Propagation propagation = Propagation::Default;
  std::string preconditionUid, preconditionRevision;
};

// From a query's pairs; unknown names are ignored, bad values are 400.
Result<Options> parseOptions(const std::vector<std::pair<std::string, std::string>>& query);
// A DeleteOptions body over what the query said.
Result<> readDeleteOptions(const Json& body, Options& options);

struct ApiRequest {
  Verb verb = Verb::Get;
  const ResourceInfo* info = nullptr;
  std::string ns, name, subresource;
  std::string subpath;  // after nodes/NAME/proxy/
  Options options;
  std::string body;
  std::string contentType;  // empty: JSON; the media type only, lower case
  User user;
  std::string userAgent;  // as sent; the default field manager is made of it
  bool internal = false;  // of the engine's own parts (LocalClient)

  std::string key() const { return ns.empty() ? name : ns + "/" + name; }
};

// What a write answers: an object, or a text (a Status, a Scale, a List).
struct WriteAnswer {
  int code = 200;
  ObjectPtr object;
  std::string text;
  std::vector<std::string> warnings;
};
using WriteDone = std::function<void(Result<WriteAnswer>)>;

// Statuses with Kubernetes' words and details.
Status notFound(const ResourceInfo& info, std::string_view name);
Status alreadyExists(const ResourceInfo& info, std::string_view name);
Status conflict(const ResourceInfo& info, std::string_view name, std::string_view why);
Status forbidden(const ResourceInfo& info, std::string_view name, std::string_view why);
Status staleWrite(const ResourceInfo& info, std::string_view name);  // the modified-object conflict

}  // namespace ph::server
