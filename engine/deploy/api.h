// Api: a cluster's API for a program that does one thing after the other: each call waits for its answer. Kinds are found by
// discovery, so it works with custom ones and with any Kubernetes server.
// Threads: one, which may block.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/api/schema.h"
#include "engine/base/executor.h"
#include "engine/client/client.h"

namespace ph::deploy {

using api::Json;
using api::JsonArray;
using api::JsonObject;

// Which object: enough to reach it.
struct Ref {
  std::string apiVersion, kind, plural, ns, name;  // ns empty: cluster-scoped
  std::string path() const;                        // "/apis/apps/v1/namespaces/NS/deployments/NAME"
  std::string text() const { return kind + " " + name; }
  bool operator==(const Ref& o) const { return group() == o.group() && plural == o.plural && ns == o.ns && name == o.name; }
  std::string group() const;
};

class Api {
 public:
  // `executor` runs the time; not the thread that calls.
  Api(std::shared_ptr<client::Client> client, std::shared_ptr<Executor> executor) : client_(std::move(client)), executor_(std::move(executor)) {}

  Result<std::string> send(const std::string& method, const std::string& path, std::string body = {}, const std::string& type = "application/json");
  Result<Json> get(const std::string& path);
  // Where an object of this kind lives. 404: the server has no such kind.
  Result<Ref> find(const std::string& apiVersion, const std::string& kind);
  Result<bool> namespaced(const std::string& apiVersion, const std::string& kind);
  void forgetKinds() { kinds_.clear(); }  // new ones may have come

  MonoTime now() const { return executor_->clock().monoNow(); }
  WallTime wallNow() const { return executor_->wallNow(); }
  void pause(Duration time);

 private:
  struct Kind {
    std::string plural;
    bool namespaced = true;
  };
  Result<Kind> kind(const std::string& apiVersion, const std::string& kind);
  std::shared_ptr<client::Client> client_;
  std::shared_ptr<Executor> executor_;
  std::map<std::string, std::map<std::string, Kind>> kinds_;  // by apiVersion, then kind
};

// Reaches into JSON that never fail: the value at a path of members, or null; its text or number.
const Json* at(const Json& tree, std::initializer_list<std::string_view> path);
std::string textAt(const Json& tree, std::initializer_list<std::string_view> path);
int64_t numberAt(const Json& tree, std::initializer_list<std::string_view> path, int64_t otherwise = 0);
const JsonArray& listAt(const Json& tree, std::initializer_list<std::string_view> path);

}  // namespace ph::deploy
