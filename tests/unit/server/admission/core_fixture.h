// A server core without HTTP over a store in memory: writes as requests make them, one at a time or from many threads.
#pragma once

#include <future>
#include <string>

#include "engine/api/codec.h"
#include "engine/server/core.h"
#include "engine/server/writes.h"

namespace ph::test {

using api::Json;
using api::JsonArray;
using api::JsonObject;

class CoreFixture {
 public:
  CoreFixture() {
    registry = api::Registry::builtin();
    executor = makeThreadExecutor(3, "test");
    std::shared_ptr<store::Store> store = store::makeMemoryStore([strand = executor->strand()](auto task) { strand->post(std::move(task)); });
    auto cache = cache::Cache::open(std::move(store), registry, executor);
    PH_CHECK(cache.ok());
    auto made = server::makeCore(registry, executor, std::move(*cache));
    PH_CHECK(made.ok());
    core = std::move(*made);
    std::promise<void> done;
    server::createDefaults(core, 6443, [&](Result<> r) {
      PH_CHECK(r.ok());
      done.set_value();
    });
    done.get_future().wait();
  }
  ~CoreFixture() {
    for (int i = 0; i < 6; ++i) {
      std::promise<void> done;
      executor->post([&] { done.set_value(); });
      done.get_future().wait();
    }
    core.reset();
    executor.reset();
  }

  server::ApiRequest request(server::Verb verb, const Json& object, const std::string& ns) const {
    std::string apiVersion(object.at("apiVersion").as_string()), group, version = apiVersion;
    if (auto slash = apiVersion.find('/'); slash != apiVersion.npos) {
      group = apiVersion.substr(0, slash);
      version = apiVersion.substr(slash + 1);
    }
    server::ApiRequest r;
    r.verb = verb;
    r.info = registry->findKind(group, version, std::string_view(object.at("kind").as_string()));
    PH_CHECK(r.info);
    r.ns = r.info->namespaced ? ns : "";
    if (auto* name = api::at(object, "metadata.name")) r.name = name->as_string();
    r.body = verb == server::Verb::Delete ? "" : api::toText(object);
    r.user = server::systemAdmin();
    return r;
  }
  Result<server::WriteAnswer> send(server::ApiRequest r) {
    std::promise<Result<server::WriteAnswer>> done;
    server::write(core, std::move(r), [&](Result<server::WriteAnswer> a) { done.set_value(std::move(a)); });
    return done.get_future().get();
  }
  static Json yaml(const std::string& text) {
    auto tree = api::parseYaml(text);
    PH_CHECK_MSG(tree.ok(), text);
    return std::move(*tree);
  }
  Result<server::WriteAnswer> create(const std::string& text, const std::string& ns = "default") {
    return send(request(server::Verb::Create, yaml(text), ns));
  }
  Result<server::WriteAnswer> update(const std::string& text, const std::string& ns = "default") {
    return send(request(server::Verb::Update, yaml(text), ns));
  }
  Result<server::WriteAnswer> remove(const std::string& text, const std::string& ns = "default") {
    return send(request(server::Verb::Delete, yaml(text), ns));
  }
  Result<server::WriteAnswer> patch(const std::string& text, const std::string& subresource = "", const std::string& ns = "default") {
    auto r = request(server::Verb::Patch, yaml(text), ns);
    r.contentType = "application/merge-patch+json";
    r.subresource = subresource;
    return send(std::move(r));
  }
  // "" when it went well, else the message.
  static std::string why(const Result<server::WriteAnswer>& r) { return r.ok() ? "" : r.status().message; }
  // What an answered object holds at a path, as text.
  static std::string text(const Result<server::WriteAnswer>& r, std::string_view path) {
    if (!r.ok()) return r.status().message;
    Json tree = r->object->tree();
    auto* v = api::at(tree, path);
    if (!v) return "(none)";
    return v->is_string() ? std::string(v->as_string()) : api::toText(*v);
  }

  std::shared_ptr<api::Registry> registry;
  std::shared_ptr<Executor> executor;
  std::shared_ptr<server::Core> core;
};

}  // namespace ph::test
