// libFuzzer's entry: the environment's PH_FUZZ_TARGET says which target runs; "list" prints their names.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/targets.h"

namespace {
const ph::fuzz::Target* chosen = nullptr;
}

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* wanted = std::getenv("PH_FUZZ_TARGET");
  for (auto& target : ph::fuzz::targets()) {
    if (wanted && target.name == wanted) chosen = &target;
    if (wanted && std::string_view(wanted) == "list") std::printf("%.*s\n", int(target.name.size()), target.name.data());
  }
  if (wanted && std::string_view(wanted) == "list") std::exit(0);
  if (!chosen) {
    std::fprintf(stderr, "PH_FUZZ_TARGET must name a target (or \"list\")\n");
    std::exit(2);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  chosen->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
