// ClientSession: one HTTP version's side of a client connection; ClientConnection: the connection that
// carries it. Lane thread only.
#pragma once

#include "engine/net/client_exchange.h"
#include "engine/net/stream.h"

namespace ph::net {

class ClientSession {
 public:
  virtual ~ClientSession() = default;
  virtual void receive(std::string_view bytes) = 0;
  virtual void inputEnded() = 0;
  virtual void fill(std::string& out, size_t room) = 0;
  virtual void start(const std::shared_ptr<ClientExchange>& exchange) = 0;
  virtual void news(const std::shared_ptr<ClientExchange>& exchange) = 0;  // more body, or cancelled
  virtual bool wantsInput() const { return true; }  // false: leave the peer's bytes in the socket
  virtual bool canStart() const = 0;                                       // takes another exchange now
  virtual bool idle() const = 0;                                           // has none
  virtual bool finished() const = 0;  // to be closed; an exchange it still has fails
  virtual std::string why() const = 0;
  virtual void abandon(const Status& why) = 0;
  virtual MonoTime deadline() const = 0;
  virtual void onDeadline(MonoTime now) = 0;
};

struct ClientSessionOptions {
  std::string authority;  // Host, unless the request has its own
  bool secure = false;
  Duration pingInterval{};
};

std::unique_ptr<ClientSession> makeClientH1(const ClientSessionOptions& options);
std::unique_ptr<ClientSession> makeClientH2(const ClientSessionOptions& options);

class ClientConnection : public std::enable_shared_from_this<ClientConnection> {
 public:
  // `changed`: it may take another exchange again, or it is gone (see isOpen()).
  ClientConnection(std::unique_ptr<Stream> stream, std::unique_ptr<ClientSession> session,
                   std::function<void(const std::shared_ptr<ClientConnection>&)> changed);
  void begin();
  bool isOpen() const { return session_ != nullptr; }
  bool canStart() const { return session_ && session_->canStart(); }
  bool idle() const { return !session_ || session_->idle(); }
  void start(const std::shared_ptr<ClientExchange>& exchange) { session_->start(exchange); }
  void news(const std::shared_ptr<ClientExchange>& exchange) {
    if (session_) session_->news(exchange);
  }
  void flush();  // after start() and news()
  void close(const Status& why);

 private:
  void waitReadable();
  void onReadable();
  void readAvailable();
  void waitWritable();
  void onDeadline();

  std::shared_ptr<Lane> lane_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<ClientSession> session_;
  std::function<void(const std::shared_ptr<ClientConnection>&)> changed_;
  std::optional<Deadline> deadline_;
  bool waitingRead_ = false, waitingWrite_ = false, inputEnded_ = false;
  std::string why_;
};

}  // namespace ph::net
