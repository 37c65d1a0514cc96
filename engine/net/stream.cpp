#include "engine/net/stream.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>

#include "engine/net/tls.h"

namespace ph::net {

namespace asio = boost::asio;

// Clearing goes through the whole queue; it is empty nearly always.
static void clearTlsErrors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

struct Stream::Descriptor {
  explicit Descriptor(asio::io_context& context) : io(context) {}
  asio::posix::stream_descriptor io;
};

// OpenSSL's view of the stream: ciphertext comes straight from the socket, and gathers in unsent_ on its way
// out, so that many records leave in one system call.
struct StreamBio {
  static int read(BIO* bio, char* to, int room) {
    auto* stream = static_cast<Stream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    size_t size = 0;
    switch (stream->receive(to, size_t(room), size)) {
      case Stream::Got::Data:
        return int(size);
      case Stream::Got::Nothing:
        BIO_set_retry_read(bio);
        return -1;
      case Stream::Got::End:
        return 0;
      case Stream::Got::Failed:
        break;
    }
    return -1;
  }
  static int write(BIO* bio, const char* bytes, int size) {
    static_cast<Stream*>(BIO_get_data(bio))->unsent_.append(bytes, size_t(size));
    return size;
  }
  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_EOF) return static_cast<Stream*>(BIO_get_data(bio))->ended_;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }
  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
      BIO_meth_set_read(m, read);
      BIO_meth_set_write(m, write);
      BIO_meth_set_ctrl(m, control);
      return m;
    }();
    return made;
  }
};

Stream::Stream(std::shared_ptr<Lane> lane, int fd) : lane_(std::move(lane)), fd_(fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  descriptor_ = std::make_unique<Descriptor>(lane_->context());
  boost::system::error_code ec;
  descriptor_->io.assign(fd, ec);
  if (ec) {
    error_ = ec.message();
    ::close(fd);
    fd_ = -1;
    descriptor_.reset();
  }
}

Stream::~Stream() {
  close();
}

bool Stream::isOpen() const {
  return descriptor_ != nullptr;
}

void Stream::close() {
  if (ssl_) {
    SSL_free(ssl_);
    ssl_ = nullptr;
  }
  if (descriptor_) {
    boost::system::error_code ec;
    descriptor_->io.close(ec);
    descriptor_.reset();
    fd_ = -1;
  }
}

bool Stream::fail(std::string why) {
  if (error_.empty()) error_ = std::move(why);
  return false;
}

void Stream::startTls(ssl_st* session) {
  ssl_ = session;
  BIO* bio = BIO_new(StreamBio::method());
  PH_CHECK(bio);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
}

Stream::Step Stream::handshake() {
  clearTlsErrors();
  int done = SSL_do_handshake(ssl_);
  std::string why;
  if (done != 1 && SSL_get_error(ssl_, done) != SSL_ERROR_WANT_READ) {
    long verdict = SSL_get_verify_result(ssl_);
    why = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : tlsError();
    if (why.empty()) why = ended_ ? "the connection was closed in the handshake" : "the handshake failed";
  }
  starved_ = done != 1;
  bool sent = sendUnsent();  // an alert goes out too
  if (!why.empty()) return fail("TLS: " + why), Step::Failed;
  if (!sent) return Step::Failed;
  return done == 1 ? Step::Done : Step::Waiting;
}

Stream::Got Stream::receive(char* to, size_t room, size_t& size) {
  if (ended_) return Got::End;
  if (drained_) return Got::Nothing;
  while (true) {
    ssize_t n = ::recv(fd_, to, room, 0);
    if (n > 0) {
      size = size_t(n);
      drained_ = size < room;
      return Got::Data;
    }
    if (n == 0) {
      ended_ = true;
      return Got::End;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      drained_ = true;
      return Got::Nothing;
    }
    fail(strerror(errno));
    return Got::Failed;
  }
}

Stream::Got Stream::read(char* to, size_t room, size_t& size) {
  if (!ssl_) return receive(to, room, size);
  if (drained_ && unsent() == 0 && !SSL_has_pending(ssl_)) return Got::Nothing;
  clearTlsErrors();
  int n = SSL_read(ssl_, to, int(room));
  starved_ = n <= 0;
  if (n > 0) {
    size = size_t(n);
    return Got::Data;
  }
  switch (SSL_get_error(ssl_, n)) {
    case SSL_ERROR_WANT_READ:
      // A TLS 1.3 key update or the like may have made an answer.
      return unsent() == 0 || sendUnsent() ? Got::Nothing : Got::Failed;
    case SSL_ERROR_ZERO_RETURN:
      return Got::End;
    default:
      break;
  }
  if (!error_.empty()) return Got::Failed;
  auto why = tlsError();
  if (why.empty() && ended_) return Got::End;
  fail("TLS: " + (why.empty() ? std::string("broken") : why));
  return Got::Failed;
}

bool Stream::sendNow(std::string_view bytes, size_t& sent) {
  sent = 0;
  while (sent < bytes.size()) {
    ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n > 0) {
      sent += size_t(n);
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return true;
    } else {
      return fail(strerror(errno));
    }
  }
  return true;
}

bool Stream::write(std::string_view bytes) {
  if (bytes.empty()) return true;
  if (!ssl_) {
    if (unsent() > 0) {
      unsent_.append(bytes);
      return true;
    }
    size_t sent = 0;
    if (!sendNow(bytes, sent)) return false;
    if (sent < bytes.size()) {
      unsent_.assign(bytes.substr(sent));
      unsentFrom_ = 0;
    }
    return true;
  }
  // Room for the ciphertext is the lane's, unless some of an earlier write still waits.
  if (unsent_.empty()) unsent_.swap(lane_->cipherBuffer());
  clearTlsErrors();
  while (!bytes.empty()) {
    int n = SSL_write(ssl_, bytes.data(), int(std::min(bytes.size(), size_t(1) << 30)));
    if (n <= 0) return fail("TLS: " + tlsError());
    bytes.remove_prefix(size_t(n));
  }
  return sendUnsent();
}

bool Stream::sendUnsent() {
  if (unsent() == 0) return true;
  size_t sent = 0;
  if (!sendNow(std::string_view(unsent_).substr(unsentFrom_), sent)) return false;
  unsentFrom_ += sent;
  if (unsent() == 0) {
    unsentFrom_ = 0;
    unsent_.clear();
    if (ssl_ && unsent_.capacity() > lane_->cipherBuffer().capacity()) unsent_.swap(lane_->cipherBuffer());
    if (unsent_.capacity() > 4096) std::string().swap(unsent_);
  }
  return true;
}

void Stream::finish() {
  if (!descriptor_) return;
  if (ssl_) {
    clearTlsErrors();
    SSL_shutdown(ssl_);
    sendUnsent();
    clearTlsErrors();
  }
  if (unsent() == 0) ::shutdown(fd_, SHUT_WR);
}

void Stream::onReadable(Task then) {
  // Of records that were received with others the socket says nothing more.
  if (ssl_ && !starved_ && SSL_has_pending(ssl_)) return lane_->post(std::move(then));
  drained_ = false;
  descriptor_->io.async_wait(asio::posix::stream_descriptor::wait_read, [then = std::move(then)](auto ec) {
    if (!ec) then();
  });
}

void Stream::onWritable(Task then) {
  descriptor_->io.async_wait(asio::posix::stream_descriptor::wait_write, [then = std::move(then)](auto ec) {
    if (!ec) then();
  });
}

}  // namespace ph::net
