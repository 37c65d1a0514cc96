#include "agents/serve/log_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

namespace ph::agents {

namespace {
constexpr size_t chunk = 256 * 1024;      // bytes read at a time
constexpr size_t maxAhead = 1024 * 1024;  // bytes an asker may be behind
constexpr Duration pause = std::chrono::milliseconds(250);
}  // namespace

LogStream::LogStream(std::shared_ptr<Executor> strand, std::shared_ptr<Executor> blocking, std::string path, LogQuery query,
                     std::shared_ptr<net::Responder> responder, std::function<bool()> running)
    : strand_(std::move(strand)), blocking_(std::move(blocking)), path_(std::move(path)), query_(std::move(query)), responder_(std::move(responder)), running_(std::move(running)),
      left_(query_.limitBytes.value_or(INT64_MAX)) {}

LogStream::~LogStream() {
  if (fd_ >= 0) ::close(fd_);
}

void LogStream::start(std::shared_ptr<Executor> strand, std::shared_ptr<Executor> blocking, std::string path, LogQuery query,
                      std::shared_ptr<net::Responder> responder, std::function<bool()> running) {
  std::shared_ptr<LogStream> self(new LogStream(strand, std::move(blocking), std::move(path), std::move(query), responder, std::move(running)));
  net::Headers headers;
  headers.add("Content-Type", "text/plain");
  responder->begin(200, std::move(headers));
  std::weak_ptr<LogStream> weak = self;
  responder->onClose([weak, strand] {
    strand->post([weak] {
      auto self = weak.lock();
      if (!self) return;
      self->closed_ = true;
      self->timer_.cancel();
      self->self_.reset();
    });
  });
  responder->onDrain([weak, strand] {
    strand->post([weak] {
      if (auto self = weak.lock(); self && std::exchange(self->behind_, false)) self->next();
    });
  });
  self->self_ = self;
  self->blocking_->post([self] {
    self->open();
    self->read();
    self->strand_->post([self] { self->deliver(); });
  });
}

void LogStream::open() {
  auto files = logFiles(path_);
  // From the newest back, until there are as many lines as were asked for.
  size_t first = query_.tailLines ? files.size() - 1 : 0;
  uint64_t offset = 0;
  if (query_.tailLines) {
    int64_t wanted = *query_.tailLines;
    for (size_t i = files.size(); i-- > 0;) {
      int fd = ::open(files[i].c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) break;
      int64_t found = 0;
      offset = tailOffset(fd, wanted, found);
      ::close(fd);
      first = i;
      wanted -= found;
      if (wanted <= 0) break;
      offset = 0;
    }
  }
  files_.assign(files.begin() + long(first), files.end());
  fd_ = ::open(files_.front().c_str(), O_RDONLY | O_CLOEXEC);
  current_ = files_.size() == 1;
  files_.pop_front();
  offset_ = offset;
}

void LogStream::read() {
  piece_.clear();
  nothing_ = false;
  for (;;) {
    auto lines = fd_ < 0 ? std::string() : readLines(fd_, offset_, chunk);
    if (!lines.empty()) {
      for (size_t at = 0; at < lines.size();) {
        auto end = std::min(lines.find('\n', at), lines.size());
        renderLogLine(std::string_view(lines).substr(at, end - at), query_, piece_);
        at = end + 1;
      }
      if (!piece_.empty()) return;
      continue;  // all of it was too old
    }
    if (!files_.empty()) {
      if (fd_ >= 0) ::close(fd_);
      fd_ = ::open(files_.front().c_str(), O_RDONLY | O_CLOEXEC);
      current_ = files_.size() == 1;
      files_.pop_front();
      offset_ = 0;
      continue;
    }
    // Turned over under us: another file has the name now.
    struct stat mine{}, named{};
    if (current_ && fd_ >= 0 && ::fstat(fd_, &mine) == 0 && ::stat(path_.c_str(), &named) == 0 && mine.st_ino != named.st_ino) {
      files_.push_back(path_);
      continue;
    }
    if (fd_ < 0 && ::stat(path_.c_str(), &named) == 0) {
      files_.push_back(path_);
      continue;
    }
    nothing_ = true;
    return;
  }
}

void LogStream::deliver() {
  if (closed_ || done_) return;
  if (int64_t(piece_.size()) > left_) piece_.resize(size_t(left_));
  left_ -= int64_t(piece_.size());
  if (!piece_.empty()) responder_->write(net::makeBuffer(std::move(piece_)));
  piece_.clear();
  if (left_ <= 0) return finish();
  if (nothing_) {
    if (!query_.follow || lastRound_) return finish();
    // What was written just before the container ended is read once more.
    if (!running_()) lastRound_ = true;
  }
  if (!nothing_) return next();
  auto self = shared_from_this();
  timer_ = strand_->after(pause, [self] { self->next(); });
}

void LogStream::next() {
  if (closed_ || done_) return;
  auto self = shared_from_this();
  if (responder_->buffered() > maxAhead) {
    behind_ = true;  // until it drains
    return;
  }
  blocking_->post([self] {
    self->read();
    self->strand_->post([self] { self->deliver(); });
  });
}

void LogStream::finish() {
  done_ = true;
  timer_.cancel();
  responder_->end();
  self_.reset();
}

}  // namespace ph::agents
