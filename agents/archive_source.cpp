#include "agents/archive_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>

#include "agents/os/files.h"
#include "engine/base/log.h"
#include "engine/net/http.h"

namespace ph::agents {

struct EngineArchives::Transfer {
  std::string ref, path;
  int fd = -1;
  uint64_t bytes = 0;
  int error = 0;
  std::shared_ptr<void> handle;
  Done<std::optional<std::string>> done;
  ~Transfer() {
    if (fd >= 0) ::close(fd);
  }
};

EngineArchives::EngineArchives(client::Client& client, std::shared_ptr<Executor> strand, std::string folder)
    : client_(client), strand_(std::move(strand)), folder_(std::move(folder)) {
  if (auto old = removeTree(folder_); !old.ok()) PH_LOG(Warn, "images", "{}", old.status().message);  // of a life that was cut short
}

void EngineArchives::fetch(const std::string& ref, Done<std::optional<std::string>> done) {
  auto made = makeFolders(folder_, 0700);
  auto number = next_++;
  auto t = std::make_shared<Transfer>();
  t->ref = ref;
  t->path = fmt::format("{}/{}.tar", folder_, number);
  t->done = std::move(done);
  if (made.ok()) {
    t->fd = ::open(t->path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (t->fd < 0) made = fileError("write", t->path, errno);
  }
  if (!made.ok()) {
    strand_->post([t, made = std::move(made)]() mutable { t->done(std::move(made).status()); });
    return;
  }
  transfers_[number] = t;
  std::weak_ptr<EngineArchives> weak = weak_from_this();
  std::weak_ptr<Transfer> weakTransfer = t;
  t->handle = client_.raw(
      "GET", "/pilothouse/images/archive?ref=" + net::percentEncode(ref), "", "",
      [weakTransfer](std::string_view data) {
        auto t = weakTransfer.lock();
        if (!t || t->error) return;
        while (!data.empty()) {
          ssize_t n = ::write(t->fd, data.data(), data.size());
          if (n < 0 && errno == EINTR) continue;
          if (n < 0) {
            t->error = errno;
            return;
          }
          t->bytes += uint64_t(n);
          data.remove_prefix(size_t(n));
        }
      },
      [weak, number, strand = strand_](Result<std::string> result) {
        strand->post([weak, number, result = std::move(result)]() mutable {
          if (auto self = weak.lock()) self->finish(number, std::move(result));
        });
      });
}

void EngineArchives::finish(uint64_t number, Result<std::string> result) {
  auto it = transfers_.find(number);
  if (it == transfers_.end()) return;
  auto t = it->second;
  transfers_.erase(it);
  ::close(t->fd);
  t->fd = -1;
  if (result.ok() && !t->error) {
    PH_LOG(Info, "images", "{}: {} bytes from the engine", t->ref, t->bytes);
    return t->done(std::optional<std::string>(t->path));
  }
  ::unlink(t->path.c_str());
  if (t->error) {
    auto status = fileError("write", t->path, t->error);
    status.message = fmt::format("the engine's archive of {} does not fit on this node: {}", t->ref, status.message);
    return t->done(std::move(status));
  }
  auto status = std::move(result).status();
  // No such archive, or an API server that knows none: the registry is next.
  if (status.code == 404 || status.code == 403 || status.code == 405) return t->done(std::optional<std::string>());
  status.message = fmt::format("the engine's archive of {}: {}", t->ref, status.message);
  t->done(std::move(status));
}

}  // namespace ph::agents
