#include "engine/server/reads.h"

#include <charconv>

#include "engine/api/codec.h"
#include "engine/api/convert.h"
#include "engine/server/custom/versions.h"
#include "engine/server/json_util.h"
#include "engine/server/list_options.h"
#include "engine/server/protobuf_answer.h"
#include "engine/server/table.h"

namespace ph::server {
namespace {

Result<> checkRevision(const Options& o, int64_t current) {
  PH_TRY(checkListOptions(o));
  PH_ASSIGN(int64_t asked, parseRevision(o.resourceVersion));
  if (!o.continueToken.empty() && asked != 0)
    return Status::badRequest("specifying resource version is not allowed when using continue");
  if (asked > current) return tooLargeRevision(asked, current);
  return {};
}

Status expiredToken() {
  return Status::expired("The provided continue parameter is too old to display a consistent list result. You can start a new "
                         "list without the continue parameter, or use the continue token in this response to retrieve the "
                         "remaining items as they are now, which may not agree with the pages before.");
}

struct Page {
  cache::KindSnapshot snapshot;
  std::string after;  // the key to go on behind; empty: from the start
};

Result<Page> choosePage(const Core& core, const ApiRequest& r) {
  auto& o = r.options;
  auto& stored = *core.registry->stored(*r.info);
  PH_TRY(checkRevision(o, core.cache->revision()));
  if (!o.continueToken.empty()) {
    PH_ASSIGN(auto token, decodeToken(o.continueToken));
    if (token.revision == ContinueToken::kAnyRevision) return Page{core.cache->snapshot(stored), std::move(token.after)};
    auto snapshot = core.cache->snapshotAt(stored, token.revision);
    if (!snapshot.ok()) return expiredToken();
    return Page{std::move(*snapshot), std::move(token.after)};
  }
  PH_ASSIGN(int64_t revision, parseRevision(o.resourceVersion));
  // A page of a revision that was named is of that revision, also when nothing says so (as it always was with etcd).
  if (o.resourceVersionMatch == "Exact" || (o.resourceVersionMatch.empty() && o.limit > 0 && revision > 0)) {
    PH_ASSIGN(auto snapshot, core.cache->snapshotAt(stored, revision));
    return Page{std::move(snapshot), {}};
  }
  return Page{core.cache->snapshot(stored), {}};
}

// Walks the keys of the page's namespace in order, from where the page starts.
template <class Each>
void walk(const Page& page, const std::string& prefix, Each&& each) {
  auto& objects = page.snapshot.objects;
  auto at = page.after.empty() ? objects.lowerBound(prefix) : objects.upperBound(page.after);
  for (; at != objects.end(); ++at) {
    if (!std::string_view(at->first).starts_with(prefix)) break;
    if (!each(at->first, at->second)) break;
  }
}

}  // namespace

Result<int64_t> parseRevision(std::string_view text) {
  if (text.empty()) return int64_t(0);
  int64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || n < 0)
    return Status::badRequest("resourceVersion: Invalid value: \"" + std::string(text) + "\": must be a number");
  return n;
}

Status tooLargeRevision(int64_t asked, int64_t current) {
  Status status = Status::timeout("Too large resource version: " + std::to_string(asked) +
                                  ", current: " + std::to_string(current));
  status.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  status.retryAfterSeconds = 1;
  return status;
}

std::string_view Filter::only(std::string_view path) const {
  for (auto& t : fields.terms())
    if (t.equal && t.path == path) return t.value;
  return {};
}

Result<Filter> parseFilter(const ApiRequest& r) {
  Filter filter;
  if (!r.options.labelSelector.empty()) {
    PH_ASSIGN(filter.labels, api::LabelSelector::parse(r.options.labelSelector));
  }
  if (!r.options.fieldSelector.empty()) {
    PH_ASSIGN(filter.fields, api::FieldSelector::parse(api::storedFieldSelector(*r.info, r.options.fieldSelector)));
    PH_TRY(filter.fields.check(*r.info));
  }
  return filter;
}

Result<ObjectPtr> get(const Core& core, const ApiRequest& r) {
  auto found = core.cache->get(*core.registry->stored(*r.info), r.key());
  if (!found) return notFound(*r.info, r.name);
  if (!r.options.resourceVersion.empty()) {
    PH_ASSIGN(int64_t asked, parseRevision(r.options.resourceVersion));
    if (int64_t current = core.cache->revision(); asked > current) return tooLargeRevision(asked, current);
  }
  return api::asVersion(found, newest(*core.registry, *r.info));
}

Result<Listing> list(const Core& core, const ApiRequest& r) {
  if (r.options.limit < 0) return Status::badRequest("limit can't be negative");
  auto& info = newest(*core.registry, *r.info);
  PH_ASSIGN(Filter filter, parseFilter(r));
  PH_ASSIGN(Page page, choosePage(core, r));
  Listing out;
  out.revision = page.snapshot.revision;
  std::string prefix = r.ns.empty() ? std::string() : r.ns + "/";
  auto limit = size_t(r.options.limit);
  std::string lastKey;
  int64_t remaining = 0;
  bool more = false;
  walk(page, prefix, [&](const std::string& key, const ObjectPtr& object) {
    if (limit && out.items.size() == limit) {
      if (!filter.empty()) {
        if (!filter.matches(*object)) return true;
        more = true;
        return false;
      }
      more = true;
      ++remaining;
      return true;
    }
    if (filter.matches(*object)) {
      out.items.push_back(api::asVersion(object, info));
      if (limit) lastKey = key;
    }
    return true;
  });
  if (more) {
    out.continueToken = encodeToken({out.revision, lastKey});
    if (filter.empty()) out.remaining = remaining;
  }
  return out;
}

std::string renderObject(const Core& core, const api::Object& object, const Media& media) {
  if (media.protobuf) return protobufObject(object, media);
  if (media.shape == Shape::Object) return object.json();
  std::string out;
  if (media.shape == Shape::Table) {
    appendTableHead(out, object.info(), media, std::to_string(object.revision()), {}, std::nullopt, true);
    appendTableRow(out, object, media, core.now());
    out += "]}";
  } else {
    appendPartial(out, object, media, true);
  }
  return out;
}

}  // namespace ph::server
