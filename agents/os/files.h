// Small files and folders. Threads: blocking, quick: for files of /proc, /sys, /run and the agent's state.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace ph::agents {

// Empty when there is none; at most `limit` bytes.
std::string readFile(const std::string& path, size_t limit = 1 << 20);
std::string readTrimmed(const std::string& path);
// Whole or not at all: a new file takes the old one's place. A full disk is said in words.
Result<> writeFile(const std::string& path, const std::string& text, mode_t mode = 0644);
// Into the file that is there (of /proc, /sys, a cgroup).
Result<> writeInPlace(const std::string& path, const std::string& text);
Result<> makeFolders(const std::string& path, mode_t mode = 0755);
bool exists(const std::string& path);
std::vector<std::string> listFolder(const std::string& path);  // names, sorted; empty when there is none
// Removes a tree without crossing into another file system. Fine when it is gone.
Result<> removeTree(const std::string& path);
// "can't write PATH: No space left on device"
Status fileError(const std::string& what, const std::string& path, int error);
// Mount points at or below `folder`, deepest first.
std::vector<std::string> mountsBelow(const std::string& folder);
Result<> unmountBelow(const std::string& folder);
uint64_t freeBytes(const std::string& path);
uint64_t totalBytes(const std::string& path);

}  // namespace ph::agents
