// Small messages, one answer each, over UDP and over TCP with a two-byte length before each: what DNS speaks.
// Source: RFC 1035, section 4.2.
// Threads: any; callbacks come on an I/O thread and must not block.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/net/net.h"

namespace ph::net {

class MessageServer {
 public:
  // Answers at most once, from any thread; dropped unanswered is fine.
  using Reply = std::function<void(std::string answer)>;
  // `stream`: it came over TCP, so the answer may be as long as 65535 bytes.
  using Handler = std::function<void(std::string message, bool stream, Reply reply)>;

  virtual ~MessageServer() = default;  // closes; no handler begins after it returns on an I/O thread
  // Listens on UDP and TCP at "ADDR:PORT" (port 0: one that is free on both). At most 256 TCP connections, each
  // closed after 10 s without a message.
  static Result<std::unique_ptr<MessageServer>> listen(std::shared_ptr<Io> io, const std::string& address,
                                                       Handler handler);
  virtual const std::string& address() const = 0;
};

// Sends one message over UDP (or TCP) to "ADDR:PORT" from a fresh port, and waits for the answer with the same first two
// bytes (DNS' message id). Timeout, 504, when none comes.
void exchangeMessage(const std::shared_ptr<Io>& io, const std::string& server, std::string message, bool stream,
                     Duration timeout, std::function<void(Result<std::string>)> done);

}  // namespace ph::net
