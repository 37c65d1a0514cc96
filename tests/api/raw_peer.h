// RawPeer: a TLS connection on which a test says byte by byte what it wants, right or wrong; and what a process holds.
// Threads: each peer on one.
#pragma once

#include <QElapsedTimer>
#include <QSslSocket>

#include "tests/support/engine/engine_process.h"

namespace ph::test {

class RawPeer {
 public:
  // As the administrator, unless told otherwise. `protocol`: what ALPN asks for.
  explicit RawPeer(const EngineProcess& engine, const QByteArray& protocol = "http/1.1", bool admin = true);
  bool connected() const { return socket_.isEncrypted(); }
  // False when the other end is gone. Waits until the kernel has taken all (at most `milliseconds`).
  bool send(const QByteArray& bytes, int milliseconds = 10000);
  // What has come so far, once it holds `text` or nothing more comes.
  const QByteArray& readUntil(const QByteArray& text, int milliseconds = 10000);
  // Reads on until the other end closes; false when it has not in time.
  bool readToEnd(int milliseconds = 10000);
  const QByteArray& seen() const { return seen_; }
  QByteArray take() { return std::exchange(seen_, {}); }
  int code() const;  // of the first answer of HTTP/1; 0: none
  bool gone() const { return socket_.state() == QAbstractSocket::UnconnectedState; }
  // Vanishes: the other end learns of it by a reset, or not at all until it writes.
  void abort() { socket_.abort(); }
  void dontRead();  // small buffers, and nothing is taken from now on

  // HTTP/2's frames.
  static QByteArray preface();
  static QByteArray frame(int type, int flags, quint32 stream, const QByteArray& payload);
  static QByteArray get(const QByteArray& path);  // a header block
  static QByteArray field(const QByteArray& name, const QByteArray& value);  // up to 126 bytes each; not indexed
  // True when a frame of this type (and stream, unless 0) is in what was seen.
  bool sawFrame(int type, quint32 stream = 0) const;
  bool waitFrame(int type, quint32 stream, int milliseconds = 10000);

 private:
  QSslSocket socket_;
  QByteArray seen_;
};

// Of /proc/PID/status, in kB: VmRSS, VmHWM.
qint64 memoryOf(qint64 pid, const char* what);
// Makes VmHWM begin anew from here.
bool forgetPeak(qint64 pid);
int descriptorsOf(qint64 pid);
// A number at /metrics; -1: there is none.
double metric(Http& http, const QByteArray& name);

}  // namespace ph::test
