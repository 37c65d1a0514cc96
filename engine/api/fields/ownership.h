// What the merge of server-side apply is made of: which fields a change touches, which an applied configuration names, what
// merging one into an object gives, and what goes because nobody wants it any more.
// Sources: Kubernetes' documentation of server-side apply; KEP-555; the behaviour of structured-merge-diff. Threads: pure.
#pragma once

#include "engine/api/fields/field_set.h"

namespace ph::api {

struct FieldChanges {
  FieldSet set;      // added, or of another value than before
  FieldSet removed;  // there before, gone now
  bool empty() const { return set.empty() && removed.empty(); }
};

// Members are the leaves: scalars, whole lists and maps; lists' elements; and objects and maps that came or went as such.
FieldChanges changedFields(const Json& old, const Json& next, const Type& type);

// The fields that a configuration names. 400 for fields that the schema doesn't know, elements without their keys,
// and elements that stand twice, with the path.
Result<FieldSet> appliedFields(const Json& config, const Type& type);

// `config` over `live`: objects by member; keyed lists by element, in the configuration's order, the others keeping their
// places between; everything else replaced.
Json mergeApplied(const Json& live, const Json& config, const Type& type);

// Takes out of `merged` what stands in `last` (what the manager applied before) and not in `owned` (what anyone owns now).
void dropAbandoned(Json& merged, const FieldSet& last, const FieldSet& owned, const Type& type);

}  // namespace ph::api
