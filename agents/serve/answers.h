// Answers of the agent's server. Threads: pure.
#pragma once

#include <memory>
#include <string>

#include "engine/net/http.h"

namespace ph::agents {

void sendText(const std::shared_ptr<net::Responder>& to, int code, std::string text, const char* type = "text/plain; charset=utf-8");
// The engine hands this on to the user, so it is a Status object as of the API.
void sendStatus(const std::shared_ptr<net::Responder>& to, const Status& status);
std::string statusText(const Status& status);

}  // namespace ph::agents
