#include "engine/net/h2_common.h"

namespace ph::net {

namespace {

bool belongsToConnection(std::string_view name) {
  static constexpr std::string_view names[] = {"connection",        "keep-alive", "proxy-connection",
                                               "transfer-encoding", "upgrade",    "host"};
  for (auto known : names) {
    if (known.size() != name.size()) continue;
    bool same = true;
    for (size_t i = 0; i < name.size(); ++i) {
      char c = name[i] >= 'A' && name[i] <= 'Z' ? char(name[i] + 32) : name[i];
      same = same && c == known[i];
    }
    if (same) return true;
  }
  return false;
}

// A name whose value never comes twice. Kept in HPACK's table it would push out what does, and nghttp2, which looks
// through all entries of a name, would compare with each.
bool everNew(std::string_view name) { return name == "audit-id"; }

ssize_t readBody(nghttp2_session* session, int32_t id, uint8_t*, size_t room, uint32_t* flags,
                 nghttp2_data_source* source, void*) {
  auto* body = static_cast<H2Body*>(source->ptr);
  size_t count = std::min(room, body->queue.bytes());
  bool last = body->ended && count == body->queue.bytes();
  if (count == 0 && !last) {
    body->deferred = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  // Without NO_COPY nghttp2 takes an empty frame as written by itself; with it, it comes to onSendData.
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (last) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (body->trailers) {
      std::vector<nghttp2_nv> fields;
      h2AppendHeaders(*body->trailers, fields);
      if (!fields.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, id, fields.data(), fields.size());
      }
    }
  }
  return ssize_t(count);
}

}  // namespace

void h2AppendHeaders(const Headers& headers, std::vector<nghttp2_nv>& fields) {
  for (auto& [name, value] : headers.all()) {
    if (belongsToConnection(name)) continue;
    if (!nghttp2_check_header_value(reinterpret_cast<const uint8_t*>(value.data()), value.size())) continue;
    fields.push_back(h2Field(name, value));
    if (everNew(name)) fields.back().flags = NGHTTP2_NV_FLAG_NO_INDEX;
  }
}

nghttp2_data_provider H2Body::provider() {
  nghttp2_data_provider provider{};
  provider.source.ptr = this;
  provider.read_callback = readBody;
  return provider;
}

void H2Body::resume(nghttp2_session* session, int32_t streamId) {
  if (!deferred || (queue.empty() && !ended)) return;
  deferred = false;
  nghttp2_session_resume_data(session, streamId);
}

void H2Output::install(nghttp2_session_callbacks* callbacks) {
  nghttp2_session_callbacks_set_send_callback(callbacks, onSend);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, onSendData);
}

ssize_t H2Output::onSend(nghttp2_session*, const uint8_t* data, size_t size, int, void* user) {
  auto* self = static_cast<H2Output*>(static_cast<H2Host*>(user));
  if (self->out_->size() >= self->room_) return NGHTTP2_ERR_WOULDBLOCK;
  self->out_->append(reinterpret_cast<const char*>(data), size);
  return ssize_t(size);
}

int H2Output::onSendData(nghttp2_session*, nghttp2_frame* frame, const uint8_t* head, size_t size,
                         nghttp2_data_source* source, void* user) {
  auto* self = static_cast<H2Output*>(static_cast<H2Host*>(user));
  if (self->out_->size() >= self->room_) return NGHTTP2_ERR_WOULDBLOCK;
  self->out_->append(reinterpret_cast<const char*>(head), 9);
  if (frame->data.padlen > 0) *self->out_ += char(frame->data.padlen - 1);
  static_cast<H2Body*>(source->ptr)->queue.pull(*self->out_, size);
  if (frame->data.padlen > 1) self->out_->append(frame->data.padlen - 1, '\0');
  if (size > 0) self->pulled.emplace_back(frame->hd.stream_id, size);
  return 0;
}

}  // namespace ph::net
