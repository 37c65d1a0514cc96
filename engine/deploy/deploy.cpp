#include "engine/deploy/deploy.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/api/codec.h"
#include "engine/deploy/rollout.h"
#include "engine/deploy/upload.h"
#include "engine/net/http.h"

namespace ph::deploy {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(300);  // between two looks at what is awaited

Json parsed(const std::string& text) {
  auto tree = api::parseJson(text);
  return tree.ok() ? std::move(*tree) : Json();
}

class Run {
 public:
  Run(Api& api, const Options& options, const Tell& tell) : api_(api), o_(options), tell_(tell), start_(api.now()) {}

  Result<> all() {
    PH_ASSIGN(source_, readSource(o_.path));
    auto done = forward();
    if (done.ok()) {
      tell("done", "", "deployed", fmt::format("{} runs", o_.app));
      return {};
    }
    undo();
    tell("failed", "", "failed", done.status().message);
    return done;
  }

 private:
  struct Applied {
    Ref ref;
    Json before;  // null: it is new
    bool changed = false;
  };

  void tell(const std::string& step, const std::string& object, const std::string& result, const std::string& text = {}) {
    tell_({step, object, result, text, api_.now() - start_});
  }
  bool late() const { return api_.now() - start_ > o_.timeout; }

  Result<> forward() {
    PH_TRY(bringImages());
    PH_TRY(dress());
    PH_TRY(readRecord());
    for (auto& object : source_.objects) {
      if (o_.cancelled && o_.cancelled()) return Status::internal("interrupted");
      PH_TRY(apply(object));
    }
    PH_TRY(waitAll());
    PH_TRY(prune());
    return writeRecord();
  }

  Result<> bringImages() {
    bool alone = source_.objects.empty();
    for (auto& file : source_.archives) {
      auto uploaded = uploadImage(api_, file, o_.ns);
      if (!uploaded.ok()) {
        auto status = uploaded.status();
        status.message = file + ": " + status.message;
        return status;
      }
      std::string refs;
      for (auto& r : uploaded->refs) refs += (refs.empty() ? "" : ", ") + r;
      tell("upload", file, "uploaded", fmt::format("{} ({:.1f} MB)", refs, double(uploaded->bytes) / 1e6));
      if (alone) source_.objects = objectsForImage(o_.app, o_.ns, uploaded->refs.front(), uploaded->digest, uploaded->ports);
    }
    return {};
  }

  // What every object of the app carries; and where it lives.
  Result<> dress() {
    for (auto& [name, ref] : o_.images) {
      int count = 0;
      for (auto& object : source_.objects) count += replaceImage(object, name, ref);
      if (count == 0) return Status::badRequest("--image " + name + ": no container has this image");
    }
    for (auto& object : source_.objects) {
      auto& meta = object.get_object()["metadata"].get_object();
      if (auto* labels = meta.if_contains("labels"); !labels || !labels->is_object()) meta["labels"] = JsonObject{};
      meta["labels"].get_object()[kInstanceLabel] = o_.app;
      for (auto key : {"resourceVersion", "uid", "managedFields", "creationTimestamp", "generation"}) meta.erase(key);
      object.get_object().erase("status");
    }
    return {};
  }

  Result<Ref> refOf(const Json& object) {
    auto version = textAt(object, {"apiVersion"}), kind = textAt(object, {"kind"});
    PH_ASSIGN(auto ref, api_.find(version, kind));
    PH_ASSIGN(bool scoped, api_.namespaced(version, kind));
    ref.name = textAt(object, {"metadata", "name"});
    if (scoped) {
      ref.ns = textAt(object, {"metadata", "namespace"});
      if (ref.ns.empty()) ref.ns = o_.ns;
    }
    return ref;
  }

  Result<> apply(const Json& object) {
    auto named = [&](Status status) {
      status.message = textAt(object, {"kind"}) + " " + textAt(object, {"metadata", "name"}) + ": " + status.message;
      return status;
    };
    auto found = refOf(object);
    // A kind that this very deploy defines is served a moment later.
    while (!found.ok() && found.status().isNotFound() && definesKinds_ && !late()) {
      api_.pause(kLook);
      api_.forgetKinds();
      found = refOf(object);
    }
    if (!found.ok()) return named(found.status());
    Applied applied{*found, Json(), false};
    auto before = api_.get(applied.ref.path());
    if (before.ok()) applied.before = std::move(*before);
    else if (!before.status().isNotFound()) return named(before.status());
    if (auto other = textAt(applied.before, {"metadata", "labels", kInstanceLabel}); !other.empty() && other != o_.app)
      return named(Status::conflict("it belongs to another app, " + other));
    noteOldPods(applied);
    auto answer = api_.send("PATCH", applied.ref.path() + "?fieldManager=" + kManager + "&force=true", api::toText(object), "application/apply-patch+yaml");
    if (!answer.ok()) return named(answer.status());
    auto after = parsed(*answer);
    bool isNew = applied.before.is_null();
    applied.changed = isNew || textAt(after, {"metadata", "resourceVersion"}) != textAt(applied.before, {"metadata", "resourceVersion"});
    definesKinds_ = definesKinds_ || applied.ref.kind == "CustomResourceDefinition";
    tell("apply", applied.ref.text(), isNew ? "created" : applied.changed ? "configured" : "unchanged");
    applied_.push_back(std::move(applied));
    return {};
  }

