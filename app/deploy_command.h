// pilothouse-engine deploy: the command line around engine/deploy. Threads: the main one; blocks.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

struct DeployArguments {
  std::string path, app, ns, kubeconfig, server, token, ca, timeout = "5m", output = "text";
  std::vector<std::string> images;
};

CLI::App* addDeployCommand(CLI::App& app, DeployArguments& arguments);
// The exit code: 0 deployed; 1 failed, and undone; 2 misused.
int runDeploy(const DeployArguments& arguments);
