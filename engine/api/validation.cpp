#include "engine/api/validation.h"

#include <algorithm>

#include "engine/api/codec.h"

namespace ph::api {
namespace {

constexpr size_t kMaxCauses = 1000;
constexpr size_t kMaxAnnotations = 256 * 1024;

std::string_view view(boost::json::string_view s) { return {s.data(), s.size()}; }

std::string quoted(const std::string& s) {
  if (s.size() <= 1000) return toText(Json(s));
  return toText(Json(s.substr(0, 1000) + "..."));
}

std::string textAt(const Json& tree, std::string_view path) {
  auto* v = at(tree, path);
  return v && v->is_string() ? std::string(view(v->get_string())) : std::string();
}

const JsonObject* objectAt(const Json& tree, std::string_view path) {
  auto* v = at(tree, path);
  return v ? v->if_object() : nullptr;
}

const JsonArray* arrayAt(const Json& tree, std::string_view path) {
  auto* v = at(tree, path);
  return v ? v->if_array() : nullptr;
}

void validateName(const Json& object, const ResourceInfo& info, ErrorList& errors) {
  auto check = info.strategy && info.strategy->checkName ? info.strategy->checkName : checkDnsSubdomain;
  auto name = textAt(object, "metadata.name");
  auto prefix = textAt(object, "metadata.generateName");
  if (!prefix.empty()) {
    // The prefix may end in what a whole name may not, because more follows.
    auto whole = prefix.back() == '-' || prefix.back() == '.' ? prefix + "a" : prefix;
    if (auto why = check(whole); !why.empty()) errors.invalid("metadata.generateName", prefix, why);
  }
  if (name.empty()) {
    if (prefix.empty()) errors.required("metadata.name", "name or generateName is required");
  } else if (auto why = check(name); !why.empty()) {
    errors.invalid("metadata.name", name, why);
  }
  auto ns = textAt(object, "metadata.namespace");
  if (!info.namespaced) {
    if (!ns.empty()) errors.forbidden("metadata.namespace", "not allowed on this type");
  } else if (ns.empty()) {
    errors.required("metadata.namespace");
  } else if (auto why = checkDnsLabel(ns); !why.empty()) {
    errors.invalid("metadata.namespace", ns, why);
  }
}

void validateAnnotations(const Json& object, ErrorList& errors) {
  auto* annotations = objectAt(object, "metadata.annotations");
  if (!annotations) return;
  size_t total = 0;
  for (auto& kv : *annotations) {
    std::string key(view(kv.key())), folded = key;
    std::transform(folded.begin(), folded.end(), folded.begin(), [](unsigned char c) { return char(tolower(c)); });
    if (auto why = checkQualifiedName(folded); !why.empty()) errors.invalid("metadata.annotations", key, why);
    total += key.size() + (kv.value().is_string() ? kv.value().get_string().size() : 0);
  }
  if (total > kMaxAnnotations) errors.tooLong("metadata.annotations", kMaxAnnotations);
}

void validateOwners(const Json& object, ErrorList& errors) {
  auto* owners = arrayAt(object, "metadata.ownerReferences");
  if (!owners) return;
  std::string controller;
  for (size_t i = 0; i < owners->size(); ++i) {
    const Json& o = (*owners)[i];
    auto path = "metadata.ownerReferences[" + std::to_string(i) + "]";
    auto version = textAt(o, "apiVersion");
    if (std::count(version.begin(), version.end(), '/') > 1) errors.invalid(path + ".apiVersion", version, "must be GROUP/VERSION or VERSION");
    auto* flag = at(o, "controller");
    if (!flag || !flag->is_bool() || !flag->get_bool()) continue;
    auto name = textAt(o, "kind") + "/" + textAt(o, "name");
    if (!controller.empty())
      errors.invalidRaw("metadata.ownerReferences", toText(Json(*owners)),
                        "Only one reference can have Controller set to true. Found \"true\" in references for " + controller + " and " + name);
    controller = name;
  }
}

void validateFinalizers(const Json& object, ErrorList& errors) {
  auto* finalizers = arrayAt(object, "metadata.finalizers");
  if (!finalizers) return;
  for (size_t i = 0; i < finalizers->size(); ++i) {
    if (!(*finalizers)[i].is_string()) continue;
    std::string f(view((*finalizers)[i].get_string()));
    if (auto why = checkQualifiedName(f); !why.empty()) {
      errors.invalid("metadata.finalizers", f, why);
    } else if (f.find('/') == std::string::npos && f != "orphan" && f != "foregroundDeletion" && f != "kubernetes") {
      errors.invalid("metadata.finalizers[" + std::to_string(i) + "]", f, "name is neither a standard finalizer name nor is it fully qualified");
    }
  }
}

}  // namespace

void validateLabels(const JsonObject& labels, const std::string& field, ErrorList& errors) {
  for (auto& kv : labels) {
    std::string key(view(kv.key()));
    if (auto why = checkQualifiedName(key); !why.empty()) errors.invalid(field, key, why);
    if (!kv.value().is_string()) continue;
    std::string value(view(kv.value().get_string()));
    if (auto why = checkLabelValue(value); !why.empty()) errors.invalid(field, value, why);
  }
}

void ErrorList::add(const char* reason, std::string field, std::string message) {
  if (causes_.size() < kMaxCauses) causes_.push_back({reason, std::move(message), std::move(field)});
}
void ErrorList::required(std::string field, std::string detail) {
  add("FieldValueRequired", std::move(field), detail.empty() ? "Required value" : "Required value: " + detail);
}
void ErrorList::invalid(std::string field, std::string badValue, std::string detail) {
  add("FieldValueInvalid", std::move(field), "Invalid value: " + quoted(badValue) + ": " + detail);
}
void ErrorList::invalidRaw(std::string field, std::string badValue, std::string detail) {
  add("FieldValueInvalid", std::move(field), "Invalid value: " + badValue + ": " + detail);
}
void ErrorList::notSupported(std::string field, std::string badValue, const std::vector<std::string>& supported) {
  auto sorted = supported;
  std::sort(sorted.begin(), sorted.end());
  std::string list;
  for (auto& s : sorted) list += (list.empty() ? "" : ", ") + quoted(s);
  add("FieldValueNotSupported", std::move(field), "Unsupported value: " + quoted(badValue) + ": supported values: " + list);
}
void ErrorList::notFound(std::string field, std::string badValue) {
  add("FieldValueNotFound", std::move(field), "Not found: " + quoted(badValue));
}
void ErrorList::duplicate(std::string field, std::string badValue) {
  add("FieldValueDuplicate", std::move(field), "Duplicate value: " + quoted(badValue));
}
void ErrorList::forbidden(std::string field, std::string detail) {
  add("FieldValueForbidden", std::move(field), "Forbidden: " + detail);
}
void ErrorList::tooLong(std::string field, size_t maxLength) {
  add("FieldValueTooLong", std::move(field), "Too long: must have at most " + std::to_string(maxLength) + " bytes");
}
void ErrorList::tooMany(std::string field, size_t actual, size_t max) {
  add("FieldValueTooMany", std::move(field), "Too many: " + std::to_string(actual) + ": must have at most " + std::to_string(max) + " items");
}
void ErrorList::typeInvalid(std::string field, std::string badValue, std::string detail) {
  typeErrors_ = true;
  add("FieldValueTypeInvalid", std::move(field), "Invalid value: " + quoted(badValue) + ": " + detail);
}

Status ErrorList::toStatus(const ResourceInfo& info, std::string_view name) const {
  auto line = [](const StatusCause& c) { return c.field.empty() ? c.message : c.field + ": " + c.message; };
  std::string list;
  size_t shown = 0;
  for (auto& c : causes_) {
    if (typeErrors_ && info.builtin && c.reason != "FieldValueTypeInvalid") continue;
    if (shown++ == 100) {
      list += ", ...";
      break;
    }
    list += (list.empty() ? "" : ", ") + line(c);
  }
  if (shown > 1) list = "[" + list + "]";
  Status s;
  if (typeErrors_ && info.builtin) {
    s = Status::badRequest(info.kind + " in version \"" + info.version + "\" cannot be handled as a " + info.kind + ": " + list);
  } else {
    auto kind = info.group.empty() ? info.kind : info.kind + "." + info.group;
    s = Status::invalid(kind + " \"" + std::string(name) + "\" is invalid: " + list);
  }
  s.group = info.group;
  s.kind = info.kind;
  s.name = std::string(name);
  s.causes = causes_;
  return s;
}

void validateObject(const Json& object, const WriteContext& context, ErrorList& errors) {
  validateName(object, *context.info, errors);
  if (auto* labels = objectAt(object, "metadata.labels")) validateLabels(*labels, "metadata.labels", errors);
  validateAnnotations(object, errors);
  validateOwners(object, errors);
  validateFinalizers(object, errors);
  if (auto* s = context.info->strategy; s && s->validate) s->validate(object, context, errors);
}

void validateObjectUpdate(const Json& object, const Json& old, const WriteContext& context, ErrorList& errors) {
  for (auto* field : {"name", "namespace", "uid", "creationTimestamp"}) {
    auto path = std::string("metadata.") + field;
    auto now = textAt(object, path), before = textAt(old, path);
    if (now != before) errors.invalid(path, now, "field is immutable");
  }
  if (textAt(old, "metadata.deletionTimestamp") != textAt(object, "metadata.deletionTimestamp"))
    errors.invalid("metadata.deletionTimestamp", textAt(object, "metadata.deletionTimestamp"), "field is immutable");
  if (!textAt(old, "metadata.deletionTimestamp").empty()) {
    std::string added;
    auto* before = arrayAt(old, "metadata.finalizers");
    if (auto* now = arrayAt(object, "metadata.finalizers"))
      for (auto& f : *now)
        if (!before || std::find(before->begin(), before->end(), f) == before->end()) added += (added.empty() ? "" : ", ") + toText(f);
    if (!added.empty())
      errors.forbidden("metadata.finalizers",
                       "no new finalizers can be added if the object is being deleted, found new finalizers [" + added + "]");
  }
  validateObject(object, context, errors);
  if (auto* s = context.info->strategy; s && s->validateUpdate) s->validateUpdate(object, old, context, errors);
}

}  // namespace ph::api
