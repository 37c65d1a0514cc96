// The one registry: a resource is one entry. Built-ins come from resources/schemas; CRDs add entries at run time.
// Both take the same path: the schema drives decoding, defaulting, validation, pruning, patches, OpenAPI, explain, protobuf.
// Threads: entries are immutable; built-in ones live for ever (and are the same in every registry), added ones as long as the
// registry. Every call may come from any
// thread; readers share a snapshot and never wait for one another.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/schema.h"
#include "engine/base/result.h"

namespace ph::api {

struct Gvk { std::string group, version, kind; bool operator==(const Gvk&) const = default; };
struct Gvr { std::string group, version, resource; bool operator==(const Gvr&) const = default; };

struct TableColumn {
  std::string name, type, format, description;
  int priority = 0;      // 0: always; 1: with -o wide
  std::string jsonPath;  // CRDs and simple columns (".spec.replicas"); empty: cell comes from Strategy::cells
};

struct WriteContext;   // validation.h: user, verb, subresource, now
class ErrorList;       // validation.h: field errors with paths

// What a kind does beyond its schema. A plain table of functions, all optional, all pure; they work on the JSON tree.
struct Strategy {
  // Before storing: fill fields the server owns, reset what this request may not set (status on the main resource...).
  void (*prepareCreate)(Json& object, const WriteContext&) = nullptr;
  void (*prepareUpdate)(Json& object, const Json& old, const WriteContext&) = nullptr;
  // Beyond the schema; paths as Kubernetes names them.
  void (*validate)(const Json& object, const WriteContext&, ErrorList&) = nullptr;
  void (*validateUpdate)(const Json& object, const Json& old, const WriteContext&, ErrorList&) = nullptr;
  // The rule for metadata.name (validation.h's check functions); nullptr: an RFC 1123 subdomain.
  std::string (*checkName)(std::string_view name) = nullptr;
  // One cell text (or number) for each column without a jsonPath, in their order.
  void (*cells)(const Json& object, WallTime now, std::vector<Json>& out) = nullptr;
  // Field selector lookups beyond metadata.name and metadata.namespace ("spec.nodeName"); nullptr when not selectable.
  const std::string_view* selectableFields = nullptr;  // terminated by an empty view
};

// Between a version of a kind and the one it is stored in; apiVersion is set by convert.h. Null functions: nothing else changes.
struct Conversion {
  void (*toStored)(Json& object) = nullptr;
  void (*fromStored)(Json& object) = nullptr;
};

struct CustomKind;  // what a CRD's version brings beyond its Type; made and read by engine/api/custom

struct ScalePaths { std::string specReplicas, statusReplicas, labelSelector; };  // ".spec.replicas"...; empty: no scale

struct ResourceInfo {
  std::string group, version, kind, plural, singular;
  std::string listKind() const { return kind + "List"; }
  std::vector<std::string> shortNames, categories;
  bool namespaced = true;
  bool hasStatus = false;
  bool generation = false;           // metadata.generation counts spec changes
  ScalePaths scale;
  std::vector<std::string> subresources;  // others: log, exec, binding, eviction...
  std::vector<TableColumn> columns;       // without NAME's implicit handling: the first is Name
  const Type* type = nullptr;             // the object's schema
  const Strategy* strategy = nullptr;     // never null after registration
  std::string storageGroupKind;           // same for all versions of one kind: "apps/Deployment"
  bool storedVersion = true;              // the version that objects of this kind are kept in (one of each storageGroupKind)
  const Conversion* conversion = nullptr; // of a version that is not the stored one; null: only apiVersion differs
  bool stored = true;                     // false: answered when asked (reviews, metrics), never kept
  std::vector<std::string> verbs;         // what discovery shows and the router lets in; empty: all that the kind's form allows
  std::string deprecation;                // a Warning header for every request of this version; empty: none
  std::shared_ptr<const CustomKind> custom;  // null for built-in kinds
  int32_t gracePeriodSeconds = 0;         // default deletion grace (Pod: 30); 0: deleted at once
  bool builtin = true;

  std::string apiVersion() const { return group.empty() ? version : group + "/" + version; }
  // "pods", "deployments.apps": as Kubernetes names a resource in messages and RBAC.
  std::string groupResource() const { return group.empty() ? plural : plural + "." + group; }
  // Store key prefix "/registry/GROUP/PLURAL/" (core group: "core"); NS/NAME or NAME follows.
  std::string keyPrefix() const { return "/registry/" + (group.empty() ? std::string("core") : group) + "/" + plural + "/"; }
};

// Whether a verb ("get", "deletecollection"...) may be used on the kind itself.
bool allows(const ResourceInfo& info, std::string_view verb);

class Registry {
 public:
  virtual ~Registry() = default;
  // A registry holding all built-in kinds.
  static std::shared_ptr<Registry> builtin();

  virtual const ResourceInfo* find(std::string_view group, std::string_view version, std::string_view plural) const = 0;
  virtual const ResourceInfo* findKind(std::string_view group, std::string_view version, std::string_view kind) const = 0;
  // The entry that objects of this kind are kept under: itself, or another version (perhaps of another group).
  virtual const ResourceInfo* stored(const ResourceInfo& info) const = 0;
  // The entry under which a group's plural is stored (any version of it finds the same).
  virtual const ResourceInfo* storage(std::string_view group, std::string_view plural) const = 0;
  virtual std::vector<const ResourceInfo*> all() const = 0;
  // Preferred version first, as discovery shows them.
  virtual std::vector<std::pair<std::string, std::vector<std::string>>> groupVersions() const = 0;
  virtual Result<const ResourceInfo*> add(ResourceInfo info) = 0;  // copies; CRDs
  virtual void remove(std::string_view group, std::string_view plural) = 0;
  // All entries of an added kind at once: no reader sees some old and some new. Entries that are the same as before stay.
  virtual Result<> replace(std::string_view group, std::string_view plural, std::vector<ResourceInfo> infos) = 0;
};

}  // namespace ph::api
