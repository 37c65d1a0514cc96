#include "agents/pods/image_manager.h"

#include <fmt/format.h>
#include <unistd.h>

namespace ph::agents {

ImageManager::ImageManager(std::shared_ptr<Executor> strand, std::shared_ptr<Runtime> runtime, ArchiveSource archives,
                           BackoffLimits limits)
    : strand_(std::move(strand)), runtime_(std::move(runtime)), archives_(std::move(archives)), limits_(limits) {}

void ImageManager::ensure(const std::string& image, PullPolicy policy, ImageAuth auth, std::function<void()> onPulling,
                          std::function<void(Answer)> done) {
  std::weak_ptr<ImageManager> weak = weak_from_this();
  runtime_->imageStatus(image, [weak, image, policy, auth = std::move(auth), onPulling = std::move(onPulling),
                                done = std::move(done)](Result<std::optional<ImageInfo>> found) mutable {
    if (auto self = weak.lock())
      self->present(image, policy, std::move(auth), std::move(onPulling), std::move(done), std::move(found));
  });
}

void ImageManager::present(const std::string& image, PullPolicy policy, ImageAuth auth, std::function<void()> onPulling,
                           std::function<void(Answer)> done, Result<std::optional<ImageInfo>> found) {
  if (!found.ok()) {
    bool invalid = found.status().message.find("invalid reference") != std::string::npos ||
                   found.status().message.find("couldn't parse image") != std::string::npos;
    Answer answer;
    answer.failure = {invalid ? "InvalidImageName" : "ImageInspectError",
                      fmt::format("Failed to inspect image \"{}\": {}", image, found.status().message), limits_.initial};
    return done(std::move(answer));
  }
  bool have = found->has_value();
  if (have && (policy != PullPolicy::Always || fromArchive_.count(image))) {
    Answer answer;
    answer.outcome = ImageOutcome{**found, false, {}};
    return done(std::move(answer));
  }
  if (policy == PullPolicy::Never) {
    Answer answer;
    answer.failure = {"ErrImageNeverPull",
                      fmt::format("Container image \"{}\" is not present with pull policy of Never", image), limits_.initial};
    return done(std::move(answer));
  }
  auto now = strand_->monoNow();
  if (auto failed = failed_.find(image); failed != failed_.end() && !pulls_.count(image)) {
    auto wait = failed->second.backoff.remaining(failed->second.at, now);
    if (wait > Duration::zero()) {
      Answer answer;
      answer.failure = {"ImagePullBackOff", fmt::format("Back-off pulling image \"{}\": {}", image, failed->second.message), wait};
      return done(std::move(answer));
    }
  }
  if (onPulling) onPulling();
  auto [it, fresh] = pulls_.try_emplace(image);
  it->second.waiting.push_back(std::move(done));
  if (!fresh) return;
  it->second.began = now;
  fetch(image, std::move(auth));
}

void ImageManager::fetch(const std::string& image, ImageAuth auth) {
  if (!archives_) return pull(image, std::move(auth));
  std::weak_ptr<ImageManager> weak = weak_from_this();
  archives_(image, [weak, image, auth = std::move(auth)](Result<std::optional<std::string>> path) mutable {
    auto self = weak.lock();
    if (!self) return;
    // An engine that has no archive, or is away, leaves the registry; a full disk or a broken transfer is the user's to know.
    if (path.ok() && path->has_value()) {
      self->runtime_->importImage(**path, [weak, image, auth, file = **path](Result<> result) mutable {
        if (auto self = weak.lock()) self->imported(image, std::move(auth), file, std::move(result));
      });
    } else if (!path.ok() && path.status().code != 404 && path.status().code != 503) {
      self->settle(image, path.status());
    } else {
      self->pull(image, std::move(auth));
    }
  });
}

void ImageManager::imported(const std::string& image, ImageAuth auth, std::string path, Result<> result) {
  ::unlink(path.c_str());
  if (!result.ok()) return settle(image, std::move(result));
  std::weak_ptr<ImageManager> weak = weak_from_this();
  runtime_->imageStatus(image, [weak, image, auth = std::move(auth)](Result<std::optional<ImageInfo>> found) {
    auto self = weak.lock();
    if (!self) return;
    if (found.ok() && found->has_value()) {
      self->fromArchive_.insert(image);
      self->settle(image, {});
    } else {
      self->settle(image, Status::internal("the engine's archive does not hold an image named " + image));
    }
  });
}

void ImageManager::pull(const std::string& image, ImageAuth auth) {
  std::weak_ptr<ImageManager> weak = weak_from_this();
  runtime_->pullImage(image, std::move(auth), [weak, image](Result<std::string> ref) {
    auto self = weak.lock();
    if (!self) return;
    if (ref.ok())
      self->settle(image, {});
    else
      self->settle(image, std::move(ref).status());
  });
}

void ImageManager::settle(const std::string& image, Result<> result) {
  auto now = strand_->monoNow();
  if (!result.ok()) {
    auto& failed = failed_[image];
    failed.backoff.next(failed.message.empty() ? now : failed.at, now, limits_);
    failed.at = now;
    failed.message = result.status().message;
    Answer answer;
    answer.failure = {"ErrImagePull", result.status().message, failed.backoff.remaining(now, now)};
    if (failed_.size() > 1000) failed_.erase(failed_.begin());
    return finish(image, std::move(answer));
  }
  failed_.erase(image);
  std::weak_ptr<ImageManager> weak = weak_from_this();
  runtime_->imageStatus(image, [weak, image](Result<std::optional<ImageInfo>> found) {
    auto self = weak.lock();
    if (!self) return;
    Answer answer;
    if (found.ok() && found->has_value())
      answer.outcome = ImageOutcome{**found, true, self->strand_->monoNow() - self->pulls_[image].began};
    else
      answer.failure = {"ErrImagePull", "the image vanished after it was pulled", self->limits_.initial};
    self->finish(image, std::move(answer));
  });
}

void ImageManager::finish(const std::string& image, Answer answer) {
  auto it = pulls_.find(image);
  if (it == pulls_.end()) return;
  auto waiting = std::move(it->second.waiting);
  pulls_.erase(it);
  for (auto& done : waiting) done(answer);
}

}  // namespace ph::agents
