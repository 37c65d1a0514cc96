#include "agents/dns/message.h"

#include <arpa/inet.h>

#include <algorithm>

namespace ph::agents::dns {
namespace {

constexpr size_t kHeader = 12;
constexpr uint16_t kOpt = 41;

uint16_t read16(std::string_view m, size_t at) {
  return uint16_t(uint8_t(m[at]) << 8 | uint8_t(m[at + 1]));
}
void put16(std::string& out, uint16_t v) {
  out += char(v >> 8);
  out += char(v & 0xff);
}
void put32(std::string& out, uint32_t v) {
  put16(out, uint16_t(v >> 16));
  put16(out, uint16_t(v & 0xffff));
}

// Reads an uncompressed name (a query's question never needs compression). False when malformed.
bool readName(std::string_view m, size_t& at, std::string& out) {
  while (at < m.size()) {
    size_t length = uint8_t(m[at++]);
    if (length == 0) return true;
    if (length > 63 || at + length > m.size() || out.size() + length + 1 > 254) return false;
    if (!out.empty()) out += '.';
    for (size_t i = 0; i < length; ++i) {
      char c = m[at + i];
      out += c >= 'A' && c <= 'Z' ? char(c + 32) : c;
    }
    at += length;
  }
  return false;
}

// Passes over a name, compressed or not.
bool skipName(std::string_view m, size_t& at) {
  while (at < m.size()) {
    size_t length = uint8_t(m[at++]);
    if (length == 0) return true;
    if ((length & 0xc0) == 0xc0) return ++at <= m.size();
    if (length > 63 || at + length > m.size()) return false;
    at += length;
  }
  return false;
}

// Looks for EDNS0's OPT among the records behind the question.
void readEdns(std::string_view m, size_t at, int records, Query& q) {
  for (int i = 0; i < records; ++i) {
    if (!skipName(m, at) || at + 10 > m.size()) return;
    uint16_t type = read16(m, at), klass = read16(m, at + 2), length = read16(m, at + 8);
    at += 10 + length;
    if (at > m.size()) return;
    if (type == kOpt) {
      q.edns = true;
      q.maxAnswer = std::clamp<size_t>(klass, 512, 4096);
    }
  }
}

std::string wire(const Record& r) {
  std::string out = nameData(r.name);
  put16(out, r.type);
  put16(out, 1);  // IN
  put32(out, r.ttl);
  put16(out, uint16_t(r.data.size()));
  return out + r.data;
}

}  // namespace

Result<Query> parseQuery(std::string_view m) {
  if (m.size() < kHeader) return Status::badRequest("shorter than a header");
  if (uint8_t(m[2]) & 0x80) return Status::badRequest("an answer, not a question");
  Query q;
  q.id = read16(m, 0);
  q.opcode = (uint8_t(m[2]) >> 3) & 15;
  q.recursionDesired = uint8_t(m[2]) & 1;
  if (read16(m, 4) != 1) return Status::badRequest("not one question");
  size_t at = kHeader;
  if (!readName(m, at, q.name) || at + 4 > m.size()) return Status::badRequest("malformed question");
  q.type = read16(m, at);
  q.klass = read16(m, at + 2);
  q.questionEnd = at + 4;
  readEdns(m, q.questionEnd, read16(m, 6) + read16(m, 8) + read16(m, 10), q);
  return q;
}

std::string encodeAnswer(const Query& q, const Answer& a, std::string_view datagram, size_t maxSize) {
  std::string body(datagram.substr(kHeader, q.questionEnd - kHeader));
  std::string opt;
  if (q.edns) {
    opt += '\0';
    put16(opt, kOpt);
    put16(opt, 4096);
    put32(opt, 0);
    put16(opt, 0);
  }
  bool truncated = false;
  auto append = [&](const std::vector<Record>& records) {
    uint16_t count = 0;
    for (auto& r : records) {
      std::string one = wire(r);
      if (kHeader + body.size() + one.size() + opt.size() > maxSize) {
        truncated = true;
        break;
      }
      body += one;
      ++count;
    }
    return count;
  };
  uint16_t answers = append(a.answers);
  bool answersCut = truncated;
  uint16_t authority = answersCut ? uint16_t(0) : append(a.authority);
  uint16_t additional = answersCut ? uint16_t(0) : append(a.additional);
  if (q.edns) ++additional, body += opt;

  std::string out;
  put16(out, q.id);
  uint16_t flags = uint16_t(0x8000 | q.opcode << 11 | (a.authoritative ? 0x400 : 0) | (answersCut ? 0x200 : 0) |
                            (q.recursionDesired ? 0x100 : 0) | 0x80 | a.rcode);
  put16(out, flags);
  put16(out, 1);
  put16(out, answers);
  put16(out, authority);
  put16(out, additional);
  return out + body;
}

std::string addressData(std::string_view ipv4) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(ipv4).c_str(), &address) != 1) return {};
  return std::string(reinterpret_cast<const char*>(&address.s_addr), 4);
}

std::string nameData(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    size_t dot = std::min(name.find('.'), name.size());
    if (dot > 0) {
      out += char(std::min<size_t>(dot, 63));
      out += name.substr(0, std::min<size_t>(dot, 63));
    }
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return out + '\0';
}

std::string srvData(uint16_t port, std::string_view target) {
  std::string out;
  put16(out, 0);    // priority
  put16(out, 100);  // weight
  put16(out, port);
  return out + nameData(target);
}

std::string soaData(std::string_view domain) {
  std::string out = nameData("ns.dns." + std::string(domain)) + nameData("hostmaster." + std::string(domain));
  for (uint32_t v : {1u, 7200u, 1800u, 86400u, 5u}) put32(out, v);  // the last: how long a "no" may be kept
  return out;
}

}  // namespace ph::agents::dns
