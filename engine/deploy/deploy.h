// Deploy: brings images and manifests to a cluster, waits until they run, and undoes all of it when they don't. What one deploy of
// an app had and the next one lacks is removed at the end. Works with a token that may do things in one namespace only.
// Threads: one, which may block.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/deploy/api.h"
#include "engine/deploy/manifests.h"

namespace ph::deploy {

struct Options {
  std::string path, app, ns = "default";
  Duration timeout = std::chrono::minutes(5);
  std::vector<std::pair<std::string, std::string>> images;  // NAME=REF
  std::function<bool()> cancelled;                           // asked while waiting; null: never
};

// One step, told when it is over (or, of a wait, each time its text changes).
struct Step {
  std::string name;    // upload, apply, wait, prune, undo, done, failed
  std::string object;  // "Deployment web"; a file; empty
  std::string result;  // created, configured, unchanged, waiting, ready, removed, restored, failed...
  std::string text;    // more, in words
  Duration since{};    // the deploy's start
};
using Tell = std::function<void(const Step&)>;

// ok() when all of it runs. A failure's message says why in words; what was changed has been undone then.
Result<> deploy(Api& api, const Options& options, const Tell& tell);

inline constexpr const char* kManager = "pilothouse-deploy";
inline constexpr const char* kInstanceLabel = "app.kubernetes.io/instance";

}  // namespace ph::deploy
