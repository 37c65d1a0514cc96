// The shell scripts that run on machines (POSIX sh), each sent over standard input. They print KEY=VALUE lines, ask for
// nothing, and may be run again at any time.
// Threads: pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ph::fleet {

// Where things lie on a machine. The removal script removes these and nothing else.
namespace place {
inline constexpr std::string_view kBinDir = "/usr/local/lib/pilothouse";
inline constexpr std::string_view kAgent = "/usr/local/lib/pilothouse/pilothouse-agent";
inline constexpr std::string_view kSupervisor = "/usr/local/lib/pilothouse/supervise";
inline constexpr std::string_view kStateDir = "/var/lib/pilothouse";
inline constexpr std::string_view kReceipt = "/var/lib/pilothouse/receipt";
inline constexpr std::string_view kRunDir = "/run/pilothouse";
inline constexpr std::string_view kLog = "/var/log/pilothouse-agent.log";
inline constexpr std::string_view kUnit = "/etc/systemd/system/pilothouse-agent.service";
}  // namespace place

// `sh -s` as root: directly, or through sudo where that asks for no password. Exits 77 when neither works.
std::string asRoot();
// The same for one command line.
std::string asRoot(const std::string& command);

std::string quote(std::string_view word);  // for sh

std::string probeScript();
// Installs with the machine's package manager. Prints lines "pmstatus:..." (apt) and "done=PACKAGE" for the receipt.
std::string installScript(const std::string& packageManager, const std::vector<std::string>& packages);
// Receives a file on standard input; prints sha256=... of what it stored.
std::string receiveAgentCommand();

struct StartPlan {
  std::string node;
  std::vector<std::string> arguments;  // of the agent
  bool systemd = false;
  bool restart = false;                // even when it runs already
};
// Prints started=... (running, started, restarted).
std::string startScript(const StartPlan& plan);

struct RemovePlan {
  std::string node;
  bool packages = false;  // those that the receipt says we installed
};
// Stops everything and removes it; prints left=... for each thing that stayed.
std::string removeScript(const RemovePlan& plan);

// The packages that bring these tools, by package manager (apt, dnf, zypper, apk, pacman).
std::vector<std::string> packagesFor(const std::string& packageManager, bool containerd, bool runc, bool cni, bool nft);

// KEY=VALUE lines; others are dropped. Of a repeated key the last wins.
std::map<std::string, std::string> parseFacts(std::string_view text);

}  // namespace ph::fleet
