#include "agents/runtime/pause_image.h"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

#include "engine/net/pki.h"

// The program, built for this machine's kind beside the agent (pause/pause.cpp).
asm(".section .rodata.pause,\"a\"\n"
    ".global ph_pause_begin\n"
    ".global ph_pause_end\n"
    "ph_pause_begin:\n"
    ".incbin \"" PH_PAUSE_FILE "\"\n"
    "ph_pause_end:\n"
    ".previous\n");
extern "C" const char ph_pause_begin[], ph_pause_end[];

namespace ph::agents {
namespace {

constexpr size_t block = 512;

void addFile(std::string& tar, const std::string& name, std::string_view data, int mode) {
  char head[block] = {};
  std::snprintf(head, 100, "%s", name.c_str());
  std::snprintf(head + 100, 8, "%07o", mode);
  std::snprintf(head + 108, 8, "%07o", 0);
  std::snprintf(head + 116, 8, "%07o", 0);
  std::snprintf(head + 124, 12, "%011zo", data.size());
  std::snprintf(head + 136, 12, "%011o", 1700000000u);
  head[156] = '0';
  std::memcpy(head + 257, "ustar\0" "00", 8);
  std::memset(head + 148, ' ', 8);
  unsigned sum = 0;
  for (unsigned char c : head) sum += c;
  std::snprintf(head + 148, 8, "%06o", sum);
  tar.append(head, block);
  tar.append(data);
  tar.append((block - data.size() % block) % block, '\0');
}

}  // namespace

std::string pauseArchive(const std::string& architecture) {
  std::string layer;
  addFile(layer, "pause", {ph_pause_begin, size_t(ph_pause_end - ph_pause_begin)}, 0755);
  layer.append(2 * block, '\0');
  std::string config = fmt::format(
      R"({{"architecture":"{}","os":"linux","created":"2023-11-14T22:13:20Z","config":{{"Entrypoint":["/pause"],"WorkingDir":"/"}},)"
      R"("rootfs":{{"type":"layers","diff_ids":["sha256:{}"]}},"history":[{{"created":"2023-11-14T22:13:20Z"}}]}})",
      architecture, net::sha256Hex(layer));
  std::string configName = net::sha256Hex(config) + ".json";
  std::string tar;
  addFile(tar, "manifest.json", fmt::format(R"([{{"Config":"{}","RepoTags":["{}"],"Layers":["layer.tar"]}}])", configName, pauseImage), 0644);
  addFile(tar, configName, config, 0644);
  addFile(tar, "layer.tar", layer, 0644);
  tar.append(2 * block, '\0');
  return tar;
}

}  // namespace ph::agents
