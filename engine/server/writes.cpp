#include "engine/server/writes.h"

#include <atomic>

#include "engine/api/codec.h"
#include "engine/api/convert.h"
#include "engine/server/identity/token_request.h"
#include "engine/server/apply/tracking.h"
#include "engine/server/custom/versions.h"
#include "engine/server/admission/quota_ledger.h"
#include "engine/server/json_util.h"
#include "engine/server/list_renderer.h"
#include "engine/server/pending_write.h"
#include "engine/server/reads.h"
#include "engine/server/status_json.h"
#include "engine/server/virtual_kinds.h"
#include "engine/server/write_times.h"

namespace ph::server {
namespace {

Result<> plan(PendingWrite& p) {
  auto& r = p.request;
  p.key = r.key();
  PH_TRY(checkWriteOptions(r));
  bool stored = r.subresource.empty() || isOfStatus(p) ||
                (r.subresource == "ephemeralcontainers" && p.info == p.core->pods && (r.verb == Verb::Update || r.verb == Verb::Patch));
  if (!stored) return planSubresource(p);
  switch (r.verb) {
    case Verb::Create: return planCreate(p);
    case Verb::Update: return planUpdate(p);
    case Verb::Patch: return planPatch(p);
    case Verb::Delete: return planDelete(p);
    default: return Status::methodNotAllowed("the server does not allow this method on the requested resource");
  }
}

// Addresses that the old service held and the new one (if any) does not.
void releaseAddresses(PendingWrite& p, const ObjectPtr& now) {
  if (p.info != p.core->services || !p.old) return;
  ServiceClaim before = claimOf(p.old->tree());
  ServiceClaim after = now && !p.removed ? claimOf(now->tree()) : ServiceClaim{};
  ServiceClaim gone;
  for (auto a : before.addresses)
    if (std::find(after.addresses.begin(), after.addresses.end(), a) == after.addresses.end()) gone.addresses.push_back(a);
  for (auto& port : before.ports)
    if (std::find(after.ports.begin(), after.ports.end(), port) == after.ports.end()) gone.ports.push_back(port);
  if (!gone.empty()) p.core->addresses.release(gone);
}

void settleQuota(PendingWrite& p, const ObjectPtr& now) {
  if (!now || !p.core->quota) return;
  p.core->quota->settle(now->ns(), p.old, p.removed ? nullptr : now, now->revision(), std::move(p.hold));
}

Result<WriteAnswer> answer(PendingWrite& p, const ObjectPtr& object) {
  WriteAnswer out;
  out.code = p.code;
  out.warnings = std::move(p.warnings);
  switch (p.reply) {
    case PendingWrite::Reply::Object:
      out.object = api::asVersion(object, *p.asked);
      break;
    case PendingWrite::Reply::Status:
      out.text = successJson(*p.info, object ? object->name() : p.request.name, object ? object->uid() : "");
      break;
    case PendingWrite::Reply::Scale:
      out.text = api::toText(scaleOf(*p.info, object->tree()));
      break;
  }
  return out;
}

Result<WriteAnswer> finish(PendingWrite& p, Result<ObjectPtr> result) {
  if (!result.ok() || p.request.options.dryRun) {
    if (!p.taken.empty()) p.core->addresses.release(p.taken);
    p.hold.reset();
    if (!result.ok()) return std::move(result).status();
  } else {
    bool changed = !p.old || p.old->revision() != (*result)->revision();
    if (changed) p.core->writeTimes->note({(*result)->revision(), p.begun, p.core->executor->monoNow()});
    releaseAddresses(p, *result);
    settleQuota(p, *result);
  }
  return answer(p, *result);
}

Result<Decision> runDecide(PendingWrite& p, const ObjectPtr& current) {
  p.old = api::asVersion(current, *p.info);
  auto decision = p.decide(p, p.old);
  if (decision.ok() && decision->kind == Decision::Kind::NoChange) decision->object = current;
  else if (decision.ok() && decision->object) decision->object = api::asVersion(decision->object, *p.core->registry->stored(*p.info));
  p.removed = decision.ok() && decision->kind == Decision::Kind::Delete;
  return decision;
}

Result<ObjectPtr> dryRun(PendingWrite& p) {
  if (p.before) {
    PH_TRY(p.before->decide(p.core->cache->get(*p.before->info, p.before->key)));
    p.granted = true;
  }
  auto current = p.core->cache->get(*p.info, p.key);
  PH_ASSIGN(auto decision, runDecide(p, current));
  if (decision.kind == Decision::Kind::Put) return decision.object->at(current ? current->revision() : 0);
  return current;
}

cache::Mutation mutationOf(const PendingPtr& p, WriteDone done) {
  return {p->core->registry->stored(*p->info), p->key,
          [p](const ObjectPtr& current) { return runDecide(*p, current); },
          [p, done = std::move(done)](Result<ObjectPtr> result) { done(finish(*p, std::move(result))); }};
}

// The write that has to succeed before: then `p` itself follows. On the executor, for its decision may be long.
cache::Mutation firstOf(const PendingPtr& p, WriteDone done) {
  auto first = std::move(*p->before);
  p->before.reset();
  first.done = [p, done = std::move(done)](Result<ObjectPtr> result) {
    if (!result.ok()) return done(finish(*p, std::move(result).status()));
    p->granted = true;
    p->core->executor->post([p, done] { p->core->cache->mutate(mutationOf(p, done)); });
  };
  return first;
}

// Plans one write; a mutation when it has to go through the cache, else `done` has been called.
std::optional<cache::Mutation> prepare(const std::shared_ptr<Core>& core, ApiRequest&& request, WriteDone done) {
  if (!request.info->stored) {
    createVirtual(core, std::move(request), std::move(done));
    return std::nullopt;
  }
  if (isTokenRequest(request)) {
    done(createToken(*core, request));
    return std::nullopt;
  }
  request.info = &newest(*core->registry, *request.info);
  if (request.info->custom && !core->registry->find(request.info->group, request.info->version, request.info->plural)) {
    done(Status::notFound("the server could not find the requested resource"));
    return std::nullopt;
  }
  auto p = std::make_shared<PendingWrite>(core, std::move(request));
  p->begun = core->executor->monoNow();
  if (auto planned = plan(*p); !planned.ok()) {
    done(finish(*p, std::move(planned).status()));
    return std::nullopt;
  }
  if (p->request.options.dryRun) {
    done(finish(*p, dryRun(*p)));
    return std::nullopt;
  }
  return p->before ? firstOf(p, std::move(done)) : mutationOf(p, std::move(done));
}

}  // namespace

api::WriteContext PendingWrite::context() const {
  api::WriteContext c;
  c.info = info;
  switch (request.verb) {
    case Verb::Create: c.operation = api::Operation::Create; break;
    case Verb::Patch: c.operation = api::Operation::Patch; break;
    case Verb::Delete: c.operation = api::Operation::Delete; break;
    default: c.operation = api::Operation::Update;
  }
  c.subresource = request.subresource;
  c.user = request.user.name;
  c.now = core->now();
  return c;
}

void write(const std::shared_ptr<Core>& core, ApiRequest request, WriteDone done) {
  if (auto mutation = prepare(core, std::move(request), std::move(done))) core->cache->mutate(std::move(*mutation));
}

void writeAll(const std::shared_ptr<Core>& core, std::vector<ApiRequest> requests,
              std::function<void(std::vector<Result<WriteAnswer>>)> done) {
  struct Batch {
    std::vector<Result<WriteAnswer>> results;
    std::atomic<size_t> left;
    std::function<void(std::vector<Result<WriteAnswer>>)> done;
  };
  if (requests.empty()) return done({});
  auto batch = std::make_shared<Batch>();
  batch->results.resize(requests.size(), Status::internal("not decided"));
  batch->left = requests.size();
  batch->done = std::move(done);
  std::vector<cache::Mutation> mutations;
  for (size_t i = 0; i < requests.size(); ++i) {
    auto one = [batch, i](Result<WriteAnswer> result) {
      batch->results[i] = std::move(result);
      if (batch->left.fetch_sub(1, std::memory_order_acq_rel) == 1) batch->done(std::move(batch->results));
    };
    if (auto mutation = prepare(core, std::move(requests[i]), std::move(one))) mutations.push_back(std::move(*mutation));
  }
  if (!mutations.empty()) core->cache->mutateAll(std::move(mutations));
}

void deleteCollection(const std::shared_ptr<Core>& core, ApiRequest request, WriteDone done) {
  if (!request.body.empty()) {
    auto body = readBody(*core, request, nullptr);
    if (!body.ok()) return done(std::move(body).status());
    if (auto r = readDeleteOptions(*body, request.options); !r.ok()) return done(std::move(r).status());
  }
  auto listing = list(*core, request);
  if (!listing.ok()) return done(std::move(listing).status());
  std::vector<ApiRequest> deletes;
  for (auto& object : listing->items) {
    ApiRequest one = request;
    one.verb = Verb::Delete;
    one.body.clear();
    one.ns = object->ns();
    one.name = object->name();
    one.options.preconditionUid = object->uid();
    deletes.push_back(std::move(one));
  }
  auto finished = [core, info = request.info, listing = *listing, done](std::vector<Result<WriteAnswer>> results) {
    WriteAnswer out;
    for (auto& r : results) {
      // Gone, or made anew, in between: nothing left to delete.
      if (!r.ok() && !r.status().isNotFound() && !r.status().isConflict()) return done(std::move(r).status());
    }
    for (auto& chunk : renderList(*core, *info, listing, Media{})) out.text += *chunk;
    done(std::move(out));
  };
  writeAll(core, std::move(deletes), std::move(finished));
}

}  // namespace ph::server
