#include "agents/os/machine.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "agents/os/files.h"

namespace ph::agents {
namespace {

std::string archOf(const std::string& machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine.rfind("arm", 0) == 0) return "arm";
  if (machine == "riscv64" || machine == "ppc64le" || machine == "s390x") return machine;
  return machine;
}

std::string osImage() {
  std::istringstream lines(readFile("/etc/os-release"));
  std::string line;
  while (std::getline(lines, line))
    if (line.rfind("PRETTY_NAME=", 0) == 0) {
      auto value = line.substr(12);
      if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
      return value;
    }
  return "Linux";
}

int64_t number(const std::string& text) { return text.empty() ? -1 : std::strtoll(text.c_str(), nullptr, 10); }

int64_t cpuMilliAllowed() {
  int64_t milli = int64_t(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN))) * 1000;
  if (auto own = ownCgroup("cpu"); !own.empty()) {
    auto quota = number(readTrimmed(own + "/cpu.cfs_quota_us")), period = number(readTrimmed(own + "/cpu.cfs_period_us"));
    if (quota > 0 && period > 0) milli = std::min(milli, quota * 1000 / period);
  }
  return milli;
}

}  // namespace

bool cgroupV2() { return exists("/sys/fs/cgroup/cgroup.controllers"); }

std::string cgroupMount(const std::string& controller) {
  std::istringstream lines(readFile("/proc/self/mountinfo", 4 << 20));
  std::string line;
  while (std::getline(lines, line)) {
    auto dash = line.find(" - cgroup ");
    if (dash == std::string::npos) continue;
    std::istringstream words(line);
    std::string word, where;
    for (int i = 0; i < 5 && words >> word; ++i) where = word;
    auto options = "," + line.substr(line.rfind(' ') + 1) + ",";
    if (options.find("," + controller + ",") != std::string::npos) return where;
  }
  return {};
}

std::string ownCgroup(const std::string& controller) {
  auto mount = cgroupMount(controller);
  if (mount.empty()) return {};
  std::istringstream lines(readFile("/proc/self/cgroup"));
  std::string line;
  while (std::getline(lines, line)) {
    auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    if (("," + line.substr(first + 1, second - first - 1) + ",").find("," + controller + ",") == std::string::npos) continue;
    auto path = mount + line.substr(second + 1);
    // Inside a cgroup namespace of another root the path may lie outside the mount.
    return exists(path) ? path : mount;
  }
  return mount;
}

MemoryUse readMemory() {
  MemoryUse use;
  std::istringstream lines(readFile("/proc/meminfo"));
  std::string key, unit;
  int64_t value = 0;
  while (lines >> key >> value) {
    std::getline(lines, unit);
    if (key == "MemTotal:") use.total = value * 1024;
    if (key == "MemAvailable:") use.available = value * 1024;
  }
  for (std::string folder = ownCgroup("memory"), top = cgroupMount("memory"); !folder.empty() && folder.size() >= top.size();
       folder = folder.substr(0, folder.rfind('/'))) {
    auto limit = number(readTrimmed(folder + "/memory.limit_in_bytes"));
    if (limit > 0 && limit < use.total) {
      auto used = number(readTrimmed(folder + "/memory.usage_in_bytes"));
      int64_t cache = 0;
      std::istringstream stat(readFile(folder + "/memory.stat"));
      while (stat >> key >> value)
        if (key == "total_inactive_file") cache = value;
      use.total = limit;
      use.available = std::min(use.available, limit - std::max<int64_t>(0, used - cache));
    }
    if (folder == top) break;
  }
  return use;
}

int64_t cpuNanosecondsUsed() {
  if (auto own = ownCgroup("cpuacct"); !own.empty())
    if (auto used = number(readTrimmed(cgroupMount("cpuacct") + "/cpuacct.usage")); used > 0) return used;
  std::istringstream stat(readFile("/proc/stat", 4096));
  std::string word;
  stat >> word;
  int64_t ticks = 0, value = 0;
  for (int i = 0; i < 8 && stat >> value; ++i)
    if (i != 3 && i != 4) ticks += value;  // all but idle and waiting
  return ticks * (1000000000 / std::max(1L, ::sysconf(_SC_CLK_TCK)));
}

bool pidsScarce() {
  auto load = readTrimmed("/proc/loadavg");  // "0.1 0.2 0.3 RUNNING/ALL LAST"
  auto slash = load.find('/');
  if (slash == std::string::npos) return false;
  auto limit = std::min(number(readTrimmed("/proc/sys/kernel/pid_max")), number(readTrimmed("/proc/sys/kernel/threads-max")));
  return limit > 0 && std::strtoll(load.c_str() + slash + 1, nullptr, 10) > limit / 20 * 19;
}

MachineFacts readMachine(const std::string& stateFolder, Random& random) {
  MachineFacts m;
  utsname names{};
  ::uname(&names);
  m.hostname = names.nodename;
  m.kernel = names.release;
  m.arch = archOf(names.machine);
  m.osImage = osImage();
  m.machineId = readTrimmed("/etc/machine-id");
  if (m.machineId.empty() && !stateFolder.empty()) {
    auto own = stateFolder + "/machine-id";
    m.machineId = readTrimmed(own);
    if (m.machineId.empty()) {
      m.machineId = random.hex(16);
      if (makeFolders(stateFolder).ok() && !writeFile(own, m.machineId + "\n").ok()) m.machineId.clear();
    }
  }
  m.systemUuid = readTrimmed("/sys/class/dmi/id/product_uuid");
  if (m.systemUuid.empty()) m.systemUuid = m.machineId;
  m.bootId = readTrimmed("/proc/sys/kernel/random/boot_id");
  m.cpuMilli = cpuMilliAllowed();
  m.memoryBytes = readMemory().total;
  return m;
}

Resolv readResolv(const std::string& path) {
  Resolv out;
  std::istringstream lines(readFile(path));
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string key, value;
    words >> key;
    if (key == "nameserver" && words >> value && out.nameservers.size() < 3) out.nameservers.push_back(value);
    if (key == "search" || key == "domain") {
      out.searches.clear();
      while (words >> value && out.searches.size() < 6) out.searches.push_back(value);
    }
  }
  return out;
}

std::string primaryAddress() {
  std::string routed;
  std::istringstream lines(readFile("/proc/net/route"));
  std::string line;
  uint64_t best = UINT64_MAX;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string iface, destination, gateway, flags, refs, use, metric, mask;
    if (!(words >> iface >> destination >> gateway >> flags >> refs >> use >> metric >> mask)) continue;
    uint64_t cost = std::strtoull(metric.c_str(), nullptr, 10);
    if (destination == "00000000" && mask == "00000000" && cost < best) routed = iface, best = cost;
  }
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  std::string onRoute, first;
  for (auto* a = list; a; a = a->ifa_next) {
    if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || (a->ifa_flags & IFF_LOOPBACK) || !(a->ifa_flags & IFF_UP)) continue;
    char text[INET_ADDRSTRLEN];
    ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(a->ifa_addr)->sin_addr, text, sizeof text);
    if (first.empty() && std::strncmp(a->ifa_name, "phbr", 4) != 0) first = text;
    if (onRoute.empty() && routed == a->ifa_name) onRoute = text;
  }
  ::freeifaddrs(list);
  return onRoute.empty() ? first : onRoute;
}

}  // namespace ph::agents
