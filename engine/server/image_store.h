// Image archives for clusters without a registry: DIR/images/*.tar, each a Docker or OCI archive, found by the references inside.
// Threads: all calls from any thread; add() reads and copies a whole file: not on a net thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace ph::server {

struct ImageEntry {
  std::string file;               // path
  std::vector<std::string> refs;  // normalised: "docker.io/library/web:1"
  uint64_t bytes = 0;
  std::string digest;             // sha256 of the file, hex
};

// "web:1" -> "docker.io/library/web:1"; "web" -> ...:latest; a digest reference stays one.
std::string normaliseImage(std::string_view ref);
// The references that an archive names; 400 when it is no image archive.
Result<std::vector<std::string>> readArchiveRefs(const std::string& file);

class ImageStore {
 public:
  static constexpr size_t kMaxImages = 1000;

  explicit ImageStore(std::string dir);  // made when missing; archives in it are read
  // Copies the archive in. `name` replaces the references inside.
  Result<ImageEntry> add(const std::string& file, const std::string& name);
  Result<> remove(const std::string& ref);
  std::optional<ImageEntry> find(const std::string& ref) const;
  std::vector<ImageEntry> all() const;
  // Looks at the folder again (another process may have added to it).
  void rescan();

 private:
  void load(const std::string& file);
  std::string dir_;
  mutable std::mutex mutex_;
  std::map<std::string, ImageEntry> byFile_;
};

}  // namespace ph::server
