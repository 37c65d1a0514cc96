// Reads: get and list, from snapshots, never blocking a writer; and how answers are put into bytes.
// Threads: pure over immutable snapshots; any thread.
#pragma once

#include <vector>

#include "engine/net/http.h"
#include "engine/server/api_request.h"
#include "engine/server/core.h"
#include "engine/server/media.h"

namespace ph::server {

struct Listing {
  std::vector<ObjectPtr> items;
  int64_t revision = 0;
  std::string continueToken;
  std::optional<int64_t> remaining;  // items after this page; unknown when a selector was used
};

// What a request's selectors let through.
struct Filter {
  api::LabelSelector labels;
  api::FieldSelector fields;
  bool matches(const api::Object& object) const {
    return (labels.empty() || labels.matches(object.meta().labels)) && (fields.empty() || fields.matches(object));
  }
  bool empty() const { return labels.empty() && fields.empty(); }
  // The one value a field must have ("spec.nodeName"), empty when there is none.
  std::string_view only(std::string_view path) const;
};
Result<Filter> parseFilter(const ApiRequest& request);

Result<ObjectPtr> get(const Core& core, const ApiRequest& request);
// The objects as they are stored; what renders them shows them in the request's version.
Result<Listing> list(const Core& core, const ApiRequest& request);

// One object in the shape and form asked for (YAML and indentation are the caller's).
std::string renderObject(const Core& core, const api::Object& object, const Media& media);
// autoscaling/v1 Scale of an object.
Json scaleOf(const ResourceInfo& info, const Json& object);
// resourceVersion as a number; empty or "0" is 0.
Result<int64_t> parseRevision(std::string_view text);
// 504 when a client asks for a revision that this server has not reached.
Status tooLargeRevision(int64_t asked, int64_t current);

}  // namespace ph::server
