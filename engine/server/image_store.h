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
  std::string ns;                 // who brought it may replace it; empty: the cluster's administrators
  std::vector<std::string> ports; // that the image says it listens on: "8080/tcp"
};

// "web:1" -> "docker.io/library/web:1"; "web" -> ...:latest; a digest reference stays one.
std::string normaliseImage(std::string_view ref);
// The ports that the image in an archive exposes ("8080/tcp"), sorted.
std::vector<std::string> readArchivePorts(const std::string& file);
// The references that an archive names; 400 when it is no image archive.
Result<std::vector<std::string>> readArchiveRefs(const std::string& file);

class ImageStore {
 public:
  static constexpr size_t kMaxImages = 1000;

  explicit ImageStore(std::string dir);  // made when missing; archives in it are read
  // Copies the archive in. `name` replaces the references inside.
  // `ns`: of whom; a namespace does not take over references that others hold. `digest`: what the file must have; empty: anything.
  Result<ImageEntry> add(const std::string& file, const std::string& name, const std::string& ns = {}, const std::string& digest = {});
  Result<> remove(const std::string& ref);
  std::optional<ImageEntry> find(const std::string& ref) const;
  std::vector<ImageEntry> all() const;
  // Looks at the folder again (another process may have added to it).
  void rescan();
  const std::string& folder() const { return dir_; }

 private:
  void load(const std::string& file);
  std::string dir_;
  mutable std::mutex mutex_;
  std::map<std::string, ImageEntry> byFile_;
};

}  // namespace ph::server
