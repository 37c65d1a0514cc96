// events.k8s.io: the same events as in the core group, under other names.
#include "engine/api/conversions/conversions.h"

namespace ph::api::conversions {
namespace {

constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    {"regarding", "involvedObject"},          {"note", "message"},
    {"reportingController", "reportingComponent"}, {"deprecatedSource", "source"},
    {"deprecatedFirstTimestamp", "firstTimestamp"}, {"deprecatedLastTimestamp", "lastTimestamp"},
    {"deprecatedCount", "count"},
};

void toStored(Json& event) {
  for (auto& [ours, stored] : kNames) rename(event.get_object(), ours, stored);
}
void fromStored(Json& event) {
  for (auto& [ours, stored] : kNames) rename(event.get_object(), stored, ours);
}

}  // namespace

const Conversion eventOfGroup{toStored, fromStored};

}  // namespace ph::api::conversions
