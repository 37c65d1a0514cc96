#include "engine/server/apply/managed_fields.h"

#include <algorithm>
#include <map>

#include "engine/server/json_util.h"

namespace ph::server {
namespace {

constexpr size_t kMaxUpdaters = 10;
constexpr const char* kAncient = "ancient-changes";
constexpr size_t kMaxEntries = 1000;

bool same(const Writer& a, const Writer& b) {
  return a.applies == b.applies && a.manager == b.manager && a.subresource == b.subresource &&
         (a.applies || a.apiVersion == b.apiVersion);
}

Result<ManagedEntry> parseEntry(const Json& json, bool canonical) {
  auto* o = json.if_object();
  if (!o) return Status::badRequest("an entry of managedFields must be an object");
  auto operation = textAt(o, "operation");
  if (operation != "Apply" && operation != "Update")
    return Status::badRequest("metadata.managedFields.operation must be `Apply` or `Update`");
  if (textAt(o, "fieldsType") != "FieldsV1") return Status::badRequest("metadata.managedFields.fieldsType must be `FieldsV1`");
  ManagedEntry entry;
  entry.writer = {std::string(textAt(o, "manager")), std::string(textAt(o, "apiVersion")),
                  std::string(textAt(o, "subresource")), operation == "Apply"};
  entry.time = textAt(o, "time");
  if (auto* fields = o->if_contains("fieldsV1"); fields && !fields->is_null()) {
    PH_ASSIGN(entry.fields, FieldSet::fromJson(*fields, canonical));
  }
  return entry;
}

// Times are written in one form, so their texts order them.
bool before(const ManagedEntry& a, const ManagedEntry& b) {
  if (a.writer.applies != b.writer.applies) return a.writer.applies;
  if (a.time != b.time) return a.time < b.time;
  if (a.writer.manager != b.writer.manager) return a.writer.manager < b.writer.manager;
  return a.writer.apiVersion < b.writer.apiVersion;
}

}  // namespace

bool isReset(const Json& list) {
  auto* a = list.if_array();
  return a && a->size() == 1 && (*a)[0].is_object() && (*a)[0].get_object().empty();
}

Result<ManagedFields> ManagedFields::parse(const Json& list, bool canonical) {
  ManagedFields out;
  if (list.is_null()) return out;
  auto* a = list.if_array();
  if (!a) return Status::badRequest("metadata.managedFields must be a list");
  if (a->size() > kMaxEntries) return Status::badRequest("metadata.managedFields has too many entries");
  for (auto& json : *a) {
    PH_ASSIGN(ManagedEntry entry, parseEntry(json, canonical));
    if (auto* known = out.find(entry.writer))
      *known = std::move(entry);
    else
      out.entries_.push_back(std::move(entry));
  }
  return out;
}

Json ManagedFields::toJson() const {
  std::vector<const ManagedEntry*> sorted;
  for (auto& e : entries_) sorted.push_back(&e);
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return before(*a, *b); });
  JsonArray out;
  out.reserve(sorted.size());
  for (auto* e : sorted) {
    JsonObject o;
    o.reserve(7);
    o.emplace("manager", e->writer.manager);
    o.emplace("operation", e->writer.applies ? "Apply" : "Update");
    o.emplace("apiVersion", e->writer.apiVersion);
    if (!e->time.empty()) o.emplace("time", e->time);
    o.emplace("fieldsType", "FieldsV1");
    o.emplace("fieldsV1", e->fields.toJson());
    if (!e->writer.subresource.empty()) o.emplace("subresource", e->writer.subresource);
    out.push_back(std::move(o));
  }
  return out;
}

ManagedEntry* ManagedFields::find(const Writer& writer) {
  for (auto& e : entries_)
    if (same(e.writer, writer)) return &e;
  return nullptr;
}

ManagedEntry& ManagedFields::at(const Writer& writer) {
  if (auto* e = find(writer)) return *e;
  entries_.push_back({writer, {}, {}});
  return entries_.back();
}

void ManagedFields::drop(const Writer& writer) {
  std::erase_if(entries_, [&](auto& e) { return same(e.writer, writer); });
}

void ManagedFields::dropEmpty() {
  std::erase_if(entries_, [](auto& e) { return e.fields.empty(); });
}

void ManagedFields::take(const FieldChanges& changes, const Writer& writer) {
  for (auto& e : entries_) {
    if (same(e.writer, writer)) continue;
    e.fields.subtract(changes.set);
    e.fields.subtract(changes.removed);
  }
  dropEmpty();
}

void ManagedFields::update(FieldChanges changes, const Writer& writer, WallTime now) {
  if (changes.empty()) return;
  if (entries_.empty()) {  // as for most of what is created
    if (!changes.set.empty()) entries_.push_back({writer, formatTime(now), std::move(changes.set)});
    return;
  }
  FieldSet before;
  bool known = find(writer) != nullptr;
  if (known) before = find(writer)->fields;
  for (auto& e : entries_)
    if (same(e.writer, writer)) e.fields.subtract(changes.removed);
  take(changes, writer);
  if (!changes.set.empty()) {
    auto& own = at(writer);
    own.fields.unite(changes.set);
    if (!known || own.fields != before) own.time = formatTime(now);
  }
  cap();
}

std::vector<ManagedEntry> ManagedFields::conflicts(const FieldSet& set, const Writer& writer, const FieldSet& allowed) const {
  std::vector<ManagedEntry> out;
  for (auto& e : entries_) {
    if (same(e.writer, writer)) continue;
    FieldSet shared = e.fields;
    shared.intersect(set);
    shared.subtract(allowed);
    if (!shared.empty()) out.push_back({e.writer, e.time, std::move(shared)});
  }
  return out;
}

FieldSet ManagedFields::all() const {
  FieldSet out;
  for (auto& e : entries_) out.unite(e.fields);
  return out;
}

// Past ten updaters the oldest of each version become one.
void ManagedFields::cap() {
  std::vector<size_t> updaters;
  for (size_t i = 0; i < entries_.size(); ++i)
    if (!entries_[i].writer.applies) updaters.push_back(i);
  if (updaters.size() <= kMaxUpdaters) return;
  std::sort(updaters.begin(), updaters.end(), [&](size_t a, size_t b) { return before(entries_[a], entries_[b]); });
  size_t left = updaters.size();
  std::map<std::string, size_t> bucket;  // by version: the entry that takes the others in
  for (size_t i : updaters) {
    if (left <= kMaxUpdaters) break;
    auto& e = entries_[i];
    auto [it, first] = bucket.emplace(e.writer.apiVersion, i);
    if (first) continue;
    auto& into = entries_[it->second];
    into.writer = {kAncient, e.writer.apiVersion, "", false};
    into.fields.unite(e.fields);
    into.time = e.time;
    e.fields = FieldSet();
    --left;
  }
  dropEmpty();
}

}  // namespace ph::server
