// What the generator reads from resources/schemas: groups, their kinds, their types.
// A host tool, single-threaded; errors end the program with the file and the place.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace ph::api::gen {

// A parsed type expression: "string", "list<Container>", "map<quantity>", "meta.LabelSelector*".
struct TypeExpr {
  enum Kind { Scalar, Struct, List, Map } kind = Scalar;
  std::string name;               // scalar's word, or "package.Struct"
  bool pointer = false;
  std::vector<TypeExpr> item;     // one for lists and maps
};

struct FieldDef {
  std::string name;
  TypeExpr type;
  int number = 0;
  bool required = false, keep = false, inlined = false, retainKeys = false, atomic = false;
  std::string defaultJson, doc, enumValues, list, mergeKey, mapKeys, format;
  bool hasMin = false, hasMax = false;
  long long min = 0, max = 0;
};

struct StructDef {
  std::string name, doc;
  bool preserveUnknown = false, topLevel = false, atomic = false;
  std::vector<FieldDef> fields;
};

struct ColumnDef {
  std::string name, type, format, path, doc;
  int priority = 0;
};

struct KindDef {
  std::string name, plural, singular;
  std::vector<std::string> shortNames, categories, subresources, verbs;
  bool namespaced = true, status = false, generation = false, stored = true, storedVersion = true;
  std::string storageKind, deprecation;  // storageKind: of another group, as "GROUP/Kind"; empty: this group's own
  std::string scaleSpec, scaleStatus, scaleSelector;
  int grace = 0;
  std::vector<ColumnDef> columns;
};

struct Package {
  std::string group, version, name, prefix;
  bool plain = true;               // C++ structs are made; else ("structs: false") tables only, for kinds handled as JSON
  std::vector<KindDef> kinds;
  std::vector<StructDef> structs;  // every struct after those it holds by value
};

struct Model {
  std::vector<Package> packages;
  const StructDef* find(const std::string& qualified) const;
  bool isPlain(const std::string& qualified) const;  // its package makes structs
  // Whether an absent plain struct must be made, because something in it is required or has a default.
  bool materialize(const TypeExpr& type) const;
};

Model readModel(const std::vector<std::string>& files);

// Writers; each returns the text of one file.
std::string writeHeader(const Model& model, const Package& package);
std::string writeTables(const Model& model, const Package& package);
std::string writeKinds(const Model& model);

[[noreturn]] void fail(const std::string& message);

}  // namespace ph::api::gen
