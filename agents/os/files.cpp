#include "agents/os/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

namespace ph::agents {

Status fileError(const std::string& what, const std::string& path, int error) {
  Status s = Status::internal(fmt::format("can't {} {}: {}", what, path, std::strerror(error)));
  if (error == ENOSPC || error == EDQUOT) s.code = 507, s.reason = "InsufficientStorage";
  return s;
}

std::string readFile(const std::string& path, size_t limit) {
  std::string out;
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return out;
  char buffer[16384];
  while (out.size() < limit) {
    ssize_t n = ::read(fd, buffer, std::min(sizeof buffer, limit - out.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    out.append(buffer, size_t(n));
  }
  ::close(fd);
  return out;
}

std::string readTrimmed(const std::string& path) {
  auto text = readFile(path, 4096);
  auto end = text.find_last_not_of(" \t\r\n");
  auto begin = text.find_first_not_of(" \t\r\n");
  return end == std::string::npos ? std::string() : text.substr(begin, end - begin + 1);
}

Result<> writeFile(const std::string& path, const std::string& text, mode_t mode) {
  std::string fresh = path + ".new";
  int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) return fileError("write", path, errno);
  ::fchmod(fd, mode);  // whatever the umask
  size_t at = 0;
  while (at < text.size()) {
    ssize_t n = ::write(fd, text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int error = errno;
      ::close(fd);
      ::unlink(fresh.c_str());
      return fileError("write", path, error);
    }
    at += size_t(n);
  }
  ::close(fd);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return fileError("write", path, errno);
  return {};
}

Result<> writeInPlace(const std::string& path, const std::string& text) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fileError("write", path, errno);
  bool whole = ::write(fd, text.data(), text.size()) == ssize_t(text.size());
  int error = errno;
  ::close(fd);
  return whole ? Result<>() : Result<>(fileError("write", path, error));
}

Result<> makeFolders(const std::string& path, mode_t mode) {
  for (size_t at = 1; at <= path.size(); ++at) {
    at = std::min(path.find('/', at), path.size());
    auto part = path.substr(0, at);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) return fileError("make the folder", part, errno);
  }
  struct stat st{};
  if (::stat(path.c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) return fileError("make the folder", path, ENOTDIR);
  return {};
}

bool exists(const std::string& path) {
  struct stat st{};
  return ::lstat(path.c_str(), &st) == 0;
}

std::vector<std::string> listFolder(const std::string& path) {
  std::vector<std::string> names;
  DIR* dir = ::opendir(path.c_str());
  if (!dir) return names;
  while (auto* entry = ::readdir(dir)) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

// Works relative to open folders, so that a link put in the way by a container leads nowhere.
Result<> removeAt(int parent, const std::string& name, dev_t device, const std::string& shown) {
  struct stat st{};
  if (::fstatat(parent, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? Result<>() : fileError("look at", shown, errno);
  if (!S_ISDIR(st.st_mode)) {
    if (::unlinkat(parent, name.c_str(), 0) != 0 && errno != ENOENT) return fileError("remove", shown, errno);
    return {};
  }
  if (st.st_dev != device) return fileError("remove", shown, EBUSY);
  int fd = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? Result<>() : fileError("open", shown, errno);
  DIR* dir = ::fdopendir(fd);
  Result<> result;
  std::vector<std::string> names;
  while (auto* entry = ::readdir(dir))
    if (std::string n = entry->d_name; n != "." && n != "..") names.push_back(std::move(n));
  for (auto& n : names)
    if (auto r = removeAt(fd, n, device, shown + "/" + n); !r.ok() && result.ok()) result = std::move(r);
  ::closedir(dir);
  if (!result.ok()) return result;
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return fileError("remove", shown, errno);
  return {};
}

}  // namespace

Result<> removeTree(const std::string& path) {
  struct stat st{};
  if (::lstat(path.c_str(), &st) != 0) return {};
  auto slash = path.rfind('/');
  struct stat above{};
  auto parent = slash == 0 ? std::string("/") : path.substr(0, slash);
  if (::stat(parent.c_str(), &above) == 0 && S_ISDIR(st.st_mode) && above.st_dev != st.st_dev) return fileError("remove", path, EBUSY);
  return removeAt(AT_FDCWD, path, st.st_dev, path);
}

std::vector<std::string> mountsBelow(const std::string& folder) {
  std::vector<std::string> found;
  std::istringstream lines(readFile("/proc/self/mountinfo", 16 << 20));
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string word, where;
    for (int i = 0; i < 5 && words >> word; ++i) where = word;
    std::string plain;  // \040 and the like
    for (size_t i = 0; i < where.size(); ++i) {
      if (where[i] == '\\' && i + 3 < where.size()) {
        plain += char(std::strtol(where.substr(i + 1, 3).c_str(), nullptr, 8));
        i += 3;
      } else {
        plain += where[i];
      }
    }
    if (plain == folder || plain.rfind(folder + "/", 0) == 0) found.push_back(plain);
  }
  std::reverse(found.begin(), found.end());  // later mounts lie on top
  std::stable_sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.size() > b.size(); });
  return found;
}

Result<> unmountBelow(const std::string& folder) {
  for (auto& where : mountsBelow(folder))
    if (::umount2(where.c_str(), UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT &&
        ::umount2(where.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT)
      return fileError("unmount", where, errno);
  return {};
}

uint64_t freeBytes(const std::string& path) {
  struct statvfs st{};
  return ::statvfs(path.c_str(), &st) == 0 ? uint64_t(st.f_bavail) * st.f_frsize : 0;
}

uint64_t totalBytes(const std::string& path) {
  struct statvfs st{};
  return ::statvfs(path.c_str(), &st) == 0 ? uint64_t(st.f_blocks) * st.f_frsize : 0;
}

}  // namespace ph::agents
