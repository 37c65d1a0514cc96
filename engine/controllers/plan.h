// Plan: what a reconcile function wants done: writes with preconditions, what to tell the user about them,
// and when to look again. Functions that make plans are pure: they read a Snapshot and a Moment, nothing
// else. Threads: plain values.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/api/codec.h"
#include "engine/base/time.h"
#include "engine/client/client.h"
#include "engine/client/event_recorder.h"

namespace ph::controllers {

using api::Json;
using api::JsonArray;
using api::JsonObject;
using api::ObjectPtr;
using api::ResourceInfo;
using client::Write;

// Both clocks at once: wall time for what objects say, monotonic time for what we saw ourselves.
struct Moment {
  WallTime wall{};
  MonoTime mono{};
};

struct Key {
  std::string text;       // "NS/NAME" or "NAME"; some controllers have keys of their own making
  std::string ns, name;   // its parts; ns is empty for cluster-scoped kinds
  int failures = 0;       // plans of this key that failed in a row: be careful with the next one
  std::string lastError;  // why, when it was not a mere conflict
  static Key parse(std::string text) {
    Key k;
    auto slash = text.find('/');
    if (slash != text.npos) k.ns = text.substr(0, slash);
    k.name = slash == text.npos ? text : text.substr(slash + 1);
    k.text = std::move(text);
    return k;
  }
};

// An Event about an object. To a step's note the runner appends the written object's name (unless `whole`),
// or why the write failed.
struct Note {
  client::ObjectReference about;
  std::string type, reason, message;
  bool whole = false;
};

struct Step {
  Write write;
  std::optional<Note> ok, failed;

  // Told as SuccessfulWHAT or FailedWHAT; the runner ends both messages.
  void tell(const client::ObjectReference& about, const std::string& what, std::string done, std::string notDone) {
    ok = Note{about, "Normal", "Successful" + what, std::move(done)};
    failed = Note{about, "Warning", "Failed" + what, std::move(notDone)};
  }
};

// Which state a status may be written onto: the newest, by whoever alone writes it, or only the one it was made from.
enum class Onto { Newest, Same };

// Asked of the API itself, not the snapshot, just before the steps go out: this object (uid) must be gone;
// without a name, the namespace must hold none of this kind. Else the plan is dropped and made again later.
struct Absence {
  const ResourceInfo* info = nullptr;
  std::string ns, name, uid;
};

struct Plan {
  std::vector<Absence> absences;
  std::vector<Step> steps;
  std::vector<Note> notes;        // told when all steps went well
  std::optional<Duration> again;  // look again after this time at the latest

  bool empty() const { return steps.empty(); }
  void lookAgain(Duration after) {
    after = std::max<Duration>(after, std::chrono::milliseconds(1));
    if (!again || after < *again) again = after;
  }

  // The name is the body's metadata.name or generateName.
  Step& create(const ResourceInfo* info, const std::string& ns, const Json& body) {
    Step& s = steps.emplace_back();
    s.write.verb = client::Verb::Create;
    s.write.info = info;
    s.write.ns = ns;
    s.write.body = api::toText(body);
    return s;
  }
  // A merge patch that holds only if `object` has not changed since.
  Step& patch(const api::Object& object, const Json& body, std::string subresource = {}) {
    Step& s = patchNewest(object, body, std::move(subresource));
    s.write.revision = object.revision();
    return s;
  }
  // A merge patch that holds whatever else has changed, as long as it is still the same object (uid).
  Step& patchNewest(const api::Object& object, const Json& body, std::string subresource = {}) {
    Step& s = steps.emplace_back();
    s.write.verb = client::Verb::Patch;
    s.write.info = &object.info();
    s.write.ns = object.ns();
    s.write.name = object.name();
    s.write.subresource = std::move(subresource);
    s.write.patchType = client::PatchType::Merge;
    s.write.body = api::toText(body);
    s.write.uid = object.uid();
    return s;
  }
  // Makes the object's status `after`, where that differs from `before`.
  template <class Status>
  void patchStatus(const api::Object& object, const Status& before, const Status& after, Onto onto = Onto::Newest) {
    patchStatusTrees(object, api::toJson(before), api::toJson(after), onto);
  }
  void patchStatusTrees(const api::Object& object, const Json& before, Json after, Onto onto);
  // Deletes this very object (uid); with `grace` set, after that many seconds.
  Step& remove(const api::Object& object, std::optional<int64_t> grace = {},
               client::Propagation propagation = client::Propagation::Default) {
    Step& s = steps.emplace_back();
    s.write.verb = client::Verb::Delete;
    s.write.info = &object.info();
    s.write.ns = object.ns();
    s.write.name = object.name();
    s.write.uid = object.uid();
    s.write.gracePeriodSeconds = grace;
    s.write.propagation = propagation;
    return s;
  }
};

}  // namespace ph::controllers
