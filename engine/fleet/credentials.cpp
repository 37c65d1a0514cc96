#include "engine/fleet/credentials.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace ph::fleet {
namespace {

constexpr size_t kMaxKeyFile = 64 * 1024;

Result<std::string> readSecret(const std::string& path) {
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) {
    if (errno == ENOENT) return Status::notFound(fmt::format("{}: no such file", path));
    return Status::forbidden(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  if (s.st_mode & 077)
    return Status::forbidden(fmt::format("{} can be read by others (mode {:03o}): chmod 600 {}", path, s.st_mode & 0777, path));
  if (static_cast<size_t>(s.st_size) > kMaxKeyFile) return Status::tooLarge(fmt::format("{} is too large for a key", path));
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return Status::forbidden(fmt::format("{} can't be read", path));
  return text.str();
}

class FileStore : public CredentialStore {
 public:
  explicit FileStore(std::string dir) : dir_(std::move(dir)) {}

  Result<Credential> find(const std::string& name) override {
    // The name comes from an API object: it must not lead out of the folder.
    if (name.empty() || name[0] == '.' || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
      return Status::badRequest(fmt::format("\"{}\" is not a credential's name", name));
    auto key = readSecret(dir_ + "/" + name);
    if (!key.ok()) {
      if (key.status().isNotFound())
        return Status::notFound(fmt::format("there is no credential \"{}\" in {}", name, dir_));
      return key.status();
    }
    Credential c;
    c.privateKey = std::move(key).value();
    auto passphrase = readSecret(dir_ + "/" + name + ".passphrase");
    if (passphrase.ok()) {
      c.passphrase = std::move(passphrase).value();
      while (!c.passphrase.empty() && (c.passphrase.back() == '\n' || c.passphrase.back() == '\r')) c.passphrase.pop_back();
    } else if (!passphrase.status().isNotFound()) {
      return passphrase.status();
    }
    return c;
  }

 private:
  const std::string dir_;
};

}  // namespace

std::unique_ptr<CredentialStore> makeFileCredentialStore(std::string dir) {
  return std::make_unique<FileStore>(std::move(dir));
}

}  // namespace ph::fleet
