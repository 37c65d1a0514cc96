#include "agents/serve/log_files.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "agents/os/files.h"
#include "engine/net/http.h"

namespace ph::agents {

Result<LogQuery> parseLogQuery(std::string_view query, WallTime now) {
  LogQuery out;
  auto number = [](const std::string& name, const std::string& text) -> Result<int64_t> {
    int64_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size() || n < 0) return Status::badRequest(fmt::format("{} must be a number that is not negative: \"{}\"", name, text));
    return n;
  };
  auto isTrue = [](const std::string& s) { return s == "true" || s == "1"; };
  for (auto& [key, value] : net::parseQuery(query)) {
    if (key == "follow") out.follow = isTrue(value);
    if (key == "previous") out.previous = isTrue(value);
    if (key == "timestamps") out.timestamps = isTrue(value);
    if (key == "tailLines") {
      PH_ASSIGN(out.tailLines, number(key, value));
    }
    if (key == "limitBytes") {
      PH_ASSIGN(out.limitBytes, number(key, value));
    }
    if (key == "sinceSeconds") {
      PH_ASSIGN(auto seconds, number(key, value));
      out.since = now - std::chrono::seconds(seconds);
    }
    if (key == "sinceTime") {
      out.since = parseTime(value);
      if (!out.since) return Status::badRequest(fmt::format("sinceTime is no time: \"{}\"", value));
    }
  }
  return out;
}

bool renderLogLine(std::string_view line, const LogQuery& query, std::string& out) {
  auto first = line.find(' ');
  auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  auto third = second == std::string_view::npos ? second : line.find(' ', second + 1);
  if (third == std::string_view::npos) return false;
  auto time = line.substr(0, first), tag = line.substr(second + 1, third - second - 1), text = line.substr(third + 1);
  if (query.since) {
    auto at = parseTime(time);
    if (!at || *at < *query.since) return false;
  }
  if (query.timestamps && (out.empty() || out.back() == '\n')) {
    out += time;
    out += ' ';
  }
  out += text;
  if (tag.substr(0, 1) != "P") out += '\n';
  return true;
}

std::vector<std::string> logFiles(const std::string& current) {
  std::vector<std::string> files;
  for (int i = 9; i >= 1; --i)
    if (auto name = fmt::format("{}.{}", current, i); exists(name)) files.push_back(name);
  files.push_back(current);
  return files;
}

std::string readLines(int fd, uint64_t& offset, size_t limit) {
  std::string out(limit, '\0');
  ssize_t n = ::pread(fd, out.data(), out.size(), off_t(offset));
  if (n <= 0) return {};
  out.resize(size_t(n));
  auto end = out.rfind('\n');
  // A line longer than the limit goes in pieces; else only whole lines.
  if (end != std::string::npos) out.resize(end + 1);
  else if (out.size() < limit) return {};
  offset += out.size();
  return out;
}

uint64_t tailOffset(int fd, int64_t lines, int64_t& found) {
  struct stat st{};
  found = 0;
  if (::fstat(fd, &st) != 0) return 0;
  auto end = uint64_t(st.st_size);
  if (lines <= 0) return end;
  char buffer[65536];
  uint64_t at = end;
  bool last = true;
  while (at > 0) {
    size_t n = size_t(std::min<uint64_t>(sizeof buffer, at));
    at -= n;
    if (::pread(fd, buffer, n, off_t(at)) != ssize_t(n)) return at;
    for (size_t i = n; i-- > 0;) {
      if (buffer[i] != '\n') {
        last = false;
        continue;
      }
      if (last) {
        last = false;
        continue;  // the one that ends the last line
      }
      if (++found == lines) return at + i + 1;
    }
  }
  if (end > 0) ++found;
  return 0;
}

}  // namespace ph::agents
