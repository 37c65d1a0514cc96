#include "engine/base/random.h"

#include <sys/random.h>

#include <mutex>

#include "engine/base/check.h"

namespace ph {
namespace {

// The kernel's randomness, a page at a time.
class SystemRandom : public Random {
 public:
  uint64_t next() override {
    std::lock_guard lock(mutex_);
    if (used_ == std::size(pool_)) {
      char* at = reinterpret_cast<char*>(pool_);
      for (size_t have = 0; have < sizeof pool_;) {
        ssize_t n = getrandom(at + have, sizeof pool_ - have, 0);
        if (n < 0) continue;  // EINTR; any other error cannot happen with these arguments
        have += size_t(n);
      }
      used_ = 0;
    }
    uint64_t value = pool_[used_];
    pool_[used_++] = 0;
    return value;
  }

 private:
  std::mutex mutex_;
  uint64_t pool_[64];
  size_t used_ = std::size(pool_);
};

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
class SeededRandom : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t next() override {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

}  // namespace

uint64_t Random::below(uint64_t n) {
  PH_CHECK(n > 0);
  // Rejects the top, uneven part of the range, so that every value is equally likely.
  uint64_t limit = UINT64_MAX - UINT64_MAX % n;
  uint64_t value;
  do value = next();
  while (value >= limit);
  return value % n;
}

double Random::unit() { return double(next() >> 11) * 0x1.0p-53; }

std::string Random::suffix(int n) {
  static constexpr char kLetters[] = "bcdfghjklmnpqrstvwxz2456789";
  std::string s(size_t(n), ' ');
  for (char& c : s) c = kLetters[below(sizeof kLetters - 1)];
  return s;
}

std::string Random::hex(int bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string s;
  s.reserve(size_t(bytes) * 2);
  for (int i = 0; i < bytes; i += 8) {
    uint64_t v = next();
    for (int j = i; j < bytes && j < i + 8; ++j, v >>= 8) {
      s += kHex[(v >> 4) & 15];
      s += kHex[v & 15];
    }
  }
  return s;
}

std::string Random::uuid() {
  std::string h = hex(16);
  h[12] = '4';
  h[16] = "89ab"[next() & 3];
  std::string out;
  out.reserve(36);
  for (size_t i = 0; i < h.size(); ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
    out += h[i];
  }
  return out;
}

Random& systemRandom() {
  static SystemRandom random;
  return random;
}

std::unique_ptr<Random> seededRandom(uint64_t seed) { return std::make_unique<SeededRandom>(seed); }

}  // namespace ph
