#include "engine/server/authn.h"

#include <fstream>

#include "engine/net/pki.h"
#include "engine/server/identity/token_authority.h"

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
  Table table;
  std::ifstream in(tokensFile);
  std::string text;
  int number = 0;
  while (std::getline(in, text)) {
    ++number;
    std::string_view line = text;
    if (line.empty() || line.front() == '#') continue;
    std::string token = takeField(line);
    User user{takeField(line), {}};
    user.uid = takeField(line);
    addGroups(user, takeField(line));
    if (token.empty() || user.name.empty())
      return Status::internal(tokensFile + ":" + std::to_string(number) + ": a line must be token,user,uid,\"groups\"");
    user.groups.emplace_back("system:authenticated");
    table[net::sha256Hex(token)] = std::move(user);
  }
  out.tokens_ = std::make_shared<Table>(std::move(table));
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
  if (authority_) {
    PH_ASSIGN(auto known, authority_->authenticate(token));
    return std::move(known.user);
  }
  auto found = tokens_->find(net::sha256Hex(token));
  if (found == tokens_->end()) return Status::unauthorized();
  return found->second;
}

void Authenticator::use(std::shared_ptr<TokenAuthority> authority) {
  authority_ = std::move(authority);
  authority_->useStatic([table = tokens_](std::string_view token) -> std::optional<User> {
    auto found = table->find(net::sha256Hex(token));
    return found == table->end() ? std::nullopt : std::optional<User>(found->second);
  });
}

}  // namespace ph::server
