#include "engine/api/codec.h"
#include "engine/api/custom/walk.h"
#include "engine/api/path.h"
#include "engine/api/types/meta.h"

namespace ph::api::custom {
namespace {

constexpr size_t kMaxUnknown = 1000;
std::string_view view(boost::json::string_view s) { return {s.data(), s.size()}; }
boost::json::string_view boosted(std::string_view s) { return {s.data(), s.size()}; }

class Pruner {
 public:
  Pruner(const PruneOptions& options, ErrorList* errors, std::vector<std::string>* unknown)
      : options_(options), errors_(errors), unknown_(unknown) {}

  void value(Json& v, const Node& node, const Path& path, bool root) {
    if (auto* o = v.if_object()) {
      object(*o, node, path, root || node.embedded);
    } else if (auto* a = v.if_array(); a && node.items) {
      for (size_t i = 0; i < a->size(); ++i) {
        Json& item = (*a)[i];
        if (item.is_null() && !node.items->nullable && node.items->standard && options_.defaults) item = *node.items->standard;
        value(item, *node.items, path.at(i), false);
      }
    } else if (a && !node.preserve && !options_.keepUnknown && node.type != NodeType::Array) {
      // Lists that the schema says nothing about keep their scalars; validation names what has a wrong type.
      for (size_t i = 0; i < a->size(); ++i) value((*a)[i], kNothing, path.at(i), false);
    }
  }

 private:
  static bool implicit(std::string_view key) { return key == "apiVersion" || key == "kind" || key == "metadata"; }

  void object(JsonObject& o, const Node& node, const Path& path, bool resource) {
    std::vector<std::string> drop;
    for (auto& kv : o) {
      auto key = view(kv.key());
      if (resource && implicit(key)) {
        own(kv.value(), key, node, path);
        continue;
      }
      const Node* child = node.property(key);
      if (!child) child = node.additional;
      if (!child) {
        if (node.preserve || node.additionalAny || options_.keepUnknown) continue;
        note(path.field(key));
        drop.emplace_back(key);
      } else if (kv.value().is_null() && !child->nullable) {
        if (child->standard && options_.defaults) {
          kv.value() = *child->standard;
          value(kv.value(), *child, path.field(key), false);
        } else if (!child->standard) {
          drop.emplace_back(key);
        }
      } else {
        value(kv.value(), *child, path.field(key), false);
      }
    }
    for (auto& key : drop) o.stable_erase(o.find(boosted(key)));
    if (options_.defaults) defaults(o, node, path, resource);
  }

  void defaults(JsonObject& o, const Node& node, const Path& path, bool resource) {
    for (auto& [name, child] : node.properties) {
      if (!child->standard || (resource && implicit(name)) || o.contains(boosted(name))) continue;
      Json& made = o[boosted(name)];
      made = *child->standard;
      value(made, *child, path.field(name), false);
    }
  }

  // apiVersion, kind and metadata of an object or of one embedded in it.
  void own(Json& v, std::string_view key, const Node&, const Path& path) {
    if (!options_.metadata) return;
    if (key != "metadata") {
      if (!v.is_string() && errors_) errors_->typeInvalid(path.field(key).text(), toText(v), "must be a string");
      return;
    }
    if (v.is_null()) {
      v = JsonObject();
      return;
    }
    ErrorList found;
    std::vector<std::string> dropped;
    Json before = errors_ ? Json(nullptr) : v;
    conform(v, schemaOf<meta::ObjectMeta>(), found, &dropped);
    auto prefix = path.field(key).text();
    if (!errors_) {
      if (!found.empty()) v = std::move(before);  // stored so: left as it is
      return;
    }
    for (auto& c : found.causes()) errors_->append({c.reason, c.message, prefix + (c.field.empty() ? "" : "." + c.field)});
    for (auto& d : dropped)
      if (unknown_ && unknown_->size() < kMaxUnknown) unknown_->push_back(prefix + "." + d);
  }

  void note(const Path& path) {
    if (unknown_ && unknown_->size() < kMaxUnknown) unknown_->push_back(path.text());
  }

  inline static const Node kNothing{};
  const PruneOptions& options_;
  ErrorList* errors_;
  std::vector<std::string>* unknown_;
};

}  // namespace

void prune(Json& value, const Node& node, const PruneOptions& options, ErrorList* errors, std::vector<std::string>* unknown) {
  Pruner(options, errors, unknown).value(value, node, Path{}, options.root);
}

}  // namespace ph::api::custom
