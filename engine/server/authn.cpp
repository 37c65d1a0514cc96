#include "engine/server/authn.h"

#include <fstream>

#include "engine/net/pki.h"

namespace ph::server {
namespace {

// One CSV field off the front of `line`; quotes may hold commas.
std::string takeField(std::string_view& line) {
  std::string out;
  bool quoted = false;
  size_t i = 0;
  for (; i < line.size(); ++i) {
    char c = line[i];
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      break;
    else if (!(c == ' ' && out.empty()) && c != '\r')
      out += c;
  }
  line.remove_prefix(std::min(line.size(), i + 1));
  return out;
}

void addGroups(User& user, std::string_view list) {
  while (!list.empty()) {
    size_t comma = list.find(',');
    auto group = list.substr(0, comma);
    if (!group.empty()) user.groups.emplace_back(group);
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<Authenticator> Authenticator::load(const std::string& tokensFile) {
  Authenticator out;
  std::ifstream in(tokensFile);
  std::string text;
  int number = 0;
  while (std::getline(in, text)) {
    ++number;
    std::string_view line = text;
    if (line.empty() || line.front() == '#') continue;
    std::string token = takeField(line);
    User user{takeField(line), {}};
    takeField(line);  // uid
    addGroups(user, takeField(line));
    if (token.empty() || user.name.empty())
      return Status::internal(tokensFile + ":" + std::to_string(number) + ": a line must be token,user,uid,\"groups\"");
    user.groups.emplace_back("system:authenticated");
    out.tokens_[net::sha256Hex(token)] = std::move(user);
  }
  return out;
}

Result<User> Authenticator::authenticate(const net::Request& request) const {
  auto& peer = request.peer;
  if (!peer.pinnedUser.empty()) {
    User user{peer.pinnedUser, peer.pinnedGroups};
    user.groups.emplace_back("system:authenticated");
    return user;
  }
  if (!peer.certCommonName.empty()) {
    User user{peer.certCommonName, peer.certOrganizations};
    user.groups.emplace_back("system:authenticated");
    return user;
  }
  auto header = request.headers.get("authorization");
  if (header.empty()) return anonymousUser();
  constexpr std::string_view scheme = "bearer ";
  if (header.size() <= scheme.size()) return Status::unauthorized();
  for (size_t i = 0; i < scheme.size(); ++i)
    if (char c = header[i]; (c >= 'A' && c <= 'Z' ? char(c + 32) : c) != scheme[i]) return Status::unauthorized();
  auto token = header.substr(scheme.size());
  while (!token.empty() && token.front() == ' ') token.remove_prefix(1);
  auto found = tokens_.find(net::sha256Hex(token));
  if (found == tokens_.end()) return Status::unauthorized();
  return found->second;
}

}  // namespace ph::server