  // ---- waiting ---------------------------------------------------------------------------------------------------

  std::string selectorOf(const Json& object) {
    auto* labels = at(object, {"spec", "selector", "matchLabels"});
    std::string out;
    if (auto* list = labels ? labels->if_object() : nullptr)
      for (auto& [key, value] : *list)
        if (value.is_string()) out += (out.empty() ? "" : ",") + std::string(key) + "=" + value.get_string().c_str();
    return out;
  }
  JsonArray podsOf(const Ref& ref, const Json& object) {
    auto selector = selectorOf(object);
    if (ref.ns.empty() || selector.empty()) return {};
    auto pods = api_.get("/api/v1/namespaces/" + ref.ns + "/pods?labelSelector=" + net::percentEncode(selector));
    return pods.ok() ? listAt(*pods, {"items"}) : JsonArray();
  }
  // The troubles of pods that were there before are not this deploy's.
  void noteOldPods(const Applied& applied) {
    if (applied.before.is_null()) return;
    for (auto& pod : podsOf(applied.ref, applied.before)) oldPods_.insert(textAt(pod, {"metadata", "uid"}));
  }

  Result<> waitAll() {
    for (auto& applied : applied_) PH_TRY(waitFor(applied));
    return {};
  }

  Result<> waitFor(const Applied& applied) {
    std::string last, trouble;
    for (;;) {
      if (o_.cancelled && o_.cancelled()) return Status::internal("interrupted");
      auto object = api_.get(applied.ref.path());
      // An engine that is away for a moment is waited for, too.
      if (!object.ok() && (object.status().code < 500 || late())) return std::move(object).status();
      if (object.ok()) {
        auto progress = progressOf(*object);
        if (progress.done) {
          if (!progress.text.empty()) tell("wait", applied.ref.text(), "ready", progress.text);
          return {};
        }
        if (progress.text != last) tell("wait", applied.ref.text(), "waiting", last = progress.text);
        PH_TRY(lookAtPods(applied, *object, trouble));
        auto why = trouble.empty() ? "" : ": " + trouble;
        if (!progress.failure.empty()) return Status::internal(applied.ref.text() + ": " + progress.failure + why);
        if (late()) return Status::timeout(fmt::format("{}: not ready within {} s: {}{}", applied.ref.text(), o_.timeout / std::chrono::seconds(1), progress.text, why));
      }
      api_.pause(kLook);
    }
  }

  Result<> lookAtPods(const Applied& applied, const Json& object, std::string& trouble) {
    auto pods = applied.ref.kind == "Pod" ? JsonArray{object} : podsOf(applied.ref, object);
    trouble.clear();
    for (auto& pod : pods) {
      if (oldPods_.count(textAt(pod, {"metadata", "uid"})) || at(pod, {"metadata", "deletionTimestamp"})) continue;
      auto found = troubleOf(pod);
      if (found.text.empty()) continue;
      trouble = found.text;
      if (found.fatal) return Status::internal(applied.ref.text() + ": " + found.text + lastWords(pod, found.container));
    }
    return {};
  }

  std::string lastWords(const Json& pod, const std::string& container) {
    if (container.empty()) return {};
    auto path = "/api/v1/namespaces/" + textAt(pod, {"metadata", "namespace"}) + "/pods/" + textAt(pod, {"metadata", "name"}) + "/log?tailLines=10&container=" + container;
    auto log = api_.send("GET", path + "&previous=true");
    if (!log.ok() || log->empty()) log = api_.send("GET", path);
    if (!log.ok()) return "\n  its log can't be read: " + log.status().message;
    if (log->empty()) return "\n  it wrote nothing to its log";
    std::string out = "\n  its last words:";
    for (size_t at = 0; at < log->size();) {
      auto end = std::min(log->find('\n', at), log->size());
      out += "\n    " + log->substr(at, end - at);
      at = end + 1;
    }
    return out;
  }

