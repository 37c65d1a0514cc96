// ImageManager: makes an image present on the node, by its pull policy: from the engine's archives when the engine has one,
// else from its registry. Pods that want the same image share one attempt; failures back off as kubelet's do.
// Threads: the node's strand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agents/pods/backoff.h"
#include "agents/runtime/runtime.h"
#include "engine/base/executor.h"

namespace ph::agents {

// Where archives come from. The answer is the path of a file that the caller removes, or nullopt when there is none.
using ArchiveSource = std::function<void(const std::string& ref, Done<std::optional<std::string>> done)>;

struct ImageOutcome {
  ImageInfo image;
  bool pulled = false;      // false: it was present
  Duration took{};
};

// What a container's waiting state says when there is no image: reason ErrImagePull, ImagePullBackOff, ErrImageNeverPull or
// InvalidImageName; Status.message the runtime's words.
struct ImageFailure {
  std::string reason, message;
  Duration retryAfter{};
};

enum class PullPolicy { Always, IfNotPresent, Never };

class ImageManager : public std::enable_shared_from_this<ImageManager> {
 public:
  struct Answer {
    std::optional<ImageOutcome> outcome;
    ImageFailure failure;  // when there is no outcome
  };
  ImageManager(std::shared_ptr<Executor> strand, std::shared_ptr<Runtime> runtime, ArchiveSource archives,
               BackoffLimits limits = {});

  // `onPulling` is called when the image is not simply there. `done` once.
  void ensure(const std::string& image, PullPolicy policy, ImageAuth auth, std::function<void()> onPulling,
              std::function<void(Answer)> done);

 private:
  struct Pull {
    std::vector<std::function<void(Answer)>> waiting;
    MonoTime began{};
  };
  struct Failed {
    Backoff backoff;
    MonoTime at{};
    std::string message;
  };
  void present(const std::string& image, PullPolicy policy, ImageAuth auth, std::function<void()> onPulling,
               std::function<void(Answer)> done, Result<std::optional<ImageInfo>> found);
  void fetch(const std::string& image, ImageAuth auth);
  void imported(const std::string& image, ImageAuth auth, std::string path, Result<> result);
  void pull(const std::string& image, ImageAuth auth);
  void settle(const std::string& image, Result<> result);
  void finish(const std::string& image, Answer answer);

  std::shared_ptr<Executor> strand_;
  std::shared_ptr<Runtime> runtime_;
  ArchiveSource archives_;
  const BackoffLimits limits_;
  std::map<std::string, Pull> pulls_;
  std::map<std::string, Failed> failed_;
  std::set<std::string> fromArchive_;  // present because the engine gave it: Always does not fetch it again
};

}  // namespace ph::agents
