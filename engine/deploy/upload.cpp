#include "engine/deploy/upload.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/api/codec.h"
#include "engine/net/http.h"
#include "engine/net/pki.h"

namespace ph::deploy {
namespace {

constexpr size_t kPiece = 2 << 20;  // bytes, below what servers take as a body

// A file's bytes, without reading them all into memory.
class Mapped {
 public:
  static Result<Mapped> open(const std::string& file) {
    int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Status::badRequest(file + ": " + std::strerror(errno));
    struct stat info{};
    Mapped out;
    if (::fstat(fd, &info) == 0 && info.st_size > 0) {
      out.size_ = size_t(info.st_size);
      out.bytes_ = ::mmap(nullptr, out.size_, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    ::close(fd);
    if (out.bytes_ == MAP_FAILED) return Status::badRequest(file + ": is empty, or can't be read");
    return out;
  }
  Mapped(Mapped&& o) noexcept : bytes_(std::exchange(o.bytes_, MAP_FAILED)), size_(o.size_) {}
  Mapped& operator=(Mapped&&) = delete;
  ~Mapped() {
    if (bytes_ != MAP_FAILED) ::munmap(bytes_, size_);
  }
  std::string_view view() const { return {static_cast<const char*>(bytes_), size_}; }

 private:
  Mapped() = default;
  void* bytes_ = MAP_FAILED;
  size_t size_ = 0;
};

}  // namespace

Result<Uploaded> uploadImage(Api& api, const std::string& file, const std::string& ns, const std::string& name) {
  PH_ASSIGN(auto mapped, Mapped::open(file));
  auto bytes = mapped.view();
  auto digest = net::sha256Hex(bytes);
  const std::string base = "/pilothouse/images/uploads";
  auto begun = api.send("POST", base + "?namespace=" + net::percentEncode(ns));
  if (!begun.ok() && begun.status().isNotFound())
    return Status::badRequest("this cluster takes no image archives: push the image to a registry, and name it in the manifests");
  if (!begun.ok()) return std::move(begun).status();
  PH_ASSIGN(auto answer, api::parseJson(*begun));
  auto id = textAt(answer, {"id"});
  for (size_t at = 0; at < bytes.size(); at += kPiece) {
    auto sent = api.send("PATCH", base + "/" + id + "?offset=" + std::to_string(at), std::string(bytes.substr(at, kPiece)), "application/octet-stream");
    if (!sent.ok()) {
      auto dropped = api.send("DELETE", base + "/" + id);  // it is dropped by itself, too, after a while
      (void)dropped;
      return std::move(sent).status();
    }
  }
  auto query = "?digest=sha256:" + digest + (name.empty() ? "" : "&name=" + net::percentEncode(name));
  PH_ASSIGN(auto kept, api.send("PUT", base + "/" + id + query));
  PH_ASSIGN(auto tree, api::parseJson(kept));
  Uploaded out;
  auto texts = [&](std::string_view key) {
    std::vector<std::string> all;
    for (auto& t : listAt(tree, {key}))
      if (t.is_string()) all.emplace_back(t.get_string().c_str());
    return all;
  };
  out.refs = texts("refs");
  out.ports = texts("ports");
  out.digest = textAt(tree, {"digest"});
  out.bytes = bytes.size();
  return out;
}

}  // namespace ph::deploy
