#include "engine/server/image_uploads.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ph::server {

ImageUploads::~ImageUploads() {
  for (auto& [id, upload] : uploads_) ::unlink(upload->file.c_str());
}

Result<std::string> ImageUploads::begin(const std::string& user, const std::string& ns) {
  auto now = executor_->clock().monoNow();
  std::lock_guard lock(mutex_);
  std::erase_if(uploads_, [&](auto& entry) {
    bool old = now - entry.second->touched > kForgotten;
    if (old) ::unlink(entry.second->file.c_str());
    return old;
  });
  if (uploads_.size() >= kMaxUploads) return Status::tooManyRequests("too many image uploads are under way", 10);
  auto& random = systemRandom();
  auto id = fmt::format("{:016x}{:016x}", random.next(), random.next());
  auto upload = std::make_shared<Upload>();
  upload->user = user;
  upload->ns = ns;
  upload->file = images_->folder() + "/" + id + ".upload";
  upload->touched = now;
  int fd = ::open(upload->file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Status::internal(fmt::format("an upload can't begin: {}", std::strerror(errno)));
  ::close(fd);
  uploads_[id] = std::move(upload);
  return id;
}

Result<std::shared_ptr<ImageUploads::Upload>> ImageUploads::find(const std::string& user, const std::string& id) {
  std::lock_guard lock(mutex_);
  auto it = uploads_.find(id);
  // Another's upload is none of one's business.
  if (it == uploads_.end() || it->second->user != user) return Status::notFound("there is no such upload");
  it->second->touched = executor_->clock().monoNow();
  return it->second;
}

Result<uint64_t> ImageUploads::append(const std::string& user, const std::string& id, uint64_t offset, std::string_view bytes) {
  PH_ASSIGN(auto upload, find(user, id));
  std::lock_guard lock(upload->busy);
  if (offset != upload->bytes) return Status::conflict(fmt::format("the upload has {} bytes, so this piece can't begin at {}", upload->bytes, offset));
  if (upload->bytes + bytes.size() > kMaxBytes) return Status::tooLarge("the archive is too large");
  int fd = ::open(upload->file.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return Status::internal(fmt::format("the upload can't be written: {}", std::strerror(errno)));
  int error = 0;
  for (size_t at = 0; at < bytes.size() && error == 0;) {
    auto n = ::pwrite(fd, bytes.data() + at, bytes.size() - at, off_t(offset + at));
    if (n < 0) error = errno;
    else at += size_t(n);
  }
  ::close(fd);
  if (error != 0) return Status::internal(fmt::format("the upload can't be written: {}", std::strerror(error)));
  upload->bytes += bytes.size();
  return upload->bytes;
}

Result<ImageEntry> ImageUploads::finish(const std::string& user, const std::string& id, const std::string& digest, const std::string& name) {
  PH_ASSIGN(auto upload, find(user, id));
  std::lock_guard lock(upload->busy);
  auto added = images_->add(upload->file, name, upload->ns, digest);
  drop(id);
  return added;
}

Result<> ImageUploads::abandon(const std::string& user, const std::string& id) {
  PH_TRY(find(user, id));
  drop(id);
  return {};
}

void ImageUploads::drop(const std::string& id) {
  std::lock_guard lock(mutex_);
  auto it = uploads_.find(id);
  if (it == uploads_.end()) return;
  ::unlink(it->second->file.c_str());
  uploads_.erase(it);
}

}  // namespace ph::server
