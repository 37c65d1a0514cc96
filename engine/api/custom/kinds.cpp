#include "engine/api/custom/kinds.h"

#include <algorithm>
#include <deque>

#include "engine/api/codec.h"
#include "engine/api/custom/cells.h"
#include "engine/api/custom/publish.h"
#include "engine/api/custom/types.h"
#include "engine/api/custom/walk.h"
#include "engine/api/strategies/common.h"

namespace ph::api::custom {
namespace {

using strategies::flag;
using strategies::list;
using strategies::object;
using strategies::str;
using strategies::text;
using strategies::view;

class Kind final : public CustomKind {
 public:
  Arena arena;
  TypeArena types;
  const Node* root = nullptr;
  bool keepUnknown = false;
  std::string schema;  // JSON
  std::string source;
  std::vector<Column> columns;
  Strategy strategy;
  std::deque<std::string> selectable;
  std::vector<std::string_view> selectableViews;

  void conform(Json& tree, ErrorList& errors, std::vector<std::string>* unknown) const override {
    prune(tree, *root, {.keepUnknown = keepUnknown}, &errors, unknown);
  }
  void restore(Json& tree) const override { prune(tree, *root, {.keepUnknown = keepUnknown}, nullptr, nullptr); }
  void validate(const Json& tree, ErrorList& errors) const override { custom::validate(tree, *root, "", errors); }
  void cells(const Json& tree, WallTime now, std::vector<Json>& out) const override {
    for (auto& c : columns) out.push_back(cellOf(c, tree, now));
  }
  Json document(bool v2) const override {
    auto parsed = parseJson(schema);
    PH_CHECK(parsed.ok());
    return publish(*parsed, v2);
  }
  const std::string& identity() const override { return source; }
};

void dropStatus(Json& object, const WriteContext& context) {
  if (context.info->hasStatus) object.get_object().erase("status");
}

// A text as 128 bits: enough to tell one definition from the next.
std::string digest(std::string_view s) {
  uint64_t a = 14695981039346656037ull, b = 1099511628211ull;
  for (unsigned char c : s) {
    a = (a ^ c) * 1099511628211ull;
    b = (b + c) * 6364136223846793005ull + 1442695040888963407ull;
  }
  return std::to_string(a) + "-" + std::to_string(b);
}

std::vector<std::string> words(const JsonArray& from) {
  std::vector<std::string> out;
  for (auto& v : from)
    if (v.is_string()) out.emplace_back(view(v.get_string()));
  return out;
}

// What all versions share.
ResourceInfo common(const Json& definition) {
  ResourceInfo r;
  auto* names = at(definition, "status.acceptedNames");
  if (!names || str(*names, "plural").empty() || str(*names, "kind").empty()) names = at(definition, "spec.names");
  static const Json kNone = JsonObject();
  if (!names) names = &kNone;
  r.group = str(definition, "spec.group");
  r.kind = str(*names, "kind");
  r.plural = str(*names, "plural");
  r.singular = str(*names, "singular");
  r.shortNames = words(list(*names, "shortNames"));
  r.categories = words(list(*names, "categories"));
  r.namespaced = str(definition, "spec.scope") != "Cluster";
  r.generation = true;
  r.storageGroupKind = r.group + "/" + r.kind;
  r.builtin = false;
  return r;
}

Result<> addColumns(const Json& version, ResourceInfo& info, Kind& kind) {
  auto add = [&](TableColumn column) -> Result<> {
    PH_ASSIGN(auto path, JsonPath::parse(column.jsonPath));
    kind.columns.push_back({column.type, std::move(path)});
    info.columns.push_back(std::move(column));
    return {};
  };
  PH_TRY(add({"Name", "string", "name", "Name of the object.", 0, ".metadata.name"}));
  auto& columns = list(version, "additionalPrinterColumns");
  for (auto& c : columns) {
    auto doc = str(c, "description");
    PH_TRY(add({text(str(c, "name")), text(str(c, "type")), text(str(c, "format")),
                doc.empty() ? "Custom resource definition column (in JSONPath format): " + text(str(c, "jsonPath")) : text(doc),
                int(strategies::num(c, "priority")), text(str(c, "jsonPath"))}));
  }
  if (columns.empty()) PH_TRY(add({"Age", "date", "", "Time since the object was created.", 0, ".metadata.creationTimestamp"}));
  return {};
}

void addSelectable(const Json& version, Kind& kind) {
  for (auto& f : list(version, "selectableFields")) {
    auto path = str(f, "jsonPath");
    if (path.starts_with('.')) path.remove_prefix(1);
    if (!path.empty()) kind.selectable.emplace_back(path);
  }
  for (auto& s : kind.selectable) kind.selectableViews.push_back(s);
  kind.selectableViews.push_back({});
  kind.strategy.selectableFields = kind.selectableViews.data();
}

Result<ResourceInfo> versionOf(const Json& definition, const Json& version, ResourceInfo info) {
  auto kind = std::make_shared<Kind>();
  info.version = str(version, "name");
  info.storedVersion = flag(version, "storage");
  kind->served = flag(version, "served");
  kind->keepUnknown = flag(definition, "spec.preserveUnknownFields");
  static const Json kOpen = JsonObject{{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  auto* schema = at(version, "schema.openAPIV3Schema");
  if (!schema || !schema->is_object()) schema = &kOpen;
  PH_ASSIGN(kind->root, compile(*schema, kind->arena));
  kind->schema = toText(*schema);
  kind->schema.shrink_to_fit();
  info.type = kind->types.object(*kind->root, definitionName(info.group, info.version, info.kind));
  info.hasStatus = at(version, "subresources.status") != nullptr;
  if (auto* scale = at(version, "subresources.scale"))
    info.scale = {text(str(*scale, "specReplicasPath")), text(str(*scale, "statusReplicasPath")), text(str(*scale, "labelSelectorPath"))};
  PH_TRY(addColumns(version, info, *kind));
  addSelectable(version, *kind);
  kind->strategy.prepareCreate = dropStatus;
  kind->strategy.validate = [](const Json& object, const WriteContext& context, ErrorList& errors) {
    if (context.info->custom) context.info->custom->validate(object, errors);
  };
  if (flag(version, "deprecated")) {
    auto warning = str(version, "deprecationWarning");
    info.deprecation = warning.empty() ? info.apiVersion() + " " + info.kind + " is deprecated" : text(warning);
  }
  JsonObject names = object(definition, "status.acceptedNames");
  kind->source = digest(toText(version) + toText(Json(std::move(names))) + toText(Json(object(definition, "spec.names"))) +
                        (info.namespaced ? "n" : "c") + (kind->keepUnknown ? "k" : ""));
  info.strategy = &kind->strategy;
  info.custom = std::move(kind);
  return info;
}

}  // namespace

std::string definitionName(std::string_view group, std::string_view version, std::string_view kind) {
  std::string out;
  while (!group.empty()) {
    size_t dot = group.rfind('.');
    out.append(group.substr(dot == std::string_view::npos ? 0 : dot + 1)).append(".");
    group = dot == std::string_view::npos ? std::string_view() : group.substr(0, dot);
  }
  return out.append(version).append(".").append(kind);
}

Result<std::vector<ResourceInfo>> kindsOf(const Json& definition) {
  std::vector<ResourceInfo> out;
  auto shared = common(definition);
  for (auto& version : list(definition, "spec.versions")) {
    if (!flag(version, "served") && !flag(version, "storage")) continue;
    PH_ASSIGN(auto info, versionOf(definition, version, shared));
    out.push_back(std::move(info));
  }
  return out;
}

}  // namespace ph::api::custom
