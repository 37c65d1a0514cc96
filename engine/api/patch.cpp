#include "engine/api/patch.h"

#include <algorithm>
#include <charconv>

#include "engine/api/codec.h"

namespace ph::api {
namespace {

constexpr size_t kMaxOperations = 10'000;
constexpr size_t kMaxCopied = size_t(8) << 20;

Status failed(std::string message) { return Status::invalid(std::move(message)); }

// A JSON pointer (RFC 6901) into steps.
Result<std::vector<std::string>> steps(std::string_view pointer) {
  std::vector<std::string> out;
  if (pointer.empty()) return out;
  if (pointer[0] != '/') return Status::badRequest("a JSON patch path must start with '/': \"" + std::string(pointer) + "\"");
  std::string step;
  for (size_t i = 1; i <= pointer.size(); ++i) {
    if (i == pointer.size() || pointer[i] == '/') {
      out.push_back(std::move(step));
      step.clear();
    } else if (pointer[i] == '~' && i + 1 < pointer.size() && (pointer[i + 1] == '0' || pointer[i + 1] == '1')) {
      step += pointer[++i] == '0' ? '~' : '/';
    } else {
      step += pointer[i];
    }
  }
  return out;
}

// An index below `limit`; "-" means the end where `append` allows it.
std::optional<size_t> indexOf(const std::string& step, size_t limit, bool append) {
  if (append && step == "-") return limit - 1;
  size_t index = 0;
  auto r = std::from_chars(step.data(), step.data() + step.size(), index);
  if (step.empty() || r.ec != std::errc() || r.ptr != step.data() + step.size() || index >= limit) return std::nullopt;
  if (step.size() > 1 && step[0] == '0') return std::nullopt;
  return index;
}

Json* child(Json& v, const std::string& step) {
  if (auto* o = v.if_object()) return o->if_contains(step);
  if (auto* a = v.if_array()) {
    auto i = indexOf(step, a->size(), false);
    return i ? &(*a)[*i] : nullptr;
  }
  return nullptr;
}

Json* walk(Json& root, const std::vector<std::string>& path, size_t count) {
  Json* v = &root;
  for (size_t i = 0; i < count && v; ++i) v = child(*v, path[i]);
  return v;
}

class JsonPatch {
 public:
  explicit JsonPatch(Json& target) : target_(target) {}

  Result<> apply(const Json& operation) {
    auto* o = operation.if_object();
    if (!o) return Status::badRequest("a JSON patch operation must be an object");
    auto op = text(*o, "op");
    auto* path = o->if_contains("path");
    if (!path || !path->is_string()) return Status::badRequest("a JSON patch operation needs a path");
    pathText_ = text(*o, "path");
    PH_ASSIGN(auto to, steps(pathText_));
    const Json* value = o->if_contains("value");
    if ((op == "add" || op == "replace" || op == "test") && !value)
      return Status::badRequest("the JSON patch operation " + op + " of \"" + pathText_ + "\" needs a value");
    if (op == "add") return add(to, *value);
    if (op == "remove") return remove(to, nullptr);
    if (op == "replace") return replace(to, *value);
    if (op == "test") {
      Json* v = walk(target_, to, to.size());
      if (v ? *v == *value : value->is_null()) return {};
      return failed("testing value " + pathText_ + " failed");
    }
    if (op != "move" && op != "copy") return Status::badRequest("unknown JSON patch operation \"" + op + "\"");
    auto* fromField = o->if_contains("from");
    if (!fromField || !fromField->is_string()) return Status::badRequest("the JSON patch operation " + op + " needs \"from\"");
    PH_ASSIGN(auto from, steps(text(*o, "from")));
    return op == "move" ? move(from, to) : copy(from, to);
  }

 private:
  static std::string text(const JsonObject& o, const char* key) {
    auto* v = o.if_contains(key);
    return v && v->is_string() ? std::string(v->get_string().c_str(), v->get_string().size()) : std::string();
  }
  Status missing(const char* operation) { return failed(std::string(operation) + " operation does not apply: doc is missing path: \"" + pathText_ + "\""); }

