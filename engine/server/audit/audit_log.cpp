#include "engine/server/audit/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/base/log.h"

namespace ph::server {
namespace {

constexpr auto kGather = std::chrono::milliseconds(25);  // how long a line may wait for others to be written with

int openFile(const std::string& file) { return ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600); }

std::string numbered(const std::string& file, int n) { return n ? file + "." + std::to_string(n) : file; }

}  // namespace

Result<std::shared_ptr<AuditLog>> AuditLog::open(Options options, std::shared_ptr<Executor> blocking) {
  int fd = openFile(options.file);
  if (fd < 0) return Status::internal("the audit log " + options.file + " can't be opened: " + std::strerror(errno));
  struct stat about {};
  ::fstat(fd, &about);
  return std::make_shared<AuditLog>(std::move(options), std::move(blocking), fd, size_t(about.st_size));
}

AuditLog::AuditLog(Options options, std::shared_ptr<Executor> blocking, int fd, size_t size)
    : options_(std::move(options)), blocking_(std::move(blocking)), fd_(fd), size_(size) {}

AuditLog::~AuditLog() {
  writeAll();
  if (fd_ >= 0) ::close(fd_);
}

void AuditLog::record(std::string line) {
  line += '\n';
  std::lock_guard lock(mutex_);
  if (queued_ + line.size() > options_.maxQueued) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  recorded_.fetch_add(1, std::memory_order_relaxed);
  queued_ += line.size();
  queue_.push_back(std::move(line));
  if (scheduled_) return;
  auto blocking = blocking_.lock();
  if (!blocking) return;  // the destructor writes it
  scheduled_ = true;
  auto write = blocking->after(kGather, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->writeAll();
  });
  write.detach();
}

void AuditLog::writeAll() {
  std::deque<std::string> lines;
  {
    std::lock_guard lock(mutex_);
    lines.swap(queue_);
    queued_ = 0;
    scheduled_ = false;
  }
  std::lock_guard lock(fileMutex_);
  std::string bytes;
  uint64_t held = 0;
  auto flush = [&] {
    if (!write(bytes)) lost_.fetch_add(held, std::memory_order_relaxed);
    bytes.clear();
    held = 0;
  };
  for (auto& line : lines) {
    if (size_ + bytes.size() + line.size() > options_.maxBytes) {
      flush();
      rotate();
    }
    bytes += line;
    ++held;
  }
  flush();
  if (lost_.load(std::memory_order_relaxed) != saidLost_) sayLost();
}

bool AuditLog::write(const std::string& bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    auto n = fd_ < 0 ? -1 : ::write(fd_, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += size_t(n);
    size_ += size_t(n);
  }
  return true;
}

void AuditLog::rotate() {
  if (size_ == 0) return;
  if (fd_ >= 0) ::close(fd_);
  for (int n = options_.files - 1; n > 0; --n)
    std::rename(numbered(options_.file, n - 1).c_str(), numbered(options_.file, n).c_str());
  if (options_.files == 1) ::unlink(options_.file.c_str());
  fd_ = openFile(options_.file);
  size_ = 0;
  if (fd_ < 0) PH_LOG(Warn, "audit", "{} can't be opened: {}", options_.file, std::strerror(errno));
}

void AuditLog::sayLost() {
  auto lost = lost_.load(std::memory_order_relaxed);
  PH_LOG(Warn, "audit", "{} events are missing in the audit log", lost - saidLost_);
  if (write("{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"None\",\"stage\":\"Panic\",\"annotations\":{"
            "\"pilothouse.io/events-lost\":\"" + std::to_string(lost - saidLost_) + "\"}}\n"))
    saidLost_ = lost;
}

}  // namespace ph::server
