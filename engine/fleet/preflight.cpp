#include "engine/fleet/preflight.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <sstream>

#include "engine/fleet/scripts.h"

namespace ph::fleet {
namespace {

using Finding = api::fleet::MachineFinding;

std::string architecture(const std::string& machine) {
  if (machine == "x86_64" || machine == "amd64") return "amd64";
  if (machine == "aarch64" || machine == "arm64") return "arm64";
  return machine;
}

bool hasWord(const std::string& list, const std::string& wanted) {
  std::istringstream words(list);
  for (std::string w; words >> w;)
    if (w == wanted) return true;
  return false;
}

class Findings {
 public:
  void ok(const char* name, std::string message) { add(name, "OK", std::move(message), ""); }
  void info(const char* name, std::string message) { add(name, "Info", std::move(message), ""); }
  void warning(const char* name, std::string message, std::string fix) { add(name, "Warning", std::move(message), std::move(fix)); }
  void error(const char* name, std::string message, std::string fix) { add(name, "Error", std::move(message), std::move(fix)); }
  std::vector<Finding> list;

 private:
  void add(const char* name, const char* severity, std::string message, std::string fix) {
    list.push_back({name, severity, std::move(message), std::move(fix)});
  }
};

void judgeSystem(const Probe& p, Findings& f) {
  if (p.arch == "amd64" || p.arch == "arm64") f.ok("Architecture", p.arch);
  else f.error("Architecture", fmt::format("{} is not supported", p.arch.empty() ? "an unknown architecture" : p.arch), "Use a 64-bit x86 or ARM machine with a 64-bit system.");

  if (p.root) f.ok("Privileges", "root");
  else f.error("Privileges", "the user is not root, and sudo asks for a password (or is not there)",
               "Log in as root, or let the user use sudo without one: echo 'USER ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/pilothouse");

  int major = 0, minor = 0;
  std::sscanf(p.kernel.c_str(), "%d.%d", &major, &minor);
  if (major > 4 || (major == 4 && minor >= 19)) f.ok("Kernel", p.kernel);
  else f.error("Kernel", fmt::format("Linux {} is too old", p.kernel), "Upgrade the system: Linux 4.19 or newer is needed.");

  const double gib = static_cast<double>(p.diskKb) / (1024 * 1024);
  if (p.diskKb < 512 * 1024) f.error("Disk", fmt::format("only {:.1f} GiB are free in /var/lib", gib), "Free at least 0.5 GiB there (2 GiB are comfortable).");
  else if (p.diskKb < 2 * 1024 * 1024) f.warning("Disk", fmt::format("{:.1f} GiB are free in /var/lib", gib), "Images and logs may soon fill it: free some space.");
  else f.ok("Disk", fmt::format("{:.0f} GiB free", gib));

  if (p.memoryKb < 200 * 1024) f.error("Memory", fmt::format("{} MiB in all", p.memoryKb / 1024), "Use a machine with at least 256 MiB.");
  else f.ok("Memory", fmt::format("{:.1f} GiB", static_cast<double>(p.memoryKb) / (1024 * 1024)));

  if (!hasWord(p.controllers, "memory"))
    f.error("Cgroups", "the kernel's memory cgroup is off, so memory limits could not be kept",
            "On a Raspberry Pi add \"cgroup_enable=memory cgroup_memory=1\" to /boot/cmdline.txt (or /boot/firmware/cmdline.txt) and reboot.");
  else if (!hasWord(p.controllers, "pids") || !hasWord(p.controllers, "cpu"))
    f.error("Cgroups", fmt::format("the cpu or pids cgroup is off (there are: {})", p.controllers), "Turn the controllers on in the kernel's command line and reboot.");
  else f.ok("Cgroups", fmt::format("version {}", p.cgroupVersion));
}

void judgeTools(const Probe& p, Findings& f) {
  auto missing = missingPackages(p);
  if (missing.empty()) {
    f.ok("Packages", p.containerdVersion.empty() ? "containerd, runc, CNI plugins and nftables are there" : fmt::format("containerd {}, runc, CNI plugins and nftables are there", p.containerdVersion));
  } else if (p.packageManager.empty()) {
    f.error("Packages", fmt::format("missing: {}", fmt::join(missing, ", ")), "No package manager that we know is there: install them by hand.");
  } else {
    f.info("Packages", fmt::format("to be installed with {}: {}", p.packageManager, fmt::join(missing, ", ")));
  }
  f.info("Init", p.systemd ? "systemd keeps the agent running" : "no systemd: a small supervisor keeps the agent running");
  if (p.readOnly) f.error("ReadOnly", "/usr/local/lib can't be written", "Make it writable: the agent is stored there.");
}

void judgeSurroundings(const Probe& p, const Neighbours& n, Findings& f) {
  if (std::abs(p.clockAhead) > 5)
    f.warning("Clock", fmt::format("the machine's clock is {:.0f} s {}", std::abs(p.clockAhead), p.clockAhead > 0 ? "ahead" : "behind"),
              "Set it, and keep it right (apt-get install systemd-timesyncd, or chrony).");
  else f.ok("Clock", fmt::format("{:+.1f} s", p.clockAhead));

  auto twin = n.nodeByHostname.find(p.hostname);
  if (twin != n.nodeByHostname.end() && twin->second != n.self)
    f.warning("Hostname", fmt::format("the machine {} calls itself \"{}\" too", twin->second, p.hostname),
              "It joins under its Machine's name; give each machine its own host name to tell them apart (hostnamectl set-hostname).");
  if (!p.receiptNode.empty() && p.receiptNode != n.self)
    f.error("Belongs", fmt::format("this machine is already the node \"{}\"", p.receiptNode),
            fmt::format("Remove the machine {} first. If that is long gone: on the machine, run \"{} cleanup\" and remove {}.", p.receiptNode, place::kAgent, place::kStateDir));
  if (p.swapKb > 0) f.info("Swap", fmt::format("{} MiB: memory limits hold, but a busy machine may become slow", p.swapKb / 1024));
  if (p.firewalld)
    f.warning("Firewall", "firewalld runs, and may drop the pods' traffic between machines", "Trust the pod network: firewall-cmd --permanent --zone=trusted --add-source=10.244.0.0/16 && firewall-cmd --reload");
  if (p.selinux) f.warning("SELinux", "SELinux is enforcing: pods may be denied files", "Watch its log (ausearch -m avc) if a pod fails; container-selinux brings the rules.");
}

}  // namespace

Probe readProbe(std::string_view output, WallTime askedAt, WallTime answeredAt) {
  auto facts = parseFacts(output);
  auto text = [&](const char* key) { auto it = facts.find(key); return it == facts.end() ? std::string() : it->second; };
  auto number = [&](const char* key) { return static_cast<int64_t>(std::strtoll(text(key).c_str(), nullptr, 10)); };
  Probe p;
  p.arch = architecture(text("arch"));
  p.kernel = text("kernel");
  p.os = text("os");
  p.hostname = text("hostname");
  p.machineId = text("machine");
  p.root = text("uid") == "0";
  p.systemd = text("systemd") == "yes";
  p.memoryKb = number("memory");
  p.diskKb = number("disk");
  p.swapKb = number("swap");
  p.cgroupVersion = static_cast<int>(number("cgroup"));
  p.controllers = text("controllers");
  p.containerd = !text("containerd").empty();
  p.containerdVersion = text("containerdVersion");
  p.runc = !text("runc").empty();
  p.cni = !text("cni").empty();
  p.nft = !text("nft").empty();
  p.packageManager = text("packages");
  p.agentSum = text("agentSum");
  p.receiptNode = text("receiptNode");
  p.selinux = !text("selinux").empty();
  p.firewalld = !text("firewalld").empty();
  p.readOnly = !text("readonly").empty();
  if (int64_t t = number("time")) {
    // The machine's seconds are cut off: half a second more is the best guess.
    double middle = std::chrono::duration<double>(askedAt.time_since_epoch() + (answeredAt - askedAt) / 2).count();
    p.clockAhead = static_cast<double>(t) + 0.5 - middle;
    if (std::abs(p.clockAhead) < 0.5) p.clockAhead = 0;
  }
  p.complete = text("end") == "yes";
  return p;
}

std::vector<std::string> missingPackages(const Probe& p) {
  return packagesFor(p.packageManager, !p.containerd, !p.runc, !p.cni, !p.nft);
}

std::vector<Finding> judge(const Probe& probe, const Neighbours& neighbours) {
  Findings f;
  judgeSystem(probe, f);
  judgeTools(probe, f);
  judgeSurroundings(probe, neighbours, f);
  return std::move(f.list);
}

bool hasError(const std::vector<Finding>& findings) {
  for (auto& f : findings)
    if (f.severity == "Error") return true;
  return false;
}

std::string firstError(const std::vector<Finding>& findings) {
  for (auto& f : findings)
    if (f.severity == "Error") return f.message;
  return "";
}

}  // namespace ph::fleet
