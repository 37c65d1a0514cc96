// EngineArchives: images that the engine keeps as archives, brought to a file of this machine.
// Threads: the node's strand.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agents/runtime/runtime.h"
#include "engine/base/executor.h"
#include "engine/client/client.h"

namespace ph::agents {

class EngineArchives : public std::enable_shared_from_this<EngineArchives> {
 public:
  EngineArchives(client::Client& client, std::shared_ptr<Executor> strand, std::string folder);
  // The path of a file that is the caller's to remove; nullopt when the engine has no archive of that name. A full disk is said in words.
  void fetch(const std::string& ref, Done<std::optional<std::string>> done);

 private:
  struct Transfer;
  void finish(uint64_t number, Result<std::string> result);

  client::Client& client_;
  std::shared_ptr<Executor> strand_;
  const std::string folder_;
  uint64_t next_ = 0;
  std::map<uint64_t, std::shared_ptr<Transfer>> transfers_;
};

}  // namespace ph::agents
