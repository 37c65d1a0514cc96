// What /version answers. Threads: a function without state.
#pragma once

#include <string>

namespace ph::server {

// Of the Kubernetes version whose API this is, and of the sources that this was built from.
std::string versionJson();

}  // namespace ph::server
