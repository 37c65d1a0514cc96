#include "tests/api/raw_peer.h"

#include <sys/socket.h>

#include <QDir>
#include <QFile>
#include <QSslConfiguration>
#include <QSslKey>

namespace ph::test {

RawPeer::RawPeer(const EngineProcess& engine, const QByteArray& protocol, bool admin) {
  auto configuration = QSslConfiguration::defaultConfiguration();
  configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
  configuration.setAllowedNextProtocols({protocol});
  if (admin) {
    configuration.setLocalCertificate(QSslCertificate(engine.file("pki/admin.crt")));
    configuration.setPrivateKey(QSslKey(engine.file("pki/admin.key"), QSsl::Ec));
  }
  socket_.setSslConfiguration(configuration);
  socket_.connectToHostEncrypted(engine.address().section(':', 0, 0), quint16(engine.address().section(':', 1).toInt()));
  socket_.waitForEncrypted(10000);
}

bool RawPeer::send(const QByteArray& bytes, int milliseconds) {
  if (gone() || socket_.write(bytes) != bytes.size()) return false;
  QElapsedTimer timer;
  timer.start();
  while (socket_.bytesToWrite() + socket_.encryptedBytesToWrite() > 0) {
    int left = milliseconds - int(timer.elapsed());
    if (left <= 0 || gone()) return false;
    socket_.waitForBytesWritten(left);
  }
  return !gone();
}

const QByteArray& RawPeer::readUntil(const QByteArray& text, int milliseconds) {
  QElapsedTimer timer;
  timer.start();
  seen_ += socket_.readAll();
  while (!seen_.contains(text)) {
    int left = milliseconds - int(timer.elapsed());
    if (left <= 0) break;
    bool more = socket_.waitForReadyRead(left);
    seen_ += socket_.readAll();
    if (!more && gone()) break;
  }
  return seen_;
}

bool RawPeer::readToEnd(int milliseconds) {
  QElapsedTimer timer;
  timer.start();
  while (!gone()) {
    int left = milliseconds - int(timer.elapsed());
    if (left <= 0) return false;
    socket_.waitForReadyRead(left);
    seen_ += socket_.readAll();
  }
  seen_ += socket_.readAll();
  return true;
}

int RawPeer::code() const { return seen_.startsWith("HTTP/1.1 ") ? seen_.mid(9, 3).toInt() : 0; }

void RawPeer::dontRead() {
  int size = 4096;
  ::setsockopt(int(socket_.socketDescriptor()), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  socket_.setReadBufferSize(1024);
}

QByteArray RawPeer::preface() { return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, {}); }

QByteArray RawPeer::frame(int type, int flags, quint32 stream, const QByteArray& payload) {
  QByteArray out;
  auto size = quint32(payload.size());
  for (int shift : {16, 8, 0}) out += char(size >> shift);
  out += char(type);
  out += char(flags);
  for (int shift : {24, 16, 8, 0}) out += char(stream >> shift);
  return out + payload;
}

QByteArray RawPeer::field(const QByteArray& name, const QByteArray& value) {
  return QByteArray(1, '\0') + char(name.size()) + name + char(value.size()) + value;
}

QByteArray RawPeer::get(const QByteArray& path) { return "\x82\x87" + field(":path", path) + field(":authority", "x"); }

bool RawPeer::sawFrame(int type, quint32 stream) const {
  for (qsizetype at = 0; at + 9 <= seen_.size();) {
    auto byte = [&](qsizetype i) { return quint32(uchar(seen_[at + i])); };
    quint32 size = byte(0) << 16 | byte(1) << 8 | byte(2), id = byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8);
    if (int(byte(3)) == type && (stream == 0 || stream == id)) return true;
    at += 9 + qsizetype(size);
  }
  return false;
}

bool RawPeer::waitFrame(int type, quint32 stream, int milliseconds) {
  QElapsedTimer timer;
  timer.start();
  while (!sawFrame(type, stream)) {
    int left = milliseconds - int(timer.elapsed());
    if (left <= 0 || gone()) return sawFrame(type, stream);
    socket_.waitForReadyRead(left);
    seen_ += socket_.readAll();
  }
  return true;
}

qint64 memoryOf(qint64 pid, const char* what) {
  QFile file("/proc/" + QString::number(pid) + "/status");
  if (!file.open(QIODevice::ReadOnly)) return -1;
  for (auto& line : file.readAll().split('\n'))
    if (line.startsWith(QByteArray(what) + ':')) return line.mid(qsizetype(qstrlen(what)) + 1).simplified().split(' ')[0].toLongLong();
  return -1;
}

bool forgetPeak(qint64 pid) {
  QFile file("/proc/" + QString::number(pid) + "/clear_refs");
  return file.open(QIODevice::WriteOnly) && file.write("5") == 1;
}

int descriptorsOf(qint64 pid) { return int(QDir("/proc/" + QString::number(pid) + "/fd").entryList(QDir::Files | QDir::System).size()); }

double metric(Http& http, const QByteArray& name) {
  for (auto& line : http.get("/metrics").body.split('\n'))
    if (line.startsWith(name + ' ')) return line.mid(name.size() + 1).toDouble();
  return -1;
}

}  // namespace ph::test
