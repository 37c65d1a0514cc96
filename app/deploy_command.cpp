#include "app/deploy_command.h"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "engine/api/codec.h"
#include "engine/client/http_client.h"
#include "engine/client/kubeconfig.h"
#include "engine/deploy/deploy.h"

namespace {

using namespace ph;

std::atomic<bool> interrupted{false};

int misused(const std::string& why) {
  std::fprintf(stderr, "pilothouse-engine deploy: %s\n", why.c_str());
  return 2;
}

Result<client::Kubeconfig> target(const DeployArguments& a) {
  if (a.server.empty()) {
    auto path = a.kubeconfig;
    if (auto* given = std::getenv("KUBECONFIG"); path.empty() && given) path = given;
    if (auto* home = std::getenv("HOME"); path.empty() && home) path = std::string(home) + "/.kube/config";
    PH_ASSIGN(auto config, client::loadKubeconfig(path));
    if (!a.token.empty()) {
      config.token = a.token;
      config.certPem.clear();
      config.keyPem.clear();
    }
    return config;
  }
  client::Kubeconfig config;
  config.server = a.server;
  config.token = a.token;
  if (config.token.empty()) return Status::badRequest("--server needs --token");
  if (!a.ca.empty()) {
    std::ifstream in(a.ca);
    config.caPem.assign(std::istreambuf_iterator<char>(in), {});
    if (config.caPem.empty()) return Status::badRequest("--ca " + a.ca + ": can't be read");
  }
  return config;
}

void print(const deploy::Step& step, bool json) {
  double seconds = double(std::chrono::duration_cast<std::chrono::milliseconds>(step.since).count()) / 1000;
  if (json) {
    api::JsonObject line{{"time", formatTime(systemClock().wallNow())}, {"seconds", seconds}, {"step", step.name}, {"result", step.result}};
    if (!step.object.empty()) line["object"] = step.object;
    if (!step.text.empty()) line["message"] = step.text;
    std::printf("%s\n", api::toText(line).c_str());
  } else {
    auto text = step.object.empty() ? step.result : step.object + " " + step.result;
    if (!step.text.empty()) text += ": " + step.text;
    std::printf("%6.1f s  %-6s  %s\n", seconds, step.name.c_str(), text.c_str());
  }
  std::fflush(stdout);
}

}  // namespace

CLI::App* addDeployCommand(CLI::App& app, DeployArguments& a) {
  auto* command = app.add_subcommand("deploy", "Bring an image archive or a folder of manifests to a cluster, wait until it runs, undo it if it does not");
  command->add_option("path", a.path, "Image archive (docker save, OCI), manifest, or folder with manifests and archives")->required();
  command->add_option("--app", a.app, "The app's name: what an earlier deploy of it had and this one lacks is removed")->required();
  command->add_option("-n,--namespace", a.ns, "Namespace (default: the kubeconfig's, or default)");
  command->add_option("--kubeconfig", a.kubeconfig, "Kubeconfig file (default: $KUBECONFIG, then ~/.kube/config)");
  command->add_option("--server", a.server, "https://HOST:PORT, instead of a kubeconfig");
  command->add_option("--token", a.token, "Bearer token; also $PILOTHOUSE_TOKEN")->envname("PILOTHOUSE_TOKEN");
  command->add_option("--ca", a.ca, "File with the CA certificate of --server");
  command->add_option("--timeout", a.timeout, "How long all of it may take")->capture_default_str();
  command->add_option("--image", a.images, "NAME=REF: use this image where manifests say NAME");
  command->add_option("-o,--output", a.output, "text, or json: a line of JSON a step")->check(CLI::IsMember({"text", "json"}))->capture_default_str();
  return command;
}

int runDeploy(const DeployArguments& a) {
  deploy::Options options;
  options.path = a.path;
  options.app = a.app;
  auto timeout = parseDuration(a.timeout);
  if (!timeout || *timeout <= Duration::zero()) return misused("--timeout must be a duration such as 5m, not \"" + a.timeout + "\"");
  options.timeout = *timeout;
  for (auto& image : a.images) {
    auto equals = image.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == image.size()) return misused("--image must be NAME=REF, not \"" + image + "\"");
    options.images.emplace_back(image.substr(0, equals), image.substr(equals + 1));
  }
  if (a.app.empty() || a.app.size() > 40 || a.app.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos || a.app.front() == '-' || a.app.back() == '-')
    return misused("--app must be a name of at most 40 small letters, digits and dashes, not \"" + a.app + "\"");
  auto config = target(a);
  if (!config.ok()) return misused(config.status().message);
  options.ns = !a.ns.empty() ? a.ns : !config->ns.empty() ? config->ns : "default";
  auto http = client::clientOptions(*config);
  if (!http.ok()) return misused(http.status().message);
  // The first signal undoes what was done; a second one ends at once.
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted.store(true); };
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  options.cancelled = [] { return interrupted.load(); };
  auto io = net::Io::make(1);
  http->io = io;
  http->registry = api::Registry::builtin();
  auto executor = io->executor();
  Result<> outcome = {};
  {
    deploy::Api api(client::makeHttpClient(std::move(*http)), executor);
    outcome = deploy::deploy(api, options, [json = a.output == "json"](const deploy::Step& step) { print(step, json); });
  }
  if (outcome.ok()) return 0;
  std::fprintf(stderr, "pilothouse-engine deploy: %s\n", outcome.status().message.c_str());
  return 1;
}
