// Session: one HTTP version's side of a server connection: bytes in, requests to the handler, answers out as
// bytes. The connection owns the stream and calls the session; the session knows no socket. Lane thread only.
#pragma once

#include "engine/net/exchange.h"

namespace ph::net {

// What a session asks of its connection.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  virtual const ServerLimits& limits() const = 0;
  virtual bool stopping() const = 0;  // the server is; this connection will hear of it soon
  virtual Lane& lane() = 0;
  // Counts bytes of a body that is arriving; false when all connections together hold too much. Whatever was counted, also in vain,
  // is to be given back when the body has gone on or is dropped.
  virtual bool takeBodyBytes(size_t bytes) = 0;
  virtual void giveBodyBytes(size_t bytes) = 0;
  virtual std::shared_ptr<Exchange> newExchange(int32_t streamId) = 0;
  // Fills in the peer and calls the handler.
  virtual void dispatch(Request request, std::shared_ptr<Exchange> exchange) = 0;
  // Run Exchange::close() and runDrain() when the current output is on its way.
  virtual void closeSoon(std::shared_ptr<Exchange> exchange) = 0;
  virtual void drainSoon(std::shared_ptr<Exchange> exchange) = 0;
  // The stream becomes a WebSocket; the session is not called any more.
  virtual void upgradeSoon(std::shared_ptr<Exchange> exchange, Exchange::News news, std::string received) = 0;
};

class Session {
 public:
  virtual ~Session() = default;
  virtual void receive(std::string_view bytes) = 0;
  virtual bool wantsInput() const = 0;
  virtual void inputEnded() = 0;                                       // the peer will send no more
  virtual void answer(const std::shared_ptr<Exchange>& exchange) = 0;  // it has news
  // Appends output to `out`, about `room` bytes at most. Nothing appended: there is none now.
  virtual void fill(std::string& out, size_t room) = 0;
  virtual bool finished() const = 0;      // after the output so far, the connection is to be ended in order
  virtual bool broken() const = 0;        // the connection is to be dropped at once
  virtual void beginStop() = 0;           // take no new requests, finish soon
  virtual void abandon() = 0;             // the connection is gone: close all exchanges
  virtual MonoTime deadline() const = 0;  // MonoTime::max(): none
  virtual void onDeadline(MonoTime now) = 0;
};

std::unique_ptr<Session> makeH1Session(SessionHost& host);
std::unique_ptr<Session> makeH2Session(SessionHost& host);

}  // namespace ph::net
