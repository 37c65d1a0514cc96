// LogStream: one answer with a container's log, whole or followed. Reads on `blocking`, a piece at a time, and only as fast as the
// asker takes it.
// Threads: made and driven on the node's strand.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "agents/serve/log_files.h"
#include "engine/base/executor.h"
#include "engine/net/http.h"

namespace ph::agents {

class LogStream : public std::enable_shared_from_this<LogStream> {
 public:
  // `running`: whether the container still writes to this log (asked while following; strand).
  static void start(std::shared_ptr<Executor> strand, std::shared_ptr<Executor> blocking, std::string path, LogQuery query,
                    std::shared_ptr<net::Responder> responder, std::function<bool()> running);
  ~LogStream();

 private:
  LogStream(std::shared_ptr<Executor> strand, std::shared_ptr<Executor> blocking, std::string path, LogQuery query,
            std::shared_ptr<net::Responder> responder, std::function<bool()> running);
  void open();
  void next();
  void read();      // blocking
  void deliver();
  void finish();

  std::shared_ptr<Executor> strand_, blocking_;
  const std::string path_;
  const LogQuery query_;
  std::shared_ptr<net::Responder> responder_;
  std::function<bool()> running_;
  // Touched by one task at a time, on whichever executor it runs.
  std::deque<std::string> files_;
  int fd_ = -1;
  bool current_ = false;      // fd_ is the newest file
  uint64_t offset_ = 0;
  std::string piece_;
  bool nothing_ = false, lastRound_ = false, done_ = false, closed_ = false, behind_ = false;
  int64_t left_ = 0;
  Timer timer_;
  std::shared_ptr<LogStream> self_;  // while it goes on
};

}  // namespace ph::agents
