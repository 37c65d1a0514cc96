#include <set>
#include <sstream>

#include "engine/api/gen/model.h"

namespace ph::api::gen {
namespace {

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') out += "\\n";
    else out += c;
  }
  return out + "\"";
}

std::string member(const std::string& name) {
  static const std::set<std::string> keywords = {
      "template", "namespace", "operator", "default", "continue", "class", "public", "private", "protected", "delete", "new",
      "static", "switch", "case", "register", "volatile", "const", "enum", "export", "explicit", "extern", "for", "if", "else",
      "do", "while", "int", "long", "short", "signed", "unsigned", "float", "double", "bool", "char", "void", "auto", "break",
      "goto", "return", "sizeof", "struct", "union", "this", "throw", "try", "catch", "true", "false", "typename", "using",
      "virtual", "not", "and", "or", "xor", "requires", "concept", "friend", "inline", "mutable"};
  std::string out = name;
  for (char& c : out)
    if (!isalnum(static_cast<unsigned char>(c)) && c != '_') c = '_';
  return keywords.count(out) ? out + "_" : out;
}

// "core.Pod" -> "core::Pod"
std::string cppName(const std::string& qualified) {
  auto dot = qualified.find('.');
  return qualified.substr(0, dot) + "::" + qualified.substr(dot + 1);
}

std::string cppType(const TypeExpr& t) {
  switch (t.kind) {
    case TypeExpr::List: return "std::vector<" + cppType(t.item[0]) + ">";
    case TypeExpr::Map: return "std::map<std::string, " + cppType(t.item[0]) + ", std::less<>>";
    case TypeExpr::Struct: return t.pointer ? "Box<" + cppName(t.name) + ">" : cppName(t.name);
    case TypeExpr::Scalar: break;
  }
  static const std::map<std::string, std::string> names = {
      {"string", "std::string"}, {"bool", "bool"}, {"int32", "int32_t"}, {"int64", "int64_t"}, {"double", "double"},
      {"bytes", "std::string"}, {"time", "std::optional<WallTime>"}, {"microtime", "std::optional<WallTime>"},
      {"quantity", "Quantity"}, {"intstr", "IntOrString"}, {"any", "Json"}};
  auto plain = names.at(t.name);
  bool carriesAbsence = t.name == "time" || t.name == "microtime" || t.name == "any" || t.name == "bytes";
  return t.pointer && !carriesAbsence ? "std::optional<" + plain + ">" : plain;
}

// An identifier for the table of a type.
std::string tableName(const TypeExpr& t) {
  if (t.kind == TypeExpr::List) return "List_" + tableName(t.item[0]);
  if (t.kind == TypeExpr::Map) return "Map_" + tableName(t.item[0]);
  std::string out = t.name;
  for (char& c : out)
    if (c == '.') c = '_';
  return out;
}

std::string typeAddress(const TypeExpr& t) {
  static const std::map<std::string, std::string> names = {
      {"string", "String"}, {"bool", "Bool"}, {"int32", "Int32"}, {"int64", "Int64"}, {"double", "Double"}, {"bytes", "Bytes"},
      {"time", "Time"}, {"microtime", "MicroTime"}, {"quantity", "Quantity"}, {"intstr", "IntOrString"}, {"any", "Any"}};
  if (t.kind == TypeExpr::Scalar) return "&scalar::" + names.at(t.name);
  if (t.kind == TypeExpr::Struct) return "&tables::" + tableName(t);
  return "&" + tableName(t);
}

std::string zero(const TypeExpr& t) {
  if (t.kind != TypeExpr::Scalar || t.pointer) return "";
  if (t.name == "bool") return " = false";
  if (t.name == "int32" || t.name == "int64" || t.name == "double") return " = 0";
  return "";
}

void collectPackages(const TypeExpr& t, std::set<std::string>& out) {
  if (t.kind == TypeExpr::Struct) out.insert(t.name.substr(0, t.name.find('.')));
  for (auto& i : t.item) collectPackages(i, out);
}

// Containers whose tables the file needs, inner ones first.
void collectContainers(const TypeExpr& t, bool plain, std::set<std::string>& seen, std::ostringstream& o) {
  for (auto& i : t.item) collectContainers(i, plain, seen, o);
  if (t.kind != TypeExpr::List && t.kind != TypeExpr::Map) return;
  if (!seen.insert(tableName(t)).second) return;
  bool list = t.kind == TypeExpr::List;
  o << "constexpr Type " << tableName(t) << "{.form = Form::" << (list ? "List" : "Map") << ", .item = " << typeAddress(t.item[0])
    << ", .ops = &" << (plain ? (list ? "kListOps<" : "kMapOps<") + cppType(t.item[0]) + ">" : "kNoStruct") << "};\n";
}

