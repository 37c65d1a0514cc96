#include "engine/server/identity/reviews.h"

#include "engine/api/codec.h"
#include "engine/server/identity/token_authority.h"
#include "engine/server/json_util.h"
#include "engine/server/user_info.h"

namespace ph::server {
namespace {

JsonArray texts(const std::vector<std::string>& list) {
  JsonArray out;
  for (auto& s : list) out.emplace_back(s);
  return out;
}

void answer(Json& body, JsonObject status, const WriteDone& done) {
  makeObject(body, "metadata");
  body.get_object()["status"] = std::move(status);
  WriteAnswer out;
  out.code = 201;
  out.text = api::toText(body);
  done(std::move(out));
}

}  // namespace

void reviewToken(std::shared_ptr<Core> core, ApiRequest, Json body, WriteDone done) {
  auto* spec = objectAt(body, "spec");
  std::string token(textAt(spec, "token"));
  if (token.empty()) return done(Status::badRequest("token is required for TokenReview in authentication"));
  std::vector<std::string> audiences;
  if (auto* list = spec->if_contains("audiences"); list && list->is_array())
    for (auto& a : list->get_array())
      if (a.is_string()) audiences.emplace_back(view(a.get_string()));
  auto known = core->tokens ? core->tokens->authenticate(token, audiences) : Result<Authenticated>(Status::unauthorized());
  if (!known.ok())
    return answer(body, JsonObject{{"authenticated", false}, {"user", JsonObject{}}, {"error", "invalid bearer token"}}, done);
  answer(body,
         JsonObject{{"authenticated", true}, {"user", userInfo(known->user)}, {"audiences", texts(known->audiences)}}, done);
}

}  // namespace ph::server
