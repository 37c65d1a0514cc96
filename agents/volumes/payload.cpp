#include "agents/volumes/payload.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "agents/os/files.h"

namespace ph::agents {
namespace {

std::string topOf(const std::string& path) { return path.substr(0, path.find('/')); }

std::string linkTarget(const std::string& path) {
  char buffer[4096];
  ssize_t n = ::readlink(path.c_str(), buffer, sizeof buffer);
  return n > 0 ? std::string(buffer, size_t(n)) : std::string();
}

bool same(const std::string& folder, const std::string& current, const Payload& payload, std::set<std::string>& names) {
  // Every file that is there now, relative to the data folder.
  std::map<std::string, std::string> there;
  std::vector<std::string> pending{""};
  while (!pending.empty()) {
    auto sub = pending.back();
    pending.pop_back();
    for (auto& name : listFolder(folder + "/" + current + "/" + sub)) {
      auto path = sub + name;
      struct stat st{};
      ::lstat((folder + "/" + current + "/" + path).c_str(), &st);
      if (S_ISDIR(st.st_mode)) pending.push_back(path + "/");
      else there[path] = fmt::format("{:o}", st.st_mode & 07777);
    }
  }
  for (auto& [path, file] : payload) names.insert(topOf(path));
  if (there.size() != payload.size()) return false;
  for (auto& [path, file] : payload) {
    auto it = there.find(path);
    if (it == there.end() || it->second != fmt::format("{:o}", file.mode)) return false;
    if (readFile(folder + "/" + current + "/" + path, 4 << 20) != file.data) return false;
  }
  return true;
}

Result<> swapLink(const std::string& target, const std::string& path) {
  auto fresh = path + "_tmp";
  ::unlink(fresh.c_str());
  if (::symlink(target.c_str(), fresh.c_str()) != 0) return fileError("make the link", fresh, errno);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return fileError("make the link", path, errno);
  return {};
}

}  // namespace

std::string checkPayloadPath(const std::string& path) {
  if (path.empty() || path.size() > 4096) return "must be a relative path";
  if (path.front() == '/') return "must be a relative path";
  for (size_t at = 0; at <= path.size();) {
    auto end = std::min(path.find('/', at), path.size());
    auto part = path.substr(at, end - at);
    if (part.empty() || part == ".") return "must have no empty parts";
    if (part.rfind("..", 0) == 0) return part == ".." ? "must not contain '..'" : "must not have a part that starts with '..'";
    if (part.size() > 255) return "has a part that is too long";
    at = end + 1;
  }
  return {};
}

Result<bool> writePayload(const std::string& folder, const Payload& payload, std::optional<int64_t> group, WallTime now) {
  for (auto& [path, file] : payload)
    if (auto why = checkPayloadPath(path); !why.empty()) return Status::invalid(fmt::format("the path \"{}\" {}", path, why));
  PH_TRY(makeFolders(folder));
  auto data = folder + "/..data";
  auto old = linkTarget(data);
  std::set<std::string> names;
  bool unchanged = !old.empty() && same(folder, old, payload, names);
  for (auto& [path, file] : payload) names.insert(topOf(path));
  if (!unchanged) {
    auto stamp = fmt::format("..{}.{:06}", now.time_since_epoch().count() / 1000000, now.time_since_epoch().count() % 1000000);
    while (exists(folder + "/" + stamp)) stamp += "_";
    PH_TRY(makeFolders(folder + "/" + stamp));
    for (auto& [path, file] : payload) {
      auto full = folder + "/" + stamp + "/" + path;
      PH_TRY(makeFolders(full.substr(0, full.rfind('/'))));
      auto mode = group ? mode_t(file.mode | 0440) : file.mode;
      auto written = writeFile(full, file.data, mode);
      if (!written.ok()) {
        auto ignored = removeTree(folder + "/" + stamp);
        return std::move(written).status();
      }
      if (group && ::lchown(full.c_str(), uid_t(-1), gid_t(*group)) != 0) return fileError("give", full, errno);
    }
    PH_TRY(swapLink(stamp, data));
    if (!old.empty() && old != stamp && old.find('/') == std::string::npos) PH_TRY(removeTree(folder + "/" + old));
  }
  for (auto& name : names)
    if (linkTarget(folder + "/" + name) != "..data/" + name) PH_TRY(swapLink("..data/" + name, folder + "/" + name));
  for (auto& name : listFolder(folder))
    if (name.rfind("..", 0) != 0 && !names.count(name) && !linkTarget(folder + "/" + name).empty()) ::unlink((folder + "/" + name).c_str());
  return !unchanged;
}

}  // namespace ph::agents
