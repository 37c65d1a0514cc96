// pilothouse-engine: the control plane without a window.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "app/deploy_command.h"
#include "engine/base/log.h"
#include "engine/base/time.h"
#include "engine/runtime/engine.h"

namespace {

using namespace ph;

int serve(runtime::Options options, MonoTime begun) {
  // Signals are waited for, not handled: blocked before any thread is made, so that all inherit it.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  auto engine = runtime::Engine::start(std::move(options));
  if (!engine.ok()) {
    std::fprintf(stderr, "pilothouse-engine: %s\n", engine.status().message.c_str());
    return 1;
  }
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(systemClock().monoNow() - begun).count();
  std::printf("ready https://%s in %lld ms\n", (*engine)->address().c_str(), static_cast<long long>(took));
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  PH_LOG(Info, "engine", "stopping on signal {}", signal);
  (*engine)->stop();
  return 0;
}

int addImage(const std::string& dataDir, const std::string& file, const std::string& name) {
  auto added = runtime::addImage(dataDir, file, name);
  if (!added.ok()) {
    std::fprintf(stderr, "pilothouse-engine: %s\n", added.status().message.c_str());
    return 1;
  }
  std::printf("added %s\n", added->c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  auto begun = systemClock().monoNow();
  CLI::App app{"Pilothouse's control plane: a Kubernetes API server, controllers, scheduler and fleet in one program"};
  app.set_version_flag("--version", std::string("pilothouse-engine ") + PH_VERSION);
  app.require_subcommand(1);
  runtime::Options options;
  std::string grace = "10s", logLevel = "info", image, imageName;

  auto* serveCommand = app.add_subcommand("serve", "Run the engine on a data directory");
  serveCommand->add_option("--data", options.dataDir, "Data directory")->required();
  serveCommand->add_option("--listen", options.listen, "Address and port to serve on; port 0 takes a free one")
      ->capture_default_str();
  serveCommand->add_option("--node-grace", grace, "How long a node may be silent before it counts as lost")
      ->capture_default_str();
  serveCommand->add_option("--agents", options.agentDir, "Folder of the agent binaries (default: beside this program)");
  serveCommand->add_option("--audit-log", options.auditLog, "Who did what, as JSON lines: a file, or off (default: DIR/audit.log)");
  serveCommand->add_flag("--service-account-secrets", options.accountSecrets,
                         "Give each service account a secret with a token that never ends, as Kubernetes did before 1.24");
  serveCommand->add_option("--log-level", logLevel, "debug, info, warn or error")->capture_default_str();

  auto* imageCommand = app.add_subcommand("image", "Images without a registry");
  imageCommand->require_subcommand(1);
  auto* addCommand = imageCommand->add_subcommand("add", "Copy a Docker or OCI archive into a data directory");
  addCommand->add_option("file", image, "The archive")->required();
  addCommand->add_option("--data", options.dataDir, "Data directory")->required();
  addCommand->add_option("--name", imageName, "The reference it shall have, instead of those inside");

  DeployArguments deployArguments;
  auto* deployCommand = addDeployCommand(app, deployArguments);

  CLI11_PARSE(app, argc, argv);
  if (*deployCommand) return runDeploy(deployArguments);
  log::setLevel(log::parseLevel(logLevel));
  if (*addCommand) return addImage(options.dataDir, image, imageName);
  auto parsed = parseDuration(grace);
  if (!parsed || *parsed <= Duration::zero()) {
    std::fprintf(stderr, "pilothouse-engine: --node-grace must be a duration such as 10s, not \"%s\"\n", grace.c_str());
    return 2;
  }
  options.nodeGrace = *parsed;
  return serve(std::move(options), begun);
}
