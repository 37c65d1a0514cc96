// Payload: the files of a configMap, secret, projected or downwardAPI volume, changed all at once: they stand in a folder of their
// own time, `..data` is a link to it that is swapped, and each name at the top is a link through `..data`.
// Threads: blocking, quick.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace ph::agents {

struct PayloadFile {
  std::string data;
  mode_t mode = 0644;
  bool operator==(const PayloadFile&) const = default;
};
using Payload = std::map<std::string, PayloadFile>;  // by relative path

// Empty when the path may stand in a volume: relative, without "..", no link through the top.
std::string checkPayloadPath(const std::string& path);
// True when something changed. `group`: who owns the files beside root.
Result<bool> writePayload(const std::string& folder, const Payload& payload, std::optional<int64_t> group, WallTime now);

}  // namespace ph::agents
