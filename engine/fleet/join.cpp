#include "engine/fleet/join.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <sstream>

#include "engine/fleet/problem.h"
#include "engine/fleet/scripts.h"
#include "engine/net/pki.h"

namespace ph::fleet {
namespace {

using namespace std::chrono_literals;
constexpr Duration kInstallTimeout = 20min, kUploadTimeout = 10min, kRemoveTimeout = 3min;

struct File {
  int fd = -1;
  ~File() { if (fd >= 0) ::close(fd); }
};

std::string lastLines(std::string text, size_t limit = 600) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.size() > limit) text.erase(0, text.size() - limit);
  return text;
}

std::vector<std::string> linesWith(const std::string& text, const std::string& prefix) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (line.rfind(prefix, 0) == 0) out.push_back(line.substr(prefix.size()));
  return out;
}

// An agent file on this box and its sum, computed once as long as the file stays the same.
struct AgentFile {
  std::string path, sum;
  int64_t size = 0;
};

Result<AgentFile> agentFile(const std::string& dir, const std::string& arch) {
  static std::mutex mutex;
  static std::map<std::string, std::pair<struct timespec, AgentFile>> known;
  for (auto& name : {"pilothouse-agent-" + arch, std::string(arch == "amd64" ? "pilothouse-agent" : "")}) {
    const std::string path = dir + "/" + name;
    struct stat s{};
    if (name.empty() || ::stat(path.c_str(), &s) != 0 || !S_ISREG(s.st_mode)) continue;
    std::lock_guard lock(mutex);
    auto& entry = known[path];
    if (entry.second.size == s.st_size && entry.first.tv_sec == s.st_mtim.tv_sec && entry.first.tv_nsec == s.st_mtim.tv_nsec)
      return entry.second;
    File f{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    std::string bytes(static_cast<size_t>(s.st_size), '\0');
    if (f.fd < 0 || ::pread(f.fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
      return Status::internal(fmt::format("{} can't be read", path));
    entry = {s.st_mtim, {path, net::sha256Hex(bytes), s.st_size}};
    return entry.second;
  }
  return problem(kUpload, fmt::format("there is no agent for {} in {}", arch, dir),
                 fmt::format("Build pilothouse-agent for {} and put it there.", arch));
}

Result<Credential> findCredential(const Access& access, CredentialStore* store) {
  Credential c;
  if (!access.credential.empty()) {
    if (!store) return problem(kKey, fmt::format("there is no credential store to find \"{}\" in", access.credential), "Name an identityFile instead.");
    auto found = store->find(access.credential);
    if (!found.ok()) return problem(kKey, found.status().message, "Store the key under this name, or name another credential.");
    c = std::move(found).value();
  }
  if (!access.identityFile.empty()) {  // the credential then only brings the passphrase
    c.identityFile = access.identityFile;
    c.privateKey.clear();
  }
  return c;
}

Result<std::unique_ptr<SshSession>> verified(const Access& access, std::shared_ptr<Cancel> cancel, const OnProgress& progress) {
  auto first = SshSession::connect(access.endpoint, access.hostKeyTypeHint, access.connectTimeout, cancel);
  if (!first.ok() && first.status().is(kNotSsh) && !access.hostKeyTypeHint.empty())  // that type may be gone
    first = SshSession::connect(access.endpoint, "", access.connectTimeout, cancel);
  if (!first.ok()) return first;
  const HostKey seen = first.value()->hostKey();
  JoinProgress p;
  p.phase = "Connecting";
  p.step = "Host key";
  p.hostKey = seen;
  progress(p);
  if (access.hostKey.empty())
    return problem(kHostKeyUnknown, fmt::format("{} shows the host key {} ({}); it is not trusted yet", access.endpoint.address, seen.fingerprint, seen.type),
                   "Compare it with the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then set spec.hostKey to it.");
  if (seen.fingerprint == access.hostKey) return first;
  // A server has a key of each type: the trusted one may be another than the one it shows by itself.
  first.value().reset();
  for (const char* type : {"ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"}) {
    if (seen.type == type) continue;
    auto other = SshSession::connect(access.endpoint, type, access.connectTimeout, cancel);
    if (other.ok() && other.value()->hostKey().fingerprint == access.hostKey) return other;
    if (cancel->cancelled()) return problem(kCancelled, "stopped", "");
  }
  return problem(kHostKeyChanged,
                 fmt::format("the host key of {} changed: trusted is {}, it shows {} ({})", access.endpoint.address, access.hostKey, seen.fingerprint, seen.type),
                 "Someone may be between you and the machine, or it was installed anew. Look at its key on the machine itself; only if that is the one it shows, set spec.hostKey to it.");
}

Result<Probe> probeMachine(SshSession& session) {
  SshSession::RunOptions options;
  options.input = probeScript();
  const WallTime asked = systemClock().wallNow();
  auto ran = session.run(asRoot(), options);
  if (!ran.ok()) return ran.status();
  if (ran.value().exit == 77) {  // neither root nor sudo: look around all the same, and say so
    ran = session.run("sh -s", options);
    if (!ran.ok()) return ran.status();
  }
  Probe probe = readProbe(ran.value().out, asked, systemClock().wallNow());
  if (!probe.complete)
    return problem(kPreflight, fmt::format("the machine's shell did not run the checks: {}", lastLines(ran.value().err + ran.value().out, 200)),
                   "Check that the user's login shell works without a terminal: ssh USER@MACHINE true");
  return probe;
}

// apt's status lines: "pmstatus:PACKAGE:PERCENT:TEXT", "dlstatus:N:PERCENT:TEXT".
int aptPercent(std::string_view line) {
  if (line.rfind("pmstatus:", 0) != 0 && line.rfind("dlstatus:", 0) != 0) return -1;
  size_t a = line.find(':', 9);
  if (a == std::string_view::npos) return -1;
  int percent = std::atoi(std::string(line.substr(a + 1, 8)).c_str());
  return line[0] == 'd' ? percent / 3 : 33 + percent * 2 / 3;
}

Result<> install(SshSession& session, const Probe& probe, JoinProgress& p, const OnProgress& progress) {
  auto packages = missingPackages(probe);
  if (packages.empty()) return {};
  p.phase = "Installing";
  p.step = fmt::format("Installing {}", fmt::join(packages, ", "));
  p.percent = 0;
  progress(p);
  SshSession::RunOptions options;
  options.input = installScript(probe.packageManager, packages);
  options.timeout = kInstallTimeout;
  options.onLine = [&](std::string_view line) {
    int percent = aptPercent(line);
    if (percent >= p.percent + 3) {
      p.percent = percent;
      progress(p);
    }
  };
  auto ran = session.run(asRoot(), options);
  if (!ran.ok()) return ran.status();
  if (ran.value().exit != 0)
    return problem(kInstall, fmt::format("{} could not install {}: {}", probe.packageManager, fmt::join(packages, ", "), lastLines(ran.value().err.empty() ? ran.value().out : ran.value().err)),
                   fmt::format("Try it on the machine: {} install {}", probe.packageManager, fmt::join(packages, " ")));
  return {};
}

Result<bool> upload(SshSession& session, const Probe& probe, const std::string& dir, JoinProgress& p, const OnProgress& progress) {
  auto file = agentFile(dir, probe.arch);
  if (!file.ok()) return file.status();
  const AgentFile& agent = file.value();
  if (probe.agentSum == agent.sum) return false;
  p.phase = "Installing";
  p.step = "Uploading agent";
  p.percent = 0;
  progress(p);
  File f{::open(agent.path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (f.fd < 0) return Status::internal(fmt::format("{} can't be read", agent.path));
  auto sent = session.runWithFile(receiveAgentCommand(), f.fd, static_cast<size_t>(agent.size), kUploadTimeout, [&](int percent) {
    p.percent = percent;
    progress(p);
  });
  if (!sent.ok()) return sent.status();
  if (sent.value().exit != 0)
    return problem(kUpload, fmt::format("the agent could not be stored: {}", lastLines(sent.value().err)),
                   fmt::format("Check that {} can be written and has {} MB free.", place::kBinDir, agent.size / 1000000 + 1));
  if (sent.value().out.substr(0, 64) != agent.sum)
    return problem(kUpload, "the agent arrived damaged (its checksum differs)", "Try again; if it happens again, check the machine's disk and memory.");
  return true;
}

Result<> startAgent(SshSession& session, const StartPlan& plan, JoinProgress& p, const OnProgress& progress) {
  p.phase = "Starting";
  p.step = "Starting the agent";
  p.percent = 0;
  progress(p);
  SshSession::RunOptions options;
  options.input = startScript(plan);
  auto ran = session.run(asRoot(), options);
  if (!ran.ok()) return ran.status();
  if (ran.value().exit != 0 || ran.value().out.find("started=") == std::string::npos)
    return problem(kStart, fmt::format("the agent could not be started: {}", lastLines(ran.value().err + ran.value().out)),
                   plan.systemd ? "Look at it on the machine: systemctl status pilothouse-agent" : fmt::format("Look at {} on the machine.", place::kLog));
  return {};
}

}  // namespace

Result<std::unique_ptr<SshSession>> enter(const Access& access, CredentialStore* credentials, std::shared_ptr<Cancel> cancel,
                                          const OnProgress& progress) {
  auto session = verified(access, cancel, progress);
  if (!session.ok()) return session;
  // Only now: keys are for machines we know.
  auto credential = findCredential(access, credentials);
  if (!credential.ok()) return credential.status();
  if (auto in = session.value()->authenticate(credential.value()); !in.ok()) return in.status();
  return session;
}

Result<Joined> join(const JoinPlan& plan, CredentialStore* credentials, std::shared_ptr<Cancel> cancel, const OnProgress& progress) {
  auto entered = enter(plan.access, credentials, cancel, progress);
  if (!entered.ok()) return entered.status();
  auto session = std::move(entered).value();
  JoinProgress p;
  p.hostKey = session->hostKey();
  p.phase = "Preflight";
  p.step = "Looking at the machine";
  progress(p);
  auto probed = probeMachine(*session);
  if (!probed.ok()) return probed.status();
  p.probe = std::move(probed).value();
  p.hasProbe = true;
  p.findings = judge(p.probe, plan.neighbours);
  progress(p);
  if (hasError(p.findings)) return problem(kPreflight, firstError(p.findings), "See the findings: each says what to do.");
  if (auto done = install(*session, p.probe, p, progress); !done.ok()) return done.status();
  auto uploaded = upload(*session, p.probe, plan.agentDir, p, progress);
  if (!uploaded.ok()) return uploaded.status();
  StartPlan start{plan.node, plan.agentArguments, p.probe.systemd, uploaded.value()};
  if (auto done = startAgent(*session, start, p, progress); !done.ok()) return done.status();
  return Joined{std::move(session), p.hostKey, p.probe};
}

Result<Removed> removeFrom(const Access& access, const std::string& node, bool packages, CredentialStore* credentials,
                           std::shared_ptr<Cancel> cancel, const OnProgress& progress) {
  auto entered = enter(access, credentials, cancel, progress);
  if (!entered.ok()) return entered.status();
  JoinProgress p;
  p.phase = "Removing";
  p.step = "Cleaning the machine";
  progress(p);
  SshSession::RunOptions options;
  options.input = removeScript({node, packages});
  options.timeout = kRemoveTimeout;
  auto ran = entered.value()->run(asRoot(), options);
  if (!ran.ok()) return ran.status();
  if (ran.value().out.find("end=yes") == std::string::npos && ran.value().out.find("left=everything") == std::string::npos)
    return problem(kStart, fmt::format("the machine could not be cleaned: {}", lastLines(ran.value().err + ran.value().out)), "");
  return Removed{linesWith(ran.value().out, "left=")};
}

}  // namespace ph::fleet
