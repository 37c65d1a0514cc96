#include "engine/server/rbac/impersonation.h"

#include <algorithm>

#include "engine/server/authz.h"

namespace ph::server {
namespace {

constexpr std::string_view kUser = "impersonate-user", kGroupHeader = "impersonate-group", kUid = "impersonate-uid",
                           kExtra = "impersonate-extra-", kServiceAccount = "system:serviceaccount:",
                           kAuthentication = "authentication.k8s.io";

std::string lower(std::string_view s) {
  std::string out(s);
  for (auto& c : out) c = char(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

struct Wanted {
  std::string user, uid;
  bool hasUser = false, hasUid = false;
  std::vector<std::string> groups;
  std::vector<std::pair<std::string, std::vector<std::string>>> extra;
  bool any() const { return hasUser || hasUid || !groups.empty() || !extra.empty(); }
};

Wanted read(const net::Headers& headers) {
  Wanted w;
  for (auto& [rawName, value] : headers.all()) {
    if (rawName.size() < 12 || (rawName[0] != 'I' && rawName[0] != 'i')) continue;
    std::string name = lower(rawName);
    if (name == kUser && !value.empty()) {
      if (!w.hasUser) w.user = value;
      w.hasUser = true;
    } else if (name == kUid && !value.empty()) {
      if (!w.hasUid) w.uid = value;
      w.hasUid = true;
    } else if (name == kGroupHeader) {
      w.groups.push_back(value);
    } else if (name.starts_with(kExtra)) {
      std::string key;
      auto encoded = std::string_view(name).substr(kExtra.size());
      if (!net::percentDecode(encoded, key)) key = encoded;
      auto at = std::find_if(w.extra.begin(), w.extra.end(), [&](auto& e) { return e.first == key; });
      if (at == w.extra.end()) at = w.extra.insert(w.extra.end(), {key, {}});
      at->second.push_back(value);
    }
  }
  return w;
}

Result<> check(const Core& core, const User& user, Attributes a) {
  a.verb = "impersonate";
  auto verdict = mayDo(core, user, a);
  if (verdict.allowed) return {};
  return denied(user, a, verdict.reason);
}

// The service account that a user name stands for; false when it is none.
bool serviceAccount(std::string_view user, std::string_view& ns, std::string_view& name) {
  if (!user.starts_with(kServiceAccount)) return false;
  user.remove_prefix(kServiceAccount.size());
  size_t colon = user.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == user.size()) return false;
  ns = user.substr(0, colon);
  name = user.substr(colon + 1);
  return name.find(':') == std::string_view::npos;
}

bool has(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

void addImplied(User& user) {
  bool anonymous = user.name == kAnonymous;
  auto implied = anonymous ? kUnauthenticated : kAuthenticated;
  bool there = has(user.groups, kUnauthenticated) || (!anonymous && has(user.groups, kAuthenticated));
  if (!there) user.groups.emplace_back(implied);
}

}  // namespace

Result<User> impersonated(const Core& core, const net::Headers& headers, User user) {
  Wanted w = read(headers);
  if (!w.any()) return user;
  if (!w.hasUser) return Status::badRequest("requested groups, a uid or extra fields of a user without impersonating a user");
  User as;
  as.name = w.user;
  Attributes a;
  a.version = "v1";
  if (serviceAccount(w.user, a.ns, a.name)) {
    a.resource = "serviceaccounts";
    PH_TRY(check(core, user, a));
    if (w.groups.empty()) as.groups = {"system:serviceaccounts", "system:serviceaccounts:" + std::string(a.ns)};
  } else {
    a.resource = "users";
    a.name = w.user;
    PH_TRY(check(core, user, a));
  }
  a = {};
  a.version = "v1";
  a.resource = "groups";
  for (auto& group : w.groups) {
    a.name = group;
    PH_TRY(check(core, user, a));
    as.groups.push_back(group);
  }
  a.group = kAuthentication;
  a.resource = "userextras";
  for (auto& [key, values] : w.extra) {
    a.subresource = key;
    for (auto& value : values) {
      a.name = value;
      PH_TRY(check(core, user, a));
    }
  }
  if (w.hasUid) {
    a.resource = "uids";
    a.subresource = {};
    a.name = w.uid;
    PH_TRY(check(core, user, a));
  }
  as.uid = std::move(w.uid);
  as.extra = std::move(w.extra);
  addImplied(as);
  return as;
}

}  // namespace ph::server
