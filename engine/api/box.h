// Box<T>: an optional struct on the heap that copies deeply; for the pointer fields of generated structs.
// Threads: a plain value.
#pragma once

#include <utility>

#include "engine/base/check.h"

namespace ph::api {

// The part that the codec's interpreter sees: one pointer, whatever T is.
struct BoxBase {
  void* p = nullptr;
};

template <class T> class Box : private BoxBase {
 public:
  Box() = default;
  Box(T value) { p = new T(std::move(value)); }
  Box(const Box& o) { p = o ? new T(*o) : nullptr; }
  Box(Box&& o) noexcept { p = std::exchange(o.p, nullptr); }
  Box& operator=(const Box& o) {
    if (this != &o) *this = Box(o);
    return *this;
  }
  Box& operator=(Box&& o) noexcept {
    if (this != &o) {
      reset();
      p = std::exchange(o.p, nullptr);
    }
    return *this;
  }
  ~Box() { reset(); }

  explicit operator bool() const { return p != nullptr; }
  bool has_value() const { return p != nullptr; }
  T* get() { return static_cast<T*>(p); }
  const T* get() const { return static_cast<const T*>(p); }
  T* operator->() { PH_CHECK(p); return get(); }
  const T* operator->() const { PH_CHECK(p); return get(); }
  T& operator*() { PH_CHECK(p); return *get(); }
  const T& operator*() const { PH_CHECK(p); return *get(); }
  // The value, made empty first where there is none.
  T& ensure() {
    if (!p) p = new T();
    return *get();
  }
  // The value, or an empty one that lives for ever.
  const T& orEmpty() const {
    static const T empty{};
    return p ? *get() : empty;
  }
  void reset() {
    delete get();
    p = nullptr;
  }
};

}  // namespace ph::api
