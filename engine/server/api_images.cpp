// The image routes of the front door: list, add, remove, and the archives themselves for the nodes.
#include <fcntl.h>
#include <unistd.h>

#include "engine/api/codec.h"
#include "engine/server/api_server.h"
#include "engine/server/authz.h"

namespace ph::server {
namespace {

constexpr size_t kPiece = 256 * 1024, kWindow = 1024 * 1024;  // bytes read at a time; bytes on their way

JsonObject imageJson(const ImageEntry& entry) {
  JsonArray refs;
  for (auto& r : entry.refs) refs.emplace_back(r);
  return JsonObject{{"refs", std::move(refs)}, {"bytes", entry.bytes}, {"digest", "sha256:" + entry.digest}};
}

// Sends a file piece by piece, as fast as the client takes it; reads on the executor for blocking work.
class FileStream : public std::enable_shared_from_this<FileStream> {
 public:
  FileStream(int fd, CallPtr call, std::shared_ptr<Executor> blocking)
      : fd_(fd), call_(std::move(call)), strand_(blocking->strand()) {}
  ~FileStream() { ::close(fd_); }

  void start(const ImageEntry& entry) {
    auto self = shared_from_this();
    call_->responder->onClose([self] { self->over_.store(true, std::memory_order_release); });
    call_->responder->onDrain([self] { self->more(); });
    net::Headers headers;
    headers.add("content-type", "application/x-tar");
    headers.add("content-length", std::to_string(entry.bytes));
    headers.add("x-digest", "sha256:" + entry.digest);
    call_->count(200);
    call_->responder->begin(200, std::move(headers));
    more();
  }

 private:
  void more() {
    strand_->post([self = shared_from_this()] { self->pump(); });
  }
  void pump() {
    while (!over_.load(std::memory_order_acquire) && call_->responder->buffered() < kWindow) {
      std::string piece(kPiece, '\0');
      auto n = ::read(fd_, piece.data(), piece.size());
      if (n <= 0) {
        over_.store(true, std::memory_order_release);
        return call_->responder->end();
      }
      piece.resize(size_t(n));
      call_->responder->write(net::makeBuffer(std::move(piece)));
    }
  }
  int fd_;
  CallPtr call_;
  std::shared_ptr<Executor> strand_;
  std::atomic<bool> over_{false};
};

void sendArchive(const CallPtr& call, const std::optional<ImageEntry>& entry, std::shared_ptr<Executor> blocking) {
  if (!entry) return call->sendStatus(Status::notFound("no image archive holds this reference"));
  int fd = ::open(entry->file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return call->sendStatus(Status::internal(entry->file + ": can't be opened"));
  std::make_shared<FileStream>(fd, call, std::move(blocking))->start(*entry);
}

}  // namespace

void ApiServer::routeImages(const CallPtr& call) {
  if (!images_) return call->sendStatus(Status::notFound("this server keeps no images"));
  auto& method = call->request.method;
  bool archive = call->segments.size() == 3 && call->segments[2] == "archive";
  if (call->segments.size() > 2 && !archive) return call->sendStatus(Status::notFound("no such path"));
  auto ref = std::string(call->queryValue("ref"));
  if (method == "GET" || method == "HEAD") {
    // Another process (`image add`) may have put archives there.
    blocking_->post([call, archive, ref, images = images_, blocking = blocking_] {
      images->rescan();
      if (archive) return sendArchive(call, images->find(ref), blocking);
      JsonArray items;
      for (auto& entry : images->all()) items.push_back(imageJson(entry));
      call->sendJson(200, api::toText(JsonObject{{"items", std::move(items)}}));
    });
  } else if (method == "POST" && !archive) {
    auto path = std::string(call->queryValue("path"));
    auto name = std::string(call->queryValue("name"));
    if (path.empty() || path.front() != '/')
      return call->sendStatus(Status::badRequest("path must be the absolute path of an image archive on the engine's machine"));
    blocking_->post([call, path, name, images = images_] {
      auto added = images->add(path, name);
      if (!added.ok()) return call->sendStatus(added.status());
      call->sendJson(201, api::toText(imageJson(*added)));
    });
  } else if (method == "DELETE" && !archive) {
    blocking_->post([call, ref, images = images_] {
      auto removed = images->remove(ref);
      if (!removed.ok()) return call->sendStatus(removed.status());
      call->sendJson(200, R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"})");
    });
  } else {
    call->sendStatus(Status::methodNotAllowed("the server does not allow this method on images"));
  }
}

}  // namespace ph::server
