#include "engine/fleet/scripts.h"

#include <fmt/format.h>

namespace ph::fleet {
namespace {

constexpr std::string_view kFoldersOfOthers =
    "/opt/containerd /opt/containerd/bin /opt/containerd/lib /var/lib/cni /var/lib/cni/results /run/containerd /run/containerd/runc "
    "/run/containerd/runc/k8s.io /run/containerd/s /var/log/pods /etc/cni /etc/cni/net.d";

}  // namespace

std::string quote(std::string_view word) {
  std::string out = "'";
  for (char c : word) {
    if (c == '\'') out += "'\\''";
    else out += c;
  }
  return out + "'";
}

std::string asRoot(const std::string& command) {
  // The login shell may be anything: one sh -c with one quoted word is all it sees.
  return "sh -c " + quote(fmt::format("if [ \"$(id -u)\" = 0 ]; then exec {0}; elif sudo -n true 2>/dev/null; then exec sudo -n {0}; else exit 77; fi", command));
}

std::string asRoot() { return asRoot("sh -s"); }

std::string probeScript() {
  // Values go through `say`, which keeps each on one line.
  return R"SH(LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin; export PATH
say() { printf '%s=%s\n' "$1" "$(printf '%s' "$2" | tr '\n' ' ')"; }
have() { command -v "$1" 2>/dev/null; }
say uid "$(id -u)"
say arch "$(uname -m)"
say kernel "$(uname -r)"
say hostname "$(hostname 2>/dev/null || cat /proc/sys/kernel/hostname)"
say time "$(date +%s)"
say os "$(. /etc/os-release 2>/dev/null; printf '%s' "$PRETTY_NAME")"
say machine "$(cat /etc/machine-id 2>/dev/null)"
say memory "$(awk '/^MemTotal/ {print $2}' /proc/meminfo)"
say swap "$(awk '/^SwapTotal/ {print $2}' /proc/meminfo)"
say disk "$(df -Pk /var/lib 2>/dev/null | awk 'NR == 2 {print $4}')"
say init "$(cat /proc/1/comm 2>/dev/null)"
[ -d /run/systemd/system ] && say systemd yes
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  say cgroup 2; say controllers "$(cat /sys/fs/cgroup/cgroup.controllers)"
else
  say cgroup 1; say controllers "$(awk '$4 == 1 {print $1}' /proc/cgroups)"
fi
say containerd "$(have containerd)"
[ -n "$(have containerd)" ] && say containerdVersion "$(containerd --version 2>/dev/null | awk '{print $3}')"
say runc "$(have runc || have crun)"
say nft "$(have nft)"
for d in /usr/lib/cni /opt/cni/bin /usr/libexec/cni; do
  if [ -x $d/bridge ] && [ -x $d/host-local ] && [ -x $d/loopback ]; then say cni $d; break; fi
done
for p in apt-get dnf zypper apk pacman; do [ -n "$(have $p)" ] && { say packages $p; break; }; done
[ "$(cat /sys/fs/selinux/enforce 2>/dev/null)" = 1 ] && say selinux enforcing
[ -n "$(have firewall-cmd)" ] && firewall-cmd --state >/dev/null 2>&1 && say firewalld running
a=)SH" + std::string(place::kAgent) + R"SH(
if [ -x $a ]; then say agentSum "$(sha256sum $a | cut -c1-64)"; fi
[ -r )SH" + std::string(place::kReceipt) + R"SH( ] && say receiptNode "$(sed -n 's/^node=//p' )SH" + std::string(place::kReceipt) + R"SH( | tail -n 1)"
touch /usr/local/lib/.pilothouse.$$ 2>/dev/null && rm -f /usr/local/lib/.pilothouse.$$ || { mkdir -p /usr/local/lib 2>/dev/null && [ -w /usr/local/lib ] || say readonly /usr/local/lib; }
say end yes
)SH";
}

std::vector<std::string> packagesFor(const std::string& pm, bool containerd, bool runc, bool cni, bool nft) {
  std::vector<std::string> out;
  auto want = [&](bool missing, const char* apt, const char* others) {
    if (missing) out.emplace_back(pm == "apt-get" ? apt : others);
  };
  want(containerd, "containerd", "containerd");
  want(runc, "runc", "runc");
  want(cni, "containernetworking-plugins", pm == "apk" || pm == "pacman" ? "cni-plugins" : "containernetworking-plugins");
  want(nft, "nftables", "nftables");
  return out;
}

