#include "engine/base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/base/check.h"

namespace ph {
namespace {

// The kernel's randomness, much at a time and for each thread its own.
class SystemRandom : public Random {
 public:
  uint64_t next() override {
    thread_local Pool pool;
    if (pool.used == std::size(pool.values)) pool.fill();
    return std::exchange(pool.values[pool.used++], 0);
  }

 private:
  struct Pool {
    uint64_t values[128];
    size_t used = std::size(values);

    void fill() {
      char* at = reinterpret_cast<char*>(values);
      for (size_t have = 0; have < sizeof values;) {
        ssize_t n = getrandom(at + have, sizeof values - have, 0);
        if (n < 0) continue;  // EINTR; any other error cannot happen with these arguments
        have += size_t(n);
      }
      used = 0;
    }
  };
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
  std::string s(size_t(bytes) * 2, ' ');
  char* at = s.data();
  for (int i = 0; i < bytes; i += 8) {
    uint64_t v = next();
    for (int j = i; j < bytes && j < i + 8; ++j, v >>= 8) {
      *at++ = kHex[(v >> 4) & 15];
      *at++ = kHex[v & 15];
    }
  }
  return s;
}

std::string Random::uuid() {
  std::string h = hex(16);
  h[12] = '4';
  h[16] = "89ab"[next() & 3];
  std::string out(36, '-');
  char* at = out.data();
  size_t from = 0;
  for (size_t part : {8, 4, 4, 4, 12}) {
    at = std::copy_n(h.data() + from, part, at) + 1;
    from += part;
  }
  return out;
}

Random& systemRandom() {
  static SystemRandom random;
  return random;
}

std::unique_ptr<Random> seededRandom(uint64_t seed) { return std::make_unique<SeededRandom>(seed); }

}  // namespace ph
