// Stream: one connected, non-blocking descriptor, in clear text or under TLS.
// Lane thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/net/lane.h"

struct ssl_st;

namespace ph::net {

class Stream {
 public:
  enum class Got { Data, Nothing, End, Failed };
  enum class Step { Done, Waiting, Failed };

  Stream(std::shared_ptr<Lane> lane, int fd);  // owns fd from here on
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void startTls(ssl_st* session);  // owns the session from here on
  ssl_st* tls() { return ssl_; }
  // Goes as far as it can; Waiting: call again when readable (and written out).
  Step handshake();

  // Nothing: wait with onReadable().
  Got read(char* to, size_t room, size_t& size);
  // Takes all of it; what the socket didn't is kept: see unsent(). False when the stream is broken.
  bool write(std::string_view bytes);
  // Goes on with what write() kept. False when broken.
  bool sendUnsent();
  size_t unsent() const { return unsent_.size() - unsentFrom_; }
  // Says that no more will be written.
  void finish();
  // Both at most one at a time; not called after close().
  void onReadable(Task then);
  void onWritable(Task then);
  void close();
  bool isOpen() const;

  const std::string& error() const { return error_; }  // why something Failed
  Lane& lane() { return *lane_; }

 private:
  struct Descriptor;
  friend struct StreamBio;
  Got receive(char* to, size_t room, size_t& size);
  bool sendNow(std::string_view bytes, size_t& sent);
  bool fail(std::string why);

  std::shared_ptr<Lane> lane_;
  std::unique_ptr<Descriptor> descriptor_;
  int fd_;
  ssl_st* ssl_ = nullptr;
  std::string unsent_;  // bytes as they go to the socket (under TLS: ciphertext)
  size_t unsentFrom_ = 0;
  bool drained_ = false;  // the last receive took all there was: ask again only when readable
  bool starved_ = false;  // under TLS: what was received is less than a record; else a whole one may be left
  bool ended_ = false;
  std::string error_;
};

}  // namespace ph::net
