#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <functional>
#include <set>

#include "engine/api/gen/model.h"

namespace ph::api::gen {
namespace {

std::string text(const YAML::Node& node, const char* key) { return node[key] ? node[key].as<std::string>() : std::string(); }
bool flag(const YAML::Node& node, const char* key, bool otherwise = false) {
  return node[key] ? node[key].as<bool>() : otherwise;
}
std::vector<std::string> words(const YAML::Node& node, const char* key) {
  return node[key] ? node[key].as<std::vector<std::string>>() : std::vector<std::string>();
}

// Refuses a key that is not in `known`, so that a misspelt one cannot be lost silently.
void checkKeys(const YAML::Node& node, const std::set<std::string>& known, const std::string& where) {
  for (auto entry : node)
    if (!known.count(entry.first.as<std::string>())) fail(where + ": unknown key " + entry.first.as<std::string>());
}

TypeExpr parseType(std::string s, const std::string& package) {
  static const std::set<std::string> scalars = {"string", "bool", "int32", "int64", "double", "bytes",
                                                "time", "microtime", "quantity", "intstr", "any"};
  TypeExpr t;
  if (!s.empty() && s.back() == '*') {
    t.pointer = true;
    s.pop_back();
  }
  auto inner = [&](const char* prefix) { return s.substr(std::string(prefix).size(), s.size() - std::string(prefix).size() - 1); };
  if (s.rfind("list<", 0) == 0 && s.back() == '>') {
    t.kind = TypeExpr::List;
    t.item.push_back(parseType(inner("list<"), package));
  } else if (s.rfind("map<", 0) == 0 && s.back() == '>') {
    t.kind = TypeExpr::Map;
    t.item.push_back(parseType(inner("map<"), package));
  } else if (scalars.count(s)) {
    t.name = s;
  } else {
    t.kind = TypeExpr::Struct;
    t.name = s.find('.') == std::string::npos ? package + "." + s : s;
  }
  return t;
}

FieldDef readField(const std::string& name, const YAML::Node& n, const std::string& package, const std::string& where) {
  checkKeys(n, {"type", "n", "required", "keep", "inline", "enum", "default", "list", "mergeKey", "mapKeys", "retainKeys",
                "format", "min", "max", "doc", "map"}, where);
  if (!n["type"]) fail(where + ": no type");
  FieldDef f;
  f.name = name;
  f.type = parseType(n["type"].as<std::string>(), package);
  f.number = n["n"] ? n["n"].as<int>() : 0;
  f.required = flag(n, "required");
  f.keep = flag(n, "keep");
  f.inlined = flag(n, "inline");
  f.retainKeys = flag(n, "retainKeys");
  f.defaultJson = text(n, "default");
  f.doc = text(n, "doc");
  f.enumValues = text(n, "enum");
  f.list = text(n, "list");
  f.mergeKey = text(n, "mergeKey");
  f.mapKeys = text(n, "mapKeys");
  f.atomic = text(n, "map") == "atomic";
  f.format = text(n, "format");
  if (n["min"]) f.hasMin = true, f.min = n["min"].as<long long>();
  if (n["max"]) f.hasMax = true, f.max = n["max"].as<long long>();
  return f;
}

KindDef readKind(const std::string& name, const YAML::Node& n, const std::string& where) {
  checkKeys(n, {"plural", "singular", "shortNames", "categories", "namespaced", "status", "generation", "grace", "scale",
                "subresources", "columns", "stored", "storedVersion", "storageKind", "verbs", "deprecation"}, where);
  KindDef k;
  k.name = name;
  k.plural = text(n, "plural");
  if (k.plural.empty()) fail(where + ": no plural");
  k.singular = text(n, "singular");
  if (k.singular.empty()) std::transform(name.begin(), name.end(), std::back_inserter(k.singular), ::tolower);
  k.shortNames = words(n, "shortNames");
  k.categories = words(n, "categories");
  k.subresources = words(n, "subresources");
  k.namespaced = flag(n, "namespaced", true);
  k.status = flag(n, "status");
  k.generation = flag(n, "generation");
  k.verbs = words(n, "verbs");
  k.stored = flag(n, "stored", true);
  k.storedVersion = flag(n, "storedVersion", true);
  k.storageKind = text(n, "storageKind");
  k.deprecation = text(n, "deprecation");
  if (n["grace"]) k.grace = n["grace"].as<int>();
  if (auto s = n["scale"]) {
    k.scaleSpec = text(s, "spec");
    k.scaleStatus = text(s, "status");
    k.scaleSelector = text(s, "selector");
  }
  for (auto c : n["columns"]) {
    ColumnDef d{text(c, "name"), text(c, "type"), text(c, "format"), text(c, "path"), text(c, "doc")};
    if (d.type.empty()) d.type = "string";
    if (c["priority"]) d.priority = c["priority"].as<int>();
    k.columns.push_back(d);
  }
  return k;
}

// Orders structs so that each stands after those that it holds by value.
std::vector<StructDef> sorted(std::vector<StructDef> in, const std::string& package) {
  std::map<std::string, StructDef*> byName;
  for (auto& s : in) byName[package + "." + s.name] = &s;
  std::vector<StructDef> out;
  std::map<std::string, int> state;
  std::function<void(const std::string&)> visit = [&](const std::string& name) {
    auto it = byName.find(name);
    if (it == byName.end() || state[name] == 2) return;
    if (state[name] == 1) fail(name + " holds itself by value");
    state[name] = 1;
    for (auto& f : it->second->fields) {
      const TypeExpr* t = &f.type;
      bool held = !t->pointer;
      while (t->kind == TypeExpr::List || t->kind == TypeExpr::Map) t = &t->item[0];
      if (held && t->kind == TypeExpr::Struct && t->name != name) visit(t->name);
    }
    state[name] = 2;
    out.push_back(*it->second);
  };
  for (auto& [name, s] : byName) visit(name);
  return out;
}

Package readPackage(const std::string& file) {
  YAML::Node root = YAML::LoadFile(file);
  checkKeys(root, {"group", "version", "package", "prefix", "structs", "kinds", "types"}, file);
  Package p{text(root, "group"), text(root, "version"), text(root, "package"), text(root, "prefix")};
  p.plain = flag(root, "structs", true);
  std::set<std::string> kindNames;
  for (auto k : root["kinds"]) {
    auto name = k.first.as<std::string>();
    kindNames.insert(name);
    p.kinds.push_back(readKind(name, k.second, file + ": " + name));
  }
  for (auto t : root["types"]) {
    StructDef s;
    s.name = t.first.as<std::string>();
    auto where = file + ": " + s.name;
    checkKeys(t.second, {"doc", "fields", "preserveUnknown", "top", "map"}, where);
    s.doc = text(t.second, "doc");
    s.preserveUnknown = flag(t.second, "preserveUnknown");
    s.atomic = text(t.second, "map") == "atomic";
    s.topLevel = kindNames.count(s.name) || flag(t.second, "top");
    std::set<int> numbers;
    for (auto f : t.second["fields"]) {
      auto name = f.first.as<std::string>();
      s.fields.push_back(readField(name, f.second, p.name, where + "." + name));
      int number = s.fields.back().number;
      if (number && !numbers.insert(number).second) fail(where + "." + name + ": field number used twice");
    }
    p.structs.push_back(std::move(s));
  }
  p.structs = sorted(std::move(p.structs), p.name);
  return p;
}

}  // namespace

Model readModel(const std::vector<std::string>& files) {
  Model model;
  for (auto& file : files) {
    try {
      model.packages.push_back(readPackage(file));
    } catch (const YAML::Exception& e) {
      fail(file + ": " + e.what());
    }
  }
  for (auto& p : model.packages)
    for (auto& s : p.structs)
      for (auto& f : s.fields) {
        const TypeExpr* t = &f.type;
        while (t->kind == TypeExpr::List || t->kind == TypeExpr::Map) t = &t->item[0];
        if (t->kind != TypeExpr::Struct) continue;
        if (p.plain && !model.isPlain(t->name)) fail(p.name + "." + s.name + "." + f.name + ": " + t->name + " has no struct");
        if (!model.find(t->name)) fail(p.name + "." + s.name + "." + f.name + ": no type " + t->name);
      }
  return model;
}

bool Model::isPlain(const std::string& qualified) const {
  for (auto& p : packages)
    if (p.name == qualified.substr(0, qualified.find('.'))) return p.plain;
  return true;
}

const StructDef* Model::find(const std::string& qualified) const {
  for (auto& p : packages)
    for (auto& s : p.structs)
      if (p.name + "." + s.name == qualified) return &s;
  return nullptr;
}

bool Model::materialize(const TypeExpr& type) const {
  if (type.kind != TypeExpr::Struct || type.pointer) return false;
  for (auto& f : find(type.name)->fields)
    if (f.required || !f.defaultJson.empty() || materialize(f.type)) return true;
  return false;
}

}  // namespace ph::api::gen
