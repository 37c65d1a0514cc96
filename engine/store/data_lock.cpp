#include "engine/store/data_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace ph::store {
namespace {

Status failure(const std::string& what) {
  return Status::internal(fmt::format("{}: {}", what, std::strerror(errno)));
}

std::string holderOf(int fd) {
  char text[32] = {};
  ssize_t n = pread(fd, text, sizeof text - 1, 0);
  std::string pid(text, n > 0 ? size_t(n) : 0);
  while (!pid.empty() && (pid.back() == '\n' || pid.back() == ' ')) pid.pop_back();
  return pid;
}

Result<> makeDir(const std::string& dir) {
  std::error_code error;
  bool existed = std::filesystem::exists(dir, error);
  std::filesystem::create_directories(dir, error);
  if (error)
    return Status::internal(fmt::format("the data directory {} can't be made: {}", dir, error.message()));
  if (!existed) chmod(dir.c_str(), 0700);  // it will hold secrets
  return {};
}

}  // namespace

Result<DataLock> DataLock::take(const std::string& dir) {
  PH_TRY(makeDir(dir));
  std::string path = dir + "/lock";
  DataLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.fd_ < 0) return failure(path + " can't be opened");
  if (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failure(path + " can't be locked");
    std::string pid = holderOf(lock.fd_);
    return Status::conflict(fmt::format("the data directory {} is in use by {}", dir,
                                        pid.empty() ? std::string("another process") : "process " + pid));
  }
  std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(lock.fd_, 0) != 0 || pwrite(lock.fd_, pid.data(), pid.size(), 0) != ssize_t(pid.size()))
    return failure(path + " can't be written");
  return lock;
}

DataLock::~DataLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace ph::store
