// ImageUploads: image archives that come over the network, in pieces. Each upload belongs to who began it, and to a namespace (or to
// none: the whole cluster). Threads: any; append() and finish() write and read files: not on a net thread.
#pragma once

#include <map>
#include <mutex>

#include "engine/base/executor.h"
#include "engine/server/image_store.h"

namespace ph::server {

class ImageUploads {
 public:
  static constexpr size_t kMaxUploads = 16;
  static constexpr uint64_t kMaxBytes = uint64_t(16) << 30;
  static constexpr Duration kForgotten = std::chrono::minutes(30);  // one that gets nothing for so long is dropped

  ImageUploads(std::shared_ptr<ImageStore> images, std::shared_ptr<Executor> executor) : images_(std::move(images)), executor_(std::move(executor)) {}
  ~ImageUploads();

  // The answer is the upload's number, as unguessable as a token.
  Result<std::string> begin(const std::string& user, const std::string& ns);
  // Puts bytes at `offset`, which must be where the last piece ended (409 says where). Answers the new end.
  Result<uint64_t> append(const std::string& user, const std::string& id, uint64_t offset, std::string_view bytes);
  // The archive is complete and has this digest (hex): it is kept. `name` replaces the references inside.
  Result<ImageEntry> finish(const std::string& user, const std::string& id, const std::string& digest, const std::string& name);
  Result<> abandon(const std::string& user, const std::string& id);

 private:
  struct Upload {
    std::string user, ns, file;
    uint64_t bytes = 0;
    MonoTime touched{};
    std::mutex busy;
  };
  Result<std::shared_ptr<Upload>> find(const std::string& user, const std::string& id);
  void drop(const std::string& id);

  const std::shared_ptr<ImageStore> images_;
  const std::shared_ptr<Executor> executor_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Upload>> uploads_;
};

}  // namespace ph::server
