// Log: one line an event, "time level component message", to stderr or a file. Thread-safe.
// Usage: PH_LOG(Info, "fleet", "machine {} joined in {} ms", name, ms);
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace ph::log {

enum class Level { Debug, Info, Warn, Error };

void setLevel(Level level);
Level level();
Level parseLevel(std::string_view text);  // debug, info, warn, error; Info when unknown
// Where lines go besides stderr; called under a lock, must not log.
void setFile(const std::string& path);
void setStderr(bool on);
void write(Level level, std::string_view component, std::string_view message);

}  // namespace ph::log

#define PH_LOG(LEVEL, component, ...)                                                     \
  do {                                                                                    \
    if (::ph::log::Level::LEVEL >= ::ph::log::level())                                    \
      ::ph::log::write(::ph::log::Level::LEVEL, component, fmt::format(__VA_ARGS__));     \
  } while (0)
