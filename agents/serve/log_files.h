// Container logs as the runtime writes them (CRI format): "TIME STREAM TAG TEXT", in files that are turned over by size.
// Threads: pure, and blocking reads where said.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace ph::agents {

struct LogQuery {
  bool follow = false, previous = false, timestamps = false;
  std::optional<int64_t> tailLines, limitBytes;
  std::optional<WallTime> since;
};

// From follow, previous, timestamps, tailLines, limitBytes, sinceSeconds, sinceTime.
Result<LogQuery> parseLogQuery(std::string_view query, WallTime now);

// One line of a file in CRI format, turned into what the user sees; appends to `out`. Lines in pieces (tag P) are joined. False when
// the line is older than `since` or no log line.
bool renderLogLine(std::string_view line, const LogQuery& query, std::string& out);

// 0.log and what it was turned over to, oldest first.
std::vector<std::string> logFiles(const std::string& current);

// Reads whole lines from `offset` of an open file on, at most about `limit` bytes; moves `offset`. Empty: nothing new. Blocking.
std::string readLines(int fd, uint64_t& offset, size_t limit);
// Where the last `lines` lines of a file begin, and how many there are of them. Blocking.
uint64_t tailOffset(int fd, int64_t lines, int64_t& found);

}  // namespace ph::agents
