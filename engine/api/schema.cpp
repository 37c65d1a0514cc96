#include "engine/api/schema.h"

namespace ph::api {

const Field* Type::field(std::string_view wanted) const {
  for (uint32_t i = 0; i < fieldCount; ++i) {
    const Field& f = fields[i];
    if (f.inlined) {
      if (auto* inner = f.type->field(wanted)) return inner;
    } else if (f.name == wanted) {
      return &f;
    }
  }
  return nullptr;
}

}  // namespace ph::api