void writeField(std::ostringstream& o, const Model& model, bool plain, const StructDef& s, const FieldDef& f) {
  o << "    {.name = " << quoted(f.name) << ", .type = " << typeAddress(f.type);
  if (f.number) o << ", .number = " << f.number;
  if (f.required) o << ", .required = true";
  if (f.type.pointer) o << ", .pointer = true";
  if (f.keep) o << ", .omitEmpty = false";
  if (f.inlined) o << ", .inlined = true";
  if (!f.defaultJson.empty()) o << ", .defaultJson = " << quoted(f.defaultJson);
  if (!f.doc.empty()) o << ", .doc = " << quoted(f.doc);
  if (!f.enumValues.empty()) o << ", .enumValues = " << quoted(f.enumValues);
  if (f.list == "set") o << ", .listKind = ListKind::Set";
  if (f.list == "map" || (!f.mergeKey.empty() && f.list.empty())) o << ", .listKind = ListKind::Map";
  if (!f.mergeKey.empty()) o << ", .mergeKey = " << quoted(f.mergeKey);
  if (!f.mapKeys.empty()) o << ", .mapKeys = " << quoted(f.mapKeys);
  if (f.retainKeys) o << ", .patchReplaceKeys = true";
  if (!f.format.empty()) o << ", .format = " << quoted(f.format);
  if (f.hasMin) o << ", .hasMin = true";
  if (f.hasMax) o << ", .hasMax = true";
  if (f.hasMin) o << ", .min = " << f.min;
  if (f.hasMax) o << ", .max = " << f.max;
  o << ", .offset = " << (!plain ? "kNoMember" : f.inlined ? "0" : "offsetof(" + s.name + ", " + member(f.name) + ")");
  if (f.atomic) o << ", .atomic = true";
  if (model.materialize(f.type) && !f.inlined) o << ", .materialize = true";
  o << "},\n";
}

std::string writeTableNames(const Package& p, std::ostringstream& o) {
  o << "\nnamespace ph::api::tables {\n";
  for (auto& s : p.structs) o << "extern const Type " << p.name << "_" << s.name << ";\n";
  o << "}  // namespace ph::api::tables\n";
  return o.str();
}

}  // namespace

std::string writeHeader(const Model& model, const Package& p) {
  (void)model;
  std::set<std::string> used;
  for (auto& s : p.structs)
    for (auto& f : s.fields) collectPackages(f.type, used);
  std::ostringstream o;
  o << "// Generated from the schemas of " << (p.group.empty() ? "the core group" : p.group) << ", " << p.version << ".\n#pragma once\n\n"
    << "#include <cstdint>\n#include <map>\n#include <optional>\n#include <string>\n#include <vector>\n\n"
    << "#include \"engine/api/box.h\"\n#include \"engine/api/codec.h\"\n#include \"engine/api/int_or_string.h\"\n"
    << "#include \"engine/api/quantity.h\"\n";
  for (auto& u : used)
    if (u != p.name) o << "#include \"engine/api/types/" << u << ".h\"\n";
  if (!p.plain) return writeTableNames(p, o);
  o << "\nnamespace ph::api::" << p.name << " {\n\n";
  for (auto& s : p.structs) o << "struct " << s.name << ";\n";
  for (auto& s : p.structs) {
    o << "\n";
    std::string bases;
    for (auto& f : s.fields)
      if (f.inlined) bases = (bases.empty() ? " : " : bases + ", ") + cppName(f.type.name);
    if (bases.find(',') != std::string::npos) fail(s.name + ": only one inlined struct is supported");
    o << "struct " << s.name << bases << " {\n";
    for (auto& f : s.fields)
      if (!f.inlined) o << "  " << cppType(f.type) << " " << member(f.name) << zero(f.type) << ";\n";
    o << "};\n";
  }
  o << "\n}  // namespace ph::api::" << p.name << "\n";
  writeTableNames(p, o);
  o << "\nnamespace ph::api {\n";
  for (auto& s : p.structs)
    o << "template <> inline const Type& schemaOf<" << p.name << "::" << s.name << ">() { return tables::" << p.name << "_" << s.name << "; }\n";
  o << "}  // namespace ph::api\n";
  return o.str();
}

