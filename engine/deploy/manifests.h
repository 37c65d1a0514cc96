// Manifests: what a deploy is given: a folder of YAML and JSON files with image archives beside them, or one archive.
// Threads: blocking reads.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/deploy/api.h"

namespace ph::deploy {

struct Source {
  std::vector<Json> objects;          // in the order in which they are applied
  std::vector<std::string> archives;  // image archives to bring
};

// 400 in words with the file's name (and which document of it) when something can't be read.
Result<Source> readSource(const std::string& path);
// One file's documents, lists taken apart.
Result<std::vector<Json>> parseManifests(const std::string& text, const std::string& file);
// Kinds that others need come first; else the order stays.
void sortForApply(std::vector<Json>& objects);
// Replaces the image NAME (whatever its tag) by REF in every pod template; answers how many it replaced.
int replaceImage(Json& object, const std::string& name, const std::string& ref);
// A Deployment, and a Service for the ports ("8080/tcp") that the image exposes.
std::vector<Json> objectsForImage(const std::string& app, const std::string& ns, const std::string& ref, const std::string& digest,
                                  const std::vector<std::string>& ports);

}  // namespace ph::deploy
