#include "agents/flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace ph::agents {

Result<Flags> Flags::parse(const std::vector<std::string>& arguments, const std::set<std::string>& known, const std::set<std::string>& bare) {
  Flags out;
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto& a = arguments[i];
    if (a.rfind("--", 0) != 0) {
      out.words_.push_back(a);
      continue;
    }
    auto eq = a.find('=');
    auto name = a.substr(2, eq == std::string::npos ? eq : eq - 2);
    if (bare.count(name) && eq == std::string::npos) {
      out.values_[name] = "true";
    } else if (!known.count(name)) {
      return Status::badRequest(fmt::format("unknown flag --{}", name));
    } else if (eq != std::string::npos) {
      out.values_[name] = a.substr(eq + 1);
    } else if (i + 1 < arguments.size()) {
      out.values_[name] = arguments[++i];
    } else {
      return Status::badRequest(fmt::format("--{} needs a value", name));
    }
  }
  return out;
}

std::string Flags::get(const std::string& name, const std::string& otherwise) const {
  auto it = values_.find(name);
  return it == values_.end() ? otherwise : it->second;
}

Result<Duration> Flags::duration(const std::string& name, Duration otherwise) const {
  if (!has(name)) return otherwise;
  auto d = parseDuration(get(name));
  if (!d || *d <= Duration::zero()) return Status::badRequest(fmt::format("--{}: \"{}\" is no duration (such as 8s)", name, get(name)));
  return *d;
}

Result<int64_t> Flags::number(const std::string& name, int64_t otherwise, int64_t min, int64_t max) const {
  if (!has(name)) return otherwise;
  auto text = get(name);
  int64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || n < min || n > max)
    return Status::badRequest(fmt::format("--{}: \"{}\" is no number from {} to {}", name, text, min, max));
  return n;
}

Result<std::map<std::string, std::string>> Flags::pairs(const std::string& name) const {
  std::map<std::string, std::string> out;
  auto text = get(name);
  for (size_t at = 0; at < text.size();) {
    auto end = std::min(text.find(',', at), text.size());
    auto part = text.substr(at, end - at);
    auto eq = part.find('=');
    if (eq == std::string::npos || eq == 0) return Status::badRequest(fmt::format("--{}: \"{}\" is not of the form key=value", name, part));
    out[part.substr(0, eq)] = part.substr(eq + 1);
    at = end + 1;
  }
  return out;
}

}  // namespace ph::agents
