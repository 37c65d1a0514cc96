// SPDY/3.1 frames, in and out. Kubernetes' older streaming protocol: container runtimes speak it, and kubectl's port-forward does
// inside a WebSocket. Source: the SPDY protocol drafts 3 and 3.1. Flow control by windows is not used by any of these peers:
// they rely on the connection's own, and so do we. Threads: plain values.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/result.h"

namespace ph::net {

// Names in lower case.
using SpdyHeaders = std::vector<std::pair<std::string, std::string>>;
std::string_view spdyHeader(const SpdyHeaders& headers, std::string_view name);  // empty: none

struct SpdyFrame {
  enum Type : uint16_t { SynStream = 1, SynReply = 2, RstStream = 3, Settings = 4, Ping = 6, GoAway = 7, Headers = 8, WindowUpdate = 9 };
  Type type = Ping;
  uint32_t stream = 0;  // GoAway: the last one that was taken
  bool fin = false, unidirectional = false;
  uint32_t value = 0;   // RstStream, GoAway: the status; WindowUpdate: the growth; Ping: its number
  SpdyHeaders headers;
};

// Statuses of RstStream.
inline constexpr uint32_t kSpdyProtocolError = 1, kSpdyInvalidStream = 2, kSpdyRefused = 3, kSpdyCancel = 5;

class SpdySink {
 public:
  virtual ~SpdySink() = default;
  // Both: false when no more is wanted, ever.
  virtual bool onFrame(SpdyFrame frame) = 0;
  virtual bool onData(uint32_t stream, std::string_view bytes, bool fin) = 0;  // a frame's data as it comes
};

// Takes bytes as they come. An error is final: the two sides' compressors have lost each other.
class SpdyReader {
 public:
  SpdyReader();
  ~SpdyReader();
  Result<> feed(std::string_view bytes, SpdySink& sink);

 private:
  struct Unpacker;
  Result<bool> decode(std::string_view frame, SpdyFrame& out);
  Result<SpdyHeaders> unpack(std::string_view packed);

  std::unique_ptr<Unpacker> unpacker_;
  std::string head_;  // of the frame that is coming; of a control frame all of it
  uint32_t dataStream_ = 0, dataLeft_ = 0;
  bool dataFin_ = false;
};

// Frames must be sent in the order in which they were made.
class SpdyWriter {
 public:
  SpdyWriter();
  ~SpdyWriter();
  std::string synStream(uint32_t stream, const SpdyHeaders& headers, bool fin = false);
  std::string synReply(uint32_t stream, const SpdyHeaders& headers, bool fin = false);
  static std::string data(uint32_t stream, std::string_view bytes, bool fin = false);  // less than 16 MB
  static std::string reset(uint32_t stream, uint32_t status);
  static std::string ping(uint32_t id);
  static std::string goAway(uint32_t lastStream, uint32_t status);

 private:
  struct Packer;
  std::string pack(const SpdyHeaders& headers);
  std::unique_ptr<Packer> packer_;
};

}  // namespace ph::net
