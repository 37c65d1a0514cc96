#include "engine/server/user_info.h"

#include "engine/server/json_util.h"

namespace ph::server {

JsonObject userInfo(const User& user) {
  JsonObject out{{"username", user.name}};
  if (!user.uid.empty()) out["uid"] = user.uid;
  out["groups"] = JsonArray(user.groups.begin(), user.groups.end());
  for (auto& [key, values] : user.extra) makeObject(out, "extra")[key] = JsonArray(values.begin(), values.end());
  return out;
}

}  // namespace ph::server
