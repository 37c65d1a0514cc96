// SpdySession: SPDY/3.1 over a ByteStream, as a client or a server: streams in both directions, each with its half closes.
// Back-pressure is the connection's: a stream that pauses stops the reading of all, since no peer keeps to windows.
// Threads: one lane, that of the ByteStream.
#pragma once

#include <map>

#include "engine/net/byte_stream.h"
#include "engine/net/spdy.h"

namespace ph::net {

class SpdySession;

class SpdyStream : public std::enable_shared_from_this<SpdyStream> {
 public:
  SpdyStream(SpdySession* session, uint32_t id, SpdyHeaders headers) : session_(session), id_(id), headers_(std::move(headers)) {}
  uint32_t id() const { return id_; }
  const SpdyHeaders& headers() const { return headers_; }
  // `onEnd` comes once: Finished when the peer has sent all, Broken when it reset the stream or the connection is gone. What came
  // before is handed over at once. Keep the callbacks weak: the session holds the stream.
  void listen(std::function<void(std::string_view)> onData, std::function<void(ByteStream::End)> onEnd);
  void write(std::string_view bytes);
  void finish();  // nothing more from us
  void reset(uint32_t status);
  void pause(bool paused);
  bool over() const { return !session_; }

 private:
  friend class SpdySession;
  void take(std::string_view bytes, bool fin);
  void end(ByteStream::End how);
  void forget();

  SpdySession* session_;  // null: over
  const uint32_t id_;
  const SpdyHeaders headers_;
  std::function<void(std::string_view)> onData_;
  std::function<void(ByteStream::End)> onEnd_;
  std::string early_;  // came before listen()
  std::optional<ByteStream::End> ended_;
  bool finished_ = false, paused_ = false;
};

class SpdySession : public std::enable_shared_from_this<SpdySession>, private SpdySink {
 public:
  enum class Role { Client, Server };
  struct Events {
    std::function<void(std::shared_ptr<SpdyStream>)> onStream;  // the peer opened one; it has been replied to
    std::function<void(std::string why)> onEnd;                 // once, last, unless closed by us
    std::function<void()> onDrain;
  };
  static constexpr size_t kMaxStreams = 512;  // at the same time, opened by the peer
  static constexpr size_t kMaxEarly = 1024 * 1024;

  SpdySession(std::unique_ptr<ByteStream> bytes, Role role);
  ~SpdySession() override;
  // `early`: what came of the peer's bytes before, with the end of an HTTP upgrade.
  void start(Events events, std::string_view early = {});
  std::shared_ptr<SpdyStream> open(SpdyHeaders headers);  // null when the session is over
  void close();  // streams end Broken; no event of the session follows
  size_t buffered() const { return bytes_ ? bytes_->buffered() : 0; }
  bool over() const { return !bytes_; }

 private:
  friend class SpdyStream;
  bool onFrame(SpdyFrame frame) override;
  bool onData(uint32_t stream, std::string_view bytes, bool fin) override;
  void opened(SpdyFrame& frame);
  void send(const std::string& frame);
  void end(std::string why);
  void settle();

  std::unique_ptr<ByteStream> bytes_;
  const Role role_;
  Events events_;
  SpdyReader reader_;
  SpdyWriter writer_;
  std::map<uint32_t, std::shared_ptr<SpdyStream>> streams_;
  uint32_t next_, lastTheirs_ = 0;
  size_t theirs_ = 0;
  int pauses_ = 0;
};

}  // namespace ph::net
