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
  JsonObject out{{"refs", std::move(refs)}, {"bytes", entry.bytes}, {"digest", "sha256:" + entry.digest}};
  if (!entry.ns.empty()) out["namespace"] = entry.ns;
  JsonArray ports;
  for (auto& p : entry.ports) ports.emplace_back(p);
  if (!ports.empty()) out["ports"] = std::move(ports);
  return out;
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

// POST /pilothouse/images/uploads?namespace=NS begins one, PATCH .../ID?offset=N brings a piece, PUT .../ID?digest=sha256:HEX&name=REF
// ends it, DELETE .../ID drops it. Allowed to who may create images.fleet.pilothouse.io in the namespace (or in all).
void ApiServer::routeUploads(const CallPtr& call) {
  if (!uploads_) return call->sendStatus(Status::notFound("this server keeps no images"));
  auto& s = call->segments;
  auto& method = call->request.method;
  auto& user = call->user.name;
  std::string id = s.size() == 4 ? s[3] : "";
  if (s.size() == 3 && method == "POST") {
    std::string ns(call->queryValue("namespace"));
    Attributes asked{"create", "fleet.pilothouse.io", "v1", "images", "", ns, "", ""};
    if (!mayDo(*core_, call->user, asked).allowed)
      return call->sendStatus(Status::forbidden("images.fleet.pilothouse.io is forbidden: User \"" + user + "\" cannot create resource \"images\" in API group \"fleet.pilothouse.io\"" +
                                                (ns.empty() ? " at the cluster scope" : " in the namespace \"" + ns + "\"")));
    auto begun = uploads_->begin(user, ns);
    if (!begun.ok()) return call->sendStatus(begun.status());
    return call->sendJson(201, api::toText(JsonObject{{"id", *begun}}));
  }
  if (s.size() != 4 || (method != "PATCH" && method != "PUT" && method != "DELETE"))
    return call->sendStatus(Status::methodNotAllowed("the server does not allow this method on uploads"));
  blocking_->post([call, id, method, user, uploads = uploads_] {
    if (method == "PATCH") {
      auto offset = std::strtoull(std::string(call->queryValue("offset")).c_str(), nullptr, 10);
      auto end = uploads->append(user, id, offset, call->request.body);
      if (!end.ok()) return call->sendStatus(end.status());
      return call->sendJson(202, api::toText(JsonObject{{"offset", *end}}));
    }
    if (method == "DELETE") {
      auto dropped = uploads->abandon(user, id);
      if (!dropped.ok()) return call->sendStatus(dropped.status());
      return call->sendJson(200, R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"})");
    }
    std::string digest(call->queryValue("digest"));
    if (digest.starts_with("sha256:")) digest.erase(0, 7);
    if (digest.empty()) return call->sendStatus(Status::badRequest("digest must say sha256:HEX of the whole archive"));
    auto added = uploads->finish(user, id, digest, std::string(call->queryValue("name")));
    if (!added.ok()) return call->sendStatus(added.status());
    call->sendJson(201, api::toText(imageJson(*added)));
  });
}

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
