// ManagedFields: metadata.managedFields of one object: who set which fields, when, how.
// Source: Kubernetes' documentation of server-side apply. Threads: plain values.
#pragma once

#include <string>
#include <vector>

#include "engine/api/fields/ownership.h"
#include "engine/base/time.h"

namespace ph::server {

using api::FieldChanges;
using api::FieldSet;
using api::Json;

// Whom an entry belongs to. An applier has one entry whatever the version; an updater one for each version.
struct Writer {
  std::string manager, apiVersion, subresource;
  bool applies = false;
};

struct ManagedEntry {
  Writer writer;
  std::string time;  // as it is written; empty: none
  FieldSet fields;
};

class ManagedFields {
 public:
  // `canonical`: as toJson() wrote it. 400 when an entry can't be read.
  static Result<ManagedFields> parse(const Json& list, bool canonical);
  // Appliers first, then by time.
  Json toJson() const;

  bool empty() const { return entries_.empty(); }
  const std::vector<ManagedEntry>& entries() const { return entries_; }
  ManagedEntry* find(const Writer& writer);
  ManagedEntry& at(const Writer& writer);  // made when absent
  void drop(const Writer& writer);

  // A write that was no apply: the writer owns what it set, and nobody owns what went.
  void update(FieldChanges changes, const Writer& writer, WallTime now);
  // What others own of `set`, by entry: conflicts of an apply. Those of `allowed` count as none.
  std::vector<ManagedEntry> conflicts(const FieldSet& set, const Writer& writer, const FieldSet& allowed) const;
  // Takes these fields from everyone but the writer.
  void take(const FieldChanges& changes, const Writer& writer);
  FieldSet all() const;

 private:
  void dropEmpty();
  void cap();
  std::vector<ManagedEntry> entries_;
};

// [{}]: a client wants the bookkeeping emptied.
bool isReset(const Json& list);

}  // namespace ph::server
