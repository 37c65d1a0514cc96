// AuditLog: who did what, when, and how it ended, as lines of audit.k8s.io/v1 Events in a file that is rotated by size.
// Never waits: lines go into a bounded queue that the executor for blocking work writes some milliseconds later, many at once;
// what does not fit, or can't be written, is counted, and the log says how many are missing.
// Source: Kubernetes, "Auditing", level Metadata. Threads: all calls from any thread.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "engine/base/executor.h"
#include "engine/base/result.h"

namespace ph::server {

class AuditLog : public std::enable_shared_from_this<AuditLog> {
 public:
  struct Options {
    std::string file;
    size_t maxBytes = 16 * 1024 * 1024;  // a file; then it becomes FILE.1, that FILE.2 ...
    int files = 10;                       // kept in all
    size_t maxQueued = 8 * 1024 * 1024;  // bytes waiting to be written
  };
  // `blocking` may block; it must outlive nothing: what is queued when this goes is written then.
  static Result<std::shared_ptr<AuditLog>> open(Options options, std::shared_ptr<Executor> blocking);
  ~AuditLog();

  // One event, without its newline.
  void record(std::string line);
  uint64_t recorded() const { return recorded_.load(std::memory_order_relaxed); }
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }
  // Use open().
  AuditLog(Options options, std::shared_ptr<Executor> blocking, int fd, size_t size);

 private:
  void writeAll();
  bool write(const std::string& bytes);
  void rotate();
  void sayLost();

  const Options options_;
  const std::weak_ptr<Executor> blocking_;
  std::atomic<uint64_t> recorded_{0}, lost_{0};

  std::mutex mutex_;
  std::deque<std::string> queue_;
  size_t queued_ = 0;
  bool scheduled_ = false;

  std::mutex fileMutex_;  // of the writer
  int fd_;
  size_t size_;
  uint64_t saidLost_ = 0;
};

}  // namespace ph::server
