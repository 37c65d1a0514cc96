#include "engine/api/builtin.h"

namespace ph::api {

const Strategy* strategyFor(std::string_view) {
  static const Strategy none;
  return &none;
}

}  // namespace ph::api
