// DNS messages: one question in, one answer out. Source: RFC 1035 (format), RFC 6891 (EDNS0), RFC 2782 (SRV).
// Malformed input is an error, never a crash: all reads are checked against the datagram's end.
// Threads: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace ph::agents::dns {

enum Type : uint16_t { kA = 1, kCname = 5, kSoa = 6, kPtr = 12, kAaaa = 28, kSrv = 33, kAny = 255 };
enum Rcode : uint8_t { kNoError = 0, kFormErr = 1, kServFail = 2, kNxDomain = 3, kNotImp = 4, kRefused = 5 };

struct Query {
  uint16_t id = 0;
  bool recursionDesired = false;
  uint8_t opcode = 0;
  std::string name;        // lower case, dots between labels, no dot at the end
  uint16_t type = 0, klass = 0;
  size_t questionEnd = 0;  // offset behind the question in the datagram
  size_t maxAnswer = 512;  // bytes the asker takes over UDP
  bool edns = false;
};

struct Record {
  std::string name;
  uint16_t type = 0;
  uint32_t ttl = 5;        // seconds
  std::string data;        // rdata as on the wire
};

// `datagram` is the message without TCP's length prefix. An error means: drop it (its id can't be trusted).
Result<Query> parseQuery(std::string_view datagram);

struct Answer {
  Rcode rcode = kNoError;
  bool authoritative = true;
  std::vector<Record> answers, authority, additional;
};
// `maxSize`: 65535 over TCP. What does not fit is left out and the TC bit set (answers first).
std::string encodeAnswer(const Query& query, const Answer& answer, std::string_view datagram, size_t maxSize);

std::string addressData(std::string_view ipv4);   // empty when it is no IPv4 address
std::string nameData(std::string_view name);      // uncompressed wire form
std::string srvData(uint16_t port, std::string_view target);
std::string soaData(std::string_view domain);

}  // namespace ph::agents::dns
