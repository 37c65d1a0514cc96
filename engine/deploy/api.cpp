#include "engine/deploy/api.h"

#include <future>

#include "engine/api/codec.h"

namespace ph::deploy {

namespace {
constexpr Duration kAnswer = std::chrono::minutes(2);  // an archive's last call has the server read all of it
}

std::string Ref::group() const {
  auto slash = apiVersion.find('/');
  return slash == std::string::npos ? "" : apiVersion.substr(0, slash);
}

std::string Ref::path() const {
  std::string out = apiVersion.find('/') == std::string::npos ? "/api/" + apiVersion : "/apis/" + apiVersion;
  if (!ns.empty()) out += "/namespaces/" + ns;
  out += "/" + plural;
  return name.empty() ? out : out + "/" + name;
}

Result<std::string> Api::send(const std::string& method, const std::string& path, std::string body, const std::string& type) {
  auto promise = std::make_shared<std::promise<Result<std::string>>>();
  auto future = promise->get_future();
  auto handle = client_->raw(method, path, std::move(body), type, nullptr, [promise](Result<std::string> answer) { promise->set_value(std::move(answer)); });
  if (future.wait_for(kAnswer) != std::future_status::ready) return Status::timeout("the server does not answer");
  return future.get();
}

Result<Json> Api::get(const std::string& path) {
  PH_ASSIGN(auto text, send("GET", path));
  return api::parseJson(text);
}

Result<Api::Kind> Api::kind(const std::string& apiVersion, const std::string& kind) {
  auto group = kinds_.find(apiVersion);
  if (group == kinds_.end()) {
    auto listed = get(apiVersion.find('/') == std::string::npos ? "/api/" + apiVersion : "/apis/" + apiVersion);
    if (!listed.ok() && !listed.status().isNotFound()) return std::move(listed).status();
    auto& kinds = kinds_[apiVersion];
    if (listed.ok())
      for (auto& r : listAt(*listed, {"resources"})) {
        auto plural = textAt(r, {"name"});
        auto* scoped = at(r, {"namespaced"});
        if (plural.find('/') == std::string::npos) kinds[textAt(r, {"kind"})] = {plural, scoped && scoped->is_bool() && scoped->get_bool()};
      }
    group = kinds_.find(apiVersion);
  }
  auto found = group->second.find(kind);
  if (found == group->second.end()) return Status::notFound("the server has no kind " + kind + " in " + apiVersion);
  return found->second;
}

Result<Ref> Api::find(const std::string& apiVersion, const std::string& kindName) {
  PH_ASSIGN(auto found, kind(apiVersion, kindName));
  return Ref{apiVersion, kindName, found.plural, "", ""};
}

Result<bool> Api::namespaced(const std::string& apiVersion, const std::string& kindName) {
  PH_ASSIGN(auto found, kind(apiVersion, kindName));
  return found.namespaced;
}

void Api::pause(Duration time) {
  auto promise = std::make_shared<std::promise<void>>();
  auto future = promise->get_future();
  auto timer = executor_->after(time, [promise] { promise->set_value(); });
  future.wait();
}

const Json* at(const Json& tree, std::initializer_list<std::string_view> path) {
  const Json* here = &tree;
  for (auto key : path) {
    auto* object = here ? here->if_object() : nullptr;
    here = object ? object->if_contains(key) : nullptr;
  }
  return here;
}

std::string textAt(const Json& tree, std::initializer_list<std::string_view> path) {
  auto* value = at(tree, path);
  auto* text = value ? value->if_string() : nullptr;
  return text ? std::string(text->data(), text->size()) : std::string();
}

int64_t numberAt(const Json& tree, std::initializer_list<std::string_view> path, int64_t otherwise) {
  auto* value = at(tree, path);
  if (!value) return otherwise;
  if (auto* n = value->if_int64()) return *n;
  if (auto* u = value->if_uint64()) return int64_t(*u);
  return otherwise;
}

const JsonArray& listAt(const Json& tree, std::initializer_list<std::string_view> path) {
  static const JsonArray none;
  auto* value = at(tree, path);
  auto* list = value ? value->if_array() : nullptr;
  return list ? *list : none;
}

}  // namespace ph::deploy
