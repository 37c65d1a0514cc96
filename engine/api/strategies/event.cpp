#include <algorithm>

#include "engine/api/human.h"
#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void validate(const Json& event, const WriteContext&, ErrorList& errors) {
  auto ns = text(str(event, "metadata.namespace")), about = text(str(event, "involvedObject.namespace"));
  // Events about cluster-scoped objects live in the default namespace.
  bool fits = about.empty() ? ns == "default" || ns == "kube-system" : ns == about;
  if (!fits) errors.invalid("involvedObject.namespace", about, "does not match event.namespace");
}

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(tolower(c)); });
  return out;
}

void cells(const Json& event, WallTime now, std::vector<Json>& out) {
  auto firstTime = time(event, "firstTimestamp"), lastTime = time(event, "lastTimestamp");
  if (firstTime == WallTime{}) firstTime = time(event, "eventTime");
  if (lastTime == WallTime{}) lastTime = firstTime;
  auto count = num(event, "count");
  if (has(event, "series")) {
    lastTime = time(event, "series.lastObservedTime");
    count = num(event, "series.count");
  } else if (count == 0) {
    count = 1;
  }
  auto target = lower(str(event, "involvedObject.kind"));
  if (auto name = str(event, "involvedObject.name"); !name.empty()) target += "/" + text(name);
  auto source = text(str(event, "source.component"));
  if (source.empty()) source = text(str(event, "reportingComponent"));
  auto host = str(event, "source.host");
  if (host.empty()) host = str(event, "reportingInstance");
  if (!host.empty()) source += ", " + text(host);
  auto message = str(event, "message");
  while (!message.empty() && isspace(static_cast<unsigned char>(message.back()))) message.remove_suffix(1);
  while (!message.empty() && isspace(static_cast<unsigned char>(message.front()))) message.remove_prefix(1);
  out.emplace_back(humanAge(lastTime, now));
  out.emplace_back(target);
  out.emplace_back(source);
  out.emplace_back(boosted(message));
  out.emplace_back(humanAge(firstTime, now));
  out.emplace_back(std::to_string(count));
}

constexpr std::string_view kSelectable[] = {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
                                            "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
                                            "reportingComponent", "source", "type", ""};

}  // namespace

const Strategy eventStrategy{.validate = validate, .cells = cells, .selectableFields = kSelectable};

}  // namespace ph::api::strategies
