// What the HTTP/2 server and client sessions share around nghttp2: output without needless copies, bodies,
// header fields. Lane thread only.
#pragma once

#include <nghttp2/nghttp2.h>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/net/chunk_queue.h"

namespace ph::net {

constexpr uint32_t kH2StreamWindow = 1024 * 1024;         // bytes a peer may send ahead, a stream
constexpr int32_t kH2ConnectionWindow = 8 * 1024 * 1024;  // and over all streams

inline nghttp2_nv h2Field(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

// Adds `headers` that may stand in HTTP/2: not the connection's own, and no bytes that another hop would trip
// over. nghttp2 makes the names lower-case. `fields` refers into `headers`.
void h2AppendHeaders(const Headers& headers, std::vector<nghttp2_nv>& fields);

// One body on its way out, read by nghttp2 in frames.
struct H2Body {
  ChunkQueue queue;
  bool ended = false, deferred = false, headOnly = false;
  std::optional<Headers> trailers;

  nghttp2_data_provider provider();  // refers to this
  void resume(nghttp2_session* session, int32_t streamId);
};

// nghttp2's user data: who owns the session, and where its output goes.
struct H2Host {
  void* owner = nullptr;
};

class H2Output : public H2Host {
 public:
  static void install(nghttp2_session_callbacks* callbacks);
  template <class Owner>
  static Owner* ownerOf(void* user) {
    return static_cast<Owner*>(static_cast<H2Host*>(user)->owner);
  }
  // Between these nghttp2_session_send() appends to `out`, up to about `room` bytes.
  void begin(std::string& out, size_t room) {
    out_ = &out;
    room_ = room;
  }
  void end() { out_ = nullptr; }
  // (stream, body bytes) appended since last cleared.
  std::vector<std::pair<int32_t, size_t>> pulled;

 private:
  static ssize_t onSend(nghttp2_session*, const uint8_t* data, size_t size, int flags, void* user);
  static int onSendData(nghttp2_session*, nghttp2_frame* frame, const uint8_t* head, size_t size,
                        nghttp2_data_source* source, void* user);
  std::string* out_ = nullptr;
  size_t room_ = 0;
};

}  // namespace ph::net
