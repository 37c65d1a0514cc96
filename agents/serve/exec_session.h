// ExecSession: exec and attach. The engine's WebSocket (Kubernetes' remote command protocol, v4 and v5: a first byte that names the
// channel) joined to the runtime's streaming server (SPDY/3.1). The streams' half closes and back-pressure carry over.
// Threads: one lane.
#pragma once

#include <map>

#include "agents/runtime/runtime.h"
#include "engine/net/spdy_session.h"

namespace ph::agents {

class ExecSession : public std::enable_shared_from_this<ExecSession> {
 public:
  // `url`: what the runtime answered for `spec`. Answers the request: an upgrade, or why not. Lives until both sides are through.
  static void start(std::shared_ptr<net::Lane> lane, const std::string& url, StreamSpec spec, std::string protocol,
                    std::shared_ptr<net::Responder> responder);

 private:
  ExecSession(std::shared_ptr<net::Lane> lane, StreamSpec spec, std::string protocol, std::shared_ptr<net::Responder> responder)
      : lane_(std::move(lane)), spec_(std::move(spec)), protocol_(std::move(protocol)), responder_(std::move(responder)) {}
  void dial(const std::string& url);
  void shakeHands(int fd, const std::string& host, const std::string& path);
  void onHandshake(std::string_view bytes);
  void refuse(std::string why);
  void openStreams();
  void upgrade();
  void connected(Result<std::shared_ptr<net::WebSocket>> socket);
  void toProcess(const std::string& message);
  void toClient(char channel, std::string_view bytes);
  void hear(char channel, const char* type);
  void streamEnded(net::ByteStream::End how);
  void settle();
  void finish();
  void stop();

  const std::shared_ptr<net::Lane> lane_;
  const StreamSpec spec_;
  const std::string protocol_;
  std::shared_ptr<net::Responder> responder_;
  std::unique_ptr<net::ByteStream> bytes_;  // until the handshake is done
  std::string head_, early_;
  std::unique_ptr<net::Deadline> deadline_;
  std::shared_ptr<net::SpdySession> session_;
  std::map<char, std::shared_ptr<net::SpdyStream>> streams_;  // by channel
  std::shared_ptr<net::WebSocket> socket_;
  std::shared_ptr<net::MessageInbox> inbox_;
  std::string outcome_;  // what came on the error stream
  int listening_ = 0;    // streams from the process that have not ended
  bool over_ = false;
  std::shared_ptr<ExecSession> self_;  // while it goes on
};

// Splits "http://127.0.0.1:PORT/exec/TOKEN"; names that mean this machine become its address.
bool splitUrl(const std::string& url, std::string& host, uint16_t& port, std::string& path);

}  // namespace ph::agents
