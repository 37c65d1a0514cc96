// api_gen OUT_DIR SCHEMA...: reads resources/schemas/*.yaml, writes OUT_DIR/engine/api/types/PACKAGE.{h,cpp} and builtin.cpp.
// Runs on the build host; files whose text is unchanged keep their time, so that nothing is rebuilt for them.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/api/gen/model.h"

namespace ph::api::gen {

void fail(const std::string& message) {
  std::fprintf(stderr, "api_gen: %s\n", message.c_str());
  std::exit(1);
}

namespace {
void writeIfChanged(const std::filesystem::path& path, const std::string& text) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream old;
  if (in && (old << in.rdbuf()) && old.str() == text) return;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  if (!(out << text) || !out.flush()) fail("can't write " + path.string());
}
}  // namespace

}  // namespace ph::api::gen

int main(int argc, char** argv) {
  using namespace ph::api::gen;
  if (argc < 3) fail("usage: api_gen OUT_DIR SCHEMA...");
  auto dir = std::filesystem::path(argv[1]) / "engine/api/types";
  std::filesystem::create_directories(dir);
  Model model = readModel({argv + 2, argv + argc});
  for (auto& p : model.packages) {
    writeIfChanged(dir / (p.name + ".h"), writeHeader(model, p));
    writeIfChanged(dir / (p.name + ".cpp"), writeTables(model, p));
  }
  writeIfChanged(dir / "builtin.cpp", writeKinds(model));
}
