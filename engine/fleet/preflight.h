// Preflight: what the probe script found on a machine, judged: can it become a node, and what is missing?
// Threads: pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/types/fleet.h"
#include "engine/base/time.h"

namespace ph::fleet {

struct Probe {
  std::string arch;            // amd64, arm64, or uname's word for others
  std::string kernel, os, hostname, machineId;
  bool root = false;           // as root or through sudo
  bool systemd = false;
  int64_t memoryKb = 0, diskKb = 0, swapKb = 0;
  int cgroupVersion = 0;
  std::string controllers;     // space separated
  bool containerd = false, runc = false, cni = false, nft = false;
  std::string containerdVersion;
  std::string packageManager;  // empty: none known
  std::string agentSum;        // sha256 of the agent that is there; empty: none
  std::string receiptNode;     // the node that this machine is already
  bool selinux = false, firewalld = false, readOnly = false;
  double clockAhead = 0;       // seconds, against this box
  bool complete = false;       // the script came to its end
};

// `askedAt`, `answeredAt`: this box's time around the run, for the clock's difference.
Probe readProbe(std::string_view output, WallTime askedAt, WallTime answeredAt);

struct Neighbours {                                   // what other machines say of themselves
  std::map<std::string, std::string> nodeByHostname;
  std::string self;                                   // this machine's name
};

// One finding a check, in a fixed order; an Error stops the join.
std::vector<api::fleet::MachineFinding> judge(const Probe& probe, const Neighbours& neighbours);
bool hasError(const std::vector<api::fleet::MachineFinding>& findings);
std::string firstError(const std::vector<api::fleet::MachineFinding>& findings);  // its message; empty: none

// Packages that the machine lacks; empty when it has all.
std::vector<std::string> missingPackages(const Probe& probe);

}  // namespace ph::fleet
