// A container's environment, and $(NAME) in its values, command and arguments.
// Threads: pure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agents/volumes/downward.h"
#include "agents/volumes/object_cache.h"

namespace ph::agents {

using Environment = std::vector<std::pair<std::string, std::string>>;

// Replaces $(NAME) by its value; $$ is one $; an unknown name stays as it is written.
std::string expand(const std::string& text, const std::map<std::string, std::string>& values);

using ObjectGetter = std::function<api::ObjectPtr(const ObjectRef&)>;

// `services`: the variables about services that come first and may be overridden. Fails when something not optional is missing.
Result<Environment> makeEnvironment(const api::Object& pod, const api::core::Container& container, const ObjectGetter& get,
                                    const Environment& services, const DownwardContext& context);

// The variables of one service as seen by pods: WEB_SERVICE_HOST, WEB_SERVICE_PORT, WEB_PORT...
void addServiceVariables(const api::Object& service, Environment& out);

// What a ConfigMap or Secret holds, decoded.
std::map<std::string, std::string> contents(const api::Object& object, bool secret);

}  // namespace ph::agents
