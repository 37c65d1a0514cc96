// Brings an image archive to the engine, in pieces. Threads: one, which may block.
#pragma once

#include <string>
#include <vector>

#include "engine/deploy/api.h"

namespace ph::deploy {

struct Uploaded {
  std::vector<std::string> refs, ports;
  std::string digest;  // "sha256:..."
  uint64_t bytes = 0;
};
// `name` replaces the references inside; empty: they stay.
Result<Uploaded> uploadImage(Api& api, const std::string& file, const std::string& ns, const std::string& name = {});

}  // namespace ph::deploy
