// JSON for people: indented, and as YAML in block style. Threads: pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/api/schema.h"

namespace ph::server {

// At a depth of two spaces each; the first line is not indented.
void appendPretty(const api::Json& value, std::string& out, int depth);
// Each line at `depth`, ending in a newline.
void appendYaml(const api::Json& value, std::string& out, int depth);
// Of a JSON text; what can't be parsed is given back.
std::string prettyJson(std::string_view json);
std::string toYaml(std::string_view json);

}  // namespace ph::server
