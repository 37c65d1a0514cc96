#include "engine/net/spdy.h"

#include <zlib.h>

#include <algorithm>

namespace ph::net {
namespace {

constexpr size_t kMaxControl = 64 * 1024;  // bytes of a control frame, and of its headers when they are unpacked
constexpr size_t kMaxHeaders = 200;
constexpr uint16_t kVersion = 3;

// What both sides' compressors start from: words with their lengths, then a text. The protocol fixes every byte of it.
const std::string& dictionary() {
  static constexpr std::string_view words[] = {
    "options", "head", "post", "put", "delete", "trace", "accept", "accept-charset", "accept-encoding", "accept-language",
    "accept-ranges", "age", "allow", "authorization", "cache-control", "connection", "content-base", "content-encoding",
    "content-language", "content-length", "content-location", "content-md5", "content-range", "content-type", "date", "etag",
    "expect", "expires", "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
    "last-modified", "location", "max-forwards", "pragma", "proxy-authenticate", "proxy-authorization", "range", "referer",
    "retry-after", "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via", "warning",
    "www-authenticate", "method", "get", "status", "200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive",
    "origin"};
  static constexpr std::string_view text =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritativ"
    "e Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 I"
    "nternal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec"
    " 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xm"
    "l,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset="
    "iso-8859-1,utf-,*,enq=0.";
  static const std::string made = [] {
    std::string out;
    for (auto word : words) {
      out += {'\0', '\0', '\0', char(word.size())};
      out += word;
    }
    return out + std::string(text);
  }();
  return made;
}

void put32(std::string& out, uint32_t n) { out += {char(n >> 24), char(n >> 16), char(n >> 8), char(n)}; }
uint32_t get32(std::string_view in, size_t at) {
  auto byte = [&](size_t i) { return uint32_t(uint8_t(in[at + i])); };
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}
uint32_t getId(std::string_view in, size_t at) { return get32(in, at) & 0x7fffffff; }

std::string control(SpdyFrame::Type type, uint8_t flags, std::string_view body) {
  std::string out{char(0x80 | kVersion >> 8), char(kVersion), '\0', char(type)};
  put32(out, uint32_t(flags) << 24 | uint32_t(body.size()));
  return out.append(body);
}

Result<SpdyHeaders> readPairs(std::string_view block) {
  auto bad = [] { return Status::badRequest("SPDY: malformed headers"); };
  if (block.size() < 4) return bad();
  size_t count = get32(block, 0), at = 4;
  if (count > kMaxHeaders) return bad();
  SpdyHeaders out;
  auto text = [&](std::string& to) {
    if (block.size() - at < 4) return false;
    size_t size = get32(block, at);
    at += 4;
    if (size > block.size() - at) return false;
    to.assign(block.substr(at, size));
    at += size;
    return true;
  };
  for (size_t i = 0; i < count; ++i) {
    std::string name, value;
    if (!text(name) || name.empty() || !text(value)) return bad();
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

}  // namespace

std::string_view spdyHeader(const SpdyHeaders& headers, std::string_view name) {
  for (auto& [n, v] : headers)
    if (n == name) return v;
  return {};
}

// ---- packing -----------------------------------------------------------------------------------------------------

struct SpdyWriter::Packer {
  z_stream z{};
  Packer() {
    deflateInit(&z, Z_BEST_SPEED);
    deflateSetDictionary(&z, reinterpret_cast<const Bytef*>(dictionary().data()), uInt(dictionary().size()));
  }
  ~Packer() { deflateEnd(&z); }
};

SpdyWriter::SpdyWriter() : packer_(std::make_unique<Packer>()) {}
SpdyWriter::~SpdyWriter() = default;

std::string SpdyWriter::pack(const SpdyHeaders& headers) {
  std::string plain, out;
  put32(plain, uint32_t(headers.size()));
  for (auto& [name, value] : headers) {
    put32(plain, uint32_t(name.size()));
    plain += name;
    put32(plain, uint32_t(value.size()));
    plain += value;
  }
  auto& z = packer_->z;
  z.next_in = reinterpret_cast<Bytef*>(plain.data());
  z.avail_in = uInt(plain.size());
  char room[4096];
  do {
    z.next_out = reinterpret_cast<Bytef*>(room);
    z.avail_out = sizeof room;
    deflate(&z, Z_SYNC_FLUSH);
    out.append(room, sizeof room - z.avail_out);
  } while (z.avail_out == 0);
  return out;
}

std::string SpdyWriter::synStream(uint32_t stream, const SpdyHeaders& headers, bool fin) {
  std::string body;
  put32(body, stream);
  put32(body, 0);        // associated with none
  body += {'\0', '\0'};  // priority, slot
  return control(SpdyFrame::SynStream, fin ? 1 : 0, body + pack(headers));
}

std::string SpdyWriter::synReply(uint32_t stream, const SpdyHeaders& headers, bool fin) {
  std::string body;
  put32(body, stream);
  return control(SpdyFrame::SynReply, fin ? 1 : 0, body + pack(headers));
}

std::string SpdyWriter::data(uint32_t stream, std::string_view bytes, bool fin) {
  std::string out;
  out.reserve(bytes.size() + 8);
  put32(out, stream);
  put32(out, (fin ? 1u << 24 : 0) | uint32_t(bytes.size()));
  return out.append(bytes);
}

std::string SpdyWriter::reset(uint32_t stream, uint32_t status) {
  std::string body;
  put32(body, stream);
  put32(body, status);
  return control(SpdyFrame::RstStream, 0, body);
}

std::string SpdyWriter::ping(uint32_t id) {
  std::string body;
  put32(body, id);
  return control(SpdyFrame::Ping, 0, body);
}

std::string SpdyWriter::goAway(uint32_t lastStream, uint32_t status) {
  std::string body;
  put32(body, lastStream);
  put32(body, status);
  return control(SpdyFrame::GoAway, 0, body);
}

// ---- reading -----------------------------------------------------------------------------------------------------

struct SpdyReader::Unpacker {
  z_stream z{};
  Unpacker() { inflateInit(&z); }
  ~Unpacker() { inflateEnd(&z); }
};

SpdyReader::SpdyReader() : unpacker_(std::make_unique<Unpacker>()) {}
SpdyReader::~SpdyReader() = default;

Result<SpdyHeaders> SpdyReader::unpack(std::string_view packed) {
  auto& z = unpacker_->z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  z.avail_in = uInt(packed.size());
  std::string plain;
  char room[4096];
  for (;;) {
    z.next_out = reinterpret_cast<Bytef*>(room);
    z.avail_out = sizeof room;
    int outcome = inflate(&z, Z_SYNC_FLUSH);
    if (outcome == Z_NEED_DICT &&
        inflateSetDictionary(&z, reinterpret_cast<const Bytef*>(dictionary().data()), uInt(dictionary().size())) == Z_OK)
      continue;
    plain.append(room, sizeof room - z.avail_out);
    if (plain.size() > kMaxControl) return Status::badRequest("SPDY: the headers are too large");
    // No progress: all that came is unpacked.
    if (outcome == Z_BUF_ERROR || (outcome == Z_OK && z.avail_in == 0 && z.avail_out > 0)) break;
    if (outcome != Z_OK) return Status::badRequest("SPDY: the headers can't be unpacked");
  }
  return readPairs(plain);
}

Result<> SpdyReader::feed(std::string_view bytes, SpdySink& sink) {
  while (!bytes.empty()) {
    if (dataLeft_ > 0) {
      auto piece = bytes.substr(0, std::min<size_t>(dataLeft_, bytes.size()));
      bytes.remove_prefix(piece.size());
      dataLeft_ -= uint32_t(piece.size());
      if (!sink.onData(dataStream_, piece, dataFin_ && dataLeft_ == 0)) return {};
      continue;
    }
    // A head, then (of a control frame) all of the body.
    size_t wanted = head_.size() < 8 ? 8 : 8 + (get32(head_, 4) & 0xffffff);
    auto piece = bytes.substr(0, wanted - head_.size());
    head_.append(piece);
    bytes.remove_prefix(piece.size());
    if (head_.size() < 8) return {};
    uint32_t length = get32(head_, 4) & 0xffffff;
    if (!(uint8_t(head_[0]) & 0x80)) {
      dataStream_ = getId(head_, 0);
      dataFin_ = head_[4] & 1;
      dataLeft_ = length;
      head_.clear();
      if (dataStream_ == 0) return Status::badRequest("SPDY: data of no stream");
      if (length == 0 && !sink.onData(dataStream_, {}, dataFin_)) return {};
      continue;
    }
    if (length > kMaxControl) return Status::badRequest("SPDY: a control frame is too large");
    if (head_.size() < 8 + length) continue;
    std::string frame;
    frame.swap(head_);
    SpdyFrame out;
    PH_ASSIGN(bool known, decode(frame, out));
    if (known && !sink.onFrame(std::move(out))) return {};
  }
  return {};
}

Result<bool> SpdyReader::decode(std::string_view frame, SpdyFrame& out) {
  uint32_t first = get32(frame, 0);
  if ((first >> 16 & 0x7fff) != kVersion) return Status::badRequest("SPDY: only version 3 is spoken here");
  uint8_t flags = uint8_t(frame[4]);
  auto body = frame.substr(8);
  auto shorter = [&](size_t wanted) { return body.size() < wanted; };
  auto tooShort = [] { return Status::badRequest("SPDY: a frame is too short"); };
  out.type = SpdyFrame::Type(first & 0xffff);
  out.fin = flags & 1;
  switch (out.type) {
    case SpdyFrame::SynStream: {
      if (shorter(10)) return tooShort();
      out.stream = getId(body, 0);
      out.unidirectional = flags & 2;
      PH_ASSIGN(out.headers, unpack(body.substr(10)));
      break;
    }
    case SpdyFrame::SynReply:
    case SpdyFrame::Headers: {
      if (shorter(4)) return tooShort();
      out.stream = getId(body, 0);
      PH_ASSIGN(out.headers, unpack(body.substr(4)));
      break;
    }
    case SpdyFrame::RstStream:
    case SpdyFrame::WindowUpdate:
    case SpdyFrame::GoAway:
      if (shorter(8)) return tooShort();
      out.stream = getId(body, 0);
      out.value = get32(body, 4);
      return true;
    case SpdyFrame::Ping:
      if (shorter(4)) return tooShort();
      out.value = get32(body, 0);
      return true;
    default: return false;  // SETTINGS, and what later versions have: nothing in them is needed
  }
  if (out.stream == 0) return Status::badRequest("SPDY: a stream without a number");
  return true;
}

}  // namespace ph::net