  Result<> add(const std::vector<std::string>& path, Json value) {
    if (path.empty()) {
      target_ = std::move(value);
      return {};
    }
    Json* parent = walk(target_, path, path.size() - 1);
    if (!parent) return missing("add");
    if (auto* o = parent->if_object()) {
      o->insert_or_assign(path.back(), std::move(value));
      return {};
    }
    auto* a = parent->if_array();
    auto i = a ? indexOf(path.back(), a->size() + 1, true) : std::nullopt;
    if (!i) return missing("add");
    a->insert(a->begin() + *i, std::move(value));
    return {};
  }

  Result<> remove(const std::vector<std::string>& path, Json* taken) {
    if (path.empty()) return failed("remove operation does not apply to the whole document");
    Json* parent = walk(target_, path, path.size() - 1);
    Json* v = parent ? child(*parent, path.back()) : nullptr;
    if (!v) return missing("remove");
    if (taken) *taken = std::move(*v);
    if (auto* o = parent->if_object()) o->stable_erase(o->find(path.back()));
    else parent->get_array().erase(parent->get_array().begin() + *indexOf(path.back(), parent->get_array().size(), false));
    return {};
  }

  Result<> replace(const std::vector<std::string>& path, const Json& value) {
    Json* v = walk(target_, path, path.size());
    if (!v) return missing("replace");
    *v = value;
    return {};
  }

  Result<> move(const std::vector<std::string>& from, const std::vector<std::string>& to) {
    if (from.size() < to.size() && std::equal(from.begin(), from.end(), to.begin()))
      return failed("move operation can't move \"" + pathText_ + "\" into itself");
    Json value;
    PH_TRY(remove(from, &value));
    return add(to, std::move(value));
  }

  Result<> copy(const std::vector<std::string>& from, const std::vector<std::string>& to) {
    Json* v = walk(target_, from, from.size());
    if (!v) return missing("copy");
    copied_ += toText(*v).size();
    if (copied_ > kMaxCopied) return Status::tooLarge("the JSON patch copies too much");
    return add(to, *v);
  }

  Json& target_;
  std::string pathText_;
  size_t copied_ = 0;
};

}  // namespace

Result<> applyJsonPatch(Json& target, const Json& patch) {
  auto* operations = patch.if_array();
  if (!operations) return Status::badRequest("a JSON patch must be an array of operations");
  if (operations->size() > kMaxOperations)
    return Status::tooLarge("the allowed maximum operations in a JSON patch is " + std::to_string(kMaxOperations) + ", got " +
                            std::to_string(operations->size()));
  JsonPatch run(target);
  for (auto& operation : *operations) PH_TRY(run.apply(operation));
  return {};
}

void applyMergePatch(Json& target, const Json& patch) {
  auto* from = patch.if_object();
  if (!from) {
    target = patch;
    return;
  }
  if (!target.is_object()) target.emplace_object();
  auto& to = target.get_object();
  for (auto& kv : *from) {
    if (kv.value().is_null()) {
      if (auto it = to.find(kv.key()); it != to.end()) to.stable_erase(it);
    } else if (kv.value().is_object()) {
      applyMergePatch(to[kv.key()], kv.value());
    } else {
      to.insert_or_assign(kv.key(), kv.value());
    }
  }
}

Json makeMergePatch(const Json& from, const Json& to) {
  if (!from.is_object() || !to.is_object()) return to;
  JsonObject patch;
  auto& before = from.get_object();
  auto& after = to.get_object();
  for (auto& kv : before)
    if (!after.contains(kv.key())) patch.emplace(kv.key(), nullptr);
  for (auto& kv : after) {
    auto* old = before.if_contains(kv.key());
    if (old && *old == kv.value()) continue;
    if (old && old->is_object() && kv.value().is_object()) patch.emplace(kv.key(), makeMergePatch(*old, kv.value()));
    else patch.emplace(kv.key(), kv.value());
  }
  return patch;
}

}  // namespace ph::api
