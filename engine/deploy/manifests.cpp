#include "engine/deploy/manifests.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engine/api/codec.h"

namespace ph::deploy {
namespace {

namespace fs = std::filesystem;
constexpr size_t kMaxFile = 8 << 20;  // bytes of a manifest

bool isArchive(const std::string& name) { return name.ends_with(".tar") || name.ends_with(".tar.gz") || name.ends_with(".tgz"); }
bool isManifest(const std::string& name) { return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"); }

Result<std::string> readText(const std::string& file) {
  std::error_code error;
  auto size = fs::file_size(file, error);
  if (error) return Status::badRequest(file + ": can't be read: " + error.message());
  if (size > kMaxFile) return Status::badRequest(file + ": is too large for a manifest");
  std::ifstream in(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  if (!in && !in.eof()) return Status::badRequest(file + ": can't be read");
  return text;
}

// A YAML stream's documents: parted by lines that begin with three dashes.
std::vector<std::string> documents(const std::string& text) {
  std::vector<std::string> out(1);
  for (size_t at = 0; at < text.size();) {
    auto end = std::min(text.find('\n', at), text.size());
    std::string_view line(text.data() + at, end - at);
    if (line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\r' || line[3] == '\t')) out.emplace_back();
    else out.back().append(line).append("\n");
    at = end + 1;
  }
  return out;
}

bool blank(const std::string& document) {
  for (size_t at = 0; at < document.size();) {
    auto end = std::min(document.find('\n', at), document.size());
    auto first = document.find_first_not_of(" \t\r", at);
    if (first < end && document[first] != '#') return false;
    at = end + 1;
  }
  return true;
}

int rankOf(const Json& object) {
  static constexpr std::string_view order[] = {"Namespace", "CustomResourceDefinition", "PriorityClass", "StorageClass", "ResourceQuota", "LimitRange",
                                               "ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Secret", "ConfigMap",
                                               "PersistentVolume", "PersistentVolumeClaim", "Service"};
  auto kind = textAt(object, {"kind"});
  return int(std::find(std::begin(order), std::end(order), kind) - std::begin(order));
}

}  // namespace

Result<std::vector<Json>> parseManifests(const std::string& text, const std::string& file) {
  std::vector<Json> out;
  int number = 0;
  for (auto& document : documents(text)) {
    ++number;
    if (blank(document)) continue;
    auto where = file + (number > 1 ? " (document " + std::to_string(number) + ")" : "");
    auto tree = api::parseYaml(document);
    if (!tree.ok()) return Status::badRequest(where + ": " + tree.status().message);
    if (tree->is_null()) continue;
    std::vector<Json> found;
    if (textAt(*tree, {"kind"}) == "List") found.assign(listAt(*tree, {"items"}).begin(), listAt(*tree, {"items"}).end());
    else found.push_back(std::move(*tree));
    for (auto& object : found) {
      if (!object.is_object() || textAt(object, {"kind"}).empty() || textAt(object, {"apiVersion"}).empty())
        return Status::badRequest(where + ": is no Kubernetes object: apiVersion and kind are needed");
      if (textAt(object, {"metadata", "name"}).empty()) return Status::badRequest(where + ": " + textAt(object, {"kind"}) + " has no metadata.name");
      out.push_back(std::move(object));
    }
  }
  return out;
}

Result<Source> readSource(const std::string& path) {
  Source out;
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (!fs::exists(path, error)) return Status::badRequest(path + ": there is no such file or folder");
    if (isManifest(path)) {
      PH_ASSIGN(auto text, readText(path));
      PH_ASSIGN(out.objects, parseManifests(text, path));
    } else {
      out.archives.push_back(path);
    }
    return out;
  }
  std::vector<std::string> files;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
    if (it->is_regular_file()) files.push_back(it->path().string());
  if (error) return Status::badRequest(path + ": can't be read: " + error.message());
  std::sort(files.begin(), files.end());
  for (auto& file : files) {
    if (isArchive(file)) out.archives.push_back(file);
    if (!isManifest(file)) continue;
    PH_ASSIGN(auto text, readText(file));
    PH_ASSIGN(auto found, parseManifests(text, file));
    for (auto& object : found) out.objects.push_back(std::move(object));
  }
  if (out.objects.empty()) return Status::badRequest(path + ": holds no manifest (*.yaml, *.yml, *.json)");
  sortForApply(out.objects);
  return out;
}

void sortForApply(std::vector<Json>& objects) {
  std::stable_sort(objects.begin(), objects.end(), [](const Json& a, const Json& b) { return rankOf(a) < rankOf(b); });
}

int replaceImage(Json& tree, const std::string& name, const std::string& ref) {
  int count = 0;
  if (auto* list = tree.if_array())
    for (auto& item : *list) count += replaceImage(item, name, ref);
  auto* object = tree.if_object();
  if (!object) return count;
  for (auto& [key, value] : *object) {
    bool containers = (key == "containers" || key == "initContainers") && value.is_array();
    if (!containers) {
      count += replaceImage(value, name, ref);
      continue;
    }
    for (auto& c : value.get_array()) {
      auto image = textAt(c, {"image"});
      auto at = image.find('@');
      auto bare = image.substr(0, at);
      auto colon = bare.rfind(':');
      if (colon != std::string::npos && bare.find('/', colon) == std::string::npos) bare.resize(colon);
      if (bare != name && image != name) continue;
      c.get_object()["image"] = ref;
      ++count;
    }
  }
  return count;
}

std::vector<Json> objectsForImage(const std::string& app, const std::string& ns, const std::string& ref, const std::string& digest,
                                  const std::vector<std::string>& ports) {
  JsonObject labels{{"app.kubernetes.io/name", app}};
  auto meta = [&] { return JsonObject{{"name", app}, {"namespace", ns}, {"labels", labels}}; };
  JsonArray containerPorts, servicePorts;
  for (auto& text : ports) {
    auto slash = text.find('/');
    int64_t port = std::atoi(text.c_str());
    if (port < 1 || port > 65535) continue;
    std::string protocol = slash == std::string::npos ? "tcp" : text.substr(slash + 1);
    for (auto& c : protocol) c = char(std::toupper(static_cast<unsigned char>(c)));
    auto name = "port-" + std::to_string(port) + (protocol == "TCP" ? "" : "-udp");
    containerPorts.push_back(JsonObject{{"name", name}, {"containerPort", port}, {"protocol", protocol}});
    servicePorts.push_back(JsonObject{{"name", name}, {"port", port}, {"targetPort", port}, {"protocol", protocol}});
  }
  JsonObject container{{"name", app}, {"image", ref}, {"imagePullPolicy", "IfNotPresent"}};
  if (!containerPorts.empty()) container["ports"] = containerPorts;
  std::vector<Json> out;
  if (!servicePorts.empty())
    out.push_back(JsonObject{{"apiVersion", "v1"}, {"kind", "Service"}, {"metadata", meta()}, {"spec", JsonObject{{"selector", labels}, {"ports", servicePorts}}}});
  // The same reference with other content is another version too.
  JsonObject templateMeta{{"labels", labels}, {"annotations", JsonObject{{"deploy.pilothouse.io/image-digest", digest}}}};
  out.push_back(JsonObject{{"apiVersion", "apps/v1"},
                           {"kind", "Deployment"},
                           {"metadata", meta()},
                           {"spec", JsonObject{{"selector", JsonObject{{"matchLabels", labels}}},
                                               {"template", JsonObject{{"metadata", templateMeta}, {"spec", JsonObject{{"containers", JsonArray{container}}}}}}}}});
  return out;
}

}  // namespace ph::deploy
