// resource.Quantity: decimal numbers with SI or binary suffixes. Source: Kubernetes API documents, "Quantity".
// Threads: plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ph::api {

// Exact to a nano unit where it fits 64 bits of whole units; larger values saturate.
class Quantity {
 public:
  enum class Format : uint8_t { DecimalSi, BinarySi, DecimalExponent };
  Quantity() = default;
  static std::optional<Quantity> parse(std::string_view text);
  static Quantity fromMilli(int64_t milli, Format format = Format::DecimalSi);
  static Quantity fromUnits(int64_t units, Format format = Format::DecimalSi);
  int64_t milli() const;   // rounded up, as the scheduler counts CPU
  int64_t units() const;   // rounded up, as it counts bytes
  std::string text() const;  // canonical form ("1500m", "2Gi")
  bool isZero() const { return units_ == 0 && nano_ == 0; }
  bool negative() const { return units_ < 0 || nano_ < 0; }
  int compare(const Quantity& o) const;
  Quantity operator+(const Quantity& o) const;
  Quantity operator-(const Quantity& o) const;
  bool operator==(const Quantity& o) const { return compare(o) == 0; }
  bool operator<(const Quantity& o) const { return compare(o) < 0; }

 private:
  int64_t units_ = 0;
  int32_t nano_ = 0;  // same sign as units_
  Format format_ = Format::DecimalSi;
};

}  // namespace ph::api
