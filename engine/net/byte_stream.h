// ByteStream: bytes both ways with back-pressure, whatever carries them: a connected descriptor, or the binary messages of a
// WebSocket. Threads: all of it (also its end) on one lane, where its callbacks come too; onLane() brings others there.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/net/lane.h"

namespace ph::net {

class ByteStream {
 public:
  enum class End { Finished, Broken };  // the peer sends no more; nothing goes either way any more
  struct Events {
    std::function<void(std::string_view bytes)> onData;
    std::function<void(End)> onEnd;     // Finished may be followed by Broken; nothing follows Broken
    std::function<void()> onDrain;      // the bytes that waited have all been taken
  };
  virtual ~ByteStream() = default;      // closes at once; no callback follows
  // Begins to read. A second time (not from within a callback): others take the stream over.
  virtual void start(Events events) = 0;
  virtual void write(std::string_view bytes) = 0;
  // Says that nothing more will be written, after what was.
  virtual void finish() = 0;
  // While paused the peer's bytes stay where they are (a few that are under way may still come).
  virtual void pause(bool paused) = 0;
  virtual size_t buffered() const = 0;  // bytes that the peer's side did not take yet
};

// A connected, non-blocking descriptor, owned from here on.
std::unique_ptr<ByteStream> makeByteStream(std::shared_ptr<Lane> lane, int fd);
// A WebSocket's binary messages, joined; it has no half close: finish() closes it when all is sent. Any lane will do.
std::unique_ptr<ByteStream> makeByteStream(std::shared_ptr<Lane> lane, std::shared_ptr<WebSocket> socket);

// One of the lanes, in turn.
std::shared_ptr<Lane> pickLane(const std::shared_ptr<Io>& io);

// Opens connections, each within `timeout`; `done` comes on the lane, with a connected descriptor.
void dialTcp(const std::shared_ptr<Lane>& lane, const std::string& numericHost, uint16_t port, Duration timeout, std::function<void(Result<int>)> done);
// The same for a socket that has been made already (in another network namespace, say). Owned from here on.
void dialTcp(const std::shared_ptr<Lane>& lane, int socket, const std::string& numericHost, uint16_t port, Duration timeout,
             std::function<void(Result<int>)> done);

// A WebSocket's messages on a lane of one's own choice, with bounded messages under way: the socket is paused beyond that.
class MessageInbox : public std::enable_shared_from_this<MessageInbox> {
 public:
  MessageInbox(std::shared_ptr<Lane> lane, std::shared_ptr<WebSocket> socket) : lane_(std::move(lane)), socket_(std::move(socket)) {}
  // Once; on the lane.
  void start(std::function<void(std::string message, bool binary)> onMessage, std::function<void()> onClose);
  void pause(bool paused);  // the lane
  void stop();              // the lane; no callback follows

 private:
  void settle();
  const std::shared_ptr<Lane> lane_;
  const std::shared_ptr<WebSocket> socket_;
  std::function<void(std::string, bool)> onMessage_;  // lane only
  std::function<void()> onClose_;
  std::mutex mutex_;  // guards the rest
  size_t underWay_ = 0;
  bool wanted_ = false, is_ = false;  // paused
};

}  // namespace ph::net
