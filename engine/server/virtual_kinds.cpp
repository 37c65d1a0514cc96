#include "engine/server/virtual_kinds.h"

#include "engine/api/convert.h"
#include "engine/server/identity/reviews.h"
#include "engine/server/pending_write.h"
#include "engine/server/rbac/reviews.h"
#include "engine/server/router.h"
#include "engine/server/virtual_sources.h"

namespace ph::server {
namespace {

// The health that /readyz tells, as the object that older tools ask for.
void readComponents(std::shared_ptr<Core> core, ApiRequest request, ListDone done) {
  auto filter = parseFilter(request);
  if (!filter.ok()) return done(std::move(filter).status());
  Listing out;
  out.revision = core->cache->revision();
  bool healthy = !core->cache->readOnly();
  JsonObject condition{{"type", "Healthy"}, {"status", healthy ? "True" : "False"}};
  condition[healthy ? "message" : "error"] = healthy ? "ok" : "the store takes no writes";
  Json store = JsonObject{{"apiVersion", "v1"},
                          {"kind", "ComponentStatus"},
                          {"metadata", JsonObject{{"name", "store"}}},
                          {"conditions", JsonArray{std::move(condition)}}};
  auto object = api::Object::make(request.info, store, 0);
  bool wanted = request.name.empty() || request.name == object->name();
  if (wanted && filter->matches(*object)) out.items.push_back(std::move(object));
  done(std::move(out));
}

Status notNow(const ResourceInfo& info) {
  return Status::unavailable("the part of the engine that answers for " + info.groupResource() + " does not run");
}

// What another part of the engine answers, as objects.
void readSource(std::shared_ptr<Core> core, ApiRequest request, ListDone done) {
  auto source = core->sources->find(request.info->storageGroupKind);
  if (!source || !source->read) return done(notNow(*request.info));
  auto filter = parseFilter(request);
  if (!filter.ok()) return done(std::move(filter).status());
  auto answer = [core, info = request.info, filter = std::move(*filter), done = std::move(done)](Result<VirtualSource::Trees> trees) {
    if (!trees.ok()) return done(std::move(trees).status());
    Listing out;
    out.revision = core->cache->revision();
    for (auto& tree : *trees) {
      auto object = api::Object::make(info, tree, 0);
      if (filter.matches(*object)) out.items.push_back(std::move(object));
    }
    done(std::move(out));
  };
  source->read(request.ns, request.name, std::move(answer));
}

void createSource(std::shared_ptr<Core> core, ApiRequest request, Json body, WriteDone done) {
  auto source = core->sources->find(request.info->storageGroupKind);
  if (!source || !source->create) return done(notNow(*request.info));
  source->create(request.ns, std::move(body), [info = request.info, done = std::move(done)](Result<Json> tree) {
    if (!tree.ok()) return done(std::move(tree).status());
    WriteAnswer out;
    out.code = 201;
    out.object = api::Object::make(info, *tree, 0);
    done(std::move(out));
  });
}

constexpr std::pair<std::string_view, VirtualKind> kTable[] = {
    {"ComponentStatus", {.read = readComponents}},
    {"metrics.k8s.io/NodeMetrics", {.read = readSource}},
    {"metrics.k8s.io/PodMetrics", {.read = readSource}},
    {"pilothouse.io/PodTimeline", {.read = readSource}},
    {"pilothouse.io/SchedulingDecision", {.read = readSource}},
    {"pilothouse.io/SchedulingPreview", {.create = createSource}},
    {"pilothouse.io/DrainPreview", {.create = createSource}},
    {"authentication.k8s.io/TokenReview", {.create = reviewToken}},
    {"authentication.k8s.io/SelfSubjectReview", {.create = selfSubjectReview}},
    {"authorization.k8s.io/SubjectAccessReview", {.create = subjectAccessReview}},
    {"authorization.k8s.io/LocalSubjectAccessReview", {.create = localSubjectAccessReview}},
    {"authorization.k8s.io/SelfSubjectAccessReview", {.create = selfSubjectAccessReview}},
    {"authorization.k8s.io/SelfSubjectRulesReview", {.create = selfSubjectRulesReview}},
};

}  // namespace

const VirtualKind* virtualKind(std::string_view storageGroupKind) {
  for (auto& [name, kind] : kTable)
    if (name == storageGroupKind) return &kind;
  return nullptr;
}

void createVirtual(std::shared_ptr<Core> core, ApiRequest request, WriteDone done) {
  auto* kind = virtualKind(request.info->storageGroupKind);
  if (!kind || !kind->create) return done(noSuchResource());
  if (request.verb != Verb::Create || !request.subresource.empty())
    return done(Status::methodNotAllowed("the server does not allow this method on the requested resource"));
  // A pending write, for its reading of bodies and its warnings; nothing is stored.
  auto p = std::make_shared<PendingWrite>(core, std::move(request));
  std::vector<std::string> duplicates;
  auto body = readBody(*core, p->request, &duplicates);
  if (!body.ok()) return done(std::move(body).status());
  if (auto fits = checkKind(*body, *p->request.info); !fits.ok()) return done(std::move(fits).status());
  if (auto fits = conformTree(*p, *body, std::move(duplicates)); !fits.ok()) return done(std::move(fits).status());
  if (!p->schemaErrors.empty()) return done(p->schemaErrors.toStatus(*p->asked, p->request.name));
  auto answer = [p, done = std::move(done)](Result<WriteAnswer> result) {
    if (result.ok()) {
      result->object = api::asVersion(result->object, *p->asked);
      if (result->code == 200) result->code = 201;
      for (auto& w : p->warnings) result->warnings.push_back(std::move(w));
    }
    done(std::move(result));
  };
  p->request.info = p->info;
  kind->create(core, p->request, std::move(*body), std::move(answer));
}

void listVirtual(std::shared_ptr<Core> core, ApiRequest request, ListDone done) {
  auto* kind = virtualKind(request.info->storageGroupKind);
  if (!kind || !kind->read) return done(noSuchResource());
  kind->read(std::move(core), std::move(request), std::move(done));
}

void getVirtual(std::shared_ptr<Core> core, ApiRequest request, std::function<void(Result<ObjectPtr>)> done) {
  auto pick = [info = request.info, key = request.key(), name = request.name, done = std::move(done)](Result<Listing> listing) {
    if (!listing.ok()) return done(std::move(listing).status());
    for (auto& object : listing->items)
      if (object->key() == key) return done(std::move(object));
    done(notFound(*info, name));
  };
  listVirtual(std::move(core), std::move(request), std::move(pick));
}

}  // namespace ph::server
