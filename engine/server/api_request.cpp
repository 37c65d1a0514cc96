#include "engine/server/api_request.h"

#include <charconv>

#include "engine/api/codec.h"
#include "engine/api/validation.h"

namespace ph::server {

User systemAdmin() { return {"system:admin", {"system:masters", "system:authenticated"}}; }
User anonymousUser() { return {"system:anonymous", {"system:unauthenticated"}}; }

std::string_view verbName(Verb verb) {
  static constexpr std::string_view names[] = {"get",    "list",  "watch",  "create",
                                               "update", "patch", "delete", "deletecollection"};
  return names[size_t(verb)];
}

namespace {

std::optional<int64_t> toInt(std::string_view text) {
  int64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

bool toBool(std::string_view text) { return text == "true" || text == "1" || text == "True" || text == "TRUE"; }

Status badParameter(std::string_view name, std::string_view value) {
  return Status::badRequest("the query parameter " + std::string(name) + " can't be \"" + std::string(value) + "\"");
}

Status invalidDelete(const api::ErrorList& errors) {
  static const ResourceInfo about{.group = "meta.k8s.io", .kind = "DeleteOptions"};
  return errors.toStatus(about, "");
}

Result<Propagation> parsePropagation(std::string_view text) {
  if (text.empty()) return Propagation::Default;
  if (text == "Background") return Propagation::Background;
  if (text == "Foreground") return Propagation::Foreground;
  if (text == "Orphan") return Propagation::Orphan;
  api::ErrorList errors;
  errors.notSupported("propagationPolicy", std::string(text), {"Foreground", "Background", "Orphan", "nil"});
  return invalidDelete(errors);
}

Result<> readNumber(std::string_view name, std::string_view value, int64_t& into) {
  auto n = toInt(value);
  if (!n) return badParameter(name, value);
  into = *n;
  return {};
}

Result<> readValidation(std::string_view value, FieldValidation& into) {
  if (value == "Strict")
    into = FieldValidation::Strict;
  else if (value == "Warn")
    into = FieldValidation::Warn;
  else if (value == "Ignore")
    into = FieldValidation::Ignore;
  else
    return Status::invalid("fieldValidation: Unsupported value: \"" + std::string(value) +
                           "\": supported values: \"Ignore\", \"Strict\", \"Warn\"");
  return {};
}

Result<> readOne(std::string_view name, const std::string& value, Options& o) {
  if (name == "labelSelector") o.labelSelector = value;
  else if (name == "fieldSelector") o.fieldSelector = value;
  else if (name == "limit") return readNumber(name, value, o.limit);
  else if (name == "continue") o.continueToken = value;
  else if (name == "resourceVersion") o.resourceVersion = value;
  else if (name == "resourceVersionMatch") o.resourceVersionMatch = value;
  else if (name == "watch") o.watch = value.empty() || toBool(value);
  else if (name == "allowWatchBookmarks") o.allowBookmarks = toBool(value);
  else if (name == "sendInitialEvents") o.sendInitialEvents = toBool(value);
  else if (name == "timeoutSeconds") return readNumber(name, value, o.timeoutSeconds);
  else if (name == "pretty") o.pretty = value.empty() || toBool(value);
  else if (name == "force") o.force = toBool(value);
  else if (name == "fieldManager") o.fieldManager = value;
  else if (name == "includeObject") o.includeObject = value;
  else if (name == "fieldValidation") return readValidation(value, o.fieldValidation);
  else if (name == "dryRun") {
    if (value.empty()) return {};
    if (value != "All") return Status::invalid("dryRun: Unsupported value: \"" + value + "\": supported values: \"All\"");
    o.dryRun = true;
  } else if (name == "gracePeriodSeconds") {
    int64_t n = 0;
    PH_TRY(readNumber(name, value, n));
    o.gracePeriodSeconds = n;
  } else if (name == "propagationPolicy") {
    PH_ASSIGN(o.propagation, parsePropagation(value));
  } else if (name == "orphanDependents") {
    o.propagation = toBool(value) ? Propagation::Orphan : Propagation::Background;
  }
  return {};
}

}  // namespace

Result<Options> parseOptions(const std::vector<std::pair<std::string, std::string>>& query) {
  Options options;
  for (auto& [name, value] : query) PH_TRY(readOne(name, value, options));
  return options;
}

Result<> readDeleteOptions(const Json& body, Options& options) {
  if (!body.is_object()) return Status::badRequest("the body of a delete must be DeleteOptions");
  auto& fields = body.get_object();
  auto given = [&](std::string_view name) { return fields.if_contains(name) && !fields.at(name).is_null(); };
  api::ErrorList errors;
  if (given("orphanDependents") && given("propagationPolicy"))
    errors.invalidRaw("propagationPolicy", api::toText(fields.at("propagationPolicy")), "orphanDependents and deletionPropagation cannot be both set");
  for (auto& [name, value] : fields) {
    if (name == "gracePeriodSeconds" && value.is_int64()) options.gracePeriodSeconds = value.get_int64();
    if (name == "propagationPolicy" && value.is_string()) {
      PH_ASSIGN(options.propagation, parsePropagation(value.get_string()));
    }
    if (name == "orphanDependents" && value.is_bool())
      options.propagation = value.get_bool() ? Propagation::Orphan : Propagation::Background;
    if (name == "dryRun" && value.is_array()) {
      for (auto& v : value.get_array()) {
        bool all = v.is_string() && v.get_string() == "All";
        options.dryRun = options.dryRun || all;
        if (!all) errors.notSupported("dryRun", v.is_string() ? std::string(v.get_string()) : api::toText(v), {"All"});
      }
    }
    if (name == "preconditions" && value.is_object()) {
      auto& p = value.get_object();
      if (auto* uid = p.if_contains("uid"); uid && uid->is_string()) options.preconditionUid = uid->get_string();
      if (auto* rv = p.if_contains("resourceVersion"); rv && rv->is_string())
        options.preconditionRevision = rv->get_string();
    }
  }
  if (!errors.empty()) return invalidDelete(errors);
  return {};
}

namespace {
Status about(Status status, const ResourceInfo& info, std::string_view name) {
  status.group = info.group;
  status.kind = info.plural;
  status.name = name;
  return status;
}
std::string quoted(const ResourceInfo& info, std::string_view name) {
  return info.groupResource() + " \"" + std::string(name) + "\"";
}
}  // namespace

Status notFound(const ResourceInfo& info, std::string_view name) {
  return about(Status::notFound(quoted(info, name) + " not found"), info, name);
}

Status alreadyExists(const ResourceInfo& info, std::string_view name) {
  return about(Status::alreadyExists(quoted(info, name) + " already exists"), info, name);
}

Status conflict(const ResourceInfo& info, std::string_view name, std::string_view why) {
  return about(
      Status::conflict("Operation cannot be fulfilled on " + quoted(info, name) + ": " + std::string(why)), info, name);
}

Status forbidden(const ResourceInfo& info, std::string_view name, std::string_view why) {
  return about(Status::forbidden(quoted(info, name) + " is forbidden: " + std::string(why)), info, name);
}

Status staleWrite(const ResourceInfo& info, std::string_view name) {
  return conflict(info, name,
                  "the object has been modified; please apply your changes to the latest version and try again");
}

}  // namespace ph::server
