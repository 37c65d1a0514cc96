#include "agents/runtime/grpc.h"

#include <cstdlib>

#include <fmt/format.h>

namespace ph::agents {
namespace {

constexpr size_t maxMessage = 16 << 20;  // bytes, as gRPC servers of runtimes send at most

// What a call collects on its I/O thread until it is handed to the strand.
struct Call {
  std::string buffer;
  int status = 0;
  net::Headers headers;
  bool tooLarge = false;
  std::shared_ptr<net::StreamHandle> handle;
  std::function<void(Result<std::string>)> done;
  Timer timer;
};

net::Request makeRequest(std::string method, const std::string& message) {
  net::Request request;
  request.method = "POST";
  request.path = std::move(method);
  request.headers.add("content-type", "application/grpc");
  request.headers.add("te", "trailers");
  request.headers.add("user-agent", "pilothouse-agent/" PH_VERSION);
  request.body = grpcFrame(message);
  return request;
}

Result<std::string> answerOf(Call& call, Result<net::Headers>& trailers) {
  if (!trailers.ok()) return std::move(trailers).status();
  if (call.tooLarge) return Status::tooLarge("the runtime's answer is too large");
  if (call.status != 200) return Status::unavailable(fmt::format("the runtime answered with HTTP status {}", call.status));
  // An answer without a message has its status in the headers.
  auto status = grpcStatus(trailers->has("grpc-status") ? *trailers : call.headers);
  if (!status.ok()) return std::move(status).status();
  std::vector<std::string> messages;
  if (!grpcUnframe(call.buffer, maxMessage, messages) || messages.size() != 1 || !call.buffer.empty())
    return Status::internal("the runtime's answer is malformed");
  return std::move(messages.front());
}

}  // namespace

std::string grpcFrame(const std::string& message) {
  uint32_t n = uint32_t(message.size());
  std::string out{'\0', char(n >> 24), char(n >> 16), char(n >> 8), char(n)};
  return out + message;
}

bool grpcUnframe(std::string& buffer, size_t limit, std::vector<std::string>& out) {
  size_t at = 0;
  while (buffer.size() - at >= 5) {
    auto byte = [&](size_t i) { return uint32_t(uint8_t(buffer[at + i])); };
    uint32_t n = byte(1) << 24 | byte(2) << 16 | byte(3) << 8 | byte(4);
    if (byte(0) != 0 || n > limit) return false;
    if (buffer.size() - at - 5 < n) break;
    out.push_back(buffer.substr(at + 5, n));
    at += 5 + n;
  }
  buffer.erase(0, at);
  return true;
}

Result<> grpcStatus(const net::Headers& trailers) {
  auto text = std::string(trailers.get("grpc-status"));
  if (text.empty()) return Status::unavailable("the runtime's answer has no status");
  int code = std::atoi(text.c_str());
  if (code == 0) return {};
  std::string message;
  if (!net::percentDecode(trailers.get("grpc-message"), message)) message = std::string(trailers.get("grpc-message"));
  if (message.empty()) message = fmt::format("gRPC status {}", code);
  switch (code) {
    case 1: return Status{499, "Cancelled", message};
    case 3: return Status::badRequest(message);
    case 4: return Status::timeout(message);
    case 5: return Status::notFound(message);
    case 6: return Status::alreadyExists(message);
    case 8: return Status::tooManyRequests(message, 1);
    case 12: return Status{501, "NotImplemented", message};
    case 14: return Status::unavailable(message);
    default: return Status::internal(message);
  }
}

GrpcChannel::GrpcChannel(std::shared_ptr<net::HttpClient> http, std::shared_ptr<Executor> strand)
    : http_(std::move(http)), strand_(std::move(strand)) {}

void GrpcChannel::call(std::string method, std::string request, Duration timeout, std::function<void(Result<std::string>)> done) {
  // The call lives in its callbacks, which the stream drops after onEnd; `done` is taken once, on the strand.
  auto call = std::make_shared<Call>();
  call->done = std::move(done);
  net::StreamCallbacks callbacks;
  callbacks.onHeaders = [call](int status, const net::Headers& headers) {
    call->status = status;
    call->headers = headers;
  };
  callbacks.onData = [call](std::string_view data) {
    if (call->buffer.size() + data.size() > maxMessage)
      call->tooLarge = true;
    else
      call->buffer.append(data);
  };
  callbacks.onEnd = [call, strand = strand_](Result<net::Headers> trailers) {
    auto answer = std::make_shared<Result<std::string>>(answerOf(*call, trailers));
    strand->post([call, answer] {
      auto done = std::move(call->done);
      call->done = nullptr;
      call->timer.cancel();
      call->handle.reset();
      if (done) done(std::move(*answer));
    });
  };
  auto name = method.substr(method.rfind('/') + 1);
  call->handle = http_->stream(makeRequest(std::move(method), request), std::move(callbacks));
  call->timer = strand_->after(timeout, [call, name, timeout] {
    auto done = std::move(call->done);
    call->done = nullptr;
    call->handle.reset();
    if (done) done(Status::timeout(fmt::format("{} took longer than {} s", name, timeout / std::chrono::seconds(1))));
  });
}

std::shared_ptr<void> GrpcChannel::subscribe(std::string method, std::string request, std::function<void(std::string)> onMessage,
                                             std::function<void(Status)> onEnd) {
  struct Stream {
    std::string buffer;
    int status = 0;
    net::Headers headers;
    bool broken = false;
    std::function<void(std::string)> onMessage;  // strand only
    std::function<void(Status)> onEnd;
    std::shared_ptr<net::StreamHandle> handle;
  };
  auto s = std::make_shared<Stream>();
  s->onMessage = std::move(onMessage);
  s->onEnd = std::move(onEnd);
  net::StreamCallbacks callbacks;
  std::weak_ptr<Stream> weak = s;
  callbacks.onHeaders = [weak](int status, const net::Headers& headers) {
    if (auto s = weak.lock()) s->status = status, s->headers = headers;
  };
  callbacks.onData = [weak, strand = strand_](std::string_view data) {
    auto s = weak.lock();
    if (!s || s->broken) return;
    s->buffer.append(data);
    std::vector<std::string> messages;
    if (!grpcUnframe(s->buffer, maxMessage, messages)) s->broken = true;
    for (auto& m : messages)
      strand->post([weak, m = std::move(m)]() mutable {
        if (auto s = weak.lock(); s && s->onMessage) s->onMessage(std::move(m));
      });
  };
  callbacks.onEnd = [weak, strand = strand_](Result<net::Headers> trailers) {
    auto s = weak.lock();
    if (!s) return;
    Status why = Status::unavailable("the stream ended");
    if (!trailers.ok()) {
      why = trailers.status();
    } else if (auto status = grpcStatus(trailers->has("grpc-status") ? *trailers : s->headers); !status.ok()) {
      why = status.status();
    }
    strand->post([weak, why] {
      if (auto s = weak.lock(); s && s->onEnd) s->onEnd(why);
    });
  };
  s->handle = http_->stream(makeRequest(std::move(method), request), std::move(callbacks));
  return s;
}

}  // namespace ph::agents