std::string installScript(const std::string& pm, const std::vector<std::string>& packages) {
  std::string list;
  for (auto& p : packages) list += " " + quote(p);
  std::string head = fmt::format(R"SH(LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/sbin:/sbin; export PATH
umask 022; mkdir -p {0} && chmod 700 {0}
set --{1}
)SH", place::kStateDir, list);
  // What was not there before is ours to remove later, dependencies too: the package lists before and after tell.
  std::string before, after;
  if (pm == "apt-get") {
    // Those too that wait to be configured, or for a trigger: apt ends that on its way, and they are not ours.
    head += R"SH(names() { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | awk '$1 !~ /^.[nc]/ {print $2}' | sort; }
go() { DEBIAN_FRONTEND=noninteractive apt-get -y -q -o APT::Status-Fd=1 -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 -o APT::Color=0 install --no-install-recommends "$@" </dev/null; }
try() { go "$@" || { apt-get -q -o Dpkg::Use-Pty=0 update </dev/null && go "$@"; }; }
)SH";
  } else if (pm == "dnf") {
    head += "names() { rpm -qa --qf '%{NAME}\\n' | sort -u; }\ntry() { dnf -y -q install \"$@\" </dev/null; }\n";
  } else if (pm == "zypper") {
    head += "names() { rpm -qa --qf '%{NAME}\\n' | sort -u; }\ntry() { zypper -n -q install --no-recommends \"$@\" </dev/null; }\n";
  } else if (pm == "apk") {
    head += "names() { apk info -q | sort; }\ntry() { apk add -q \"$@\" </dev/null; }\n";
  } else {
    head += "names() { pacman -Qq | sort; }\ntry() { pacman -Sy --noconfirm --needed -q \"$@\" </dev/null; }\n";
  }
  return head + fmt::format(R"SH(b={0}/.before.$$; a={0}/.after.$$
names > $b
try "$@"; rc=$?
names > $a
awk 'NR == FNR {{ old[$1] = 1; next }} !($1 in old) {{ print "package=" $1 }}' $b $a | tee -a {1}
rm -f $b $a
exit $rc
)SH", place::kStateDir, place::kReceipt);
}

std::string receiveAgentCommand() {
  return asRoot(fmt::format("sh -c {}", quote(fmt::format(
      "umask 022; mkdir -p {0} && cat > {1}.new && chmod 755 {1}.new && mv -f {1}.new {1} && sha256sum {1} || {{ rm -f {1}.new; exit 1; }}",
      place::kBinDir, place::kAgent))));
}

std::string startScript(const StartPlan& plan) {
  std::string arguments;
  for (auto& a : plan.arguments) arguments += " " + quote(a);
  std::string out = fmt::format(R"SH(umask 022
mkdir -p {0} {1} {2} && chmod 700 {0} {1} || exit 1
# What containerd and the network plugins will make outside of our folders, as far as it is not there yet: removal undoes it.
grep -q ^node= {4} 2>/dev/null || {{
  for d in {7}; do [ -e $d ] || echo "made=$d"; done
  echo "forward=$(cat /proc/sys/net/ipv4/ip_forward)"
}} >> {4}
grep -qx {3} {4} 2>/dev/null || echo {3} >> {4}
command={5}
restart={6}
)SH", place::kStateDir, place::kRunDir, place::kBinDir, quote("node=" + plan.node), place::kReceipt,
                                quote(std::string(place::kAgent) + arguments), plan.restart ? "yes" : "", kFoldersOfOthers);
  if (plan.systemd) {
    // systemd reads % and $ and backslashes in its own way; the arguments are ours and have none.
    return out + fmt::format(R"SH(cat > {0}.new <<UNIT
[Unit]
Description=Pilothouse node agent
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=$command
Restart=always
RestartSec=1
KillMode=process
Delegate=yes
LimitNOFILE=1048576
TasksMax=infinity
RuntimeDirectory=pilothouse
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes

[Install]
WantedBy=multi-user.target
UNIT
if ! cmp -s {0} {0}.new; then mv -f {0}.new {0}; restart=yes; systemctl daemon-reload || exit 1; else rm -f {0}.new; fi
systemctl enable -q pilothouse-agent || exit 1
if [ -n "$restart" ]; then systemctl restart pilothouse-agent && echo started=restarted || exit 1
else systemctl start pilothouse-agent && echo started=running || exit 1; fi
)SH", place::kUnit);
  }
  return out + fmt::format(R"SH(cat > {0}.new <<'RUN'
#!/bin/sh
# Keeps the Pilothouse agent running on a machine without systemd. Ends on SIGTERM; its pods run on.
pid=; pause=1
trap '[ -n "$pid" ] && kill $pid 2>/dev/null; wait; rm -f {1}/supervise.pid; exit 0' TERM INT
echo $$ > {1}/supervise.pid
while :; do
  [ "$(stat -c %s {2} 2>/dev/null || echo 0)" -gt 10000000 ] && mv -f {2} {2}.1
  began=$(date +%s)
  COMMAND >> {2} 2>&1 < /dev/null &
  pid=$!
  wait $pid
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) the agent ended with $?" >> {2}
  [ $(($(date +%s) - began)) -gt 60 ] && pause=1
  sleep $pause & wait $!
  pause=$((pause * 2)); [ $pause -gt 30 ] && pause=30
