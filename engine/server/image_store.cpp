#include "engine/server/image_store.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "engine/api/codec.h"
#include "engine/base/log.h"
#include "engine/net/pki.h"
#include "engine/server/json_util.h"

namespace ph::server {
namespace {

namespace fs = std::filesystem;
constexpr size_t kMaxIndex = 4 * 1024 * 1024;  // bytes of a manifest.json or index.json

struct ArchiveClose {
  void operator()(archive* a) const { archive_read_free(a); }
};

std::optional<std::string> readMember(archive* a, archive_entry* entry) {
  auto size = archive_entry_size(entry);
  if (size < 0 || size_t(size) > kMaxIndex) return std::nullopt;
  std::string out(size_t(size), '\0');
  size_t got = 0;
  while (got < out.size()) {
    auto n = archive_read_data(a, out.data() + got, out.size() - got);
    if (n <= 0) return std::nullopt;
    got += size_t(n);
  }
  return out;
}

void addRef(std::vector<std::string>& refs, std::string_view ref) {
  // A bare tag ("1") names no image.
  if (ref.empty() || (ref.find(':') == std::string_view::npos && ref.find('/') == std::string_view::npos)) return;
  auto normal = normaliseImage(ref);
  if (std::find(refs.begin(), refs.end(), normal) == refs.end()) refs.push_back(std::move(normal));
}

void refsOfManifest(const Json& manifest, std::vector<std::string>& refs) {
  if (!manifest.is_array()) return;
  for (auto& image : manifest.get_array()) {
    auto* tags = member(&image, "RepoTags");
    if (!tags || !tags->is_array()) continue;
    for (auto& tag : tags->get_array())
      if (tag.is_string()) addRef(refs, view(tag.get_string()));
  }
}

void refsOfIndex(const Json& index, std::vector<std::string>& refs) {
  auto* manifests = member(&index, "manifests");
  if (!manifests || !manifests->is_array()) return;
  for (auto& m : manifests->get_array()) {
    auto* annotations = objectAt(m, "annotations");
    addRef(refs, textAt(annotations, "io.containerd.image.name"));
    addRef(refs, textAt(annotations, "org.opencontainers.image.ref.name"));
  }
}

Result<std::string> digestOf(const std::string& file) {
  int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info{};
  if (fd < 0 || fstat(fd, &info) != 0 || info.st_size == 0) {
    if (fd >= 0) ::close(fd);
    return Status::badRequest(file + ": can't be read, or is empty");
  }
  void* bytes = mmap(nullptr, size_t(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  ::close(fd);
  if (bytes == MAP_FAILED) return Status::internal(file + ": can't be mapped");
  auto digest = net::sha256Hex({static_cast<const char*>(bytes), size_t(info.st_size)});
  munmap(bytes, size_t(info.st_size));
  return digest;
}

std::string sidecarOf(const std::string& file) { return file + ".json"; }

}  // namespace

std::string normaliseImage(std::string_view ref) {
  std::string out(ref);
  size_t slash = out.find('/');
  std::string first = out.substr(0, slash);
  bool host = slash != std::string::npos &&
              (first.find('.') != std::string::npos || first.find(':') != std::string::npos || first == "localhost");
  if (!host) out = (slash == std::string::npos ? "docker.io/library/" : "docker.io/") + out;
  size_t last = out.rfind('/');
  if (out.find('@') == std::string::npos && out.find(':', last) == std::string::npos) out += ":latest";
  return out;
}

Result<std::vector<std::string>> readArchiveRefs(const std::string& file) {
  std::unique_ptr<archive, ArchiveClose> a(archive_read_new());
  archive_read_support_format_tar(a.get());
  archive_read_support_filter_gzip(a.get());
  if (archive_read_open_filename(a.get(), file.c_str(), 1 << 16) != ARCHIVE_OK)
    return Status::badRequest(file + ": is no tar archive (" + std::string(archive_error_string(a.get())) + ")");
  std::vector<std::string> refs;
  bool isImage = false;
  archive_entry* entry = nullptr;
  int code = ARCHIVE_OK;
  while ((code = archive_read_next_header(a.get(), &entry)) == ARCHIVE_OK) {
    std::string_view name = archive_entry_pathname(entry) ? archive_entry_pathname(entry) : "";
    if (name.starts_with("./")) name.remove_prefix(2);
    if (name != "manifest.json" && name != "index.json") continue;
    auto text = readMember(a.get(), entry);
    auto tree = text ? api::parseJson(*text) : Result<Json>(Status::badRequest("too large"));
    if (!tree.ok()) return Status::badRequest(file + ": " + std::string(name) + " in it can't be read");
    isImage = true;
    if (name == "manifest.json")
      refsOfManifest(*tree, refs);
    else
      refsOfIndex(*tree, refs);
  }
  if (code != ARCHIVE_EOF)
    return Status::badRequest(file + ": is damaged (" + std::string(archive_error_string(a.get())) + ")");
  if (!isImage) return Status::badRequest(file + ": is no image archive: it holds neither manifest.json nor index.json");
  return refs;
}

std::vector<std::string> readArchivePorts(const std::string& file) {
  std::unique_ptr<archive, ArchiveClose> a(archive_read_new());
  archive_read_support_format_tar(a.get());
  archive_read_support_filter_gzip(a.get());
  std::vector<std::string> ports;
  if (archive_read_open_filename(a.get(), file.c_str(), 1 << 16) != ARCHIVE_OK) return ports;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(a.get(), &entry) == ARCHIVE_OK) {
    // The image's configuration, whatever its name is: docker and OCI archives differ in that, not in what it has.
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_size(entry) > 512 * 1024) continue;
    auto text = readMember(a.get(), entry);
    if (!text || !text->starts_with("{")) continue;
    auto tree = api::parseJson(*text);
    if (!tree.ok() || !objectAt(*tree, "rootfs")) continue;
    auto* config = member(&*tree, "config");
    auto* exposed = member(config, "ExposedPorts");
    if (auto* list = exposed ? exposed->if_object() : nullptr)
      for (auto& [port, unused] : *list) ports.emplace_back(port);
  }
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  return ports;
}

ImageStore::ImageStore(std::string dir) : dir_(std::move(dir)) {
  std::error_code error;
  fs::create_directories(dir_, error);
  rescan();
}

void ImageStore::rescan() {
  std::error_code error;
  for (fs::directory_iterator it(dir_, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".tar") load(it->path().string());
  std::lock_guard lock(mutex_);
  std::erase_if(byFile_, [](auto& entry) { return !fs::exists(entry.first); });
}

void ImageStore::load(const std::string& file) {
  {
    std::lock_guard lock(mutex_);
    if (byFile_.count(file)) return;
  }
  ImageEntry entry;
  entry.file = file;
  std::error_code error;
  entry.bytes = fs::file_size(file, error);
  std::ifstream sidecar(sidecarOf(file));
  std::string text((std::istreambuf_iterator<char>(sidecar)), {});
  auto tree = text.empty() ? Result<Json>(Status::notFound("none")) : api::parseJson(text);
  if (tree.ok()) {
    entry.digest = textAt(tree->if_object(), "digest");
    entry.ns = textAt(tree->if_object(), "namespace");
    if (auto* refs = member(&*tree, "refs"); refs && refs->is_array())
      for (auto& r : refs->get_array())
        if (r.is_string()) entry.refs.emplace_back(view(r.get_string()));
  } else {
    auto refs = readArchiveRefs(file);
    if (!refs.ok()) {
      PH_LOG(Warn, "images", "{}", refs.status().message);
      return;
    }
    entry.refs = std::move(*refs);
    if (auto digest = digestOf(file); digest.ok()) entry.digest = *digest;
  }
  std::lock_guard lock(mutex_);
  byFile_[file] = std::move(entry);
}

Result<ImageEntry> ImageStore::add(const std::string& file, const std::string& name, const std::string& ns, const std::string& digest) {
  ImageEntry entry;
  PH_ASSIGN(entry.refs, readArchiveRefs(file));
  if (!name.empty()) entry.refs = {normaliseImage(name)};
  if (entry.refs.empty()) return Status::badRequest(file + ": names no image; say which with a name");
  PH_ASSIGN(entry.digest, digestOf(file));
  if (!digest.empty() && entry.digest != digest) return Status::badRequest("the archive's digest is sha256:" + entry.digest + ", not sha256:" + digest);
  entry.ports = readArchivePorts(file);
  entry.ns = ns;
  {
    std::lock_guard lock(mutex_);
    for (auto& [path, other] : byFile_)
      for (auto& ref : entry.refs)
        if (!ns.empty() && other.ns != ns && std::find(other.refs.begin(), other.refs.end(), ref) != other.refs.end())
          return Status::forbidden("the image " + ref + " was brought by " + (other.ns.empty() ? std::string("an administrator") : "namespace " + other.ns) +
                                   ": another name or tag is needed");
    if (byFile_.size() >= kMaxImages) return Status::tooManyRequests("too many image archives are kept", 60);
  }
  entry.file = dir_ + "/" + entry.digest + ".tar";
  std::error_code error;
  if (!fs::exists(entry.file)) {
    auto part = entry.file + ".part";
    fs::copy_file(file, part, fs::copy_options::overwrite_existing, error);
    if (!error) fs::rename(part, entry.file, error);
    if (error) {
      std::error_code ignored;
      fs::remove(part, ignored);
      return Status::internal("copying " + file + " failed: " + error.message());
    }
  }
  entry.bytes = fs::file_size(entry.file, error);
  JsonArray refs;
  for (auto& r : entry.refs) refs.emplace_back(r);
  std::ofstream(sidecarOf(entry.file)) << api::toText(JsonObject{{"digest", entry.digest}, {"refs", std::move(refs)}, {"namespace", entry.ns}});
  std::lock_guard lock(mutex_);
  // The newest archive of a reference is the one that counts.
  for (auto& [path, other] : byFile_) {
    if (path == entry.file) continue;
    std::erase_if(other.refs, [&](auto& r) { return std::find(entry.refs.begin(), entry.refs.end(), r) != entry.refs.end(); });
  }
  byFile_[entry.file] = entry;
  return entry;
}

Result<> ImageStore::remove(const std::string& ref) {
  auto found = find(ref);
  if (!found) return Status::notFound("no image archive holds " + normaliseImage(ref));
  std::lock_guard lock(mutex_);
  std::error_code error;
  fs::remove(found->file, error);
  fs::remove(sidecarOf(found->file), error);
  byFile_.erase(found->file);
  return {};
}

std::optional<ImageEntry> ImageStore::find(const std::string& ref) const {
  auto wanted = normaliseImage(ref);
  std::lock_guard lock(mutex_);
  for (auto& [file, entry] : byFile_)
    if (std::find(entry.refs.begin(), entry.refs.end(), wanted) != entry.refs.end()) return entry;
  return std::nullopt;
}

std::vector<ImageEntry> ImageStore::all() const {
  std::lock_guard lock(mutex_);
  std::vector<ImageEntry> out;
  for (auto& [file, entry] : byFile_) out.push_back(entry);
  return out;
}

}  // namespace ph::server