  // ---- the record of what a deploy brought ------------------------------------------------------------------------

  Ref recordRef() const { return {"v1", "ConfigMap", "configmaps", o_.ns, std::string(kManager) + "-" + o_.app}; }

  Result<> readRecord() {
    auto record = api_.get(recordRef().path());
    if (!record.ok()) return record.status().isNotFound() ? Result<>() : Result<>(std::move(record).status());
    auto list = parsed(textAt(*record, {"data", "objects"}));
    if (auto* objects = list.if_array())
      for (auto& r : *objects)
        had_.push_back({textAt(r, {"apiVersion"}), textAt(r, {"kind"}), textAt(r, {"plural"}), textAt(r, {"namespace"}), textAt(r, {"name"})});
    return {};
  }

  Result<> writeRecord() {
    JsonArray list;
    for (auto& a : applied_)
      list.push_back(JsonObject{{"apiVersion", a.ref.apiVersion}, {"kind", a.ref.kind}, {"plural", a.ref.plural}, {"namespace", a.ref.ns}, {"name", a.ref.name}});
    auto ref = recordRef();
    Json record = JsonObject{{"apiVersion", "v1"},
                             {"kind", "ConfigMap"},
                             {"metadata", JsonObject{{"name", ref.name}, {"namespace", ref.ns}, {"labels", JsonObject{{"app.kubernetes.io/managed-by", kManager}}}}},
                             {"data", JsonObject{{"objects", api::toText(list)}, {"time", formatTime(api_.wallNow())}}}};
    auto written = api_.send("PATCH", ref.path() + "?fieldManager=" + kManager + "&force=true", api::toText(record), "application/apply-patch+yaml");
    if (!written.ok()) return Status::internal("what was deployed can't be recorded: " + written.status().message);
    return {};
  }

  Result<> prune() {
    for (auto it = had_.rbegin(); it != had_.rend(); ++it) {
      if (std::any_of(applied_.begin(), applied_.end(), [&](auto& a) { return a.ref == *it; })) continue;
      auto there = api_.get(it->path());
      // Somebody else's by now, or gone.
      if (!there.ok() || textAt(*there, {"metadata", "labels", kInstanceLabel}) != o_.app) continue;
      auto removed = api_.send("DELETE", it->path(), R"({"propagationPolicy":"Background"})");
      if (!removed.ok() && !removed.status().isNotFound()) return Status::internal(it->text() + " can't be removed: " + removed.status().message);
      tell("prune", it->text(), "removed", "this version does not have it");
    }
    return {};
  }

  // ---- going back -------------------------------------------------------------------------------------------------

  void undo() {
    for (auto it = applied_.rbegin(); it != applied_.rend(); ++it) {
      if (!it->changed) continue;
      auto undone = it->before.is_null() ? api_.send("DELETE", it->ref.path(), R"({"propagationPolicy":"Background"})") : restore(*it);
      bool fine = undone.ok() || (it->before.is_null() && undone.status().isNotFound());
      tell("undo", it->ref.text(), !fine ? "failed" : it->before.is_null() ? "removed" : "restored", fine ? "" : undone.status().message);
    }
  }

  Result<std::string> restore(const Applied& applied) {
    auto now = api_.get(applied.ref.path());
    Json body = applied.before;
    auto& meta = body.get_object()["metadata"].get_object();
    for (auto key : {"managedFields", "generation"}) meta.erase(key);
    body.get_object().erase("status");
    auto query = std::string("?fieldManager=") + kManager;
    if (!now.ok() && now.status().isNotFound()) {  // somebody removed it meanwhile
      for (auto key : {"resourceVersion", "uid"}) meta.erase(key);
      auto collection = applied.ref;
      collection.name.clear();
      return api_.send("POST", collection.path() + query, api::toText(body));
    }
    if (!now.ok()) return std::move(now).status();
    meta["resourceVersion"] = textAt(*now, {"metadata", "resourceVersion"});
    return api_.send("PUT", applied.ref.path() + query, api::toText(body));
  }

  Api& api_;
  const Options& o_;
  const Tell& tell_;
  const MonoTime start_;
  Source source_;
  std::vector<Applied> applied_;
  std::vector<Ref> had_;  // of the deploy before
  std::set<std::string> oldPods_;
  bool definesKinds_ = false;
};

}  // namespace

Result<> deploy(Api& api, const Options& options, const Tell& tell) { return Run(api, options, tell).all(); }

}  // namespace ph::deploy
