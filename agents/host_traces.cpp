#include "agents/host_traces.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <vector>

#include "agents/os/files.h"
#include "engine/base/log.h"

namespace ph::agents {
namespace {

// The mount points of all cgroup hierarchies.
std::vector<std::string> hierarchies() {
  std::vector<std::string> out;
  std::istringstream lines(readFile("/proc/self/mountinfo", 4 << 20));
  std::string line;
  while (std::getline(lines, line)) {
    if (line.find(" - cgroup ") == std::string::npos && line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream words(line);
    std::string word, where;
    for (int i = 0; i < 5 && words >> word; ++i) where = word;
    out.push_back(where);
  }
  return out;
}

// A cgroup goes only from the leaves up, and only empty.
bool removeCgroup(const std::string& folder) {
  bool all = true;
  for (auto& name : listFolder(folder)) {
    struct stat st{};
    auto path = folder + "/" + name;
    if (::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) all = removeCgroup(path) && all;
  }
  return (::rmdir(folder.c_str()) == 0 || errno == ENOENT) && all;
}

}  // namespace

void removeHostTraces(const std::string& logRoot, const std::string& cgroupRoot, const std::string& uid) {
  for (auto& name : listFolder(logRoot))
    if (name.size() > uid.size() && name.compare(name.size() - uid.size(), uid.size(), uid) == 0)
      if (auto r = removeTree(logRoot + "/" + name); !r.ok()) PH_LOG(Warn, "pods", "{}", r.status().message);
  if (cgroupRoot.empty()) return;
  for (auto& mount : hierarchies())
    for (auto* qos : {"", "/burstable", "/besteffort"})
      if (auto path = mount + cgroupRoot + qos + "/pod" + uid; exists(path)) removeCgroup(path);
}

bool removeCgroups(const std::string& cgroupRoot) {
  bool all = true;
  if (cgroupRoot.empty()) return all;
  for (auto& mount : hierarchies())
    if (exists(mount + cgroupRoot)) all = removeCgroup(mount + cgroupRoot) && all;
  return all;
}

}  // namespace ph::agents
