// ProtobufWriter: the wire format of protocol buffers, written by hand. Source: Protocol Buffers, "Encoding".
// Threads: a plain value.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ph::api {

class ProtobufWriter {
 public:
  void varint(int field, uint64_t value) {
    tag(field, 0);
    raw(value);
  }
  void boolean(int field, bool value) { varint(field, value ? 1 : 0); }
  void number(int field, double value) {
    tag(field, 1);
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; ++i) out_ += static_cast<char>(bits >> (8 * i));
  }
  void bytes(int field, std::string_view value) {
    tag(field, 2);
    raw(value.size());
    out_ += value;
  }
  void message(int field, const ProtobufWriter& m) { bytes(field, m.out_); }
  const std::string& data() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  void tag(int field, int wire) { raw(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(wire)); }
  void raw(uint64_t v) {
    while (v >= 0x80) {
      out_ += static_cast<char>(v | 0x80);
      v >>= 7;
    }
    out_ += static_cast<char>(v);
  }
  std::string out_;
};

}  // namespace ph::api
