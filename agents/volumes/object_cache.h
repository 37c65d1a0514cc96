// ObjectCache: the ConfigMaps, Secrets, claims and volumes that pods of this node name, each followed by a watch of its own while somebody needs it.
// Threads: the node's strand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/client/reflector.h"

namespace ph::agents {

struct ObjectRef {
  enum class Kind { ConfigMap, Secret, Claim, Volume };
  Kind kind = Kind::ConfigMap;
  std::string ns, name;  // ns is empty for volumes
  auto operator<=>(const ObjectRef&) const = default;
  static ObjectRef keys(bool secret, std::string ns, std::string name) {
    return {secret ? Kind::Secret : Kind::ConfigMap, std::move(ns), std::move(name)};
  }
  bool secret() const { return kind == Kind::Secret; }
  std::string_view plural() const {
    static constexpr std::string_view kPlurals[] = {"configmaps", "secrets", "persistentvolumeclaims", "persistentvolumes"};
    return kPlurals[size_t(kind)];
  }
  std::string text() const {
    auto word = plural();
    word.remove_suffix(1);
    return std::string(word) + " \"" + name + "\"";
  }
  std::string key() const { return ns.empty() ? name : ns + "/" + name; }
};

class ObjectCache : public std::enable_shared_from_this<ObjectCache> {
 public:
  ObjectCache(client::Client& client, std::shared_ptr<Executor> strand);
  ~ObjectCache();

  void acquire(const ObjectRef& ref);
  void release(const ObjectRef& ref);
  // Whether the API has answered for it since it was acquired.
  bool known(const ObjectRef& ref) const;
  api::ObjectPtr get(const ObjectRef& ref) const;  // null: there is none
  std::string error(const ObjectRef& ref) const;
  // Called when one became known or changed.
  void onChange(std::function<void(const ObjectRef&)> callback) { onChange_ = std::move(callback); }

 private:
  struct Followed {
    int users = 0;
    std::shared_ptr<client::Reflector> reflector;
  };
  client::Client& client_;
  std::shared_ptr<Executor> strand_;
  std::map<ObjectRef, Followed> followed_;
  std::function<void(const ObjectRef&)> onChange_;
};

}  // namespace ph::agents
