#include "agents/pods/pod_store.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/base/log.h"

namespace ph::agents {

namespace fs = std::filesystem;

PodStore::PodStore(std::string folder, const api::ResourceInfo* pods) : folder_(std::move(folder)), pods_(pods) {
  std::error_code ec;
  if (!folder_.empty()) {
    fs::create_directories(folder_, ec);
    fs::permissions(folder_, fs::perms::owner_all, ec);
  }
}

void PodStore::save(const api::Object& pod) {
  if (folder_.empty()) return;
  std::string path = folder_ + "/" + pod.uid() + ".json", fresh = path + ".new";
  std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
  out << pod.json();
  out.close();
  if (!out || std::rename(fresh.c_str(), path.c_str()) != 0) PH_LOG(Warn, "pods", "can't keep {} on the disk: {}", pod.key(), path);
}

void PodStore::remove(const std::string& uid) {
  if (!folder_.empty()) std::remove((folder_ + "/" + uid + ".json").c_str());
}

std::vector<api::ObjectPtr> PodStore::load() const {
  std::vector<api::ObjectPtr> pods;
  if (folder_.empty()) return pods;
  std::error_code ec;
  for (auto& entry : fs::directory_iterator(folder_, ec)) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    auto pod = entry.path().extension() == ".json" ? api::Object::parse(pods_, text.str()) : Result<api::ObjectPtr>(Status::internal("left over"));
    if (pod.ok() && !(*pod)->uid().empty()) {
      pods.push_back(*pod);
    } else {
      PH_LOG(Warn, "pods", "{} is not a pod", entry.path().string());
      fs::remove(entry.path(), ec);
    }
  }
  return pods;
}

}  // namespace ph::agents
