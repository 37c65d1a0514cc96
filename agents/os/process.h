// Processes: programs of the machine (nft, ip, ctr, containerd) run without a shell.
// Threads: run() blocks, so it is for an executor made for that; runAsync() from anywhere.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/executor.h"
#include "engine/base/result.h"

namespace ph::agents {

struct ProcessResult {
  int exitCode = -1;        // 128 + signal when a signal ended it
  std::string out, err;     // each at most a megabyte; what is more is dropped
};

// The program is looked for in PATH and in the sbin folders. A program that can't be started or outlives `timeout` is an error.
Result<ProcessResult> run(const std::vector<std::string>& command, const std::string& input, Duration timeout);
// The same, on `blocking`; a non-zero exit is an error too, with the end of its stderr as text.
void runAsync(const std::shared_ptr<Executor>& blocking, const std::shared_ptr<Executor>& strand, std::vector<std::string> command,
              std::string input, Duration timeout, std::function<void(Result<ProcessResult>)> done);
// One that goes on by itself: its own session, output appended to `logFile`. The answer is its pid.
Result<pid_t> startDetached(const std::vector<std::string>& command, const std::string& logFile);
// Reaps `pid` if it is a child that ended.
void reap(pid_t pid);
// The full path of a program; empty when the machine has none.
std::string findProgram(const std::string& name);

}  // namespace ph::agents
