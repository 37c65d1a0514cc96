#include "engine/server/protobuf_body.h"

#include "engine/api/codec.h"
#include "engine/api/protobuf.h"
#include "engine/api/types/authentication.h"
#include "engine/api/types/autoscaling.h"
#include "engine/api/types/meta.h"

namespace ph::server {
namespace {

using api::Field;
using api::Form;
using api::Type;
namespace scalar = api::scalar;

// Kinds that are bodies only, without an entry in the registry.
constexpr Type kStrings{.form = Form::List, .item = &scalar::String};
constexpr Field kPreconditionFields[] = {{.name = "uid", .type = &scalar::String, .number = 1, .pointer = true},
                                         {.name = "resourceVersion", .type = &scalar::String, .number = 2, .pointer = true}};
constexpr Type kPreconditions{.form = Form::Object, .fields = kPreconditionFields, .fieldCount = 2};
constexpr Field kDeleteFields[] = {
    {.name = "gracePeriodSeconds", .type = &scalar::Int64, .number = 1, .pointer = true},
    {.name = "preconditions", .type = &kPreconditions, .number = 2, .pointer = true},
    {.name = "orphanDependents", .type = &scalar::Bool, .number = 3, .pointer = true},
    {.name = "propagationPolicy", .type = &scalar::String, .number = 4, .pointer = true},
    {.name = "dryRun", .type = &kStrings, .number = 5}};
constexpr Type kDeleteOptions{.form = Form::Object, .fields = kDeleteFields, .fieldCount = 5};
constexpr Field kReferenceFields[] = {{.name = "kind", .type = &scalar::String, .number = 1},
                                      {.name = "namespace", .type = &scalar::String, .number = 2},
                                      {.name = "name", .type = &scalar::String, .number = 3}};
constexpr Type kReference{.form = Form::Object, .fields = kReferenceFields, .fieldCount = 3};
constexpr Type kStringMap{.form = Form::Map, .item = &scalar::String};
constexpr Field kNameFields[] = {{.name = "name", .type = &scalar::String, .number = 1},
                                 {.name = "namespace", .type = &scalar::String, .number = 3},
                                 {.name = "uid", .type = &scalar::String, .number = 5},
                                 {.name = "resourceVersion", .type = &scalar::String, .number = 6},
                                 {.name = "annotations", .type = &kStringMap, .number = 12}};
constexpr Type kNameOnly{.form = Form::Object, .fields = kNameFields, .fieldCount = 5};
constexpr Field kBindingFields[] = {{.name = "metadata", .type = &kNameOnly, .number = 1},
                                    {.name = "target", .type = &kReference, .number = 2}};
constexpr Type kBinding{.form = Form::Object, .fields = kBindingFields, .fieldCount = 2};
constexpr Field kEvictionFields[] = {{.name = "metadata", .type = &kNameOnly, .number = 1},
                                     {.name = "deleteOptions", .type = &kDeleteOptions, .number = 2, .pointer = true}};
constexpr Type kEviction{.form = Form::Object, .fields = kEvictionFields, .fieldCount = 2};

constexpr Field kListMetaFields[] = {{.name = "selfLink", .type = &scalar::String, .number = 1},
                                     {.name = "resourceVersion", .type = &scalar::String, .number = 2},
                                     {.name = "continue", .type = &scalar::String, .number = 3},
                                     {.name = "remainingItemCount", .type = &scalar::Int64, .number = 4, .pointer = true}};
constexpr Type kListMeta{.form = Form::Object, .fields = kListMetaFields, .fieldCount = 4};
constexpr Field kCauseFields[] = {{.name = "reason", .type = &scalar::String, .number = 1},
                                  {.name = "message", .type = &scalar::String, .number = 2},
                                  {.name = "field", .type = &scalar::String, .number = 3}};
constexpr Type kCause{.form = Form::Object, .fields = kCauseFields, .fieldCount = 3};
constexpr Type kCauses{.form = Form::List, .item = &kCause};
constexpr Field kDetailsFields[] = {{.name = "name", .type = &scalar::String, .number = 1},
                                    {.name = "group", .type = &scalar::String, .number = 2},
                                    {.name = "kind", .type = &scalar::String, .number = 3},
                                    {.name = "causes", .type = &kCauses, .number = 4},
                                    {.name = "retryAfterSeconds", .type = &scalar::Int32, .number = 5},
                                    {.name = "uid", .type = &scalar::String, .number = 6}};
constexpr Type kDetails{.form = Form::Object, .fields = kDetailsFields, .fieldCount = 6};
constexpr Field kStatusFields[] = {{.name = "metadata", .type = &kListMeta, .number = 1},
                                   {.name = "status", .type = &scalar::String, .number = 2},
                                   {.name = "message", .type = &scalar::String, .number = 3},
                                   {.name = "reason", .type = &scalar::String, .number = 4},
                                   {.name = "details", .type = &kDetails, .number = 5, .pointer = true},
                                   {.name = "code", .type = &scalar::Int32, .number = 6}};
constexpr Type kStatus{.form = Form::Object, .fields = kStatusFields, .fieldCount = 6};

const Type& partialType() {
  static const Field fields[] = {{.name = "metadata", .type = &api::schemaOf<api::meta::ObjectMeta>(), .number = 1}};
  static const Type type{.form = Form::Object, .fields = fields, .fieldCount = 1};
  return type;
}

}  // namespace

const Type* protobufType(const api::Registry& registry, std::string_view apiVersion, std::string_view kind) {
  if (kind == "DeleteOptions") return &kDeleteOptions;
  if (kind == "Binding") return &kBinding;
  if (kind == "Eviction") return &kEviction;
  if (kind == "Status") return &kStatus;
  if (kind == "PartialObjectMetadata") return &partialType();
  if (kind == "Scale") return &api::schemaOf<api::autoscaling::Scale>();
  if (kind == "TokenRequest") return &api::schemaOf<api::authentication::TokenRequest>();
  size_t slash = apiVersion.find('/');
  auto group = slash == std::string_view::npos ? std::string_view() : apiVersion.substr(0, slash);
  auto version = slash == std::string_view::npos ? apiVersion : apiVersion.substr(slash + 1);
  auto* info = registry.findKind(group, version, kind);
  return info && hasProtobuf(*info) ? info->type : nullptr;
}

bool hasProtobuf(const api::ResourceInfo& info) {
  if (!info.builtin || !info.type) return false;
  for (uint32_t i = 0; i < info.type->fieldCount; ++i)
    if (info.type->fields[i].number > 0) return true;
  return false;
}

Result<api::Json> readProtobuf(std::string_view body, const api::Registry& registry) {
  PH_ASSIGN(auto envelope, api::parseProtobufBody(body));
  const Type* type = protobufType(registry, envelope.apiVersion, envelope.kind);
  if (!type)
    return Status::badRequest("no kind \"" + envelope.kind + "\" is registered for version \"" + envelope.apiVersion +
                              "\" in protobuf");
  return api::objectFromProtobuf(body, *type);
}

}  // namespace ph::server
