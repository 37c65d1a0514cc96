#include "agents/serve/answers.h"

#include "engine/api/codec.h"

namespace ph::agents {

using api::Json;
using api::JsonObject;

void sendText(const std::shared_ptr<net::Responder>& to, int code, std::string text, const char* type) {
  net::Response response;
  response.status = code;
  response.headers.add("Content-Type", type);
  response.body.push_back(net::makeBuffer(std::move(text)));
  to->send(std::move(response));
}

std::string statusText(const Status& s) {
  return api::toText(Json(JsonObject{{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", JsonObject{}}, {"status", "Failure"}, {"message", s.message}, {"reason", s.reason}, {"code", s.code}}));
}

void sendStatus(const std::shared_ptr<net::Responder>& to, const Status& s) { sendText(to, s.code, statusText(s), "application/json"); }

}  // namespace ph::agents
