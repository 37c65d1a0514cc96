#include <algorithm>

#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

void prepareCreate(Json& machine, const WriteContext&) { machine.get_object()["status"] = JsonObject{{"phase", "Pending"}}; }

bool isHost(std::string_view s) {
  if (checkIp(s).empty()) return true;
  // Host names may be written in capitals, and with underscores.
  return !s.empty() && s.size() <= 253 && s.front() != '-' && std::all_of(s.begin(), s.end(), [](unsigned char c) {
    return isalnum(c) || c == '-' || c == '.' || c == '_';
  });
}

bool isFingerprint(std::string_view s) {
  if (!s.starts_with("SHA256:")) return false;
  s.remove_prefix(7);
  while (s.ends_with('=')) s.remove_suffix(1);
  return s.size() == 43 && std::all_of(s.begin(), s.end(), [](unsigned char c) { return isalnum(c) || c == '+' || c == '/'; });
}

void validateHost(const Json& host, const std::string& path, ErrorList& errors) {
  auto address = text(str(host, "address")), user = text(str(host, "user")), key = text(str(host, "hostKey"));
  if (!address.empty() && !isHost(address)) errors.invalid(path + ".address", address, "must be a host name or an IP address, without a port");
  bool fine = user.empty() || (user.size() <= 64 && user.front() != '-' && std::none_of(user.begin(), user.end(), [](unsigned char c) {
    return c <= ' ' || c == 127 || c == ':' || c == '@' || c == '/' || c == '\'' || c == '"' || c == '\\';
  }));
  if (!fine) errors.invalid(path + ".user", user, "must be the name of a user");
  if (!key.empty() && !isFingerprint(key))
    errors.invalid(path + ".hostKey", key, "must be a fingerprint such as \"SHA256:\" and 43 letters, as ssh-keygen -l shows it");
  if (!str(host, "credentials.identityFile").empty() && !str(host, "credentials.name").empty())
    errors.invalid(path + ".credentials", text(str(host, "credentials.name")), "may not have both `identityFile` and `name`");
}

void validate(const Json& machine, const WriteContext&, ErrorList& errors) {
  auto* spec = at(machine, "spec");
  if (!spec) return;
  validateHost(*spec, "spec", errors);
  auto& jumps = list(*spec, "jumpHosts");
  if (jumps.size() > 8) errors.tooMany("spec.jumpHosts", jumps.size(), 8);
  for (size_t i = 0; i < jumps.size(); ++i) validateHost(jumps[i], indexed("spec.jumpHosts", i), errors);
  validateLabels(object(*spec, "labels"), "spec.labels", errors);
  checkTaints(list(*spec, "taints"), "spec.taints", errors);
}

constexpr std::string_view kSelectable[] = {"status.phase", "status.nodeName", "spec.address", ""};

}  // namespace

const Strategy machineStrategy{.prepareCreate = prepareCreate, .validate = validate, .selectableFields = kSelectable};

}  // namespace ph::api::strategies
