#include "engine/server/version.h"

#include "engine/api/codec.h"
#include "engine/base/time.h"
#include "engine/server/source_commit.h"

namespace ph::server {

using api::JsonObject;

std::string versionJson() {
  return api::toText(JsonObject{{"major", "1"},
                                {"minor", "32"},
                                {"gitVersion", "v1.32.0+pilothouse"},
                                {"gitCommit", kSourceCommit},
                                {"gitTreeState", kSourceState},
                                {"buildDate", formatTime(WallTime(std::chrono::seconds(kSourceTime)))},
                                {"goVersion", ""},
                                {"compiler", "gcc"},
                                {"platform", "linux/amd64"}});
}

}  // namespace ph::server
