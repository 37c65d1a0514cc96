// Bridge: one exec channel of a session and one local socket, bytes moved both ways with bounded buffers: a side that does
// not take its bytes stops the other side's reading (SSH's window does the rest).
// Threads: the polling thread only.
#pragma once

#include <functional>
#include <string>

#include "engine/base/result.h"
#include "engine/base/time.h"

struct ssh_session_struct;
struct ssh_channel_struct;

namespace ph::fleet {

class Bridge {
 public:
  enum class State { Opening, Starting, Open, Ended };
  Bridge(ssh_session_struct* session, std::string command);
  ~Bridge();
  Bridge(const Bridge&) = delete;

  // Moves what can be moved; true when something did.
  bool step();
  State state() const { return state_; }
  bool hasSocket() const { return fd_ >= 0; }
  // Makes the local socket pair; answers the other end (owned by the caller).
  Result<int> makeSocket();
  bool heard() const { return fromChannelAt_ < fromChannel_.size(); }  // bytes came that wait for a socket
  // For poll(): what to wait for on the local socket; 0 for nothing.
  int fd() const { return fd_; }
  short pollEvents() const;
  const std::string& said() const { return said_; }  // the command's standard error, its beginning
  std::string failure() const { return failure_; }   // why it ended, when it never was open

 private:
  void open();
  bool readChannel();
  bool writeSocket();
  bool readSocket();
  bool writeChannel();
  void end(std::string failure);

  ssh_session_struct* session_;
  ssh_channel_struct* channel_ = nullptr;
  const std::string command_;
  State state_ = State::Opening;
  int fd_ = -1;
  std::string fromChannel_, fromSocket_;  // waiting to go on; the *At_ bytes at their beginning have gone
  size_t fromChannelAt_ = 0, fromSocketAt_ = 0;
  bool channelEof_ = false, socketEof_ = false, eofSent_ = false;
  std::string said_, failure_;
};

}  // namespace ph::fleet
