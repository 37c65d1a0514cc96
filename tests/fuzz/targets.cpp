#include "tests/fuzz/targets.h"

#include <vector>

#include "engine/api/codec.h"
#include "engine/api/patch.h"
#include "engine/api/protobuf.h"
#include "engine/api/quantity.h"
#include "engine/api/restore.h"
#include "engine/api/selector.h"
#include "engine/api/struct_ops.h"
#include "engine/net/http.h"
#include "engine/server/media.h"
#include "engine/server/protobuf_answer.h"
#include "engine/server/protobuf_body.h"
#include "engine/server/router.h"
#include "engine/server/text_form.h"
#include "tests/fuzz/inputs.h"

namespace ph::fuzz {
namespace {

using api::Json;
using api::JsonObject;

void json(std::string_view input) {
  std::vector<std::string> duplicates;
  auto tree = api::parseJson(input, &duplicates);
  auto member = api::parseMember(input, "metadata");
  PH_CHECK(member.ok() == tree.ok());
  if (!tree.ok()) return;
  if (auto* top = tree->if_object(); top && duplicates.empty())
    PH_CHECK(*member == (top->contains("metadata") ? top->at("metadata") : Json()));
  auto text = api::toText(*tree);
  auto again = api::parseJson(text);
  PH_CHECK(again.ok());
  PH_CHECK(api::toText(*again) == text);
  auto pretty = api::parseJson(server::prettyJson(text));
  PH_CHECK(pretty.ok() && api::toText(*pretty) == text);
}

void yaml(std::string_view input) {
  auto tree = api::parseYaml(input);
  if (!tree.ok()) return;
  std::string text = api::toText(*tree);
  // Anything that YAML gave is JSON, and can be said in YAML again.
  auto asJson = api::parseJson(text);
  PH_CHECK(asJson.ok());
  if (!tree->is_object() && !tree->is_array()) return;
  auto again = api::parseYaml(server::toYaml(text));
  PH_CHECK(again.ok());
}

void protobufBody(std::string_view input) {
  auto tree = server::readProtobuf(input, registry());
  if (tree.ok()) (void)server::protobufOf(*tree);
}

void protobufMessage(std::string_view input) {
  auto& kind = takeKind(input);
  if (!server::hasProtobuf(kind)) return;
  auto tree = api::fromProtobuf(input, *kind.type);
  if (!tree.ok()) return;
  auto bytes = api::toProtobuf(*tree, *kind.type);
  auto again = api::fromProtobuf(bytes, *kind.type);
  PH_CHECK(again.ok());
}

// What a create does to a body before it is stored, and a get after.
void object(std::string_view input) {
  auto& kind = takeKind(input);
  auto parsed = api::parseJson(input);
  if (!parsed.ok() || !parsed->is_object()) return;
  Json tree = std::move(*parsed);
  api::ErrorList errors;
  std::vector<std::string> unknown;
  api::conform(tree, *kind.type, errors, &unknown);
  if (!errors.empty()) return (void)errors.toStatus(kind, "x");
  api::WriteContext context;
  context.info = &kind;
  if (kind.strategy->prepareCreate) kind.strategy->prepareCreate(tree, context);
  Json before = tree;
  api::validateObject(tree, context, errors);
  if (!errors.empty()) return (void)errors.toStatus(kind, "x");
  if (kind.strategy->prepareUpdate) kind.strategy->prepareUpdate(tree, before, context);
  api::validateObjectUpdate(tree, before, context, errors);
  auto stored = api::Object::make(&kind, tree, 7);
  (void)stored->typed();
  std::vector<Json> cells;
  if (kind.strategy->cells) kind.strategy->cells(stored->tree(), {}, cells);
  if (server::hasProtobuf(kind)) PH_CHECK(api::fromProtobuf(api::toProtobuf(stored->tree(), *kind.type), *kind.type).ok());
}

void jsonPatch(std::string_view input) {
  auto [first, second] = split(input);
  auto target = api::parseJson(first), patch = api::parseJson(second);
  if (!target.ok() || !patch.ok()) return;
  if (api::applyJsonPatch(*target, *patch).ok()) (void)api::toText(*target);
}

bool holdsNull(const Json& v) {
  if (v.is_null()) return true;
  if (auto* o = v.if_object())
    for (auto& [key, item] : *o)
      if (holdsNull(item)) return true;
  return false;
}

void mergePatch(std::string_view input) {
  auto [first, second] = split(input);
  auto from = api::parseJson(first), to = api::parseJson(second);
  if (!from.ok() || !to.ok()) return;
  Json patched = *from;
  api::applyMergePatch(patched, *to);
  if (!from->is_object() || !to->is_object() || holdsNull(*to) || holdsNull(*from)) return;
  Json made = api::makeMergePatch(*from, *to);
  api::applyMergePatch(*from, made);
  PH_CHECK(*from == *to);
}

void strategicPatch(std::string_view input) {
  auto& kind = takeKind(input);
  auto [first, second] = split(input);
  auto target = api::parseJson(first), patch = api::parseJson(second);
  if (!target.ok() || !patch.ok()) return;
  if (api::applyStrategicPatch(*target, *patch, *kind.type).ok()) (void)api::toText(*target);
}

void labelSelector(std::string_view input) {
  auto parsed = api::LabelSelector::parse(input);
  if (!parsed.ok()) return;
  auto text = parsed->text();
  auto again = api::LabelSelector::parse(text);
  PH_CHECK(again.ok() && again->text() == text);
  api::Labels labels{{"a", "b"}, {"tier", "5"}};
  PH_CHECK(parsed->matches(labels) == again->matches(labels));
}

void labelSelectorObject(std::string_view input) {
  auto tree = api::parseJson(input);
  if (!tree.ok()) return;
  auto parsed = api::LabelSelector::fromJson(&*tree);
  if (parsed.ok()) (void)parsed->matches({{"a", "b"}});
}

void fieldSelector(std::string_view input) {
  auto parsed = api::FieldSelector::parse(input);
  if (!parsed.ok()) return;
  for (auto* kind : {registry().find("", "v1", "pods"), registry().find("", "v1", "events")})
    if (parsed->check(*kind).ok())
      (void)parsed->matches(**api::Object::parse(kind, R"({"metadata":{"name":"a","namespace":"b"},"spec":{"nodeName":"n"}})"));
}

void path(std::string_view input) {
  size_t question = input.find('?');
  std::vector<std::string> segments;
  if (!server::splitPath(input.substr(0, question), segments)) return;
  server::ApiRequest request;
  if (question != input.npos)
    if (auto options = server::parseOptions(net::parseQuery(input.substr(question + 1))); options.ok()) request.options = *options;
  size_t n = segments.size();
  for (auto method : {"GET", "POST", "PUT", "PATCH", "DELETE", "BREW"}) {
    auto r = request;
    if (n >= 3 && segments[0] == "api")
      (void)server::routeResource(registry(), "", segments[1], segments, 2, method, r).ok();
    else if (n >= 4)
      (void)server::routeResource(registry(), segments[1], segments[2], segments, 3, method, r).ok();
  }
}

void accept(std::string_view input) {
  for (bool protobuf : {false, true}) {
    auto media = server::negotiate(input, {.yaml = protobuf, .protobuf = protobuf});
    PH_CHECK(!media || protobuf || !(media->yaml || media->protobuf));
  }
  (void)server::mediaType(input);
}

void quantity(std::string_view input) {
  auto q = api::Quantity::parse(input);
  if (!q) return;
  auto again = api::Quantity::parse(q->text());
  PH_CHECK(again && *again == *q);
  auto sum = *q + *again;
  (void)sum.text();
  PH_CHECK((*q - *again).isZero());
  (void)q->milli();
  (void)q->units();
}

void times(std::string_view input) {
  (void)parseDuration(input);
  auto t = parseTime(input);
  if (!t) return;
  auto text = formatMicroTime(*t);
  auto again = parseTime(text);
  PH_CHECK(again && *again == *t);
  (void)formatTime(*t);
}

constexpr Target kText[] = {
    {"json", json},
    {"yaml", yaml},
    {"protobuf_body", protobufBody},
    {"protobuf_message", protobufMessage},
    {"object", object},
    {"json_patch", jsonPatch},
    {"merge_patch", mergePatch},
    {"strategic_patch", strategicPatch},
    {"label_selector", labelSelector},
    {"label_selector_object", labelSelectorObject},
    {"field_selector", fieldSelector},
    {"path", path},
    {"accept", accept},
    {"quantity", quantity},
    {"times", times},
};

}  // namespace

std::span<const Target> targets() {
  static const auto all = [] {
    std::vector<Target> out;
    for (auto some : {std::span<const Target>(kText), objectTargets(), customTargets(), netTargets()}) out.insert(out.end(), some.begin(), some.end());
    return out;
  }();
  return all;
}

}  // namespace ph::fuzz
