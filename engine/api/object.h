// Object: one stored object, immutable: its JSON bytes (without resourceVersion, which is spliced in on the way out), the
// parts of its metadata that everyone asks for, and its typed struct, decoded when first asked for.
// Threads: immutable; as<T>() is safe from any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "engine/api/registry.h"

namespace ph::api {

struct OwnerRef {
  std::string apiVersion, kind, name, uid;
  bool controller = false, blockOwnerDeletion = false;
};

using Labels = std::vector<std::pair<std::string, std::string>>;  // sorted by key

struct Meta {
  std::string ns, name, uid;
  Labels labels;
  std::vector<OwnerRef> owners;
  std::vector<std::string> finalizers;
  int64_t generation = 0;
  WallTime created{};
  bool deleting = false;             // deletionTimestamp is set
  WallTime deletionTime{};
  int64_t deletionGraceSeconds = 0;

  const OwnerRef* controller() const {
    for (auto& o : owners) if (o.controller) return &o;
    return nullptr;
  }
  std::string_view label(std::string_view key) const;  // empty when absent
};

class Object;
using ObjectPtr = std::shared_ptr<const Object>;

class Object {
 public:
  // From a complete, valid tree (metadata.resourceVersion is dropped). Encodes it once.
  static ObjectPtr make(const ResourceInfo* info, const Json& tree, int64_t revision);
  // From stored or received bytes. A resourceVersion inside is used when `revision` is 0.
  static Result<ObjectPtr> parse(const ResourceInfo* info, std::string_view json, int64_t revision = 0);
  // The same bytes at the revision that the store gave them.
  ObjectPtr at(int64_t revision) const;
  // The same without the struct that as() keeps, several times the bytes: for whoever holds many for long.
  ObjectPtr undecoded() const;

  const ResourceInfo& info() const { return *info_; }
  int64_t revision() const { return revision_; }
  const Meta& meta() const { return body_->meta; }
  const std::string& name() const { return body_->meta.name; }
  const std::string& ns() const { return body_->meta.ns; }
  const std::string& uid() const { return body_->meta.uid; }
  std::string key() const { return ns().empty() ? name() : ns() + "/" + name(); }

  const std::string& stored() const { return body_->json; }  // bytes without resourceVersion, as the store keeps them
  void appendJson(std::string& out) const;                    // bytes with resourceVersion
  std::string json() const { std::string s; appendJson(s); return s; }
  Json tree() const;                                          // parsed, with resourceVersion; a fresh copy

  // The generated struct (core::Pod...). T must be the struct of this kind (checked).
  template <class T> const T& as() const { return *static_cast<const T*>(decoded(typeOf<T>())); }
  // The same without its type: the struct of info().type; nullptr for kinds without a generated struct.
  const void* typed() const;

  // Use make() or parse(); public only for make_shared.
  struct Decoded {
    std::once_flag once;
    std::shared_ptr<const void> typed;
  };
  struct Body {
    std::string json;
    size_t spliceAt = 0;  // offset just after "metadata":{
    Meta meta;
  };
  Object(const ResourceInfo* info, std::shared_ptr<const Body> body, int64_t revision, std::shared_ptr<Decoded> decoded)
      : info_(info), body_(std::move(body)), revision_(revision), decoded_(std::move(decoded)) {}

 private:
  template <class T> static const Type* typeOf();  // specialised by the generated headers through codec.h
  const void* decoded(const Type* type) const;

  const ResourceInfo* info_;
  std::shared_ptr<const Body> body_;
  int64_t revision_;
  std::shared_ptr<Decoded> decoded_;  // filled when first asked for; copies at other revisions share it
};

}  // namespace ph::api
