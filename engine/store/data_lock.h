// The lock of a data directory: one engine at a time. Held by flock on DIR/lock, which names the holder's
// pid; the kernel lets go of it however the holder ends. Threads: a value of its owner.
#pragma once

#include <string>

#include "engine/base/result.h"

namespace ph::store {

class DataLock {
 public:
  // Makes DIR (0700) when it is missing. 409 when another process (or another store of this one) holds it.
  static Result<DataLock> take(const std::string& dir);
  DataLock(DataLock&& o) noexcept : fd_(o.fd_) { o.fd_ = -1; }
  DataLock& operator=(DataLock&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~DataLock();

 private:
  explicit DataLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace ph::store