std::string writeTables(const Model& model, const Package& p) {
  std::ostringstream o;
  o << "#include \"engine/api/types/" << p.name << ".h\"\n\n#include <cstddef>\n\n#include \"engine/api/struct_ops.h\"\n\n"
    << "#pragma GCC diagnostic ignored \"-Winvalid-offsetof\"\n\n"
    << "namespace ph::api {\n" << (p.plain ? "using namespace " + p.name + ";\n" : "") << "namespace {\n\n";
  std::set<std::string> seen;
  for (auto& s : p.structs)
    for (auto& f : s.fields) collectContainers(f.type, p.plain, seen, o);
  for (auto& s : p.structs) {
    for (auto& f : s.fields)
      if (f.inlined && p.plain) {
        auto* base = model.find(f.type.name);
        auto first = member(base->fields.front().name);
        o << "static_assert(offsetof(" << s.name << ", " << first << ") == offsetof(" << cppName(f.type.name) << ", " << first << "));\n";
      }
    if (s.fields.empty() && !s.topLevel) continue;
    o << "\nconstexpr Field fields_" << s.name << "[] = {\n";
    if (s.topLevel)
      o << "    {.name = \"apiVersion\", .type = &scalar::String, .offset = kNoMember},\n"
        << "    {.name = \"kind\", .type = &scalar::String, .offset = kNoMember},\n";
    for (auto& f : s.fields) writeField(o, model, p.plain, s, f);
    o << "};\n";
  }
  o << "\n}  // namespace\n\nnamespace tables {\n";
  for (auto& s : p.structs) {
    o << "constexpr Type " << p.name << "_" << s.name << "{.name = " << quoted(p.prefix + "." + s.name) << ", .form = Form::Object";
    if (!s.doc.empty()) o << ", .doc = " << quoted(s.doc);
    if (!s.fields.empty() || s.topLevel) o << ", .fields = fields_" << s.name << ", .fieldCount = std::size(fields_" << s.name << ")";
    if (s.preserveUnknown) o << ", .preserveUnknown = true";
    if (s.atomic) o << ", .atomic = true";
    o << ", .ops = &" << (p.plain ? "kObjectOps<" + p.name + "::" + s.name + ">" : "kNoStruct") << "};\n";
  }
  o << "}  // namespace tables\n}  // namespace ph::api\n";
  return o.str();
}

namespace {

std::string wordList(const std::vector<std::string>& words) {
  std::string out = "{";
  for (auto& w : words) out += (out.size() > 1 ? ", " : "") + quoted(w);
  return out + "}";
}

void writeKind(std::ostringstream& o, const Package& p, const KindDef& k) {
  o << "  {\n    ResourceInfo r;\n    r.group = " << quoted(p.group) << ";\n    r.version = " << quoted(p.version) << ";\n    r.kind = "
    << quoted(k.name) << ";\n    r.plural = " << quoted(k.plural) << ";\n    r.singular = " << quoted(k.singular) << ";\n";
  if (!k.shortNames.empty()) o << "    r.shortNames = " << wordList(k.shortNames) << ";\n";
  if (!k.categories.empty()) o << "    r.categories = " << wordList(k.categories) << ";\n";
  if (!k.subresources.empty()) o << "    r.subresources = " << wordList(k.subresources) << ";\n";
  if (!k.namespaced) o << "    r.namespaced = false;\n";
  if (k.status) o << "    r.hasStatus = true;\n";
  if (k.generation) o << "    r.generation = true;\n";
  if (!k.scaleSpec.empty())
    o << "    r.scale = {" << quoted(k.scaleSpec) << ", " << quoted(k.scaleStatus) << ", " << quoted(k.scaleSelector) << "};\n";
  if (!k.verbs.empty()) o << "    r.verbs = " << wordList(k.verbs) << ";\n";
  if (!k.stored) o << "    r.stored = false;\n";
  if (!k.storedVersion) o << "    r.storedVersion = false;\n";
  if (!k.deprecation.empty()) o << "    r.deprecation = " << quoted(k.deprecation) << ";\n";
  if (k.grace) o << "    r.gracePeriodSeconds = " << k.grace << ";\n";
  for (auto& c : k.columns)
    o << "    r.columns.push_back({" << quoted(c.name) << ", " << quoted(c.type) << ", " << quoted(c.format) << ", " << quoted(c.doc) << ", "
      << c.priority << ", " << quoted(c.path) << "});\n";
  o << "    r.type = &tables::" << p.name << "_" << k.name << ";\n    r.storageGroupKind = "
    << quoted(!k.storageKind.empty() ? k.storageKind : (p.group.empty() ? "" : p.group + "/") + k.name) << ";\n    out.push_back(std::move(r));\n  }\n";
}

}  // namespace

std::string writeKinds(const Model& model) {
  std::ostringstream o;
  o << "#include \"engine/api/builtin.h\"\n\nnamespace ph::api {\nnamespace tables {\n";
  for (auto& p : model.packages)
    for (auto& k : p.kinds) o << "extern const Type " << p.name << "_" << k.name << ";\n";
  o << "}  // namespace tables\n\n";
  for (auto& p : model.packages) {
    if (p.kinds.empty()) continue;
    o << "static void add_" << p.name << "(std::vector<ResourceInfo>& out) {\n";
    for (auto& k : p.kinds) writeKind(o, p, k);
    o << "}\n\n";
  }
  o << "std::vector<ResourceInfo> builtinResources() {\n  std::vector<ResourceInfo> out;\n";
  for (auto& p : model.packages)
    if (!p.kinds.empty()) o << "  add_" << p.name << "(out);\n";
  o << "  return out;\n}\n\n}  // namespace ph::api\n";
  return o.str();
}

}  // namespace ph::api::gen