done
RUN
sed "s|COMMAND|$(printf '%s' "$command" | sed 's/[&|\\]/\\&/g')|" {0}.new > {0}.made && rm -f {0}.new && chmod 755 {0}.made || exit 1
cmp -s {0} {0}.made && rm -f {0}.made || {{ mv -f {0}.made {0}; restart=yes; }}
p=$(cat {1}/supervise.pid 2>/dev/null)
if [ -n "$p" ] && grep -q supervise /proc/$p/cmdline 2>/dev/null; then
  [ -z "$restart" ] && {{ echo started=running; exit 0; }}
  kill $p; i=0; while [ -d /proc/$p ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
  kill -9 $p 2>/dev/null
fi
setsid {0} > /dev/null 2>&1 < /dev/null &
echo started=started
)SH", place::kSupervisor, place::kRunDir, place::kLog);
}

std::string removeScript(const RemovePlan& plan) {
  return fmt::format(R"SH(LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/sbin:/sbin; export PATH
owner=$(sed -n 's/^node=//p' {receipt} 2>/dev/null | tail -n 1)
if [ -n "$owner" ] && [ "$owner" != {node} ]; then echo "left=everything: this machine belongs to $owner now"; exit 0; fi
pm=; for p in apt-get dnf zypper apk pacman; do command -v $p >/dev/null && {{ pm=$p; break; }}; done
ours=$(sed -n 's/^package=//p' {receipt} 2>/dev/null | sort -u)
made=$(sed -n 's/^made=//p' {receipt} 2>/dev/null | sort -ru)
forward=$(sed -n 's/^forward=//p' {receipt} 2>/dev/null | tail -n 1)
if [ -e {unit} ]; then
  systemctl disable -q --now pilothouse-agent; rm -f {unit}; systemctl daemon-reload; systemctl reset-failed -q pilothouse-agent 2>/dev/null
fi
p=$(cat {run}/supervise.pid 2>/dev/null)
if [ -n "$p" ] && grep -q supervise /proc/$p/cmdline 2>/dev/null; then
  kill $p; i=0; while [ -d /proc/$p ] && [ $i -lt 150 ]; do sleep 0.1; i=$((i + 1)); done; kill -9 $p 2>/dev/null
fi
if [ -x {agent} ]; then {agent} cleanup 2>&1 | sed 's/^/agent: /'; fi
# Whatever still runs from our folder (a bridge on its way out).
for d in /proc/[0-9]*; do
  case $(readlink $d/exe 2>/dev/null) in {bin}/*) kill ${{d#/proc/}} 2>/dev/null ;; esac
done
for m in $(awk '{{print $2}}' /proc/mounts | grep -E '^({state}|{run})(/|$)' | sort -r); do umount $m 2>/dev/null || umount -l $m; done
rm -rf {bin} {run} {log} {log}.1
# The low-level tools leave a package alone that something else has come to need since.
if [ -n {packages} ] && [ -n "$ours" ]; then
  case $pm in
    apt-get) DEBIAN_FRONTEND=noninteractive dpkg --purge $ours </dev/null >/dev/null 2>&1 ;;
    dnf|zypper) rpm -e $ours >/dev/null 2>&1 ;;
    apk) apk del -q $ours </dev/null >/dev/null 2>&1 ;;
    pacman) pacman -Rn --noconfirm $ours </dev/null >/dev/null 2>&1 ;;
  esac || echo "left=packages $(echo $ours): some could not be removed, since others need them"
fi
rm -rf {state}
# Only what is empty by now, and was not there before us.
for d in $made; do rmdir $d 2>/dev/null; done
# Another bridge on the machine (Docker's, a virtual machine's) needs forwarding too by now.
if [ "$forward" = 0 ] && ! ls -d /sys/class/net/*/bridge >/dev/null 2>&1; then echo 0 > /proc/sys/net/ipv4/ip_forward; fi
for f in {bin} {state} {run} {log} {unit}; do [ -e $f ] && echo "left=$f"; done
grep -qE ' ({state}|{run})/' /proc/mounts && echo "left=mounts"
echo end=yes
)SH", fmt::arg("receipt", place::kReceipt), fmt::arg("node", quote(plan.node)), fmt::arg("unit", place::kUnit),
      fmt::arg("run", place::kRunDir), fmt::arg("agent", place::kAgent), fmt::arg("bin", place::kBinDir),
      fmt::arg("state", place::kStateDir), fmt::arg("log", place::kLog), fmt::arg("packages", plan.packages ? "yes" : "''"));
}

std::map<std::string, std::string> parseFacts(std::string_view text) {
  std::map<std::string, std::string> out;
  for (size_t from = 0; from < text.size();) {
    size_t end = std::min(text.find('\n', from), text.size());
    std::string_view line = text.substr(from, end - from);
    from = end + 1;
    size_t eq = line.find('=');
    if (eq == std::string_view::npos || eq == 0) continue;
    std::string_view value = line.substr(eq + 1);
    while (!value.empty() && (value.back() == '\r' || value.back() == ' ')) value.remove_suffix(1);
    out[std::string(line.substr(0, eq))] = value;
  }
  return out;
}

}  // namespace ph::fleet
