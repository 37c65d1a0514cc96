#include "engine/base/log.h"

#include <atomic>
#include <cstdio>
#include <mutex>

#include "engine/base/time.h"

namespace ph::log {
namespace {
std::atomic<Level> gLevel{Level::Info};
std::mutex gMutex;
bool gStderr = true;
std::FILE* gFile = nullptr;
constexpr const char* kNames[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
}  // namespace

void setLevel(Level level) { gLevel.store(level, std::memory_order_relaxed); }
Level level() { return gLevel.load(std::memory_order_relaxed); }

Level parseLevel(std::string_view text) {
  if (text == "debug") return Level::Debug;
  if (text == "warn") return Level::Warn;
  if (text == "error") return Level::Error;
  return Level::Info;
}

void setFile(const std::string& path) {
  std::lock_guard lock(gMutex);
  if (gFile) std::fclose(gFile);
  gFile = path.empty() ? nullptr : std::fopen(path.c_str(), "ae");
}

void setStderr(bool on) {
  std::lock_guard lock(gMutex);
  gStderr = on;
}

void write(Level level, std::string_view component, std::string_view message) {
  std::string line = fmt::format("{} {} {}: {}\n", formatMicroTime(systemClock().wallNow()), kNames[int(level)],
                                 component, message);
  std::lock_guard lock(gMutex);
  if (gStderr) std::fwrite(line.data(), 1, line.size(), stderr);
  if (gFile) {
    std::fwrite(line.data(), 1, line.size(), gFile);
    std::fflush(gFile);
  }
}

}  // namespace ph::log
